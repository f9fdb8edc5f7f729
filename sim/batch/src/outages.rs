//! Each client's outages, of reads and of writes, found in a run's records.

use super::outage::{Kind, Outage};
use rebound_engine::Time;
use rebound_net::{HostId, Note as NetNote};
use rebound_sim::client::{ClientId, CommandOutcome, Note as ClientNote};
use rebound_sim::scenario::Plan;
use rebound_sim::trace::{Event, Record};
use rebound_sim::valkey::{GateVerdict, Note as NodeNote};

/// The outages of a run's clients.
#[derive(Debug)]
pub(crate) struct Outages {
    /// The host of the first client: behind the nodes, and their ends of the cluster bus.
    first_client: HostId,
    clients: Vec<[Outage; 2]>,
}

impl Outages {
    /// For a run of this plan.
    pub fn new(plan: &Plan) -> Outages {
        Outages {
            first_client: plan.client_host(ClientId(0)),
            clients: vec![[Outage::default(); 2]; plan.clients() as usize],
        }
    }

    /// Each client's longest outage of this kind in the run, which has ended.
    pub fn longest(&self, kind: Kind, end: Time) -> impl Iterator<Item = u64> {
        let longest = move |client: &[Outage; 2]| client[kind as usize].longest(end).as_nanos();
        self.clients.iter().map(longest)
    }

    /// Whether a host is a client's.
    pub(crate) fn is_client(&self, host: HostId) -> bool {
        self.place(host).is_some()
    }

    fn place(&self, host: HostId) -> Option<usize> {
        let place = host.0.checked_sub(self.first_client.0)? as usize;
        (place < self.clients.len()).then_some(place)
    }

    fn disconnected(&mut self, host: HostId, now: Time) {
        if let Some(place) = self.place(host) {
            for outage in &mut self.clients[place] {
                outage.disconnected(now);
            }
        }
    }

    /// Takes note of a record.
    #[inline]
    pub fn observe(&mut self, record: &Record) {
        let now = record.at;
        match record.event {
            Event::Client(client, ClientNote::Issued { kind, .. }) => {
                self.clients[client.0 as usize][Kind::of(kind) as usize].issued();
            }
            Event::Client(
                client,
                ClientNote::Hop { kind, .. } | ClientNote::Ignored { kind, .. },
            ) => {
                self.clients[client.0 as usize][Kind::of(kind) as usize].refused(now);
            }
            Event::Client(client, ClientNote::Ended { kind, outcome, .. }) => {
                let served = outcome == CommandOutcome::Served;
                self.clients[client.0 as usize][Kind::of(kind) as usize].ended(now, served);
            }
            Event::Node(
                _,
                NodeNote::Gate {
                    peer,
                    command,
                    verdict: GateVerdict::Postponed(_),
                    ..
                },
            ) => {
                if let Some(place) = self.place(peer) {
                    self.clients[place][Kind::of(command) as usize].refused(now);
                }
            }
            Event::Net(NetNote::Closed { to, .. }) => self.disconnected(to, now),
            Event::Net(NetNote::ConnectFailed { from, .. }) => self.disconnected(from, now),
            Event::Node(
                _,
                NodeNote::Gate { .. }
                | NodeNote::Released { .. }
                | NodeNote::Role { .. }
                | NodeNote::Failover { .. }
                | NodeNote::Operator { .. }
                | NodeNote::Cluster(_),
            )
            | Event::Client(_, ClientNote::Element { .. })
            | Event::Fault { .. }
            | Event::Net(
                NetNote::Dialled { .. } | NetNote::Connected { .. } | NetNote::Delivered { .. },
            )
            | Event::Sentinel { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rebound_sim::scenario::parse;
    use rebound_sim::valkey::{Belief, CommandKind, Gate, NodeId};

    /// Between a cluster's nodes and its clients are the ends of the bus.
    #[test]
    fn a_command_that_waits_in_a_cluster_is_its_own_clients() {
        let text = r#"{
            "name": "test", "cluster": {},
            "nodes": [{"name": "a"}, {"name": "b"}, {"name": "c"}],
            "clients": [{"name": "app", "count": 5, "policy": "warm-cluster"}]
        }"#;
        let plan = parse(text, "test.json").expect("right");
        for waiting in 0..5 {
            let mut outages = Outages::new(&plan);
            outages.observe(&Record {
                at: Time(1_000),
                event: Event::Node(
                    NodeId(0),
                    NodeNote::Gate {
                        peer: plan.client_host(ClientId(waiting)),
                        number: Some(0),
                        command: CommandKind::Set,
                        verdict: GateVerdict::Postponed(Gate::ClientPause),
                        belief: Belief::default(),
                    },
                ),
            });
            let longest: Vec<u64> = outages.longest(Kind::Write, Time(5_000)).collect();
            let expected = (0..5).map(|place| if place == waiting { 4_000 } else { 0 });
            assert_eq!(longest, expected.collect::<Vec<u64>>(), "{waiting}");
        }
    }
}
