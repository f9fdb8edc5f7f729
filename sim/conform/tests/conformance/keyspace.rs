//! Keys that expire, keys that are watched, and commands about what there is.

use rebound_engine::Duration;
use rebound_sim::valkey::{Command, Encoding, ErrorKind, FailoverState, Reply, WriteId};

use rebound_conform::bench::{A, B, Bench};

use crate::versions::ALL;

const GONE: u32 = 5;

/// C08: a pause stops expiry, but a key whose time is up reads as absent.
#[test]
fn c08_an_expired_key_reads_as_absent_and_is_counted_while_writes_are_paused() {
    for version in ALL {
        let mut bench = Bench::new(version, 2);
        let client = bench.connect(A);
        bench.ask(client, Command::Set(GONE, WriteId(300)));
        assert_eq!(
            bench.ask(client, Command::PExpire(GONE, 200)),
            Some(Reply::Int(1))
        );
        bench.hold(B, A, false);
        let set = bench.set();
        bench.ask(client, set);
        bench.failover(false, None);
        bench.advance(Duration::millis(400));
        assert_eq!(bench.state(A), FailoverState::WaitForSync);
        assert_eq!(bench.ask(client, Command::Get(GONE)), Some(Reply::Nil));
        assert_eq!(
            bench.ask(client, Command::ObjectEncoding(GONE)),
            Some(Reply::Nil)
        );
        assert_eq!(bench.ask(client, Command::DbSize), Some(Reply::Int(2)));
        assert_eq!(bench.ask(client, Command::Keys), Some(Reply::Array(1)));
        bench.ask(client, Command::FailoverAbort);
        bench.release(B, A, false);
        bench.advance(Duration::millis(200));
        for node in [A, B] {
            assert_eq!(bench.server(node).data().keys().count(), 1, "{version}");
        }
    }
}

#[test]
fn a_replica_waits_to_be_told_that_a_key_has_expired() {
    let mut bench = Bench::new("8.0.1", 2);
    let (client, reader) = (bench.connect(A), bench.connect(B));
    bench.ask(client, Command::Set(GONE, WriteId(300)));
    bench.ask(client, Command::PExpire(GONE, 50));
    bench.hold(B, A, false);
    bench.advance(Duration::millis(200));
    assert_eq!(bench.ask(reader, Command::Get(GONE)), Some(Reply::Nil));
    assert_eq!(bench.ask(reader, Command::DbSize), Some(Reply::Int(1)));
    assert_eq!(bench.ask(client, Command::DbSize), Some(Reply::Int(0)));
    bench.release(B, A, false);
    assert_eq!(bench.ask(reader, Command::DbSize), Some(Reply::Int(0)));
    // What is written anew does not expire, and nor does a counter continue.
    bench.ask(client, Command::Incr(GONE, WriteId(301)));
    bench.ask(client, Command::PExpire(GONE, 50));
    bench.advance(Duration::millis(51));
    let first = bench.ask(client, Command::Incr(GONE, WriteId(302)));
    assert_eq!(first, Some(Reply::Int(1)));
    assert_eq!(
        bench.ask(client, Command::PExpire(99, 50)),
        Some(Reply::Int(0))
    );
}

#[test]
fn a_transaction_does_not_run_if_what_it_watches_has_changed() {
    let mut bench = Bench::new("8.0.1", 2);
    let (client, other) = (bench.connect(A), bench.connect(A));
    let begin = |bench: &mut Bench| {
        assert_eq!(bench.ask(client, Command::Watch(1)), Some(Reply::Ok));
        assert_eq!(bench.ask(client, Command::Multi), Some(Reply::Ok));
        assert_eq!(bench.ask(client, Command::Get(1)), Some(Reply::Queued));
    };
    begin(&mut bench);
    bench.ask(other, Command::Set(2, WriteId(300)));
    assert_eq!(bench.ask(client, Command::Exec), Some(Reply::Array(1)));
    begin(&mut bench);
    bench.ask(other, Command::Set(1, WriteId(301)));
    assert_eq!(bench.ask(client, Command::Exec), Some(Reply::Nil));
    // It was forgotten with the transaction, or by UNWATCH.
    bench.ask(client, Command::Multi);
    assert_eq!(bench.ask(client, Command::Exec), Some(Reply::Array(0)));
    bench.ask(client, Command::Watch(1));
    bench.ask(other, Command::FlushAll(WriteId(302)));
    assert_eq!(bench.ask(client, Command::Unwatch), Some(Reply::Ok));
    bench.ask(client, Command::Multi);
    assert_eq!(bench.ask(client, Command::Exec), Some(Reply::Array(0)));
    // What reaches a replica from its primary changes keys as well.
    let reader = bench.connect(B);
    bench.ask(reader, Command::Watch(1));
    bench.ask(reader, Command::Multi);
    bench.ask(other, Command::Set(1, WriteId(303)));
    assert_eq!(bench.ask(reader, Command::Exec), Some(Reply::Nil));
}

#[test]
fn watch_inside_a_transaction_is_refused_in_the_versions_words() {
    for version in ALL {
        let mut bench = Bench::new(version, 2);
        let client = bench.connect(A);
        bench.ask(client, Command::Multi);
        let error = match version {
            "9.0" | "9.1" => ErrorKind::WatchInTransaction,
            _ => ErrorKind::NotInTransaction,
        };
        let refused = bench.ask(client, Command::Watch(1));
        assert_eq!(refused, Some(Reply::Error(error)), "{version}");
    }
}

#[test]
fn what_there_is() {
    let mut bench = Bench::new("8.0.1", 2);
    let client = bench.connect(A);
    assert_eq!(bench.ask(client, Command::DbSize), Some(Reply::Int(0)));
    bench.ask(client, Command::Set(1, WriteId(300)));
    bench.ask(client, Command::RPush(2, WriteId(301)));
    bench.ask(client, Command::XAdd(3, WriteId(302)));
    for (key, encoding) in [
        (1, Encoding::Int),
        (2, Encoding::ListPack),
        (3, Encoding::Stream),
    ] {
        let reply = bench.ask(client, Command::ObjectEncoding(key));
        assert_eq!(reply, Some(Reply::Encoding(encoding)));
    }
    assert_eq!(bench.ask(client, Command::DbSize), Some(Reply::Int(3)));
    assert_eq!(bench.ask(client, Command::Scan), Some(Reply::Array(2)));
    assert_eq!(
        bench.ask(client, Command::FlushAll(WriteId(303))),
        Some(Reply::Ok)
    );
    for node in [A, B] {
        assert_eq!(bench.server(node).data().keys().count(), 0);
    }
}
