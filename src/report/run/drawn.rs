//! The picture of a run: taken while it runs or, for a run that was reported before, by running
//! it again.

use std::path::{Path, PathBuf};

use rebound_engine::Duration;
use rebound_sim::results::RunReport;
use rebound_view::{Painter, Picture, Window};

use crate::arguments::{WindowArguments, behaviour_named, load};
use crate::exit::Failure;
use rebound_batch::verify::Case;

/// A run's report, and its picture if there is one.
pub struct Drawn {
    /// The report.
    pub report: RunReport,
    /// The picture, or why there is none.
    pub picture: Result<Picture, String>,
}

/// The part of the run's time that is drawn.
///
/// # Errors
/// If there is nothing in it.
pub fn window(arguments: WindowArguments) -> Result<Window, Failure> {
    let (from, _) = arguments.times()?;
    Ok(Window {
        from: from.nanos(),
        until: arguments.until.map(Duration::as_nanos),
    })
}

/// Makes the run of `case` and draws it.
///
/// # Errors
/// If the model panics.
pub fn draw(case: &Case, window: Window) -> Result<Drawn, Failure> {
    let mut painter = Painter::new(&case.plan, case.behaviour, window);
    let report = case.run(&mut painter)?;
    let picture = Ok(painter.finish(&report));
    Ok(Drawn { report, picture })
}

/// Draws a run that was reported before, if its scenario can be found: the one named, or the one of
/// that name next to the report or in `scenarios/` with the same contents.
///
/// # Errors
/// If a scenario is named and is another one, or the model panics.
pub fn again(
    report: RunReport,
    source: &Path,
    named: Option<&Path>,
    window: Window,
) -> Result<Drawn, Failure> {
    let plan = match named {
        Some(path) => {
            let (plan, _) = load(path, None)?;
            let hash = format!("{:032x}", plan.hash);
            if hash != report.scenario_hash {
                return Err(Failure::usage(format!(
                    "{} is not the scenario of this run: its hash is {hash}, and the run's {}",
                    path.display(),
                    report.scenario_hash
                )));
            }
            Some(plan)
        }
        None => candidates(&report.scenario, source)
            .iter()
            .filter_map(|path| load(path, None).ok())
            .map(|(plan, _)| plan)
            .find(|plan| format!("{:032x}", plan.hash) == report.scenario_hash),
    };
    let Some(plan) = plan else {
        let why = format!(
            "The scenario ({}.json, hash {}) was found neither next to the report nor in \
             scenarios/: name it with --scenario FILE to draw the run.",
            report.scenario, report.scenario_hash
        );
        return Ok(Drawn {
            report,
            picture: Err(why),
        });
    };
    let (Ok(behaviour), Ok(seed)) = (
        behaviour_named(&report.behaviour),
        report.seed.parse::<u64>(),
    ) else {
        let why = format!(
            "This Rebound has no behaviour {} or cannot read seed {}.",
            report.behaviour, report.seed
        );
        return Ok(Drawn {
            report,
            picture: Err(why),
        });
    };
    let case = Case {
        plan,
        behaviour,
        seed,
        schedule: None,
    };
    let drawn = draw(&case, window)?;
    if drawn.report.trace_hash != report.trace_hash {
        let why = format!(
            "Under this build, seed {} gives another run (trace {} instead of {}), or the run followed a \
             schedule: it is not drawn.",
            report.seed, drawn.report.trace_hash, report.trace_hash
        );
        return Ok(Drawn {
            report,
            picture: Err(why),
        });
    }
    Ok(Drawn {
        report,
        picture: drawn.picture,
    })
}

/// Where the scenario of this name may be.
fn candidates(name: &str, source: &Path) -> Vec<PathBuf> {
    // A name is no path: it comes from a file of somebody's.
    if name.contains(['/', '\\']) {
        return Vec::new();
    }
    let file = format!("{name}.json");
    let beside = source.parent().map(|folder| folder.join(&file));
    let shipped = Some(Path::new("scenarios").join(&file));
    [beside, shipped].into_iter().flatten().collect()
}
