//! Two hosts ping each other over TCP while one segment in ten is lost: every ping arrives, some
//! of them 200 ms late, after a retransmission. The same seed always gives the same run.

use rebound_engine::{
    Agenda, Distribution, Duration, Limits, Odds, Phase, Stop, TieBreak, Time, World,
};
use rebound_net::{Arrival, HostId, More, NetEvent, Network, Notice, PathProfile, Side, TcpTimers};

const SERVER: HostId = HostId(0);
const CLIENT: HostId = HostId(1);
const PINGS: u32 = 100;

#[derive(Copy, Clone)]
struct Event(NetEvent);

impl From<NetEvent> for Event {
    fn from(event: NetEvent) -> Event {
        Event(event)
    }
}

struct Hosts {
    network: Network<u32>,
    last: u32,
    late: u32,
}

impl World for Hosts {
    type Event = Event;

    fn handle(&mut self, Event(event): Event, agenda: &mut Agenda<Event>) {
        let now = agenda.now();
        match self.network.handle(agenda, event) {
            // The client begins once it is connected.
            Some(Notice::Connected(conn)) => {
                self.network.send(agenda, now, conn, Side::Initiator, 1);
            }
            Some(Notice::Arrivals(conn, side)) => {
                while let Some((arrival, more)) = self.network.take(agenda, conn, side) {
                    if let Arrival::Message { sent_at, message } = arrival {
                        self.last = message;
                        self.late += u32::from(now.since(sent_at) > Duration::millis(100));
                        self.network.send(agenda, now, conn, side, message + 1);
                    }
                    if more == More::No {
                        break;
                    }
                }
            }
            Some(Notice::Accepted(_)) | None => {}
            Some(Notice::ConnectFailed(_, why)) => panic!("no connection: {why:?}"),
        }
    }

    fn enter(&mut self, _: Phase, _: &mut Agenda<Event>) {}

    fn settled(&self) -> bool {
        self.last >= PINGS
    }

    fn backlog(&self) -> u64 {
        self.network.in_flight()
    }
}

fn run(seed: u64) -> (Stop, Time, u32) {
    let mut agenda = Agenda::new(TieBreak::Fifo);
    let line = PathProfile {
        latency: Distribution::Constant(Duration::millis(1)),
        loss: Odds::per_million(100_000),
    };
    let names = ["server", "client"].map(String::from);
    let tcp = TcpTimers::default();
    let network = Network::new(&names, 1, vec![line], tcp, &mut agenda.chooser);
    agenda.reset(seed);
    let mut hosts = Hosts {
        network,
        last: 0,
        late: 0,
    };
    hosts
        .network
        .connect(&mut agenda, Time::ZERO, CLIENT, SERVER, 0);
    let limits = Limits {
        heal_at: Time::ZERO,
        load_until: Time::ZERO,
        deadline: Time::ZERO + Duration::secs(600),
        max_events: 1_000_000,
        max_backlog: 1_000,
    };
    let stop = agenda.run(&mut hosts, &limits);
    (stop, agenda.now(), hosts.late)
}

fn main() {
    for seed in 1..=3 {
        let (stop, end, late) = run(seed);
        assert_eq!(stop, Stop::Settled);
        assert_eq!(run(seed), (stop, end, late), "a seed is a run");
        println!("seed {seed}: {PINGS} pings by {end}, {late} of them retransmitted");
    }
}
