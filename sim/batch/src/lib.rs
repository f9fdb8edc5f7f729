//! Many runs at once.

pub mod compare;
