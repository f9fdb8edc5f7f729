//! Expectations, which must not contradict themselves.

use super::{Problem, Result, check, names};
use crate::results::CheckConfig;
use crate::scenario::format::{Expected, ExpectedRuns};
use crate::scenario::plan::{Expectation, ExpectedVerdict};
use crate::valkey::Behaviour;

/// The expectations.
pub(crate) fn expectations(
    written: &[Expected],
    usual: &'static Behaviour,
    checks: &CheckConfig,
) -> Result<Vec<Expectation>> {
    let mut expectations: Vec<Expectation> = Vec::new();
    for (index, expected) in written.iter().enumerate() {
        let path = format!("expect[{index}]");
        let behaviours = behaviours(&path, expected, usual, &expectations)?;
        check_findings(&path, expected, checks)?;
        if let (Some(max), Some(least)) = (expected.max_chain, expected.min_max_chain)
            && least > max
        {
            return Err(Problem::new(
                format!("{path}.min_max_chain"),
                format!("some chain of {least} and none above max_chain {max}: no run does both"),
            ));
        }
        expectations.push(Expectation {
            behaviours,
            verdict: verdict(&path, expected.verdict)?,
            findings: expected.findings.clone(),
            never: expected.never.clone(),
            max_chain: expected.max_chain,
            min_max_chain: expected.min_max_chain,
        });
    }
    Ok(expectations)
}

fn behaviours(
    path: &str,
    expected: &Expected,
    usual: &'static Behaviour,
    earlier: &[Expectation],
) -> Result<Vec<&'static Behaviour>> {
    let Some(written) = &expected.behaviours else {
        if earlier.iter().any(|e| e.behaviours.contains(&usual)) {
            return Err(twice(format!("{path}.behaviours"), usual));
        }
        return Ok(vec![usual]);
    };
    if written.is_empty() {
        let message = "an empty list: expected at least one behaviour";
        return Err(Problem::new(format!("{path}.behaviours"), message));
    }
    let mut found = Vec::new();
    for (index, name) in written.iter().enumerate() {
        let at = format!("{path}.behaviours[{index}]");
        let behaviour = names::behaviour(&at, name)?;
        if found.contains(&behaviour) || earlier.iter().any(|e| e.behaviours.contains(&behaviour)) {
            return Err(twice(at, behaviour));
        }
        found.push(behaviour);
    }
    Ok(found)
}

fn twice(path: String, behaviour: &Behaviour) -> Problem {
    Problem::new(
        path,
        format!(
            "a second expectation for \"{}\": expected one per behaviour",
            behaviour.name
        ),
    )
}

fn check_findings(path: &str, expected: &Expected, checks: &CheckConfig) -> Result<()> {
    for (index, check) in expected.findings.iter().enumerate() {
        let at = format!("{path}.findings[{index}]");
        let name = check.name();
        if matches!(expected.verdict, ExpectedRuns::Clean) {
            let message = format!("\"{name}\" in a clean run: a clean run has no findings");
            return Err(Problem::new(at, message));
        }
        if expected.never.contains(check) {
            let message = format!("\"{name}\" is in \"never\" as well");
            return Err(Problem::new(at, message));
        }
        if !checks.enabled(*check) {
            let message = format!("\"{name}\" is turned off in \"checks\"");
            return Err(Problem::new(at, message));
        }
    }
    Ok(())
}

fn verdict(path: &str, written: ExpectedRuns) -> Result<ExpectedVerdict> {
    match written {
        ExpectedRuns::Clean => Ok(ExpectedVerdict::Clean),
        ExpectedRuns::Flagged => Ok(ExpectedVerdict::Flagged),
        ExpectedRuns::Share {
            least_per_mille: least,
            most_per_mille: most,
        } => {
            let path = format!("{path}.verdict.share");
            check::between(format!("{path}.most_per_mille"), most.into(), 0, 1000)?;
            check::between(
                format!("{path}.least_per_mille"),
                least.into(),
                0,
                most.into(),
            )?;
            Ok(ExpectedVerdict::Share { least, most })
        }
    }
}
