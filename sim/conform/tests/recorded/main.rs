//! The model held against recordings of real servers: every script of every version, command by
//! command, and models that are broken on purpose, which the recordings must give away.
//!
//! Recordings of clusters are those of the test `recorded_cluster`.

mod fidelity;
mod mutants;
mod recordings;

use rebound_sim::valkey::Behaviour;

/// Less than this is no comparison of a failover.
const LEAST: u32 = 25;

/// Every recording agrees with the model of its version, and a good deal was compared.
#[test]
fn all_agree() {
    let agreements = recordings::agreements();
    assert!(agreements.len() >= 400, "{} recordings", agreements.len());
    let differ: Vec<_> = agreements.iter().filter(|a| !a.agrees()).collect();
    for agreement in &differ {
        println!("{}", agreement.table());
    }
    assert!(
        differ.is_empty(),
        "{} of {} recordings differ from the model",
        differ.len(),
        agreements.len()
    );
    for agreement in agreements {
        let compared = agreement.compared();
        assert!(compared >= LEAST, "only {compared}: {}", agreement.table());
    }
    let compared: u32 = agreements.iter().map(|a| a.compared()).sum();
    assert!(compared >= 40_000, "only {compared} facts compared in all");
}

/// `docs/fidelity.md` says what is true.
#[test]
fn the_page_about_fidelity_is_true() {
    fidelity::hold(recordings::agreements());
}

/// The rules of another version are no broken model, but they are not those of the recording.
#[test]
fn the_version_with_the_defect_is_told_from_the_one_with_the_fix() {
    let fixed = Behaviour::named("8.0.1").expect("a version");
    for bounce in recordings::of("8.0.0-rc1", "S2-hold") {
        let agreement = recordings::compare(bounce, fixed);
        let table = agreement.table();
        assert!(!agreement.agrees(), "{table}");
        assert!(table.contains("redirects"), "{table}");
    }
}
