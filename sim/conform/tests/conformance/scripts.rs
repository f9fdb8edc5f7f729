//! Scripts and functions: what they declare decides what they meet. Observed on 8.0.0-rc1 to 9.1.2.

use rebound_engine::Duration;
use rebound_sim::valkey::{AddressBook, Command, ErrorKind, Redirect, Reply, Script, WriteId};

use rebound_conform::bench::{A, B, Bench};

use crate::versions::{ALL, CAPABLE, FIXED};

const KEY: u32 = 5;
const WRITE: WriteId = WriteId(400);

fn script(script: Script) -> Command {
    Command::Script(script, KEY)
}

fn to(reply: Option<Reply>, node: rebound_sim::valkey::NodeId) -> bool {
    matches!(reply, Some(Reply::Redirect(Redirect { to, .. })) if to == AddressBook::of(node))
}

/// The error of a script without a shebang that writes on a replica.
fn read_only(version: &str) -> Option<Reply> {
    Some(Reply::Error(match version {
        "9.1" => ErrorKind::ScriptReadOnlyUnnamed,
        _ => ErrorKind::ScriptReadOnly,
    }))
}

/// C06: what may replicate waits in `waiting-for-sync`, and then runs on a node that is a replica.
#[test]
fn c06_what_may_replicate_waits_and_then_runs_on_the_old_primary() {
    for version in ALL {
        let mut bench = Bench::waiting(version, None);
        let commands = [
            Command::Publish(1),
            Command::PfCount(3),
            script(Script::Get),
            script(Script::Set(WRITE)),
        ];
        let clients = commands.map(|command| {
            let client = bench.connect(A);
            assert_eq!(bench.ask(client, command), None, "{version}: {command:?}");
            client
        });
        // Who declares that nothing is written does not wait.
        for served in [Script::NoWritesGet, Script::RoGet, Script::FunctionGet] {
            let client = bench.connect(A);
            assert_eq!(bench.ask(client, script(served)), Some(Reply::Nil));
        }
        bench.release(B, A, false);
        bench.advance(Duration::millis(1_100));
        assert!(bench.is_primary(B));
        let replies = clients.map(|client| bench.reply(client));
        let zero = Some(Reply::Int(0));
        let expected = [zero, zero, Some(Reply::Nil), read_only(version)];
        assert_eq!(replies, expected, "{version}");
    }
}

/// C18: a script without a shebang is no write and no read, so it is never redirected.
#[test]
fn c18_a_script_without_a_shebang_is_answered_by_the_old_primary() {
    for version in CAPABLE {
        let mut bench = Bench::new(version, 2);
        let writer = bench.connect(A);
        bench.ask(writer, Command::Set(KEY, WRITE));
        bench.advance(Duration::millis(1_100));
        bench.hold(A, B, true);
        bench.failover(false, None);
        let (reader, writer) = (bench.capa(A), bench.capa(A));
        let set = script(Script::Set(WriteId(401)));
        assert_eq!(bench.ask(reader, script(Script::Get)), None, "{version}");
        assert_eq!(bench.ask(writer, set), None, "{version}");
        bench.complete();
        assert_eq!(bench.reply(reader), Some(Reply::Value(WRITE)), "{version}");
        assert_eq!(bench.reply(writer), read_only(version));
        assert!(bench.is_open(writer));
    }
}

/// C19: everything else that reads or writes is redirected, or waits to be.
#[test]
fn c19_reads_and_writes_of_every_kind_are_treated_alike() {
    for version in CAPABLE {
        for command in [
            Command::PfCount(3),
            script(Script::RoGet),
            script(Script::ShebangSet(WRITE)),
            script(Script::FunctionSet(WRITE)),
            script(Script::FunctionRoGet),
            Command::Keys,
            Command::Scan,
            Command::DbSize,
            Command::ObjectEncoding(1),
            Command::FlushAll(WRITE),
            Command::RPush(7, WRITE),
            Command::XRead(8),
            Command::XReadBlock {
                key: 8,
                timeout_ms: 0,
            },
            Command::BlPop {
                key: 7,
                timeout_ms: 0,
                write: WRITE,
            },
        ] {
            let mut bench = Bench::in_progress(version);
            let client = bench.capa(A);
            let mut reply = bench.ask(client, command);
            if FIXED.contains(&version) {
                assert_eq!(reply, None, "{version}: {command:?}");
                bench.complete();
                reply = bench.reply(client);
            }
            assert!(to(reply, B), "{version}: {command:?} {reply:?}");
        }
    }
}

/// C60: on an ordinary replica.
#[test]
fn c60_scripts_on_a_replica() {
    for version in ALL {
        let mut bench = Bench::new(version, 2);
        let writer = bench.connect(A);
        bench.ask(writer, Command::Set(KEY, WRITE));
        let value = Some(Reply::Value(WRITE));
        let refused = Some(Reply::Error(ErrorKind::ReadOnly));
        let other = WriteId(401);
        let plain = bench.connect(B);
        for (what, reply) in [
            (Script::Get, value),
            (Script::Set(other), read_only(version)),
            (Script::ShebangSet(other), refused),
            (Script::NoWritesGet, value),
            (Script::RoGet, value),
            (Script::FunctionSet(other), refused),
            (Script::FunctionGet, value),
            (Script::FunctionRoGet, value),
        ] {
            assert_eq!(bench.ask(plain, script(what)), reply, "{version}: {what:?}");
        }
        if !CAPABLE.contains(&version) {
            continue;
        }
        let capable = bench.capa(B);
        for (what, reply) in [
            (Script::Get, value),
            (Script::Set(other), read_only(version)),
            (Script::NoWritesGet, value),
            (Script::FunctionGet, value),
        ] {
            assert_eq!(
                bench.ask(capable, script(what)),
                reply,
                "{version}: {what:?}"
            );
        }
        for what in [
            Script::ShebangSet(other),
            Script::RoGet,
            Script::FunctionSet(other),
            Script::FunctionRoGet,
        ] {
            let reply = bench.ask(capable, script(what));
            assert!(to(reply, A), "{version}: {what:?} {reply:?}");
        }
    }
}

#[test]
fn the_errors_of_scripts_are_worded_as_recorded() {
    let sha = "1f8f4cfba6f3375f8c4ec02b9de4361a5dea5c64";
    let on_replica = "-READONLY You can't write against a read only replica. script: ";
    let texts = [
        (
            ErrorKind::ScriptReadOnly,
            format!("{on_replica}{sha}, on @user_script:1."),
        ),
        (
            ErrorKind::ScriptReadOnlyUnnamed,
            format!("{on_replica}on @user_script:1."),
        ),
    ];
    for (error, text) in texts {
        assert_eq!(error.text(), text);
    }
}

/// A script that is served writes as its command would, and its write is replicated.
#[test]
fn what_a_script_sets_reaches_the_replica_unless_replicas_are_missing() {
    for (version, error) in [
        ("9.0", ErrorKind::ScriptNoReplicas),
        ("9.1", ErrorKind::ScriptNoReplicasUnnamed),
    ] {
        let mut bench = Bench::with(version, 2, |config| config.min_replicas_to_write = 1);
        let client = bench.connect(A);
        for (number, what) in [
            (401, Script::Set as fn(_) -> _),
            (402, Script::ShebangSet),
            (403, Script::FunctionSet),
        ] {
            let write = WriteId(number);
            assert_eq!(bench.ask(client, script(what(write))), Some(Reply::Ok));
            assert!(bench.server(B).data().has(write));
        }
        bench.kill(B);
        bench.settle();
        let refused = bench.ask(client, script(Script::Set(WRITE)));
        assert_eq!(refused, Some(Reply::Error(error)));
        let refused = bench.ask(client, script(Script::ShebangSet(WRITE)));
        assert_eq!(refused, Some(Reply::Error(ErrorKind::NoReplicas)));
    }
}
