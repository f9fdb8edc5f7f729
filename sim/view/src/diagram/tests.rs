//! Diagrams of small runs made by hand.

use super::*;
use crate::Filter;
use rebound_engine::Duration;
use rebound_net::{ConnId, HostId, Note as NetNote};
use rebound_sim::client::{
    ClientId, CommandOutcome, Note as ClientNote, Saw, WriteRange, WrittenKeys,
};
use rebound_sim::results::{MODEL, RunReport, Verdict};
use rebound_sim::trace::{Event, Record, Sending, Sink};
use rebound_sim::valkey::{
    AddressBook, Behaviour, Belief, Command, CommandKind, Message, NodeId, Note as NodeNote,
    Redirect, RedirectKind, Reply, Request, Tag, WriteId,
};

const OLD: HostId = HostId(0);
const NEW: HostId = HostId(1);
const APP: HostId = HostId(2);
const CLIENT: ClientId = ClientId(0);

fn conn(index: u32) -> ConnId {
    ConnId {
        index,
        generation: 0,
    }
}

fn report() -> RunReport {
    RunReport {
        schema: RunReport::SCHEMA.to_owned(),
        scenario: "drawn".to_owned(),
        scenario_hash: String::new(),
        behaviour: "8.0.1".to_owned(),
        model: MODEL.to_owned(),
        seed: "1".to_owned(),
        verdict: Verdict::Clean,
        trace_hash: String::new(),
        events: 0,
        virtual_ns: 0,
        clients: Default::default(),
        commands: Default::default(),
        writes: Default::default(),
        hops: Default::default(),
        bounces: Default::default(),
        errors: Default::default(),
        connections_opened: 0,
        findings: Vec::new(),
        findings_total: Default::default(),
    }
}

/// Hands a recorder what happens, a millisecond apart.
struct Bench {
    recorder: Recorder,
    at: Time,
}

impl Bench {
    fn step(&mut self) -> Time {
        self.at = Time(self.at.nanos() + 1_000_000);
        self.at
    }

    fn record(&mut self, event: Event) {
        let at = self.step();
        self.recorder.record(&Record { at, event });
    }

    fn send(&mut self, conn: ConnId, (from, to): (HostId, HostId), message: Message) -> Time {
        let at = self.step();
        self.recorder.sent(&Sending {
            at,
            conn,
            from,
            to,
            message,
        });
        at
    }

    fn deliver(&mut self, conn: ConnId, (from, to): (HostId, HostId), message: Message) {
        let sent_at = self.send(conn, (from, to), message);
        self.record(Event::Net(NetNote::Delivered {
            conn,
            from,
            to,
            sent_at,
            message,
        }));
    }

    fn issue(&mut self, command: u32) {
        self.record(Event::Client(
            CLIENT,
            ClientNote::Issued {
                command,
                kind: CommandKind::Set,
                writes: WriteRange {
                    first: WriteId(0),
                    count: 1,
                },
                keys: WrittenKeys::one(0),
            },
        ));
    }

    fn ask(&mut self, to: HostId, command: u32) {
        self.deliver(conn(to.0), (APP, to), set(command));
    }

    fn served(&mut self, from: HostId, command: u32, hops: u32) {
        let reply = Message::Reply {
            tag: Tag::command(command),
            reply: Reply::Ok,
        };
        self.deliver(conn(from.0), (from, APP), reply);
        self.record(Event::Client(
            CLIENT,
            ClientNote::Ended {
                command,
                kind: CommandKind::Set,
                outcome: CommandOutcome::Served,
                hops,
                bounces: hops.saturating_sub(1),
                took: Duration::millis(1),
                writes: WriteRange {
                    first: WriteId(0),
                    count: 1,
                },
                from: AddressBook::of(NodeId(0)),
                key: 0,
                saw: Saw::Nothing,
            },
        ));
    }

    fn redirected(&mut self, command: u32, hops: u32, from: HostId, to: HostId) {
        let addr = AddressBook::of(NodeId(to.0 as u16));
        let redirect = Redirect::new(RedirectKind::Redirect, addr, Belief::default());
        let reply = Reply::Redirect(redirect);
        let message = Message::Reply {
            tag: Tag::command(command),
            reply,
        };
        self.deliver(conn(from.0), (from, APP), message);
        self.record(Event::Client(
            CLIENT,
            ClientNote::Hop {
                command,
                kind: CommandKind::Set,
                from: NodeId(from.0 as u16),
                to: addr,
                via: RedirectKind::Redirect,
                hops,
                bounce: hops > 1,
                belief: Belief::default(),
            },
        ));
    }
}

fn set(command: u32) -> Message {
    Message::Request(Request {
        tag: Tag::command(command),
        command: Command::Set(0, WriteId(0)),
    })
}

/// The rows of a diagram of what `play` does, in words.
fn drawn(play: impl Fn(&mut Bench)) -> Vec<String> {
    let text = r#"{
        "name": "drawn",
        "nodes": [{"name": "old"}, {"name": "new", "replica_of": "old"}],
        "clients": [{"name": "app", "count": 2}]
    }"#;
    let plan = rebound_sim::scenario::parse(text, "drawn.json").expect("a scenario");
    let plan = std::sync::Arc::new(plan);
    let behaviour = Behaviour::named("8.0.1").expect("a behaviour");
    let mut bench = Bench {
        recorder: Recorder::new(&plan, behaviour, Filter::story(vec![CLIENT])),
        at: Time::ZERO,
    };
    play(&mut bench);
    let diagram = bench.recorder.finish(&report(), None);
    let name = |column: usize| diagram.columns[column].name.clone();
    let arrow = |part: &str, place: usize| {
        let arrow = &diagram.arrows[place];
        let (from, to) = (name(arrow.from), name(arrow.to));
        let lost = match arrow.fate {
            Fate::Arrived(_) => "",
            Fate::Lost => " lost",
            Fate::UnderWay => " under way",
        };
        format!("{part}{from} -> {to}: {}{lost}", arrow.label)
    };
    let row = |row: &Row| match &row.what {
        What::Arrow(place) => arrow("", *place),
        What::Departs(place) => arrow("departs ", *place),
        What::Arrives(place) => arrow("arrives ", *place),
        What::Note(note) => {
            let column = note.column.map_or("all".to_owned(), name);
            format!("{column}: {}", note.label)
        }
        What::Fold(fold) => fold.label.clone(),
    };
    diagram.rows.iter().map(row).collect()
}

#[test]
fn commands_that_are_served_at_once_are_folded() {
    let rows = drawn(|bench| {
        for command in 0..3 {
            bench.issue(command);
            bench.ask(OLD, command);
            bench.served(OLD, command, 0);
        }
    });
    assert_eq!(rows, ["… 3 commands served at once"]);
}

#[test]
fn the_middle_of_a_long_chain_is_folded() {
    let rows = drawn(|bench| {
        bench.issue(0);
        let (mut here, mut there) = (OLD, NEW);
        for hops in 1..=20 {
            bench.ask(here, 0);
            bench.redirected(0, hops, here, there);
            std::mem::swap(&mut here, &mut there);
        }
        bench.ask(here, 0);
        bench.served(here, 0, 20);
    });
    assert_eq!(
        rows,
        [
            "app/0 -> old: SET #0",
            "old -> app/0: redirect 1 to new",
            "app/0 -> new: SET #0",
            "new -> app/0: BOUNCE 2 to old",
            "app/0 -> old: SET #0",
            "old -> app/0: BOUNCE 3 to new",
            "app/0 -> new: SET #0",
            "new -> app/0: BOUNCE 4 to old",
            "… 15 more redirects back and forth",
            "app/0 -> new: SET #0",
            "new -> app/0: BOUNCE 20 to old",
            "app/0 -> old: SET #0",
            "old -> app/0: +OK",
            "app/0: SET #0 served after 1ms",
        ]
    );
}

#[test]
fn what_never_arrives_is_shown_as_lost() {
    let rows = drawn(|bench| {
        bench.issue(0);
        bench.send(conn(0), (APP, OLD), set(0));
        bench.record(Event::Net(NetNote::Closed {
            conn: conn(0),
            from: APP,
            to: OLD,
            how: rebound_net::Closing::Reset,
        }));
        bench.ask(NEW, 0);
        bench.served(NEW, 0, 0);
    });
    assert_eq!(
        rows,
        [
            "app/0 -> old: SET #0 lost",
            "old: connection to app/0 reset",
            "app/0 -> new: SET #0",
            "new -> app/0: +OK",
        ]
    );
}

#[test]
fn what_takes_long_begins_and_ends_in_rows_of_its_own() {
    let rows = drawn(|bench| {
        bench.issue(0);
        let sent_at = bench.send(conn(0), (APP, OLD), set(0));
        bench.record(Event::Node(NodeId(1), NodeNote::Released { commands: 2 }));
        bench.at = Time(400_000_000);
        bench.record(Event::Net(NetNote::Delivered {
            conn: conn(0),
            from: APP,
            to: OLD,
            sent_at,
            message: set(0),
        }));
    });
    assert_eq!(
        rows,
        [
            "departs app/0 -> old: SET #0",
            "new: runs 2 commands held",
            "arrives app/0 -> old: SET #0",
            "app/0: SET #0: no end",
        ]
    );
}

#[test]
fn labels_are_short() {
    let long = labels::cut("a label that is much too long".to_owned());
    assert_eq!(long, "a label that is much to…");
    assert!(long.chars().count() <= Arrow::LABEL);
}
