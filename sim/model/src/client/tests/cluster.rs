//! Clients of a cluster: where commands go, and what MOVED, ASK and errors lead to.

use super::super::note::Note;
use super::*;

pub(super) fn moved(slot: u16, to: Addr) -> Does {
    redirect_by(RedirectKind::Moved(HashSlot(slot)), to)
}

pub(super) fn ask(slot: u16, to: Addr) -> Does {
    redirect_by(RedirectKind::Ask(HashSlot(slot)), to)
}

/// The slot of a command's keys.
fn slot_of(command: Command) -> Option<HashSlot> {
    let key = match command {
        Command::Get(key) | Command::MGet(key, _) => key,
        Command::Set(key, _) | Command::Incr(key, _) | Command::Del(key, _) => key,
        Command::LPush(key, _) | Command::BlPop { key, .. } => key,
        _ => return None,
    };
    Some(HashSlot::of_key(key, KEYS_PER_TAG))
}

fn upper(slot: HashSlot) -> bool {
    slot.0 >= 8_192
}

/// A node of a cluster in which the lower half of the slots is `lower`'s and the upper half
/// `upper_half`'s: it serves what is its own and redirects the rest.
fn sharded(lower: Addr, upper_half: Addr) -> impl FnMut(Addr, Command, Time) -> Does {
    move |addr, command, _| match slot_of(command) {
        None => served(command),
        Some(slot) => {
            let owner = if upper(slot) { upper_half } else { lower };
            if owner == addr {
                served(command)
            } else {
                moved(slot.0, owner)
            }
        }
    }
}

/// A cluster policy with changes.
fn policy_with(change: impl FnOnce(&mut Policy, &mut ClusterPolicy)) -> Policy {
    let mut policy = policy("warm-cluster").expect("known");
    let mut cluster = policy.cluster.clone().expect("a cluster's");
    change(&mut policy, &mut cluster);
    policy.cluster = Some(cluster);
    policy
}

fn writer(policy: Policy, count: u64) -> Rig {
    Rig::new(policy, busy(1, sets(), count))
}

/// Where commands about keys were sent.
fn sent_to(rig: &Rig) -> Vec<(Addr, Command)> {
    let mut open = BTreeMap::new();
    let mut sent = Vec::new();
    for (_, effect) in &rig.log {
        match effect {
            Effect::Dial(slot, addr) => {
                open.insert(slot.0, *addr);
            }
            Effect::Send(slot, request) => sent.push((open[&slot.0], request.command)),
            _ => {}
        }
    }
    sent
}

fn hops(rig: &Rig) -> Vec<(RedirectKind, Addr)> {
    let hop = |(_, effect): &(Time, Effect)| match effect {
        Effect::Note(Note::Hop { via, to, .. }) => Some((*via, *to)),
        _ => None,
    };
    rig.log.iter().filter_map(hop).collect()
}

fn served_all(rig: &Rig, count: usize) {
    let ended = rig.ended();
    assert_eq!(ended.len(), count);
    for (outcome, ..) in ended {
        assert_eq!(outcome, CommandOutcome::Served);
    }
}

#[test]
fn nothing_is_sent_before_the_map_is_known_and_then_to_the_slot_s_owner() {
    let mut rig = writer(policy_with(|_, _| {}), 50);
    rig.run(ms(1_000), sharded(OLD, NEW));
    served_all(&rig, 50);
    assert_eq!(hops(&rig), []);
    let sent = sent_to(&rig);
    assert_eq!(sent[0], (OLD, Command::ClusterSlots));
    assert_eq!(rig.count(CommandKind::ClusterSlots), 1);
    for (addr, command) in &sent[1..] {
        let to_new = slot_of(*command).map(upper) == Some(true);
        assert_eq!(*addr, if to_new { NEW } else { OLD }, "{command:?}");
    }
    assert!(sent.iter().any(|(addr, _)| *addr == NEW));
}

#[test]
fn a_silent_seed_keeps_commands_waiting_and_the_wait_has_a_name() {
    let mut rig = writer(policy_with(|_, _| {}), 1);
    rig.down = vec![OLD];
    rig.run(ms(950), sharded(OLD, NEW));
    let pending = rig.client.oldest_open().expect("waits");
    assert_eq!(pending.waits, Waits::Topology);
    // The seed is all that it knows: it tries again after each pause.
    assert_eq!(rig.dials().len(), 10);
    rig.down.clear();
    rig.run(ms(2_000), sharded(OLD, NEW));
    served_all(&rig, 1);
}

#[test]
fn moved_is_followed_at_once_and_corrects_its_slot_alone() {
    // The shards have changed places since the map was drawn, and nobody gives a new one.
    let mut rig = writer(
        policy_with(|_, cluster| cluster.on_moved = Refresh::Never),
        200,
    );
    rig.run(ms(2_000), sharded(NEW, OLD));
    served_all(&rig, 200);
    let slots: std::collections::BTreeSet<_> = sent_to(&rig)
        .iter()
        .filter_map(|(_, command)| slot_of(*command))
        .collect();
    // Ten tags of ten keys: one MOVED for each slot, then the map is right.
    assert_eq!(slots.len(), 10);
    let vias: Vec<_> = hops(&rig).into_iter().map(|(via, _)| via).collect();
    let mut expected: Vec<_> = slots
        .iter()
        .map(|slot| RedirectKind::Moved(*slot))
        .collect();
    expected.sort_by_key(|via| vias.iter().position(|other| other == via));
    assert_eq!(vias, expected);
    assert_eq!(rig.count(CommandKind::ClusterSlots), 1);
}

#[test]
fn a_map_that_is_never_corrected_costs_a_hop_each_time() {
    let mut lettuce = writer(policy("lettuce-cluster").expect("known"), 40);
    lettuce.run(ms(2_000), sharded(NEW, OLD));
    served_all(&lettuce, 40);
    assert_eq!(hops(&lettuce).len(), 40);
    assert_eq!(lettuce.count(CommandKind::ClusterSlots), 1);
}

#[test]
fn moved_renews_the_map_as_the_policy_says() {
    let asked = |refresh: Refresh| {
        let policy = policy_with(|_, cluster| {
            cluster.moved_corrects = false;
            cluster.on_moved = refresh;
        });
        let mut rig = writer(policy, 20);
        // The answer stays wrong, so that each command is redirected: 20 in 40 ms or a little
        // more, since each takes two round trips.
        rig.run(ms(1_000), sharded(NEW, OLD));
        served_all(&rig, 20);
        assert_eq!(hops(&rig).len(), 20);
        rig.count(CommandKind::ClusterSlots) - 1
    };
    assert_eq!(asked(Refresh::Never), 0);
    assert_eq!(asked(Refresh::AtOnce), 20);
    assert_eq!(asked(Refresh::EveryNth(5)), 4);
    let throttled = asked(Refresh::AtMostEvery(Duration::millis(10)));
    assert!((3..=4).contains(&throttled), "{throttled}");
}

#[test]
fn a_renewed_map_is_right_for_every_slot() {
    let mut rig = writer(
        policy_with(|_, cluster| cluster.moved_corrects = false),
        100,
    );
    let swapped = rig.topologies.keep(halves(NEW, OLD));
    let mut first = true;
    let mut servers = sharded(NEW, OLD);
    rig.run(ms(2_000), move |addr, command, now| {
        if command == Command::ClusterSlots && !std::mem::take(&mut first) {
            return Does::Reply(Reply::Topology(swapped));
        }
        servers(addr, command, now)
    });
    served_all(&rig, 100);
    assert_eq!(hops(&rig).len(), 1, "the first; then the map is new");
}

#[test]
fn the_node_that_redirected_is_asked_where_the_policy_says_so() {
    let mut rig = writer(policy("jedis-cluster").expect("known"), 1);
    rig.run(ms(100), sharded(NEW, OLD));
    let sent = sent_to(&rig);
    let [asked, redirected, renewed, followed] = sent[..] else {
        panic!("{sent:?}");
    };
    assert_eq!(asked.1, Command::ClusterSlots);
    assert_eq!(renewed, (redirected.0, Command::ClusterSlots));
    assert_eq!(followed, (other(redirected.0), redirected.1));
}

#[test]
fn ask_is_followed_after_asking_and_changes_nothing() {
    let mut rig = writer(policy_with(|_, _| {}), 3);
    let mut asked = false;
    rig.run(ms(1_000), move |addr, command, _| {
        // The owner has given its keys away; the other serves only who asks first.
        match slot_of(command) {
            _ if command == Command::Asking => {
                asked = true;
                served(command)
            }
            None => served(command),
            Some(slot) if upper(slot) == (addr == NEW) => ask(slot.0, other(addr)),
            Some(slot) if !std::mem::take(&mut asked) => moved(slot.0, other(addr)),
            Some(_) => served(command),
        }
    });
    served_all(&rig, 3);
    assert_eq!(rig.count(CommandKind::Asking), 3);
    assert_eq!(rig.count(CommandKind::ClusterSlots), 1);
    let hops = hops(&rig);
    assert_eq!(hops.len(), 3, "each command goes to the owner first");
    assert!(
        hops.iter()
            .all(|(via, _)| matches!(via, RedirectKind::Ask(_)))
    );
    let sent = sent_to(&rig);
    for window in sent.windows(2) {
        if window[0].1 == Command::Asking {
            assert_eq!(window[0].0, window[1].0, "on the same connection");
        }
    }
}

#[test]
fn asking_goes_before_multi() {
    let mix = Mix {
        multi: 1,
        ..Mix::default()
    };
    let mut rig = Rig::new(policy_with(|_, _| {}), busy(1, mix, 1));
    let mut asked = false;
    rig.run(ms(1_000), move |addr, command, _| {
        asked |= command == Command::Asking;
        match command {
            Command::Set(..) | Command::Get(_) if !asked => ask(1, other(addr)),
            Command::Exec if !asked => error(ErrorKind::ExecAbort),
            _ => served(command),
        }
    });
    served_all(&rig, 1);
    let kinds: Vec<_> = sent_to(&rig).iter().map(|(_, c)| c.kind()).collect();
    let asking = kinds.iter().position(|kind| *kind == CommandKind::Asking);
    let place = asking.expect("was asked");
    assert_eq!(kinds[place + 1], CommandKind::Multi);
    assert_eq!(hops(&rig).len(), 1);
}

#[test]
fn every_library_has_its_cap() {
    for (name, follows) in [
        ("jedis-cluster", 4),
        ("lettuce-cluster", 5),
        ("go-redis-cluster", 3),
        ("redis-py-cluster", 15),
        ("ioredis-cluster", 16),
        ("glide-cluster", 3),
    ] {
        let mut rig = writer(policy(name).expect("known"), 1);
        rig.run(ms(200), |addr, command, _| match slot_of(command) {
            Some(slot) => moved(slot.0, other(addr)),
            None => served(command),
        });
        let ended = rig.ended();
        let bounces = follows - 1;
        assert_eq!(
            ended,
            [(CommandOutcome::Redirect, follows, bounces)],
            "{name}"
        );
    }
    let mut go = writer(policy("valkey-go-cluster").expect("known"), 1);
    go.run(ms(200), |addr, command, _| match slot_of(command) {
        Some(slot) => moved(slot.0, other(addr)),
        None => served(command),
    });
    assert_eq!(go.ended(), []);
    assert!(hops(&go).len() > 190, "no cap: {}", hops(&go).len());
}

#[test]
fn tryagain_and_clusterdown_are_waited_out() {
    let times = |kind: ErrorKind, name: &str| {
        let mut rig = writer(policy(name).expect("known"), 1);
        let mut left = 3;
        rig.run(ms(10_000), move |_, command, _| {
            if slot_of(command).is_some() && left > 0 {
                left -= 1;
                return error(kind);
            }
            served(command)
        });
        let sets: Vec<Time> = rig
            .sends()
            .iter()
            .filter(|(_, c)| c.kind() == CommandKind::Set)
            .map(|(at, _)| *at)
            .collect();
        let waits: Vec<u64> = sets
            .windows(2)
            .map(|w| w[1].since(w[0]).0 / 1_000_000)
            .collect();
        (
            rig.ended()
                .iter()
                .map(|(outcome, ..)| *outcome)
                .collect::<Vec<_>>(),
            waits,
        )
    };
    let served = vec![CommandOutcome::Served];
    // A wait and a round trip of a millisecond each time.
    assert_eq!(
        times(ErrorKind::TryAgain, "ioredis-cluster"),
        (served.clone(), vec![101; 3])
    );
    assert_eq!(
        times(ErrorKind::TryAgain, "redis-py-cluster"),
        (served.clone(), vec![51; 3])
    );
    assert_eq!(
        times(ErrorKind::ClusterDown, "redis-py-cluster"),
        (served.clone(), vec![251; 3])
    );
    assert_eq!(
        times(ErrorKind::ClusterDownUnbound, "ioredis-cluster"),
        (served.clone(), vec![101; 3])
    );
    let (outcome, waits) = times(ErrorKind::TryAgain, "go-redis-cluster");
    assert_eq!(outcome, served);
    assert!(
        waits.iter().all(|wait| (9..=66).contains(wait)),
        "{waits:?}"
    );
    for kind in [ErrorKind::TryAgain, ErrorKind::ClusterDown] {
        let (outcome, waits) = times(kind, "jedis-cluster");
        assert_eq!(
            (outcome, waits),
            (vec![CommandOutcome::Error(kind)], vec![])
        );
    }
}

#[test]
fn clusterdown_makes_it_ask() {
    let mut rig = writer(policy("redis-py-cluster").expect("known"), 1);
    let mut left = 2;
    rig.run(ms(2_000), move |_, command, _| {
        if slot_of(command).is_some() && left > 0 {
            left -= 1;
            return error(ErrorKind::ClusterDown);
        }
        served(command)
    });
    served_all(&rig, 1);
    assert_eq!(rig.count(CommandKind::ClusterSlots), 3);
}

#[test]
fn a_dead_node_s_commands_go_where_the_new_map_says() {
    let mut rig = writer(policy_with(|_, _| {}), 100);
    let all_old = rig.topologies.keep(vec![TopologyRange {
        first: HashSlot(0),
        last: HashSlot(16_383),
        primary: OLD,
        replicas: Vec::new(),
    }]);
    // NEW refuses; the others have noticed by 300 ms.
    rig.down = vec![NEW];
    rig.run(ms(3_000), move |_, command, now| {
        if command == Command::ClusterSlots && now > ms(300) {
            return Does::Reply(Reply::Topology(all_old));
        }
        served(command)
    });
    served_all(&rig, 100);
    assert_eq!(hops(&rig), []);
    let to_new: Vec<_> = rig
        .dials()
        .into_iter()
        .filter(|(_, addr)| *addr == NEW)
        .collect();
    assert!((3..=5).contains(&to_new.len()), "{to_new:?}");
}

#[test]
fn moved_to_one_s_own_address_is_resent_or_redialled() {
    let dials = |name: &str| {
        let mut rig = writer(policy(name).expect("known"), 1);
        let mut once = true;
        rig.run(ms(500), move |addr, command, _| match slot_of(command) {
            Some(slot) if std::mem::take(&mut once) => moved(slot.0, addr),
            _ => served(command),
        });
        served_all(&rig, 1);
        let hops = hops(&rig);
        assert_eq!(hops.len(), 1, "{name}");
        rig.dials()
            .iter()
            .filter(|(_, addr)| *addr == hops[0].1)
            .count()
    };
    assert_eq!(dials("warm-cluster"), 1);
    assert_eq!(dials("lettuce-cluster"), 1);
    assert_eq!(dials("ioredis-cluster"), 2);
    // It connects to all nodes at the start, and once more.
    assert_eq!(dials("glide-cluster"), 2);
}

#[test]
fn pipelines_are_split_by_node_and_transactions_are_not() {
    let mut workload = busy(1, sets(), 40);
    workload.pipeline = 20;
    let mut rig = Rig::new(policy_with(|_, _| {}), workload);
    rig.run(ms(500), sharded(OLD, NEW));
    served_all(&rig, 40);
    assert_eq!(hops(&rig), []);
    // A pipeline's two parts leave at the same instant.
    let sets: Vec<_> = rig
        .sends()
        .into_iter()
        .filter(|(_, c)| c.kind() == CommandKind::Set)
        .collect();
    let instants: std::collections::BTreeSet<Time> = sets.iter().map(|(at, _)| *at).collect();
    assert!(instants.len() <= 3, "{instants:?}");

    let mix = Mix {
        multi: 1,
        mget: 1,
        ..Mix::default()
    };
    let mut rig = Rig::new(policy_with(|_, _| {}), busy(1, mix, 60));
    rig.run(ms(1_000), sharded(OLD, NEW));
    served_all(&rig, 60);
    assert_eq!(hops(&rig), []);
    for (_, command) in rig.sends() {
        if let Command::MGet(first, more) = command {
            let last = first + u32::from(more);
            assert_eq!(first / KEYS_PER_TAG, last / KEYS_PER_TAG, "one tag");
        }
    }
}

#[test]
fn a_pipeline_is_split_anew_after_a_lost_connection() {
    let mut workload = busy(1, sets(), 20);
    workload.pipeline = 20;
    let mut rig = Rig::new(policy_with(|_, _| {}), workload);
    let swapped = rig.topologies.keep(halves(NEW, OLD));
    let mut hung = false;
    let mut servers = sharded(NEW, OLD);
    rig.run(ms(1_000), move |addr, command, now| {
        if command == Command::ClusterSlots && hung {
            return Does::Reply(Reply::Topology(swapped));
        }
        if slot_of(command).is_some() && !hung {
            hung = true;
            return Does::Hangs;
        }
        servers(addr, command, now)
    });
    served_all(&rig, 20);
}

#[test]
fn reads_go_to_replicas_where_the_policy_says_so() {
    let mix = Mix {
        get: 1,
        set: 1,
        ..Mix::default()
    };
    let policy = policy_with(|policy, cluster| {
        policy.readonly = true;
        cluster.read_from = ReadFrom::Replicas;
    });
    let mut rig = Rig::new(policy, busy(1, mix, 60));
    let mut table = halves(OLD, OLD);
    for range in &mut table {
        range.replicas = vec![NEW];
    }
    let table = rig.topologies.keep(table);
    rig.run(ms(1_000), move |_, command, _| match command {
        Command::ClusterSlots => Does::Reply(Reply::Topology(table)),
        _ => served(command),
    });
    served_all(&rig, 60);
    for (addr, command) in sent_to(&rig) {
        match command {
            Command::Get(_) => assert_eq!(addr, NEW),
            Command::Set(..) => assert_eq!(addr, OLD),
            _ => {}
        }
    }
    assert_eq!(rig.count(CommandKind::ReadOnly), 2);
}

#[test]
fn it_asks_by_itself_until_the_drain() {
    let policy = policy("ioredis-cluster").expect("known");
    let mut rig = writer(policy, 1);
    rig.run(ms(20_500), sharded(OLD, NEW));
    assert_eq!(
        rig.count(CommandKind::ClusterSlots),
        5,
        "at 0, 5, 10, 15 and 20 s"
    );
    rig.schedule(rig.now, None, Input::Drain);
    rig.run(ms(60_000), sharded(OLD, NEW));
    assert_eq!(rig.count(CommandKind::ClusterSlots), 5);
}

#[test]
fn a_command_that_was_sent_back_has_bounced() {
    let mut rig = writer(policy_with(|_, _| {}), 1);
    let mut left = 3;
    rig.run(ms(100), move |addr, command, _| match slot_of(command) {
        Some(slot) if left > 0 => {
            left -= 1;
            moved(slot.0, other(addr))
        }
        _ => served(command),
    });
    assert_eq!(rig.ended(), [(CommandOutcome::Served, 3, 2)]);
}

#[test]
fn a_client_without_a_map_goes_where_moved_points() {
    let mut rig = writer(policy("valkey-cli-cluster").expect("known"), 100);
    rig.run(ms(2_000), sharded(OLD, NEW));
    served_all(&rig, 100);
    assert_eq!(rig.count(CommandKind::ClusterSlots), 0);
    // Each command goes where the last one was served.
    let mut at = OLD;
    let mut moves = 0;
    for (addr, command) in sent_to(&rig) {
        assert_eq!(addr, at, "{command:?}");
        let owner = if slot_of(command).map(upper) == Some(true) {
            NEW
        } else {
            OLD
        };
        moves += u32::from(owner != at);
        at = owner;
    }
    assert_eq!(hops(&rig).len(), moves as usize);
    assert!(moves > 10, "{moves}");
}
