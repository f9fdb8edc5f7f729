//! Paths: who can connect to whom, the properties of the path, and its current faults.
//!
//! Paths are dense (every host to every server), so a path holds only what every path needs.
//! Faults live in a side table with an entry per path that has had one in this run; entry zero
//! means no fault.

use super::timers::losses;
use super::types::{Direction, HostId, PathProfile};
use rebound_engine::{Chooser, Duration, Odds, StreamId};

/// The place of no connection.
pub(super) const NONE: u32 = u32::MAX;

/// An ordered pair of hosts.
#[derive(Clone)]
pub(super) struct Path {
    /// Each direction's stream of delays, once something has been sent.
    latencies: [Option<StreamId>; 2],
    /// Each direction's stream of losses, once something could have been lost.
    losses: [Option<StreamId>; 2],
    /// Each direction's profile.
    profiles: [u16; 2],
    /// Its entry in the table of faults.
    faults: u32,
    /// The first of its connections, in the order in which they were opened.
    pub first: u32,
    /// The last of them.
    pub last: u32,
}

/// What is wrong with a path.
#[derive(Copy, Clone)]
pub(super) struct PathFaults {
    path: u32,
    /// Cuts of each direction that are in force.
    pub cuts: [u32; 2],
    /// Clogs of each direction that are in force.
    pub clogs: [u32; 2],
    /// Additional one-way delay.
    pub extra: Duration,
    /// Odds of loss that override the profile's.
    pub loss: Option<Odds>,
}

impl PathFaults {
    fn none(path: u32) -> PathFaults {
        PathFaults {
            path,
            cuts: [0; 2],
            clogs: [0; 2],
            extra: Duration::ZERO,
            loss: None,
        }
    }

    /// Whether this direction is cut.
    pub fn is_cut(&self, direction: Direction) -> bool {
        self.cuts[direction.place()] > 0
    }

    /// Whether this direction is clogged.
    pub(crate) fn is_clogged(&self, direction: Direction) -> bool {
        self.clogs[direction.place()] > 0
    }
}

/// The random fate of a segment.
#[derive(Copy, Clone)]
pub(super) struct Fate {
    /// Its one-way delay, each time it is sent.
    pub latency: Duration,
    /// How many times in a row it is lost.
    pub losses: u32,
}

/// All paths.
pub(super) struct Paths {
    names: Vec<String>,
    servers: u32,
    profiles: Vec<PathProfile>,
    paths: Vec<Path>,
    faults: Vec<PathFaults>,
}

impl Paths {
    /// The paths from each of `names` to each of the first `servers`. Streams between servers
    /// are registered at once, those of clients when they are first used.
    pub fn new(
        names: &[String],
        servers: u32,
        profiles: Vec<PathProfile>,
        chooser: &mut Chooser,
    ) -> Paths {
        assert!(!profiles.is_empty(), "a network needs a profile");
        assert!(servers as usize <= names.len(), "servers are hosts");
        let path = Path {
            latencies: [None; 2],
            losses: [None; 2],
            profiles: [0; 2],
            faults: 0,
            first: NONE,
            last: NONE,
        };
        let mut paths = Paths {
            paths: vec![path; names.len() * servers as usize],
            names: names.to_vec(),
            servers,
            profiles,
            faults: vec![PathFaults::none(NONE)],
        };
        for path in 0..servers * servers {
            for direction in Direction::BOTH {
                paths.register(path, direction, chooser);
            }
        }
        paths
    }

    /// How many hosts accept connections.
    pub fn servers(&self) -> u32 {
        self.servers
    }

    /// How many hosts there are.
    pub fn hosts(&self) -> u32 {
        self.names.len() as u32
    }

    /// The place of the path between two hosts.
    pub fn index(&self, from: HostId, to: HostId) -> u32 {
        assert!(
            to.0 < self.servers && from.0 < self.hosts(),
            "no path from host {} to host {}",
            from.0,
            to.0
        );
        from.0 * self.servers + to.0
    }

    /// A path.
    pub fn path(&self, path: u32) -> &Path {
        &self.paths[path as usize]
    }

    /// A path, to change it.
    pub(crate) fn path_mut(&mut self, path: u32) -> &mut Path {
        &mut self.paths[path as usize]
    }

    /// Gives a path its profiles.
    pub fn assign(&mut self, path: u32, forward: usize, backward: usize) {
        assert!(
            forward.max(backward) < self.profiles.len(),
            "no such profile"
        );
        self.paths[path as usize].profiles = [forward, backward]
            .map(|profile| u16::try_from(profile).expect("fewer than 65,536 profiles"));
    }

    /// What is wrong with a path.
    #[inline]
    pub fn faults(&self, path: u32) -> &PathFaults {
        &self.faults[self.paths[path as usize].faults as usize]
    }

    /// The faults of a path, mutable.
    pub(crate) fn faults_mut(&mut self, path: u32) -> &mut PathFaults {
        let entry = &mut self.paths[path as usize].faults;
        if *entry == 0 {
            *entry = self.faults.len() as u32;
            self.faults.push(PathFaults::none(path));
        }
        &mut self.faults[*entry as usize]
    }

    /// Forgets all faults.
    pub fn heal(&mut self) {
        for faults in self.faults.drain(1..) {
            self.paths[faults.path as usize].faults = 0;
        }
    }

    /// Draws the fate of a segment. Delays and losses are drawn from streams of their own,
    /// and losses only while there are any, so that a fault does not change any delay.
    #[inline(always)]
    pub fn draw(&mut self, path: u32, direction: Direction, chooser: &mut Chooser) -> Fate {
        let place = direction.place();
        let own = &self.paths[path as usize];
        let stream = match own.latencies[place] {
            Some(stream) => stream,
            None => self.register(path, direction, chooser),
        };
        let own = &self.paths[path as usize];
        let profile = &self.profiles[own.profiles[place] as usize];
        let faults = &self.faults[own.faults as usize];
        let latency = profile.latency.sample(chooser.quantile(stream)) + faults.extra;
        let odds = faults.loss.unwrap_or(profile.loss);
        let losses = if odds == Odds::NEVER {
            0
        } else {
            self.draw_losses(path, direction, odds, chooser)
        };
        Fate { latency, losses }
    }

    #[inline(never)]
    fn draw_losses(
        &mut self,
        path: u32,
        direction: Direction,
        odds: Odds,
        chooser: &mut Chooser,
    ) -> u32 {
        let place = direction.place();
        let stream = self.paths[path as usize].losses[place].unwrap_or_else(|| {
            let name = self.stream_name(path, direction) + "/loss";
            chooser.stream(name)
        });
        self.paths[path as usize].losses[place] = Some(stream);
        losses(chooser.quantile(stream), odds)
    }

    #[cold]
    fn register(&mut self, path: u32, direction: Direction, chooser: &mut Chooser) -> StreamId {
        let stream = chooser.stream(self.stream_name(path, direction));
        self.paths[path as usize].latencies[direction.place()] = Some(stream);
        stream
    }

    fn stream_name(&self, path: u32, direction: Direction) -> String {
        let from = &self.names[(path / self.servers) as usize];
        let to = &self.names[(path % self.servers) as usize];
        let way = match direction {
            Direction::Forward => "forward",
            Direction::Backward => "backward",
        };
        format!("net/{from}>{to}/{way}")
    }
}
