//! What becomes of blocked clients under each of the rules for them: thrown out at the demotion,
//! thrown out at the completion (PR 848), redirected at the completion (PR 2329).

use rebound_engine::Duration;
use rebound_sim::valkey::{
    AddressBook, Command, ErrorKind, FailoverState, NodeId, Redirect, Reply, Role, WriteId,
};

use rebound_conform::bench::{A, B, Bench, C, Client};

const RULES: [&str; 3] = ["8.0.1", "unblock-at-completion", "redirect-at-completion"];
const AT_COMPLETION: [&str; 2] = ["unblock-at-completion", "redirect-at-completion"];

const WAIT: Command = Command::Wait {
    replicas: 3,
    timeout_ms: 0,
};
const UNBLOCKED: Option<Reply> = Some(Reply::Error(ErrorKind::Unblocked));

fn blpop(write: u32) -> Command {
    Command::BlPop {
        key: 7,
        timeout_ms: 0,
        write: WriteId(write),
    }
}

/// One client of each kind, blocked at A.
struct Blocked {
    plain: Client,
    capa: Client,
    /// With the capability, after READONLY.
    reader: Client,
    /// After READONLY, without the capability.
    plain_reader: Client,
    plain_wait: Client,
    capa_wait: Client,
    reader_wait: Client,
}

impl Blocked {
    /// Everybody who is blocked pops in the order `plain`, `capa`, `reader`, `plain_reader`.
    fn at_a(bench: &mut Bench) -> Blocked {
        let clients = Blocked {
            plain: bench.connect(A),
            capa: bench.capa(A),
            reader: bench.capa(A),
            plain_reader: bench.connect(A),
            plain_wait: bench.connect(A),
            capa_wait: bench.capa(A),
            reader_wait: bench.capa(A),
        };
        for client in [clients.reader, clients.plain_reader, clients.reader_wait] {
            assert_eq!(bench.ask(client, Command::ReadOnly), Some(Reply::Ok));
        }
        for (number, client) in clients.poppers().into_iter().enumerate() {
            assert_eq!(bench.ask(client, blpop(900 + number as u32)), None);
        }
        for client in clients.waiters() {
            assert_eq!(bench.ask(client, WAIT), None);
        }
        clients
    }

    fn poppers(&self) -> [Client; 4] {
        [self.plain, self.capa, self.reader, self.plain_reader]
    }

    fn waiters(&self) -> [Client; 3] {
        [self.plain_wait, self.capa_wait, self.reader_wait]
    }

    fn all(&self) -> Vec<Client> {
        let mut all = self.poppers().to_vec();
        all.extend(self.waiters());
        all
    }
}

/// A is in `failover-in-progress`, its hand-over connection held; clients were blocked before.
fn in_progress(rule: &str) -> (Bench, Blocked) {
    let mut bench = Bench::new(rule, 2);
    let clients = Blocked::at_a(&mut bench);
    bench.hold(A, B, true);
    assert_eq!(bench.failover(false, None), Some(Reply::Ok));
    // The GETACK that WAIT asks for has moved the offset, so the failover needs the next
    // acknowledgement.
    bench.advance(Duration::millis(1_100));
    assert_eq!(bench.state(A), FailoverState::InProgress);
    (bench, clients)
}

#[track_caller]
fn thrown_out(bench: &mut Bench, client: Client) {
    assert_eq!(bench.reply(client), UNBLOCKED);
    assert!(!bench.is_open(client));
}

/// Redirected once, by a node whose failover is over, on a connection that stays.
#[track_caller]
fn redirected(bench: &mut Bench, client: Client, node: NodeId) {
    let reply = bench.reply(client);
    let Some(Reply::Redirect(Redirect { to, belief, .. })) = reply else {
        panic!("{reply:?}");
    };
    assert_eq!(to, AddressBook::of(node));
    assert_eq!(belief.failover, FailoverState::NoFailover);
    assert_eq!(belief.role, Role::Replica);
    assert_eq!(bench.reply(client), None);
    assert!(bench.is_open(client));
}

#[track_caller]
fn blocked_still(bench: &mut Bench, client: Client) {
    assert_eq!(bench.reply(client), None);
    assert!(bench.is_open(client));
}

#[test]
fn a_demotion_throws_blocked_clients_out_only_under_the_first_rule() {
    let (mut bench, clients) = in_progress("8.0.1");
    for client in clients.all() {
        thrown_out(&mut bench, client);
    }
    for rule in AT_COMPLETION {
        let (mut bench, clients) = in_progress(rule);
        bench.advance(Duration::secs(30));
        for client in clients.all() {
            blocked_still(&mut bench, client);
        }
    }
}

#[test]
fn a_completion_throws_everybody_out_under_unblock_at_completion() {
    let (mut bench, clients) = in_progress("unblock-at-completion");
    bench.complete();
    for client in clients.all() {
        thrown_out(&mut bench, client);
    }
}

#[test]
fn a_completion_redirects_whom_it_can_under_redirect_at_completion() {
    let (mut bench, clients) = in_progress("redirect-at-completion");
    bench.complete();
    redirected(&mut bench, clients.capa, B);
    // BLPOP writes, so READONLY does not keep its client here, nor save one that knows no
    // redirects.
    redirected(&mut bench, clients.reader, B);
    for client in [
        clients.plain,
        clients.plain_reader,
        clients.plain_wait,
        clients.capa_wait,
    ] {
        thrown_out(&mut bench, client);
    }
    // WAIT writes nothing.
    blocked_still(&mut bench, clients.reader_wait);
    // Who follows the redirect waits at the new primary, and is served there.
    let follower = bench.capa(B);
    assert_eq!(bench.ask(follower, blpop(901)), None);
    let pusher = bench.connect(B);
    let push = Command::LPush(7, WriteId(950));
    assert_eq!(bench.ask(pusher, push), Some(Reply::Int(1)));
    assert_eq!(bench.reply(follower), Some(Reply::Array(2)));
}

#[test]
fn an_abort_leaves_clients_blocked_and_a_push_serves_them() {
    for rule in AT_COMPLETION {
        let (mut bench, clients) = in_progress(rule);
        let admin = bench.connect(A);
        assert_eq!(bench.ask(admin, Command::FailoverAbort), Some(Reply::Ok));
        served_at_a(&mut bench, &clients);
    }
}

#[test]
fn a_failover_that_breaks_leaves_clients_blocked_and_a_push_serves_them() {
    for rule in AT_COMPLETION {
        let (mut bench, clients) = in_progress(rule);
        // PING, REPLCONF with the address, the rest of REPLCONF; then PSYNC is under way.
        for _ in 0..3 {
            bench.pass(A, B, true);
        }
        let last = bench.handshake.last().map(|(_, name)| name.as_str());
        assert_eq!(last, Some("PSYNC FAILOVER"));
        bench.cut(A, B);
        served_at_a(&mut bench, &clients);
    }
}

fn served_at_a(bench: &mut Bench, clients: &Blocked) {
    assert_eq!(bench.state(A), FailoverState::NoFailover);
    assert!(bench.is_primary(A) && !bench.is_primary(B));
    for client in clients.all() {
        blocked_still(bench, client);
    }
    let pusher = bench.connect(A);
    for (number, popper) in clients.poppers().into_iter().enumerate() {
        let push = Command::LPush(7, WriteId(950 + number as u32));
        assert_eq!(bench.ask(pusher, push), Some(Reply::Int(1)));
        assert_eq!(bench.reply(popper), Some(Reply::Array(2)));
        assert!(bench.server(A).data().has(WriteId(900 + number as u32)));
    }
}

#[test]
fn a_blocking_command_times_out_in_a_hand_over_that_it_survives() {
    for rule in AT_COMPLETION {
        let mut bench = Bench::new(rule, 2);
        let client = bench.capa(A);
        let pop = Command::BlPop {
            key: 7,
            timeout_ms: 300,
            write: WriteId(900),
        };
        assert_eq!(bench.ask(client, pop), None);
        bench.hold(A, B, true);
        bench.failover(false, None);
        bench.advance(Duration::millis(301));
        assert_eq!(bench.state(A), FailoverState::InProgress);
        assert_eq!(bench.reply(client), Some(Reply::Nil));
        bench.complete();
        blocked_still(&mut bench, client);
    }
}

/// A postponed command has not run, whatever it is: no rule answers it before it runs again.
#[test]
fn postponed_clients_are_answered_by_the_gates_alone() {
    for rule in RULES {
        let mut bench = Bench::waiting(rule, None);
        let (plain, capa, popper) = (bench.connect(A), bench.capa(A), bench.capa(A));
        let set = bench.set();
        assert_eq!(bench.ask(plain, set), None);
        assert_eq!(bench.ask(capa, set), None);
        assert_eq!(bench.ask(popper, blpop(900)), None);
        bench.hold(A, B, true);
        bench.release(B, A, false);
        bench.advance(Duration::millis(1_100));
        assert_eq!(bench.state(A), FailoverState::InProgress);
        let late = bench.capa(A);
        assert_eq!(bench.ask(late, blpop(901)), None);
        for client in [plain, capa, popper, late] {
            blocked_still(&mut bench, client);
        }
        bench.complete();
        assert_eq!(
            bench.reply(plain),
            Some(Reply::Error(ErrorKind::ReadOnly)),
            "{rule}"
        );
        assert!(bench.is_open(plain));
        for client in [capa, popper, late] {
            redirected(&mut bench, client, B);
        }
    }
}

#[test]
fn what_is_pipelined_behind_is_dropped_with_the_connection_and_read_if_that_stays() {
    for rule in AT_COMPLETION {
        let (mut bench, clients) = in_progress(rule);
        let set = bench.set();
        bench.send(clients.capa, set);
        bench.send(clients.plain, set);
        bench.complete();
        thrown_out(&mut bench, clients.plain);
        assert_eq!(bench.reply(clients.plain), None);
        let first = bench.reply(clients.capa);
        let second = bench.reply(clients.capa);
        let to_b = |reply| matches!(reply, Some(Reply::Redirect(Redirect { to, .. })) if to == AddressBook::of(B));
        if rule == "redirect-at-completion" {
            assert!(to_b(first) && to_b(second), "{first:?}, {second:?}");
        } else {
            assert_eq!((first, second), (UNBLOCKED, None));
        }
        let write = set.write().expect("a write");
        assert!(!bench.server(A).data().has(write) && !bench.server(B).data().has(write));
    }
}

/// REPLICAOF has no outcome to wait for: what is done is done at once, under every rule. The
/// address is that of the new primary.
#[test]
fn replicaof_deals_with_blocked_clients_at_once() {
    for rule in RULES {
        let mut bench = Bench::new(rule, 3);
        let clients = Blocked::at_a(&mut bench);
        let admin = bench.connect(A);
        let replicaof = Command::ReplicaOf(Some(AddressBook::of(C)));
        assert_eq!(bench.ask(admin, replicaof), Some(Reply::Ok));
        if rule != "redirect-at-completion" {
            for client in clients.all() {
                thrown_out(&mut bench, client);
            }
            continue;
        }
        redirected(&mut bench, clients.capa, C);
        redirected(&mut bench, clients.reader, C);
        for client in [clients.plain, clients.plain_wait, clients.capa_wait] {
            thrown_out(&mut bench, client);
        }
        blocked_still(&mut bench, clients.reader_wait);
    }
}

/// FAILOVER without TO: the address is that of the replica that was chosen.
#[test]
fn the_redirect_names_whom_the_failover_chose() {
    let mut bench = Bench::new("redirect-at-completion", 3);
    let client = bench.capa(A);
    assert_eq!(bench.ask(client, blpop(900)), None);
    bench.kill(B);
    bench.advance(Duration::secs(1));
    let admin = bench.connect(A);
    let failover = Command::Failover {
        to: None,
        force: false,
        timeout_ms: None,
    };
    assert_eq!(bench.ask(admin, failover), Some(Reply::Ok));
    bench.advance(Duration::millis(1_100));
    assert!(bench.is_primary(C));
    redirected(&mut bench, client, C);
}
