//! What sets the policies apart.

use super::*;

#[test]
fn a_fresh_connection_costs_three_round_trips() {
    let mut rig = Rig::preset("no-capa", sets(), 2);
    rig.spec.policy.capa = true;
    rig.run(ms(10), |_, command, _| served(command));
    let sends = rig.sends();
    assert_eq!(sends[0], (ms(1), Command::ClientCapa));
    assert_eq!(sends[1].0, ms(2));
    assert_eq!(sends[2].0, ms(3), "the second command needs one");
    assert_eq!(rig.ended(), [(CommandOutcome::Served, 0, 0); 2]);
}

#[test]
fn a_server_without_the_capability_is_tolerated() {
    let mut rig = Rig::preset("warm", sets(), 1);
    rig.spec.policy.readonly = true;
    rig.run(ms(10), |_, command, _| match command {
        Command::ClientCapa => error(ErrorKind::UnknownCapa),
        Command::ReadOnly => error(ErrorKind::ClusterDisabled),
        _ => served(command),
    });
    assert_eq!(rig.ended(), [(CommandOutcome::Served, 0, 0)]);
}

#[test]
fn p1_dials_for_each_hop_and_keeps_old_connections_for_5_s() {
    let mut rig = Rig::preset("valkey-go", sets(), 1);
    rig.run(ms(3_000), window(ms(20)));
    let ended = rig.ended();
    let (outcome, hops, bounces) = ended[0];
    assert_eq!(outcome, CommandOutcome::Served);
    // Three round trips each: sent at 2, 5, 8 … ms, answered by `new` for good from 23 on.
    assert_eq!((hops, bounces), (7, 6));
    assert_eq!(rig.dials().len(), 8);
    assert_eq!(rig.open(), 8, "all are still open");
    rig.run(ms(6_000), window(ms(20)));
    assert_eq!(rig.open(), 1);
    assert_eq!(rig.closes()[0], ms(5 + 5_000));
}

#[test]
fn p1_shares_one_dial_among_concurrent_redirects() {
    let mut rig = Rig::new(policy("valkey-go").expect("known"), busy(10, sets(), 10));
    rig.run(ms(100), window(ms(0)));
    assert_eq!(rig.dials(), [(ms(0), OLD), (ms(3), NEW)]);
    assert_eq!(rig.ended(), [(CommandOutcome::Served, 1, 0); 10]);
    assert_eq!(rig.client.primary(), NEW);
}

#[test]
fn p1_goes_back_to_the_old_primary_when_the_dial_fails() {
    let mut rig = Rig::preset("valkey-go", sets(), 1);
    rig.down = vec![NEW];
    rig.run(ms(50), window(ms(0)));
    assert!(rig.ended().is_empty());
    assert!(
        rig.count(CommandKind::Set) > 5,
        "redirected again and again"
    );
    rig.down.clear();
    rig.run(ms(60), window(ms(0)));
    assert_eq!(rig.ended()[0].0, CommandOutcome::Served);
    assert_eq!(rig.client.primary(), NEW);
}

#[test]
fn p2_sends_five_times_and_surfaces() {
    let mut rig = Rig::preset("valkey-java", sets(), 1);
    rig.run(ms(1_000), window(ms(500)));
    assert_eq!(rig.ended(), [(CommandOutcome::Redirect, 4, 3)]);
    assert_eq!(rig.count(CommandKind::Set), 5);
    assert_eq!(rig.dials().len(), 5, "a pool for every hop");
    assert_eq!(rig.open(), 0, "old pools are closed");
}

#[test]
fn p2_ignores_redirects_of_a_pool_that_it_has_left() {
    let mut rig = Rig::new(policy("valkey-java").expect("known"), busy(2, sets(), 2));
    rig.spec.workload.connections = 2;
    let mut first = true;
    rig.run(ms(100), |addr, command, _| match command {
        Command::Set(..) if addr == OLD && std::mem::take(&mut first) => Does::Silence,
        Command::Set(..) if addr == OLD => redirect(NEW),
        _ => served(command),
    });
    assert_eq!(rig.ended(), [(CommandOutcome::Served, 1, 0)]);
    // The one that was held is redirected to where it already is: no hop, no new pool.
    let before = rig.dials().len();
    let tag = rig.log.iter().find_map(|(_, effect)| match effect {
        Effect::Send(slot, request) if matches!(request.command, Command::Set(..)) => {
            Some((*slot, request.tag))
        }
        _ => None,
    });
    let (slot, tag) = tag.expect("sent");
    let belief = Belief::default();
    rig.schedule(
        rig.now,
        None,
        Input::Reply(
            slot,
            tag,
            Reply::Redirect(Redirect::new(RedirectKind::Redirect, OLD, belief)),
        ),
    );
    rig.run(ms(200), |_, command, _| served(command));
    assert_eq!(rig.ended()[1], (CommandOutcome::Served, 0, 0));
    assert_eq!(rig.client.primary(), NEW);
    assert_eq!(rig.dials().len(), before);
    assert_eq!(rig.open(), 1);
}

#[test]
fn p3_sleeps_before_it_moves() {
    let mut rig = Rig::preset("valkey-swift", sets(), 1);
    rig.run(ms(1_000), window(ms(2_000)));
    assert_eq!(rig.client.primary(), OLD);
    let reason = |rig: &Rig| {
        let pending = rig.client.oldest_open().expect("open");
        pending.reason(rig.now, &rig.addresses)
    };
    assert_eq!(
        reason(&rig),
        "waits 283ms before following a redirect to new"
    );
    rig.run(ms(10_000), window(ms(2_000)));
    assert_eq!(rig.ended(), [(CommandOutcome::Served, 3, 2)]);
    let sets: Vec<Time> = rig
        .sends()
        .into_iter()
        .filter(|(_, command)| command.kind() == CommandKind::Set)
        .map(|(at, _)| at)
        .collect();
    // `new` costs a dial once; then both are warm.
    assert_eq!(sets, [ms(2), ms(1_285), ms(2_566), ms(3_847)]);
    assert_eq!(rig.dials().len(), 2);
}

#[test]
fn p4_follows_per_command_by_warm_connections() {
    let mut rig = Rig::preset("redisson", sets(), 2);
    rig.run(ms(1_000), window(ms(20)));
    // Sent at 2, 3, 4 … ms; `old` at even ones.
    assert_eq!(
        rig.ended(),
        [
            (CommandOutcome::Served, 19, 18),
            (CommandOutcome::Served, 1, 0)
        ]
    );
    assert_eq!(rig.client.primary(), OLD, "the client has not moved");
    assert_eq!(rig.dials().len(), 2);
}

#[test]
fn p4s_sends_to_the_same_node_again() {
    let mut rig = Rig::preset("redisson-single", sets(), 1);
    rig.run(ms(30), window(ms(0)));
    assert!(rig.ended().is_empty());
    assert_eq!(rig.dials(), [(ms(0), OLD)]);
    assert_eq!(rig.count(CommandKind::Set), 29);
}

#[test]
fn p5_surfaces_after_its_cap() {
    for (name, cap) in [("cap-1", 1), ("cap-3", 3), ("cap-5", 5), ("cap-16", 16)] {
        let mut rig = Rig::preset(name, sets(), 1);
        rig.run(ms(1_000), window(ms(500)));
        assert_eq!(rig.ended(), [(CommandOutcome::Redirect, cap, cap - 1)]);
        assert_eq!(rig.count(CommandKind::Set), cap as usize + 1);
    }
}

#[test]
fn p6_retries_readonly_at_the_same_address_or_reports_it() {
    let readonly = |_: Addr, command: Command, _: Time| match command {
        Command::Set(..) => error(ErrorKind::ReadOnly),
        _ => served(command),
    };
    let mut rig = Rig::preset("go-redis", sets(), 1);
    rig.run(ms(5_000), readonly);
    let failed = (CommandOutcome::Error(ErrorKind::ReadOnly), 0, 0);
    assert_eq!(rig.ended(), [failed]);
    assert_eq!(rig.count(CommandKind::Set), 4);
    assert_eq!(rig.count(CommandKind::ClientCapa), 0);
    assert_eq!(rig.dials(), [(ms(0), OLD)]);
    let mut rig = Rig::preset("no-capa", sets(), 1);
    rig.run(ms(5_000), readonly);
    assert_eq!(rig.ended(), [failed]);
    assert_eq!(rig.count(CommandKind::Set), 1);
}

#[test]
fn rediscovery_finds_the_primary() {
    let mut rig = Rig::preset("no-capa-rediscover", sets(), 2);
    rig.run(ms(5_000), |addr, command, now| match command {
        Command::Set(..) if addr == OLD => error(ErrorKind::ReadOnly),
        Command::Role if addr == OLD || now < ms(300) => {
            Does::Reply(role(Role::Replica, Some(other(addr))))
        }
        _ => served(command),
    });
    assert_eq!(rig.ended(), [(CommandOutcome::Served, 0, 0); 2]);
    assert_eq!(rig.client.primary(), NEW);
    assert_eq!(rig.count(CommandKind::Set), 3);
    assert_eq!(rig.count(CommandKind::Role), 8, "two per round of 100 ms");
}

#[test]
fn p7_asks_round_and_round_without_delay() {
    let ping = Mix {
        ping: 1,
        ..Mix::default()
    };
    let replicas = |addr: Addr, command: Command, now: Time| match command {
        Command::Role if now < ms(30_100) || addr == OLD => {
            Does::Reply(role(Role::Replica, Some(other(addr))))
        }
        _ => served(command),
    };
    let mut rig = Rig::preset("valkey-swift-refresh", ping, 1);
    rig.run(ms(40_000), replicas);
    let roles = rig.count(CommandKind::Role);
    assert!((95..=102).contains(&roles), "{roles} in 100 round trips");
    assert_eq!(rig.client.primary(), NEW);
    let mut rig = Rig::preset("rediscover", ping, 1);
    rig.run(ms(2_400), replicas);
    assert_eq!(rig.count(CommandKind::Role), 2, "at 1 s and 1.28 s later");
}

#[test]
fn p8_reports_and_its_application_may_retry() {
    let mut rig = Rig::preset("valkey-py", sets(), 1);
    rig.run(ms(1_000), window(ms(50)));
    assert_eq!(rig.ended(), [(CommandOutcome::Redirect, 0, 0)]);
    let mut rig = Rig::preset("valkey-py-retry", sets(), 1);
    rig.run(ms(5_000), window(ms(50)));
    let (outcome, hops, bounces) = rig.ended()[0];
    assert_eq!(outcome, CommandOutcome::Served);
    assert!(hops >= 1 && bounces + 1 == hops);
    let mut rig = Rig::preset("valkey-py-retry", sets(), 1);
    rig.run(ms(60_000), window(ms(60_000)));
    assert_eq!(rig.ended(), [(CommandOutcome::Redirect, 10, 9)]);
}

#[test]
fn p9_waits_when_it_is_sent_back() {
    let mut guarded = Rig::preset("bounce-guard", sets(), 1);
    guarded.run(ms(5_000), window(ms(200)));
    let mut plain = Rig::preset("warm", sets(), 1);
    plain.run(ms(5_000), window(ms(200)));
    let (waits, storms) = (guarded.ended()[0], plain.ended()[0]);
    assert_eq!(
        (waits.0, storms.0),
        (CommandOutcome::Served, CommandOutcome::Served)
    );
    assert_eq!(storms.1, 199);
    assert!((3..=20).contains(&waits.1), "{waits:?}");
    // The first hop is no bounce and is followed at once.
    let mut healthy = Rig::preset("bounce-guard", sets(), 1);
    healthy.run(ms(4), window(ms(0)));
    assert_eq!(healthy.ended(), [(CommandOutcome::Served, 1, 0)]);
}
