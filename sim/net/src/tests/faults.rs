//! What faults do to connections.

use super::*;

#[test]
fn a_black_hole_is_left_at_the_next_retransmission() {
    // Measured: 0.5 → 0.84, 1 → 1.67, 2 → 3.33, 5 → 6.72, 10 → 13.47 s.
    for (lasts, recovered) in [
        (500, 840),
        (1_000, 1_680),
        (2_000, 3_360),
        (5_000, 6_720),
        (10_000, 13_440),
    ] {
        let (mut bench, conn) = Bench::connected();
        bench.send_at(999, conn, Initiator, 1); // Under way: arrives.
        bench.lose_once(1_000, 1_000 + lasts);
        bench.send_at(1_000, conn, Initiator, 2);
        bench.send_at(1_000 + lasts / 2, conn, Initiator, 3);
        bench.send_at(1_000 + lasts + 1, conn, Initiator, 4);
        let at = 1_000 + recovered + 5;
        let expected = [
            (1_004, Got(Acceptor, 1)),
            (at, Got(Acceptor, 2)),
            (at, Got(Acceptor, 3)),
            (at, Got(Acceptor, 4)),
        ];
        assert_eq!(bench.run(), expected);
    }
}

#[test]
fn a_cut_between_two_transmissions_changes_nothing() {
    let (mut bench, conn) = Bench::connected();
    bench.lose_once(1_000, 1_002);
    bench.send_at(1_001, conn, Initiator, 1);
    bench.lose_once(1_010, 1_200);
    assert_eq!(bench.run(), [(1_216, Got(Acceptor, 1))]);
}

#[test]
fn idle_connections_recover_at_once_and_cuts_nest() {
    let (mut bench, conn) = Bench::connected();
    bench.lose_once(1_000, 3_000);
    bench.lose_once(2_000, 4_000);
    bench.send_at(4_001, conn, Initiator, 1);
    assert_eq!(bench.run(), [(4_006, Got(Acceptor, 1))]);
}

#[test]
fn retries_run_out_when_a_cut_lasts() {
    for direction in Direction::BOTH {
        let (mut bench, conn) = Bench::connected();
        bench.cut_at(1_000, direction);
        bench.send_at(1_000, conn, Initiator, 1);
        let end = (925_600, Closed(Initiator, Closing::TimedOut));
        match direction {
            Direction::Forward => assert_eq!(bench.run(), [end]),
            Direction::Backward => assert_eq!(bench.run(), [(1_005, Got(Acceptor, 1)), end]),
        }
        // The acceptor knows nothing of it; what it sends is answered by a reset.
        bench.wire.log.clear();
        bench.uncut_at(2_000_000, direction);
        bench.send_at(2_000_001, conn, Acceptor, 2);
        bench.run_to(2_100_000);
        assert_eq!(bench.log(), [(2_000_011, Closed(Acceptor, Closing::Reset))]);
        assert_eq!(bench.wire.network.open_connections(), 0);
    }
}

#[test]
fn retries_do_not_run_out_when_the_cut_ends_in_time() {
    for direction in Direction::BOTH {
        let (mut bench, conn) = Bench::connected();
        bench.cut_at(1_000, direction);
        bench.send_at(1_000, conn, Initiator, 1);
        bench.uncut_at(800_000, direction);
        let log = bench.run();
        assert_eq!(log.len(), 1);
        assert_eq!(log[0].1, Got(Acceptor, 1));
    }
}

#[test]
fn a_reset_in_the_middle_is_told_to_both_and_loses_what_is_under_way() {
    let (mut bench, conn) = Bench::connected();
    bench.send_at(200, conn, Initiator, 1);
    bench.at(202, |wire, agenda| {
        wire.network.reset_path(agenda, CLIENT, SERVER)
    });
    let expected = [
        (207, Closed(Acceptor, Closing::Reset)),
        (207, Closed(Initiator, Closing::Reset)),
    ];
    assert_eq!(bench.run(), expected);
    assert_eq!(bench.wire.network.open_connections(), 0);
}

#[test]
fn a_dying_process_resets_its_connections_and_its_unsent_words_are_lost() {
    let (mut bench, conn) = Bench::connected();
    bench.send_at(198, conn, Acceptor, 1);
    bench.at(200, move |wire, agenda| {
        // The end of a turn that the process does not live to see.
        let later = agenda.now() + Duration::millis(1);
        wire.network.send(agenda, later, conn, Acceptor, 2);
        let mut gone = Vec::new();
        wire.network.listen(SERVER, false);
        wire.network
            .abort_all(agenda, SERVER, |conn, side| gone.push((conn, side)));
        assert_eq!(gone, [(conn, Acceptor)]);
    });
    let expected = [
        (203, Got(Initiator, 1)),
        (205, Closed(Initiator, Closing::Reset)),
    ];
    assert_eq!(bench.run(), expected);
    assert_eq!(bench.wire.network.open_connections(), 0);
}

#[test]
fn a_machine_that_comes_back_answers_old_connections_by_a_reset() {
    let (mut bench, conn) = Bench::connected();
    bench.send_at(198, conn, Acceptor, 1); // Under way: arrives.
    bench.send_at(198, conn, Initiator, 2); // Under way: meets a dead machine.
    bench.at(200, move |wire, agenda| {
        wire.network.set_host_up(agenda, SERVER, false);
        let mut gone = 0;
        wire.network.abort_all(agenda, SERVER, |_, _| gone += 1);
        assert_eq!(gone, 1);
    });
    bench.at(1_000, |wire, agenda| {
        wire.network
            .connect(agenda, agenda.now(), CLIENT, SERVER, 0);
    });
    bench.at(5_001, |wire, agenda| {
        wire.network.set_host_up(agenda, SERVER, true)
    });
    let expected = [
        (203, Got(Initiator, 1)),
        (6_005, Accepted),
        (6_010, Connected),
        // Sent at 198, again at 32 R, and answered.
        (198 + 6_720 + 10, Closed(Initiator, Closing::Reset)),
    ];
    assert_eq!(bench.run(), expected);
    assert_eq!(bench.wire.network.open_connections(), 1);
}

#[test]
fn a_peer_that_sends_nothing_stays_half_open() {
    let (mut bench, conn) = Bench::connected();
    bench.at(200, |wire, agenda| {
        wire.network.set_host_up(agenda, CLIENT, false)
    });
    bench.at(300, |wire, agenda| {
        wire.network.set_host_up(agenda, CLIENT, true)
    });
    assert_eq!(bench.run(), []);
    assert!(bench.wire.network.is_open(conn));
    bench.at(2_000_000, move |wire, agenda| {
        wire.network.close(agenda, agenda.now(), conn, Acceptor);
    });
    bench.run_to(2_100_000);
    assert!(!bench.wire.network.is_open(conn));
}

#[test]
fn a_clog_holds_everything_and_releases_it_in_order() {
    let (mut bench, conn) = Bench::connected();
    bench.send_at(198, conn, Initiator, 1);
    bench.at(200, |wire, _| {
        wire.network.clog(CLIENT, SERVER, Direction::Forward);
    });
    for i in 2..10 {
        bench.send_at(200 + u64::from(i), conn, Initiator, i);
    }
    bench.at(250, |wire, agenda| {
        wire.network
            .connect(agenda, agenda.now(), CLIENT, SERVER, 0);
    });
    bench.at(300, |wire, agenda| {
        wire.network
            .unclog(agenda, CLIENT, SERVER, Direction::Forward);
    });
    let mut log = bench.run();
    assert_eq!(log.pop(), Some((305, Connected)));
    assert_eq!(log.pop(), Some((300, Accepted)));
    let expected: Vec<(u64, Seen)> = (1..10).map(|i| (300, Got(Acceptor, i))).collect();
    assert_eq!(log, expected);
}

#[test]
fn a_spike_delays_and_ends() {
    let (mut bench, conn) = Bench::connected();
    let extra = Duration::millis(50);
    bench.at(200, move |wire, _| {
        wire.network.spike(CLIENT, SERVER, extra)
    });
    bench.send_at(201, conn, Initiator, 1);
    bench.at(300, move |wire, _| {
        wire.network.unspike(CLIENT, SERVER, extra)
    });
    bench.send_at(301, conn, Initiator, 2);
    assert_eq!(
        bench.run(),
        [(256, Got(Acceptor, 1)), (306, Got(Acceptor, 2))]
    );
}
