//! What is read of a cluster's recording, what is refused, and that differences are seen.

use std::fs;
use std::path::Path;

use super::super::recording::Event;
use super::super::{Agreement, Outcome, against_model, parse};
use super::*;

fn recording() -> Vec<Line> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/recordings/8.1.8")
        .join("S7-busdelay-1.jsonl");
    let text = fs::read_to_string(path).expect("a recording of the project");
    parse(&text).expect("a recording")
}

fn agreement(recording: &[Line]) -> Agreement {
    let behaviour = Behaviour::named("8.0.1").expect("a behaviour");
    against_model(recording, behaviour).expect("a recording of a cluster")
}

/// What differs once lines have been changed.
fn differing(change: impl Fn(&mut Line)) -> Vec<String> {
    let mut recording = recording();
    recording.iter_mut().for_each(change);
    let agreement = agreement(&recording);
    let differs = agreement
        .observations
        .iter()
        .filter(|o| matches!(o.outcome, Outcome::Differs(_)));
    differs.map(|o| o.what.clone()).collect()
}

#[test]
fn a_recording_tells_of_the_failover() {
    let run = read(&recording()).expect("a cluster's recording");
    assert_eq!((&*run.reply, &*run.redirect), ("+OK", "MOVED SLOT"));
    assert_eq!(run.numbers("b election"), [5]);
    assert_eq!(run.numbers("b planned"), [0]);
    assert_eq!(run.numbers("b takes-over-from"), run.numbers("a asks-from"));
    assert!(run.redirects[2] > 0 && run.redirects[3] == 0);
    assert!(run.held().count() > 0);
    assert!(paths_of(&run).contains("\"200ms\""));
}

#[test]
fn another_reply_is_a_difference() {
    let differs = differing(|line| {
        let answered = line.who == "admin";
        if let Event::Rx { reply, .. } = &mut line.event
            && answered
        {
            *reply = "-ERR no".into();
        }
    });
    assert_eq!(differs, ["facts of the failover"]);
}

#[test]
fn another_answer_is_a_difference() {
    let differs = differing(|line| {
        if let Event::Op { cmd, last, red, .. } = &mut line.event
            && cmd.starts_with("GET")
            && *red == 0
        {
            *last = "-READONLY".into();
        }
    });
    assert!(
        differs.contains(&"answers in each phase".to_owned()),
        "{differs:?}"
    );
}

#[test]
fn a_chain_that_the_model_does_not_have_is_a_difference() {
    let differs = differing(|line| {
        if let Event::Op { red, .. } = &mut line.event {
            *red = (*red * 2).min(3);
        }
    });
    assert_eq!(differs, ["redirects in a row"]);
}

#[test]
fn a_step_that_takes_otherwise_is_a_difference() {
    let differs = differing(|line| {
        if let Event::Log { line: text } = &line.event
            && text.starts_with("Failover election won")
        {
            line.t -= 150.0;
        }
    });
    assert!(
        differs.contains(&"from `b election` to `b won`".to_owned()),
        "{differs:?}"
    );
}

#[test]
fn logs_that_do_not_tell_of_the_failover_are_refused() {
    let mut recording = recording();
    recording.retain(|line| {
        let Event::Log { line } = &line.event else {
            return true;
        };
        !line.starts_with("Failover election won")
    });
    let error = read(&recording).expect_err("no line of the election");
    assert!(error.to_string().contains("`b won`"), "{error}");
}

#[test]
fn another_script_is_refused() {
    let mut recording = recording();
    recording.retain(|line| !matches!(&line.event, Event::Start { node, .. } if node == "D"));
    let error = read(&recording).expect_err("three nodes");
    assert!(error.to_string().contains("nodes A, B, C"), "{error}");
}

#[test]
fn a_client_that_is_stopped_has_no_answer_to_compare() {
    let stopped = |lat: f64| {
        let mut recording = recording();
        let end = recording
            .iter()
            .rposition(|line| matches!(line.event, Event::End { .. }));
        let end = end.expect("an end");
        let op = recording
            .iter()
            .rfind(|line| matches!(line.event, Event::Op { .. }));
        let mut op = op.expect("a command").clone();
        op.t = recording[end].t - 10.0;
        if let Event::Op {
            last,
            t0,
            lat: took,
            ..
        } = &mut op.event
        {
            *last = serde_json::Value::Null;
            (*t0, *took) = (op.t - lat, lat);
        }
        recording.insert(end, op);
        read(&recording).expect("a recording").ops.len()
    };
    assert_eq!(stopped(1.0) + 1, stopped(500.0));
}
