//! A deterministic discrete-event engine: time, randomness, the queue and the loop. It does not
//! know about Valkey or networks.
//!
//! A [`World`] handles events and schedules further ones on its [`Agenda`]. Time is virtual and
//! counted in nanoseconds; events at equal times happen in the order in which they were scheduled
//! (or in an order that the seed decides, see [`TieBreak`]). All chance comes from the agenda's
//! [`Chooser`], on streams that have names, so that the same seed gives the same run on any
//! machine, and one more draw on one stream moves no answer on another.
//!
//! # Example
//! `cargo run -p rebound-engine --example ping`:
//! ```
#![doc = include_str!("../examples/ping.rs")]
//! ```

mod chooser;
mod distribution;
mod event_loop;
mod hashed;
mod heap;
mod normal_quantiles;
mod queue;
mod time;

pub use chooser::{Chooser, Odds, Question, Schedule, StreamId};
pub use distribution::{Distribution, Table};
pub use event_loop::{Agenda, Limits, Phase, Stop, TieBreak, World};
pub use hashed::{Bytes as HashedBytes, Draw as HashedDraw, Hashed, MOST_BYTES};
pub use queue::Queue;
pub use time::{Duration, Time};
