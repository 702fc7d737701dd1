//! The Bybit V5 client: REST, streams, reconciliation.
