//! The in-toto statement: what the envelope's payload says.

use portcullis_core::Digest;
use serde::{Deserialize, Serialize};

use crate::untrusted_text::shown;
use crate::{Manifest, Refusal};

const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE: &str = "https://portcullis.dev/strategy/v1";

/// The payload of `manifest`.
pub(crate) fn encode(manifest: &Manifest) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Statement {
        statement_type: STATEMENT_TYPE.to_owned(),
        subject: [Subject {
            name: manifest.name.to_string(),
            digest: SubjectDigest { sha256: manifest.component.sha256 },
        }],
        predicate_type: PREDICATE_TYPE.to_owned(),
        predicate: manifest.clone(),
    })
}

/// The manifest in a payload. Unknown and repeated fields are refused at every level.
pub(crate) fn decode(payload: &[u8]) -> Result<Manifest, Refusal> {
    let statement: Statement = serde_json::from_slice(payload)
        .map_err(|error| Refusal::ManifestMalformed { detail: shown(&error.to_string()) })?;
    if statement.statement_type != STATEMENT_TYPE {
        return Err(Refusal::StatementTypeUnknown {
            found: shown(&statement.statement_type),
            expected: STATEMENT_TYPE,
        });
    }
    if statement.predicate_type != PREDICATE_TYPE {
        return Err(Refusal::PredicateTypeUnknown {
            found: shown(&statement.predicate_type),
            expected: PREDICATE_TYPE,
        });
    }
    let [subject] = &statement.subject;
    let manifest = statement.predicate;
    if subject.name != manifest.name.as_str() || subject.digest.sha256 != manifest.component.sha256 {
        return Err(Refusal::SubjectMismatch);
    }
    manifest.check().map_err(Refusal::ManifestInvalid)?;
    Ok(manifest)
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: [Subject; 1],
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Manifest,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    name: String,
    digest: SubjectDigest,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectDigest {
    #[serde(with = "crate::manifest::hex_digest")]
    sha256: Digest,
}
