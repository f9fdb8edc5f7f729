//! Arguments that several commands share. No module here knows a command.

mod global;
mod jobs;
mod load;
mod one_run;
mod window;

pub use global::{Color, Format, Global};
pub use jobs::Jobs;
pub use load::{behaviour_named, load};
pub use one_run::{BehaviourArgument, OneRun, SeedArgument};
pub use window::WindowArguments;
