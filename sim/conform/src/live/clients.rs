//! The model's own clients, driven over real connections: their requests become RESP, and what
//! comes back becomes their inputs.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::answer::{Resp, answer};
use rebound_engine::{Chooser, Duration, StreamId, Time};
use rebound_net::{ConnId, ConnectFailure, Note as NetNote};
use rebound_sim::client::{
    Client, ClientId, ClientSpec, ConnSlot, Context, Effect, Input, Note as ClientNote,
};
use rebound_sim::scenario::request::request;
use rebound_sim::trace::Event;
use rebound_sim::valkey::{
    Addr, ClientGuard, Command, NodeId, Reply, Request, Tag, Topologies, WriteId,
};
use rebound_sim::world::client_specs;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;

use super::connection::connect;
use super::ops::Ops;
use super::stage::Stage;
use super::wire::encode;

/// One of a client's connections.
struct Wire {
    number: u32,
    to: NodeId,
    out: UnboundedSender<Vec<u8>>,
    task: AbortHandle,
    /// Requests that have no reply yet, oldest first.
    open: std::collections::VecDeque<Request>,
}

/// A client and what connects it with the world.
struct Port {
    client: Client,
    group: usize,
    wires: BTreeMap<u32, Wire>,
    workload: StreamId,
    policy: StreamId,
    arrival: StreamId,
}

/// What all clients share.
struct Shared {
    ports: Vec<Port>,
    chooser: Chooser,
    next_write: WriteId,
    topologies: Topologies,
    connections: u32,
    ops: Ops,
    open: u64,
}

/// All clients of a run.
pub struct Clients {
    stage: Rc<Stage>,
    specs: Vec<ClientSpec>,
    shared: RefCell<Shared>,
}

impl Clients {
    /// The clients of the stage's plan. Chance is that of the model's run with this seed.
    pub fn new(stage: Rc<Stage>, seed: u64) -> Rc<Clients> {
        let plan = stage.plan.clone();
        let specs = client_specs(&plan, ClientGuard::AsLibrary);
        let mut chooser = Chooser::default();
        let ports = (0..plan.clients()).map(|number| {
            let (group, _place) = plan.group_of(number);
            let name = plan.client_name(ClientId(number));
            let mut client = Client::new(ClientId(number));
            client.reset(plan.start_of(ClientId(number)));
            Port {
                client,
                group,
                wires: BTreeMap::new(),
                workload: chooser.stream(format!("client/{name}/workload")),
                policy: chooser.stream(format!("client/{name}/policy")),
                arrival: chooser.stream(format!("client/{name}/arrival")),
            }
        });
        let ports = ports.collect();
        chooser.reset(seed);
        Rc::new(Clients {
            specs,
            shared: RefCell::new(Shared {
                ports,
                chooser,
                next_write: WriteId(0),
                topologies: Topologies::default(),
                connections: 0,
                ops: Ops::new(&stage.plan),
                open: 0,
            }),
            stage,
        })
    }

    /// Lets each client begin at its time.
    pub fn begin(self: &Rc<Clients>) {
        let count = self.shared.borrow().ports.len() as u32;
        for number in 0..count {
            let at = {
                let shared = &mut *self.shared.borrow_mut();
                let port = &shared.ports[number as usize];
                let (from, to) = self.stage.plan.groups[port.group].arrive;
                from + Duration(shared.chooser.below(port.arrival, to.since(from).0 + 1))
            };
            self.wake_at(ClientId(number), at, Input::Start);
        }
    }

    /// No new work is to be begun.
    pub fn drain(self: &Rc<Clients>) {
        let count = self.shared.borrow().ports.len() as u32;
        for number in 0..count {
            self.input(ClientId(number), Input::Drain, None);
        }
    }

    /// Commands that have been issued and have no end.
    pub fn open_commands(&self) -> u64 {
        self.shared.borrow().open
    }

    /// What a client's oldest command waits for, in words.
    pub fn waits(&self, client: ClientId) -> String {
        let shared = self.shared.borrow();
        let oldest = shared.ports[client.0 as usize].client.oldest_open();
        let reason = |pending: rebound_sim::client::Pending| {
            pending.reason(self.stage.now(), &self.stage.plan.addresses)
        };
        oldest.map_or_else(|| "has ended".to_owned(), reason)
    }

    fn wake_at(self: &Rc<Clients>, id: ClientId, at: Time, input: Input) {
        let due = self.stage.instant(at);
        let clients = self.clone();
        tokio::task::spawn_local(async move {
            tokio::time::sleep_until(due.into()).await;
            clients.input(id, input, None);
        });
    }

    /// Hands a client an input and does what it wants done. `last` is the real reply that the
    /// input is about.
    pub fn input(self: &Rc<Clients>, id: ClientId, input: Input, last: Option<&Resp>) {
        let now = self.stage.now();
        let mut effects = Vec::new();
        {
            let shared = &mut *self.shared.borrow_mut();
            let port = &mut shared.ports[id.0 as usize];
            let mut context = Context {
                now,
                chooser: &mut shared.chooser,
                workload_stream: port.workload,
                policy_stream: port.policy,
                next_write: &mut shared.next_write,
                addresses: &self.stage.plan.addresses,
                topologies: &shared.topologies,
                effects: &mut effects,
            };
            port.client
                .handle(&self.specs[port.group], input, &mut context);
        }
        for effect in effects {
            match effect {
                Effect::Dial(slot, addr) => self.dial(id, slot, addr),
                Effect::Send(slot, request) => self.send(id, slot, request),
                Effect::Close(slot) => {
                    if let Some(wire) = self.forget(id, slot) {
                        wire.task.abort();
                    }
                }
                Effect::WakeAt(at) => self.wake_at(id, at, Input::Wake),
                Effect::Note(note) => self.trace(id, now, Event::Client(id, note), last),
            }
        }
    }

    fn trace(&self, id: ClientId, now: Time, event: Event, last: Option<&Resp>) {
        let shared = &mut *self.shared.borrow_mut();
        if let Event::Client(_, ClientNote::Issued { .. }) = event {
            shared.open += 1;
        } else if let Event::Client(_, ClientNote::Ended { .. }) = event {
            shared.open -= 1;
        }
        let policy = &self.stage.plan.groups[shared.ports[id.0 as usize].group].policy;
        shared.ops.note(&self.stage, policy, now, &event, last);
        self.stage.record(now, event);
    }

    fn dial(self: &Rc<Clients>, id: ClientId, slot: ConnSlot, addr: Addr) {
        let Some(to) = self.stage.plan.addresses.node(addr) else {
            // As in the model: a name that does not resolve is told at once, after this.
            let clients = self.clone();
            tokio::task::spawn_local(async move {
                let failed = Input::ConnectFailed(slot, ConnectFailure::TimedOut);
                clients.input(id, failed, None);
            });
            return;
        };
        let (out, from_client) = tokio::sync::mpsc::unbounded_channel();
        let number = {
            let mut shared = self.shared.borrow_mut();
            shared.connections += 1;
            shared.connections
        };
        let (conn, from) = (conn_id(number), self.stage.plan.client_host(id));
        let event = Event::Net(NetNote::Dialled {
            conn,
            from,
            to: self.stage.host(to),
        });
        self.stage.record(self.stage.now(), event);
        let task = connect(
            self.clone(),
            self.stage.clone(),
            (id, slot, number),
            to,
            from_client,
        );
        let task = tokio::task::spawn_local(task).abort_handle();
        let wire = Wire {
            number,
            to,
            out,
            task,
            open: std::collections::VecDeque::new(),
        };
        self.shared.borrow_mut().ports[id.0 as usize]
            .wires
            .insert(slot.0, wire);
    }

    fn send(&self, id: ClientId, slot: ConnSlot, asked: Request) {
        let shared = &mut *self.shared.borrow_mut();
        let Some(wire) = shared.ports[id.0 as usize].wires.get_mut(&slot.0) else {
            return;
        };
        match request(asked.command, |addr| self.stage.real_address(addr)) {
            Ok(words) => {
                shared.ops.sent(id, wire.to, &words);
                wire.open.push_back(asked);
                // The end of a connection is reported separately.
                let _ = wire.out.send(encode(&words));
            }
            Err(why) => {
                let name = asked.command.kind().name();
                self.stage
                    .fail(format!("a client says {name}: {}", why.reason()));
            }
        }
    }

    fn forget(&self, id: ClientId, slot: ConnSlot) -> Option<Wire> {
        self.shared.borrow_mut().ports[id.0 as usize]
            .wires
            .remove(&slot.0)
    }

    /// Whether a connection is still the one in its slot.
    fn is_current(&self, (id, slot, number): Place) -> bool {
        let shared = self.shared.borrow();
        let wire = shared.ports[id.0 as usize].wires.get(&slot.0);
        wire.is_some_and(|wire| wire.number == number)
    }

    /// A connection is over, or never came about.
    pub fn over(self: &Rc<Clients>, place: Place, input: Input) {
        if self.is_current(place) {
            self.forget(place.0, place.1);
            self.input(place.0, input, None);
        }
    }

    /// A connection is open.
    pub fn open(self: &Rc<Clients>, place: Place) {
        if self.is_current(place) {
            self.input(place.0, Input::Connected(place.1), None);
        }
    }

    /// A reply has come on a connection.
    pub fn reply(self: &Rc<Clients>, place: Place, reply: &Resp) {
        if !self.is_current(place) {
            return;
        }
        let (id, slot, _) = place;
        let pushed = matches!(reply, Resp::Array(items) if items.len() == 3
            && items.first().and_then(Resp::text).as_deref() == Some("message"));
        let (asked, to) = {
            let mut shared = self.shared.borrow_mut();
            let Some(wire) = shared.ports[id.0 as usize].wires.get_mut(&slot.0) else {
                return;
            };
            let asked = if pushed { None } else { wire.open.pop_front() };
            (asked, wire.to)
        };
        let asked = match (asked, pushed) {
            (Some(asked), _) => asked,
            // The mark that the model's servers put on what nobody asked for.
            (None, true) => Request {
                tag: Tag::PUSHED,
                command: Command::Ping,
            },
            (None, false) => {
                let what = format!("says {} unasked", reply.json());
                self.unknown(id, what);
                return;
            }
        };
        let belief = self.stage.node(to).belief.get();
        let known = answer(asked.command.kind(), reply, belief, |host, port| {
            self.stage.plan_address(host, port)
        });
        match known {
            Ok(known) => self.input(id, Input::Reply(slot, asked.tag, known), Some(reply)),
            Err(unknown) => {
                self.unknown(
                    id,
                    format!("{} is answered {}", asked.command.kind().name(), unknown.0),
                );
                // It must get some answer, or it waits forever.
                self.input(id, Input::Reply(slot, asked.tag, Reply::Nil), Some(reply));
            }
        }
    }

    fn unknown(&self, id: ClientId, what: String) {
        let name = self.stage.plan.client_name(id);
        let note = (self.stage.now(), format!("{name}: {what}"));
        self.stage.unknown.borrow_mut().push(note);
    }
}

/// Whose connection, in which slot, and its number.
pub type Place = (ClientId, ConnSlot, u32);

/// A connection's id in records.
pub(crate) fn conn_id(number: u32) -> ConnId {
    ConnId {
        index: number,
        generation: 0,
    }
}
