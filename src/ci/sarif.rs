//! SARIF 2.1.0, as far as it is needed: problems, each with its rule and its location.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::xxh3_128;

use super::checked::{Case, Checked, Ending};
use super::place::Place;
use super::plain::plain;
use super::rule::{Level, Rule};

/// The schema that the log says it follows.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// What a path's address spells out.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// The whole file.
#[derive(Serialize)]
pub struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    automation_details: Automation,
    invocations: [Invocation; 1],
    column_kind: &'static str,
    results: Vec<Finding>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: &'static str,
    information_uri: &'static str,
    rules: Vec<Descriptor>,
}

/// A rule.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    id: &'static str,
    short_description: Text,
    full_description: Text,
    help: Text,
    help_uri: String,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

/// What tells this series of results from others of the same repository.
#[derive(Serialize)]
struct Automation {
    id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
}

/// A result.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Text,
    locations: [Value; 1],
    partial_fingerprints: Value,
    properties: Map<String, Value>,
}

/// The log of what was checked.
pub fn log(checked: &Checked) -> Log {
    let rules: Vec<Rule> = Rule::all().collect();
    let results = checked
        .problems()
        .map(|(rule, case)| finding(&rules, rule, case))
        .collect();
    let broken = |case: &Case| case.ending == Ending::Broken;
    Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "Rebound",
                    version: env!("CARGO_PKG_VERSION"),
                    information_uri: env!("CARGO_PKG_REPOSITORY"),
                    rules: rules.iter().copied().map(descriptor).collect(),
                },
            },
            automation_details: Automation {
                id: format!("{}/", plain(&checked.series)),
            },
            invocations: [Invocation {
                execution_successful: !checked.cases.iter().any(broken),
            }],
            column_kind: "unicodeCodePoints",
            results,
        }],
    }
}

fn descriptor(rule: Rule) -> Descriptor {
    let short = || text(rule.short().to_owned());
    Descriptor {
        id: rule.id(),
        short_description: short(),
        full_description: short(),
        help: text(format!("{} See {}", rule.short(), rule.help())),
        help_uri: rule.help(),
        default_configuration: Configuration {
            level: level(rule.level()),
        },
    }
}

fn finding(rules: &[Rule], rule: Rule, case: &Case) -> Finding {
    let mut message = format!("{}: {}", case.whereabouts(), case.message());
    for line in case.further() {
        message.push_str(&format!("\n{line}"));
    }
    let mut properties = Map::new();
    let mut property = |name: &str, value: &str| {
        if !value.is_empty() {
            properties.insert(name.to_owned(), json!(value));
        }
    };
    property("scenario", &case.scenario);
    property("behaviour", case.behaviour.as_deref().unwrap_or_default());
    property("seeds", case.seeds.as_deref().unwrap_or_default());
    if let Some(shown) = &case.shown_by {
        property("seed", &shown.seed.to_string());
        property("replay", &shown.replay);
    }
    property("expected", &case.expected);
    property("found", &case.found);
    let fingerprint = fingerprint(rule, case);
    Finding {
        rule_id: rule.id(),
        rule_index: rules.iter().position(|r| *r == rule).unwrap_or_default(),
        level: level(rule.level()),
        message: text(message),
        locations: [location(&case.place)],
        // The first is the only one that GitHub heeds, and would otherwise be made of the line's
        // text: all that is expected on one line would be one.
        partial_fingerprints: json!({
            "primaryLocationLineHash": fingerprint,
            "rebound/v1": fingerprint,
        }),
        properties,
    }
}

fn text(text: String) -> Text {
    Text { text }
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
    }
}

/// What makes a result the same one as in an earlier run, whatever line it stands in now and
/// whatever seed shows it.
fn fingerprint(rule: Rule, case: &Case) -> String {
    let parts = [&*case.scenario, &*case.name(), rule.id()];
    format!("{:032x}", xxh3_128(parts.join("\0").as_bytes()))
}

/// GitHub wants a line: what concerns all of a file stands in the first.
fn location(place: &Place) -> Value {
    let region = match place.position {
        Some((line, column)) => json!({ "startLine": line, "startColumn": column }),
        None => json!({ "startLine": 1 }),
    };
    json!({ "physicalLocation": {
        "artifactLocation": artifact(&place.file),
        "region": region,
    }})
}

/// A file in the repository is named from its root.
fn artifact(file: &str) -> Value {
    let path = utf8_percent_encode(file, ESCAPED).to_string();
    if std::path::Path::new(file).is_absolute() {
        json!({ "uri": format!("file:///{}", path.trim_start_matches('/')) })
    } else {
        json!({ "uri": path, "uriBaseId": "%SRCROOT%" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ci::checked::Subject;

    /// A fingerprint that changes makes every alert a new one for those who upload them.
    #[test]
    fn fingerprints_stay() {
        let place = Place {
            file: "scenarios/a.json".to_owned(),
            position: Some((3, 5)),
        };
        let mut case = Case {
            ending: Ending::Failed,
            behaviour: Some("8.0.1".to_owned()),
            ..Case::broken(Subject::Expectation, place, "found".to_owned())
        };
        let first = fingerprint(Rule::Expectation, &case);
        assert_eq!(first, "89d85fdd334c2046d2456922a91f1608");
        case.place.position = Some((9, 1));
        case.found = "something else".to_owned();
        assert_eq!(fingerprint(Rule::Expectation, &case), first);
        case.behaviour = Some("8.1".to_owned());
        assert_ne!(fingerprint(Rule::Expectation, &case), first);
    }

    #[cfg(unix)]
    #[test]
    fn files_are_addressed() {
        let inside = artifact("s/a b%:\n.json");
        assert_eq!(inside["uri"], "s/a%20b%25%3A%0A.json");
        let outside = artifact("/tmp/ä.json");
        assert_eq!(outside["uri"], "file:///tmp/%C3%A4.json");
        assert!(outside.get("uriBaseId").is_none());
    }
}
