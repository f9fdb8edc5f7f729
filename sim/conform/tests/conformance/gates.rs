//! What is answered, by whom, in which state: the gates of `processCommand`.

use rebound_engine::Duration;
use rebound_sim::valkey::{
    Addr, AddressBook, Belief, Command, ErrorKind, FailoverState, PauseKind, Redirect, Reply,
    WriteId,
};

use rebound_conform::bench::{A, B, Bench, C};

use crate::versions::{ALL as VERSIONS, CAPABLE, FIXED};

/// Versions, and remedies for issue 821.
const ALL: [&str; 10] = [
    "7.2.7",
    "8.0.0-rc1",
    "8.0.1",
    "8.1",
    "9.0",
    "9.1",
    "state-check",
    "pause-first",
    "combined",
    "merged",
];

/// Versions and remedies that postpone at the old primary what they would redirect.
const POSTPONE: [&str; 5] = ["8.0.1", "8.1", "9.0", "9.1", "merged"];

fn redirect_to(reply: Option<Reply>) -> Option<Addr> {
    match reply {
        Some(Reply::Redirect(Redirect { to, .. })) => Some(to),
        _ => None,
    }
}

fn read_only() -> Option<Reply> {
    Some(Reply::Error(ErrorKind::ReadOnly))
}

const GET: Command = Command::Get(1);
const TO_A: Option<Addr> = Some(AddressBook::of(A));
const TO_B: Option<Addr> = Some(AddressBook::of(B));

#[test]
fn c03_c04_c05_writes_wait_for_sync_and_learn_the_outcome() {
    for version in ALL {
        let mut bench = Bench::waiting(version, None);
        let plain = bench.connect(A);
        let set = bench.set();
        assert_eq!(bench.ask(plain, set), None);
        let capable = (version != "7.2.7").then(|| bench.capa(A));
        if let Some(client) = capable {
            assert_eq!(bench.ask(client, set), None, "{version}");
            // C04: reads are served.
            let reader = bench.capa(A);
            assert!(matches!(bench.ask(reader, GET), Some(Reply::Value(_))));
        }
        bench.release(B, A, false);
        bench.advance(Duration::millis(1_100));
        assert!(bench.is_primary(B), "{version}");
        assert_eq!(bench.reply(plain), read_only());
        if let Some(client) = capable {
            assert_eq!(redirect_to(bench.reply(client)), TO_B, "{version}");
        }
    }
}

#[test]
fn c07_a_write_inside_multi_is_postponed_before_it_is_queued() {
    for version in VERSIONS {
        let mut bench = Bench::waiting(version, None);
        let plain = bench.connect(A);
        assert_eq!(bench.ask(plain, Command::Multi), Some(Reply::Ok));
        let set = bench.set();
        assert_eq!(bench.ask(plain, set), None);
        bench.release(B, A, false);
        bench.advance(Duration::millis(1_100));
        assert_eq!(bench.reply(plain), read_only());
        assert_eq!(
            bench.ask(plain, Command::Exec),
            Some(Reply::Error(ErrorKind::ExecAbort))
        );
    }
}

#[test]
fn c13_c14_in_progress_a_plain_client_is_answered_at_once_unless_the_pause_comes_first() {
    for version in ALL {
        let mut bench = Bench::in_progress(version);
        let plain = bench.connect(A);
        let set = bench.set();
        let waits = ["pause-first", "combined"].contains(&version);
        assert_eq!(
            bench.ask(plain, set),
            if waits { None } else { read_only() },
            "{version}"
        );
        let reader = bench.connect(A);
        assert_eq!(bench.ask(reader, GET), Some(Reply::Nil), "{version}");
        bench.complete();
        if waits {
            assert_eq!(bench.reply(plain), read_only());
        }
    }
}

/// C15 and C16, and what each remedy makes of them: the heart of issue 821.
#[test]
fn c15_c16_in_progress_a_capable_client_meets_what_the_behaviour_says() {
    for (version, write, read) in [
        ("8.0.0-rc1", "redirect", "redirect"),
        ("8.0.1", "wait", "wait"),
        ("8.1", "wait", "wait"),
        ("9.0", "wait", "wait"),
        ("9.1", "wait", "wait"),
        ("merged", "wait", "wait"),
        ("state-check", "readonly", "served"),
        ("pause-first", "wait", "redirect"),
        ("combined", "wait", "served"),
    ] {
        for (is_write, expected) in [(true, write), (false, read)] {
            let mut bench = Bench::in_progress(version);
            let client = bench.capa(A);
            let command = if is_write { bench.set() } else { GET };
            let reply = bench.ask(client, command);
            match expected {
                "redirect" => assert_eq!(redirect_to(reply), TO_B, "{version}"),
                "readonly" => assert_eq!(reply, read_only(), "{version}"),
                "served" => assert_eq!(reply, Some(Reply::Nil), "{version}"),
                _ => {
                    assert_eq!(reply, None, "{version}");
                    bench.complete();
                    assert_eq!(redirect_to(bench.reply(client)), TO_B, "{version}");
                }
            }
        }
    }
}

#[test]
fn a_redirect_says_what_the_node_believes() {
    let mut bench = Bench::in_progress("8.0.0-rc1");
    let client = bench.capa(A);
    let Some(Reply::Redirect(Redirect { belief, .. })) = bench.ask(client, GET) else {
        panic!("no redirect")
    };
    assert_eq!(
        belief.to_string(),
        "replica, failover-in-progress, link down"
    );
    assert_ne!(belief, Belief::default());
}

#[test]
fn c17_a_readonly_client_reads_on() {
    for version in CAPABLE {
        let mut bench = Bench::in_progress(version);
        let client = bench.capa(A);
        assert_eq!(bench.ask(client, Command::ReadOnly), Some(Reply::Ok));
        assert_eq!(bench.ask(client, GET), Some(Reply::Nil));
        let set = bench.set();
        let reply = bench.ask(client, set);
        if POSTPONE.contains(&version) {
            assert_eq!(reply, None);
            bench.complete();
            assert_eq!(redirect_to(bench.reply(client)), TO_B);
        } else {
            assert_eq!(redirect_to(reply), TO_B);
        }
    }
}

#[test]
fn c20_c21_the_two_nodes_of_rc1_redirect_to_each_other() {
    let mut bench = Bench::in_progress("8.0.0-rc1");
    let (at_a, at_b) = (bench.capa(A), bench.capa(B));
    for _ in 0..5 {
        assert_eq!(redirect_to(bench.ask(at_a, GET)), TO_B);
        assert_eq!(redirect_to(bench.ask(at_b, GET)), TO_A);
    }
    // With the fix the target still redirects: it knows nothing of the hand-over. Who follows
    // waits, and is redirected once more.
    for version in FIXED {
        let mut bench = Bench::in_progress(version);
        let (at_a, at_b) = (bench.capa(A), bench.capa(B));
        assert_eq!(redirect_to(bench.ask(at_b, GET)), TO_A);
        assert_eq!(bench.ask(at_a, GET), None);
        bench.complete();
        assert_eq!(redirect_to(bench.reply(at_a)), TO_B);
        assert_eq!(bench.reply(at_a), None, "{version}: one redirect");
    }
}

#[test]
fn c24_c25_an_exec_that_was_queued_before() {
    for version in VERSIONS {
        let mut bench = Bench::new(version, 2);
        let plain = bench.connect(A);
        let capable = (version != "7.2.7").then(|| bench.capa(A));
        for client in capable.into_iter().chain([plain]) {
            assert_eq!(bench.ask(client, Command::Multi), Some(Reply::Ok));
            let set = bench.set();
            assert_eq!(bench.ask(client, set), Some(Reply::Queued));
        }
        bench.hold(A, B, true);
        bench.failover(false, None);
        let aborted = Some(Reply::Error(ErrorKind::ExecAbortReadOnly));
        assert_eq!(bench.ask(plain, Command::Exec), aborted, "{version}");
        let Some(client) = capable else { continue };
        let reply = bench.ask(client, Command::Exec);
        if version == "8.0.0-rc1" {
            assert_eq!(redirect_to(reply), TO_B);
            let nested = Some(Reply::Error(ErrorKind::NestedMulti));
            assert_eq!(bench.ask(client, Command::Multi), nested, "still in MULTI");
        } else {
            assert_eq!(reply, None);
            bench.complete();
            assert_eq!(redirect_to(bench.reply(client)), TO_B);
            let without = Some(Reply::Error(ErrorKind::ExecWithoutMulti));
            assert_eq!(bench.ask(client, Command::Exec), without);
        }
    }
}

#[test]
fn c26_a_transaction_begun_in_progress() {
    let mut bench = Bench::in_progress("8.0.0-rc1");
    let client = bench.capa(A);
    assert_eq!(bench.ask(client, Command::Multi), Some(Reply::Ok));
    let set = bench.set();
    assert_eq!(redirect_to(bench.ask(client, set)), TO_B);
    // An empty array: an apparent success.
    assert_eq!(bench.ask(client, Command::Exec), Some(Reply::Array(0)));

    for version in FIXED {
        let mut bench = Bench::in_progress(version);
        let client = bench.capa(A);
        assert_eq!(bench.ask(client, Command::Multi), Some(Reply::Ok));
        let set = bench.set();
        assert_eq!(bench.ask(client, set), None);
        bench.complete();
        assert_eq!(redirect_to(bench.reply(client)), TO_B);
        assert_eq!(
            bench.ask(client, Command::Exec),
            Some(Reply::Error(ErrorKind::ExecAbort))
        );
    }
}

#[test]
fn c27_a_transaction_on_an_ordinary_replica() {
    for (version, outcome) in [
        ("8.0.0-rc1", Reply::Array(1)),
        ("merged", Reply::Array(1)),
        ("8.0.1", Reply::Error(ErrorKind::ExecAbort)),
        ("8.1", Reply::Error(ErrorKind::ExecAbort)),
        ("9.0", Reply::Error(ErrorKind::ExecAbort)),
        ("9.1", Reply::Error(ErrorKind::ExecAbort)),
    ] {
        let mut bench = Bench::new(version, 2);
        let client = bench.capa(B);
        assert_eq!(bench.ask(client, Command::Multi), Some(Reply::Ok));
        assert_eq!(redirect_to(bench.ask(client, GET)), TO_A);
        assert_eq!(bench.ask(client, Command::Ping), Some(Reply::Queued));
        assert_eq!(bench.ask(client, Command::Exec), Some(outcome), "{version}");
    }
}

#[test]
fn c28_exec_after_replicaof() {
    let mut bench = Bench::new("7.2.7", 2);
    let (client, admin) = (bench.connect(A), bench.connect(A));
    bench.ask(client, Command::Multi);
    let set = bench.set();
    bench.ask(client, set);
    bench.ask(admin, Command::ReplicaOf(TO_B));
    let aborted = Some(Reply::Error(ErrorKind::ExecAbortReadOnly));
    assert_eq!(bench.ask(client, Command::Exec), aborted);
    for version in CAPABLE {
        let mut bench = Bench::new(version, 2);
        let client = bench.capa(A);
        bench.ask(client, Command::Multi);
        let set = bench.set();
        bench.ask(client, set);
        let admin = bench.connect(A);
        assert_eq!(bench.ask(admin, Command::ReplicaOf(TO_B)), Some(Reply::Ok));
        assert_eq!(redirect_to(bench.ask(client, Command::Exec)), TO_B);
        let again = bench.ask(client, Command::Exec);
        if version == "8.0.0-rc1" {
            assert_eq!(redirect_to(again), TO_B);
        } else {
            assert_eq!(again, Some(Reply::Error(ErrorKind::ExecWithoutMulti)));
        }
    }
}

#[test]
fn c29_a_pipeline_is_answered_in_order() {
    for version in FIXED {
        let mut bench = Bench::in_progress(version);
        let client = bench.capa(A);
        let set = bench.set();
        for command in [Command::Ping, GET, Command::Ping, set] {
            bench.send(client, command);
        }
        assert_eq!(bench.reply(client), Some(Reply::Pong));
        assert_eq!(bench.reply(client), None);
        bench.complete();
        assert_eq!(redirect_to(bench.reply(client)), TO_B);
        assert_eq!(bench.reply(client), Some(Reply::Pong));
        assert_eq!(redirect_to(bench.reply(client)), TO_B);
    }
}

#[test]
fn c30_abort_runs_what_waits_on_the_old_primary() {
    for version in FIXED {
        let mut bench = Bench::in_progress(version);
        let (reader, writer) = (bench.capa(A), bench.capa(A));
        assert_eq!(bench.ask(reader, GET), None);
        let set = bench.set();
        assert_eq!(bench.ask(writer, set), None);
        let admin = bench.connect(A);
        assert_eq!(bench.ask(admin, Command::FailoverAbort), Some(Reply::Ok));
        assert_eq!(bench.reply(reader), Some(Reply::Nil));
        assert_eq!(bench.reply(writer), Some(Reply::Ok));
    }
}

#[test]
fn c33_client_unpause_does_not_end_a_failovers_pause() {
    for version in FIXED {
        let mut bench = Bench::in_progress(version);
        let client = bench.capa(A);
        assert_eq!(bench.ask(client, GET), None);
        let admin = bench.connect(A);
        assert_eq!(bench.ask(admin, Command::ClientUnpause), Some(Reply::Ok));
        assert_eq!(bench.reply(client), None);
    }
}

#[test]
fn c34_a_foreign_pause_of_writes_holds_what_the_failover_has_postponed() {
    for version in FIXED {
        let mut bench = Bench::new(version, 2);
        let admin = bench.connect(A);
        bench.ask(admin, Command::ClientPause(PauseKind::Write, 4_000));
        bench.hold(A, B, true);
        bench.failover(false, None);
        let waiting = bench.capa(A);
        assert_eq!(bench.ask(waiting, GET), None);
        bench.advance(Duration::millis(300));
        bench.complete();
        let late = bench.capa(A);
        assert_eq!(
            redirect_to(bench.ask(late, GET)),
            TO_B,
            "who comes later is redirected at once"
        );
        bench.advance(Duration::millis(3_500));
        assert_eq!(bench.reply(waiting), None);
        bench.advance(Duration::millis(400));
        assert_eq!(redirect_to(bench.reply(waiting)), TO_B);
    }
}

#[test]
fn c35_a_pause_of_everything_in_progress() {
    for version in VERSIONS {
        let mut bench = Bench::in_progress(version);
        let (reader, writer) = (bench.connect(A), bench.connect(A));
        let capable = FIXED.contains(&version).then(|| bench.capa(A));
        let admin = bench.connect(A);
        bench.ask(admin, Command::ClientPause(PauseKind::All, 500));
        let set = bench.set();
        assert_eq!(
            bench.ask(writer, set),
            read_only(),
            "the read-only gate comes before the pause"
        );
        assert_eq!(bench.ask(reader, GET), None);
        if let Some(client) = capable {
            assert_eq!(bench.ask(client, GET), None);
        }
        bench.advance(Duration::millis(650));
        assert_eq!(bench.reply(reader), Some(Reply::Nil), "{version}");
        if let Some(client) = capable {
            assert_eq!(bench.reply(client), None, "{version}");
        }
    }
}

#[test]
fn c49_a_chained_replica_is_two_redirects_away() {
    for version in CAPABLE {
        let mut bench = Bench::new(version, 3);
        bench.failover(false, None);
        bench.advance(Duration::secs(3));
        assert!(bench.is_primary(B));
        let (at_c, at_a) = (bench.capa(C), bench.capa(A));
        assert_eq!(redirect_to(bench.ask(at_c, GET)), TO_A);
        assert_eq!(redirect_to(bench.ask(at_a, GET)), TO_B);
        // C follows on, through A.
        let writer = bench.connect(B);
        let set = bench.set();
        assert_eq!(bench.ask(writer, set), Some(Reply::Ok));
        let write = set.write().expect("a write");
        assert!(bench.server(A).data().has(write) && bench.server(C).data().has(write));
    }
}

#[test]
fn c52_replicas_of_each_other_redirect_for_ever() {
    for version in CAPABLE {
        let mut bench = Bench::new(version, 2);
        let admin = bench.connect(A);
        assert_eq!(bench.ask(admin, Command::ReplicaOf(TO_B)), Some(Reply::Ok));
        bench.advance(Duration::secs(3));
        assert_eq!(bench.state(A), FailoverState::NoFailover);
        let (at_a, at_b) = (bench.capa(A), bench.capa(B));
        assert_eq!(redirect_to(bench.ask(at_a, GET)), TO_B);
        assert_eq!(redirect_to(bench.ask(at_b, GET)), TO_A);
        // A stable ring: both links are up, so nothing that monitors them sees it.
        for node in [A, B] {
            assert!(
                bench.server(node).belief().to_string().contains("link up"),
                "{version}"
            );
        }
    }
}

#[test]
fn c53_stale_data_forbidden() {
    for version in VERSIONS {
        let capable = CAPABLE.contains(&version);
        let mut bench = Bench::with(version, 2, |config| config.replica_serve_stale_data = false);
        bench.kill(A);
        bench.advance(Duration::millis(100));
        let down = Some(Reply::Error(ErrorKind::MasterDown));
        let plain = bench.connect(B);
        assert_eq!(bench.ask(plain, GET), down);
        assert_eq!(bench.ask(plain, Command::Ping), down);
        if capable {
            let client = bench.capa(B);
            assert_eq!(
                redirect_to(bench.ask(client, GET)),
                TO_A,
                "to an address that is dead"
            );
            bench.ask(client, Command::ReadOnly);
            assert_eq!(bench.ask(client, GET), down);
        }
    }
}

#[test]
fn c59_a_subscriber_is_redirected_before_its_context_is_looked_at() {
    for version in CAPABLE {
        let subscribe = |bench: &mut Bench, client| bench.ask(client, Command::Subscribe(1));
        let mut bench = Bench::new(version, 2);
        let client = bench.capa(B);
        assert_eq!(subscribe(&mut bench, client), Some(Reply::Subscribed));
        assert_eq!(redirect_to(bench.ask(client, GET)), TO_A);
        let plain = bench.connect(B);
        subscribe(&mut bench, plain);
        let context = Some(Reply::Error(ErrorKind::SubscriberContext));
        assert_eq!(bench.ask(plain, GET), context);
    }
}

#[test]
fn c61_a_writable_replica_keeps_a_postponed_write_to_itself() {
    for version in VERSIONS {
        let mut bench =
            Bench::in_progress_with(version, 2, |config| config.replica_read_only = false);
        let plain = bench.connect(A);
        let set = Command::Set(9, WriteId(77));
        assert_eq!(bench.ask(plain, set), None);
        bench.complete();
        assert_eq!(bench.reply(plain), Some(Reply::Ok));
        assert!(bench.server(A).data().has(WriteId(77)));
        assert!(!bench.server(B).data().has(WriteId(77)));
    }
}

#[test]
fn what_is_never_redirected() {
    for version in CAPABLE {
        let mut bench = Bench::new(version, 2);
        let client = bench.capa(B);
        for command in [
            Command::Ping,
            Command::Info,
            Command::Role,
            Command::Publish(1),
        ] {
            assert_eq!(redirect_to(bench.ask(client, command)), None, "{command:?}");
        }
    }
}
