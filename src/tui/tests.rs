//! What is looked at and what is drawn, without a terminal.

use std::path::Path;
use std::sync::Arc;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use rebound_engine::Time;
use rebound_sim::client::{ClientId, Note as ClientNote};
use rebound_sim::trace::{Event, Record};
use rebound_sim::valkey::Note as NodeNote;
use rebound_view::{Filter, Run, Story};

use super::app::{App, Next, Telling};
use super::breakpoints::Breakpoint;
use super::cursor::{Place, Way};
use super::recording::{Recording, Window};
use super::text::Palette;
use super::{press, view};
use rebound_batch::verify::Case;

fn case(scenario: &str) -> Case {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scenarios")
        .join(scenario);
    let plan = rebound_sim::scenario::load(&path).expect("a shipped scenario");
    Case {
        behaviour: plan.behaviour,
        plan: Arc::new(plan),
        seed: 1,
        schedule: None,
    }
}

fn until(millis: u64) -> Window {
    Window {
        from: Time::ZERO,
        until: Time(millis * 1_000_000),
    }
}

fn trace(case: &Case) -> Vec<Record> {
    let mut records = Vec::new();
    case.run(&mut records).expect("no panic");
    records
}

/// Presses keys one after the other; those in angle brackets have names.
fn keys(app: &mut App<'_>, keys: &str) -> Next {
    let mut next = Next::GoOn;
    let mut rest = keys;
    while let Some(first) = rest.chars().next() {
        let named = [
            ("<Enter>", KeyCode::Enter),
            ("<Esc>", KeyCode::Esc),
            ("<Right>", KeyCode::Right),
            ("<Left>", KeyCode::Left),
            ("<Home>", KeyCode::Home),
            ("<End>", KeyCode::End),
            ("<PageDown>", KeyCode::PageDown),
            ("<Tab>", KeyCode::Tab),
        ];
        let found = named.into_iter().find(|(name, _)| rest.starts_with(name));
        let (length, code) = found
            .map_or((first.len_utf8(), KeyCode::Char(first)), |(name, code)| {
                (name.len(), code)
            });
        next = press(app, KeyEvent::new(code, KeyModifiers::NONE));
        rest = &rest[length..];
    }
    next
}

fn screen(app: &App<'_>, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a backend");
    let palette = Palette { coloured: true };
    terminal
        .draw(|frame| view::draw(app, palette, frame))
        .expect("drawn");
    let buffer = terminal.backend().buffer();
    let lines = buffer.content.chunks(usize::from(width)).map(|line| {
        let line: String = line.iter().map(ratatui::buffer::Cell::symbol).collect();
        line.trim_end().to_owned() + "\n"
    });
    lines.collect()
}

fn assert_shows(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn every_place_is_what_the_run_was_there() {
    let case = case("handover-slow.json");
    let records = trace(&case);
    let window = until(1_330);
    let recording = Recording::new(&case, window).expect("no panic");
    let kept = recording.records().len();
    assert_eq!(recording.records(), &records[..kept]);
    assert!(records[kept].at >= window.until && records[kept - 1].at < window.until);
    let (mut run, mut story) = (Run::new(&case.plan, case.behaviour), Story::default());
    let tell = |record: &Record| {
        run.observe(record);
        story.tell(&run, record, &Filter::all())
    };
    let lines: Vec<_> = records.iter().flat_map(tell).collect();
    let all = || (0..case.plan.clients()).map(ClientId);
    // Backwards, across checkpoints and between them.
    for place in [
        kept,
        kept - 1,
        2_049,
        2_048,
        2_047,
        1_025,
        1_024,
        1_023,
        700,
        1,
        0,
    ] {
        let mut expected = Run::new(&case.plan, case.behaviour);
        records[..place]
            .iter()
            .for_each(|record| expected.observe(record));
        let found = recording.run_at(Place(place));
        assert_eq!(found.report(1, all()), expected.report(1, all()), "{place}");
        assert_eq!(found.changed(), expected.changed(), "{place}");
        let from = place.saturating_sub(3);
        assert_eq!(
            recording.lines(Place(from), Place(place)),
            lines[from..place],
            "{place}"
        );
    }
}

#[test]
fn a_stretch_begins_with_what_was_before() {
    let case = case("handover-slow.json");
    let whole = Recording::new(&case, until(1_320)).expect("no panic");
    let window = Window {
        from: Time(1_300_000_000),
        ..until(1_320)
    };
    let part = Recording::new(&case, window).expect("no panic");
    let before = usize::try_from(part.before()).expect("a place");
    assert_eq!(part.records(), &whole.records()[before..]);
    let end = Place(part.records().len());
    let clients = || (0..case.plan.clients()).map(ClientId);
    for place in [Place(0), Place(7), end] {
        let same = Place(before + place.0);
        assert_eq!(
            part.run_at(place).report(1, clients()),
            whole.run_at(same).report(1, clients())
        );
    }
    assert_eq!(
        part.lines(Place(0), Place(5)),
        whole.lines(Place(before), Place(before + 5))
    );
    assert_eq!(part.report(), whole.report());
}

#[test]
fn a_run_that_is_too_long_is_cut_and_says_so() {
    let case = case("handover-slow.json");
    let recording = Recording::with_room(&case, until(1_400), 3_000).expect("no panic");
    assert_eq!(recording.records().len(), 3_000);
    assert!(recording.dropped() > 10_000);
    assert!(recording.findings().iter().all(Option::is_none));
    let app = App::new(&recording, Some(ClientId(0)));
    assert_shows(
        &screen(&app, 80, 24),
        &["only the first 3,000 records are kept", "--from"],
    );
}

#[test]
fn breakpoints_are_read_and_told_alike() {
    let case = case("handover-slow.json");
    let names = case.names();
    for text in [
        "client readers/1",
        "gate StandaloneRedirect",
        "role",
        "role old",
        "failover",
        "failover new",
        "finding",
        "finding bounce",
        "bounce",
        "fault",
        "time 1.200000s",
    ] {
        let breakpoint = Breakpoint::parse(text, names).expect(text);
        assert_eq!(breakpoint.words(names), text);
    }
    for (text, part) in [
        ("", "expected client G/N"),
        ("bonce", "nearest: \"bounce\""),
        ("gate StandaloneRedirct", "nearest: \"StandaloneRedirect\""),
        ("gate", "break on which gate?"),
        ("role odl", "nearest: \"old\""),
        ("finding bounces", "nearest: \"bounce\""),
        (
            "client readers/99",
            "no client \"readers/99\": there are app/0 to app/19, readers/0 to readers/4",
        ),
        ("client", "break on which client?"),
        ("time 5", "no unit"),
        ("bounce old", "one word too many"),
        ("role old new", "one word too many"),
    ] {
        let error = Breakpoint::parse(text, names).expect_err(text);
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn a_run_is_stopped_where_a_breakpoint_is_hit() {
    let case = case("handover-slow.json");
    let recording = Recording::new(&case, until(1_700)).expect("no panic");
    let mut app = App::new(&recording, Some(ClientId(0)));
    let mut hits = |breakpoint: &str| {
        keys(&mut app, &format!("dall<Enter><Home>b{breakpoint}<Enter>c"));
        recording.record_at(app.place()).copied().expect(breakpoint)
    };
    // The first turn is old's demotion, in the middle of its failover.
    let turn = hits("role");
    assert!(
        matches!(turn.event, Event::Node(_, NodeNote::Role { .. })),
        "{turn:?}"
    );
    assert_eq!(turn.at.to_string(), "1.312910s");
    assert_eq!(hits("role old"), turn);
    let failover = hits("failover old");
    assert_eq!(failover.at.to_string(), "1.000000s");
    assert!(matches!(hits("fault").event, Event::Fault { .. }));
    assert!(matches!(
        hits("bounce").event,
        Event::Client(
            _,
            ClientNote::Hop {
                bounce: true,
                hops: 2,
                ..
            }
        )
    ));
    assert!(matches!(
        hits("gate ClientPause").event,
        Event::Node(_, NodeNote::Gate { .. })
    ));
    let found = hits("finding connection-storm");
    assert_eq!(found.at.to_string(), "1.607051s");
    let client = case.names().client_named("arrivals/1").expect("a client");
    let first = hits("client arrivals/1");
    assert!(recording.concerns(&first, client));
    assert_eq!(app.followed(), Some(client));
    assert!(
        recording
            .records()
            .iter()
            .take(app.place().0 - 1)
            .all(|r| !recording.concerns(r, client))
    );

    // Two of them, forward and back again.
    keys(
        &mut app,
        "dall<Enter><Home>brole old<Enter>bfailover<Enter>cc",
    );
    let second = app.place();
    keys(&mut app, "c");
    let third = app.place();
    assert!(third > second);
    keys(&mut app, "C");
    assert_eq!(app.place(), second);
    keys(&mut app, "d1<Enter>");
    assert_eq!(app.breakpoints().len(), 1);
    // Nothing further: one stays where one is.
    keys(&mut app, "dall<Enter>brole new<Enter>c");
    assert_eq!(app.place(), second);
    assert_shows(
        &screen(&app, 80, 24),
        &["no breakpoint is hit from here to the end"],
    );
}

#[test]
fn times_words_and_the_story_are_found_both_ways() {
    let case = case("handover-slow.json");
    let recording = Recording::new(&case, until(1_700)).expect("no panic");
    let client = case.names().client_named("arrivals/1").expect("a client");
    let mut app = App::new(&recording, Some(client));
    let at = |app: &App<'_>| {
        recording
            .record_at(app.place())
            .expect("a record")
            .at
            .to_string()
    };
    keys(&mut app, "t1.3s<Enter>");
    let here = app.place();
    assert!(recording.records()[here.0 - 1].at >= Time(1_300_000_000));
    assert!(recording.records()[here.0 - 2].at < Time(1_300_000_000));
    keys(&mut app, "n");
    assert_eq!(at(&app), "1.312910s");
    let first = app.place();
    keys(&mut app, "nN");
    assert_eq!(app.place(), first);
    keys(&mut app, "/Demotes Itself<Enter>");
    assert_eq!(at(&app), "1.312910s");
    keys(&mut app, "<End>,");
    assert_eq!(at(&app), "1.312910s");
    keys(&mut app, "/BOUNCE<Enter>");
    let bounce = app.place();
    keys(&mut app, "..,");
    assert!(app.place() > bounce);
    keys(&mut app, ",");
    assert_eq!(app.place(), bounce);
    keys(&mut app, "/no such words<Enter>");
    assert_eq!(app.place(), bounce);
    assert!(app.notice().is_some_and(|notice| notice.bad));
    keys(&mut app, "<Esc>s");
    assert_eq!(app.telling(), Telling::Story);
    assert_eq!(keys(&mut app, "?q"), Next::GoOn);
    assert_eq!(keys(&mut app, "q"), Next::Quit);
}

#[test]
fn told_records_stand_where_they_happened() {
    let case = case("handover-slow.json");
    let recording = Recording::new(&case, until(1_700)).expect("no panic");
    let client = case.names().client_named("arrivals/1").expect("a client");
    let story = recording.story(Some(client));
    assert!(story.len() > 20);
    assert!(story.is_sorted_by_key(|told| told.place));
    let issued = story
        .iter()
        .find(|told| told.line.words == "issues SET #0")
        .expect("told");
    let record = recording.record_at(issued.place).expect("a record");
    assert!(
        matches!(record.event, Event::Client(whose, ClientNote::Issued { .. }) if whose == client)
    );
}

#[test]
fn the_middle_of_the_failover_is_seen_on_every_terminal() {
    let case = case("handover-slow.json");
    let recording = Recording::new(&case, until(1_700)).expect("no panic");
    let mut app = App::new(&recording, Some(ClientId(0)));
    keys(&mut app, "bbounce<Enter>c");
    let text = screen(&app, 80, 24);
    assert_shows(
        &text,
        &[
            "── Nodes",
            "── Clients",
            "── Records",
            "── Findings: 13 bounce, 8 connection-storm",
            "old  replica of new, failover-in-progress, link down, 22 postponed",
            "its path to",
            "new  replica of old, link up",
            "app/0  connected to",
            "readers/2*  ",
            "34 others: 1 bouncing, ",
            "▶ 1.313703s readers/2",
            "BOUNCE (old had already redirected it)",
            "breakpoint bounce",
            "1.313703s ",
            " seed 1 flagged, 21 findings",
        ],
    );
    let small = screen(&app, 40, 12);
    assert_shows(
        &small,
        &[
            "old  replica of new,",
            "failover-in-progress, link down",
            "new  replica of old, link up",
            "app/0",
            "▶ 1.313703s readers/2",
            "BOUNCE",
            "seed 1 flagged",
            "1.313703s",
        ],
    );
    // With one line less for nodes, each gets a line of its own.
    keys(&mut app, "bnothing<Enter>");
    let smaller = screen(&app, 40, 12);
    assert_shows(
        &smaller,
        &[
            "old  replica, failing over, link down",
            "new  replica, link up",
        ],
    );
    keys(&mut app, "<Esc>");
    let wide = screen(&app, 160, 40);
    assert_shows(
        &wide,
        &[
            "handover-slow under 8.0.0-rc1",
            "connection-storm arrivals/1",
        ],
    );
    assert_shows(&screen(&app, 39, 12), &["39 by 12", "needs 40 by 12"]);
    assert_shows(&screen(&app, 30, 5), &["30 by 5"]);
    keys(&mut app, "bgate Standalone<Enter>");
    assert_shows(
        &screen(&app, 80, 24),
        &[
            "nearest: \"StandaloneRedirect\"",
            "break on: gate Standalone",
        ],
    );
    assert_shows(
        &screen(&app, 40, 12),
        &["nearest:", "break on: gate Standalone"],
    );
    keys(&mut app, "<Esc>?");
    assert_shows(
        &screen(&app, 80, 30),
        &["set a breakpoint", "Ctrl-C", "any key goes back"],
    );
    let first = screen(&app, 40, 12);
    keys(&mut app, &"<Right>".repeat(30));
    let last = screen(&app, 40, 12);
    assert_shows(&first, &["one record on"]);
    assert_shows(&last, &["exit code 130"]);
    keys(&mut app, "<Esc>");
    assert_eq!(app.help(), None);
}

#[test]
fn no_size_and_no_place_is_too_much() {
    for scenario in [
        "handover-slow.json",
        "cluster-failover.json",
        "sentinel-coordinated.json",
    ] {
        let case = case(scenario);
        let recording = Recording::with_room(&case, until(3_000), 20_000).expect("no panic");
        let client = (recording.clients() > 0).then_some(ClientId(0));
        let mut app = App::new(&recording, client);
        for step in [
            "<Home>",
            "<Right>",
            "<PageDown>",
            "s",
            "n",
            "<End>",
            "]",
            "s",
            "<Left>",
            "b",
            "x<Enter>",
        ] {
            keys(&mut app, step);
            for width in [1, 20, 40, 60, 80, 119, 120, 250] {
                for height in [1, 5, 12, 13, 16, 24, 60] {
                    screen(&app, width, height);
                }
            }
        }
    }
}

#[test]
fn many_nodes_are_scrolled() {
    let case = case("cluster-failover.json");
    let recording = Recording::with_room(&case, until(3_000), 20_000).expect("no panic");
    let mut app = App::new(&recording, Some(ClientId(0)));
    keys(&mut app, "<End>");
    let names = recording.names();
    let first = names.node(rebound_sim::valkey::NodeId(0));
    let last = names.node(rebound_sim::valkey::NodeId(names.nodes() as u16 - 1));
    let shows = |text: &str, name: &str| text.lines().take(5).any(|line| line.starts_with(name));
    let text = screen(&app, 40, 12);
    assert!(shows(&text, first) && !shows(&text, last), "{text}");
    assert_shows(&text, &["more: ] and ["]);
    keys(&mut app, "]]]]]]]]]");
    let text = screen(&app, 40, 12);
    assert!(shows(&text, last) && !shows(&text, first), "{text}");
}

#[test]
fn the_search_goes_over_checkpoints() {
    let case = case("handover-slow.json");
    let recording = Recording::new(&case, until(1_400)).expect("no panic");
    let end = Place(recording.records().len());
    let found = |start, way| recording.search(start, way, "demotes itself");
    let place = found(Place(0), Way::Forward).expect("a demotion");
    assert_eq!(found(end, Way::Back), Some(place));
    assert_eq!(found(place, Way::Forward), None);
    assert_eq!(found(place, Way::Back), None);
    assert_eq!(found(Place(place.0 - 1), Way::Forward), Some(place));
    assert_eq!(found(Place(place.0 + 1), Way::Back), Some(place));
}
