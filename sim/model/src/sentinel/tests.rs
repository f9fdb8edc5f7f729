//! Sentinel driven by hand, with nodes that answer at once and do as they are told.

use super::*;
use crate::valkey::{
    Addr, AddressBook, Belief, ClientType, Command, CommandKind, FailoverState, LinkState, Reply,
    Role,
};
use rebound_engine::{Chooser, StreamId};

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);
const C: NodeId = NodeId(2);

/// A node as it answers.
struct Node {
    alive: bool,
    /// Whether it carries out orders.
    obeys: bool,
    primary: Option<Addr>,
    failing_over: bool,
    offset: u64,
}

impl Node {
    fn info(&self) -> Reply {
        let (role, link) = match self.primary {
            Some(_) => (Role::Replica, LinkState::Up),
            None => (Role::Primary, LinkState::None),
        };
        let failover = if self.failing_over {
            FailoverState::InProgress
        } else {
            FailoverState::NoFailover
        };
        Reply::Info {
            belief: Belief {
                role,
                failover,
                link,
            },
            primary: self.primary,
            offset: self.offset.into(),
        }
    }
}

struct Bench {
    sentinel: Sentinel,
    chooser: Chooser,
    streams: [StreamId; 2],
    now: Time,
    wake: Time,
    nodes: Vec<Node>,
    orders: Vec<(Time, NodeId, Command)>,
    notices: Vec<(Time, Note, NodeId)>,
}

impl Bench {
    /// A with its replicas, met for the first time.
    fn new(config: SentinelConfig, nodes: u16) -> Bench {
        let mut chooser = Chooser::default();
        let streams = [
            chooser.stream("sentinel/tick".to_owned()),
            chooser.stream("sentinel/desync".to_owned()),
        ];
        chooser.reset(7);
        let node = |n| Node {
            alive: true,
            obeys: true,
            primary: (n > 0).then_some(AddressBook::of(A)),
            failing_over: false,
            offset: 100,
        };
        let mut bench = Bench {
            sentinel: Sentinel::new(config, A, (1..nodes).map(NodeId)),
            chooser,
            streams,
            now: Time::ZERO,
            wake: Time::ZERO,
            nodes: (0..nodes).map(node).collect(),
            orders: Vec::new(),
            notices: Vec::new(),
        };
        bench.sentinel.reset();
        bench.input(Input::Start);
        bench
    }

    fn node(&mut self, node: NodeId) -> &mut Node {
        &mut self.nodes[usize::from(node.0)]
    }

    fn input(&mut self, input: Input) {
        let mut effects = Vec::new();
        let mut ctx = Context {
            now: self.now,
            chooser: &mut self.chooser,
            tick_stream: self.streams[0],
            desync_stream: self.streams[1],
            effects: &mut effects,
        };
        self.sentinel.handle(input, &mut ctx);
        for effect in effects {
            match effect {
                Effect::Dial(slot, node) if self.node(node).alive => {
                    self.input(Input::Connected(slot));
                }
                Effect::Dial(slot, _) => self.input(Input::Disconnected(slot)),
                Effect::Close(_) => {}
                Effect::WakeAt(at) => self.wake = at,
                Effect::Note(notice, node) => self.notices.push((self.now, notice, node)),
                Effect::Send(slot, request) => {
                    if let Some(reply) = self.answer(slot.node(), request.command) {
                        self.input(Input::Reply(slot, request.tag, reply));
                    }
                }
            }
        }
    }

    fn answer(&mut self, node: NodeId, command: Command) -> Option<Reply> {
        let now = self.now;
        let state = self.node(node);
        if !state.alive {
            return None;
        }
        if command == Command::Info {
            return Some(state.info());
        }
        if matches!(command.kind(), CommandKind::Ping) {
            return Some(Reply::Pong);
        }
        if matches!(
            command.kind(),
            CommandKind::Subscribe | CommandKind::Publish
        ) {
            return Some(Reply::Int(1));
        }
        if state.obeys
            && let Command::ReplicaOf(primary) = command
        {
            state.primary = primary;
        }
        if state.obeys && command == Command::FailoverAbort {
            state.failing_over = false;
        }
        self.orders.push((now, node, command));
        Some(Reply::Queued)
    }

    fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while self.wake <= end {
            self.now = self.wake;
            self.input(Input::Wake);
        }
        self.now = end;
    }

    /// A machine falls silent: its connections end and nobody can connect.
    fn silence(&mut self, node: NodeId) {
        self.node(node).alive = false;
        self.input(Input::Disconnected(ConnSlot::commands(node)));
        self.input(Input::Disconnected(ConnSlot::subscription(node)));
    }

    fn orders_to(&self, node: NodeId) -> Vec<Command> {
        let to = self.orders.iter().filter(|(_, to, _)| *to == node);
        to.map(|(_, _, command)| *command).collect()
    }

    fn when(&self, notice: Note) -> Option<Time> {
        let found = self.notices.iter().find(|(_, other, _)| *other == notice);
        found.map(|(at, _, _)| *at)
    }

    fn said(&self, notice: Note, node: NodeId) -> bool {
        let said = self.notices.iter();
        said.filter(|(_, other, about)| (*other, *about) == (notice, node))
            .count()
            > 0
    }
}

fn quick() -> SentinelConfig {
    SentinelConfig {
        down_after: Duration::secs(2),
        failover_timeout: Duration::secs(5),
        ..SentinelConfig::default()
    }
}

fn replica_of(primary: Option<NodeId>) -> Vec<Command> {
    vec![
        Command::Multi,
        Command::ReplicaOf(primary.map(AddressBook::of)),
        Command::ConfigRewrite,
        Command::ClientKill(ClientType::Normal),
        Command::ClientKill(ClientType::PubSub),
        Command::Exec,
    ]
}

#[test]
fn nothing_is_ordered_while_all_is_well() {
    let mut bench = Bench::new(SentinelConfig::default(), 3);
    bench.run(Duration::secs(120));
    assert_eq!((bench.orders.len(), bench.notices.len()), (0, 0));
}

#[test]
fn a_silent_primary_is_replaced_by_the_replica_that_has_most() {
    let mut bench = Bench::new(quick(), 3);
    bench.node(C).offset = 101;
    bench.run(Duration::secs(12));
    bench.silence(A);
    bench.run(Duration::secs(6));
    let down = bench.when(Note::Down).expect("found down").nanos();
    assert!((13_900_000_000..14_400_000_000).contains(&down), "{down}");
    assert_eq!(bench.orders_to(C), replica_of(None));
    assert_eq!(bench.orders_to(B), replica_of(Some(C)));
    assert!(bench.said(Note::SwitchPrimary, C));
    assert!(bench.said(Note::ReconfDone, B));
    assert_eq!(bench.orders_to(A), []);
}

/// The order of 4 × the period of hello messages, seen at the second INFO.
#[test]
fn the_old_primary_is_converted_after_its_second_info() {
    let mut bench = Bench::new(SentinelConfig::default(), 2);
    bench.run(Duration::secs(5));
    bench.input(Input::Failover(Way::Classic));
    bench.run(Duration::secs(30));
    assert_eq!(bench.orders_to(B), replica_of(None));
    assert_eq!(bench.orders_to(A), replica_of(Some(B)));
    let switched = bench.when(Note::SwitchPrimary).expect("switched");
    let converted = bench.when(Note::ConvertToReplica).expect("converted");
    let took = converted.since(switched);
    assert!(
        took > Duration::secs(8) && took < Duration::secs(12),
        "{took}"
    );
}

#[test]
fn a_command_is_refused_in_a_failover_and_without_a_good_replica() {
    let mut bench = Bench::new(SentinelConfig::default(), 2);
    bench.run(Duration::secs(5));
    bench.input(Input::Failover(Way::Classic));
    bench.input(Input::Failover(Way::Classic));
    assert!(bench.said(Note::RefusedInProgress, A));
    let mut alone = Bench::new(SentinelConfig::default(), 1);
    alone.run(Duration::secs(5));
    alone.input(Input::Failover(Way::Coordinated));
    assert!(alone.said(Note::RefusedNoGoodReplica, A));
    alone.run(Duration::secs(5));
    assert_eq!(alone.orders.len(), 0);
}

#[test]
fn coordinated_the_primary_is_told_and_then_both_are_cleared() {
    let mut bench = Bench::new(quick(), 2);
    bench.run(Duration::secs(5));
    bench.input(Input::Failover(Way::Coordinated));
    bench.run(Duration::millis(500));
    let told = bench.orders_to(A);
    let left = match told[..] {
        [
            Command::Multi,
            Command::ClientPause(_, pause),
            Command::Failover {
                to: Some(Addr(1)),
                force: false,
                timeout_ms: Some(timeout),
            },
            Command::Exec,
        ] if pause == timeout => timeout,
        _ => panic!("{told:?}"),
    };
    assert!((4_500..=5_000).contains(&left), "{left}");
    assert_eq!(bench.orders_to(B), []);
    bench.node(A).primary = Some(AddressBook::of(B));
    bench.node(B).primary = None;
    bench.run(Duration::secs(2));
    let end = [
        Command::Multi,
        Command::ConfigRewrite,
        Command::ClientKill(ClientType::Normal),
        Command::ClientKill(ClientType::PubSub),
        Command::ClientUnpause,
        Command::Exec,
    ];
    assert_eq!(bench.orders_to(A)[4..], end);
    assert_eq!(bench.orders_to(B), end);
    assert!(bench.said(Note::SwitchPrimary, B));
}

#[test]
fn a_coordinated_failover_that_promotes_nobody_is_forgotten() {
    let mut bench = Bench::new(quick(), 2);
    bench.run(Duration::secs(5));
    bench.input(Input::Failover(Way::Coordinated));
    bench.run(Duration::secs(7));
    assert!(bench.said(Note::ReplicaTimeout, B));
    assert_eq!(bench.orders_to(A).len(), 4, "no ABORT");
    assert_eq!(bench.orders_to(B), []);
}

/// Issue 1291: a primary that calls itself a replica is down after `down-after` + 20 s.
#[test]
fn a_failover_without_sentinel_is_failed_over_again() {
    let mut bench = Bench::new(quick(), 2);
    bench.run(Duration::secs(5));
    bench.node(A).primary = Some(AddressBook::of(B));
    bench.node(B).primary = None;
    bench.node(B).obeys = false;
    bench.run(Duration::secs(60));
    let down = bench.when(Note::Down).expect("found down");
    assert!(down > Time::ZERO + Duration::secs(27) && down < Time::ZERO + Duration::secs(38));
    assert!(bench.said(Note::Down, A) && bench.said(Note::SwitchPrimary, B));
}

/// Since 9.0, and only then: a replica stuck in a failover is told to abort it.
#[test]
fn a_replica_that_is_stuck_in_a_failover_is_freed() {
    for (release, freed) in [(Release::Since9, true), (Release::Before9, false)] {
        let config = SentinelConfig { release, ..quick() };
        let mut bench = Bench::new(config, 3);
        bench.node(C).failing_over = true;
        bench.run(Duration::secs(30));
        let orders = bench.orders_to(C);
        assert_eq!(!orders.is_empty(), freed, "{orders:?}");
        if freed {
            assert_eq!(orders[1], Command::FailoverAbort);
            assert_eq!(orders[2], Command::ReplicaOf(Some(AddressBook::of(A))));
        }
    }
}

#[test]
fn replicas_are_pointed_to_the_new_primary_one_at_a_time() {
    let mut bench = Bench::new(quick(), 4);
    bench.run(Duration::secs(5));
    for node in [C, NodeId(3)] {
        bench.node(node).obeys = false;
    }
    bench.input(Input::Failover(Way::Classic));
    bench.run(Duration::secs(4));
    assert_eq!(bench.orders_to(C), replica_of(Some(B)));
    assert_eq!(bench.orders_to(NodeId(3)), [], "the first is not through");
    bench.run(Duration::secs(4));
    assert!(bench.said(Note::FailoverEndTimeout, A));
    assert_eq!(bench.orders_to(NodeId(3)), replica_of(Some(B)));
}

#[test]
fn slots_belong_to_nodes() {
    for node in [A, B, NodeId(15)] {
        assert_eq!(ConnSlot::commands(node).node(), node);
        assert_eq!(ConnSlot::subscription(node).node(), node);
        assert!(!ConnSlot::commands(node).is_subscription());
        assert!(ConnSlot::subscription(node).is_subscription());
    }
}
