//! Runs: a seed in, a report out; the world is built once and used again.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Pending, Session, State};
use crate::check::{Ending, Found, Unfinished};
use crate::client::ClientId;
use crate::results::{CheckId, Clients, Finding, MODEL, RunReport, Verdict, Writes};
use crate::scenario::{Plan, replay_command};
use crate::trace::Sink;
use crate::valkey::Behaviour;
use rebound_engine::{Agenda, Schedule, Stop};

/// Runs one scenario under one behaviour, seed after seed.
pub struct Runner {
    plan: Arc<Plan>,
    agenda: Pending,
    state: State,
}

impl Runner {
    /// Builds the world of `plan`, in which nodes follow `behaviour` unless the plan binds them to
    /// another.
    pub fn new(plan: Arc<Plan>, behaviour: &'static Behaviour) -> Runner {
        let mut agenda = Agenda::new(plan.tie_break);
        let state = State::new(plan.clone(), behaviour, &mut agenda.chooser);
        Runner {
            plan,
            agenda,
            state,
        }
    }

    /// Runs `seed`; the trace goes to `sink`.
    pub fn run<S: Sink>(&mut self, seed: u64, sink: &mut S) -> RunReport {
        self.agenda.reset(seed);
        self.go(seed, sink)
    }

    /// Runs `seed` and keeps every answer that chance gave.
    pub fn record<S: Sink>(&mut self, seed: u64, sink: &mut S) -> (RunReport, Schedule) {
        self.agenda.reset(seed);
        self.agenda.chooser.record();
        let report = self.go(seed, sink);
        (report, self.agenda.chooser.take_schedule())
    }

    /// Runs with a schedule's answers instead of a seed's; `seed` only names the run.
    pub fn follow<S: Sink>(&mut self, seed: u64, schedule: Schedule, sink: &mut S) -> RunReport {
        self.agenda.reset(seed);
        self.agenda.chooser.follow(schedule);
        self.go(seed, sink)
    }

    fn go<S: Sink>(&mut self, seed: u64, sink: &mut S) -> RunReport {
        self.state.reset();
        let limits = self.plan.limits;
        let mut session = Session {
            state: &mut self.state,
            sink,
        };
        session.begin(&mut self.agenda);
        let stop = self.agenda.run(&mut session, &limits);
        self.end(stop);
        self.report(seed)
    }

    /// What is unfinished, by client.
    fn unfinished(&self) -> Vec<Unfinished> {
        let mut unfinished = Vec::new();
        for (id, port) in self.state.clients.iter().enumerate() {
            if let Some(pending) = port.client.oldest_open() {
                unfinished.push(Unfinished {
                    command: (ClientId(id as u32), pending.command, pending.kind),
                    issued_at: pending.issued_at,
                    reason: pending.reason(self.agenda.now(), &self.plan.addresses),
                });
            }
        }
        unfinished
    }

    /// Ends the counts and the checks of a run that has stopped.
    fn end(&mut self, stop: Stop) {
        let unfinished = match stop {
            Stop::Settled => Vec::new(),
            Stop::Deadline | Stop::EventBudget | Stop::BacklogBudget => self.unfinished(),
        };
        let state = &mut self.state;
        let budget = match stop {
            Stop::Settled | Stop::Deadline => None,
            Stop::EventBudget => Some(format!("more than {} events", self.plan.limits.max_events)),
            Stop::BacklogBudget => Some(format!(
                "more than {} events, messages, connections and waiting commands piled up",
                self.plan.limits.max_backlog
            )),
        };
        let mut ending = Ending {
            at: self.agenda.now(),
            healed_at: self.plan.limits.heal_at,
            nodes: state
                .nodes
                .iter()
                .map(|node| {
                    let server = &node.server;
                    (server.data(), server.primary().is_none(), node.alive)
                })
                .collect(),
            unfinished,
        };
        if budget.is_some() {
            // Stopped before the end: what is unfinished says nothing.
            ending.unfinished.clear();
        }
        for (hops, bounces) in state.recorder.checks.open_chains() {
            state.recorder.tally.count_chain(hops, bounces);
        }
        state.recorder.checks.end(&ending);
        if let Some(budget) = &budget {
            let at = self.agenda.now();
            state
                .recorder
                .checks
                .findings
                .add(CheckId::BudgetExceeded, || Found {
                    check: CheckId::BudgetExceeded,
                    at,
                    command: None,
                    client: None,
                    chain: Vec::new(),
                    why: format!("The run was stopped: {budget}."),
                });
        }
    }

    fn report(&mut self, seed: u64) -> RunReport {
        let state = &mut self.state;
        let findings_total: BTreeMap<String, u64> = CheckId::ALL
            .iter()
            .map(|check| (check.name().to_owned(), state.recorder.checks.total(*check)))
            .filter(|(_, total)| *total > 0)
            .collect();
        let flagged = CheckId::ALL.iter().any(|check| {
            *check != CheckId::BudgetExceeded && state.recorder.checks.total(*check) > 0
        });
        // A check that could not decide says so as an exceeded budget.
        let undecided = state.recorder.checks.total(CheckId::BudgetExceeded) > 0;
        let verdict = match (flagged, undecided) {
            (true, _) => Verdict::Flagged,
            (false, true) => Verdict::Inconclusive,
            (false, false) => Verdict::Clean,
        };
        let found = state.recorder.checks.take_found();
        let mut commands = state.recorder.tally.commands.clone();
        commands.unfinished = state.recorder.open_commands;
        let duplicated = state
            .nodes
            .iter()
            .map(|node| node.server.duplicated_writes())
            .sum();
        RunReport {
            schema: RunReport::SCHEMA.to_owned(),
            scenario: self.plan.name.clone(),
            scenario_hash: format!("{:032x}", self.plan.hash),
            behaviour: state.behaviour.name.to_owned(),
            model: MODEL.to_owned(),
            seed: seed.to_string(),
            verdict,
            trace_hash: format!("{:032x}", state.recorder.hash.finish()),
            events: self.agenda.events(),
            virtual_ns: self.agenda.now().nanos(),
            clients: Clients {
                total: state.clients.len() as u64,
                flagged: state.recorder.checks.flagged_clients(),
            },
            writes: Writes {
                lost: state.recorder.checks.total(CheckId::LostWrite),
                duplicated,
            },
            hops: state.recorder.tally.hops.clone(),
            bounces: state.recorder.tally.bounces.clone(),
            errors: state.recorder.tally.errors(),
            connections_opened: state.recorder.tally.connections,
            commands,
            findings: found
                .into_iter()
                .map(|found| in_words(&self.plan, state.behaviour, seed, found))
                .collect(),
            findings_total,
        }
    }
}

/// A finding as reports have it.
fn in_words(plan: &Plan, behaviour: &Behaviour, seed: u64, found: Found) -> Finding {
    let client = found.command.map(|(client, _, _)| client).or(found.client);
    let client = client.map(|client| plan.client_name(client));
    let whose = client
        .as_ref()
        .map(|name| format!(" --client {name}"))
        .unwrap_or_default();
    Finding {
        check: found.check,
        at_ns: found.at.nanos(),
        command: found
            .command
            .map(|(_, number, kind)| format!("{} #{number}", kind.name())),
        chain: found.chain,
        why: found.why,
        replay: replay_command(plan, behaviour, seed) + &whose,
        client,
    }
}
