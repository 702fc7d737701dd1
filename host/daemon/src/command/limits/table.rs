//! Text for people: columns and paragraphs.

/// Width of explanations.
const WIDTH: usize = 110;

/// Rows with columns as wide as their widest cell; all but the first are right-aligned when `numbers` says so.
pub(super) fn columns<const N: usize>(rows: &[[String; N]], numbers: [bool; N]) -> Vec<String> {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).zip(numbers).map(|((cell, width), number)| {
            if number { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// A paragraph behind a title, with its lines under one another.
pub(super) fn paragraph(title: &str, text: &str) -> String {
    const INDENT: usize = 12;
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let length = lines.last().map_or(0, |line| line.chars().count());
        let added = word.chars().count().saturating_add(1);
        if length > 0 && length.saturating_add(added).saturating_add(INDENT) > WIDTH {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    let body = lines.join(&format!("\n{:INDENT$}", ""));
    let title = format!("  {title}");
    format!("{title:<INDENT$}{body}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [["a".to_owned(), "10".to_owned()], ["long".to_owned(), "5".to_owned()]];
        assert_eq!(columns(&rows, [false, true]), ["a     10", "long   5"]);
    }

    #[test]
    fn paragraphs_break_between_words() {
        let text = paragraph("stops", &"word ".repeat(60));
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert!(
            text.starts_with("  stops     word")
                && text.lines().nth(1).unwrap().starts_with("            word")
        );
    }
}
