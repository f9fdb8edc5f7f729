//! Judges of the formats of build servers: public schemas and parsers that are not our own.

use std::path::Path;

use junit_parser::TestSuites;
use serde_json::Value;

fn schema(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/schemas")
        .join(name);
    std::fs::read_to_string(path).expect("a schema")
}

/// What the schema of JUnit XML objects to.
pub fn junit_objections(xml: &str) -> Vec<String> {
    let schema = schema("junit-10.xsd");
    let schema = uppsala::parse(&schema).expect("a schema in XML");
    let validator = uppsala::XsdValidator::from_schema(&schema).expect("a schema");
    match uppsala::parse(xml) {
        Err(error) => vec![error.to_string()],
        Ok(document) => {
            let objections = validator.validate(&document);
            objections.iter().map(ToString::to_string).collect()
        }
    }
}

/// Asserts that a document follows the schema of JUnit XML, and reads it.
pub fn junit(xml: &str) -> TestSuites {
    let objections = junit_objections(xml);
    assert_eq!(objections, Vec::<String>::new(), "{xml}");
    junit_parser::from_reader(xml.as_bytes()).expect("JUnit XML")
}

/// What the schema of SARIF objects to.
pub fn sarif_objections(log: &Value) -> Vec<String> {
    // As published this is no regular expression; the standard's errata say it right.
    let wrong = "^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$";
    let schema = schema("sarif-2.1.0.json").replace(wrong, "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .expect("a schema");
    let errors = validator.iter_errors(log);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// Asserts that a log follows the schema of SARIF, and reads the results of its run.
pub fn sarif(text: &str) -> Vec<Value> {
    let log: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(sarif_objections(&log), Vec::<String>::new(), "{text}");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    let results = run["results"].as_array().expect("results");
    for result in results {
        let index = result["ruleIndex"].as_u64().expect("an index");
        assert_eq!(rules[index as usize]["id"], result["ruleId"]);
    }
    results.clone()
}

/// The judges must be able to object.
#[test]
fn judges_object_to_what_is_wrong() {
    let right = "<testsuites name=\"x\"><testsuite name=\"a\" tests=\"1\" failures=\"0\" errors=\"0\">\
                 <testcase name=\"b\"/></testsuite></testsuites>";
    assert!(junit_objections(right).is_empty());
    for (part, other) in [
        ("<testcase name=\"b\"/>", "<testcase/>"),
        ("<testcase name=\"b\"/>", "<test name=\"b\"/>"),
        ("tests=\"1\" ", ""),
        ("name=\"x\"", "name=\"x\" skipped=\"0\""),
        ("name=\"b\"", "name=\"b\u{1}\""),
        ("name=\"b\"", "name=\"<b>\""),
    ] {
        let wrong = right.replacen(part, other, 1);
        assert!(!junit_objections(&wrong).is_empty(), "{wrong}");
    }
    let right = serde_json::json!({"version": "2.1.0", "runs": [
        {"tool": {"driver": {"name": "x", "informationUri": "https://a.example/b"}}, "results": []}
    ]});
    assert!(sarif_objections(&right).is_empty());
    for (pointer, value) in [
        ("/version", serde_json::json!("2.2")),
        ("/runs/0/tool/driver/name", serde_json::json!(5)),
        ("/runs/0/results", serde_json::json!([{"message": {}}])),
        (
            "/runs/0/tool/driver/informationUri",
            serde_json::json!("docs/a.md"),
        ),
    ] {
        let mut wrong = right.clone();
        *wrong.pointer_mut(pointer).expect("a place") = value;
        assert!(!sarif_objections(&wrong).is_empty(), "{pointer}");
    }
}
