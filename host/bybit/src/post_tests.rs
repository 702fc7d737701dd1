use super::*;
use crate::budget::RateHeaders;

fn answer(status: u16, body: &str) -> Submission {
    classify(
        path::CREATE,
        &Answer { status, body: body.as_bytes().to_vec(), rate: RateHeaders::default() },
        "KEY",
    )
}

fn is_unknown(submission: &Submission) -> bool {
    matches!(submission, Submission::Unknown { .. })
}

#[test]
fn an_acknowledgement_names_the_order() {
    let body = r#"{"retCode":0,"retMsg":"OK","result":{"orderId":"1321003749386327552","orderLinkId":"x"},"time":1}"#;
    assert_eq!(
        answer(200, body),
        Submission::Accepted { venue_order: Some("1321003749386327552".parse().unwrap()) }
    );
}

#[test]
fn whatever_proves_nothing_is_unknown() {
    for (status, body) in [
        (200, ""),
        (200, "<html>gateway timeout</html>"),
        (200, r#"{"retCode":0,"retMsg":"OK","result":{}}"#),
        (200, r#"{"retCode":10000,"retMsg":"Server Timeout","result":{}}"#),
        (200, r#"{"retCode":10016,"retMsg":"","result":{}}"#),
        (200, r#"{"retCode":170007,"retMsg":"Timeout","result":{}}"#),
        (200, r#"{"retCode":424242,"retMsg":"new code","result":{}}"#),
        (429, r#"{"retCode":10001,"retMsg":"","result":{}}"#),
        (500, ""),
        (502, ""),
        (504, r#"{"retCode":110007,"retMsg":"","result":{}}"#),
        (302, ""),
    ] {
        assert!(is_unknown(&answer(status, body)), "{status} {body}");
    }
}

#[test]
fn plain_refusals_are_rejections_with_redacted_words() {
    let body =
        r#"{"retCode":10004,"retMsg":"error sign! origin_string[1KEY5000a\u0026b=1]","result":{},"time":1}"#;
    let Submission::Rejected(rejection) = answer(200, body) else { panic!("not a rejection") };
    assert_eq!((rejection.kind, rejection.code), (RejectionKind::Unauthorised, 10_004));
    assert!(!rejection.message.contains("KEY"));
    assert!(matches!(
        answer(403, ""),
        Submission::Rejected(VenueRejection { kind: RejectionKind::RateLimited, code: 403, .. })
    ));
}

#[test]
fn a_cancel_all_without_success_is_unknown() {
    let body = |success: &str| Answer {
        status: 200,
        body: format!(r#"{{"retCode":0,"retMsg":"OK","result":{{"success":"{success}"}}}}"#).into_bytes(),
        rate: RateHeaders::default(),
    };
    assert_eq!(classify(path::CANCEL_ALL, &body("1"), "K"), Submission::Accepted { venue_order: None });
    assert!(is_unknown(&classify(path::CANCEL_ALL, &body("0"), "K")));
}

#[test]
fn details_are_bounded() {
    let Submission::Unknown { detail } = unknown(&"é".repeat(500)) else { panic!("not unknown") };
    assert!(detail.len() <= MESSAGE_MAX);
}
