//! What libraries do in a cluster, as policies. Where they were read stands with the names, in
//! [`super::presets`]; a number that the sources do not give is that of [`neutral`].

use super::cluster_policy::{AskWhom, ClusterPolicy, OwnAddress, ReadFrom, Refresh, SendTo};
use super::policy::{Backoff, ErrorAction, Policy, Scope};
use super::presets::{exponential, warm};
use rebound_engine::Duration;

/// The simplest client that follows `MOVED` and `ASK`: at once, without limit, by connections
/// that stay open; it corrects the slot and asks for the topology.
pub(super) fn neutral() -> Policy {
    Policy {
        capa: false,
        scope: Scope::Command,
        warm_up: false,
        cluster: Some(ClusterPolicy {
            send_to: SendTo::Owner,
            moved_corrects: true,
            on_moved: Refresh::AtOnce,
            on_ask: Refresh::Never,
            on_trouble: Refresh::AtOnce,
            every: None,
            ask: AskWhom::Any,
            own_address: OwnAddress::Resend,
            read_from: ReadFrom::Primary,
            on_tryagain: retry(100, Backoff::constant(Duration::millis(50))),
            on_clusterdown: retry(100, Backoff::constant(Duration::millis(100))),
        }),
        ..warm()
    }
}

/// A library that departs from [`neutral`] in its part about clusters as `change` says.
fn departing(change: impl FnOnce(&mut ClusterPolicy)) -> Policy {
    let mut policy = neutral();
    if let Some(cluster) = &mut policy.cluster {
        change(cluster);
    }
    policy
}

const fn retry(attempts: u32, backoff: Backoff) -> ErrorAction {
    ErrorAction::Retry { attempts, backoff }
}

/// It puts a new connection into the map only where it had none; otherwise only its lazy refresh
/// does. It asks up to four nodes at a time and takes the first answer; the model asks one. What
/// it retries it retries for reads alone; the model reports that to the application.
pub(super) fn valkey_go() -> Policy {
    let lazily = Refresh::AtMostEvery(Duration::secs(1));
    Policy {
        linger: Duration::secs(5),
        dial_backoff: exponential(Duration::micros(2), Duration::secs(1)),
        command_timeout: Duration::secs(10),
        timeout_resends: 0,
        on_transient: ErrorAction::Surface,
        ..departing(|cluster| {
            cluster.moved_corrects = false;
            cluster.on_moved = lazily;
            cluster.on_ask = lazily;
            cluster.on_trouble = lazily;
            cluster.own_address = OwnAddress::Reconnect;
            cluster.on_tryagain = ErrorAction::Surface;
            cluster.on_clusterdown = ErrorAction::Surface;
        })
    }
}

/// All kinds of trouble share its five attempts; the model counts them apart. The thread that
/// meets a `MOVED` waits for the new map before it follows; in the model it does not.
pub(super) fn jedis() -> Policy {
    let deadline = Duration::secs(10);
    Policy {
        follow_transactions: false,
        follow_pipelines: false,
        max_redirects: Some(4),
        redirect_deadline: Some(deadline),
        dial_timeout: Duration::secs(2),
        // U[0, time left / attempts left²]; the first failure's wait, doubled from there.
        dial_backoff: exponential(Duration(deadline.as_nanos() / 16), deadline),
        dial_attempts: Some(5),
        command_timeout: Duration::secs(2),
        timeout_resends: 4,
        on_transient: ErrorAction::Surface,
        ..departing(|cluster| {
            cluster.moved_corrects = false;
            cluster.on_trouble = Refresh::EveryNth(2);
            cluster.ask = AskWhom::Redirector;
            cluster.on_tryagain = ErrorAction::Surface;
            cluster.on_clusterdown = ErrorAction::Surface;
        })
    }
}

/// Neither adaptive nor periodic refresh is on by default, so its map stays as it was.
pub(super) fn lettuce() -> Policy {
    Policy {
        max_redirects: Some(5),
        dial_timeout: Duration::secs(10),
        dial_backoff: exponential(Duration::millis(1), Duration::secs(30)),
        command_timeout: Duration::secs(60),
        on_transient: ErrorAction::Surface,
        ..departing(|cluster| {
            cluster.moved_corrects = false;
            cluster.on_moved = Refresh::Never;
            cluster.on_trouble = Refresh::Never;
            cluster.on_tryagain = ErrorAction::Surface;
            cluster.on_clusterdown = ErrorAction::Surface;
        })
    }
}

/// Redirects and retries share its three repetitions; the model counts them apart. Its map is
/// renewed when it is used and older than ten seconds; in the model every ten seconds.
pub(super) fn go_redis() -> Policy {
    // 8 ms + rand(8 ms · 2^n), at most 512 ms.
    let backoff = Backoff {
        low: Duration::millis(8),
        high: Duration::millis(512),
        base: Duration::millis(16),
        factor: 2,
    };
    let lazily = Refresh::AtMostEvery(Duration::millis(200));
    Policy {
        max_redirects: Some(3),
        dial_backoff: backoff,
        dial_attempts: Some(4),
        on_readonly: retry(3, backoff),
        on_transient: retry(3, backoff),
        ..departing(|cluster| {
            cluster.moved_corrects = false;
            cluster.on_moved = lazily;
            cluster.on_ask = lazily;
            cluster.on_trouble = Refresh::Never;
            cluster.every = Some(Duration::secs(10));
            cluster.on_tryagain = retry(3, backoff);
            cluster.on_clusterdown = retry(3, backoff);
        })
    }
}

/// Sixteen sendings are fifteen follows. It waits 50 ms at a `TRYAGAIN` only in the second half
/// of them; the model waits each time, eight times.
pub(super) fn redis_py() -> Policy {
    Policy {
        max_redirects: Some(15),
        dial_backoff: exponential(Duration::millis(10), Duration::secs(1)),
        dial_attempts: Some(11),
        timeout_resends: 10,
        on_transient: ErrorAction::Surface,
        ..departing(|cluster| {
            cluster.on_moved = Refresh::EveryNth(5);
            cluster.on_tryagain = retry(8, Backoff::constant(Duration::millis(50)));
            cluster.on_clusterdown = retry(10, Backoff::constant(Duration::millis(250)));
        })
    }
}

/// Everything it repeats counts as a redirection, sixteen in all; the model counts apart.
pub(super) fn ioredis() -> Policy {
    let pause = Backoff::constant(Duration::millis(100));
    Policy {
        max_redirects: Some(16),
        dial_timeout: Duration::secs(10),
        dial_backoff: pause,
        dial_attempts: Some(16),
        timeout_resends: 16,
        on_transient: ErrorAction::Surface,
        ..departing(|cluster| {
            cluster.every = Some(Duration::secs(5));
            cluster.own_address = OwnAddress::Reconnect;
            cluster.on_tryagain = retry(16, pause);
            cluster.on_clusterdown = retry(16, pause);
        })
    }
}

/// A request has 250 ms in all, so nothing is sent again after them. Its refreshes are 15 s apart
/// with up to 15 s of jitter, which the model leaves out.
pub(super) fn glide() -> Policy {
    let rarely = Refresh::AtMostEvery(Duration::secs(15));
    let backoff = Backoff {
        low: Duration::millis(1_280),
        high: Duration::millis(655_360),
        base: Duration::millis(10),
        factor: 2,
    };
    Policy {
        max_redirects: Some(3),
        redirect_deadline: Some(Duration::millis(250)),
        dial_timeout: Duration::secs(2),
        warm_up: true,
        command_timeout: Duration::millis(250),
        timeout_resends: 0,
        on_transient: ErrorAction::Surface,
        ..departing(|cluster| {
            cluster.on_moved = rarely;
            cluster.on_trouble = rarely;
            cluster.every = Some(Duration::secs(60));
            cluster.own_address = OwnAddress::Reconnect;
            cluster.on_tryagain = retry(3, backoff);
            cluster.on_clusterdown = retry(3, backoff);
        })
    }
}

/// It has one connection and makes a new one for each redirect; in the model it keeps them.
pub(super) fn cli() -> Policy {
    Policy {
        timeout_resends: 0,
        on_transient: ErrorAction::Surface,
        ..departing(|cluster| {
            cluster.send_to = SendTo::PresentNode;
            cluster.on_moved = Refresh::Never;
            cluster.on_trouble = Refresh::Never;
            cluster.on_tryagain = ErrorAction::Surface;
            cluster.on_clusterdown = ErrorAction::Surface;
        })
    }
}
