//! Write trading strategies for Portcullis.
