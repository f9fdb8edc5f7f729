//! How a run is read: folded up to any of its records ([`Run`]), and from that told as a story, drawn
//! as a diagram or a picture, and printed as the state of everything.

pub mod diagram;
mod flagged;
mod picture;
mod run;
mod story;
mod words;

pub use flagged::first_flagged;
pub use picture::{
    Band, BandKind, Class, Events, Lane, LaneKind, Painter, Picture, States, TextTable,
    Undelivered, Window,
};
pub use run::{
    Changed, Client, ClientState, Command, CommandState, FaultState, Hop, Node, NodeState, Run,
    Said, StateReport,
};
pub use story::{Filter, Story, StoryKind, StoryLine, line};
