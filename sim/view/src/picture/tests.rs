//! Pictures of shipped scenarios, held against their traces.

use std::sync::Arc;

use super::*;
use rebound_sim::world::Runner;

const WHOLE: Window = Window {
    from: 0,
    until: None,
};

fn plan(name: &str) -> Arc<Plan> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../scenarios")
        .join(name);
    Arc::new(rebound_sim::scenario::load(&path).expect("a shipped scenario"))
}

fn picture(name: &str, seed: u64, window: Window) -> (Picture, Vec<Record>, RunReport) {
    let plan = plan(name);
    let mut painter = Painter::new(&plan, plan.behaviour, window);
    let mut runner = Runner::new(plan.clone(), plan.behaviour);
    let report = runner.run(seed, &mut painter);
    let mut records = Vec::new();
    runner.run(seed, &mut records);
    (painter.finish(&report), records, report)
}

/// A text with its numbers put back, as the scripts of a page do it.
fn spelt(table: &TextTable, sentence: u32, numbers: &mut impl Iterator<Item = u64>) -> String {
    let pieces = table.sentences[sentence as usize].split('\u{1}');
    let mut text = String::new();
    for (index, piece) in pieces.enumerate() {
        if index > 0 {
            text.push_str(&numbers.next().expect("a number for each gap").to_string());
        }
        text.push_str(piece);
    }
    text
}

#[test]
fn every_record_is_an_event_in_its_own_words() {
    let (picture, records, _) = picture("handover-slow.json", 1, WHOLE);
    let events = &picture.events;
    assert_eq!(events.len() as usize, records.len());
    assert_eq!(picture.left_out, 0);
    let plan = plan("handover-slow.json");
    let mut run = Run::new(&plan, plan.behaviour);
    let mut numbers = events.numbers.iter().copied();
    let mut at = 0;
    for (index, record) in records.iter().enumerate() {
        at += events.since_last[index];
        assert_eq!(at, record.at.nanos());
        run.observe(record);
        let line = story::line(&run, record);
        let text = spelt(&picture.texts, events.sentence[index], &mut numbers);
        assert_eq!(text, line.words);
        assert_eq!(picture.lanes[events.lane[index] as usize].name, line.who);
        let other = events.other[index].checked_sub(1);
        let other = other.map(|lane| picture.lanes[lane as usize].name.clone());
        assert_eq!(other, line.other);
    }
    assert_eq!(numbers.next(), None);
}

#[test]
fn each_redirect_that_is_followed_is_an_arrow_with_its_number_and_its_gate() {
    let (picture, _, report) = picture("handover-slow.json", 1, WHOLE);
    let events = &picture.events;
    let (mut arrows, mut bounces) = (0, 0);
    for index in 0..events.len() as usize {
        if events.class[index] == Class::Redirect && events.hop[index] > 0 {
            arrows += 1;
            bounces += events.hop[index] & 1;
            let gate = index - events.decided[index] as usize;
            assert_ne!(events.decided[index], 0);
            let sentence = &picture.texts.sentences[events.sentence[gate] as usize];
            assert!(sentence.contains("StandaloneRedirect"), "{sentence}");
            assert_eq!(events.lane[gate] + 1, events.other[index]);
        }
    }
    assert_eq!((arrows, bounces), (report.hops.total, report.bounces.total));
    let flagged = picture.lanes.iter().filter(|lane| lane.flagged.is_some());
    assert!(flagged.count() > 3);
}

#[test]
fn bands_show_the_failover_and_its_fault() {
    let (picture, records, _) = picture("handover-slow.json", 1, WHOLE);
    let of = |kind| {
        let bands = picture.bands.iter().filter(move |band| band.kind == kind);
        bands.collect::<Vec<_>>()
    };
    let [waiting] = of(BandKind::WaitingForSync)[..] else {
        panic!("one failover waits once");
    };
    let [underway] = of(BandKind::InProgress)[..] else {
        panic!("one failover is in progress once");
    };
    assert_eq!(waiting.until, underway.from);
    let [clog] = of(BandKind::Fault)[..] else {
        panic!("one fault");
    };
    let faults = records
        .iter()
        .filter(|record| matches!(record.event, Event::Fault { .. }))
        .map(|record| record.at.nanos())
        .collect::<Vec<_>>();
    assert_eq!([clog.from, clog.until], faults[..]);
    // Each node is something at every instant, and one thing at a time.
    for node in 0..2 {
        let mut at = 0;
        for band in &picture.bands {
            let role = band.kind <= BandKind::Absent;
            if band.lane == node && role {
                assert_eq!(band.from, at);
                at = band.until;
            }
        }
        assert_eq!(at, picture.end);
    }
}

#[test]
fn what_is_lost_is_shown_and_what_arrives_is_not() {
    let (picture, ..) = picture("psync-reply-lost.json", 1, WHOLE);
    let [lost] = &picture.undelivered[..] else {
        panic!("one message is lost");
    };
    assert!(lost.lost);
    let name = |lane: u32| picture.lanes[lane as usize].name.as_str();
    assert_eq!((name(lost.from), name(lost.to)), ("new", "old"));
    let text = &picture.texts.sentences[lost.text as usize];
    assert!(text.starts_with("+CONTINUE"), "{text}");
}

#[test]
fn a_window_keeps_the_states_of_what_is_before_it() {
    let window = Window {
        from: 2_000_000_000,
        until: Some(2_100_000_000),
    };
    let (part, ..) = picture("handover-slow.json", 1, window);
    let (whole, ..) = picture("handover-slow.json", 1, WHOLE);
    assert!(part.events.len() > 100 && part.events.len() < whole.events.len());
    assert!(part.events.since_last[0] >= window.from);
    assert_eq!(part.bands, {
        let mut bands = whole.bands;
        for band in &mut bands {
            let words = &whole.texts.sentences[band.text as usize];
            let index = part.texts.sentences.iter().position(|text| text == words);
            band.text = index.expect("the same words") as u32;
        }
        bands
    });
}
