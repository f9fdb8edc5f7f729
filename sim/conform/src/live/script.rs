//! Carries out a scenario's timeline on real servers.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use crate::recording::{Event as LineEvent, Way};
use rebound_engine::Duration;
use rebound_net::{Direction, HostId};
use rebound_sim::scenario::{Action, Occasion, PathFault, Paths, Trigger};
use rebound_sim::trace::{Event, FaultKind};
use rebound_sim::valkey::{Belief, NodeId};

use super::paths::{duration, meant};
use super::stage::{Stage, letter};

/// The script of a run.
pub struct Script {
    /// Where it is carried out.
    pub stage: Rc<Stage>,
    /// Nodes that are stopped, once for each pause.
    stopped: RefCell<Vec<NodeId>>,
    me: Weak<Script>,
}

impl Script {
    /// The script of the stage's plan.
    pub fn new(stage: Rc<Stage>) -> Rc<Script> {
        Rc::new_cyclic(|me| Script {
            stage,
            stopped: RefCell::default(),
            me: me.clone(),
        })
    }

    /// The script begins: items with a time wait for it.
    pub fn begin(self: &Rc<Script>) {
        self.stage.begin();
        for (item, each) in self.stage.plan.timeline.iter().enumerate() {
            if let Occasion::At(at) = each.occasion {
                let due = self.stage.instant(at + each.after);
                let script = self.clone();
                tokio::task::spawn_local(async move {
                    tokio::time::sleep_until(due.into()).await;
                    script.perform(item);
                });
            }
        }
    }

    /// Something that may be waited for is the case. What is due without a delay happens at
    /// once.
    pub fn trigger(&self, trigger: Trigger) {
        let stage = &self.stage;
        stage.trigger(trigger, |item| {
            if stage.plan.timeline[item].after == Duration::ZERO {
                self.perform(item);
            } else {
                // The script's own task waits; its end is the run's end.
                let _ = stage.due.send(item);
            }
        });
    }

    /// Waits for an item's delay, then carries it out.
    pub async fn later(&self, item: usize) {
        tokio::time::sleep(duration(self.stage.plan.timeline[item].after)).await;
        self.perform(item);
    }

    fn perform(&self, item: usize) {
        let stage = &self.stage;
        let action = &stage.plan.timeline[item].action;
        stage.line(
            "lab",
            LineEvent::Mark {
                what: format!("timeline[{item}]"),
            },
        );
        if let Action::Operator(node, commands) = action {
            for command in commands {
                // The operator's own task takes them; its end is the run's end.
                let _ = stage.node(*node).operator.send(*command);
            }
        } else if !stage.healed.get() {
            self.fault(action);
        }
    }

    fn fault(&self, action: &Action) {
        let stage = &self.stage;
        let now = stage.now();
        match *action {
            Action::Paths(paths, fault, lasts) => {
                let number = stage.paths.spoil(meant(&stage.plan, paths), fault);
                self.say_paths(paths, fault, true);
                self.after(lasts, move |script| {
                    script.stage.paths.mend(number);
                    script.say_paths(paths, fault, false);
                });
            }
            Action::Reset(paths) => stage.paths.reset(&meant(&stage.plan, paths)),
            Action::Pause(node, lasts) => {
                self.stopped.borrow_mut().push(node);
                self.signal(node, "SIGSTOP");
                stage.node(node).server.borrow_mut().stop(true);
                self.after(lasts, move |script| script.go_on(node));
            }
            Action::Refuse(node, lasts) => {
                let host = stage.host(node);
                stage.paths.refuse(host, true);
                self.after(lasts, move |script| script.stage.paths.refuse(host, false));
            }
            Action::Crash(node, restart) => {
                self.signal(node, "SIGKILL");
                stage.node(node).server.borrow_mut().kill();
                stage.believe(node, Belief::default());
                let host = HostId(u32::from(node.0));
                let event = Event::Fault {
                    kind: FaultKind::Crash,
                    of: FaultKind::Crash,
                    from: host,
                    to: host,
                };
                stage.record(now, event);
                self.stopped.borrow_mut().retain(|stopped| *stopped != node);
                if let Some(after) = restart {
                    let boot = stage.plan.nodes[usize::from(node.0)].config.boot;
                    self.after(after + boot, move |script| script.restart(node));
                }
            }
            Action::Restart(node) => self.restart(node),
            Action::Operator(..)
            | Action::Sentinel(_)
            | Action::Slow(..)
            | Action::HostDown(..) => {
                stage.fail("the timeline has an item that no real server can be given".to_owned());
            }
        }
    }

    /// Does something when a fault has lasted.
    fn after(&self, lasts: Duration, undo: impl FnOnce(&Script) + 'static) {
        let Some(script) = self.me.upgrade() else {
            return;
        };
        tokio::task::spawn_local(async move {
            tokio::time::sleep(duration(lasts)).await;
            undo(&script);
        });
    }

    fn go_on(&self, node: NodeId) {
        let mut stopped = self.stopped.borrow_mut();
        let Some(index) = stopped.iter().position(|known| *known == node) else {
            return;
        };
        stopped.remove(index);
        if !stopped.contains(&node) {
            self.signal(node, "SIGCONT");
            self.stage.node(node).server.borrow_mut().stop(false);
        }
    }

    fn restart(&self, node: NodeId) {
        let stage = &self.stage;
        let mut server = stage.node(node).server.borrow_mut();
        if server.runs() {
            return;
        }
        if let Err(error) = server.start() {
            stage.fail(error.to_string());
            return;
        }
        let port = server.ports.own;
        stage.line(
            "lab",
            LineEvent::Start {
                node: letter(node),
                port,
                announced: Some(server.ports.proxy),
            },
        );
    }

    /// Everything heals: what lasts ends, and nothing begins any more.
    pub fn heal(&self) {
        self.stage.paths.heal();
        let stopped = std::mem::take(&mut *self.stopped.borrow_mut());
        for node in stopped {
            self.stage.node(node).server.borrow_mut().stop(false);
        }
        self.stage.healed.set(true);
        self.stage.line(
            "lab",
            LineEvent::Mark {
                what: "healed".to_owned(),
            },
        );
    }

    fn signal(&self, node: NodeId, sig: &str) {
        self.stage.line(
            "lab",
            LineEvent::Signal {
                node: letter(node),
                sig: sig.to_owned(),
            },
        );
    }

    /// Writes down what the proxies on some paths do, where all of a proxy is meant.
    fn say_paths(&self, paths: Paths, fault: PathFault, begins: bool) {
        let stage = &self.stage;
        let nodes = stage.plan.nodes.len() as u32;
        let pairs = meant(&stage.plan, paths);
        for to in stage.ids() {
            let hit = |(from, at): &(HostId, HostId)| *at == stage.host(to) && from.0 < nodes;
            if !pairs.iter().any(hit) {
                continue;
            }
            let who = format!("P{}", letter(to));
            match fault {
                PathFault::Cut(only) | PathFault::Clog(only) => {
                    let dirs = match only {
                        None => vec![Way::C2s, Way::S2c],
                        Some(Direction::Forward) => vec![Way::C2s],
                        Some(Direction::Backward) => vec![Way::S2c],
                    };
                    let event = if begins {
                        LineEvent::PxHold { dirs }
                    } else {
                        LineEvent::PxRelease { dirs }
                    };
                    stage.line(who, event);
                }
                PathFault::Spike(extra) => {
                    let ms = if begins {
                        extra.as_nanos() as f64 / 1e6
                    } else {
                        0.0
                    };
                    stage.line(who, LineEvent::PxDelay { ms });
                }
                PathFault::Loss(_) => {}
            }
        }
    }
}
