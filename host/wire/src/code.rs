//! What the venue's codes mean, over both families (derivatives 11xxxx, spot 17xxxx): pure tables.
//!
//! A code that proves nothing is *ambiguous*: the outcome stays unknown until the venue shows it (invariant 4). So is a code
//! outside the families we know.

use portcullis_core::RejectionKind;

/// What an answer to create, amend or cancel proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Accepted for processing; the final word comes by the private stream.
    Accepted,
    /// Refused, definitively.
    Rejected(RejectionKind),
    /// Proves nothing.
    Ambiguous,
}

/// What a `retCode` proves.
pub fn verdict(ret_code: i32) -> Verdict {
    use RejectionKind as Kind;
    let kind = match ret_code {
        0 => return Verdict::Accepted,
        // Timeouts, restarts, system protection, duplicate requests: the first attempt may have been taken.
        10_000 | 10_014 | 10_016 | 10_019 | 10_403 | 10_429 => return Verdict::Ambiguous,
        // A venue's id that exists already says nothing about ours.
        110_030 => return Verdict::Ambiguous,
        20_003 | 20_006 | 170_001 | 170_005 | 170_007 | 170_032 | 500_000 => return Verdict::Ambiguous,
        10_002 => Kind::Timestamp,
        10_006 | 10_018 | 170_222 => Kind::RateLimited,
        10_003 | 10_004 | 10_005 | 10_007 | 10_008 | 10_009 | 10_010 | 10_024 | 10_027 | 10_028 | 10_029
        | 33_004 | -2015 => Kind::Unauthorised,
        110_004 | 110_006 | 110_007 | 110_012 | 110_044 | 110_045 | 110_051 | 110_052 | 110_053 | 170_131 => {
            Kind::Margin
        }
        110_003 | 110_092 | 110_093 | 110_120 | 110_121 => Kind::PriceLimit,
        170_132 | 170_133 | 170_193 | 170_194 | 170_371 | 170_372 | 170_218 | 30_208 | 30_209 => {
            Kind::PriceLimit
        }
        110_017 => Kind::ReduceOnly,
        110_009 | 110_020 | 110_061 | 170_810 => Kind::TooManyOrders,
        110_001 | 110_008 | 110_010 | 170_139 | 170_142 | 170_143 | 170_190 | 170_213 => Kind::NoSuchOrder,
        110_072 | 170_141 => Kind::DuplicateLinkId,
        34_040 | 110_025 | 110_026 | 110_027 | 110_043 => Kind::NotModified,
        110_021 | 110_022 | 110_023 | 110_042 | 110_063 | 110_066 | 110_074 | 30_228 | 170_217 => {
            Kind::NotTrading
        }
        110_095..=110_100 | 110_103 => Kind::NotTrading,
        10_001 | 110_024 | 110_028 | 110_029 | 110_064 | 110_094 | 170_313 => Kind::Invalid,
        170_105 | 170_115..=170_117 | 170_121 | 170_124 | 170_130 | 170_134 | 170_136 | 170_137 => {
            Kind::Invalid
        }
        170_140 | 170_148 | 170_341 | 170_381 | 170_382 => Kind::Invalid,
        // Refusals of the business families that have no meaning of their own for us; 110079 (being processed, try later) too: what
        // was asked for was not done.
        10_017
        | 10_404
        | 20_001
        | 30_000..=39_999
        | 110_000..=110_999
        | 170_000..=179_999
        | 182_000..=182_999 => Kind::Other,
        _ => return Verdict::Ambiguous,
    };
    Verdict::Rejected(kind)
}

/// What an HTTP status proves, before any body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpVerdict {
    /// Read the body's `retCode`.
    ReadBody,
    /// Turned away before the matching engine.
    Rejected(RejectionKind),
    /// Proves nothing.
    Ambiguous,
}

/// What an HTTP status proves about a command. Only statuses that Bybit documents as "never reached the trading service" reject.
pub fn verdict_of_status(status: u16) -> HttpVerdict {
    match status {
        200 => HttpVerdict::ReadBody,
        400 | 404 => HttpVerdict::Rejected(RejectionKind::Invalid),
        401 => HttpVerdict::Rejected(RejectionKind::Unauthorised),
        403 => HttpVerdict::Rejected(RejectionKind::RateLimited),
        _ => HttpVerdict::Ambiguous,
    }
}

#[cfg(test)]
#[path = "code_tests.rs"]
mod tests;
