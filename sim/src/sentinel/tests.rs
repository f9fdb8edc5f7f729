//! Sentinel driven by hand.
