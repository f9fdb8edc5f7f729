//! From a plan to a world, and from a world that has run to one that can run again.

use std::sync::Arc;

use super::bus::Bus;
use super::clients::ClientPort;
use super::faults::stream_name;
use super::nodes::Node;
use super::sentinel::SentinelPort;
use super::{Event, Pending, Recorder, Session, State};
use crate::check::Checks;
use crate::client::{Backoff, Client, ClientId, ClientSpec};
use crate::scenario::{Plan, SENTINEL};
use crate::trace::Sink;
use crate::valkey::{
    Behaviour, ClientGuard, ClusterSpec, ElementLog, NodeId, Packets, Server, Snapshots,
    Topologies, WriteId,
};
use rebound_engine::{Chooser, Duration, Time};
use rebound_net::{HostId, Network};

/// What the clients of each group of a plan are like, in the plan's order.
pub fn client_specs(plan: &Plan, guard: ClientGuard) -> Vec<ClientSpec> {
    let key_space = plan.groups.iter().map(|group| group.workload.keys).max();
    let specs = plan.groups.iter().map(|group| {
        let mut policy = group.policy.clone();
        match guard {
            ClientGuard::AsLibrary => {}
            ClientGuard::Everywhere => {
                policy.bounce_guard.get_or_insert(Backoff::GUARD);
            }
        }
        let spec = ClientSpec::new(policy, group.workload.clone(), plan.nodes.len() as u16)
            .expect("the plan's workloads have been validated")
            .sharing_keys(key_space.unwrap_or(1));
        match &plan.cluster {
            None => spec,
            Some(cluster) => spec
                .in_cluster(cluster.keys_per_tag)
                .expect("the plan's clients fit to its cluster"),
        }
    });
    specs.collect()
}

/// What the nodes of a plan's cluster agree on at the start.
fn cluster_spec(plan: &Plan) -> Option<Arc<ClusterSpec>> {
    let cluster = plan.cluster.as_ref()?;
    Some(Arc::new(ClusterSpec {
        slots: cluster.slots.clone(),
        replica_of: plan.nodes.iter().map(|node| node.replica_of).collect(),
        keys_per_tag: cluster.keys_per_tag,
    }))
}

/// A client before its start, with its streams.
fn client_port(plan: &Plan, client: ClientId, chooser: &mut Chooser) -> ClientPort {
    let name = plan.client_name(client);
    let mut stream = |what: &str| chooser.stream(format!("client/{name}/{what}"));
    ClientPort {
        client: Client::new(client),
        group: plan.group_of(client.0).0,
        start: plan.start_of(client),
        slots: Vec::new(),
        workload: stream("workload"),
        policy: stream("policy"),
        arrival: stream("arrival"),
    }
}

impl State {
    /// Builds the world of a plan, in which nodes follow `behaviour` unless the plan binds them
    /// to another. Every stream of chance is named after what it decides.
    pub(super) fn new(
        plan: Arc<Plan>,
        behaviour: &'static Behaviour,
        chooser: &mut Chooser,
    ) -> State {
        let node_names = plan.nodes.iter().map(|node| node.name.clone());
        let client_names = (0..plan.clients()).map(|client| plan.client_name(ClientId(client)));
        let sentinel_name = plan.sentinel.iter().map(|_| SENTINEL.to_owned());
        let bus_names = plan
            .buses()
            .map(|node| format!("{}@bus", plan.node_name(node)));
        let names: Vec<String> = node_names
            .chain(bus_names)
            .chain(client_names)
            .chain(sentinel_name)
            .collect();
        let servers = plan.servers();
        let mut net = Network::new(
            &names,
            servers,
            plan.network.profiles.clone(),
            plan.network.tcp,
            chooser,
        );
        for path in &plan.network.paths {
            for from in (0..names.len() as u32).map(HostId) {
                for to in (0..servers).map(HostId) {
                    if from != to && plan.selects(path.from, from) && plan.selects(path.to, to) {
                        net.assign(from, to, path.forward, path.backward);
                    }
                }
            }
        }
        let spec = cluster_spec(&plan);
        let nodes = plan
            .nodes
            .iter()
            .enumerate()
            .map(|(index, node)| Node {
                server: match &spec {
                    Some(spec) => Server::in_cluster(NodeId(index as u16), spec.clone()),
                    None => Server::new(NodeId(index as u16)),
                },
                behaviour: node.behaviour.unwrap_or(behaviour),
                config: node.config.clone(),
                busy_until: Time::ZERO,
                armed: Time::NEVER,
                alive: false,
                stopped: 0,
                slowed: Vec::new(),
                process: 0,
                refusing: 0,
                down: 0,
                slots: Vec::new(),
                link: None,
                bus: plan.cluster.as_ref().map(|_| {
                    let stream = chooser.stream(format!("node/{}/cluster", node.name));
                    Bus::new(plan.nodes.len(), stream)
                }),
                phase: chooser.stream(format!("node/{}/phase", node.name)),
                handover: None,
                operator: Vec::new(),
            })
            .collect();
        let specs = client_specs(&plan, behaviour.client_guard);
        let clients = (0..plan.clients())
            .map(|client| client_port(&plan, ClientId(client), chooser))
            .collect();
        let fault_streams = (0..plan.faults.specs.len())
            .map(|n| chooser.stream(stream_name(n)))
            .collect();
        State {
            behaviour,
            net,
            servers,
            nodes,
            clients,
            specs,
            sentinel: (plan.sentinel.as_ref()).map(|plan| SentinelPort::new(plan, chooser)),
            snapshots: Snapshots::default(),
            elements: ElementLog::default(),
            packets: Packets::default(),
            topologies: Topologies::default(),
            next_write: WriteId(0),
            waiting: Vec::new(),
            active: Vec::new(),
            drawn: Vec::new(),
            fault_streams,
            healed: false,
            recorder: Recorder::new(Checks::new(&plan, |_| true)),
            node_effects: Vec::new(),
            client_effects: Vec::new(),
            sentinel_effects: Vec::new(),
            unresolved: Vec::new(),
            plan,
        }
    }

    /// Prepares for a new run, keeping all memory.
    pub(super) fn reset(&mut self) {
        self.net.reset();
        for (index, node) in self.nodes.iter_mut().enumerate() {
            node.server.reset(self.plan.root_of(NodeId(index as u16)));
            node.busy_until = Time::ZERO;
            node.armed = Time::NEVER;
            node.alive = false;
            node.stopped = 0;
            node.slowed.clear();
            node.process = 0;
            node.refusing = 0;
            node.down = 0;
            node.slots.clear();
            node.link = None;
            if let Some(bus) = &mut node.bus {
                bus.forget();
            }
            node.handover = None;
            node.operator.clear();
        }
        for port in &mut self.clients {
            port.client.reset(port.start);
            port.slots.clear();
        }
        if let Some(port) = &mut self.sentinel {
            port.reset();
        }
        self.snapshots.clear();
        self.elements.clear();
        self.packets.clear();
        self.topologies.clear();
        self.next_write = WriteId(0);
        self.active.clear();
        self.healed = false;
        self.recorder.reset();
    }
}

impl<S: Sink> Session<'_, S> {
    /// Puts the beginning of everything on the agenda.
    pub(super) fn begin(&mut self, agenda: &mut Pending) {
        for node in 0..self.state.nodes.len() as u16 {
            self.boot(NodeId(node), false, agenda);
        }
        for client in 0..self.state.clients.len() as u32 {
            let port = &self.state.clients[client as usize];
            let (from, to) = self.state.plan.groups[port.group].arrive;
            let arrival = port.arrival;
            let at = from + Duration(agenda.chooser.below(arrival, to.since(from).0 + 1));
            agenda.schedule(at, Event::ClientStart(ClientId(client)).into());
        }
        self.start_sentinel(agenda);
        self.plan_timeline(agenda);
        self.plan_faults(agenda);
    }
}
