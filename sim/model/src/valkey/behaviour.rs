//! Behaviours: which server's rules a node follows, as data.
//!
//! `processCommand` is a list of gates; the first that stops a command decides. Issue 821 is a
//! matter of their order, so a version is an order. A behaviour is a version and the remedies
//! ([`Remedy`]) that change it; those with a name of their own are listed here.

use super::defect::Defect;
use super::remedy::{Remedies, Remedy};
use rebound_engine::hashed;
use strum::{EnumCount, IntoStaticStr, VariantArray};

/// A check of `processCommand` that can stop a command. Checks that the model cannot meet
/// (ACL, memory, disk errors, busy scripts) are left out.
#[derive(
    Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, EnumCount, VariantArray, IntoStaticStr,
)]
#[repr(u8)]
pub enum Gate {
    /// A command that may not be queued was sent inside MULTI.
    NoMulti,
    /// A replica sends a client that declared the capability to its primary
    /// (8.0.0-rc1, server.c:3905; 8.0.1, server.c:3942).
    StandaloneRedirect,
    /// `min-replicas-to-write` is not met (8.0.1, `checkGoodReplicasStatus`).
    MinReplicas,
    /// A write on a read-only replica.
    ReadOnlyReplica,
    /// A RESP2 subscriber may only say a few things.
    PubSubContext,
    /// The link to the primary is down and `replica-serve-stale-data` is `no`.
    StaleData,
    /// A snapshot is being loaded.
    Loading,
    /// `CLIENT PAUSE`, or the pause of a failover (8.0.1, server.c:4134).
    ClientPause,
    /// Cluster mode: another node serves the command's keys, or nobody does
    /// (`getNodeByQuery`, 8.0.1, cluster.c:978). Standalone servers have no such gate.
    ClusterRedirect,
    /// `requirepass` is set and the connection has not said `AUTH` (8.0.1, `authRequired`). 9.0
    /// asks before it checks whether the command exists (PR 1475); the model has no unknown
    /// commands.
    Authentication,
}

hashed!(list Gate);

impl Gate {
    /// Every gate.
    pub const ALL: [Gate; Gate::COUNT] = *Gate::VARIANTS.first_chunk().unwrap();

    /// The name by which traces and reports call it.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// What [`Gate::StandaloneRedirect`] does while the node's own failover is in progress.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum WhileInProgress {
    /// Redirect all the same.
    Redirect,
    /// Let the command through to the later gates.
    FallThrough,
    /// Postpone it until the failover has ended (`blockPostponeClient`, PR 871).
    Postpone,
}

/// What a redirect does to a transaction that is being queued or executed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum RedirectInMulti {
    /// Nothing: EXEC later runs the rest, and a redirected EXEC leaves the queue standing.
    LeaveUntouched,
    /// The transaction is flagged, so that EXEC aborts; a redirected EXEC discards it (PR 895).
    Spoil,
}

/// What a change of role does to clients in a blocking command. Postponed clients are never
/// concerned: their command has not run, and runs again from the top.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum BlockedClients {
    /// `-UNBLOCKED` and close at the demotion, since `replicationSetPrimary` does both
    /// (`disconnectAllBlockedClients`, 8.0.1, replication.c:3754 and blocked.c:279; 7.2 to 8.1).
    /// In a failover that is before anybody knows its outcome: there is no primary to go to, and
    /// after an abort it was for nothing.
    UnblockAtDemotion,
    /// `-UNBLOCKED` and close when the failover has succeeded, in `clearFailoverState`, after
    /// the state is reset and before the pause is lifted (PR 848, first commit; closed unmerged).
    /// Then there is a primary to go to, and an abort leaves clients blocked where they can be
    /// served. REPLICAOF throws out at once, as before: only the failover's call of
    /// `replicationSetPrimary` asks to skip that, for REPLICAOF has no outcome to wait for.
    UnblockAtCompletion,
    /// At the same moments as [`UnblockAtCompletion`](Self::UnblockAtCompletion), but a client
    /// that declared the capability and waits for a key gets `-REDIRECT`, and keeps its
    /// connection; after `READONLY` a client in a command that does not write stays blocked, for
    /// a replica may serve it; everybody else gets `-UNBLOCKED` and is closed
    /// (`disconnectOrRedirectAllBlockedClients`, PR 2329; in the source of 9.x). `primary_host`
    /// is set before, so that the redirect names the new primary.
    RedirectAtCompletion,
}

/// What a replica that knows of a failover to it does with clients that it would redirect.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum FailoverTarget {
    /// Redirects them, for it is told nothing until `PSYNC … FAILOVER` promotes it (every
    /// version).
    Redirects,
    /// Learns of it early and postpones them ([`Remedy::TargetHolds`]).
    Holds,
}

/// When the old primary of a failover becomes a replica.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Demotion {
    /// As soon as the target has caught up, before it is dialled (every version; 8.0.1,
    /// replication.c:4931, 3754).
    BeforeDialling,
    /// When the target has been dialled and the handshake is done up to PSYNC
    /// ([`Remedy::DemoteWhenConnected`]).
    WhenConnected,
}

/// What a second `PSYNC … FAILOVER` meets, and what the old primary does if the first one's reply
/// does not come.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Promotion {
    /// A primary refuses it; silence is taken for a refusal (every version; 8.0.1,
    /// replication.c:1034, 3564).
    Once,
    /// Who has been promoted by it says so again; silence is no answer, so it is asked again
    /// ([`Remedy::IdempotentPromotion`]).
    Idempotent,
}

/// What a node checks before `PSYNC … FAILOVER` promotes it, in addition to the replication id.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PromotionCheck {
    /// Nothing: not how much data it has, nor whether its link is up (`syncCommand`, 8.0.1,
    /// replication.c:1034; every version).
    Nothing,
    /// Whether its link to the primary is up ([`Remedy::CheckedPromotion`]).
    Link,
}

/// What a redirect carries in addition to the address.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum RedirectEpoch {
    /// Nothing (every version).
    Absent,
    /// How often the primary had changed when the node learned of its primary
    /// ([`Remedy::EpochRedirect`]).
    Carried,
}

/// How errors are worded that versions word differently.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wording {
    /// As up to 8.1.
    V8,
    /// As in 9.0: the error of `NO_MULTI` names the command.
    V9_0,
    /// As in 9.1: an error inside a script says no more which script it is.
    V9_1,
}

/// What `CLIENT UNBLOCK` does to a client whose command is postponed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PostponedUnblock {
    /// With `ERROR` the command is dropped, with `TIMEOUT` the server panics
    /// (`replyToBlockedClientTimedOut`, 8.0.1, blocked.c:233, knows no time-out of such a client;
    /// issue 2111).
    Panics,
    /// Nothing: the client is not counted as blocked (PR 2117).
    Refused,
}

/// What the old primary of a failover takes `+DUALCHANNELSYNC` for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum DualChannelReply {
    /// A refusal (8.0.1, replication.c:3564; measured with 8.1.8 and 9.0.0): the target has
    /// promoted itself, so there are two primaries.
    Refuses,
    /// The full resynchronization that it is (PR 2659; measured with 9.1.2).
    Accepts,
}

/// What clients do about redirects that lead back.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ClientGuard {
    /// What their libraries do.
    AsLibrary,
    /// Those whose library does nothing wait before they go back ([`Remedy::BounceGuard`]).
    Everywhere,
}

/// A version of the server from which remedies depart.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, EnumCount, VariantArray)]
pub enum Base {
    /// 7.2.7.
    V7_2_7,
    /// 8.0.0-rc1, the version with the defect.
    V8_0_0Rc1,
    /// 8.0.1, the version with the merged fix.
    V8_0_1,
    /// 8.1.
    V8_1,
    /// 9.0.
    V9_0,
    /// 9.1.
    V9_1,
}

impl Base {
    /// Every base, the oldest first.
    pub const ALL: [Base; Base::COUNT] = *Base::VARIANTS.first_chunk().unwrap();

    /// Its rules.
    pub const fn behaviour(self) -> Behaviour {
        match self {
            Base::V7_2_7 => V7_2_7,
            Base::V8_0_0Rc1 => RC1,
            Base::V8_0_1 => V8_0_1,
            Base::V8_1 => V8_1,
            Base::V9_0 => V9_0,
            Base::V9_1 => V9_1,
        }
    }

    /// The version's number.
    pub const fn name(self) -> &'static str {
        self.behaviour().name
    }
}

/// The rules that a node follows.
#[derive(Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// Its name in scenarios and on the command line: for one of [`BEHAVIOURS`] its own, for any
    /// other combination the version and the remedies, joined by `+`, in [`Remedy::ALL`]'s order.
    pub name: &'static str,
    /// Its aliases.
    pub aliases: &'static [&'static str],
    /// What it is, in a sentence.
    pub summary: &'static str,
    /// Where its rules were read.
    pub source: &'static str,
    /// The version that it departs from.
    pub base: Base,
    /// What changes that.
    pub remedies: Remedies,
    /// `processCommand`'s order.
    pub gates: &'static [Gate],
    /// Whether `CLIENT CAPA redirect` exists, and READONLY outside cluster mode (8.0).
    pub capa: bool,
    /// The redirect while the node's own failover is in progress.
    pub while_in_progress: WhileInProgress,
    /// The redirect inside a transaction.
    pub redirect_in_multi: RedirectInMulti,
    /// Clients in a blocking command when the node's role changes.
    pub blocked_clients: BlockedClients,
    /// The redirect at a replica that is about to be promoted.
    pub failover_target: FailoverTarget,
    /// When a failover demotes the node.
    pub demotion: Demotion,
    /// Repeated promotions.
    pub promotion: Promotion,
    /// What a promotion depends on.
    pub promotion_check: PromotionCheck,
    /// What a redirect carries in addition to the address.
    pub redirect_epoch: RedirectEpoch,
    /// What clients do about redirects that lead back. It is the run's behaviour that counts, not
    /// a single node's.
    pub client_guard: ClientGuard,
    /// Whether the handshake says `REPLCONF version` (8.0).
    pub replconf_version: bool,
    /// How errors are worded.
    pub wording: Wording,
    /// `CLIENT UNBLOCK` of a postponed client.
    pub postponed_unblock: PostponedUnblock,
    /// `+DUALCHANNELSYNC` in a failover.
    pub dual_channel_reply: DualChannelReply,
    /// Whether dual-channel replication exists (8.0).
    pub dual_channel: bool,
    /// A rule that is broken on purpose; none but in tests of what would notice.
    pub defect: Option<Defect>,
}

/// The order of 7.2: no redirect.
const GATES_7_2: &[Gate] = &[
    Gate::Authentication,
    Gate::NoMulti,
    Gate::ClusterRedirect,
    Gate::MinReplicas,
    Gate::ReadOnlyReplica,
    Gate::PubSubContext,
    Gate::StaleData,
    Gate::Loading,
    Gate::ClientPause,
];

/// The order of 7.2 with the pause first.
const GATES_7_2_PAUSE_FIRST: &[Gate] = &[
    Gate::Authentication,
    Gate::NoMulti,
    Gate::ClusterRedirect,
    Gate::ClientPause,
    Gate::MinReplicas,
    Gate::ReadOnlyReplica,
    Gate::PubSubContext,
    Gate::StaleData,
    Gate::Loading,
];

/// The order of 8.0: the redirect stands before everything that looks at the node's state, the
/// pause last.
const GATES_8_0: &[Gate] = &[
    Gate::Authentication,
    Gate::NoMulti,
    Gate::ClusterRedirect,
    Gate::StandaloneRedirect,
    Gate::MinReplicas,
    Gate::ReadOnlyReplica,
    Gate::PubSubContext,
    Gate::StaleData,
    Gate::Loading,
    Gate::ClientPause,
];

/// The order of 8.0 with the pause before the redirect.
const GATES_8_0_PAUSE_FIRST: &[Gate] = &[
    Gate::Authentication,
    Gate::NoMulti,
    Gate::ClusterRedirect,
    Gate::ClientPause,
    Gate::StandaloneRedirect,
    Gate::MinReplicas,
    Gate::ReadOnlyReplica,
    Gate::PubSubContext,
    Gate::StaleData,
    Gate::Loading,
];

/// 8.0.0-rc1, the version with the defect.
const RC1: Behaviour = Behaviour {
    name: "8.0.0-rc1",
    aliases: &["none"],
    summary: "redirects whenever it is a replica, before it checks the pause or the failover state: issue 821",
    source: "8.0.0-rc1 server.c:3771 processCommand, redirect at 3905",
    base: Base::V8_0_0Rc1,
    remedies: Remedies::NONE,
    gates: GATES_8_0,
    capa: true,
    while_in_progress: WhileInProgress::Redirect,
    redirect_in_multi: RedirectInMulti::LeaveUntouched,
    blocked_clients: BlockedClients::UnblockAtDemotion,
    failover_target: FailoverTarget::Redirects,
    demotion: Demotion::BeforeDialling,
    promotion: Promotion::Once,
    promotion_check: PromotionCheck::Nothing,
    redirect_epoch: RedirectEpoch::Absent,
    client_guard: ClientGuard::AsLibrary,
    replconf_version: true,
    wording: Wording::V8,
    postponed_unblock: PostponedUnblock::Panics,
    dual_channel_reply: DualChannelReply::Refuses,
    dual_channel: true,
    defect: None,
};

const V8_0_1: Behaviour = Behaviour {
    name: "8.0.1",
    aliases: &["8.0", "8.0.0-rc2"],
    summary: "while its failover is in progress, postpones what it would redirect (PR 871); a redirect makes a transaction abort (PR 895)",
    source: "8.0.1 server.c:3808 processCommand, redirect at 3942",
    base: Base::V8_0_1,
    while_in_progress: WhileInProgress::Postpone,
    redirect_in_multi: RedirectInMulti::Spoil,
    ..RC1
};

/// 8.1 changed little of what the model has of a standalone server. (PR 2117 is of June 2025,
/// after 8.1.0; 8.1.8 has it.)
const V8_1: Behaviour = Behaviour {
    name: "8.1",
    aliases: &["8.1.8"],
    summary: "as 8.0.1; CLIENT UNBLOCK leaves postponed clients alone (PR 2117)",
    source: "recordings of 8.1.8; 8.0.1 server.c:3808, whose rules it keeps",
    base: Base::V8_1,
    postponed_unblock: PostponedUnblock::Refused,
    ..V8_0_1
};

/// 9.0 has the rule of PR 2329 for blocked clients.
const V9_0: Behaviour = Behaviour {
    name: "9.0",
    aliases: &["9.0.0", "9.0.5"],
    summary: "as 8.1, and redirects blocked clients when its failover has succeeded, or at REPLICAOF (PR 2329)",
    source: "measurements of 9.0.0; blocked.c of 9.x, disconnectOrRedirectAllBlockedClients; replication.c of 9.x, clearFailoverState",
    base: Base::V9_0,
    blocked_clients: BlockedClients::RedirectAtCompletion,
    wording: Wording::V9_0,
    ..V8_1
};

/// 9.1 takes dual-channel resynchronizations for successes, and words an error otherwise.
const V9_1: Behaviour = Behaviour {
    name: "9.1",
    aliases: &["9.1.0", "9.1.1", "9.1.2"],
    summary: "as 9.0; a failover that ends in a dual-channel resynchronization succeeds (PR 2659)",
    source: "recordings of 9.1.0, 9.1.1 and 9.1.2; blocked.c and replication.c of 9.x",
    base: Base::V9_1,
    wording: Wording::V9_1,
    dual_channel_reply: DualChannelReply::Accepts,
    ..V9_0
};

const V7_2_7: Behaviour = Behaviour {
    name: "7.2.7",
    aliases: &["7.2"],
    summary: "no CLIENT CAPA, no redirects: a replica answers writes with READONLY",
    source: "7.2.7 server.c:3833 processCommand",
    base: Base::V7_2_7,
    gates: GATES_7_2,
    capa: false,
    replconf_version: false,
    dual_channel: false,
    ..RC1
};

/// The behaviours that have a name of their own: the versions, and combinations that were proposed
/// or merged as one. [`Behaviour::find`] knows every other combination too.
pub static BEHAVIOURS: &[Behaviour] = &[
    V7_2_7,
    RC1,
    V8_0_1,
    V8_1,
    V9_0,
    V9_1,
    Behaviour {
        name: "state-check",
        aliases: &["8.0.0-rc1+state-check"],
        summary: "8.0.0-rc1, but does not redirect while its failover is in progress: writes get READONLY instead",
        source: "proposed in issue 821; 8.0.0-rc1 with the redirect's condition changed",
        ..RC1.with(Remedy::StateCheck)
    },
    Behaviour {
        name: "pause-first",
        aliases: &["8.0.0-rc1+pause-first"],
        summary: "8.0.0-rc1 with the pause checked before the redirect: reads, which the pause lets through, still bounce",
        source: "proposed in issue 821; 8.0.0-rc1 with the order of two checks changed",
        ..RC1.with(Remedy::PauseFirst)
    },
    Behaviour {
        name: "combined",
        aliases: &["8.0.0-rc1+combined"],
        summary: "state-check and pause-first together: writes wait, reads are served by a node that is no longer the primary",
        source: "proposed in issue 821; 8.0.0-rc1 with both changes",
        ..RC1.with(Remedy::StateCheck).with(Remedy::PauseFirst)
    },
    Behaviour {
        name: "merged",
        aliases: &["8.0.0-rc1+merged"],
        summary: "8.0.0-rc1 with only the fix that was merged for issue 821 (PR 871): commands that would be redirected wait",
        source: "8.0.0-rc2 server.c:3808, without PR 895",
        ..RC1.with(Remedy::Merged)
    },
    Behaviour {
        name: "unblock-at-completion",
        aliases: &["8.0.1+unblock-at-completion"],
        summary: "8.0.1, but unblocks blocked clients with an error when its failover has succeeded: then they have a primary to go to, and an abort does not affect them; they still get UNBLOCKED and lose their connection, and they wait in vain if the failover does not end",
        source: "first commit of PR 848, closed unmerged; 8.0.1 with that change",
        ..V8_0_1.with(Remedy::UnblockAtCompletion)
    },
    Behaviour {
        name: "redirect-at-completion",
        aliases: &["8.0.1+redirect-at-completion"],
        summary: "8.0.1, but redirects blocked clients when its failover has succeeded, or at REPLICAOF: with the capability, no error and no lost connection; without it, and in WAIT, still UNBLOCKED; all wait in vain if the failover does not end",
        source: "PR 2329, merged, blocked.c of 9.x disconnectOrRedirectAllBlockedClients; 8.0.1 with that change",
        ..V8_0_1.with(Remedy::RedirectAtCompletion)
    },
];

impl Behaviour {
    /// The same with a remedy: the one place that says which rule each remedy changes.
    pub(super) const fn with(self, remedy: Remedy) -> Behaviour {
        let with = Behaviour {
            remedies: self.remedies.with(remedy),
            ..self
        };
        match remedy {
            Remedy::StateCheck => Behaviour {
                while_in_progress: WhileInProgress::FallThrough,
                ..with
            },
            Remedy::PauseFirst => Behaviour {
                gates: if with.capa {
                    GATES_8_0_PAUSE_FIRST
                } else {
                    GATES_7_2_PAUSE_FIRST
                },
                ..with
            },
            Remedy::Merged => Behaviour {
                while_in_progress: WhileInProgress::Postpone,
                ..with
            },
            Remedy::UnblockAtCompletion => Behaviour {
                blocked_clients: BlockedClients::UnblockAtCompletion,
                ..with
            },
            Remedy::RedirectAtCompletion => Behaviour {
                blocked_clients: BlockedClients::RedirectAtCompletion,
                ..with
            },
            Remedy::TargetHolds => Behaviour {
                failover_target: FailoverTarget::Holds,
                ..with
            },
            Remedy::DemoteWhenConnected => Behaviour {
                demotion: Demotion::WhenConnected,
                ..with
            },
            Remedy::IdempotentPromotion => Behaviour {
                promotion: Promotion::Idempotent,
                ..with
            },
            Remedy::CheckedPromotion => Behaviour {
                promotion_check: PromotionCheck::Link,
                ..with
            },
            Remedy::EpochRedirect => Behaviour {
                redirect_epoch: RedirectEpoch::Carried,
                ..with
            },
            Remedy::BounceGuard => Behaviour {
                client_guard: ClientGuard::Everywhere,
                ..with
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_aliases_are_unique() {
        let mut names: Vec<_> = BEHAVIOURS
            .iter()
            .flat_map(|b| b.aliases.iter().chain([&b.name]))
            .collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn an_order_names_each_gate_once() {
        for base in Base::ALL {
            for behaviour in [base.behaviour(), base.behaviour().with(Remedy::PauseFirst)] {
                let mut gates = behaviour.gates.to_vec();
                gates.sort_unstable();
                gates.dedup();
                assert_eq!(gates.len(), behaviour.gates.len(), "{}", behaviour.name);
                let mut plain = base.behaviour().gates.to_vec();
                plain.sort_unstable();
                assert_eq!(gates, plain, "{base:?}");
            }
        }
    }
}
