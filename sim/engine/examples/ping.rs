//! Two peers ping each other over a line that loses one message in ten, until one of them has
//! heard a hundred pings. The same seed always gives the same run.

use rebound_engine::{
    Agenda, Distribution, Duration, Limits, Odds, Phase, Stop, StreamId, TieBreak, Time, World,
};

#[derive(Copy, Clone)]
enum Event {
    /// The ping reaches a peer.
    Arrives { at: usize },
    /// A peer has waited long enough for an answer to its last ping.
    Timeout { at: usize, sent: u64 },
}

struct Peers {
    latency: Distribution,
    lost: StreamId,
    delay: StreamId,
    heard: [u64; 2],
    sent: [u64; 2],
    lost_pings: u64,
}

impl Peers {
    fn ping(&mut self, from: usize, agenda: &mut Agenda<Event>) {
        self.sent[from] += 1;
        let now = agenda.now();
        // Both questions are always asked, so that other odds move no other answer.
        let delay = self.latency.sample(agenda.chooser.quantile(self.delay));
        if agenda
            .chooser
            .happens(self.lost, Odds::per_million(100_000))
        {
            self.lost_pings += 1;
        } else {
            agenda.schedule(now + delay, Event::Arrives { at: 1 - from });
        }
        let sent = self.sent[from];
        agenda.schedule(
            now + Duration::millis(50),
            Event::Timeout { at: from, sent },
        );
    }
}

impl World for Peers {
    type Event = Event;

    fn handle(&mut self, event: Event, agenda: &mut Agenda<Event>) {
        match event {
            Event::Arrives { at } => {
                self.heard[at] += 1;
                self.ping(at, agenda);
            }
            // Nothing was sent since, so no answer came.
            Event::Timeout { at, sent } if sent == self.sent[at] => self.ping(at, agenda),
            Event::Timeout { .. } => {}
        }
    }

    fn enter(&mut self, _: Phase, _: &mut Agenda<Event>) {}

    fn settled(&self) -> bool {
        self.heard.iter().any(|heard| *heard >= 100)
    }

    fn backlog(&self) -> u64 {
        0
    }
}

fn run(seed: u64) -> (Stop, Time, [u64; 2], u64) {
    let mut agenda = Agenda::new(TieBreak::Fifo);
    let mut peers = Peers {
        latency: Distribution::Uniform {
            low: Duration::micros(100),
            high: Duration::micros(900),
        },
        lost: agenda.chooser.stream("line/lost"),
        delay: agenda.chooser.stream("line/delay"),
        heard: [0; 2],
        sent: [0; 2],
        lost_pings: 0,
    };
    agenda.reset(seed);
    peers.ping(0, &mut agenda);
    let limits = Limits {
        heal_at: Time::ZERO,
        load_until: Time::ZERO,
        deadline: Time::ZERO + Duration::secs(60),
        max_events: 1_000_000,
        max_backlog: 1_000,
    };
    let stop = agenda.run(&mut peers, &limits);
    (stop, agenda.now(), peers.heard, peers.lost_pings)
}

fn main() {
    for seed in 1..=3 {
        let (stop, end, heard, lost) = run(seed);
        assert_eq!(stop, Stop::Settled);
        assert_eq!(run(seed), (stop, end, heard, lost), "a seed is a run");
        println!("seed {seed}: over at {end}, {heard:?} pings heard, {lost} lost");
    }
}
