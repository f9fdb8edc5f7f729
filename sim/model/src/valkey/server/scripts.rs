//! What scripts do once the gates have let their command pass.

use super::super::behaviour::Wording;
use super::super::error::ErrorKind;
use super::super::message::{Reply, WriteId};
use super::super::replication::ReplOp;
use super::super::script::Script;
use super::{ConnSlot, Server, Turn};

impl Server {
    /// `EVAL`, `FCALL` and the like.
    pub(super) fn run_script(
        &mut self,
        slot: ConnSlot,
        script: Script,
        key: u32,
        turn: &mut Turn<'_>,
    ) -> Reply {
        match script {
            Script::Get
            | Script::NoWritesGet
            | Script::RoGet
            | Script::FunctionGet
            | Script::FunctionRoGet => self.get(key, turn),
            Script::Set(write) => match self.may_write_in_script(turn) {
                Ok(()) => self.script_sets(slot, key, write, turn),
                Err(error) => Reply::Error(error),
            },
            // The gates have looked at what it declares.
            Script::ShebangSet(write) | Script::FunctionSet(write) => {
                self.script_sets(slot, key, write, turn)
            }
        }
    }

    fn script_sets(
        &mut self,
        slot: ConnSlot,
        key: u32,
        write: WriteId,
        turn: &mut Turn<'_>,
    ) -> Reply {
        self.write(slot, ReplOp::Set(key, write), turn)
    }

    /// `scriptVerifyWriteCommandAllow` (8.0.1, script.c): no gate knows that a script without a
    /// shebang writes, so it learns of it when it does. `server.call` adds to the error where in
    /// the script that was.
    fn may_write_in_script(&self, turn: &Turn<'_>) -> Result<(), ErrorKind> {
        let named = turn.behaviour.wording < Wording::V9_1;
        if self.primary.is_some() {
            return match (turn.config.replica_read_only, named) {
                (false, _) => Ok(()),
                (true, true) => Err(ErrorKind::ScriptReadOnly),
                (true, false) => Err(ErrorKind::ScriptReadOnlyUnnamed),
            };
        }
        let wanted = turn.config.min_replicas_to_write;
        if wanted == 0 || self.good_replicas(turn) >= wanted {
            Ok(())
        } else if named {
            Err(ErrorKind::ScriptNoReplicas)
        } else {
            Err(ErrorKind::ScriptNoReplicasUnnamed)
        }
    }
}
