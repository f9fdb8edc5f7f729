//! The model, compared with real servers: recordings of what they did, the same script run through
//! the model, and what agrees.
//!
//! A recording is one run of two or more servers: the script that was carried out, and what
//! clients, operators and servers were seen to do. Whether it was made long ago or a moment ago
//! by a driver of real servers makes no difference here.

mod agreement;
pub mod answer;
mod callers;
mod cast;
pub mod cluster;
mod compact;
mod compare;
mod drivable;
mod envelope;
mod error;
mod evidence;
mod findings;
mod load;
mod milestones;
pub mod recording;
mod replay;
pub mod request;
mod script;
mod seen;
mod told;
mod warp;
mod words;

pub use agreement::{Agreement, Difference, Observation, Outcome, against_model};
pub use compact::compact;
pub use drivable::{Drivability, undrivable};
pub use envelope::Envelope;
pub use error::RecordingError;
pub use findings::{JUDGED_LIVE, Judged, UNJUDGED_LIVE, judge};
pub use load::parse;
pub use seen::{Exchange, Seen};
