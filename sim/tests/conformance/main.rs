//! The conformance cases of real servers, as tests of the model: each was observed on real
//! servers of the versions named, or read in their source.

mod blocked;
mod cluster;
mod faults;
mod gates;
mod orders;
mod remedies;
mod states;
mod unblocking;
