//! Epochs that a node gives itself (`clusterBumpConfigEpochWithoutConsensus`,
//! `clusterHandleConfigEpochCollision`, 8.0.1, cluster_legacy.c).

use super::super::super::address::NodeId;
use super::super::super::note::ClusterEvent;
use super::super::Turn;
use super::Cluster;
use super::packet::Packet;

impl Cluster {
    /// `clusterBumpConfigEpochWithoutConsensus`: a new epoch, unless the node has the greatest
    /// already.
    pub(super) fn bump_config_epoch(&mut self, turn: &mut Turn<'_>) {
        let greatest = self.nodes.iter().map(|node| node.config_epoch).max();
        let greatest = greatest.unwrap_or(0).max(self.current_epoch);
        let own = self.myself().config_epoch;
        if own == 0 || own != greatest {
            self.take_next_epoch(turn);
            self.todo.save_config = true;
        }
    }

    fn take_next_epoch(&mut self, turn: &mut Turn<'_>) {
        self.current_epoch += 1;
        let (me, epoch) = (self.me, self.current_epoch);
        self.node_mut(me).config_epoch = epoch;
        self.note(ClusterEvent::EpochTaken { epoch }, turn);
    }

    /// `clusterHandleConfigEpochCollision`: of two primaries with the same epoch, that with the
    /// smaller id takes a new one. Ids are random in Valkey; here they are in the scenario's
    /// order.
    pub(super) fn handle_config_epoch_collision(
        &mut self,
        sender: NodeId,
        packet: &Packet,
        turn: &mut Turn<'_>,
    ) {
        let collide = self.myself().is_primary()
            && self.node(sender).is_primary()
            && packet.config_epoch == self.myself().config_epoch
            && self.node(sender).config_epoch == self.myself().config_epoch;
        if collide && self.me < sender {
            self.take_next_epoch(turn);
            self.save_config();
        }
    }
}
