//! Remedies: what was proposed against redirects that lead back and against what else goes wrong
//! in a failover, each as one change of one rule, side by side.
//!
//! What a remedy changes is in [`Behaviour`](super::Behaviour)'s fields, which the model asks;
//! what follows from it is measured in `docs/remedies.md`.

use strum::{EnumCount, IntoStaticStr, VariantArray};

/// A change of one rule of a version. The order is that in which a combination's name lists them.
#[derive(
    Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, EnumCount, VariantArray, IntoStaticStr,
)]
#[repr(u8)]
#[strum(serialize_all = "kebab-case")]
pub enum Remedy {
    /// The redirect asks whether the node's failover is in progress, and then lets the command
    /// through to the later gates (proposed in issue 821).
    ///
    /// Cures the bounce. A write then meets `ReadOnlyReplica`, which stands before the pause.
    StateCheck,
    /// The pause is looked at before the redirect (proposed in issue 821).
    ///
    /// Writes wait, whatever the client declared. Reads pass a failover's pause, which is one of
    /// writes, and bounce as before.
    PauseFirst,
    /// The redirect asks whether the node's failover is in progress, and then postpones the
    /// command (PR 871, merged into 8.0.0-rc2).
    Merged,
    /// Blocked clients are thrown out when the failover has succeeded
    /// ([`BlockedClients::UnblockAtCompletion`](super::BlockedClients::UnblockAtCompletion)).
    UnblockAtCompletion,
    /// Blocked clients are redirected when the failover has succeeded
    /// ([`BlockedClients::RedirectAtCompletion`](super::BlockedClients::RedirectAtCompletion)).
    RedirectAtCompletion,
    /// The old primary tells the target early, in the replication stream, and the target
    /// postpones whom it would redirect until it is promoted, told that the failover is off, or
    /// cut off from the old primary (discussed in issue 821: hold on both sides).
    ///
    /// PR 871 holds on the old primary only. Who arrives at the target meanwhile is sent to the
    /// old primary, held there, and sent back: two redirects. A target that knows holds too.
    TargetHolds,
    /// The old primary dials the target and shakes hands while it is still a primary with its
    /// writes paused, and demotes itself just before `PSYNC … FAILOVER` (discussed in issue 821;
    /// cluster mode's manual failover likewise keeps the paused primary until the new one is
    /// there).
    ///
    /// The time in which both are replicas of each other is then one round trip, not the time
    /// that connecting takes, which has no bound.
    DemoteWhenConnected,
    /// Who was promoted by `PSYNC … FAILOVER` answers the same request again as it did the first
    /// time, and an old primary that gets no answer asks again instead of taking silence for a
    /// refusal (the author of redis PR 8315 names the two primaries that silence makes).
    IdempotentPromotion,
    /// `PSYNC … FAILOVER` promotes a node only while its link to its primary is up: a request that
    /// arrives after its sender has died, or at a process that has started again and holds an
    /// older snapshot under the same replication id, is refused (`syncCommand` looks at the
    /// replication id alone).
    CheckedPromotion,
    /// A redirect says how many changes of primary the node knows of, and a client ignores one
    /// that is older than what it knows (discussed in issue 821; Kafka's KIP-951, CockroachDB's
    /// lease sequence and MongoDB's election id order such answers in the same way).
    EpochRedirect,
    /// Clients wait, with jitter, before they follow a redirect back to a node that has already
    /// redirected the command (TiKV's client). A rule of clients: servers do not change.
    BounceGuard,
}

/// The rule that a remedy changes: of two remedies on one axis a behaviour can have only one.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Axis {
    /// What the redirect does while the node's failover is in progress.
    WhileInProgress,
    /// The order of the gates.
    Order,
    /// Clients in a blocking command.
    BlockedClients,
    /// The redirect at the target.
    FailoverTarget,
    /// When the old primary demotes itself.
    Demotion,
    /// Repeated promotions.
    Promotion,
    /// What a promotion depends on.
    PromotionCheck,
    /// What a redirect says.
    RedirectEpoch,
    /// Redirects that lead back.
    ClientGuard,
}

impl Axis {
    /// What it is about, to end "both say …".
    pub const fn words(self) -> &'static str {
        match self {
            Axis::WhileInProgress => "what the redirect does while a failover is in progress",
            Axis::Order => "the order of the gates",
            Axis::BlockedClients => "what happens to clients in a blocking command",
            Axis::FailoverTarget => "what the target of a failover does with clients",
            Axis::Demotion => "when the old primary demotes itself",
            Axis::Promotion => "how a repeated promotion is answered",
            Axis::PromotionCheck => "what a promotion depends on",
            Axis::RedirectEpoch => "what a redirect says",
            Axis::ClientGuard => "what clients do about redirects that lead back",
        }
    }
}

impl Remedy {
    /// Every remedy.
    pub const ALL: [Remedy; Remedy::COUNT] = *Remedy::VARIANTS.first_chunk().unwrap();

    /// Its name in a combination.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The rule that it changes.
    pub const fn axis(self) -> Axis {
        match self {
            Remedy::StateCheck | Remedy::Merged => Axis::WhileInProgress,
            Remedy::PauseFirst => Axis::Order,
            Remedy::UnblockAtCompletion | Remedy::RedirectAtCompletion => Axis::BlockedClients,
            Remedy::TargetHolds => Axis::FailoverTarget,
            Remedy::DemoteWhenConnected => Axis::Demotion,
            Remedy::IdempotentPromotion => Axis::Promotion,
            Remedy::CheckedPromotion => Axis::PromotionCheck,
            Remedy::EpochRedirect => Axis::RedirectEpoch,
            Remedy::BounceGuard => Axis::ClientGuard,
        }
    }

    /// Whether it is about redirects, which need `CLIENT CAPA redirect`.
    pub(crate) const fn needs_capa(self) -> bool {
        match self {
            Remedy::StateCheck
            | Remedy::Merged
            | Remedy::RedirectAtCompletion
            | Remedy::TargetHolds
            | Remedy::EpochRedirect
            | Remedy::BounceGuard => true,
            Remedy::PauseFirst
            | Remedy::UnblockAtCompletion
            | Remedy::DemoteWhenConnected
            | Remedy::IdempotentPromotion
            | Remedy::CheckedPromotion => false,
        }
    }

    /// What it does, in a few words.
    pub const fn summary(self) -> &'static str {
        match self {
            Remedy::StateCheck => "no redirect while the node's failover is in progress",
            Remedy::PauseFirst => "the pause is checked before the redirect",
            Remedy::Merged => {
                "commands that would be redirected wait while the node's failover is in progress"
            }
            Remedy::UnblockAtCompletion => {
                "blocked clients are unblocked with an error when the failover has succeeded"
            }
            Remedy::RedirectAtCompletion => {
                "blocked clients are redirected when the failover has succeeded"
            }
            Remedy::TargetHolds => {
                "the target learns of the failover early and postpones what it would redirect"
            }
            Remedy::DemoteWhenConnected => {
                "the old primary demotes itself when the hand-over connection is ready for PSYNC"
            }
            Remedy::IdempotentPromotion => {
                "a repeated PSYNC FAILOVER succeeds, and silence makes the old primary ask again"
            }
            Remedy::CheckedPromotion => {
                "PSYNC FAILOVER promotes a node only while its link to its primary is up"
            }
            Remedy::EpochRedirect => {
                "a redirect carries an epoch, and clients ignore one that is older than they know"
            }
            Remedy::BounceGuard => {
                "clients wait before they follow a redirect back to where they were redirected"
            }
        }
    }

    /// What it cures.
    pub const fn cures(self) -> &'static str {
        match self {
            Remedy::StateCheck => "the bounce in a slow hand-over",
            Remedy::PauseFirst => {
                "bounces of writes, and READONLY for clients without the capability"
            }
            Remedy::Merged => "the bounce in a slow hand-over",
            Remedy::UnblockAtCompletion => {
                "UNBLOCKED for nothing: an abort does not affect clients"
            }
            Remedy::RedirectAtCompletion => {
                "UNBLOCKED and the lost connection, for clients with the capability"
            }
            Remedy::TargetHolds => "the two redirects of clients that arrive at the target",
            Remedy::DemoteWhenConnected => {
                "two replicas while the target cannot be reached: reads are served, plain writes wait, TIMEOUT applies"
            }
            Remedy::IdempotentPromotion => {
                "two primaries after a lost or late reply to PSYNC FAILOVER"
            }
            Remedy::CheckedPromotion => {
                "promotions requested by a dead primary, and promotions of a node that has restarted with an old snapshot"
            }
            Remedy::EpochRedirect => "bounces of any cause, including REPLICAOF by hand",
            Remedy::BounceGuard => "storms: thousands of redirects become tens",
        }
    }

    /// What it costs.
    pub const fn costs(self) -> &'static str {
        match self {
            Remedy::StateCheck => "READONLY for writes in the window, reads from a demoted node",
            Remedy::PauseFirst => "nothing that was measured",
            Remedy::Merged => "waiting for as long as the hand-over takes, including reads",
            Remedy::UnblockAtCompletion => "blocked clients wait if a failover does not end",
            Remedy::RedirectAtCompletion => "blocked clients wait if a failover does not end",
            Remedy::TargetHolds => {
                "an entry in the replication stream; reads at the target wait in waiting-for-sync too"
            }
            Remedy::DemoteWhenConnected => {
                "without TIMEOUT up to a second more of waiting, since PINGs go on while it dials"
            }
            Remedy::IdempotentPromotion => {
                "an old primary whose target dies after the request waits for ABORT, without a primary"
            }
            Remedy::CheckedPromotion => {
                "a FORCE does not help a target that has lost its link: the failover is aborted"
            }
            Remedy::EpochRedirect => {
                "a new capability, counters on every node, and up to half a second of back-off after a promotion"
            }
            Remedy::BounceGuard => "up to half a second of back-off after a promotion",
        }
    }

    /// What it leaves.
    pub const fn leaves(self) -> &'static str {
        match self {
            Remedy::StateCheck => "bounces outside a failover",
            Remedy::PauseFirst => "bounces of reads",
            Remedy::Merged => {
                "two redirects for arrivals at the target, bounces outside a failover"
            }
            Remedy::UnblockAtCompletion => "UNBLOCKED and a lost connection at the end",
            Remedy::RedirectAtCompletion => "UNBLOCKED for WAIT and without the capability",
            Remedy::TargetHolds => {
                "bounces outside a failover, and at nodes that do not learn of it"
            }
            Remedy::DemoteWhenConnected => {
                "one round trip with two replicas, and everything that happens after PSYNC is sent"
            }
            Remedy::IdempotentPromotion => "two primaries after ABORT or a restart of either node",
            Remedy::CheckedPromotion => {
                "a FORCE to a target that lags, and an abort that the target has not heard of"
            }
            Remedy::EpochRedirect => "old libraries, and the first redirect of a new client",
            Remedy::BounceGuard => "more than one redirect for a command",
        }
    }

    /// Where it comes from.
    pub const fn source(self) -> &'static str {
        match self {
            Remedy::StateCheck | Remedy::PauseFirst => "proposed in issue 821",
            Remedy::Merged => "PR 871, merged into 8.0.0-rc2 (server.c:3808)",
            Remedy::UnblockAtCompletion => "PR 848, first commit, closed unmerged",
            Remedy::RedirectAtCompletion => "PR 2329, merged; blocked.c of 9.x",
            Remedy::TargetHolds => "a proposal after issue 821 and PR 871: hold at both nodes",
            Remedy::DemoteWhenConnected => {
                "a proposal after issue 821; cluster mode's CLUSTER FAILOVER keeps the paused primary likewise"
            }
            Remedy::IdempotentPromotion => {
                "a proposal after redis PR 8315, which names the two primaries of a lost reply"
            }
            Remedy::CheckedPromotion => {
                "a proposal after the conformance case of a target that restarts with an old snapshot (C41)"
            }
            Remedy::EpochRedirect => {
                "a proposal after issue 821; Kafka KIP-951 and CockroachDB order such answers likewise"
            }
            Remedy::BounceGuard => "tikv/client-go b75f6ef config/retry/config.go:127-128",
        }
    }
}

/// A set of remedies.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remedies(u16);

impl Remedies {
    /// None of them.
    pub const NONE: Remedies = Remedies(0);

    /// With `remedy`.
    pub const fn with(self, remedy: Remedy) -> Remedies {
        Remedies(self.0 | 1 << remedy as u16)
    }

    /// Whether `remedy` is among them.
    pub const fn has(self, remedy: Remedy) -> bool {
        self.0 & 1 << remedy as u16 != 0
    }

    /// Each, in [`Remedy::ALL`]'s order.
    pub fn iter(self) -> impl Iterator<Item = Remedy> {
        Remedy::ALL
            .into_iter()
            .filter(move |remedy| self.has(*remedy))
    }
}
