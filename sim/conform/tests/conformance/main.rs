//! The conformance cases of real servers, as tests of the model: each was observed on real
//! servers of the versions named, or read in their source.

mod blocked;
mod catalogue;
mod cluster;
mod connections;
mod faults;
mod gates;
mod handover;
mod keyspace;
mod orders;
mod remedies;
mod scripts;
mod states;
mod surprises;
mod unblocking;
mod versions;
