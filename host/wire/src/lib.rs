//! Bybit V5 on the wire: shapes and the string to sign, shared by the client and the paper exchange.
