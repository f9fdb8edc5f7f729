//! What Sentinel and administrators order: `CLIENT KILL`, `CONFIG REWRITE`, and the transactions
//! that hold them (8.0.1, networking.c and config.c; 9.0.5, sentinel.c).

use rebound_engine::Duration;
use rebound_sim::valkey::{
    AddressBook, ClientType, Command, ErrorKind, FailoverState, PauseKind, Reply,
};

use rebound_conform::bench::{A, B, Bench, Client};

const GET: Command = Command::Get(1);

/// Sends a transaction and says what EXEC replies.
fn transaction(bench: &mut Bench, admin: Client, commands: &[Command]) -> Option<Reply> {
    assert_eq!(bench.ask(admin, Command::Multi), Some(Reply::Ok));
    for command in commands {
        assert_eq!(bench.ask(admin, *command), Some(Reply::Queued));
    }
    bench.ask(admin, Command::Exec)
}

fn replica_of(node: Option<rebound_sim::valkey::NodeId>) -> [Command; 4] {
    [
        Command::ReplicaOf(node.map(AddressBook::of)),
        Command::ConfigRewrite,
        Command::ClientKill(ClientType::Normal),
        Command::ClientKill(ClientType::PubSub),
    ]
}

#[test]
fn client_kill_ends_the_connections_of_a_type_and_spares_its_own() {
    let mut bench = Bench::new("8.0.1", 2);
    let (admin, plain, other) = (bench.connect(A), bench.connect(A), bench.capa(A));
    let subscriber = bench.connect(A);
    bench.ask(subscriber, Command::Subscribe(3));
    let killed = bench.ask(admin, Command::ClientKill(ClientType::Normal));
    assert_eq!(killed, Some(Reply::Int(2)));
    assert!(!bench.is_open(plain) && !bench.is_open(other));
    assert!(bench.is_open(admin) && bench.is_open(subscriber));
    let killed = bench.ask(admin, Command::ClientKill(ClientType::PubSub));
    assert_eq!(killed, Some(Reply::Int(1)));
    assert!(!bench.is_open(subscriber));
    assert_eq!(bench.ask(admin, Command::Publish(3)), Some(Reply::Int(0)));
}

#[test]
fn client_kill_of_replicas_makes_them_connect_anew() {
    let mut bench = Bench::new("8.0.1", 2);
    let admin = bench.connect(A);
    bench.handshake.clear();
    let killed = bench.ask(admin, Command::ClientKill(ClientType::Replica));
    assert_eq!(killed, Some(Reply::Int(1)));
    assert!(bench.handshake.contains(&(B, "PSYNC".to_owned())));
    let set = bench.set();
    assert_eq!(bench.ask(admin, set), Some(Reply::Ok));
    bench.advance(Duration::secs(2));
    let write = set.write().expect("a write");
    assert!(bench.server(B).data().has(write));
}

/// The end of a coordinated failover: who waits for the pause is disconnected before it is lifted,
/// so that nothing of it runs.
#[test]
fn what_is_postponed_on_a_killed_connection_never_runs() {
    let mut bench = Bench::new("8.0.1", 2);
    let (admin, client, blocked) = (bench.connect(A), bench.connect(A), bench.connect(A));
    let pop = Command::BlPop {
        key: 9,
        timeout_ms: 0,
        write: rebound_sim::valkey::WriteId(77),
    };
    assert_eq!(bench.ask(blocked, pop), None);
    bench.ask(admin, Command::ClientPause(PauseKind::Write, 60_000));
    let set = bench.set();
    assert_eq!(bench.ask(client, set), None);
    let end = [
        Command::ConfigRewrite,
        Command::ClientKill(ClientType::Normal),
        Command::ClientUnpause,
    ];
    let exec = transaction(&mut bench, admin, &end);
    assert_eq!(exec, Some(Reply::Array(3)));
    bench.advance(Duration::secs(1));
    assert!(!bench.is_open(client) && !bench.is_open(blocked));
    assert_eq!(bench.reply(client), None);
    assert!(!bench.server(A).data().has(set.write().expect("a write")));
    // Nobody waits for the list any more.
    let push = Command::LPush(9, rebound_sim::valkey::WriteId(78));
    assert_eq!(bench.ask(admin, push), Some(Reply::Int(1)));
}

#[test]
fn the_file_decides_what_a_node_comes_back_as() {
    let mut bench = Bench::new("8.0.1", 2);
    let admin = bench.connect(B);
    bench.ask(admin, Command::ReplicaOf(None));
    bench.kill(B);
    bench.start(B);
    assert!(!bench.is_primary(B), "the file was not rewritten");
    let admin = bench.connect(B);
    bench.ask(admin, Command::ReplicaOf(None));
    assert_eq!(bench.ask(admin, Command::ConfigRewrite), Some(Reply::Ok));
    bench.kill(B);
    bench.start(B);
    assert!(bench.is_primary(B));
}

#[test]
fn sentinels_classic_order_promotes_and_disconnects_at_once() {
    for version in ["7.2.7", "8.0.0-rc1", "8.0.1"] {
        let mut bench = Bench::new(version, 2);
        let (sentinel, client) = (bench.connect(B), bench.connect(B));
        let exec = transaction(&mut bench, sentinel, &replica_of(None));
        assert_eq!(exec, Some(Reply::Array(4)), "{version}");
        assert!(bench.is_primary(A) && bench.is_primary(B), "{version}");
        assert!(
            !bench.is_open(client) && bench.is_open(sentinel),
            "{version}"
        );
        bench.kill(B);
        bench.start(B);
        assert!(bench.is_primary(B), "{version}: it was written down");
    }
}

/// 9.0.5: `FAILOVER ABORT` in front, since REPLICAOF is refused in a failover.
#[test]
fn a_stuck_failover_is_aborted_in_the_same_transaction() {
    let mut bench = Bench::in_progress("8.0.1");
    let waiting = bench.capa(A);
    assert_eq!(bench.ask(waiting, GET), None);
    let admin = bench.connect(A);
    let refused = bench.ask(admin, Command::ReplicaOf(Some(AddressBook::of(B))));
    assert_eq!(refused, Some(Reply::Error(ErrorKind::ReplicaOfFailingOver)));
    let [order, rest @ ..] = replica_of(Some(B));
    let commands = [&[Command::FailoverAbort, order], &rest[..]].concat();
    assert_eq!(
        transaction(&mut bench, admin, &commands),
        Some(Reply::Array(5))
    );
    assert_eq!(bench.state(A), FailoverState::NoFailover);
    assert!(!bench.is_primary(A));
    assert!(!bench.is_open(waiting));
}

/// 9.0.5 `sentinelFailoverTo`: the pause outlasts the failover, and holds what it has postponed.
#[test]
fn a_coordinated_failover_leaves_its_pause_behind() {
    let mut bench = Bench::new("8.0.1", 2);
    let sentinel = bench.connect(A);
    let order = [
        Command::ClientPause(PauseKind::Write, 60_000),
        Command::Failover {
            to: Some(AddressBook::of(B)),
            force: false,
            timeout_ms: Some(60_000),
        },
    ];
    bench.hold(A, B, true);
    let exec = transaction(&mut bench, sentinel, &order);
    assert_eq!(exec, Some(Reply::Array(2)));
    assert_eq!(bench.state(A), FailoverState::InProgress);
    let reader = bench.capa(A);
    assert_eq!(bench.ask(reader, GET), None);
    bench.complete();
    bench.advance(Duration::secs(5));
    assert_eq!(bench.reply(reader), None, "the pause is still there");
    let end = [
        Command::ConfigRewrite,
        Command::ClientKill(ClientType::Normal),
        Command::ClientKill(ClientType::PubSub),
        Command::ClientUnpause,
    ];
    let exec = transaction(&mut bench, sentinel, &end);
    assert_eq!(exec, Some(Reply::Array(4)));
    assert!(!bench.is_open(reader));
}
