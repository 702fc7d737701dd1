//! The durable, hash-chained log of every decision.
