//! What stays of a recording, and what does not.

#![allow(clippy::wildcard_enum_match_arm)]

use super::super::parse;
use super::*;

/// A recording of two clients that do the same for three seconds, with a failover in it.
fn recording() -> Vec<Line> {
    let mut text = vec![
        r#"{"t":0.0,"who":"lab","ev":"meta","label":"8.1.8","version":"v=8.1.8","scenario":"S1","variant":"to","n":1}"#.to_owned(),
        r#"{"t":1.0,"who":"A","ev":"log","line":"Connection with replica lost."}"#.to_owned(),
        r#"{"t":2.0,"who":"lab","ev":"paired"}"#.to_owned(),
        r#"{"t":3.0,"who":"A","ev":"info","d":{}}"#.to_owned(),
        r#"{"t":4.0,"who":"A","ev":"log","line":"RDB age 0 seconds"}"#.to_owned(),
        r#"{"t":5.0,"who":"A","ev":"log","line":"Connection with replica lost."}"#.to_owned(),
        r#"{"t":6.0,"who":"PA","ev":"px","link":1,"dir":"s2c","n":9,"data":"*1\r\n$4\r\nPING\r\n"}"#.to_owned(),
        r#"{"t":7.0,"who":"PA","ev":"px","link":1,"dir":"s2c","n":9,"data":"*3\r\n$3\r\nSET\r\n"}"#.to_owned(),
        r#"{"t":8.0,"who":"PA","ev":"px","link":1,"dir":"s2c","n":9,"data":"+CONTINUE"}"#.to_owned(),
    ];
    for t in 1..300 {
        for client in ["c0", "c1"] {
            text.push(op(client, f64::from(t) * 10.0, 1.0, 0));
        }
        if t == 150 {
            text.push(r#"{"t":1505.5,"who":"lab","ev":"mark","what":"FAILOVER"}"#.to_owned());
            text.push(op("c1", 1500.0, 6.0, 0));
            text.push(op("c0", 1480.0, 30.0, 0));
            text.push(op("c0", 1509.0, 2.0, 3));
        }
    }
    text.push(r#"{"t":3100.0,"who":"lab","ev":"end","loop_maxlag_ms":1.0}"#.to_owned());
    parse(&text.join("\n")).expect("a recording")
}

fn op(who: &str, t0: f64, lat: f64, red: u32) -> String {
    let t = t0 + lat;
    format!(
        r#"{{"t":{t},"who":"{who}","ev":"op","kind":"capa","cmd":"SET k 1","t0":{t0},"start":"A","node":"A","final":"+OK","red":{red},"back":0,"hops":[],"errs":[],"nerr":0,"lat":{lat}}}"#
    )
}

fn ops(recording: &[Line]) -> Vec<(&str, f64)> {
    let told = recording.iter().filter_map(|line| match &line.event {
        Event::Op { t0, .. } => Some((line.who.as_str(), *t0)),
        _ => None,
    });
    told.collect()
}

#[test]
fn of_commands_that_are_alike_one_stays_in_every_stretch() {
    let short = compact(&recording());
    let told = ops(&short);
    // The first of each client, what was under way, long or sent to and fro, and one after two seconds.
    let expected = [
        ("c0", 10.0),
        ("c1", 10.0),
        ("c1", 1500.0),
        ("c0", 1480.0),
        ("c0", 1509.0),
        ("c0", 2000.0),
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_is_left_out_is_counted() {
    let (long, short) = (recording(), compact(&recording()));
    let Event::Dropped { lines } = &short[short.len() - 2].event else {
        panic!("no count before the end");
    };
    let told: Vec<(&str, u64)> = lines.iter().map(|(ev, n)| (ev.as_str(), *n)).collect();
    assert_eq!(told, [("info", 1), ("log", 2), ("op", 595), ("px", 1)]);
    let dropped: u64 = lines.values().sum();
    assert_eq!(long.len() as u64, short.len() as u64 - 1 + dropped);
    assert!(matches!(
        short.last().map(|l| &l.event),
        Some(Event::End { .. })
    ));
}

/// What stays is as it was.
#[test]
fn nothing_is_changed() {
    let long = recording();
    for line in compact(&long) {
        assert!(matches!(line.event, Event::Dropped { .. }) || long.contains(&line));
    }
}

#[test]
fn streams_go_and_what_links_say_of_themselves_stays() {
    let short = compact(&recording());
    let said = short.iter().filter_map(|line| match &line.event {
        Event::Px { data, .. } => Some(data.as_str()),
        _ => None,
    });
    assert_eq!(
        said.collect::<Vec<_>>(),
        ["*1\r\n$4\r\nPING\r\n", "+CONTINUE"]
    );
}

#[test]
fn a_compact_recording_stays_as_it_is() {
    let short = compact(&recording());
    assert_eq!(compact(&short), short);
}

/// A cluster's failover is compared by phases that only logs tell.
#[test]
fn of_a_clusters_failover_every_command_stays() {
    let mut long = recording();
    let line = |t: f64, rest: &str| {
        let text = format!("{{\"t\":{t},{rest}}}");
        serde_json::from_str::<Line>(&text).expect("a line")
    };
    long.push(line(
        1000.0,
        r#""who":"admin","ev":"tx","node":"B","cmd":"CLUSTER FAILOVER""#,
    ));
    long.push(line(
        1100.0,
        r#""who":"lab","ev":"reached","node":"A","what":"A replica""#,
    ));
    long.sort_by(|a, b| a.t.total_cmp(&b.t));
    let around = |recording: &[Line]| {
        let told = ops(recording).into_iter();
        let around = told.filter(|(_, t0)| (980.0..1170.0).contains(t0));
        around
            .map(|(who, t0)| format!("{who} {t0}"))
            .collect::<Vec<_>>()
    };
    let kept = around(&compact(&long));
    assert_eq!(kept, around(&long));
    assert_eq!(kept.len(), 38);
}
