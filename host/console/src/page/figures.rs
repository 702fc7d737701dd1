//! Figures as people read them. The exact text stays beside them.

/// Decimals of money on the page.
const MONEY_DECIMALS: usize = 2;

/// Digits of an average price, zeros before the first other one left out.
const PRICE_DIGITS: usize = 8;

const DAY_S: u64 = 24 * 60 * 60;

/// Money with grouped thousands and two decimals, rounded toward zero: `-12,345.60`. Other text stays as it is.
pub(crate) fn money(exact: &str) -> String {
    let (sign, digits) = exact.strip_prefix('-').map_or(("", exact), |digits| ("−", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return exact.to_owned();
    }
    let cents: String = fraction.chars().chain(std::iter::repeat('0')).take(MONEY_DECIMALS).collect();
    let zero = whole.bytes().chain(cents.bytes()).all(|b| b == b'0');
    format!("{}{}.{cents}", if zero { "" } else { sign }, group(whole))
}

/// A decimal with grouped thousands, every digit kept.
pub(crate) fn decimal(exact: &str) -> String {
    let (sign, digits) = exact.strip_prefix('-').map_or(("", exact), |digits| ("−", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || !whole.bytes().all(|b| b.is_ascii_digit()) {
        return exact.to_owned();
    }
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", group(whole))
}

/// An average price, cut to what still tells two prices apart: eight digits, or two decimals where that is more.
pub(crate) fn price(exact: &str) -> String {
    let grouped = decimal(exact);
    let Some((whole, fraction)) = grouped.split_once('.') else { return grouped };
    let mut digits = whole.bytes().filter(u8::is_ascii_digit).skip_while(|digit| *digit == b'0').count();
    let mut kept = String::new();
    for digit in fraction.chars() {
        if digits >= PRICE_DIGITS && kept.len() >= MONEY_DECIMALS {
            break;
        }
        digits = digits.saturating_add(usize::from(digits > 0 || digit != '0'));
        kept.push(digit);
    }
    format!("{whole}.{kept}")
}

/// A count with grouped thousands.
pub(crate) fn count(count: u64) -> String {
    group(&count.to_string())
}

/// Whether a figure is a gain, a loss, or neither; by its first digits that count.
pub(crate) fn tone(exact: &str) -> &'static str {
    let zero = !exact.bytes().any(|b| (b'1'..=b'9').contains(&b));
    match (zero, exact.starts_with('-')) {
        (true, _) => "",
        (false, true) => "bad",
        (false, false) => "good",
    }
}

/// The time of day in UTC, for a time in nanoseconds since 1970-01-01 UTC.
pub(crate) fn time_of_day(time_ns: u64) -> String {
    let in_day = (time_ns / 1_000_000_000) % DAY_S;
    let (hours, minutes, seconds) = (in_day / 3_600, (in_day / 60) % 60, in_day % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}")
}

/// A span of time by its two largest units: `2 d 3 h`, `4 min 10 s`.
pub(crate) fn span(span_ns: u64) -> String {
    let seconds = span_ns / 1_000_000_000;
    let (days, hours, minutes) = (seconds / DAY_S, (seconds / 3_600) % 24, (seconds / 60) % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// Details begin small, as parts of a line; on the page they stand by themselves.
pub(crate) fn sentence(detail: &str) -> String {
    let mut letters = detail.chars();
    let Some(first) = letters.next() else { return String::new() };
    format!("{}{}.", first.to_uppercase(), letters.as_str())
}

fn group(digits: &str) -> String {
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        let left = digits.len().saturating_sub(index);
        if index > 0 && left % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_cut_to_cents() {
        assert_eq!(money("1234567.899999999999999999"), "1,234,567.89");
        assert_eq!(money("-0.5"), "−0.50");
        assert_eq!(money("-0.001"), "0.00");
        assert_eq!(money("0"), "0.00");
        assert_eq!(money("999"), "999.00");
        assert_eq!(money("unknown"), "unknown");
    }

    #[test]
    fn decimals_keep_every_digit() {
        assert_eq!(decimal("-61837.60"), "−61,837.60");
        assert_eq!(decimal("0.001"), "0.001");
        assert_eq!(decimal("market"), "market");
    }

    #[test]
    fn average_prices_are_cut_to_eight_digits() {
        assert_eq!(price("60157.793798828125"), "60,157.793");
        assert_eq!(price("1234567890.129"), "1,234,567,890.12");
        assert_eq!(price("0.00001234567891"), "0.000012345678");
        assert_eq!(price("2499.5775"), "2,499.5775");
        assert_eq!(price("100"), "100");
    }

    #[test]
    fn a_tone_is_that_of_the_exact_figure() {
        assert_eq!((tone("-0.001"), tone("0.000"), tone("3"), tone("unknown")), ("bad", "", "good", ""));
    }

    #[test]
    fn times_are_short() {
        assert_eq!(time_of_day(1_723_161_255_343_000_000), "23:54:15");
        assert_eq!(span(9_000_000_000), "9 s");
        assert_eq!(span(250_000_000_000), "4 min 10 s");
        assert_eq!(span(7_500_000_000_000), "2 h 5 min");
        assert_eq!(span(183_600_000_000_000), "2 d 3 h");
    }
}
