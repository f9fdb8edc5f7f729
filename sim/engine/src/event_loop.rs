//! The loop that runs a world through virtual time, in two phases and within a budget.

use super::chooser::{Chooser, StreamId};
use super::queue::Queue;
use super::time::Time;

/// What a run simulates. The engine knows nothing else about it.
pub trait World {
    /// A pending event.
    type Event: Copy;

    /// Lets `event` happen.
    fn handle(&mut self, event: Self::Event, agenda: &mut Agenda<Self::Event>);

    /// The run has reached a phase.
    fn enter(&mut self, phase: Phase, agenda: &mut Agenda<Self::Event>);

    /// Whether everything that was started has ended. Asked after each event once the load has
    /// ended, so it must be cheap.
    fn settled(&self) -> bool;

    /// How much memory-bound state has piled up (messages in flight, open connections …), to be
    /// compared with [`Limits::max_backlog`]. Asked now and then.
    fn backlog(&self) -> u64;
}

/// The two turning points of a run.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Faults end and everything heals.
    Healing,
    /// No new work starts; work in progress must end.
    Draining,
}

/// When the phases begin, and what a run may use.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// When [`Phase::Healing`] begins.
    pub heal_at: Time,
    /// When [`Phase::Draining`] begins; not before `heal_at`.
    pub load_until: Time,
    /// When a run that has not settled is stopped: the liveness bound.
    pub deadline: Time,
    /// Events after which the run is stopped as inconclusive.
    pub max_events: u64,
    /// Pending events, and [`World::backlog`], above which the run is stopped as inconclusive.
    pub max_backlog: u64,
}

/// Why a run ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Everything ended.
    Settled,
    /// The liveness bound passed with work unfinished.
    Deadline,
    /// [`Limits::max_events`] was reached.
    EventBudget,
    /// [`Limits::max_backlog`] was reached.
    BacklogBudget,
}

/// How ties at equal times are broken.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum TieBreak {
    /// In the order in which events were scheduled.
    #[default]
    Fifo,
    /// By a draw for each event.
    Seeded,
}

/// Time, randomness and pending events: what a world works with.
pub struct Agenda<E> {
    /// Answers random questions.
    pub chooser: Chooser,
    queue: Queue<E>,
    now: Time,
    events: u64,
    tie_break: TieBreak,
    tie_stream: StreamId,
}

impl<E: Copy> Agenda<E> {
    /// An agenda with nothing on it.
    pub fn new(tie_break: TieBreak) -> Agenda<E> {
        let mut chooser = Chooser::default();
        let tie_stream = chooser.stream("engine/tie");
        Agenda {
            chooser,
            queue: Queue::default(),
            now: Time::ZERO,
            events: 0,
            tie_break,
            tie_stream,
        }
    }

    /// Clears the agenda for a new run with `seed`, keeping its memory and streams.
    pub fn reset(&mut self, seed: u64) {
        self.chooser.reset(seed);
        self.queue.clear();
        self.now = Time::ZERO;
        self.events = 0;
    }

    /// The present.
    #[inline]
    pub fn now(&self) -> Time {
        self.now
    }

    /// Schedules `event` at `at`, or now if that has passed.
    #[inline(always)]
    pub fn schedule(&mut self, at: Time, event: E) {
        let tie = match self.tie_break {
            TieBreak::Fifo => 0,
            TieBreak::Seeded => self.chooser.below(self.tie_stream, 1 << 32) as u32,
        };
        self.queue.push(at.max(self.now), tie, event);
    }

    /// Events that have happened so far in this run.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Runs `world` until it settles or a limit stops it.
    ///
    /// An event at exactly a phase's time happens after the phase has begun. When nothing is
    /// pending any more, time passes to the next phase at once.
    ///
    /// # Panics
    /// If the limits are out of order; the scenario's validation prevents that.
    pub fn run<W: World<Event = E>>(&mut self, world: &mut W, limits: &Limits) -> Stop {
        assert!(limits.heal_at <= limits.load_until && limits.load_until <= limits.deadline);
        for (phase, begins) in [
            (Phase::Healing, limits.heal_at),
            (Phase::Draining, limits.load_until),
        ] {
            if let Some(stop) = self.run_until(world, begins, limits, false) {
                return stop;
            }
            self.now = begins;
            world.enter(phase, self);
        }
        if world.settled() {
            return Stop::Settled;
        }
        self.run_until(world, limits.deadline, limits, true)
            .unwrap_or_else(|| {
                self.now = limits.deadline;
                Stop::Deadline
            })
    }

    /// Runs all events before `end`. `None` if nothing stopped it.
    fn run_until<W: World<Event = E>>(
        &mut self,
        world: &mut W,
        end: Time,
        limits: &Limits,
        draining: bool,
    ) -> Option<Stop> {
        while let Some((at, event)) = self.queue.pop_before(end) {
            debug_assert!(at >= self.now, "time runs forward");
            self.now = at;
            self.events += 1;
            world.handle(event, self);
            if draining && world.settled() {
                return Some(Stop::Settled);
            }
            if self.events >= limits.max_events {
                return Some(Stop::EventBudget);
            }
            if self.events.is_multiple_of(256)
                && self.queue.len() as u64 + world.backlog() > limits.max_backlog
            {
                return Some(Stop::BacklogBudget);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Duration;

    /// Counts down one event per millisecond and notes what happened when.
    #[derive(Default)]
    struct Countdown {
        left: u32,
        log: Vec<(Time, &'static str)>,
        forever: bool,
    }

    impl World for Countdown {
        type Event = ();

        fn handle(&mut self, (): (), agenda: &mut Agenda<()>) {
            self.log.push((agenda.now(), "tick"));
            self.left = self.left.saturating_sub(1);
            if self.left > 0 || self.forever {
                agenda.schedule(agenda.now() + Duration::millis(1), ());
            }
        }

        fn enter(&mut self, phase: Phase, agenda: &mut Agenda<()>) {
            let name = match phase {
                Phase::Healing => "heal",
                Phase::Draining => "drain",
            };
            self.log.push((agenda.now(), name));
        }

        fn settled(&self) -> bool {
            self.left == 0 && !self.forever
        }

        fn backlog(&self) -> u64 {
            0
        }
    }

    fn limits() -> Limits {
        Limits {
            heal_at: Time(1_500_000),
            load_until: Time(3_000_000),
            deadline: Time(10_000_000),
            max_events: 1_000,
            max_backlog: 1_000,
        }
    }

    fn run(world: &mut Countdown, limits: &Limits) -> (Stop, Time, u64) {
        let mut agenda = Agenda::new(TieBreak::Fifo);
        agenda.reset(1);
        agenda.schedule(Time(1_000_000), ());
        let stop = agenda.run(world, limits);
        (stop, agenda.now(), agenda.events())
    }

    #[test]
    fn phases_come_in_their_places_and_a_settled_world_stops() {
        let mut world = Countdown {
            left: 4,
            ..Countdown::default()
        };
        assert_eq!(
            run(&mut world, &limits()),
            (Stop::Settled, Time(4_000_000), 4)
        );
        let names: Vec<_> = world.log.iter().map(|(_, name)| *name).collect();
        assert_eq!(names, ["tick", "heal", "tick", "drain", "tick", "tick"]);
    }

    #[test]
    fn a_world_that_never_settles_meets_the_deadline() {
        let mut world = Countdown {
            forever: true,
            ..Countdown::default()
        };
        assert_eq!(run(&mut world, &limits()).0, Stop::Deadline);
    }

    #[test]
    fn budgets_stop_a_run() {
        let mut world = Countdown {
            forever: true,
            ..Countdown::default()
        };
        let few = Limits {
            max_events: 5,
            ..limits()
        };
        assert_eq!(
            run(&mut world, &few),
            (Stop::EventBudget, Time(5_000_000), 5)
        );
    }

    #[test]
    fn a_world_that_is_done_passes_to_the_end_at_once() {
        let mut world = Countdown {
            left: 1,
            ..Countdown::default()
        };
        assert_eq!(
            run(&mut world, &limits()),
            (Stop::Settled, Time(3_000_000), 1)
        );
    }
}
