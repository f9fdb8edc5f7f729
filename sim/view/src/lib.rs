//! How a run is read: told as a story, drawn as a diagram or a picture, and the state of everything
//! at any record.

pub mod diagram;
mod flagged;
mod picture;
mod situation;
mod story;
mod words;

pub use flagged::first_flagged;
pub use picture::{
    Band, BandKind, Class, Events, Lane, LaneKind, Painter, Picture, States, TextTable,
    Undelivered, Window,
};
pub use situation::{
    Changed, ClientState, CommandState, FaultState, NodeState, Situation, StateReport,
};
pub use story::{Filter, Story, StoryKind, StoryLine};
