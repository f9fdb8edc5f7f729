//! `processCommand`: a command passes the gates of the node's behaviour, in their order.

use super::super::behaviour::{Gate, RedirectInMulti, WhileInProgress, Wording};
use super::super::command_table::{CommandKind, Flags};
use super::super::error::ErrorKind;
use super::super::message::{FailoverState, LinkState, Reply, Request};
use super::super::note::{GateVerdict, Note};
use super::client::Blocked;
use super::hold::Hold;
use super::{ConnSlot, Effect, Server, Turn};

/// What a gate says to a command.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Answer {
    Pass,
    Redirect,
    /// Cluster mode: it depends on the keys.
    AskCluster,
    Postpone,
    Reject(ErrorKind),
}

impl Server {
    /// A request has been read from a connection. Behind a command that blocks it waits unread.
    #[inline]
    pub(super) fn read_request(&mut self, slot: ConnSlot, request: Request, turn: &mut Turn<'_>) {
        let client = &mut self.clients[slot.0 as usize];
        if client.closing || !client.is_open() {
            return;
        }
        client.last_interaction = Some(turn.now);
        if client.is_waiting() || !client.input.is_empty() {
            client.input.push_back(request);
            return;
        }
        self.process_command(slot, request, turn);
    }

    /// Reads on after a blocking command has ended (`processPendingCommandAndInputBuffer`).
    pub(super) fn read_on(&mut self, slot: ConnSlot, turn: &mut Turn<'_>) {
        loop {
            let client = &mut self.clients[slot.0 as usize];
            if client.is_waiting() || client.closing || !client.is_open() {
                return;
            }
            let Some(request) = client.input.pop_front() else {
                return;
            };
            self.process_command(slot, request, turn);
        }
    }

    /// `processCommand` (8.0.1, server.c:3808). Each behaviour's gates are in
    /// [`Behaviour`](super::super::Behaviour).
    pub(super) fn process_command(
        &mut self,
        slot: ConnSlot,
        request: Request,
        turn: &mut Turn<'_>,
    ) {
        self.handled += 1;
        let kind = request.command.kind();
        let flags = self.effective_flags(slot, kind);
        let mut verdict = GateVerdict::Passed;
        for gate in turn.behaviour.gates {
            verdict = match self.ask(*gate, slot, (kind, flags), turn) {
                Answer::Pass => continue,
                Answer::AskCluster => {
                    if self.sent_elsewhere(slot, request, flags, turn) {
                        return;
                    }
                    continue;
                }
                Answer::Redirect => match self.primary {
                    Some(primary) => GateVerdict::Redirected(*gate, primary),
                    None => continue,
                },
                Answer::Postpone => GateVerdict::Postponed(*gate),
                Answer::Reject(error) => GateVerdict::Rejected(*gate, error),
            };
            break;
        }
        self.trace_gate(slot, request, verdict, turn);
        if self.cluster.is_some() {
            self.forget_asking(slot, kind, verdict);
        }
        match verdict {
            GateVerdict::Passed => {
                let client = &mut self.clients[slot.0 as usize];
                if client.in_multi
                    && !matches!(
                        kind,
                        CommandKind::Exec
                            | CommandKind::Discard
                            | CommandKind::Multi
                            | CommandKind::Reset
                    )
                {
                    client.queue.push((request.tag, request.command));
                    self.reply(slot, request.tag, Reply::Queued, turn);
                } else {
                    self.execute(slot, request.tag, request.command, turn);
                }
            }
            GateVerdict::Redirected(_, to) => {
                self.redirect_spoils(slot, kind, turn);
                let redirect = self.redirect_to(to, turn);
                self.reply(slot, request.tag, redirect, turn);
            }
            GateVerdict::Postponed(_) => {
                // `blockPostponeClient` (8.0.1, blocked.c:613): at the end of the list.
                self.clients[slot.0 as usize].blocked = Blocked::Postponed(request);
                self.postponed.push_back(slot);
            }
            GateVerdict::Rejected(_, error) => {
                let error = self.reject(slot, kind, error);
                self.reply(slot, request.tag, Reply::Error(error), turn);
            }
        }
    }

    /// The command's flags; EXEC takes the union of what is queued.
    #[inline]
    fn effective_flags(&self, slot: ConnSlot, kind: CommandKind) -> Flags {
        let own = kind.flags();
        if kind != CommandKind::Exec {
            return own;
        }
        let (mut any, mut all) = (own, own);
        for (_, command) in &self.clients[slot.0 as usize].queue {
            any = any.with(command.kind().flags());
            all = all.and(command.kind().flags());
        }
        // What is queued may do what any of it does, but is allowed on stale data or while
        // loading only if all of it is.
        let allowances = Flags::STALE.with(Flags::LOADING);
        any.without(allowances).with(all.and(allowances))
    }

    /// One gate's answer.
    #[inline]
    fn ask(
        &self,
        gate: Gate,
        slot: ConnSlot,
        (kind, flags): (CommandKind, Flags),
        turn: &Turn<'_>,
    ) -> Answer {
        let client = &self.clients[slot.0 as usize];
        match gate {
            Gate::ClusterRedirect => {
                if self.cluster.is_some() {
                    return Answer::AskCluster;
                }
            }
            Gate::Authentication => {
                // Who says neither of these is a client, and knows the password.
                if turn.config.requirepass
                    && !client.authenticated
                    && matches!(kind, CommandKind::ReplConf | CommandKind::Psync)
                {
                    return Answer::Reject(ErrorKind::NoAuth);
                }
            }
            Gate::NoMulti => {
                if client.in_multi && flags.any(Flags::NO_MULTI) {
                    return Answer::Reject(no_multi(kind, turn));
                }
            }
            Gate::StandaloneRedirect => {
                // The condition looks at nothing else: not at the link, not at the pause, not at
                // whether `primary_host` is a primary. A target that knows of a failover holds
                // (target-holds); no version tells it.
                if client.capa
                    && self.primary.is_some()
                    && self.cluster.is_none()
                    && (flags.any(Flags::WRITE) || (flags.any(Flags::READ) && !client.readonly))
                {
                    if self.failover.state != FailoverState::InProgress {
                        return match self.hold {
                            Hold::Nothing => Answer::Redirect,
                            Hold::Redirects => Answer::Postpone,
                        };
                    }
                    return match turn.behaviour.while_in_progress {
                        WhileInProgress::Redirect => Answer::Redirect,
                        WhileInProgress::FallThrough => Answer::Pass,
                        WhileInProgress::Postpone => Answer::Postpone,
                    };
                }
            }
            Gate::MinReplicas => {
                if turn.config.min_replicas_to_write > 0
                    && flags.any(Flags::WRITE)
                    && self.primary.is_none()
                    && self.good_replicas(turn) < turn.config.min_replicas_to_write
                {
                    return Answer::Reject(ErrorKind::NoReplicas);
                }
            }
            Gate::ReadOnlyReplica => {
                if flags.any(Flags::WRITE)
                    && self.primary.is_some()
                    && turn.config.replica_read_only
                {
                    return Answer::Reject(ErrorKind::ReadOnly);
                }
            }
            Gate::PubSubContext => {
                if client.subscriptions > 0 && !flags.any(Flags::PUBSUB) {
                    return Answer::Reject(ErrorKind::SubscriberContext);
                }
            }
            Gate::StaleData => {
                if self.primary.is_some()
                    && !turn.config.replica_serve_stale_data
                    && self.link.state() != LinkState::Up
                    && !flags.any(Flags::STALE)
                {
                    return Answer::Reject(ErrorKind::MasterDown);
                }
            }
            Gate::Loading => {
                if self.loading_until.is_some() && !flags.any(Flags::LOADING) {
                    return Answer::Reject(ErrorKind::Loading);
                }
            }
            Gate::ClientPause => {
                if !self.pause.is_empty()
                    && !client.replica
                    && (self.pause.all()
                        || (self.pause.writes()
                            && flags.any(Flags::WRITE.with(Flags::MAY_REPLICATE))))
                {
                    return Answer::Postpone;
                }
            }
        }
        Answer::Pass
    }

    /// What a redirect does to a transaction (8.0.0-rc1: nothing; PR 895: see
    /// [`RedirectInMulti::Spoil`]).
    fn redirect_spoils(&mut self, slot: ConnSlot, kind: CommandKind, turn: &Turn<'_>) {
        match turn.behaviour.redirect_in_multi {
            RedirectInMulti::LeaveUntouched => {}
            RedirectInMulti::Spoil => self.spoil(slot, kind),
        }
    }

    /// Discards a transaction whose EXEC is redirected, and flags the transaction if the command is
    /// queued in one, so that EXEC aborts.
    pub(super) fn spoil(&mut self, slot: ConnSlot, kind: CommandKind) {
        let client = &mut self.clients[slot.0 as usize];
        if kind == CommandKind::Exec {
            self.discard_transaction(slot);
        } else if client.in_multi {
            client.dirty_exec = true;
        }
    }

    /// `resetClient`: ASKING holds for the next command, and all of a transaction.
    #[cold]
    pub(super) fn forget_asking(
        &mut self,
        slot: ConnSlot,
        kind: CommandKind,
        verdict: GateVerdict,
    ) {
        let postponed = matches!(verdict, GateVerdict::Postponed(_));
        let client = &mut self.clients[slot.0 as usize];
        if !postponed && !client.in_multi && kind != CommandKind::Asking {
            client.asking = false;
        }
    }

    /// `rejectCommand` (8.0.1, server.c): flags a transaction; a rejected EXEC aborts it
    /// (`execCommandAbort`) and wraps the error.
    fn reject(&mut self, slot: ConnSlot, kind: CommandKind, error: ErrorKind) -> ErrorKind {
        let client = &mut self.clients[slot.0 as usize];
        if kind == CommandKind::Exec && client.in_multi {
            self.discard_transaction(slot);
            return error.wrapped_in_execabort();
        }
        if client.in_multi {
            client.dirty_exec = true;
        }
        error
    }

    pub(super) fn trace_gate(
        &self,
        slot: ConnSlot,
        request: Request,
        verdict: GateVerdict,
        turn: &mut Turn<'_>,
    ) {
        // The operator's commands are traced with their replies.
        let Some(peer) = self.clients[slot.0 as usize]
            .peer
            .filter(|_| slot != ConnSlot::OPERATOR)
        else {
            return;
        };
        turn.effects.push(Effect::Note(Note::Gate {
            peer,
            number: request.tag.part_of(),
            command: request.command.kind(),
            verdict,
            belief: self.belief(),
        }));
    }
}

/// The error of a command that may not stand inside MULTI. 9.0 names it.
fn no_multi(kind: CommandKind, turn: &Turn<'_>) -> ErrorKind {
    if turn.behaviour.wording < Wording::V9_0 {
        ErrorKind::NotInTransaction
    } else if kind == CommandKind::Watch {
        ErrorKind::WatchInTransaction
    } else {
        ErrorKind::PsyncInTransaction
    }
}
