//! What becomes of blocked clients under each of the rules for them: thrown out at the demotion,
//! thrown out at the completion (PR 848), redirected at the completion (PR 2329).

use rebound_sim::engine::Duration;
use rebound_sim::valkey::{
    AddressBook, Command, ErrorKind, FailoverState, NodeId, Redirect, Reply, Role, WriteId,
};

use rebound_conform::lab::{A, B, C, Client, Lab};

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
    fn at_a(lab: &mut Lab) -> Blocked {
        let clients = Blocked {
            plain: lab.connect(A),
            capa: lab.capa(A),
            reader: lab.capa(A),
            plain_reader: lab.connect(A),
            plain_wait: lab.connect(A),
            capa_wait: lab.capa(A),
            reader_wait: lab.capa(A),
        };
        for client in [clients.reader, clients.plain_reader, clients.reader_wait] {
            assert_eq!(lab.ask(client, Command::ReadOnly), Some(Reply::Ok));
        }
        for (number, client) in clients.poppers().into_iter().enumerate() {
            assert_eq!(lab.ask(client, blpop(900 + number as u32)), None);
        }
        for client in clients.waiters() {
            assert_eq!(lab.ask(client, WAIT), None);
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
fn in_progress(rule: &str) -> (Lab, Blocked) {
    let mut lab = Lab::new(rule, 2);
    let clients = Blocked::at_a(&mut lab);
    lab.hold(A, B, true);
    assert_eq!(lab.failover(false, None), Some(Reply::Ok));
    // The GETACK that WAIT asks for has moved the offset, so the failover needs the next
    // acknowledgement.
    lab.advance(Duration::millis(1_100));
    assert_eq!(lab.state(A), FailoverState::InProgress);
    (lab, clients)
}

#[track_caller]
fn thrown_out(lab: &mut Lab, client: Client) {
    assert_eq!(lab.reply(client), UNBLOCKED);
    assert!(!lab.is_open(client));
}

/// Redirected once, by a node whose failover is over, on a connection that stays.
#[track_caller]
fn redirected(lab: &mut Lab, client: Client, node: NodeId) {
    let reply = lab.reply(client);
    let Some(Reply::Redirect(Redirect { to, belief, .. })) = reply else {
        panic!("{reply:?}");
    };
    assert_eq!(to, AddressBook::of(node));
    assert_eq!(belief.failover, FailoverState::NoFailover);
    assert_eq!(belief.role, Role::Replica);
    assert_eq!(lab.reply(client), None);
    assert!(lab.is_open(client));
}

#[track_caller]
fn blocked_still(lab: &mut Lab, client: Client) {
    assert_eq!(lab.reply(client), None);
    assert!(lab.is_open(client));
}

#[test]
fn a_demotion_throws_blocked_clients_out_only_under_the_first_rule() {
    let (mut lab, clients) = in_progress("8.0.1");
    for client in clients.all() {
        thrown_out(&mut lab, client);
    }
    for rule in AT_COMPLETION {
        let (mut lab, clients) = in_progress(rule);
        lab.advance(Duration::secs(30));
        for client in clients.all() {
            blocked_still(&mut lab, client);
        }
    }
}

#[test]
fn a_completion_throws_everybody_out_under_unblock_at_completion() {
    let (mut lab, clients) = in_progress("unblock-at-completion");
    lab.complete();
    for client in clients.all() {
        thrown_out(&mut lab, client);
    }
}

#[test]
fn a_completion_redirects_whom_it_can_under_redirect_at_completion() {
    let (mut lab, clients) = in_progress("redirect-at-completion");
    lab.complete();
    redirected(&mut lab, clients.capa, B);
    // BLPOP writes, so READONLY does not keep its client here, nor save one that knows no
    // redirects.
    redirected(&mut lab, clients.reader, B);
    for client in [
        clients.plain,
        clients.plain_reader,
        clients.plain_wait,
        clients.capa_wait,
    ] {
        thrown_out(&mut lab, client);
    }
    // WAIT writes nothing.
    blocked_still(&mut lab, clients.reader_wait);
    // Who follows the redirect waits at the new primary, and is served there.
    let follower = lab.capa(B);
    assert_eq!(lab.ask(follower, blpop(901)), None);
    let pusher = lab.connect(B);
    let push = Command::LPush(7, WriteId(950));
    assert_eq!(lab.ask(pusher, push), Some(Reply::Int(1)));
    assert_eq!(lab.reply(follower), Some(Reply::Array(2)));
}

#[test]
fn an_abort_leaves_clients_blocked_and_a_push_serves_them() {
    for rule in AT_COMPLETION {
        let (mut lab, clients) = in_progress(rule);
        let admin = lab.connect(A);
        assert_eq!(lab.ask(admin, Command::FailoverAbort), Some(Reply::Ok));
        served_at_a(&mut lab, &clients);
    }
}

#[test]
fn a_failover_that_breaks_leaves_clients_blocked_and_a_push_serves_them() {
    for rule in AT_COMPLETION {
        let (mut lab, clients) = in_progress(rule);
        // PING, REPLCONF with the address, the rest of REPLCONF; then PSYNC is under way.
        for _ in 0..3 {
            lab.pass(A, B, true);
        }
        let last = lab.handshake.last().map(|(_, name)| name.as_str());
        assert_eq!(last, Some("PSYNC FAILOVER"));
        lab.cut(A, B);
        served_at_a(&mut lab, &clients);
    }
}

fn served_at_a(lab: &mut Lab, clients: &Blocked) {
    assert_eq!(lab.state(A), FailoverState::NoFailover);
    assert!(lab.is_primary(A) && !lab.is_primary(B));
    for client in clients.all() {
        blocked_still(lab, client);
    }
    let pusher = lab.connect(A);
    for (number, popper) in clients.poppers().into_iter().enumerate() {
        let push = Command::LPush(7, WriteId(950 + number as u32));
        assert_eq!(lab.ask(pusher, push), Some(Reply::Int(1)));
        assert_eq!(lab.reply(popper), Some(Reply::Array(2)));
        assert!(lab.server(A).data().has(WriteId(900 + number as u32)));
    }
}

#[test]
fn a_blocking_command_times_out_in_a_hand_over_that_it_survives() {
    for rule in AT_COMPLETION {
        let mut lab = Lab::new(rule, 2);
        let client = lab.capa(A);
        let pop = Command::BlPop {
            key: 7,
            timeout_ms: 300,
            write: WriteId(900),
        };
        assert_eq!(lab.ask(client, pop), None);
        lab.hold(A, B, true);
        lab.failover(false, None);
        lab.advance(Duration::millis(301));
        assert_eq!(lab.state(A), FailoverState::InProgress);
        assert_eq!(lab.reply(client), Some(Reply::Nil));
        lab.complete();
        blocked_still(&mut lab, client);
    }
}

/// A postponed command has not run, whatever it is: no rule answers it before it runs again.
#[test]
fn postponed_clients_are_answered_by_the_gates_alone() {
    for rule in RULES {
        let mut lab = Lab::waiting(rule, None);
        let (plain, capa, popper) = (lab.connect(A), lab.capa(A), lab.capa(A));
        let set = lab.set();
        assert_eq!(lab.ask(plain, set), None);
        assert_eq!(lab.ask(capa, set), None);
        assert_eq!(lab.ask(popper, blpop(900)), None);
        lab.hold(A, B, true);
        lab.release(B, A, false);
        lab.advance(Duration::millis(1_100));
        assert_eq!(lab.state(A), FailoverState::InProgress);
        let late = lab.capa(A);
        assert_eq!(lab.ask(late, blpop(901)), None);
        for client in [plain, capa, popper, late] {
            blocked_still(&mut lab, client);
        }
        lab.complete();
        assert_eq!(
            lab.reply(plain),
            Some(Reply::Error(ErrorKind::ReadOnly)),
            "{rule}"
        );
        assert!(lab.is_open(plain));
        for client in [capa, popper, late] {
            redirected(&mut lab, client, B);
        }
    }
}

#[test]
fn what_is_pipelined_behind_is_dropped_with_the_connection_and_read_if_that_stays() {
    for rule in AT_COMPLETION {
        let (mut lab, clients) = in_progress(rule);
        let set = lab.set();
        lab.send(clients.capa, set);
        lab.send(clients.plain, set);
        lab.complete();
        thrown_out(&mut lab, clients.plain);
        assert_eq!(lab.reply(clients.plain), None);
        let first = lab.reply(clients.capa);
        let second = lab.reply(clients.capa);
        let to_b = |reply| matches!(reply, Some(Reply::Redirect(Redirect { to, .. })) if to == AddressBook::of(B));
        if rule == "redirect-at-completion" {
            assert!(to_b(first) && to_b(second), "{first:?}, {second:?}");
        } else {
            assert_eq!((first, second), (UNBLOCKED, None));
        }
        let write = set.write().expect("a write");
        assert!(!lab.server(A).data().has(write) && !lab.server(B).data().has(write));
    }
}

/// REPLICAOF has no outcome to wait for: what is done is done at once, under every rule. The
/// address is that of the new primary.
#[test]
fn replicaof_deals_with_blocked_clients_at_once() {
    for rule in RULES {
        let mut lab = Lab::new(rule, 3);
        let clients = Blocked::at_a(&mut lab);
        let admin = lab.connect(A);
        let replicaof = Command::ReplicaOf(Some(AddressBook::of(C)));
        assert_eq!(lab.ask(admin, replicaof), Some(Reply::Ok));
        if rule != "redirect-at-completion" {
            for client in clients.all() {
                thrown_out(&mut lab, client);
            }
            continue;
        }
        redirected(&mut lab, clients.capa, C);
        redirected(&mut lab, clients.reader, C);
        for client in [clients.plain, clients.plain_wait, clients.capa_wait] {
            thrown_out(&mut lab, client);
        }
        blocked_still(&mut lab, clients.reader_wait);
    }
}

/// FAILOVER without TO: the address is that of the replica that was chosen.
#[test]
fn the_redirect_names_whom_the_failover_chose() {
    let mut lab = Lab::new("redirect-at-completion", 3);
    let client = lab.capa(A);
    assert_eq!(lab.ask(client, blpop(900)), None);
    lab.kill(B);
    lab.advance(Duration::secs(1));
    let admin = lab.connect(A);
    let failover = Command::Failover {
        to: None,
        force: false,
        timeout_ms: None,
    };
    assert_eq!(lab.ask(admin, failover), Some(Reply::Ok));
    lab.advance(Duration::millis(1_100));
    assert!(lab.is_primary(C));
    redirected(&mut lab, client, C);
}
