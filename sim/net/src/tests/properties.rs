//! Properties that hold whatever happens on the network.

use proptest::prelude::*;

use super::*;

/// What was seen when these messages (gap before each in microseconds) were sent over a path
/// with these odds of loss.
fn seen_under(seed: u64, gaps: &[u64], loss: u32, bench: &mut Bench) -> Vec<(Time, Seen)> {
    bench.agenda.reset(seed);
    bench.wire.network.reset();
    bench.wire.log.clear();
    bench.wire.script.clear();
    let conn = bench.connect();
    bench.run_to(1_000);
    assert!(matches!(bench.wire.log.last(), Some((_, _, Connected))));
    bench.wire.log.clear();
    let odds = Some(Odds::per_million(loss));
    bench.wire.network.add_loss(CLIENT, SERVER, odds);
    let mut at = bench.agenda.now();
    for (number, gap) in gaps.iter().enumerate() {
        at += Duration::micros(*gap);
        let index = bench.wire.script.len();
        bench.wire.script.push(Some(Box::new(move |wire, agenda| {
            wire.network
                .send(agenda, agenda.now(), conn, Initiator, number as u32);
        })));
        bench.agenda.schedule(at, Event::Script(index));
    }
    bench.run_to(3_000_000);
    let entries = bench.wire.log.iter();
    entries.map(|(at, _, seen)| (*at, *seen)).collect()
}

fn jittery() -> Bench {
    let latency = Distribution::Uniform {
        low: Duration::micros(100),
        high: Duration::millis(20),
    };
    Bench::with(latency, Odds::NEVER)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is lost, everything arrives once and in order, unless all of a segment's
    /// transmissions are lost: then what was before it has arrived and its sender is told that it
    /// timed out. A run again is the same run, and a reset network is as good as a new one.
    #[test]
    fn everything_arrives_once_in_order_and_reproducibly(
        seed in any::<u64>(),
        gaps in prop::collection::vec(0u64..30_000, 1..60),
        loss in 0u32..600_000,
    ) {
        let mut bench = jittery();
        let seen = seen_under(seed, &gaps, loss, &mut bench);
        let order: Vec<Seen> = seen.iter().map(|(_, seen)| *seen).collect();
        let sent: Vec<Seen> = (0..gaps.len() as u32).map(|i| Got(Acceptor, i)).collect();
        match order.split_last() {
            Some((Closed(Initiator, Closing::TimedOut), arrived)) => {
                // Sixteen losses in a row; below these odds no seed of a lifetime has them.
                prop_assert!(loss > 100_000);
                prop_assert!(arrived.len() < sent.len());
                prop_assert_eq!(arrived, &sent[..arrived.len()]);
            }
            _ => prop_assert_eq!(order, sent),
        }
        prop_assert_eq!(bench.wire.network.in_flight(), 0);
        let _ = seen_under(seed ^ 1, &gaps, loss, &mut bench);
        prop_assert_eq!(&seen_under(seed, &gaps, loss, &mut bench), &seen);
        prop_assert_eq!(&seen_under(seed, &gaps, loss, &mut jittery()), &seen);
    }

    /// Losses only delay: with them on, no message is earlier than without, and those that no
    /// loss touches are exactly when they were.
    #[test]
    fn losses_leave_other_draws_as_they_were(seed in any::<u64>(), count in 1usize..40) {
        // Far apart, so that all losses of one are over before the next message.
        let gaps = vec![60_000_000; count];
        let mut bench = jittery();
        let without = seen_under(seed, &gaps, 0, &mut bench);
        let with = seen_under(seed, &gaps, 100_000, &mut bench);
        for (without, with) in without.iter().zip(&with) {
            let late = with.0.since(without.0);
            prop_assert!(without.0 <= with.0);
            prop_assert!(late == Duration::ZERO || late >= Duration::millis(200), "{late}");
        }
    }
}

/// Something that goes on on a network.
#[derive(Copy, Clone, Debug)]
enum Act {
    Connect(u32, u32),
    Send(usize, bool),
    Close(usize, bool),
    Abort(usize, bool),
    CutConnection(usize),
    ResetPath(u32, u32),
    Cut(u32, u32, bool, u64),
    Clog(u32, u32, bool, u64),
    Loss(u32, u32, u32),
    HostDown(u32, bool, u64),
    Crash(u32, u64),
}

fn acts() -> impl Strategy<Value = Act> {
    let (from, to, side) = (0u32..4, 0u32..2, any::<bool>());
    let (conn, lasts) = (0usize..64, 1u64..5_000);
    prop_oneof![
        4 => (from.clone(), to.clone()).prop_map(|(from, to)| Act::Connect(from, to)),
        12 => (conn.clone(), side).prop_map(|(conn, side)| Act::Send(conn, side)),
        2 => (conn.clone(), side).prop_map(|(conn, side)| Act::Close(conn, side)),
        1 => (conn.clone(), side).prop_map(|(conn, side)| Act::Abort(conn, side)),
        1 => conn.prop_map(Act::CutConnection),
        1 => (from.clone(), to.clone()).prop_map(|(from, to)| Act::ResetPath(from, to)),
        1 => (from.clone(), to.clone(), side, lasts.clone())
            .prop_map(|(from, to, way, lasts)| Act::Cut(from, to, way, lasts)),
        1 => (from.clone(), to.clone(), side, lasts.clone())
            .prop_map(|(from, to, way, lasts)| Act::Clog(from, to, way, lasts)),
        1 => (from.clone(), to.clone(), 0u32..1_000_000)
            .prop_map(|(from, to, odds)| Act::Loss(from, to, odds)),
        1 => (from, side, lasts.clone()).prop_map(|(host, crash, lasts)| Act::HostDown(host, crash, lasts)),
        1 => (to, lasts).prop_map(|(host, lasts)| Act::Crash(host, lasts)),
    ]
}

fn side_of(initiator: bool) -> Side {
    if initiator { Initiator } else { Acceptor }
}

/// Whether this end of `conn` has it, as far as its process knows.
fn has(wire: &Wire, conn: ConnId, side: Side) -> bool {
    let begun = match side {
        Initiator => Connected,
        Acceptor => Accepted,
    };
    let mut has = false;
    for (_, _, seen) in wire.log.iter().filter(|(_, id, _)| *id == conn) {
        has |= *seen == begun;
    }
    has
}

fn perform(act: Act, number: u32, opened: &[ConnId], wire: &mut Wire, agenda: &mut Agenda<Event>) {
    let pick = |conn: usize| opened.get(conn % opened.len().max(1)).copied();
    let now = agenda.now();
    let network = &mut wire.network;
    match act {
        Act::Connect(..) | Act::Cut(..) | Act::Clog(..) | Act::HostDown(..) | Act::Crash(..) => {
            unreachable!("scheduled by the caller")
        }
        Act::Send(conn, side) => {
            let side = side_of(side);
            if let Some(conn) = pick(conn).filter(|conn| has(wire, *conn, side)) {
                let at = now + Duration::micros(u64::from(number % 3));
                let message = agenda.events() as u32;
                wire.network.send(agenda, at, conn, side, message);
            }
        }
        Act::Close(conn, side) | Act::Abort(conn, side) => {
            let side = side_of(side);
            let early = side == Initiator;
            let Some(conn) = pick(conn).filter(|conn| early || has(wire, *conn, side)) else {
                return;
            };
            if matches!(act, Act::Close(..)) {
                wire.network.close(agenda, now, conn, side);
            } else {
                wire.network.abort(agenda, now, conn, side);
            }
        }
        Act::CutConnection(conn) => {
            if let Some(conn) = pick(conn) {
                network.cut_connection(agenda, now, conn);
            }
        }
        Act::ResetPath(from, to) => network.reset_path(agenda, HostId(from), HostId(to)),
        Act::Loss(from, to, odds) => {
            let odds = Some(Odds::per_million(odds));
            network.add_loss(HostId(from), HostId(to), odds);
        }
    }
}

/// Schedules `act`, and its end if it has one.
fn schedule(bench: &mut Bench, ms: u64, act: Act, number: u32, opened: &Opened) {
    let opened = opened.clone();
    match act {
        Act::Connect(from, to) => bench.at(ms, move |wire, agenda| {
            let now = agenda.now();
            let (from, to) = (HostId(from), HostId(to));
            let conn = wire.network.connect(agenda, now, from, to, 0);
            opened.borrow_mut().push(conn);
        }),
        Act::Cut(from, to, forward, lasts) => {
            let direction = Direction::BOTH[usize::from(forward)];
            let (from, to) = (HostId(from), HostId(to));
            bench.at(ms, move |wire, agenda| {
                wire.network.cut(agenda, from, to, direction)
            });
            bench.at(ms + lasts, move |wire, agenda| {
                wire.network.uncut(agenda, from, to, direction);
            });
        }
        Act::Clog(from, to, forward, lasts) => {
            let direction = Direction::BOTH[usize::from(forward)];
            let (from, to) = (HostId(from), HostId(to));
            bench.at(ms, move |wire, _| wire.network.clog(from, to, direction));
            bench.at(ms + lasts, move |wire, agenda| {
                wire.network.unclog(agenda, from, to, direction);
            });
        }
        Act::HostDown(host, crash, lasts) => {
            let host = HostId(host);
            bench.at(ms, move |wire, agenda| {
                wire.network.set_host_up(agenda, host, false);
                if crash {
                    wire.network.abort_all(agenda, host, |_, _| {});
                }
            });
            bench.at(ms + lasts, move |wire, agenda| {
                wire.network.set_host_up(agenda, host, true);
            });
        }
        Act::Crash(host, lasts) => {
            let host = HostId(host);
            bench.at(ms, move |wire, agenda| {
                wire.network.listen(host, false);
                wire.network.abort_all(agenda, host, |_, _| {});
            });
            bench.at(ms + lasts, move |wire, _| wire.network.listen(host, true));
        }
        Act::Send(..)
        | Act::Close(..)
        | Act::Abort(..)
        | Act::CutConnection(_)
        | Act::ResetPath(..)
        | Act::Loss(..) => bench.at(ms, move |wire, agenda| {
            perform(act, number, &opened.borrow(), wire, agenda);
        }),
    }
}

type Opened = std::rc::Rc<std::cell::RefCell<Vec<ConnId>>>;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever happens: what an end gets is in order and once, it is told of the end at most
    /// once and of nothing after it, and when everything has healed and all processes have died
    /// nothing is left.
    #[test]
    fn no_end_is_told_anything_twice_and_nothing_is_left(
        seed in any::<u64>(),
        acts in prop::collection::vec((0u64..300, acts()), 1..120),
    ) {
        let mut bench = jittery();
        bench.agenda.reset(seed);
        let opened = Opened::default();
        let mut ms = 0;
        for (number, (gap, act)) in acts.into_iter().enumerate() {
            ms += gap;
            schedule(&mut bench, ms, act, number as u32, &opened);
        }
        bench.run_to(10_000_000);
        for conn in opened.borrow().iter() {
            let of_it = |side| {
                bench.wire.log.iter().filter(move |(_, id, seen)| id == conn && match seen {
                    Accepted => side == Acceptor,
                    Connected | Failed(_) => side == Initiator,
                    Got(end, _) | Closed(end, _) => *end == side,
                }).map(|(_, _, seen)| *seen)
            };
            for side in [Initiator, Acceptor] {
                let seen: Vec<Seen> = of_it(side).collect();
                let (mut last, mut over) = (None, false);
                for (index, seen) in seen.iter().enumerate() {
                    prop_assert!(!over, "after the end: {seen:?}");
                    match seen {
                        Accepted | Connected => prop_assert_eq!(index, 0),
                        Failed(_) => {
                            prop_assert_eq!(index, 0);
                            over = true;
                        }
                        Got(_, message) => {
                            prop_assert!(index > 0 && last < Some(*message));
                            last = Some(*message);
                        }
                        Closed(..) => {
                            prop_assert!(index > 0);
                            over = true;
                        }
                    }
                }
            }
        }
        for host in 0..4 {
            bench.wire.network.abort_all(&mut bench.agenda, HostId(host), |_, _| {});
        }
        prop_assert_eq!(bench.wire.network.open_connections(), 0);
        prop_assert_eq!(bench.wire.network.in_flight(), 0);
    }
}
