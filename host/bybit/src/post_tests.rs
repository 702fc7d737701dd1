use super::*;
use crate::budget::RateHeaders;

fn answer(status: u16, body: &str) -> Submission {
    classify(
        path::CREATE,
        &Answer { status, body: body.as_bytes().to_vec(), rate: RateHeaders::default(), time_ms: None },
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
        time_ms: None,
    };
    assert_eq!(classify(path::CANCEL_ALL, &body("1"), "K"), Submission::Accepted { venue_order: None });
    assert!(is_unknown(&classify(path::CANCEL_ALL, &body("0"), "K")));
}

#[test]
fn what_is_so_already_is_a_success() {
    let said = |at: &str, code| settled(at, code, "not modified", "K");
    assert_eq!(said(path::TRADING_STOP, 34_040), Some(Submission::Accepted { venue_order: None }));
    let Some(Submission::Rejected(rejection)) = said(path::AMEND, 34_040) else { panic!("not told") };
    assert_eq!(rejection.kind, RejectionKind::NotModified, "the gate counts the amend as applied");
}

#[test]
fn an_item_of_a_batch_answers_for_itself() {
    let batch = |codes: &str| {
        Answer {
        status: 200,
        body: format!(
            r#"{{"retCode":0,"retMsg":"OK","result":{{"list":[{{"orderId":"16","orderLinkId":"a"}}]}},"retExtInfo":{codes}}}"#
        )
        .into_bytes(),
        rate: RateHeaders::default(),
        time_ms: None,
    }
    };
    let said = |codes: &str| classify(path::CANCEL_BATCH, &batch(codes), "K");
    assert!(matches!(
        said(r#"{"list":[{"code":0,"msg":"OK"}]}"#),
        Submission::Accepted { venue_order: Some(_) }
    ));
    let Submission::Rejected(rejection) = said(r#"{"list":[{"code":170213,"msg":"gone"}]}"#) else {
        panic!("not told")
    };
    assert_eq!(rejection.kind, RejectionKind::NoSuchOrder);
    assert!(is_unknown(&said("{}")), "the envelope's success says nothing about the item");
}

#[test]
fn a_duplicate_says_that_the_earlier_attempt_was_taken() {
    for code in [110_072, 170_141] {
        let body = format!(r#"{{"retCode":{code},"retMsg":"duplicate","result":{{}}}}"#);
        let Submission::Rejected(rejection) = answer(200, &body) else { panic!("not told") };
        assert_eq!(rejection.kind, RejectionKind::DuplicateLinkId);
    }
}

#[test]
fn details_are_bounded() {
    let Submission::Unknown { detail } = unknown(&"é".repeat(500)) else { panic!("not unknown") };
    assert!(detail.len() <= MESSAGE_MAX);
}
