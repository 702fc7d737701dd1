//! A reference strategy.
