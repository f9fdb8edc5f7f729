//! What is wrong with the paths between real servers and clients at the moment: whoever carries
//! bytes asks here.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time;

use rebound_engine::{Distribution, Duration};
use rebound_net::{Direction, HostId};
use rebound_sim::scenario::{PathFault, Paths as Meant, Plan};
use tokio::sync::Notify;

/// A fault of some paths that is in force.
struct Fault {
    number: u64,
    paths: Vec<(HostId, HostId)>,
    what: PathFault,
}

/// A connection that carries bytes.
struct Link {
    number: u64,
    ends: (HostId, HostId),
    reset: Rc<Notify>,
}

/// All paths.
#[derive(Default)]
pub struct Paths {
    faults: RefCell<Vec<Fault>>,
    links: RefCell<Vec<Link>>,
    refusing: RefCell<Vec<HostId>>,
    next: Cell<u64>,
    changed: Notify,
}

/// A connection's place among the links, for as long as it is open.
pub struct Held<'a> {
    paths: &'a Paths,
    number: u64,
    /// Notified when the connection is reset.
    pub reset: Rc<Notify>,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.paths
            .links
            .borrow_mut()
            .retain(|link| link.number != self.number);
    }
}

/// A duration of the model as one of the clock's.
pub(crate) fn duration(span: Duration) -> time::Duration {
    time::Duration::from_nanos(span.as_nanos())
}

impl Paths {
    fn number(&self) -> u64 {
        self.next.set(self.next.get() + 1);
        self.next.get()
    }

    /// Something is wrong with some paths from here on. The number is for [`Paths::mend`].
    pub fn spoil(&self, paths: Vec<(HostId, HostId)>, what: PathFault) -> u64 {
        let number = self.number();
        self.faults.borrow_mut().push(Fault {
            number,
            paths,
            what,
        });
        self.changed.notify_waiters();
        number
    }

    /// It is over.
    pub(crate) fn mend(&self, number: u64) {
        self.faults
            .borrow_mut()
            .retain(|fault| fault.number != number);
        self.changed.notify_waiters();
    }

    /// Everything is over.
    pub fn heal(&self) {
        self.faults.borrow_mut().clear();
        self.refusing.borrow_mut().clear();
        self.changed.notify_waiters();
    }

    /// Nobody can connect to a host, or can again.
    pub fn refuse(&self, host: HostId, refuses: bool) {
        let mut refusing = self.refusing.borrow_mut();
        if refuses {
            refusing.push(host);
        } else if let Some(index) = refusing.iter().position(|known| *known == host) {
            refusing.remove(index);
        }
        drop(refusing);
        self.changed.notify_waiters();
    }

    /// Whether nobody can connect to a host.
    pub(crate) fn refuses(&self, host: HostId) -> bool {
        self.refusing.borrow().contains(&host)
    }

    /// Comes back when something has changed.
    pub async fn change(&self) {
        self.changed.notified().await;
    }

    /// Open connections on some paths are reset.
    pub fn reset(&self, paths: &[(HostId, HostId)]) {
        for link in self.links.borrow().iter() {
            if paths.contains(&link.ends) {
                link.reset.notify_one();
            }
        }
    }

    /// A connection is open from here on.
    pub fn open(&self, from: HostId, to: HostId) -> Held<'_> {
        let number = self.number();
        let reset = Rc::new(Notify::new());
        self.links.borrow_mut().push(Link {
            number,
            ends: (from, to),
            reset: reset.clone(),
        });
        Held {
            paths: self,
            number,
            reset,
        }
    }

    /// Whether what is sent now waits until a fault is over. What a cut path loses is sent again
    /// by TCP until it is mended, so for bytes a cut is a wait as well.
    pub fn held(&self, from: HostId, to: HostId, way: Direction) -> bool {
        self.faults.borrow().iter().any(|fault| {
            let hits = match fault.what {
                PathFault::Cut(only) | PathFault::Clog(only) => only.is_none_or(|only| only == way),
                PathFault::Spike(_) | PathFault::Loss(_) => false,
            };
            hits && fault.paths.contains(&(from, to))
        })
    }

    /// Comes back when nothing holds this direction.
    pub async fn clear(&self, from: HostId, to: HostId, way: Direction) {
        loop {
            let change = self.changed.notified();
            if !self.held(from, to, way) {
                return;
            }
            change.await;
        }
    }

    /// How much longer than usual a direction takes now.
    pub fn delay(&self, plan: &Plan, from: HostId, to: HostId, way: Direction) -> time::Duration {
        let faults = self.faults.borrow();
        let spikes = faults.iter().filter_map(|fault| match fault.what {
            PathFault::Spike(extra) if fault.paths.contains(&(from, to)) => Some(extra),
            PathFault::Spike(_) | PathFault::Cut(_) | PathFault::Clog(_) | PathFault::Loss(_) => {
                None
            }
        });
        let extra: time::Duration = spikes.map(duration).sum();
        usual(plan, from, to, way) + extra
    }
}

/// The delay that the scenario gives a direction of a path. One that is drawn is left to the
/// machine: all servers are on one.
fn usual(plan: &Plan, from: HostId, to: HostId, way: Direction) -> time::Duration {
    let mut paths = plan.network.paths.iter().rev();
    let path = paths.find(|path| plan.selects(path.from, from) && plan.selects(path.to, to));
    let Some(path) = path else {
        return time::Duration::ZERO;
    };
    let profile = match way {
        Direction::Forward => path.forward,
        Direction::Backward => path.backward,
    };
    match plan.network.profiles[profile].latency {
        Distribution::Constant(span) => duration(span),
        Distribution::Uniform { .. } | Distribution::Table(_) => time::Duration::ZERO,
    }
}

/// The ordered pairs of hosts that a set of paths means.
pub fn meant(plan: &Plan, paths: Meant) -> Vec<(HostId, HostId)> {
    let Meant {
        from,
        to,
        both_ways,
    } = paths;
    let mut meant = Vec::new();
    for host in (0..plan.hosts()).map(HostId) {
        for server in (0..plan.servers()).map(HostId) {
            let named = plan.selects(from, host) && plan.selects(to, server);
            let turned = both_ways && plan.selects(to, host) && plan.selects(from, server);
            if host != server && (named || turned) {
                meant.push((host, server));
            }
        }
    }
    meant
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDS: (HostId, HostId) = (HostId(0), HostId(1));

    #[test]
    fn a_clog_holds_its_direction_until_it_is_over() {
        let paths = Paths::default();
        let clog = paths.spoil(vec![ENDS], PathFault::Clog(Some(Direction::Forward)));
        let second = paths.spoil(vec![ENDS], PathFault::Cut(None));
        assert!(paths.held(ENDS.0, ENDS.1, Direction::Backward));
        paths.mend(second);
        assert!(paths.held(ENDS.0, ENDS.1, Direction::Forward));
        assert!(!paths.held(ENDS.0, ENDS.1, Direction::Backward));
        assert!(!paths.held(ENDS.1, ENDS.0, Direction::Forward));
        paths.mend(clog);
        assert!(!paths.held(ENDS.0, ENDS.1, Direction::Forward));
    }

    #[test]
    fn refusals_are_counted() {
        let paths = Paths::default();
        paths.refuse(HostId(1), true);
        paths.refuse(HostId(1), true);
        paths.refuse(HostId(1), false);
        assert!(paths.refuses(HostId(1)));
        paths.refuse(HostId(1), false);
        assert!(!paths.refuses(HostId(1)));
    }
}
