//! What everybody in a run of real servers shares: the plan, the clock, the servers, the paths,
//! what is noted down, and what waits for its occasion.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use crate::Seen;
use crate::recording::{Event as LineEvent, Line};
use rebound_engine::Time;
use rebound_net::HostId;
use rebound_sim::scenario::{Occasion, Plan, Trigger};
use rebound_sim::trace::{Event, Record};
use rebound_sim::valkey::{Addr, Belief, Command, FailoverState, NodeId, Role};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;

use super::paths::Paths;
use super::server::{Ports, Server};

/// A node of a run.
pub struct Node {
    /// Its server.
    pub server: RefCell<Server>,
    /// Where it listens.
    pub ports: Ports,
    /// What it was last seen to be.
    pub belief: Cell<Belief>,
    /// Whether it was ordered to hand over and has not been seen to finish.
    pub ordered: Cell<bool>,
    /// Where its operator takes commands.
    pub operator: UnboundedSender<Command>,
}

/// An item of the timeline that waits for its occasion.
struct Waiting {
    item: usize,
    trigger: Trigger,
    not_before: Time,
}

/// A run of real servers.
pub struct Stage {
    /// The scenario.
    pub plan: Arc<Plan>,
    /// Its nodes, in order.
    pub nodes: Vec<Node>,
    /// The paths between hosts.
    pub paths: Paths,
    /// What an onlooker sees of nodes that talk to each other.
    pub seen: RefCell<Seen>,
    /// When the run started.
    pub origin: Instant,
    began: Cell<Option<Instant>>,
    lines: RefCell<Vec<Line>>,
    records: RefCell<Vec<Record>>,
    waiting: RefCell<Vec<Waiting>>,
    /// Items whose occasion has come, for the script.
    pub due: UnboundedSender<usize>,
    /// Whether everything has healed.
    pub healed: Cell<bool>,
    /// What the model has no reply for.
    pub unknown: RefCell<Vec<(Time, String)>>,
    /// Why the run cannot go on.
    pub broken: RefCell<Option<String>>,
    /// Notified when it is broken.
    pub breaks: Notify,
}

/// A node's letter in recordings: `A`, `B`, …
pub fn letter(node: NodeId) -> String {
    char::from(b'A' + node.0 as u8).to_string()
}

impl Stage {
    /// A run that has not begun.
    pub fn new(
        plan: Arc<Plan>,
        nodes: Vec<Node>,
        due: UnboundedSender<usize>,
        origin: Instant,
    ) -> Rc<Stage> {
        Rc::new(Stage {
            seen: RefCell::new(Seen::new(&plan)),
            plan,
            nodes,
            paths: Paths::default(),
            origin,
            began: Cell::new(None),
            lines: RefCell::new(Vec::new()),
            records: RefCell::new(Vec::new()),
            waiting: RefCell::new(Vec::new()),
            due,
            healed: Cell::new(false),
            unknown: RefCell::new(Vec::new()),
            broken: RefCell::new(None),
            breaks: Notify::new(),
        })
    }

    /// A node.
    pub fn node(&self, node: NodeId) -> &Node {
        &self.nodes[usize::from(node.0)]
    }

    /// The nodes' ids, in order.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u16).map(NodeId)
    }

    /// The script begins now: the scenario's time zero.
    pub fn begin(&self) {
        self.began.set(Some(Instant::now()));
        let items = self.plan.timeline.iter().enumerate();
        let waiting = items.filter_map(|(item, each)| match each.occasion {
            Occasion::At(_) => None,
            Occasion::When {
                trigger,
                not_before,
            } => Some(Waiting {
                item,
                trigger,
                not_before,
            }),
        });
        self.waiting.borrow_mut().extend(waiting);
    }

    /// The scenario's time; none before the script begins.
    pub(crate) fn script_time(&self) -> Option<Time> {
        let elapsed = self.began.get()?.elapsed().as_nanos();
        Some(Time(u64::try_from(elapsed).unwrap_or(u64::MAX)))
    }

    /// The scenario's time, zero before the script begins.
    pub fn now(&self) -> Time {
        self.script_time().unwrap_or(Time::ZERO)
    }

    /// The clock's instant of a time of the scenario.
    pub fn instant(&self, at: Time) -> Instant {
        let began = self.began.get().unwrap_or(self.origin);
        began + std::time::Duration::from_nanos(at.0)
    }

    /// Milliseconds of the recording now.
    pub fn millis(&self) -> f64 {
        self.origin.elapsed().as_nanos() as f64 / 1e6
    }

    /// Milliseconds of the recording at a time of the scenario.
    pub(crate) fn millis_at(&self, at: Time) -> f64 {
        let instant = self.instant(at);
        instant.saturating_duration_since(self.origin).as_nanos() as f64 / 1e6
    }

    /// Writes a line of the recording.
    pub fn line(&self, who: impl Into<String>, event: LineEvent) {
        let t = (self.millis() * 1e3).round() / 1e3;
        self.lines.borrow_mut().push(Line {
            t,
            who: who.into(),
            event,
        });
    }

    /// Notes something down as the model would.
    pub fn record(&self, at: Time, event: Event) {
        if self.began.get().is_some() {
            self.records.borrow_mut().push(Record { at, event });
        }
    }

    /// The recording.
    pub(crate) fn take_lines(&self) -> Vec<Line> {
        self.lines.take()
    }

    /// What was noted down, in order of time.
    pub(crate) fn take_records(&self) -> Vec<Record> {
        let mut records = self.records.take();
        records.sort_by_key(|record| record.at);
        records
    }

    /// Something that may be waited for is the case: what waits is due. The script hears of it
    /// before whoever calls this does anything else that takes time.
    pub fn trigger(&self, trigger: Trigger, mut act: impl FnMut(usize)) {
        let Some(now) = self.script_time() else {
            return;
        };
        let mut due = Vec::new();
        self.waiting.borrow_mut().retain(|waiting| {
            let comes = waiting.trigger == trigger && waiting.not_before <= now;
            if comes {
                due.push(waiting.item);
            }
            !comes
        });
        due.into_iter().for_each(&mut act);
    }

    /// Something makes the run worthless: it ends with this message.
    pub fn fail(&self, why: String) {
        self.broken.borrow_mut().get_or_insert(why);
        self.breaks.notify_one();
    }

    /// An address of the plan, as a real server gets it.
    pub(crate) fn real_address(&self, addr: Addr) -> (String, u16) {
        match self.plan.addresses.node(addr) {
            Some(node) => ("127.0.0.1".to_owned(), self.node(node).ports.proxy),
            None => {
                let entry = self.plan.addresses.entry(addr);
                (entry.host.clone(), entry.port)
            }
        }
    }

    /// The plan's address for one that a real server says.
    pub(crate) fn plan_address(&self, host: &str, port: u16) -> Option<Addr> {
        let ours = self.ids().find(|id| {
            let ports = self.node(*id).ports;
            host == "127.0.0.1" && (ports.proxy == port || ports.own == port)
        });
        match ours {
            Some(node) => Some(Addr(node.0)),
            None => self
                .plan
                .addresses
                .clone()
                .intern(host, port)
                .ok()
                .filter(|addr| {
                    // Only what the scenario names itself.
                    usize::from(addr.0) < self.known_addresses()
                }),
        }
    }

    fn known_addresses(&self) -> usize {
        let mut book = self.plan.addresses.clone();
        // A name that no scenario can have takes the first free place.
        book.intern("", 0).map_or(0, |addr| usize::from(addr.0))
    }

    /// A node was seen to be in another state of a failover, or of another role.
    pub fn believe(&self, node: NodeId, belief: Belief) {
        let own = self.node(node);
        let before = own.belief.replace(belief);
        let over = before.failover != FailoverState::NoFailover
            && belief.failover == FailoverState::NoFailover;
        if over || belief.role == Role::Replica {
            own.ordered.set(false);
        }
    }

    /// The host of a node.
    pub fn host(&self, node: NodeId) -> HostId {
        self.plan.node_host(node)
    }
}
