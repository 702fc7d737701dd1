//! The whole table of an order's life, written out once more by hand.
#![allow(missing_docs, clippy::panic, clippy::unwrap_used, reason = "test code")]

use portcullis_core::{OrderEvent as E, OrderStatus as S, VenueStatus as V};

const STATUSES: [(char, S); 13] = [
    ('R', S::Reserved),
    ('U', S::Unknown),
    ('A', S::Acknowledged),
    ('W', S::Working),
    ('P', S::PartiallyFilled),
    ('T', S::Untriggered),
    ('G', S::Triggered),
    ('F', S::Filled),
    ('C', S::Cancelled),
    ('J', S::Rejected),
    ('E', S::Expired),
    ('N', S::NotSent),
    ('B', S::Absent),
];

/// One row an event: the next state from each of the states above, `-` where the event cannot follow.
const TABLE: [(E, &str); 16] = [
    (E::NotSent, "N------------"),
    (E::Accepted, "AAAWPTGFC-E--"),
    (E::Rejected, "JJ-----------"),
    (E::Unanswered, "UUAWPTGFC-E--"),
    (E::Reported(V::Working), "WWWWPWW--W-WW"),
    (E::Reported(V::PartiallyFilled), "PPPPPPP--P-PP"),
    (E::Reported(V::Untriggered), "TTT--T---T-TT"),
    (E::Reported(V::Triggered), "GGG--GG--G-GG"),
    (E::Reported(V::Filled), "FFFFFFFFFFFFF"),
    (E::Reported(V::Cancelled), "CCCCCCC-CCECC"),
    (E::Reported(V::Rejected), "JJJ--JJ--J---"),
    (E::Reported(V::Deactivated), "CCCCCCC-CCECC"),
    (E::PartFilled, "PPPPPPPFCPEPP"),
    (E::WholeFilled, "FFFFFFFFFFFFF"),
    (E::Expired, "EEEEEEE---E--"),
    (E::Absent, "BB-----------"),
];

#[test]
fn every_event_from_every_state() {
    for (event, row) in TABLE {
        for ((_, from), expected) in STATUSES.into_iter().zip(row.chars()) {
            let next = from.next(event);
            let expected = STATUSES.iter().find(|(letter, _)| *letter == expected).map(|(_, status)| *status);
            assert_eq!(next.ok(), expected, "{from:?} at {event:?}");
        }
    }
}

#[test]
fn only_a_wrong_proof_brings_a_closed_order_back() {
    for (event, _) in TABLE {
        for (_, from) in STATUSES.into_iter().filter(|(_, status)| !status.is_open()) {
            let lives = from.next(event).is_ok_and(S::is_open);
            let wrong_proof = matches!(from, S::Rejected | S::NotSent | S::Absent);
            assert!(!lives || wrong_proof, "{from:?} at {event:?}");
        }
    }
}

#[test]
fn every_state_has_a_word_of_its_own() {
    let words: std::collections::BTreeSet<&str> =
        STATUSES.iter().map(|(_, status)| status.as_str()).collect();
    assert_eq!(words.len(), STATUSES.len());
    let plain =
        |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    assert!(words.iter().all(plain), "{words:?}");
    assert!(words.contains("working") && words.contains("partially-filled"));
}
