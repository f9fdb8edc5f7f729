//! Recognises what a file holds: a report of this build, or something else, which is then named.

use std::io::Read;
use std::path::Path;

use rebound_sim::compare::CompareReport;
use rebound_sim::report::{CheckReport, RunReport, SweepReport};
use rebound_sim::scenario::nearest;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::run::Drawn;
use crate::exit::Failure;

/// A report that can be made a page of.
pub enum Document {
    /// A run.
    Run(Box<Drawn>),
    /// A sweep.
    Sweep(Box<SweepReport>),
    /// A comparison.
    Compare(Box<CompareReport>),
    /// A check.
    Check(Box<CheckReport>),
}

impl Document {
    /// Why a run is not drawn, if it is not.
    pub fn not_drawn(&self) -> Option<&str> {
        match self {
            Document::Run(run) => run.picture.as_ref().err().map(String::as_str),
            Document::Sweep(_) | Document::Compare(_) | Document::Check(_) => None,
        }
    }

    /// What it is of.
    pub fn kind(&self) -> Kind {
        match self {
            Document::Run(_) => Kind::Run,
            Document::Sweep(_) => Kind::Sweep,
            Document::Compare(_) => Kind::Compare,
            Document::Check(_) => Kind::Check,
        }
    }
}

/// The kinds of report that can be made a page of.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Of a run.
    Run,
    /// Of a sweep.
    Sweep,
    /// Of a comparison.
    Compare,
    /// Of a check.
    Check,
}

impl Kind {
    const ALL: [Kind; 4] = [Kind::Run, Kind::Sweep, Kind::Compare, Kind::Check];

    /// The command that writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Run => "run",
            Kind::Sweep => "sweep",
            Kind::Compare => "compare",
            Kind::Check => "check",
        }
    }

    const fn schema(self) -> &'static str {
        match self {
            Kind::Run => RunReport::SCHEMA,
            Kind::Sweep => SweepReport::SCHEMA,
            Kind::Compare => CompareReport::SCHEMA,
            Kind::Check => CheckReport::SCHEMA,
        }
    }
}

/// Other files of Rebound that carry a schema, and what they are.
const OTHERS: [(&str, &str); 8] = [
    ("rebound.regressions", "a file of regression seeds"),
    ("rebound.sweep-state", "the state of a sweep (--resume)"),
    (
        "rebound.compare-state",
        "the state of a comparison (--resume)",
    ),
    ("rebound.conform", "the output of conform"),
    ("rebound.conform-list", "the output of conform --list"),
    ("rebound.behaviours", "the output of behaviours"),
    ("rebound.report", "the output of report --format json"),
    ("rebound.recording", "a recording of real servers"),
];

/// What the file should have been.
const EXPECTED: &str =
    "expected a scenario, or JSON that run, sweep, compare or check wrote with --format json";

/// What a file holds.
pub enum Found {
    /// A scenario, to be read by its own rules.
    Scenario,
    /// A folder, whose scenarios are to be checked.
    Folder,
    /// A report.
    Document(Document),
}

/// Largest file that is read.
const LARGEST: u64 = 256 << 20;

/// Looks what `path` holds; `-` is standard input.
///
/// # Errors
/// A message that says what the file is instead of a report or a scenario.
pub fn find(path: &Path) -> Result<Found, Failure> {
    let piped = path == Path::new("-");
    if path.is_dir() {
        return Ok(Found::Folder);
    }
    let name = if piped {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    };
    let bytes = read(path, piped)
        .map_err(|error| Failure::usage(format!("cannot read {name}: {error}")))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Failure::usage(format!(
            "{name} has more than {} MiB: {EXPECTED}",
            LARGEST >> 20
        )));
    }
    match recognise(&bytes) {
        Ok(Found::Scenario) if piped => Err(Failure::usage(
            "standard input has a scenario: name its file instead, since a page says which command \
             runs it again",
        )),
        Ok(found) => Ok(found),
        Err(message) => Err(Failure::usage(format!("{name} {message}"))),
    }
}

fn read(path: &Path, piped: bool) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if piped {
        std::io::stdin().take(LARGEST + 1).read_to_end(&mut bytes)?;
    } else {
        let file = std::fs::File::open(path)?;
        file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// What the bytes are; else the end of a sentence that begins with the file's name.
fn recognise(bytes: &[u8]) -> Result<Found, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(format!("is empty: {EXPECTED}"));
    }
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(error) => return Err(no_json(bytes, &error)),
    };
    let Some(object) = value.as_object() else {
        return Err(format!("has {}: {EXPECTED}", article(&value)));
    };
    match object.get("schema") {
        Some(Value::String(schema)) => by_schema(bytes, schema),
        Some(other) => Err(format!("has {} as \"schema\": {EXPECTED}", article(other))),
        None if ["nodes", "clients"]
            .iter()
            .any(|key| object.contains_key(*key)) =>
        {
            Ok(Found::Scenario)
        }
        None if object.contains_key("words") && object.contains_key("at_ns") => Err(replayed()),
        None if object.contains_key("$schema") && object.contains_key("properties") => {
            Err(format!("is a JSON Schema: {EXPECTED}"))
        }
        None if object.contains_key("streams") => Err(format!(
            "is a schedule (run --record): {EXPECTED}; `rebound run SCENARIO --schedule FILE \
             --format json` makes one of it"
        )),
        None => Err(format!("has no field \"schema\": {EXPECTED}")),
    }
}

fn by_schema(bytes: &[u8], schema: &str) -> Result<Found, String> {
    let shown: String = schema.chars().take(80).collect();
    let (stem, version) = match schema.rsplit_once('/') {
        Some((stem, version)) => (stem, version.parse::<u64>().ok()),
        None => (schema, None),
    };
    let kind = Kind::ALL.into_iter().find(|kind| {
        kind.schema()
            .rsplit_once('/')
            .is_some_and(|(own, _)| own == stem)
    });
    if let Some(kind) = kind {
        if schema == kind.schema() {
            return parse(bytes, kind).map(Found::Document);
        }
        let own = kind.schema();
        return Err(match version {
            Some(0) => format!(
                "has schema {shown:?}, which is older than this Rebound: it reads {own:?}; write \
                 the report again"
            ),
            Some(_) => format!(
                "has schema {shown:?}, which is of a newer Rebound: this one (version {}) reads \
                 {own:?}",
                env!("CARGO_PKG_VERSION")
            ),
            None => format!("has schema {shown:?}: expected {own:?}"),
        });
    }
    if let Some((_, what)) = OTHERS.into_iter().find(|(own, _)| *own == stem) {
        let hint = match stem {
            "rebound.regressions" => "; `rebound check --format json` makes one of it",
            "rebound.sweep-state" => "; the same sweep with --format json makes one of it",
            "rebound.compare-state" => "; the same comparison with --format json makes one of it",
            _ => "",
        };
        return Err(format!("is {what}, schema {shown:?}: {EXPECTED}{hint}"));
    }
    let names = Kind::ALL.map(Kind::schema);
    let near =
        nearest(schema, &names).map_or(String::new(), |near| format!(" (nearest: {near:?})"));
    Err(format!("has schema {shown:?}{near}: {EXPECTED}"))
}

fn parse(bytes: &[u8], kind: Kind) -> Result<Document, String> {
    Ok(match kind {
        Kind::Run => Document::Run(Box::new(Drawn {
            report: typed(bytes, kind)?,
            picture: Err("only the run's report is known.".to_owned()),
        })),
        Kind::Sweep => Document::Sweep(Box::new(typed(bytes, kind)?)),
        Kind::Compare => Document::Compare(Box::new(typed(bytes, kind)?)),
        Kind::Check => Document::Check(Box::new(typed(bytes, kind)?)),
    })
}

fn typed<T: DeserializeOwned>(bytes: &[u8], kind: Kind) -> Result<T, String> {
    serde_json::from_slice(bytes)
        .map_err(|error| format!("says that it is {:?} and is not: {error}", kind.schema()))
}

fn no_json(bytes: &[u8], error: &serde_json::Error) -> String {
    // Several values, one after the other, are what `replay --format json` prints.
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    let first = values.next().and_then(Result::ok);
    if let Some(Value::Object(first)) = &first
        && first.contains_key("words")
        && first.contains_key("at_ns")
    {
        return replayed();
    }
    let (line, column) = (error.line(), error.column());
    if first.is_some() {
        return format!("goes on after its end, at line {line}, column {column}: {EXPECTED}");
    }
    if bytes.first().is_some_and(|byte| *byte == b'<') {
        return format!("is not JSON but markup, perhaps a page already: {EXPECTED}");
    }
    if error.is_eof() {
        return format!(
            "ends in the middle, at line {line}, column {column}: it was cut off; write it again"
        );
    }
    format!("is not JSON: {error}: {EXPECTED}")
}

fn replayed() -> String {
    format!(
        "is the output of replay: {EXPECTED}; `rebound report SCENARIO --seed N` makes a page of \
         such a run"
    )
}

fn article(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        match recognise(text.as_bytes()) {
            Ok(_) => panic!("{text} is taken"),
            Err(message) => message,
        }
    }

    #[test]
    fn what_is_no_report_is_named() {
        for (text, part) in [
            (" \n", "is empty"),
            ("[1]", "has a list"),
            ("{\"schema\": 7}", "has a number as \"schema\""),
            (
                "{\"schema\": \"rebound.sweep/2\"",
                "ends in the middle, at line 1",
            ),
            ("{\"schema\": \"rebound.sweep/2\"}", "of a newer Rebound"),
            ("{\"schema\": \"rebound.run/0\"}", "older than this Rebound"),
            (
                "{\"schema\": \"rebound.run/x\"}",
                "expected \"rebound.run/1\"",
            ),
            (
                "{\"schema\": \"rebound.sweeep/1\"}",
                "nearest: \"rebound.sweep/1\"",
            ),
            ("{\"schema\": \"junit\"}", "has schema \"junit\": expected"),
            (
                "{\"schema\": \"rebound.regressions/1\"}",
                "is a file of regression seeds",
            ),
            (
                "{\"schema\": \"rebound.check/1\"}",
                "and is not: missing field",
            ),
            (
                "{\"at_ns\":1,\"words\":\"x\"}\n{\"at_ns\":2,\"words\":\"y\"}\n",
                "is the output of replay",
            ),
            ("{\"at_ns\":1,\"words\":\"x\"}\n", "is the output of replay"),
            ("{} {}", "goes on after its end, at line 1, column 4"),
            ("<!doctype html>", "perhaps a page already"),
            ("{\"streams\": {}}", "is a schedule"),
            ("{\"a\": 1}", "has no field \"schema\""),
            ("nonsense", "is not JSON: expected"),
        ] {
            let message = refused(text);
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn regressions_are_known_by_their_schema() {
        let stem = rebound_sim::report::Regressions::SCHEMA.rsplit_once('/');
        assert!(
            OTHERS
                .iter()
                .any(|(own, _)| Some(*own) == stem.map(|(own, _)| own))
        );
    }

    #[test]
    fn a_scenario_is_left_to_its_own_reader() {
        assert!(matches!(
            recognise(b"\xef\xbb\xbf{\"nodes\": 1}"),
            Ok(Found::Scenario)
        ));
    }
}
