//! Client policies by name, as scenarios refer to them.

use crate::client::{PRESETS, Policy};

/// The preset of that name or alias.
pub(crate) fn preset(name: &str) -> Option<Policy> {
    crate::client::preset(name).map(crate::client::Preset::policy)
}

/// Every preset's name.
pub(crate) fn preset_names() -> Vec<&'static str> {
    PRESETS.iter().map(|preset| preset.name).collect()
}
