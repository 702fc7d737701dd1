//! `limits explain`.

use portcullis_core::{CheckId, LimitSection, LimitWords, Limits};
use portcullis_role::GaugeLine;
use serde_json::{Value, json};

use super::table::paragraph;
use super::{FILE, ask, read};
use crate::failure::Failure;
use crate::output;
use crate::places::Places;

/// One limit to be explained, with what is known of it.
struct Explained {
    words: &'static LimitWords,
    /// Its place in the file, where it is known.
    key: String,
    /// Its value, as the file has it.
    value: Option<String>,
    gauge: Option<GaugeLine>,
}

/// Explains one limit, those of a check, or all, the nearest first.
pub(super) fn run(asked: Option<&str>, places: &Places, as_json: bool) -> Result<(), Failure> {
    let wanted = wanted(asked)?;
    let report = ask(places)?;
    let limits = match &report {
        Some(report) => report.toml.as_deref().and_then(|toml| Limits::parse(toml).ok()),
        // Words need no file; one that is there gives the numbers.
        None => read(&places.data().join(FILE)).ok(),
    };
    let gauges = report.map(|report| report.gauges).unwrap_or_default();
    let explained = collect(&wanted, asked, gauges, limits.as_ref());
    if as_json {
        output::json(&json!({"limits": explained.iter().map(to_json).collect::<Vec<_>>()}));
    } else {
        for one in &explained {
            print(one);
        }
    }
    Ok(())
}

/// The keys that are asked about: a place, a key wherever it stands, a check, or everything.
fn wanted(asked: Option<&str>) -> Result<Vec<&'static LimitWords>, Failure> {
    let Some(asked) = asked else { return Ok(LimitWords::all().collect()) };
    if let Some(words) = LimitWords::of(asked) {
        return Ok(vec![words]);
    }
    let by_key: Vec<_> = LimitWords::all().filter(|words| words.key == asked).collect();
    if !by_key.is_empty() {
        return Ok(by_key);
    }
    let check = CheckId::ALL.iter().find(|check| check.as_str() == asked);
    let by_check: Vec<_> = check.into_iter().flat_map(|check| LimitWords::of_check(*check)).collect();
    if !by_check.is_empty() {
        return Ok(by_check);
    }
    let detail = match check {
        Some(_) => format!(
            "{asked} is a check that no limit feeds: it holds orders against the state, the venue's rules or our own orders"
        ),
        None => {
            let mut keys: Vec<&str> = LimitWords::all().map(|words| words.key).collect();
            keys.sort_unstable();
            keys.dedup();
            format!("{asked:?} is no limit and no check; the limits are {}", keys.join(", "))
        }
    };
    Err(Failure::finding("UNKNOWN_LIMIT", detail))
}

/// Everything that is known: gauges first, the nearest leading, then keys of the file without a gauge, then keys that stand nowhere.
fn collect(
    wanted: &[&'static LimitWords],
    asked: Option<&str>,
    gauges: Vec<GaugeLine>,
    limits: Option<&Limits>,
) -> Vec<Explained> {
    let asked_place = asked.filter(|asked| asked.contains('.')).map(|asked| asked.replace('"', ""));
    let matches = |key: &str, words: &LimitWords| {
        wanted.contains(&words) && asked_place.as_ref().is_none_or(|place| place == key)
    };
    let entries = limits.map(Limits::entries).unwrap_or_default();
    let value = |key: &str| entries.iter().find(|entry| entry.key == key).map(|entry| entry.value.clone());
    let mut explained = Vec::new();
    for gauge in gauges {
        if let Some(words) = LimitWords::of(&gauge.key).filter(|words| matches(&gauge.key, words)) {
            let key = gauge.key.clone();
            explained.push(Explained { words, value: value(&key), key, gauge: Some(gauge) });
        }
    }
    for entry in &entries {
        let shown = explained.iter().any(|one: &Explained| one.key == entry.key);
        if !shown && matches(&entry.key, entry.words) {
            let (key, value) = (entry.key.clone(), Some(entry.value.clone()));
            explained.push(Explained { words: entry.words, key, value, gauge: None });
        }
    }
    for words in wanted {
        if !explained.iter().any(|one| one.words == *words) {
            let section = match words.section {
                LimitSection::Account => "account",
                LimitSection::Strategy => "each_strategy",
                LimitSection::Instrument => "instrument.CATEGORY:SYMBOL",
            };
            let key = asked_place.clone().unwrap_or_else(|| format!("{section}.{}", words.key));
            explained.push(Explained { words, key, value: None, gauge: None });
        }
    }
    explained
}

fn print(one: &Explained) {
    let words = one.words;
    let value = one.value.as_deref().or(one.gauge.as_ref().map(|gauge| gauge.limit.as_str()));
    let scope = one.gauge.as_ref().map(|gauge| format!(", {}", gauge.scope)).unwrap_or_default();
    output::text(format!("{} = {} ({}{scope})", one.key, value.unwrap_or("not set"), words.unit));
    output::text(paragraph("measures", words.measures));
    output::text(paragraph("stops", words.stops));
    output::text(paragraph("but not", words.leaves));
    if let Some((cause, state)) = words.latches {
        let section = words.section.as_str();
        output::text(paragraph("latches", &format!("{state} on the {section}, as {}", cause.as_str())));
    }
    if let Some(now) = one.gauge.as_ref().map(now) {
        output::text(paragraph("now", &now));
    }
    output::text("");
}

fn now(gauge: &GaugeLine) -> String {
    let GaugeLine { seen, limit, left, used_percent, why, .. } = gauge;
    match (seen, left, used_percent) {
        (Some(seen), Some(left), Some(used)) => format!("{seen} of {limit}: {used} % used, {left} left"),
        _ => why.clone().unwrap_or_default(),
    }
}

fn to_json(one: &Explained) -> Value {
    let words = one.words;
    let latches =
        words.latches.map(|(cause, state)| json!({"cause": cause.as_str(), "state": state.as_str()}));
    let gauge = one.gauge.as_ref();
    json!({
        "key": one.key,
        "section": words.section.as_str(),
        "scope": gauge.map(|gauge| &gauge.scope),
        "value": one.value,
        "unit": words.unit,
        "checks": words.checks.iter().map(|check| check.as_str()).collect::<Vec<_>>(),
        "latches": latches,
        "measures": words.measures,
        "stops": words.stops,
        "does_not_stop": words.leaves,
        "seen": gauge.and_then(|gauge| gauge.seen.as_ref()),
        "left": gauge.and_then(|gauge| gauge.left.as_ref()),
        "used_percent": gauge.and_then(|gauge| gauge.used_percent),
        "why": gauge.and_then(|gauge| gauge.why.as_ref()),
    })
}
