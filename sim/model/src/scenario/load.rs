//! From a file to a plan, with one clear message for whatever is wrong on the way.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::Value;
use serde_json::error::Category;
use xxhash_rust::xxh3::xxh3_128;

use super::error::{Problem, ScenarioError, phrase};
use super::format::Scenario;
use super::locate::position_of;
use super::plan::Plan;
use super::resolve;

/// Largest scenario file: 1 MiB. A larger one is refused without being read to its end.
pub(crate) const MAX_FILE_BYTES: u64 = 1 << 20;

/// Reads a scenario file and checks everything in it.
///
/// # Errors
/// If the file cannot be read, or anything in it is wrong.
pub fn load(path: &Path) -> Result<Plan, ScenarioError> {
    let file = path.display().to_string();
    let fail = |message: String| ScenarioError {
        file: file.clone(),
        position: None,
        path: String::new(),
        message,
    };
    let unreadable = |error: std::io::Error| fail(format!("cannot be read: {error}"));
    if path.is_dir() {
        return Err(fail(
            "is a directory: expected a scenario's JSON file".to_owned(),
        ));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .map_err(unreadable)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    check_size(bytes.len()).map_err(&fail)?;
    let text = str::from_utf8(&bytes).map_err(|error| {
        fail(format!(
            "is not UTF-8 text (byte {}): expected a scenario's JSON file",
            error.valid_up_to()
        ))
    })?;
    parse(text, &file)
}

/// Reads a scenario and checks everything in it. `path_for_messages` is what messages and
/// replay lines call it.
///
/// # Errors
/// If anything in it is wrong.
pub fn parse(text: &str, path_for_messages: &str) -> Result<Plan, ScenarioError> {
    let fail = |position, problem: Problem| ScenarioError {
        file: path_for_messages.to_owned(),
        position,
        path: problem.path,
        message: problem.message,
    };
    let whole = |message: String| Problem::new("", message);
    check_size(text.len()).map_err(|message| fail(None, whole(message)))?;
    let json = text.strip_prefix('\u{feff}').unwrap_or(text);
    if json.trim().is_empty() {
        let message = "is empty: expected a scenario's JSON object".to_owned();
        return Err(fail(None, whole(message)));
    }
    // Syntax first and on its own, so that what serde calls a syntax error below is one of ours.
    let document: Value =
        serde_json::from_str(json).map_err(|error| fail(place(&error), whole(syntax(&error))))?;
    let scenario = read(json).map_err(|(position, problem)| fail(position, problem))?;
    if let Some(path) = misplaced_list(&document, "", "") {
        let problem = Problem::new(path, "found a list, expected an object");
        return Err(fail(position_of(json, &problem.path), problem));
    }
    let hash = xxh3_128(text.as_bytes());
    resolve::plan(&scenario, path_for_messages, hash)
        .map_err(|problem| fail(position_of(json, &problem.path), problem))
}

/// The JSON Schema of the format, for editors.
pub fn schema() -> Value {
    schemars::schema_for!(Scenario).to_value()
}

fn check_size(bytes: usize) -> Result<(), String> {
    if bytes as u64 > MAX_FILE_BYTES {
        return Err("is larger than 1 MiB: no scenario needs that much".to_owned());
    }
    Ok(())
}

fn read(json: &str) -> Result<Scenario, (Option<(usize, usize)>, Problem)> {
    let mut reader = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let position = place(error.inner());
        let mut problem = Problem::from_json("", &error);
        if error.inner().classify() == Category::Syntax {
            // The text is proper JSON: serde met a second key, or none, where an object
            // chooses between several things.
            problem.message = "expected an object with exactly one key".to_owned();
        }
        (position, problem)
    })
}

/// Fields that are lists.
const LISTS: [&str; 16] = [
    "behaviours",
    "between",
    "clients",
    "empirical",
    "expect",
    "findings",
    "ignore",
    "lasts",
    "may",
    "never",
    "nodes",
    "paths",
    "run",
    "slots",
    "start",
    "timeline",
];

/// The path of a list that stands for an object. serde takes an object's fields from a list as
/// well, in order, which nobody can mean in a scenario.
fn misplaced_list(value: &Value, path: &str, field: &str) -> Option<String> {
    match value {
        Value::Array(_) if !LISTS.contains(&field) => Some(path.to_owned()),
        Value::Array(items) => (items.iter().enumerate())
            .find_map(|(place, item)| misplaced_list(item, &format!("{path}[{place}]"), "")),
        Value::Object(fields) => fields.iter().find_map(|(name, inner)| {
            let dot = if path.is_empty() { "" } else { "." };
            misplaced_list(inner, &format!("{path}{dot}{name}"), name)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn place(error: &serde_json::Error) -> Option<(usize, usize)> {
    (error.line() > 0).then(|| (error.line(), error.column().max(1)))
}

/// What is wrong with text that is not JSON.
fn syntax(error: &serde_json::Error) -> String {
    let detail = phrase(&error.to_string());
    match error.classify() {
        Category::Eof => format!("the JSON ends too early ({detail}): is the file truncated?"),
        Category::Syntax | Category::Data | Category::Io => format!("not JSON: {detail}"),
    }
}
