//! How a server starts and dies, and what its disk keeps in between.

use super::super::address::{Addr, AddressBook, NodeId};
use super::super::config::{Config, Persistence};
use super::super::data::Data;
use super::super::epoch::Epoch;
use super::super::pause::PauseTable;
use super::super::replication::ReplId;
use super::failover::Failover;
use super::hold::Hold;
use super::{Server, Turn};
use rebound_engine::Duration;
use rebound_net::HostId;

/// The replication offset with which every node starts.
pub(super) const INITIAL_OFFSET: u64 = 1_000;

/// What a server finds when it starts: an RDB file with its replication id, and its
/// configuration file.
#[derive(Debug, Default)]
pub(super) struct Disk {
    pub(super) data: Data,
    pub(super) replid: ReplId,
    pub(super) offset: u64,
    /// In addition to the replication id (`rdbSaveInfoAuxFields` saves that one).
    pub(super) redirect_epoch: Epoch,
    pub(super) file: ConfigFile,
}

/// The line `replicaof` of the configuration file.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum ConfigFile {
    /// As it was when the run began.
    #[default]
    AsGiven,
    /// As `CONFIG REWRITE` has written it last: the primary, or none.
    Rewritten(Option<Addr>),
}

impl Server {
    /// Prepares for a new run: an empty disk with the replication history of the primary (`root`)
    /// that the node follows at the start, at once or through others, as if all that follow it
    /// had been synchronized before.
    pub fn reset(&mut self, root: NodeId) {
        self.data.clear();
        self.disk.data.clear();
        self.disk.replid = ReplId::made(root, 0);
        self.disk.offset = INITIAL_OFFSET;
        self.disk.redirect_epoch = Epoch::FIRST;
        self.disk.file = ConfigFile::AsGiven;
        self.replids_made = 0;
        self.duplicated_writes = 0;
        if let Some(cluster) = &mut self.cluster {
            cluster.form();
        }
        self.forget_process();
    }

    /// Forgets what a process has in memory, the data aside.
    fn forget_process(&mut self) {
        self.link.forget();
        if let Some(cluster) = &mut self.cluster {
            cluster.forget_process();
        }
        self.primary = None;
        self.cached = None;
        self.replid2 = None;
        self.second_replid_offset = 0;
        self.replicas.clear();
        self.failover = Failover::default();
        self.hold = Hold::Nothing;
        self.promoted_from = None;
        self.pause = PauseTable::default();
        self.clients.clear();
        self.free.clear();
        self.postponed.clear();
        self.unblocked.clear();
        self.blocked.clear();
        self.subscribers.clear();
        self.watched.clear();
        self.ready_keys.clear();
        self.loading_until = None;
        self.held_stream.clear();
        self.getack_wanted = false;
        self.replication_cron_loops = 0;
        self.clients_cron_place = 0;
        self.inbox.clear();
        self.closing.clear();
    }

    /// Starts the process: loads the disk's data, takes the role that the configuration file
    /// says, and connects to its primary if it has one (`replicationCron` would, within a
    /// second). `primary` is what the file said when the run began; `CONFIG REWRITE` overrules
    /// it. `phase` is where in its second `serverCron` begins.
    ///
    /// A primary that finds a replication id on disk keeps it as its second one, so that
    /// replicas can go on; a replica synthesizes a cached primary from it
    /// (8.0.1, `rdbLoad` and `replicationCachePrimaryUsingMyself`).
    ///
    /// A node of a cluster has its role from `nodes.conf` instead.
    pub fn boot(
        &mut self,
        primary: Option<Addr>,
        phase: Duration,
        restarted: bool,
        turn: &mut Turn<'_>,
    ) {
        self.forget_process();
        self.data.copy_from(&self.disk.data);
        self.offset = self.disk.offset;
        self.redirect_epoch = self.disk.redirect_epoch;
        let primary = match (&mut self.cluster, self.disk.file) {
            (Some(cluster), _) => cluster.boot(restarted, turn).map(AddressBook::of),
            (None, ConfigFile::AsGiven) => primary,
            (None, ConfigFile::Rewritten(primary)) => primary,
        };
        self.primary = primary;
        self.open_slot(HostId(u32::MAX));
        let period = Duration(1_000_000_000 / u64::from(turn.config.hz));
        self.cron_loops = phase.0 / period.0;
        self.next_cron = turn.now + Duration(phase.0 % period.0) + Duration(1);
        if primary.is_none() && restarted {
            self.replid = self.new_replid();
            self.replid2 = Some(self.disk.replid);
            self.second_replid_offset = self.offset + 1;
        } else {
            self.replid = self.disk.replid;
        }
        self.backlog.start_at(self.offset);
        self.trace_role(turn);
        if primary.is_some() {
            self.cached = Some((self.replid, self.offset));
            self.connect_with_primary(turn);
        }
    }

    /// `CONFIG REWRITE` (8.0.1, config.c `rewriteConfigReplicaOfOption`): the file names the
    /// present primary, or none. In `failover-in-progress` that is the failover's target.
    pub(super) fn config_rewrite(&mut self) {
        self.disk.file = ConfigFile::Rewritten(self.primary);
    }

    /// The process dies. What the disk keeps depends on the configuration.
    pub fn crash(&mut self, config: &Config) {
        match config.persistence {
            Persistence::None => {
                self.disk.data.clear();
                self.disk.replid = self.new_replid();
                self.disk.offset = 0;
                self.disk.redirect_epoch = Epoch::FIRST;
            }
            Persistence::LastSync => {}
            Persistence::Everything => {
                self.disk.data.copy_from(&self.data);
                self.disk.replid = self.replid;
                self.disk.offset = self.offset;
                self.disk.redirect_epoch = self.redirect_epoch;
            }
        }
        self.forget_process();
    }
}
