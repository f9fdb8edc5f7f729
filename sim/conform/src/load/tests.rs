//! What is read, and what is said of what cannot be.

use super::*;

const META: &str = r#"{"t":0.0,"who":"lab","ev":"meta","label":"8.1.8","version":"Valkey server v=8.1.8","scenario":"S1","variant":"to","n":1}"#;
const PAIRED: &str = r#"{"t":100.0,"who":"lab","ev":"paired"}"#;
const END: &str = r#"{"t":900.0,"who":"lab","ev":"end","loop_maxlag_ms":7.3}"#;

fn recording(lines: &[&str]) -> String {
    [&[META], lines, &[END]].concat().join("\n")
}

/// What is said of a recording with this line in it, at its second place.
fn said_of(line: &str) -> String {
    let error = parse(&recording(&[line])).expect_err(line);
    error.to_string()
}

#[track_caller]
fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no `{word}` in: {text}");
    }
}

#[test]
fn a_recording_is_read_line_by_line() {
    let lines = parse(&recording(&[PAIRED, ""])).expect("a recording");
    assert_eq!(lines.len(), 3);
    assert!(matches!(&lines[0].event, Event::Meta { label, n: 1, .. } if label == "8.1.8"));
    assert_eq!((lines[1].t, &lines[1].event), (100.0, &Event::Paired));
    assert!(
        matches!(lines[2].event, Event::End { loop_maxlag_ms } if (7.2..7.4).contains(&loop_maxlag_ms))
    );
}

#[test]
fn what_the_format_does_not_know_is_passed_over() {
    let line = r#"{"t":100.0,"who":"lab","ev":"paired","by":"hand"}"#;
    assert!(parse(&recording(&[line])).is_ok());
}

#[test]
fn lines_are_sorted_by_time_and_may_run_back_a_little() {
    let early = r#"{"t":60.0,"who":"lab","ev":"mark","what":"x"}"#;
    let lines = parse(&recording(&[PAIRED, early])).expect("a recording");
    let times: Vec<f64> = lines.iter().map(|line| line.t).collect();
    assert_eq!(times, [0.0, 60.0, 100.0, 900.0]);
    let error = parse(&recording(&[
        PAIRED,
        r#"{"t":40.0,"who":"A","ev":"log","line":"x"}"#,
    ]))
    .expect_err("runs back");
    assert_says(
        &error.to_string(),
        &["line 3", "t=40", "t=100", "at most 50 ms"],
    );
}

#[test]
fn lines_after_the_end_are_kept() {
    let late = r#"{"t":901.0,"who":"A","ev":"log","line":"bye"}"#;
    let text = format!("{}\n{late}\n", recording(&[]));
    assert_eq!(parse(&text).expect("a recording").len(), 3);
}

#[test]
fn nothing_at_all_is_no_recording() {
    for text in ["", "\n \n", "\u{feff}"] {
        let error = parse(text).expect_err("empty").to_string();
        assert_says(
            &error,
            &["found nothing at all", "one JSON object per line"],
        );
    }
}

#[test]
fn a_line_that_is_not_json_is_named() {
    assert_says(&said_of("{\"t\":1.0,}"), &["line 2", "not JSON", "column"]);
    assert_says(&said_of("[1]"), &["line 2", "[1]", "a JSON object"]);
}

#[test]
fn an_unknown_event_is_told_the_nearest() {
    let said = said_of(r#"{"t":1.0,"who":"PA","ev":"sgnal"}"#);
    assert_says(&said, &["line 2", "\"sgnal\"", "nearest: \"signal\""]);
    let said = said_of(r#"{"t":1.0,"who":"PA","event":"px"}"#);
    assert_says(&said, &["line 2", "no \"ev\""]);
    let said = said_of(r#"{"t":1.0,"who":"PA","ev":7}"#);
    assert_says(&said, &["line 2", "\"ev\": \"7\"", "the name of an event"]);
}

/// The names that are offered are those that are read.
#[test]
fn every_event_is_known_by_name() {
    let unknown = r#"{"t":1.0,"who":"PA","ev":"?"}"#;
    let error = serde_json::from_str::<Line>(unknown).expect_err("unknown");
    let error = error.to_string();
    let (_, names) = error.split_once("expected one of ").expect("names");
    let mut names: Vec<&str> = names.split('`').skip(1).step_by(2).collect();
    names.sort_unstable();
    assert_eq!(names, EVENTS);
}

#[test]
fn a_missing_field_is_named() {
    let said = said_of(r#"{"t":1.0,"who":"admin","ev":"tx","node":"A"}"#);
    assert_says(&said, &["line 2", "\"tx\" of \"admin\" without \"cmd\""]);
    let said = said_of(r#"{"who":"admin","ev":"tx","node":"A","cmd":"PING"}"#);
    assert_says(&said, &["line 2", "without \"t\""]);
}

#[test]
fn a_field_of_another_kind_is_named() {
    let said = said_of(r#"{"t":1.0,"who":"A","ev":"log","line":5}"#);
    assert_says(&said, &["line 2", "\"line\": ", "5", "a string"]);
    let said = said_of(r#"{"t":"soon","who":"lab","ev":"paired"}"#);
    assert_says(
        &said,
        &["line 2", "\"t\": ", "\"soon\"", "expected a number"],
    );
    let said = said_of(r#"{"t":1.0,"who":"PA","ev":"px_accept","link":-1}"#);
    assert_says(&said, &["line 2", "\"link\": ", "-1", "a whole number"]);
    let said = said_of(r#"{"t":1.0,"who":"PA","ev":"px","link":1,"dir":"up","n":1,"data":""}"#);
    assert_says(&said, &["line 2", "\"dir\": ", "\"up\"", "c2s"]);
}

#[test]
fn a_recording_begins_with_what_it_is_of() {
    let error = parse(&[PAIRED, END].join("\n")).expect_err("no meta");
    assert_says(&error.to_string(), &["line 1", "\"lab\"", "\"meta\""]);
    let error = parse(&recording(&[META])).expect_err("two");
    assert_says(&error.to_string(), &["line 2", "a second \"meta\""]);
    let error = parse(&recording(&[END])).expect_err("two");
    assert_says(&error.to_string(), &["line 3", "a second \"end\""]);
}

#[test]
fn a_truncated_recording_is_told_where_it_ends() {
    let error = parse(&[META, PAIRED].join("\n")).expect_err("no end");
    assert_says(
        &error.to_string(),
        &["ends after t=100 without an \"end\" line", "truncated"],
    );
    let error = parse(&[META, PAIRED, &END[..30]].join("\n")).expect_err("cut");
    assert_says(
        &error.to_string(),
        &["ends after t=100 in the middle of a line"],
    );
}

#[test]
fn a_file_of_another_kind_is_called_by_its_name() {
    for (text, kind) in [
        ("{\"name\": \"x\",\n \"nodes\": []\n}", "a scenario"),
        ("{\"schema\": \"rebound.run/1\"}", "a report"),
        ("{\n\"schema\": \"rebound.sweep/1\"}", "rebound.sweep/1"),
        ("{\"streams\": {}}", "a schedule"),
        (
            "{\"at_ns\":1,\"kind\":\"command\"}\n{\"at_ns\":2}",
            "a story",
        ),
        ("{\"a\": 1}", "an object without \"ev\""),
        ("[1, 2]", "that is not an object"),
        ("run 1\nreply +OK\n", "\"run 1\", which is not JSON"),
        ("{\n \"nodes\": [", "an object over several lines"),
    ] {
        let error = parse(text).expect_err(kind).to_string();
        assert_says(&error, &[kind, "a recording, whose first line"]);
    }
}
