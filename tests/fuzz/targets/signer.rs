//! The signer's socket: what is asked of the trade key, and what it answers.

use portcullis_core::Environment;
use portcullis_wire::{
    OrderKind, OrderRequest, RefusalKind, SIGNER_MESSAGE_BYTES_MAX, SignerReply, SignerRequest, SignerStatus,
    decode_signer_reply, decode_signer_request,
};
use serde_json::json;

fn orders() -> Vec<OrderRequest> {
    let create = json!({
        "category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.010", "price": "60000.1",
        "timeInForce": "GTC", "orderLinkId": "p001000000001-abc", "positionIdx": 0
    });
    let one = json!({"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "p001000000001-abc"});
    let mut amend = one.clone();
    amend["price"] = "60000.2".into();
    let all = json!({"category": "linear", "symbol": "BTCUSDT", "orderFilter": "Order"});
    let stop = json!({
        "category": "linear", "symbol": "BTCUSDT", "stopLoss": "59000", "tpslMode": "Full", "positionIdx": 0
    });
    let batch =
        json!({"category": "linear", "request": [{"symbol": "BTCUSDT", "orderLinkId": "p001000000001-abc"}]});
    vec![
        OrderRequest::Create(serde_json::from_value(create).unwrap()),
        OrderRequest::Amend(serde_json::from_value(amend).unwrap()),
        OrderRequest::Cancel(serde_json::from_value(one).unwrap()),
        OrderRequest::CancelAll(serde_json::from_value(all).unwrap()),
        OrderRequest::TradingStop(serde_json::from_value(stop).unwrap()),
        OrderRequest::CancelBatch(serde_json::from_value(batch).unwrap()),
    ]
}

pub fn requests() -> Vec<Vec<u8>> {
    let mut requests: Vec<SignerRequest> = orders()
        .iter()
        .map(|order| SignerRequest::Sign { kind: order.kind(), body: order.body().unwrap() })
        .collect();
    requests.push(SignerRequest::Open { environment: Environment::Paper, key: Some([7; 32]) });
    requests.extend([SignerRequest::KeyQuery, SignerRequest::Stream, SignerRequest::Status]);
    requests.iter().map(|request| postcard::to_allocvec(request).unwrap()).collect()
}

/// What the signer takes for an order is byte for byte what it would sign, and of the kind that was said.
pub fn request(input: &[u8]) -> bool {
    let Ok((request, order)) = decode_signer_request(input) else { return false };
    assert!(input.len() <= SIGNER_MESSAGE_BYTES_MAX);
    let bytes = postcard::to_allocvec(&request).unwrap();
    assert_eq!(decode_signer_request(&bytes).expect("it was taken once"), (request.clone(), order.clone()));
    match (&request, &order) {
        (SignerRequest::Sign { kind, body }, Some(order)) => {
            assert_eq!((order.kind(), &order.body().unwrap()), (*kind, body));
            assert!(order.path().starts_with("/v5/"));
            let cancels = matches!(kind, OrderKind::Cancel | OrderKind::CancelAll | OrderKind::CancelBatch);
            assert_eq!(kind.is_cancel(), cancels);
        }
        (SignerRequest::Sign { .. }, None) => panic!("an order was taken unread"),
        (_, order) => assert!(order.is_none()),
    }
    true
}

pub fn replies() -> Vec<Vec<u8>> {
    let status = SignerStatus {
        violations: 3,
        violations_max: 10,
        latched: false,
        last_violation: "more than 60 orders in a minute".to_owned(),
    };
    let replies = [
        SignerReply::Opened {
            environment: Environment::Paper,
            key: "demo-trade".to_owned(),
            status: status.clone(),
        },
        SignerReply::Signed {
            timestamp_ms: 1_764_000_000_000,
            body: b"{}".to_vec(),
            signature: "ab".repeat(32),
        },
        SignerReply::StreamSigned { expires_ms: 1_764_000_010_000, signature: "ab".repeat(32) },
        SignerReply::Status(status.clone()),
        SignerReply::Refused { kind: RefusalKind::Notional, detail: "worth 9000".to_owned(), status },
    ];
    replies.iter().map(|reply| postcard::to_allocvec(reply).unwrap()).collect()
}

/// What the signer's callers take for an answer reads the same when it is written again.
pub fn reply(input: &[u8]) -> bool {
    let Ok(reply) = decode_signer_reply(input) else { return false };
    let bytes = postcard::to_allocvec(&reply).unwrap();
    assert!(bytes.len() <= SIGNER_MESSAGE_BYTES_MAX);
    assert_eq!(decode_signer_reply(&bytes).expect("it was taken once"), reply);
    true
}
