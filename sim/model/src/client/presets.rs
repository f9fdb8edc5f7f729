//! Policies by name: what real client libraries do, read from their sources, and a few that no
//! library has (yet). A number that the sources do not give is the neutral one.

use super::cluster_presets;
use super::policy::{
    Application, Backoff, Batch, DisconnectAction, Epochs, ErrorAction, Policy, Reach,
    RedirectAction, Scope,
};
use rebound_engine::Duration;

/// A named policy.
#[derive(Debug)]
pub struct Preset {
    /// Its name in scenarios.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// Its family: `P1` (swap and dial) to `P9` (bounce guard), `C0` to `C8` for clusters.
    pub id: &'static str,
    /// What it stands for.
    pub represents: &'static str,
    /// Where it was read: repository, commit, files.
    pub source: &'static str,
    build: fn() -> Policy,
}

impl Preset {
    /// The policy.
    pub fn policy(&self) -> Policy {
        (self.build)()
    }
}

/// The preset of this name or alias.
pub(crate) fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS
        .iter()
        .find(|preset| preset.name == name || preset.aliases.contains(&name))
}

/// The policy of this name or alias.
pub fn policy(name: &str) -> Option<Policy> {
    preset(name).map(Preset::policy)
}

/// Every preset.
pub static PRESETS: &[Preset] = &[
    Preset {
        name: "warm",
        aliases: &[],
        id: "P5",
        represents: "a neutral client: follows at once, without limit, by warm connections",
        source: "none: the simplest client that follows redirects",
        build: warm,
    },
    Preset {
        name: "valkey-go",
        aliases: &["rueidis"],
        id: "P1",
        represents: "valkey-go since 1.0.67 with Standalone.EnableRedirect; rueidis alike",
        source: "valkey-io/valkey-go 57e4802: standalone.go:96-196, retry.go:11-27, singleflight.go:20-33, valkey.go:55, 512-513",
        build: valkey_go,
    },
    Preset {
        name: "valkey-java",
        aliases: &[],
        id: "P2",
        represents: "valkey-java with RedirectConnectionProvider and 5 attempts within 10 s",
        source: "valkey-io/valkey-java 01823894: RedirectCommandExecutor, RedirectConnectionProvider, ClientCapaConfig.java:10-12, UnifiedJedis:4968-4996",
        build: || valkey_java(5, Duration::secs(10)),
    },
    Preset {
        name: "valkey-java-60",
        aliases: &[],
        id: "P2",
        represents: "the same with 60 attempts within 60 s, as the test of Jedis PR #4563",
        source: "valkey-io/valkey-java 01823894; redis/jedis PR #4563",
        build: || valkey_java(60, Duration::secs(60)),
    },
    Preset {
        name: "valkey-swift",
        aliases: &[],
        id: "P3",
        represents: "valkey-swift 1.0: sleeps, then moves the whole client, 16 times",
        source: "valkey-io/valkey-swift 6984965: ValkeyClient:336-342, 371-417, 503-600; ValkeyClientConfiguration:105-134, 333",
        build: valkey_swift,
    },
    Preset {
        name: "redisson",
        aliases: &[],
        id: "P4",
        represents: "redisson 4.7 with valkeyCapabilities REDIRECT in its primary/replica modes",
        source: "redisson/redisson 66863978: RedisExecutor:599-671, BaseConfig:58-67",
        build: redisson,
    },
    Preset {
        name: "redisson-single",
        aliases: &[],
        id: "P4s",
        represents: "redisson in single-server mode, whose map knows one node only: it sends to the same node again",
        source: "redisson/redisson 66863978: MasterSlaveConnectionManager:620, RedisExecutor:899-905",
        build: || Policy {
            same_node_only: true,
            warm_up: false,
            ..redisson()
        },
    },
    Preset {
        name: "cap-1",
        aliases: &["stackexchange-redis-moved"],
        id: "P5",
        represents: "what StackExchange.Redis would do if its MOVED code served REDIRECT",
        source: "StackExchange/StackExchange.Redis 90bbf1f: ServerSelectionStrategy.cs:211-215",
        build: || capped(1),
    },
    Preset {
        name: "cap-3",
        aliases: &["go-redis-moved", "valkey-glide-moved"],
        id: "P5",
        represents: "what go-redis and valkey-glide would do if their MOVED code served REDIRECT",
        source: "redis/go-redis 216593c: osscluster.go:213-217; valkey-io/valkey-glide 7d61630: glide-core client/mod.rs:53-56",
        build: || capped(3),
    },
    Preset {
        name: "cap-5",
        aliases: &[
            "jedis-moved",
            "lettuce-moved",
            "libvalkey-moved",
            "fred-moved",
        ],
        id: "P5",
        represents: "what jedis, lettuce, libvalkey and fred would do if their MOVED code served REDIRECT",
        source: "redis/jedis 9bcb5c6: ClusterCommandExecutor:235-367; redis/lettuce b0bcdd8: ClusterClientOptions:48; valkey-io/libvalkey d366730: cluster.c:70; fred f222ad7: types/config.rs:416-420",
        build: || capped(5),
    },
    Preset {
        name: "cap-16",
        aliases: &[
            "ioredis-moved",
            "node-redis-moved",
            "redis-py-moved",
            "redis-rs-moved",
        ],
        id: "P5",
        represents: "what ioredis, node-redis, redis-py and redis-rs would do if their MOVED code served REDIRECT",
        source: "redis/ioredis 6.0: ClusterOptions.ts:278-296; redis/node-redis: cluster/index.ts:686; redis/redis-py 34817ce: cluster.py:396; redis-rs 88fb4d6: cluster_handling/client.rs:83-130",
        build: || capped(16),
    },
    Preset {
        name: "go-redis",
        aliases: &[],
        id: "P6",
        represents: "go-redis: no capability; READONLY is retried three times at the same address",
        source: "redis/go-redis 216593c: options.go:485-563, internal.go:8-26, error.go:128",
        build: go_redis,
    },
    Preset {
        name: "no-capa",
        aliases: &["ioredis", "jedis", "lettuce", "node-redis", "valkey-glide"],
        id: "P6",
        represents: "libraries without the capability that report READONLY to the application",
        source: "no CLIENT CAPA in ioredis 6.0, jedis 9bcb5c6, lettuce b0bcdd8, valkey-glide 7d61630",
        build: no_capa,
    },
    Preset {
        name: "no-capa-rediscover",
        aliases: &["sentinel"],
        id: "P6",
        represents: "libraries without the capability that look for the primary again on READONLY",
        source: "valkey-io/valkey-doc: topics/sentinel-clients.md:62-94",
        build: || Policy {
            on_readonly: ErrorAction::Rediscover {
                attempts: 20,
                backoff: Backoff::constant(Duration::millis(100)),
            },
            ..no_capa()
        },
    },
    Preset {
        name: "sentinel-aware",
        aliases: &[],
        id: "P7",
        represents: "clients that follow Sentinel's protocol: whenever a connection ends, they look for the primary and check its ROLE",
        source: "valkey-io/valkey-doc: topics/sentinel-clients.md:62-94; the nodes are asked in Sentinel's stead",
        build: || {
            let (attempts, backoff) = (300, Backoff::constant(Duration::millis(100)));
            Policy {
                on_readonly: ErrorAction::Rediscover { attempts, backoff },
                on_disconnect: DisconnectAction::Rediscover { attempts, backoff },
                ..no_capa()
            }
        },
    },
    Preset {
        name: "rediscover",
        aliases: &[],
        id: "P7",
        represents: "a client without the capability that asks ROLE every second, waits before it asks again, and on READONLY",
        source: "valkey-io/valkey-doc: topics/sentinel-clients.md:62-94; the delay is redis-rs's and valkey-swift's 1.28 s",
        build: || Policy {
            refresh: Some(Duration::secs(1)),
            refresh_delay: Backoff::constant(Duration::millis(1_280)),
            on_readonly: ErrorAction::Rediscover {
                attempts: 16,
                backoff: Backoff::constant(Duration::millis(1_280)),
            },
            ..no_capa()
        },
    },
    Preset {
        name: "valkey-swift-refresh",
        aliases: &[],
        id: "P7",
        represents: "valkey-swift when reads go to replicas: it asks ROLE every 30 s, and where that says replica, the next node at once",
        source: "valkey-io/valkey-swift 6984965: StateMachine:290-302, ValkeyClient:194-249",
        build: || Policy {
            refresh: Some(Duration::secs(30)),
            refresh_delay: Backoff::NONE,
            ..valkey_swift()
        },
    },
    Preset {
        name: "valkey-py",
        aliases: &[],
        id: "P8",
        represents: "valkey-py with client_capa_redirect: raises RedirectError; the application gives up",
        source: "valkey-io/valkey-py bdcbafa: exceptions.py:72, docs/advanced_features.rst:26-74",
        build: surfacing,
    },
    Preset {
        name: "valkey-py-retry",
        aliases: &[],
        id: "P8",
        represents: "the same; the application goes where the error points, 10 times, 10 ms to 1 s apart",
        source: "valkey-io/valkey-py bdcbafa; the delays are redis-py's, 34817ce: _defaults.py:37-39",
        build: || Policy {
            application: Application::Retry {
                attempts: 10,
                backoff: exponential(Duration::millis(10), Duration::secs(1)),
            },
            ..surfacing()
        },
    },
    Preset {
        name: "valkey-java-plain",
        aliases: &[],
        id: "P8",
        represents: "valkey-java's plain pools, which declare the capability by default and do not follow",
        source: "valkey-io/valkey-java 01823894: ClientCapaConfig.java:10-12, Connection.java:443-449",
        build: || Policy {
            dial_timeout: Duration::secs(2),
            command_timeout: Duration::secs(2),
            ..surfacing()
        },
    },
    Preset {
        name: "bounce-guard",
        aliases: &[],
        id: "P9",
        represents: "a remedy in the client: waits before it goes back to a node that redirected the command",
        source: "none; min(500, 2·2^k) ms is TiKV's, tikv/client-go b75f6ef: config/retry/config.go:127-128",
        build: || Policy {
            bounce_guard: Some(Backoff::GUARD),
            ..warm()
        },
    },
    Preset {
        name: "warm-cluster",
        aliases: &[],
        id: "C0",
        represents: "a neutral client of a cluster: follows at once, without limit, corrects the slot and asks for the topology",
        source: "none: the simplest client of a cluster",
        build: cluster_presets::neutral,
    },
    Preset {
        name: "valkey-go-cluster",
        aliases: &["rueidis-cluster"],
        id: "C1",
        represents: "valkey-go's cluster client: follows without limit; its map is renewed at most once a second",
        source: "valkey-io/valkey-go 016fdfe: cluster.go (redirectOrNew, lazyRefresh, shouldRefreshRetry); 57e4802: retry.go:11-27, valkey.go:55, 313-317, 512-513",
        build: cluster_presets::valkey_go,
    },
    Preset {
        name: "jedis-cluster",
        aliases: &["valkey-java-cluster"],
        id: "C2",
        represents: "JedisCluster: five attempts within 10 s; each MOVED renews the map, asked of the node that gave it",
        source: "redis/jedis 0c6ed23: ClusterCommandExecutor; 9bcb5c6: JedisCluster:37-42",
        build: cluster_presets::jedis,
    },
    Preset {
        name: "lettuce-cluster",
        aliases: &[],
        id: "C3",
        represents: "lettuce's cluster client with its defaults: five redirects, and a map that is never renewed",
        source: "redis/lettuce b0bcdd8: ClusterClientOptions:48, ClusterCommand:33-50; ClusterDistributionChannelWriter, ClusterTopologyRefreshScheduler",
        build: cluster_presets::lettuce,
    },
    Preset {
        name: "go-redis-cluster",
        aliases: &[],
        id: "C4",
        represents: "go-redis' ClusterClient: three redirects; its map is renewed at most every 200 ms",
        source: "redis/go-redis 216593c: osscluster.go:213-217, 1293-1388 (process, LazyReload)",
        build: cluster_presets::go_redis,
    },
    Preset {
        name: "redis-py-cluster",
        aliases: &[],
        id: "C5",
        represents: "redis-py's RedisCluster: sixteen sendings; every fifth MOVED renews the map",
        source: "redis/redis-py 34817ce: cluster.py:396, 1923 (reinitialize_steps), _defaults.py:37-39",
        build: cluster_presets::redis_py,
    },
    Preset {
        name: "ioredis-cluster",
        aliases: &["iovalkey-cluster"],
        id: "C6",
        represents: "ioredis' Cluster: sixteen redirects; MOVED corrects the slot and renews the map, which is also renewed every 5 s",
        source: "redis/ioredis 6.0: ClusterOptions.ts:278-296; cluster/index.ts:647-681, 898-909",
        build: cluster_presets::ioredis,
    },
    Preset {
        name: "glide-cluster",
        aliases: &["valkey-glide-cluster"],
        id: "C7",
        represents: "valkey-glide's cluster client: three redirects within 250 ms; MOVED corrects the slot, the map is renewed at most every 15 s",
        source: "valkey-io/valkey-glide 7d61630: glide-core client/mod.rs:53-56, 2331; redis-rs cluster_async/mod.rs:143-190, 1437-1476, cluster_topology.rs",
        build: cluster_presets::glide,
    },
    Preset {
        name: "valkey-cli-cluster",
        aliases: &[],
        id: "C8",
        represents: "valkey-cli -c: no map; it sends to the node at which it is, and goes where MOVED points",
        source: "valkey-io/valkey 8.0.1: valkey-cli.c (cliReadReply, cluster_reissue_command)",
        build: cluster_presets::cli,
    },
];

/// From nothing to `base` × 2^k, at most `high`.
pub(super) const fn exponential(base: Duration, high: Duration) -> Backoff {
    Backoff {
        low: Duration::ZERO,
        high,
        base,
        factor: 2,
    }
}

pub(super) fn warm() -> Policy {
    Policy {
        capa: true,
        readonly: false,
        redirect: RedirectAction::Follow,
        follow_transactions: true,
        follow_pipelines: true,
        max_redirects: None,
        redirect_deadline: None,
        redirect_delay: Backoff::NONE,
        bounce_guard: None,
        epochs: Epochs::Compare,
        scope: Scope::Client,
        reach: Reach::Warm,
        linger: Duration::ZERO,
        stale_filter: false,
        same_node_only: false,
        dial_timeout: Duration::secs(5),
        warm_up: true,
        dial_backoff: Backoff::constant(Duration::millis(100)),
        dial_attempts: None,
        command_timeout: Duration::secs(5),
        timeout_resends: 3,
        on_readonly: ErrorAction::Surface,
        on_transient: ErrorAction::Retry {
            attempts: 10,
            backoff: Backoff::constant(Duration::millis(100)),
        },
        on_disconnect: DisconnectAction::Redial,
        refresh: None,
        refresh_delay: Backoff::NONE,
        batch: Batch::Each,
        application: Application::GiveUp,
        cluster: None,
    }
}

/// It retries reads alone after a lost connection; the model resends nothing.
fn valkey_go() -> Policy {
    Policy {
        reach: Reach::Dial,
        linger: Duration::secs(5),
        warm_up: false,
        // 2^n µs + U[0, 2^n) µs, as U[0, 2^(n+1)] µs: the model's waits have one low end.
        dial_backoff: exponential(Duration::micros(2), Duration::secs(1)),
        command_timeout: Duration::secs(10),
        timeout_resends: 0,
        on_transient: ErrorAction::Surface,
        batch: Batch::Whole,
        ..warm()
    }
}

/// All kinds of trouble share its attempts; the model counts them apart. After the last
/// attempt it follows no more: N attempts are N − 1 follows.
fn valkey_java(attempts: u32, deadline: Duration) -> Policy {
    let left = u64::from(attempts - 1);
    Policy {
        follow_transactions: false,
        follow_pipelines: false,
        max_redirects: Some(attempts - 1),
        redirect_deadline: Some(deadline),
        reach: Reach::NewPool,
        stale_filter: true,
        dial_timeout: Duration::secs(2),
        warm_up: false,
        // U[0, time left / attempts left²]; the first failure's wait, doubled from there.
        dial_backoff: exponential(Duration(deadline.as_nanos() / (left * left)), deadline),
        dial_attempts: Some(attempts),
        command_timeout: Duration::secs(2),
        timeout_resends: attempts - 1,
        on_transient: ErrorAction::Surface,
        ..warm()
    }
}

fn valkey_swift() -> Policy {
    let backoff = Backoff {
        low: Duration::millis(1_280),
        high: Duration::millis(655_360),
        base: Duration::millis(10),
        factor: 2,
    };
    Policy {
        max_redirects: Some(16),
        redirect_delay: backoff,
        dial_backoff: backoff,
        dial_attempts: Some(1),
        warm_up: false,
        command_timeout: Duration::secs(30),
        timeout_resends: 0,
        on_transient: ErrorAction::Surface,
        batch: Batch::Whole,
        ..warm()
    }
}

fn redisson() -> Policy {
    let backoff = Backoff {
        low: Duration::secs(1),
        high: Duration::secs(2),
        base: Duration::secs(2),
        factor: 1,
    };
    Policy {
        scope: Scope::Command,
        dial_timeout: Duration::secs(10),
        dial_backoff: backoff,
        dial_attempts: Some(5),
        command_timeout: Duration::secs(3),
        timeout_resends: 4,
        on_readonly: ErrorAction::Retry {
            attempts: 4,
            backoff,
        },
        on_transient: ErrorAction::Surface,
        ..warm()
    }
}

fn capped(hops: u32) -> Policy {
    Policy {
        max_redirects: Some(hops),
        ..warm()
    }
}

fn no_capa() -> Policy {
    Policy {
        capa: false,
        redirect: RedirectAction::Surface,
        warm_up: false,
        on_transient: ErrorAction::Surface,
        ..warm()
    }
}

fn go_redis() -> Policy {
    // 10 ms + rand(10 ms · 2^n), at most 1 s.
    let backoff = Backoff {
        low: Duration::millis(10),
        high: Duration::secs(1),
        base: Duration::millis(20),
        factor: 2,
    };
    Policy {
        dial_backoff: backoff,
        dial_attempts: Some(4),
        on_readonly: ErrorAction::Retry {
            attempts: 3,
            backoff,
        },
        ..no_capa()
    }
}

fn surfacing() -> Policy {
    Policy {
        redirect: RedirectAction::Surface,
        warm_up: false,
        timeout_resends: 0,
        dial_attempts: Some(1),
        on_transient: ErrorAction::Surface,
        ..warm()
    }
}
