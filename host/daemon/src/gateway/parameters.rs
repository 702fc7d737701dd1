//! Checks the operator's parameters against the strategy's own description of them.

use std::collections::BTreeMap;

use portcullis_cell::{Description, Parameter, ParameterKind};
use portcullis_core::Amount;

/// Every parameter with its value, or everything that is wrong.
pub(crate) fn check(
    description: &Description,
    given: &BTreeMap<String, String>,
) -> Result<Vec<(String, String)>, Vec<String>> {
    let mut wrong = Vec::new();
    for name in given.keys() {
        if !description.parameters.iter().any(|parameter| parameter.name == *name) {
            let known: Vec<&str> =
                description.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
            wrong.push(format!("no parameter {name}; there are: {}", known.join(", ")));
        }
    }
    let mut values = Vec::new();
    for parameter in &description.parameters {
        match given.get(&parameter.name).or(parameter.default.as_ref()) {
            None => {
                wrong.push(format!("{} has no default and must be given: {}", parameter.name, parameter.doc))
            }
            Some(value) => match fits(parameter, value) {
                Ok(()) => values.push((parameter.name.clone(), value.clone())),
                Err(problem) => wrong.push(format!("{} = {value:?}: {problem}", parameter.name)),
            },
        }
    }
    if wrong.is_empty() { Ok(values) } else { Err(wrong) }
}

fn fits(parameter: &Parameter, value: &str) -> Result<(), String> {
    match &parameter.kind {
        ParameterKind::Integer { min, max } => match value.parse::<i64>() {
            Ok(number) if (*min..=*max).contains(&number) => Ok(()),
            Ok(_) => Err(format!("must be from {min} to {max}")),
            Err(_) => Err(format!("must be a whole number from {min} to {max}")),
        },
        ParameterKind::Decimal { min, max } => {
            let parse =
                |text: &str| Amount::parse(text).map_err(|error| format!("{text:?} is no decimal: {error}"));
            if (parse(min)?..=parse(max)?).contains(&parse(value)?) {
                Ok(())
            } else {
                Err(format!("must be from {min} to {max}"))
            }
        }
        ParameterKind::Boolean if matches!(value, "true" | "false") => Ok(()),
        ParameterKind::Boolean => Err("must be true or false".to_owned()),
        ParameterKind::Choice(words) if words.iter().any(|word| word == value) => Ok(()),
        ParameterKind::Choice(words) => Err(format!("must be one of {}", words.join(", "))),
    }
}
