use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

/// RFC 4231's own key and data cannot pass through the string to sign, so these were computed with Python's `hmac`.
fn credentials() -> Credentials {
    Credentials::new("gateKey7", &"correct horse battery staple".to_owned().into())
}

#[test]
fn known_answers() {
    let credentials = credentials();
    assert_eq!(
        credentials.sign_request(1_764_000_000_123, 5_000, b"").as_str(),
        "5585a6727da3756e1dd5d3a60b0cdbf12cb258a18dcce4928354a532c6d4caa2"
    );
    assert_eq!(
        credentials.sign_request(1_764_000_000_123, 5_000, br#"{"category":"linear","qty":"0.5"}"#).as_str(),
        "cdb348b1f81edad37e954e13084e049f883388a084e9c2840d416ffd7beb7377"
    );
    assert_eq!(
        credentials.sign_stream(1_764_000_010_000).as_str(),
        "f54d2b5024be2ebc3c239905fdcb6d19937108fa59a048633fe43b66b05fd59f"
    );
}

#[test]
fn any_change_is_refused() {
    let credentials = credentials();
    let good = credentials.sign_request(1_764_000_000_123, 5_000, b"a=1&b=2");
    let check = |time: &str, window: &str, payload: &[u8], signature: &str| {
        credentials.verify_request(time, window, payload, signature)
    };
    assert_eq!(check("1764000000123", "5000", b"a=1&b=2", good.as_str()), Ok(()));
    assert!(check("1764000000124", "5000", b"a=1&b=2", good.as_str()).is_err());
    assert!(check("1764000000123", "5001", b"a=1&b=2", good.as_str()).is_err());
    assert!(check("1764000000123", "5000", b"b=2&a=1", good.as_str()).is_err());
    assert!(check("1764000000123", "5000", b"a=1&b=2", &good.as_str().to_uppercase()).is_err());
    assert!(check("1764000000123", "5000", b"a=1&b=2", "").is_err());
    assert!(check("1764000000123", "5000", b"a=1&b=2", &good.as_str()[..62]).is_err());
}

#[test]
fn printing_shows_no_secret() {
    let shown = format!("{:?} {:?}", credentials(), credentials().sign_stream(1));
    assert_eq!(shown, "Credentials(gate…) Signature(..)");
}

fn pem(of: &KeyPair) -> SecretString {
    let der: Pkcs8V1Der<'static> = of.as_der().unwrap();
    let text = STANDARD.encode(der.as_ref());
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| core::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n")).into()
}

/// A key of its own makes its own signature, which the public half takes over exactly the same bytes and no others.
#[test]
fn an_rsa_key_signs_the_same_string() {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let credentials = Credentials::read("rsaKey77", &pem(&pair)).unwrap();
    assert!(credentials.is_rsa() && !self::credentials().is_rsa());
    let signed = credentials.sign_request(1_764_000_000_123, 5_000, b"a=1&b=2");
    let raw = STANDARD.decode(signed.as_str()).unwrap();
    let public = aws_lc_rs::signature::KeyPair::public_key(&pair).as_ref().to_vec();
    let taken = |message: &[u8]| {
        let scheme = &aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;
        aws_lc_rs::signature::UnparsedPublicKey::new(scheme, &public).verify(message, &raw)
    };
    assert!(taken(b"1764000000123rsaKey775000a=1&b=2").is_ok());
    assert!(taken(b"1764000000123rsaKey775000b=2&a=1").is_err());
    assert_eq!(credentials.verify_request("1764000000123", "5000", b"a=1&b=2", signed.as_str()), Ok(()));
    assert!(credentials.verify_request("1764000000124", "5000", b"a=1&b=2", signed.as_str()).is_err());
    assert!(credentials.verify_request("1764000000123", "5000", b"a=1&b=2", "no base64 !").is_err());
    let stream = credentials.sign_stream(7);
    assert_eq!(credentials.verify_stream("7", stream.as_str()), Ok(()));
    assert_eq!(format!("{credentials:?} {stream:?}"), "Credentials(rsaK…) Signature(..)");
}

#[test]
fn the_older_container_of_a_private_key_is_read_too() {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'static> = pair.as_der().unwrap();
    // A PKCS#8 container of an RSA key is 26 bytes of header around the PKCS#1 key.
    let text = STANDARD.encode(&der.as_ref()[26..]);
    let pem = format!("-----BEGIN RSA PRIVATE KEY-----\n{text}\n-----END RSA PRIVATE KEY-----\n");
    let credentials = Credentials::read("rsaKey77", &pem.into()).unwrap();
    let same = Credentials::rsa("rsaKey77", &self::pem(&pair)).unwrap();
    // PKCS#1 v1.5 has no randomness.
    assert_eq!(credentials.sign_stream(7).as_str(), same.sign_stream(7).as_str());
}

#[test]
fn a_secret_that_cannot_be_used_is_refused_and_not_shown() {
    let pem = |kind: &str, body: &str| format!("-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n");
    for (secret, error) in [
        (String::new(), SecretError::Empty),
        (pem("PRIVATE KEY", "!!!"), SecretError::NotPem),
        (pem("EC PRIVATE KEY", "AAAA"), SecretError::NotPem),
        (pem("PRIVATE KEY", "c2VjcmV0"), SecretError::NotRsa),
        (pem("RSA PRIVATE KEY", "c2VjcmV0"), SecretError::NotRsa),
        (pem("ENCRYPTED PRIVATE KEY", "c2VjcmV0"), SecretError::NotPem),
    ] {
        let refused = Credentials::read("k", &secret.clone().into()).unwrap_err();
        assert_eq!(refused, error, "{secret}");
        assert!(!format!("{refused} {refused:?}").contains("c2Vj"));
    }
}
