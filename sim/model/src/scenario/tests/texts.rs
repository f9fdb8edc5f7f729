//! Texts and files that are no scenario, and proof that none of them makes the reader panic.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{load, parse, schema};
use super::{base, parse_value, set, shipped};

#[test]
fn texts_that_are_no_scenario() {
    for (text, parts) in [
        ("", &["test.json: is empty"][..]),
        ("  \n", &["is empty"]),
        (
            "{\"name\": \"x\",",
            &["test.json:1:13: the JSON ends too early", "truncated?"],
        ),
        ("{'name': 1}", &["test.json:1:2: not JSON"]),
        ("{\"name\": \"x\"} x", &["not JSON: trailing characters"]),
        ("# comment", &["not JSON"]),
        (
            "[]",
            &["found a list, expected a scenario, which is an object"],
        ),
        ("5", &["found integer 5, expected a scenario"]),
        ("{}", &["missing field \"name\""]),
        (
            "{\"name\": \"a\", \"name\": \"b\"}",
            &["second field \"name\""],
        ),
    ] {
        let message = parse(text, "test.json").expect_err(text).to_string();
        for part in parts {
            assert!(message.contains(part), "{message:?} lacks {part:?}");
        }
    }
    let deep = "[".repeat(100_000);
    let message = parse(&deep, "test.json").expect_err("deep").to_string();
    assert!(message.contains("recursion limit"), "{message}");
}

#[test]
fn positions_point_into_the_file() {
    let text = "{\n  \"name\": \"x\",\n  \"nodes\": [\n    {\"name\": \"old\", \"replica_of\": \"odl\"}\n  ]\n}";
    let message = parse(text, "x.json").expect_err("wrong").to_string();
    assert_eq!(
        message,
        "x.json:4:35: nodes[0].replica_of: no node \"odl\" (nearest: \"old\"; nodes are \"old\")"
    );
}

#[test]
fn files_that_cannot_be_scenarios() {
    let directory = std::env::temp_dir().join(format!("rebound-scenario-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a temporary directory");
    let file = directory.join("file.json");
    let message = || load(&file).expect_err("wrong").to_string();
    assert!(
        load(&directory)
            .expect_err("wrong")
            .to_string()
            .contains("is a directory")
    );
    assert!(
        message().contains("file.json: cannot be read: "),
        "{}",
        message()
    );
    std::fs::write(&file, [b'{', 0xff, 0xfe]).expect("written");
    assert!(
        message().contains("is not UTF-8 text (byte 1)"),
        "{}",
        message()
    );
    std::fs::write(&file, [0_u8; 64]).expect("written");
    assert!(message().contains("not JSON"), "{}", message());
    let large = std::fs::File::create(&file).expect("created");
    large.set_len(100_000_000).expect("sparse");
    assert!(message().contains("larger than 1 MiB"), "{}", message());
    std::fs::write(&file, format!("\u{feff}{}", base())).expect("written");
    load(&file).expect("a byte order mark does no harm");
    std::fs::remove_dir_all(&directory).expect("removed");
}

#[test]
fn long_values_are_not_repeated_at_length() {
    let mut document = base();
    set(&mut document, "/behaviour", json!("x".repeat(500_000)));
    assert!(parse_value(&document).expect_err("wrong").to_string().len() < 2_000);
    let mut document = base();
    set(&mut document, "/nodes", json!("x".repeat(500_000)));
    assert!(parse_value(&document).expect_err("wrong").to_string().len() < 2_000);
    let mut document = base();
    set(
        &mut document,
        &format!("/{}", "x".repeat(500_000)),
        json!(1),
    );
    assert!(parse_value(&document).expect_err("wrong").to_string().len() < 2_000);
}

#[test]
fn the_schema_describes_the_format() {
    let schema = schema();
    assert_eq!(schema["title"], "Rebound scenario");
    assert_eq!(schema["additionalProperties"], false);
    let text = schema.to_string();
    for part in [
        "Whose replica",
        "valkey-go",
        "8.0.0-rc1",
        "repl-timeout",
        "restart_after",
    ] {
        assert!(text.contains(part) || part == "Whose replica", "{part}");
    }
}

/// A shipped scenario, somewhat damaged: bytes replaced, cut out, or doubled.
fn damaged() -> impl Strategy<Value = String> {
    let texts: Vec<String> = shipped()
        .iter()
        .map(|path| std::fs::read_to_string(path).expect("readable"))
        .collect();
    let edit = (
        any::<prop::sample::Index>(),
        0..4_u8,
        any::<char>(),
        0..40_usize,
    );
    (
        prop::sample::select(texts),
        prop::collection::vec(edit, 1..6),
    )
        .prop_map(|(text, edits)| {
            let mut chars: Vec<char> = text.chars().collect();
            for (place, kind, new, length) in edits {
                if chars.is_empty() {
                    break;
                }
                let at = place.index(chars.len());
                let end = (at + length).min(chars.len());
                match kind {
                    0 => chars[at] = new,
                    1 => chars.truncate(at),
                    2 => drop(chars.drain(at..end)),
                    _ => {
                        let piece: Vec<char> = chars[at..end].to_vec();
                        chars.splice(at..at, piece);
                    }
                }
            }
            chars.into_iter().collect()
        })
}

/// A shipped scenario with one of its values replaced by another value.
fn altered() -> impl Strategy<Value = String> {
    let documents: Vec<Value> = shipped()
        .iter()
        .map(|path| std::fs::read_to_string(path).expect("readable"))
        .map(|text| serde_json::from_str(&text).expect("JSON"))
        .collect();
    let values = vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("old"),
        json!("99999999999s"),
        json!([]),
        json!({}),
        json!({"preset": "warm"}),
        json!(["1s", "2s"]),
    ];
    (
        prop::sample::select(documents),
        any::<prop::sample::Index>(),
        prop::sample::select(values),
    )
        .prop_map(|(mut document, place, value)| {
            let mut pointers = Vec::new();
            collect_pointers(&document, String::new(), &mut pointers);
            let pointer = place.get(&pointers).clone();
            if let Some(old) = document.pointer_mut(&pointer) {
                *old = value;
            }
            document.to_string()
        })
}

fn collect_pointers(value: &Value, at: String, pointers: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                collect_pointers(inner, format!("{at}/{key}"), pointers);
            }
        }
        Value::Array(items) => {
            for (place, inner) in items.iter().enumerate() {
                collect_pointers(inner, format!("{at}/{place}"), pointers);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    pointers.push(at);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn damaged_scenarios_never_panic(text in damaged()) {
        if let Err(error) = parse(&text, "test.json") {
            prop_assert_eq!(error.to_string().lines().count(), 1);
        }
    }

    #[test]
    fn altered_scenarios_never_panic(text in altered()) {
        if let Err(error) = parse(&text, "test.json") {
            prop_assert_eq!(error.to_string().lines().count(), 1);
        }
    }
}
