//! The model compared with real servers: recordings of what they did, the same script run through
//! the model, and what agrees.
//!
//! A recording is one run of two or more servers: the script that was carried out, and what
//! clients, operators and servers were seen to do. [`parse`] reads one and [`against_model`]
//! compares it. Whether it was made long ago or a moment ago makes no difference.
//!
//! [`live`] starts real servers and makes a recording of them; [`mod@bench`] is the bench on which the
//! model's servers are driven by hand.

mod agreement;
pub mod answer;
pub mod bench;
mod clients;
pub mod cluster;
mod compact;
mod compare;
mod envelope;
mod error;
mod evidence;
mod findings;
pub mod live;
mod load;
mod members;
mod milestones;
pub mod recording;
mod replay;
mod replies;
mod script;
mod seen;
mod time_map;
mod words;

pub use agreement::{Agreement, Difference, Observation, Outcome, against_model};
pub use compact::compact;
pub use envelope::Envelope;
pub use error::RecordingError;
pub use findings::{Judged, judge, judged_live};
pub use load::parse;
pub use seen::{Exchange, Seen};
