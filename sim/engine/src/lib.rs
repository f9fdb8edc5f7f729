//! The engine: time, randomness, the queue and the loop. It does not know about Valkey or networks.

mod chooser;
mod distribution;
mod event_loop;
mod heap;
mod normal_quantiles;
mod queue;
mod time;

pub use chooser::{Chooser, Odds, Question, Schedule, StreamId};
pub use distribution::{Distribution, Table};
pub use event_loop::{Agenda, Limits, Phase, Stop, TieBreak, World};
pub use queue::Queue;
pub use time::{Span, Time};
