//! The model held against recordings of real servers: every script of every version, command by
//! command, and models that are broken on purpose, which the recordings must give away.

mod fidelity;
mod mutants;
mod recordings;

/// Every recording agrees with the model of its version.
#[test]
fn all_agree() {
    let agreements = recordings::agreements();
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
}

/// `docs/fidelity.md` says what is true.
#[test]
fn the_page_about_fidelity_is_true() {
    fidelity::hold(recordings::agreements());
}
