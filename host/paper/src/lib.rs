//! The paper exchange: a Bybit-V5-speaking server with a matching engine behind it.
