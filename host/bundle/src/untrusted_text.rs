//! Text from a bundle on its way into a message.

/// Longest piece of foreign text a message repeats, in characters.
const SHOWN_CHARS_MAX: usize = 120;

/// `text`, shortened and with control characters escaped, so that a bundle can neither flood a log nor draw on a terminal.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(SHOWN_CHARS_MAX)
        .flat_map(char::escape_debug)
        .collect::<String>()
        .replace("\\\"", "\"");
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_long_text_is_cut() {
        assert_eq!(shown("a\u{1b}[31m\n"), "a\\u{1b}[31m\\n");
        assert_eq!(shown(&"x".repeat(500)).chars().count(), SHOWN_CHARS_MAX + 1);
    }
}
