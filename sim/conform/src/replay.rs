//! A recording's script carried out on the model's servers, with its clients.

mod clients;
mod stage;

use super::clients::Clients;
use super::evidence::Evidence;
use super::members::Members;
use super::milestones::{Milestone, Passing};
use super::replies::NodeState;
use super::script::{Act, Script, Step, Wait, What};
use super::time_map::TimeMap;
use super::words::Words;
use crate::bench::{Bench, Passed};
use rebound_engine::{Duration, Time};
use rebound_sim::valkey::{Behaviour, Config, LinkState, NodeId, Note, ReplId, Role};

use clients::Crowd;
pub use clients::{OpReplies, ProbeReplies};
use stage::Stage;

/// Everything that a recording asks of the model.
pub struct Plan {
    /// Who is who.
    pub members: Members,
    /// What its commands mean.
    pub words: Words,
    /// What the program that drives its servers and the operator did.
    pub script: Script,
    /// What its clients did.
    pub clients: Clients,
    /// What its machine was like.
    pub evidence: Evidence,
    /// The rules that the model's servers follow.
    pub behaviour: &'static Behaviour,
}

/// How the clients' times are moved against the recorded ones.
///
/// A client's recorded time is its own: the server read the command later, by as much as the
/// recorder was late. Near the edge of a phase that decides.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Shift {
    /// By how much, in nanoseconds, later or (below zero) earlier.
    pub by: i64,
    /// How redirects are followed.
    pub pace: Pace,
}

/// When a client sends a command on after a redirect. What is recorded is when the redirect came
/// and when the next reply did.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// So that the next reply comes when it did, as long as it came soon; the last time soon.
    #[default]
    AsRecorded,
    /// At once.
    AtOnce,
    /// As recorded, the last time too: the server may have been slow to read it.
    Late,
}

/// What a server is at the end.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// What `INFO` would say; none of a dead process.
    pub state: Option<NodeState>,
    /// Its replication ids.
    pub replids: (ReplId, Option<ReplId>),
    /// Its replication offset.
    pub offset: u64,
}

/// What came of a replay.
pub struct Played {
    /// When each step of the script was taken.
    pub steps: Vec<Time>,
    /// The steps that waited in vain.
    pub in_vain: Vec<usize>,
    /// The operator's reply at each step, and when it came.
    pub operator: Vec<Option<(Time, String)>>,
    /// The replication offset of who was asked, at each step of the operator's.
    pub offsets: Vec<Option<u64>>,
    /// The milestones that were passed.
    pub milestones: Vec<Milestone>,
    /// Each server's states, and since when.
    pub states: Vec<Vec<(Time, NodeState)>>,
    /// What passed between servers.
    pub wire: Vec<Passed>,
    /// What each whole command met.
    pub ops: Vec<OpReplies>,
    /// The replies on each single connection.
    pub probes: Vec<ProbeReplies>,
    /// The replication id of the first server when the script began.
    pub first_replid: ReplId,
    /// What each server is at the end.
    pub endings: Vec<Ending>,
}

/// How often the recorders poll servers: a server has a turn at least as often as that.
const POLL: Duration = Duration::millis(5);

/// Carries the plan out. `time_map` says when clients do what they did.
pub fn play(plan: &Plan, time_map: &TimeMap, shift: Shift) -> Played {
    let config = Config {
        repl_diskless_sync_delay: plan.evidence.sync_delay,
        snapshot_load: Duration::micros(200),
        ..Config::default()
    };
    let mut bench = Bench::empty(plan.behaviour, config, plan.words.addresses.clone());
    for (to, _) in plan.members.nodes() {
        // Whoever syncs with this one takes so long, nearly all of it before it loads (9.x looks
        // for the end of the transfer in `replicationCron`).
        let others = plan.members.nodes().filter(|(from, _)| *from != to);
        let load = others.map(|(from, _)| plan.evidence.clocks[usize::from(from.0)].load);
        let load = load.max().unwrap_or_default();
        bench.tune(to, |config| config.snapshot_save = load);
        let path = &plan.evidence.paths[usize::from(to.0)];
        for (from, _) in plan.members.nodes().filter(|(from, _)| *from != to) {
            for forward in [true, false] {
                bench.delay(from, to, forward, path.latency);
            }
            if path.early {
                bench.acknowledge_early(from, to);
            }
        }
    }
    let mut stage = Stage::new(plan);
    let mut crowd = Crowd::new(plan, time_map, shift);
    let mut watch = Watch::new(plan);
    let mut nudge = Time::ZERO;
    while !stage.is_over() {
        let next = bench.next_instant().min(nudge);
        let next = next.min(stage.next_due()).min(crowd.next_due());
        bench.go_to(next);
        if nudge <= bench.now {
            bench.nudge();
            nudge = bench.now + POLL;
        }
        watch.look(&mut bench);
        while stage.proceed(&mut bench) {
            watch.look(&mut bench);
        }
        crowd.proceed(&mut bench);
        bench.settle();
        watch.look(&mut bench);
        let news = bench.news();
        stage.hear(&mut bench, &news);
        crowd.hear(&mut bench, &news);
    }
    let endings = plan.members.nodes().map(|(node, _)| Ending {
        state: state(&bench, node),
        replids: bench.server(node).replids(),
        offset: bench.server(node).offset(),
    });
    Played {
        endings: endings.collect(),
        first_replid: stage.first_replid,
        steps: stage.taken,
        in_vain: stage.in_vain,
        operator: stage.answers,
        offsets: stage.offsets,
        milestones: watch.passing.passed,
        states: watch.states,
        wire: std::mem::take(&mut bench.wire),
        ops: crowd.ops,
        probes: crowd.probes,
    }
}

/// What `INFO` would say of a server; none of a dead process.
fn state(bench: &Bench, node: NodeId) -> Option<NodeState> {
    let belief = bench.server(node).belief();
    bench.is_running(node).then_some(NodeState {
        role: belief.role,
        failover: belief.failover,
        linked: belief.link == LinkState::Up,
    })
}

/// Keeps what the servers go through.
struct Watch {
    passing: Passing,
    states: Vec<Vec<(Time, NodeState)>>,
}

impl Watch {
    fn new(plan: &Plan) -> Watch {
        Watch {
            passing: Passing::default(),
            states: plan.members.nodes().map(|_| Vec::new()).collect(),
        }
    }

    fn look(&mut self, bench: &mut Bench) {
        for (node, note) in std::mem::take(&mut bench.events) {
            self.passing.note(bench.now, node, &note);
            // A turn may pass through a state, and a poll that is read in it shows that.
            if let Note::Failover { state, .. } = note
                && let Some((_, last)) = self.states[usize::from(node.0)].last().copied()
                && last.failover != state
            {
                let passing = NodeState {
                    failover: state,
                    ..last
                };
                self.states[usize::from(node.0)].push((bench.now, passing));
            }
        }
        for (index, states) in self.states.iter_mut().enumerate() {
            let node = NodeId(index as u16);
            match state(bench, node) {
                Some(state) if states.last().is_none_or(|(_, last)| *last != state) => {
                    states.push((bench.now, state));
                }
                Some(_) => {}
                None => self.passing.forget(node),
            }
        }
    }
}

/// Whether what the script waits for is the case.
fn is_met(wait: Wait, bench: &Bench, asked: bool) -> bool {
    let linked = |node| bench.server(node).belief().link == LinkState::Up;
    match wait {
        Wait::Paired => (1..bench.len()).all(|n| linked(NodeId(n))),
        Wait::Failover(node, state) => bench.state(node) == state,
        Wait::Role(node, Role::Primary) => bench.is_primary(node),
        Wait::Role(node, Role::Replica) => !bench.is_primary(node),
        Wait::Linked(node) => linked(node),
        Wait::PsyncFailover => asked,
    }
}

impl Step {
    /// What it does, if it does something.
    pub fn act(&self) -> Option<&Act> {
        match &self.what {
            What::Do(act) => Some(act),
            What::Wait(_) => None,
        }
    }
}
