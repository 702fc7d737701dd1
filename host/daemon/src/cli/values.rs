//! Values of options: times, moments and pairs.

/// A moment to look back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// This long ago.
    Ago(std::time::Duration),
    /// Seconds since 1970-01-01 UTC.
    At(u64),
}

pub(super) fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(format!("{text:?} is not KEY=VALUE")),
    }
}

pub(super) fn duration(text: &str) -> Result<std::time::Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 = number.parse().map_err(|_| format!("{text:?} is not a time; write 20s, 2m or 1h"))?;
    let seconds = match unit {
        "s" | "" => Some(number),
        "m" => number.checked_mul(60),
        "h" => number.checked_mul(3_600),
        _ => None,
    };
    seconds
        .map(std::time::Duration::from_secs)
        .ok_or_else(|| format!("{text:?} is not a time; write 20s, 2m or 1h"))
}

pub(super) fn since(text: &str) -> Result<Since, String> {
    if let Ok(ago) = duration(text) {
        return Ok(Since::Ago(ago));
    }
    utc_seconds(text)
        .map(Since::At)
        .ok_or_else(|| format!("{text:?} is no time; write 24h, 2026-11-24 or 2026-11-24T12:30"))
}

/// Seconds since 1970-01-01 of a UTC date, with or without a time of day.
fn utc_seconds(text: &str) -> Option<u64> {
    let text = text.trim_end_matches('Z');
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
    let mut date = date.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut time = time.splitn(3, ':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next().unwrap_or(Some(0))?);
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let lengths = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let index = usize::try_from(month).ok()?.checked_sub(1)?;
    let plausible = (1970..2500).contains(&year) && hour < 24 && minute < 60 && second < 60;
    if !plausible || day == 0 || day > *lengths.get(index)? {
        return None;
    }
    let years: u64 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    let months: u64 = lengths.iter().take(index).sum();
    let days = years.checked_add(months)?.checked_add(day)?.checked_sub(1)?;
    let minutes = days.checked_mul(24)?.checked_add(hour)?.checked_mul(60)?.checked_add(minute)?;
    minutes.checked_mul(60)?.checked_add(second)
}

pub(super) fn short_duration(text: &str) -> Result<std::time::Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let wrong = || format!("{text:?} is not a time; write 500us, 20ms or 1s");
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let nanos = match unit {
        "ns" => Some(number),
        "us" => number.checked_mul(1_000),
        "ms" => number.checked_mul(1_000_000),
        "s" => number.checked_mul(1_000_000_000),
        _ => None,
    };
    nanos
        .filter(|nanos| *nanos <= 60_000_000_000)
        .map(std::time::Duration::from_nanos)
        .ok_or_else(|| format!("{}, at most 60s", wrong()))
}

#[cfg(test)]
mod tests {
    use super::{Since, since};

    #[test]
    fn moments_are_read() {
        let at = |text| since(text).unwrap();
        assert_eq!(at("24h"), Since::Ago(std::time::Duration::from_secs(86_400)));
        assert_eq!(at("1970-01-01"), Since::At(0));
        assert_eq!(at("2024-02-29T12:30"), Since::At(1_709_209_800));
        assert_eq!(at("2026-11-24T00:00:01Z"), Since::At(1_795_478_401));
        for wrong in
            ["", "yesterday", "2026-02-29", "2026-13-01", "2026-11-24T24:00", "1969-01-01", "2026-11"]
        {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }
}
