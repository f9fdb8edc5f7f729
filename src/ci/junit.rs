//! JUnit XML: a suite for each scenario, a test case for each thing that was checked.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::checked::{Case, Checked, Ending};
use super::plain::plain;
use crate::exit::Failure;

/// The document.
///
/// # Errors
/// If it cannot be made, which would be a defect.
pub fn document(checked: &Checked) -> Result<String, Failure> {
    let mut report = Report::new(checked.command);
    for suite in suites(checked) {
        report.add_test_suite(suite);
    }
    let skipped = format!(" skipped=\"{}\"", report.skipped);
    let xml = report
        .to_string()
        .map_err(|error| Failure::usage(format!("cannot write JUnit XML: {error}")))?;
    // The schema knows this attribute of suites, and not of the whole.
    Ok(xml.replacen(&skipped, "", 1))
}

/// The suites in the order in which their scenarios are first met.
fn suites(checked: &Checked) -> Vec<TestSuite> {
    let mut suites: Vec<(&str, TestSuite)> = Vec::new();
    for case in &checked.cases {
        let index = suites.iter().position(|(name, _)| *name == case.scenario);
        let index = index.unwrap_or_else(|| {
            suites.push((&case.scenario, TestSuite::new(plain(&case.scenario))));
            suites.len() - 1
        });
        suites[index].1.add_test_case(test_case(case));
    }
    suites.into_iter().map(|(_, suite)| suite).collect()
}

fn test_case(case: &Case) -> TestCase {
    let mut test = TestCase::new(plain(&case.name()), status(case));
    test.set_classname(plain(&case.scenario));
    test
}

fn status(case: &Case) -> TestCaseStatus {
    let kind = match case.ending {
        Ending::Passed => return TestCaseStatus::success(),
        Ending::Failed | Ending::Drifted => NonSuccessKind::Failure,
        Ending::Inconclusive | Ending::Broken => NonSuccessKind::Error,
    };
    let mut status = TestCaseStatus::non_success(kind);
    status
        .set_type(case.ending.name())
        .set_message(case.message())
        .set_description(case.description());
    status
}
