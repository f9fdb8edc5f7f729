//! Tests of the network as its world sees it, against what Linux 6.18 was measured to do.

mod faults;
mod properties;

use super::*;
use rebound_engine::{
    Agenda, Distribution, Duration, Limits, Odds, Phase, Schedule, TieBreak, Time, World,
};

/// One-way delay in most tests; a round trip is 10 ms and R is 210 ms.
const ONE_WAY: Duration = Duration::millis(5);
const CLIENT: HostId = HostId(2);
const SERVER: HostId = HostId(0);

#[derive(Copy, Clone)]
enum Event {
    Net(NetEvent),
    Script(usize),
}

impl From<NetEvent> for Event {
    fn from(event: NetEvent) -> Event {
        Event::Net(event)
    }
}

/// What the world was told.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Seen {
    Accepted,
    Connected,
    Failed(ConnectFailure),
    Got(Side, u32),
    Closed(Side, Closing),
}

use Seen::{Accepted, Closed, Connected, Failed, Got};
use Side::{Acceptor, Initiator};

type Step = Box<dyn FnOnce(&mut Wire, &mut Agenda<Event>)>;

/// Two servers and two clients on one network, a script, and a log of what was seen.
struct Wire {
    network: Network<u32>,
    script: Vec<Option<Step>>,
    log: Vec<(Time, ConnId, Seen)>,
}

impl World for Wire {
    type Event = Event;

    fn handle(&mut self, event: Event, agenda: &mut Agenda<Event>) {
        let now = agenda.now();
        match event {
            Event::Script(place) => {
                let step = self.script[place].take().expect("each step happens once");
                step(self, agenda);
            }
            Event::Net(event) => match self.network.handle(agenda, event) {
                None => {}
                Some(Notice::Accepted(conn)) => self.log.push((now, conn, Accepted)),
                Some(Notice::Connected(conn)) => self.log.push((now, conn, Connected)),
                Some(Notice::ConnectFailed(conn, why)) => self.log.push((now, conn, Failed(why))),
                Some(Notice::Arrivals(conn, side)) => {
                    while let Some((arrival, more)) = self.network.take(agenda, conn, side) {
                        let seen = match arrival {
                            Arrival::Message { message, .. } => Got(side, message),
                            Arrival::Closed(closing) => Closed(side, closing),
                        };
                        self.log.push((now, conn, seen));
                        if more == More::No {
                            break;
                        }
                    }
                }
            },
        }
    }

    fn enter(&mut self, _: Phase, _: &mut Agenda<Event>) {}

    fn settled(&self) -> bool {
        false
    }

    fn backlog(&self) -> u64 {
        self.network.open_connections() + self.network.in_flight()
    }
}

struct Bench {
    wire: Wire,
    agenda: Agenda<Event>,
}

impl Bench {
    fn with(latency: Distribution, loss: Odds) -> Bench {
        let names = ["a", "b", "c0", "c1"].map(String::from);
        let profiles = vec![PathProfile { latency, loss }];
        let mut agenda = Agenda::new(TieBreak::Fifo);
        let tcp = TcpTimers::default();
        let network = Network::new(&names, 2, profiles, tcp, &mut agenda.chooser);
        agenda.reset(1);
        let wire = Wire {
            network,
            script: Vec::new(),
            log: Vec::new(),
        };
        Bench { wire, agenda }
    }

    /// A network without losses whose latency is constant.
    fn plain() -> Bench {
        Bench::with(Distribution::Constant(ONE_WAY), Odds::NEVER)
    }

    /// A plain network with a connection that is established when this returns, at 100 ms.
    fn connected() -> (Bench, ConnId) {
        let mut bench = Bench::plain();
        let conn = bench.connect();
        bench.run_to(100);
        bench.wire.log.clear();
        (bench, conn)
    }

    fn connect(&mut self) -> ConnId {
        let Bench { wire, agenda } = self;
        let now = agenda.now();
        wire.network.connect(agenda, now, CLIENT, SERVER, 7)
    }

    /// Lets something happen, this many milliseconds after the start.
    fn at(&mut self, ms: u64, step: impl FnOnce(&mut Wire, &mut Agenda<Event>) + 'static) {
        let place = self.wire.script.len();
        self.wire.script.push(Some(Box::new(step)));
        let at = Time::ZERO + Duration::millis(ms);
        self.agenda.schedule(at, Event::Script(place));
    }

    fn send_at(&mut self, ms: u64, conn: ConnId, side: Side, message: u32) {
        self.at(ms, move |wire, agenda| {
            wire.network.send(agenda, agenda.now(), conn, side, message);
        });
    }

    fn cut_at(&mut self, ms: u64, direction: Direction) {
        self.at(ms, move |wire, agenda| {
            wire.network.cut(agenda, CLIENT, SERVER, direction);
        });
    }

    fn uncut_at(&mut self, ms: u64, direction: Direction) {
        self.at(ms, move |wire, agenda| {
            wire.network.uncut(agenda, CLIENT, SERVER, direction);
        });
    }

    /// Everything that is sent between these two is lost once.
    fn lose_once(&mut self, from_ms: u64, to_ms: u64) {
        self.cut_at(from_ms, Direction::Forward);
        self.uncut_at(to_ms, Direction::Forward);
    }

    fn run_to(&mut self, ms: u64) {
        let end = Time::ZERO + Duration::millis(ms);
        let limits = Limits {
            heal_at: end,
            load_until: end,
            deadline: end,
            max_events: 1_000_000,
            max_backlog: 1_000_000,
        };
        self.agenda.run(&mut self.wire, &limits);
    }

    /// Runs to the end of everything, and gives the log in milliseconds.
    fn run(&mut self) -> Vec<(u64, Seen)> {
        self.run_to(2_000_000);
        self.log()
    }

    fn log(&self) -> Vec<(u64, Seen)> {
        let ms = |at: Time| at.nanos() / 1_000_000;
        let entries = self.wire.log.iter();
        entries.map(|(at, _, seen)| (ms(*at), *seen)).collect()
    }
}

#[test]
fn a_connection_takes_a_round_trip_and_a_message_half_of_one() {
    let mut bench = Bench::plain();
    let conn = bench.connect();
    bench.send_at(20, conn, Initiator, 1);
    bench.send_at(25, conn, Acceptor, 2);
    let log = bench.run();
    let expected = [
        (5, Accepted),
        (10, Connected),
        (25, Got(Acceptor, 1)),
        (30, Got(Initiator, 2)),
    ];
    assert_eq!(log, expected);
    let network = &bench.wire.network;
    assert_eq!((network.open_connections(), network.in_flight()), (1, 0));
    assert_eq!(network.cookie(conn, Initiator), 7);
    assert_eq!(network.host(conn, Acceptor), SERVER);
}

#[test]
fn a_closed_port_refuses_after_a_round_trip() {
    let mut bench = Bench::plain();
    bench.wire.network.listen(SERVER, false);
    let conn = bench.connect();
    assert_eq!(bench.run(), [(10, Failed(ConnectFailure::Refused))]);
    assert!(!bench.wire.network.is_open(conn));
}

#[test]
fn nothing_reaches_the_initiator_before_it_is_connected() {
    let mut bench = Bench::with(
        Distribution::Uniform {
            low: Duration::millis(1),
            high: Duration::millis(100),
        },
        Odds::NEVER,
    );
    for _ in 0..20 {
        let start = bench.agenda.now();
        let conn = bench.connect();
        while bench.wire.log.is_empty() {
            bench.run_to(bench.agenda.now().nanos() / 1_000_000 + 1);
        }
        bench
            .wire
            .network
            .send(&mut bench.agenda, start, conn, Acceptor, 1);
        bench.run_to(bench.agenda.now().nanos() / 1_000_000 + 1_000);
        let seen: Vec<Seen> = bench.wire.log.drain(..).map(|(_, _, seen)| seen).collect();
        assert_eq!(seen, [Accepted, Connected, Got(Initiator, 1)]);
    }
}

#[test]
fn a_lost_segment_comes_after_r_and_what_is_behind_it_with_it() {
    let (mut bench, conn) = Bench::connected();
    bench.lose_once(1_000, 1_002);
    bench.send_at(1_001, conn, Initiator, 1);
    bench.send_at(1_020, conn, Initiator, 2);
    // R = 210 ms after it was sent, and a one-way delay.
    let expected = [(1_216, Got(Acceptor, 1)), (1_216, Got(Acceptor, 2))];
    assert_eq!(bench.run(), expected);
}

/// A network on which segments of the client's are lost so many times, by their place among
/// what it sends (the SYN is the first).
fn losing(losses: &[u32]) -> Bench {
    let odds = Odds::per_million(1_000);
    let mut bench = Bench::with(Distribution::Constant(ONE_WAY), odds);
    let answers = losses.iter().map(|losses| {
        // Below the odds to this power, and above the next.
        (0..*losses).fold(u64::MAX / 2, |raw, _| raw / 1_000)
    });
    let mut schedule = Schedule::default();
    schedule
        .streams
        .insert("net/c0>a/forward/loss".to_owned(), answers.collect());
    bench.agenda.chooser.follow(schedule);
    bench
}

#[test]
fn a_segment_lost_n_times_comes_after_r_doubled() {
    for (losses, late) in [(0, 0), (1, 210), (2, 420), (3, 840), (4, 1_680), (5, 3_360)] {
        let mut bench = losing(&[0, losses]);
        let conn = bench.connect();
        bench.send_at(100, conn, Initiator, 1);
        assert_eq!(bench.run()[2..], [(105 + late, Got(Acceptor, 1))]);
    }
}

#[test]
fn a_lost_syn_costs_a_second_each() {
    for losses in 0..4 {
        let mut bench = losing(&[losses]);
        bench.connect();
        let after = u64::from(losses) * 1_000;
        assert_eq!(
            bench.run(),
            [(after + 5, Accepted), (after + 10, Connected)]
        );
    }
}

#[test]
fn three_later_segments_hasten_a_lost_one() {
    for later in 0..5 {
        let mut bench = losing(&[0, 1]);
        let conn = bench.connect();
        bench.send_at(100, conn, Initiator, 0);
        for i in 1..=later {
            bench.send_at(100 + u64::from(i), conn, Initiator, i);
        }
        let log = &bench.run()[2..];
        // A round trip and a one-way delay; with the answer, two round trips.
        let arrived = if later >= 3 { 115 } else { 315 };
        let expected: Vec<_> = (0..=later).map(|i| (arrived, Got(Acceptor, i))).collect();
        assert_eq!(log, expected);
    }
    // Too late: more than a round trip later; and lost themselves.
    for (gap, losses) in [(11, [0, 1, 0, 0, 0]), (1, [0, 1, 1, 0, 0])] {
        let mut bench = losing(&losses);
        let conn = bench.connect();
        for i in 0..4 {
            bench.send_at(100 + gap * i, conn, Initiator, i as u32);
        }
        assert_eq!(bench.run()[2], (315, Got(Acceptor, 0)));
    }
}

#[test]
fn syns_are_sent_again_after_one_two_and_three_seconds() {
    for (lasts, connected) in [(500, 1_010), (1_500, 2_010), (2_500, 3_010), (5_500, 7_010)] {
        for direction in Direction::BOTH {
            let mut bench = Bench::plain();
            bench.cut_at(0, direction);
            bench.at(0, |wire, agenda| {
                wire.network
                    .connect(agenda, agenda.now(), CLIENT, SERVER, 0);
            });
            bench.uncut_at(lasts, direction);
            let expected = [(connected - 5, Accepted), (connected, Connected)];
            assert_eq!(bench.run(), expected);
        }
    }
}

#[test]
fn a_connect_without_any_answer_fails_after_131_seconds() {
    let mut bench = Bench::with(
        Distribution::Constant(ONE_WAY),
        Odds::per_million(1_000_000),
    );
    bench.connect();
    assert_eq!(bench.run(), [(131_000, Failed(ConnectFailure::TimedOut))]);
    let mut bench = Bench::plain();
    bench.cut_at(0, Direction::Backward);
    bench.at(0, |wire, agenda| {
        wire.network
            .connect(agenda, agenda.now(), CLIENT, SERVER, 0);
    });
    assert_eq!(bench.run(), [(131_000, Failed(ConnectFailure::TimedOut))]);
    assert_eq!(bench.wire.network.open_connections(), 0);
}

#[test]
fn an_orderly_close_comes_after_what_was_sent() {
    for side in [Initiator, Acceptor] {
        let (mut bench, conn) = Bench::connected();
        bench.send_at(200, conn, side, 1);
        bench.at(201, move |wire, agenda| {
            wire.network.close(agenda, agenda.now(), conn, side);
        });
        bench.send_at(202, conn, side.other(), 2); // Goes nowhere.
        let peer = side.other();
        let expected = [(205, Got(peer, 1)), (206, Closed(peer, Closing::Fin))];
        assert_eq!(bench.run(), expected);
        let network = &bench.wire.network;
        assert!(!network.is_open(conn));
        assert_eq!((network.open_connections(), network.in_flight()), (0, 0));
    }
}

#[test]
fn ends_that_both_close_are_told_nothing() {
    let (mut bench, conn) = Bench::connected();
    for side in [Initiator, Acceptor] {
        bench.at(200, move |wire, agenda| {
            wire.network.close(agenda, agenda.now(), conn, side);
        });
    }
    assert_eq!(bench.run(), []);
    assert_eq!(bench.wire.network.open_connections(), 0);
}

#[test]
fn an_initiator_may_close_during_the_handshake() {
    for (at, expected) in [
        (2, vec![]),
        (
            7,
            vec![(5, Accepted), (12, Closed(Acceptor, Closing::Reset))],
        ),
    ] {
        let mut bench = Bench::plain();
        let conn = bench.connect();
        bench.at(at, move |wire, agenda| {
            wire.network.close(agenda, agenda.now(), conn, Initiator);
        });
        assert_eq!(bench.run(), expected);
        assert_eq!(bench.wire.network.open_connections(), 0);
    }
}

#[test]
fn places_are_used_again_without_stale_deliveries() {
    let (mut bench, first) = Bench::connected();
    bench.send_at(200, first, Initiator, 1);
    bench.at(201, move |wire, agenda| {
        wire.network.abort(agenda, agenda.now(), first, Initiator);
        wire.network.abort(agenda, agenda.now(), first, Acceptor);
        let second = wire
            .network
            .connect(agenda, agenda.now(), CLIENT, SERVER, 9);
        assert_eq!(second.index, first.index);
        assert_ne!(second.generation, first.generation);
        wire.network.send(agenda, agenda.now(), first, Initiator, 2); // Goes nowhere.
    });
    assert_eq!(bench.run(), [(206, Accepted), (211, Connected)]);
    assert!(!bench.wire.network.is_open(first));
}

#[test]
fn what_is_sent_at_one_instant_is_one_segment() {
    let latency = Distribution::Uniform {
        low: Duration::millis(1),
        high: Duration::millis(50),
    };
    let mut bench = Bench::with(latency, Odds::NEVER);
    let conn = bench.connect();
    bench.run_to(1_000);
    bench.wire.log.clear();
    bench.at(2_000, move |wire, agenda| {
        for message in 0..5 {
            wire.network
                .send(agenda, agenda.now(), conn, Initiator, message);
        }
        wire.network.close(agenda, agenda.now(), conn, Initiator);
    });
    let log = bench.run();
    assert_eq!(log.len(), 6);
    assert!(log.iter().all(|(at, _)| *at == log[0].0));
}
