//! What Sentinel tells nodes to do. It never looks at the replies: it sees the effects in INFO.

use super::interface::{ConnSlot, Context, Effect};
use super::monitor::Mark;
use super::{Release, Sentinel};
use crate::valkey::{AddressBook, ClientType, Command, NodeId, PauseKind, Request};
use rebound_engine::Duration;

impl Sentinel {
    /// Sends a request to a node, on the connection for commands.
    pub(super) fn send(
        &mut self,
        place: usize,
        mark: Mark,
        command: Command,
        ctx: &mut Context<'_>,
    ) {
        let instance = &mut self.instances[place];
        instance.pending += 1;
        let request = Request {
            tag: mark.tag(),
            command,
        };
        let slot = ConnSlot::commands(instance.node);
        ctx.effects.push(Effect::Send(slot, request));
    }

    /// Sends a transaction. False if the node is not connected.
    fn transaction(
        &mut self,
        place: usize,
        commands: impl IntoIterator<Item = Command>,
        ctx: &mut Context<'_>,
    ) -> bool {
        if !self.instances[place].is_ready() {
            return false;
        }
        let all = std::iter::once(Command::Multi)
            .chain(commands)
            .chain([Command::Exec]);
        for command in all {
            self.send(place, Mark::Order, command, ctx);
        }
        true
    }

    /// `sentinelSendReplicaOf` (9.0.5; 4636 in 8.0.1, which has no `FAILOVER ABORT`): makes a node
    /// the replica of another or of none, keeps that in its configuration file, and disconnects
    /// its clients so that they ask for the primary again. False if the node is not connected.
    pub(super) fn send_replica_of(
        &mut self,
        place: usize,
        primary: Option<NodeId>,
        ctx: &mut Context<'_>,
    ) -> bool {
        // REPLICAOF is refused in a failover.
        let stuck = self.instances[place].failing_over && self.config.release == Release::Since9;
        let abort = stuck.then_some(Command::FailoverAbort);
        let commands = abort.into_iter().chain([
            Command::ReplicaOf(primary.map(AddressBook::of)),
            Command::ConfigRewrite,
            Command::ClientKill(ClientType::Normal),
            Command::ClientKill(ClientType::PubSub),
        ]);
        self.transaction(place, commands, ctx)
    }

    /// `sentinelFailoverTo` (9.0.5): `FAILOVER`, under a pause of writes that outlasts it, since
    /// clients that expect to be disconnected are not to meet a replica.
    pub(super) fn send_failover(
        &mut self,
        place: usize,
        to: NodeId,
        timeout: Duration,
        ctx: &mut Context<'_>,
    ) -> bool {
        let ms = u32::try_from(timeout.as_nanos() / 1_000_000).unwrap_or(u32::MAX);
        let commands = [
            Command::ClientPause(PauseKind::Write, ms),
            Command::Failover {
                to: Some(AddressBook::of(to)),
                force: false,
                timeout_ms: Some(ms),
            },
        ];
        self.transaction(place, commands, ctx)
    }

    /// `sentinelKillClients` (9.0.5): after a coordinated failover, at both nodes. Who was
    /// postponed is disconnected before the pause is lifted.
    pub(super) fn send_kill_clients(&mut self, place: usize, ctx: &mut Context<'_>) -> bool {
        let commands = [
            Command::ConfigRewrite,
            Command::ClientKill(ClientType::Normal),
            Command::ClientKill(ClientType::PubSub),
            Command::ClientUnpause,
        ];
        self.transaction(place, commands, ctx)
    }
}
