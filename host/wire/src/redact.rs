//! The venue's words, made fit for logs and the journal.

/// Longest text kept, in bytes.
pub const MESSAGE_MAX: usize = 256;

/// What stands for a removed part.
const MARK: &str = "<redacted>";

/// The venue's words without the key: the "bad signature" answer echoes the string that was signed, key first. Control
/// characters become spaces, and at most [`MESSAGE_MAX`] bytes stay.
pub fn redact(message: &str, api_key: &str) -> String {
    let mut text: String = match message.split_once("origin_string[") {
        Some((before, _)) => format!("{before}origin_string[{MARK}]"),
        None => message.to_owned(),
    };
    if !api_key.is_empty() {
        text = text.replace(api_key, MARK);
    }
    text = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.truncate(text.floor_char_boundary(MESSAGE_MAX));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_echoed_key_is_gone() {
        let text =
            redact("error sign! origin_string[1701180667626KEYKEYKEY5000category=linear]", "KEYKEYKEY");
        assert_eq!(text, "error sign! origin_string[<redacted>]");
        assert_eq!(redact("key KEYKEYKEY expired", "KEYKEYKEY"), "key <redacted> expired");
    }

    #[test]
    fn what_stays_is_bounded_and_printable() {
        let text = redact(&format!("a\nb\u{1b}[31m{}", "é".repeat(400)), "");
        assert!(text.len() <= MESSAGE_MAX && !text.contains(['\n', '\u{1b}']));
    }
}
