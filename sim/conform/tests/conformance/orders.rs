//! What Sentinel and administrators order: `CLIENT KILL`, `CONFIG REWRITE`, and the transactions
//! that hold them (8.0.1, networking.c and config.c; 9.0.5, sentinel.c).

use rebound_sim::engine::Duration;
use rebound_sim::valkey::{
    AddressBook, ClientType, Command, ErrorKind, FailoverState, PauseKind, Reply,
};

use rebound_conform::lab::{A, B, Client, Lab};

const GET: Command = Command::Get(1);

/// Sends a transaction and says what EXEC replies.
fn transaction(lab: &mut Lab, admin: Client, commands: &[Command]) -> Option<Reply> {
    assert_eq!(lab.ask(admin, Command::Multi), Some(Reply::Ok));
    for command in commands {
        assert_eq!(lab.ask(admin, *command), Some(Reply::Queued));
    }
    lab.ask(admin, Command::Exec)
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
    let mut lab = Lab::new("8.0.1", 2);
    let (admin, plain, other) = (lab.connect(A), lab.connect(A), lab.capa(A));
    let subscriber = lab.connect(A);
    lab.ask(subscriber, Command::Subscribe(3));
    let killed = lab.ask(admin, Command::ClientKill(ClientType::Normal));
    assert_eq!(killed, Some(Reply::Int(2)));
    assert!(!lab.is_open(plain) && !lab.is_open(other));
    assert!(lab.is_open(admin) && lab.is_open(subscriber));
    let killed = lab.ask(admin, Command::ClientKill(ClientType::PubSub));
    assert_eq!(killed, Some(Reply::Int(1)));
    assert!(!lab.is_open(subscriber));
    assert_eq!(lab.ask(admin, Command::Publish(3)), Some(Reply::Int(0)));
}

#[test]
fn client_kill_of_replicas_makes_them_connect_anew() {
    let mut lab = Lab::new("8.0.1", 2);
    let admin = lab.connect(A);
    lab.handshake.clear();
    let killed = lab.ask(admin, Command::ClientKill(ClientType::Replica));
    assert_eq!(killed, Some(Reply::Int(1)));
    assert!(lab.handshake.contains(&(B, "PSYNC".to_owned())));
    let set = lab.set();
    assert_eq!(lab.ask(admin, set), Some(Reply::Ok));
    lab.advance(Duration::secs(2));
    let write = set.write().expect("a write");
    assert!(lab.server(B).data().has(write));
}

/// The end of a coordinated failover: who waits for the pause is disconnected before it is lifted,
/// so that nothing of it runs.
#[test]
fn what_is_postponed_on_a_killed_connection_never_runs() {
    let mut lab = Lab::new("8.0.1", 2);
    let (admin, client, blocked) = (lab.connect(A), lab.connect(A), lab.connect(A));
    let pop = Command::BlPop {
        key: 9,
        timeout_ms: 0,
        write: rebound_sim::valkey::WriteId(77),
    };
    assert_eq!(lab.ask(blocked, pop), None);
    lab.ask(admin, Command::ClientPause(PauseKind::Write, 60_000));
    let set = lab.set();
    assert_eq!(lab.ask(client, set), None);
    let end = [
        Command::ConfigRewrite,
        Command::ClientKill(ClientType::Normal),
        Command::ClientUnpause,
    ];
    let exec = transaction(&mut lab, admin, &end);
    assert_eq!(exec, Some(Reply::Array(3)));
    lab.advance(Duration::secs(1));
    assert!(!lab.is_open(client) && !lab.is_open(blocked));
    assert_eq!(lab.reply(client), None);
    assert!(!lab.server(A).data().has(set.write().expect("a write")));
    // Nobody waits for the list any more.
    let push = Command::LPush(9, rebound_sim::valkey::WriteId(78));
    assert_eq!(lab.ask(admin, push), Some(Reply::Int(1)));
}

#[test]
fn the_file_decides_what_a_node_comes_back_as() {
    let mut lab = Lab::new("8.0.1", 2);
    let admin = lab.connect(B);
    lab.ask(admin, Command::ReplicaOf(None));
    lab.kill(B);
    lab.start(B);
    assert!(!lab.is_primary(B), "the file was not rewritten");
    let admin = lab.connect(B);
    lab.ask(admin, Command::ReplicaOf(None));
    assert_eq!(lab.ask(admin, Command::ConfigRewrite), Some(Reply::Ok));
    lab.kill(B);
    lab.start(B);
    assert!(lab.is_primary(B));
}

#[test]
fn sentinels_classic_order_promotes_and_disconnects_at_once() {
    for version in ["7.2.7", "8.0.0-rc1", "8.0.1"] {
        let mut lab = Lab::new(version, 2);
        let (sentinel, client) = (lab.connect(B), lab.connect(B));
        let exec = transaction(&mut lab, sentinel, &replica_of(None));
        assert_eq!(exec, Some(Reply::Array(4)), "{version}");
        assert!(lab.is_primary(A) && lab.is_primary(B), "{version}");
        assert!(!lab.is_open(client) && lab.is_open(sentinel), "{version}");
        lab.kill(B);
        lab.start(B);
        assert!(lab.is_primary(B), "{version}: it was written down");
    }
}

/// 9.0.5: `FAILOVER ABORT` in front, since REPLICAOF is refused in a failover.
#[test]
fn a_stuck_failover_is_aborted_in_the_same_transaction() {
    let mut lab = Lab::in_progress("8.0.1");
    let waiting = lab.capa(A);
    assert_eq!(lab.ask(waiting, GET), None);
    let admin = lab.connect(A);
    let refused = lab.ask(admin, Command::ReplicaOf(Some(AddressBook::of(B))));
    assert_eq!(refused, Some(Reply::Error(ErrorKind::ReplicaOfFailingOver)));
    let [order, rest @ ..] = replica_of(Some(B));
    let commands = [&[Command::FailoverAbort, order], &rest[..]].concat();
    assert_eq!(
        transaction(&mut lab, admin, &commands),
        Some(Reply::Array(5))
    );
    assert_eq!(lab.state(A), FailoverState::NoFailover);
    assert!(!lab.is_primary(A));
    assert!(!lab.is_open(waiting));
}

/// 9.0.5 `sentinelFailoverTo`: the pause outlasts the failover, and holds what it has postponed.
#[test]
fn a_coordinated_failover_leaves_its_pause_behind() {
    let mut lab = Lab::new("8.0.1", 2);
    let sentinel = lab.connect(A);
    let order = [
        Command::ClientPause(PauseKind::Write, 60_000),
        Command::Failover {
            to: Some(AddressBook::of(B)),
            force: false,
            timeout_ms: Some(60_000),
        },
    ];
    lab.hold(A, B, true);
    let exec = transaction(&mut lab, sentinel, &order);
    assert_eq!(exec, Some(Reply::Array(2)));
    assert_eq!(lab.state(A), FailoverState::InProgress);
    let reader = lab.capa(A);
    assert_eq!(lab.ask(reader, GET), None);
    lab.complete();
    lab.advance(Duration::secs(5));
    assert_eq!(lab.reply(reader), None, "the pause is still there");
    let end = [
        Command::ConfigRewrite,
        Command::ClientKill(ClientType::Normal),
        Command::ClientKill(ClientType::PubSub),
        Command::ClientUnpause,
    ];
    let exec = transaction(&mut lab, sentinel, &end);
    assert_eq!(exec, Some(Reply::Array(4)));
    assert!(!lab.is_open(reader));
}
