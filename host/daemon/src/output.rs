//! What commands print: results on stdout, as text or as one JSON object a line (RULES O1). Logs go to stderr.

use std::io::{self, Write as _};

use serde::Serialize;

use crate::failure::Failure;

/// Prints one JSON object on a line of its own. A closed pipe is not an error: nobody listens any more.
pub(crate) fn json(value: &impl Serialize) {
    let mut line = serde_json::to_vec(value).unwrap_or_else(|error| {
        format!(r#"{{"ok":false,"code":"OUTPUT","detail":"cannot encode the result: {error}"}}"#).into_bytes()
    });
    line.push(b'\n');
    let mut out = io::stdout().lock();
    let _ = out.write_all(&line).and_then(|()| out.flush());
}

/// Prints a line of text for a person.
pub(crate) fn text(line: impl AsRef<str>) {
    let _ = writeln!(io::stdout().lock(), "{}", line.as_ref());
}

/// Says something to a person without touching stdout: progress and remarks.
pub(crate) fn remark(line: impl AsRef<str>) {
    let _ = writeln!(io::stderr().lock(), "{}", line.as_ref());
}

/// Prints a failure: as JSON on stdout when asked for, and always as text on stderr.
pub(crate) fn failure(failure: &Failure, as_json: bool) {
    if as_json {
        json(&serde_json::json!({"ok": false, "code": failure.code(), "detail": failure.to_string()}));
    }
    remark(format!("error: {failure}"));
}
