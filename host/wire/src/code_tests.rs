//! Every row of the reference table, and what is made of it.

use super::*;
use Verdict::{Accepted, Ambiguous, Rejected};

/// The codes that prove nothing: the request may have been carried out.
const UNKNOWN: &[i32] = &[
    10_000, 10_014, 10_016, 10_019, 10_403, 10_429, 20_003, 20_006, 110_030, 170_001, 170_005, 170_007,
    170_032, 500_000,
];

/// What both families say when they refuse, by meaning.
const REFUSALS: &[(RejectionKind, &[i32])] = &[
    (RejectionKind::Timestamp, &[10_002]),
    (RejectionKind::RateLimited, &[10_006, 10_018, 170_222]),
    (
        RejectionKind::Unauthorised,
        &[
            10_003, 10_004, 10_005, 10_007, 10_008, 10_009, 10_010, 10_024, 10_027, 10_028, 10_029, 33_004,
            -2015,
        ],
    ),
    (
        RejectionKind::Margin,
        &[110_004, 110_006, 110_007, 110_012, 110_044, 110_045, 110_051, 110_052, 110_053, 170_131],
    ),
    (
        RejectionKind::PriceLimit,
        &[
            110_003, 110_092, 110_093, 110_120, 110_121, 170_132, 170_133, 170_193, 170_194, 170_371,
            170_372, 170_218, 30_208, 30_209,
        ],
    ),
    (RejectionKind::ReduceOnly, &[110_017]),
    (RejectionKind::TooManyOrders, &[110_009, 110_020, 110_061, 170_810]),
    (RejectionKind::NoSuchOrder, &[110_001, 110_008, 110_010, 170_139, 170_142, 170_143, 170_190, 170_213]),
    (RejectionKind::DuplicateLinkId, &[110_072, 170_141]),
    (RejectionKind::NotModified, &[34_040, 110_025, 110_026, 110_027, 110_043]),
    (
        RejectionKind::NotTrading,
        &[
            110_021, 110_022, 110_023, 110_042, 110_063, 110_066, 110_074, 110_095, 110_096, 110_097,
            110_098, 110_099, 110_100, 110_103, 30_228, 170_217,
        ],
    ),
    (
        RejectionKind::Invalid,
        &[
            10_001, 110_024, 110_028, 110_029, 110_064, 110_094, 170_105, 170_115, 170_116, 170_117, 170_121,
            170_124, 170_130, 170_134, 170_136, 170_137, 170_140, 170_148, 170_313, 170_341, 170_381,
            170_382,
        ],
    ),
    (RejectionKind::Other, &[10_017, 10_404, 20_001, 110_079, 176_001, 182_100]),
];

#[test]
fn every_code_of_the_table_has_its_meaning() {
    assert_eq!(verdict(0), Accepted);
    for (kind, codes) in REFUSALS {
        for code in *codes {
            assert_eq!(verdict(*code), Rejected(*kind), "{code}");
        }
    }
}

#[test]
fn no_code_has_two_meanings() {
    let mut all: Vec<i32> = REFUSALS.iter().flat_map(|(_, codes)| codes.iter().copied()).collect();
    all.extend(UNKNOWN);
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
}

#[test]
fn timeouts_and_unheard_of_codes_prove_nothing() {
    for code in UNKNOWN.iter().chain(&[1, -1, 99_999, i32::MAX, i32::MIN]) {
        assert_eq!(verdict(*code), Ambiguous, "{code}");
    }
    for status in [0, 302, 408, 429, 499, 500, 502, 503, 504] {
        assert_eq!(verdict_of_status(status), HttpVerdict::Ambiguous, "{status}");
    }
}

/// Only these may be sent again under the same id (RULES J6), because they were turned away before any order was made.
#[test]
fn what_may_be_sent_again_is_definitive() {
    assert_eq!(verdict(10_002), Rejected(RejectionKind::Timestamp));
    assert_eq!(verdict(10_006), Rejected(RejectionKind::RateLimited));
    assert_eq!(verdict_of_status(403), HttpVerdict::Rejected(RejectionKind::RateLimited));
    for (status, kind) in [(400, RejectionKind::Invalid), (401, RejectionKind::Unauthorised)] {
        assert_eq!(verdict_of_status(status), HttpVerdict::Rejected(kind));
    }
}
