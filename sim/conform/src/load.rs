//! From a text to a recording's lines, with one clear message for whatever is wrong on the way.

use serde_json::error::Category;
use serde_json::{Map, Value};

use super::error::RecordingError;
use super::recording::{Event, Line};
use rebound_sim::scenario::{hint, phrase, quoted};

/// By how much a line's time may lie before that of a line above it, in milliseconds. Lines of
/// several sources are merged by time, and some sources round.
const OUT_OF_ORDER_MS: f64 = 50.0;

/// What lines can say, as `ev` names it.
const EVENTS: [&str; 32] = [
    "close",
    "closed_by_server",
    "connect",
    "dropped",
    "end",
    "fallback",
    "info",
    "info_err",
    "log",
    "mark",
    "meta",
    "op",
    "paired",
    "probe",
    "push",
    "px",
    "px_accept",
    "px_close",
    "px_cut",
    "px_delay",
    "px_fwd",
    "px_hold",
    "px_listen",
    "px_refuse",
    "px_release",
    "px_target_error",
    "reached",
    "redirect",
    "rx",
    "signal",
    "start",
    "tx",
];

/// Reads a recording: JSON lines, the first of them `meta`, one of them `end`. The lines that it
/// gives are in order of time. Fields that the format does not know are passed over.
///
/// # Errors
/// If the text is no recording, is cut short, or a line says what the format does not have.
pub fn parse(text: &str) -> Result<Vec<Line>, RecordingError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut numbered = (text.lines().enumerate())
        .filter(|(_, line)| !line.trim().is_empty())
        .peekable();
    let Some((index, first)) = numbered.next() else {
        let expected = "a recording: one JSON object per line, the first with \"ev\": \"meta\"";
        return Err(RecordingError::whole("nothing at all", expected));
    };
    let meta = first_line(text, index, first)?;
    let mut latest = meta.t;
    let mut lines = vec![meta];
    while let Some((index, text)) = numbered.next() {
        let line = line(index, text).map_err(|error| match numbered.peek() {
            None if is_cut(text) => cut_short(latest, "in the middle of a line"),
            None | Some(_) => error,
        })?;
        check_time(index, line.t, latest)?;
        check_once(index, &line.event, &lines)?;
        latest = latest.max(line.t);
        lines.push(line);
    }
    if !lines.iter().any(ends) {
        return Err(cut_short(latest, "without an \"end\" line"));
    }
    // Stable: what is told at the same time stays in the order of the file.
    lines[1..].sort_by(|a, b| a.t.total_cmp(&b.t));
    Ok(lines)
}

fn ends(line: &Line) -> bool {
    matches!(line.event, Event::End { .. })
}

fn cut_short(latest: f64, how: &str) -> RecordingError {
    RecordingError::whole(
        format!("that the recording ends after t={latest} {how}"),
        "an \"end\" line: is the file truncated?",
    )
}

/// The first line, which must be the recording's `meta`; a file of another kind is called by its
/// name.
fn first_line(text: &str, index: usize, first: &str) -> Result<Line, RecordingError> {
    let expected = "a recording, whose first line is an object with \"ev\": \"meta\"";
    let read = line(index, first);
    if let Ok(line) = &read
        && matches!(line.event, Event::Meta { .. })
    {
        return read;
    }
    let value = |text| serde_json::from_str::<Value>(text).ok();
    if let Some(kind) = value(text).or_else(|| value(first)).and_then(other_kind) {
        return Err(RecordingError::whole(kind, expected));
    }
    match read {
        Ok(line) => Err(RecordingError::at(
            index,
            format!("a line of {} before any \"meta\"", quoted(&line.who)),
            expected,
        )),
        Err(error) if is_object(first) => Err(error),
        Err(_) if first.trim() == "{" => {
            let found = "an object over several lines";
            Err(RecordingError::at(index, found, expected))
        }
        Err(_) => {
            let found = format!("{}, which is not JSON", quoted(first));
            Err(RecordingError::at(index, found, expected))
        }
    }
}

fn is_object(text: &str) -> bool {
    matches!(serde_json::from_str(text), Ok(Value::Object(_)))
}

/// What a JSON document is, if it is something else that Rebound reads or writes.
fn other_kind(value: Value) -> Option<String> {
    let Value::Object(fields) = value else {
        return Some("a JSON document that is not an object".to_owned());
    };
    let has = |name: &str| fields.contains_key(name);
    if has("ev") {
        None
    } else if let Some(Value::String(schema)) = fields.get("schema") {
        Some(format!("a report ({})", quoted(schema)))
    } else if has("nodes") || has("timeline") || has("clients") {
        Some("a scenario".to_owned())
    } else if has("streams") {
        Some("a schedule".to_owned())
    } else if has("at_ns") {
        Some("a story from `rebound replay --format json`".to_owned())
    } else {
        let names: Vec<&str> = fields.keys().map(String::as_str).collect();
        let names = quoted(&names.join(", "));
        Some(format!("an object without \"ev\" (its fields are {names})"))
    }
}

/// Whether a line is the beginning of one.
fn is_cut(text: &str) -> bool {
    let read: Result<Value, _> = serde_json::from_str(text);
    read.is_err_and(|error| error.classify() == Category::Eof)
}

fn check_time(index: usize, t: f64, latest: f64) -> Result<(), RecordingError> {
    if t < latest - OUT_OF_ORDER_MS {
        return Err(RecordingError::at(
            index,
            format!("t={t} after a line of t={latest}"),
            format!("times that go back by at most {OUT_OF_ORDER_MS} ms"),
        ));
    }
    Ok(())
}

fn check_once(index: usize, event: &Event, before: &[Line]) -> Result<(), RecordingError> {
    let second = |what: &str| {
        let found = format!("a second \"{what}\" line");
        RecordingError::at(index, found, "one recording a file")
    };
    if matches!(event, Event::Meta { .. }) {
        return Err(second("meta"));
    }
    if matches!(event, Event::End { .. }) && before.iter().any(ends) {
        return Err(second("end"));
    }
    Ok(())
}

/// Reads a line.
fn line(index: usize, text: &str) -> Result<Line, RecordingError> {
    let wrong = |found: String, expected: String| RecordingError::at(index, found, expected);
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let why = phrase(&error.to_string());
        let column = error.column();
        wrong(
            format!("what is not JSON (column {column}: {why})"),
            "one JSON object per line".to_owned(),
        )
    })?;
    let Value::Object(fields) = value else {
        let found = quoted(text);
        return Err(wrong(found, "a JSON object".to_owned()));
    };
    match read(&fields) {
        Ok(line) => Ok(line),
        Err(error) => {
            let (found, expected) = mistake(&fields, &error);
            Err(wrong(found, expected))
        }
    }
}

fn read(fields: &Map<String, Value>) -> Result<Line, String> {
    serde_json::from_value(Value::Object(fields.clone())).map_err(|error| error.to_string())
}

/// What is wrong with a line that is an object: what was found, and what was expected.
fn mistake(fields: &Map<String, Value>, error: &str) -> (String, String) {
    let named = match fields.get("ev") {
        Some(Value::String(name)) => name,
        Some(other) => {
            let found = format!("\"ev\": {}", quoted(&other.to_string()));
            return (found, "the name of an event".to_owned());
        }
        None => return ("no \"ev\"".to_owned(), "what the line says".to_owned()),
    };
    if !EVENTS.contains(&named.as_str()) {
        let found = format!("\"ev\": {}", quoted(named));
        let expected = format!("an event of the format{}", hint("events", named, &EVENTS));
        return (found, expected);
    }
    let here = match fields.get("who") {
        Some(Value::String(who)) => format!("a line \"{named}\" of {}", quoted(who)),
        _ => format!("a line \"{named}\""),
    };
    let said = phrase(error);
    if let Some(name) = said.strip_prefix("missing field ") {
        return (format!("{here} without {name}"), format!("field {name}"));
    }
    // serde does not say which field. Without it the complaint is another one; but without one
    // that all lines have, it always is.
    let (all, own): (Vec<&str>, Vec<&str>) = fields
        .keys()
        .map(String::as_str)
        .filter(|name| *name != "ev")
        .partition(|name| ["t", "who"].contains(name));
    let fault = own.iter().chain(&all).find(|name| {
        let mut rest = fields.clone();
        rest.remove(**name);
        read(&rest).err().is_none_or(|other| other != error)
    });
    let at = fault.map_or(String::new(), |name| format!("\"{name}\": "));
    match said
        .strip_prefix("found ")
        .and_then(|said| said.rsplit_once(", expected "))
    {
        Some((found, "f64")) => (format!("{at}{found} in {here}"), "a number".to_owned()),
        Some((found, expected)) => (format!("{at}{found} in {here}"), expected.to_owned()),
        None => (format!("{at}{said} in {here}"), "what it has".to_owned()),
    }
}

#[cfg(test)]
mod tests;
