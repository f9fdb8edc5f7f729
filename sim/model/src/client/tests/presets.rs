//! Every preset's distinguishing parameters, pinned.

use super::*;

fn get(name: &str) -> Policy {
    policy(name).unwrap_or_else(|| panic!("no preset {name}"))
}

#[test]
fn names_are_unique_and_every_preset_is_sound() {
    let mut names: Vec<_> = PRESETS
        .iter()
        .flat_map(|preset| preset.aliases.iter().chain([&preset.name]))
        .collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
    for preset in PRESETS {
        ClientSpec::new(preset.policy(), Workload::default(), 2)
            .unwrap_or_else(|error| panic!("{}: {error}", preset.name));
    }
    assert!(preset("no such library").is_none());
    assert_eq!(PRESETS[0].name, "warm");
}

#[test]
fn warm_follows_at_once_without_limit() {
    let warm = get("warm");
    assert_eq!((warm.reach, warm.scope), (Reach::Warm, Scope::Client));
    assert_eq!(warm.max_redirects, None);
    assert_eq!(warm.redirect_delay, Backoff::NONE);
    assert!(warm.capa && warm.warm_up);
}

#[test]
fn p1_dials_for_every_redirect_and_lingers() {
    let go = get("valkey-go");
    assert_eq!(go, get("rueidis"));
    assert_eq!((go.reach, go.scope), (Reach::Dial, Scope::Client));
    assert_eq!(go.max_redirects, None);
    assert_eq!(go.linger, Duration::secs(5));
    assert_eq!(go.dial_timeout, Duration::secs(5));
    assert_eq!(go.command_timeout, Duration::secs(10));
    assert_eq!(go.dial_backoff.longest(0), Duration::micros(2));
    assert_eq!(go.dial_backoff.longest(40), Duration::secs(1));
    assert_eq!(go.batch, Batch::Whole);
    assert!(!go.stale_filter);
}

#[test]
fn p2_renews_its_pool_in_few_attempts() {
    let java = get("valkey-java");
    assert_eq!(java.reach, Reach::NewPool);
    assert_eq!(java.max_redirects, Some(4), "five attempts");
    assert_eq!(java.redirect_deadline, Some(Duration::secs(10)));
    assert_eq!(java.command_timeout, Duration::secs(2));
    assert!(java.stale_filter && !java.follow_transactions && !java.follow_pipelines);
    let patient = get("valkey-java-60");
    assert_eq!(patient.max_redirects, Some(59));
    assert_eq!(patient.redirect_deadline, Some(Duration::secs(60)));
}

#[test]
fn p3_sleeps_at_least_1_28_s_before_each_of_16_follows() {
    let swift = get("valkey-swift");
    assert_eq!(swift.max_redirects, Some(16));
    for k in 0..=7 {
        assert_eq!(swift.redirect_delay.longest(k), Duration::millis(1_280));
    }
    assert_eq!(swift.redirect_delay.longest(8), Duration::millis(2_560));
    assert_eq!(swift.redirect_delay.longest(15), Duration::millis(327_680));
    assert_eq!(swift.command_timeout, Duration::secs(30));
    assert_eq!((swift.reach, swift.scope), (Reach::Warm, Scope::Client));
}

#[test]
fn p4_moves_commands_and_not_the_client() {
    let redisson = get("redisson");
    assert_eq!(redisson.scope, Scope::Command);
    assert_eq!(redisson.max_redirects, None);
    assert_eq!(redisson.command_timeout, Duration::secs(3));
    let ErrorAction::Retry { attempts, backoff } = redisson.on_readonly else {
        panic!("retries READONLY");
    };
    assert_eq!((attempts, backoff.low), (4, Duration::secs(1)));
    assert_eq!(backoff.longest(3), Duration::secs(2));
    assert!(!redisson.same_node_only);
    assert!(get("redisson-single").same_node_only);
}

#[test]
fn p5_caps_its_hops() {
    for (name, cap) in [("cap-1", 1), ("cap-3", 3), ("cap-5", 5), ("cap-16", 16)] {
        assert_eq!(
            get(name),
            Policy {
                max_redirects: Some(cap),
                ..get("warm")
            }
        );
    }
}

#[test]
fn p6_knows_no_redirects() {
    let go = get("go-redis");
    assert!(!go.capa);
    let ErrorAction::Retry { attempts, backoff } = go.on_readonly else {
        panic!("retries READONLY");
    };
    assert_eq!((attempts, backoff.low), (3, Duration::millis(10)));
    assert_eq!(backoff.longest(20), Duration::secs(1));
    assert_eq!(get("no-capa").on_readonly, ErrorAction::Surface);
    assert!(!get("no-capa").capa);
    let rediscover = get("no-capa-rediscover");
    assert!(matches!(
        rediscover.on_readonly,
        ErrorAction::Rediscover { .. }
    ));
    assert_eq!(rediscover.refresh, None);
}

#[test]
fn p7_asks_for_the_role() {
    let swift = get("valkey-swift-refresh");
    assert_eq!(swift.refresh, Some(Duration::secs(30)));
    assert_eq!(swift.refresh_delay, Backoff::NONE);
    let patient = get("rediscover");
    assert_eq!(patient.refresh, Some(Duration::secs(1)));
    assert_eq!(patient.refresh_delay.longest(0), Duration::millis(1_280));
}

#[test]
fn p8_surfaces() {
    for name in ["valkey-py", "valkey-java-plain"] {
        let policy = get(name);
        assert!(policy.capa);
        assert_eq!(policy.redirect, RedirectAction::Surface);
        assert_eq!(policy.application, Application::GiveUp);
    }
    assert_eq!(get("valkey-java-plain").command_timeout, Duration::secs(2));
    assert!(matches!(
        get("valkey-py-retry").application,
        Application::Retry { attempts: 10, .. }
    ));
}

#[test]
fn p9_waits_when_it_is_sent_back() {
    let guard = get("bounce-guard").bounce_guard.expect("has a guard");
    let longest: Vec<u64> = (0..10).map(|k| guard.longest(k).0 / 1_000_000).collect();
    assert_eq!(longest, [2, 4, 8, 16, 32, 64, 128, 256, 500, 500]);
    assert_eq!(guard.low, Duration::millis(1));
}

#[test]
fn clusters_have_presets_of_their_own() {
    let cluster = |name: &str| get(name).cluster.expect("a cluster's");
    for preset in PRESETS {
        assert_eq!(
            preset.policy().cluster.is_some(),
            preset.name.ends_with("-cluster"),
            "{}",
            preset.name
        );
        if preset.policy().cluster.is_some() {
            check_in_cluster(&preset.policy(), &Workload::default(), 1)
                .unwrap_or_else(|error| panic!("{}: {error}", preset.name));
        }
    }
    let second = Refresh::AtMostEvery(Duration::secs(1));
    let go = cluster("valkey-go-cluster");
    assert_eq!(
        (go.on_moved, go.on_trouble, go.moved_corrects),
        (second, second, false)
    );
    assert_eq!(get("valkey-go-cluster").max_redirects, None);
    assert_eq!(cluster("jedis-cluster").ask, AskWhom::Redirector);
    assert_eq!(cluster("lettuce-cluster").on_moved, Refresh::Never);
    assert_eq!(cluster("redis-py-cluster").on_moved, Refresh::EveryNth(5));
    let redis = cluster("go-redis-cluster");
    assert_eq!(redis.on_moved, Refresh::AtMostEvery(Duration::millis(200)));
    let io = cluster("ioredis-cluster");
    assert_eq!(
        (io.every, io.own_address),
        (Some(Duration::secs(5)), OwnAddress::Reconnect)
    );
    let glide = cluster("glide-cluster");
    assert_eq!(glide.on_moved, Refresh::AtMostEvery(Duration::secs(15)));
    assert_eq!(cluster("valkey-cli-cluster").send_to, SendTo::PresentNode);
    assert_eq!(get("glide-cluster").command_timeout, Duration::millis(250));
}
