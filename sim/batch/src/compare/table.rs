//! The figures of a comparison as they come in, seed by seed, and the report that they make.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bootstrap::intervals;
use super::measures::{Metric, RunMeasures};
use super::report::{BehaviourColumn, Difference, ScenarioComparison, Spread};
use super::series::Series;
use rebound_sim::results::{RunReport, SeedList, Verdict, Verdicts};
use rebound_sim::scenario::Plan;
use rebound_sim::valkey::Behaviour;

/// What runs under one behaviour gave.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Column {
    /// For each metric, the values in the order of seeds.
    values: Vec<Vec<u64>>,
    /// How many clients had a longest outage of this many nanoseconds.
    read_outages: BTreeMap<u64, u64>,
    write_outages: BTreeMap<u64, u64>,
    verdicts: Verdicts,
    errors: BTreeMap<String, u64>,
    worst: Option<(u64, u64)>,
    /// The lowest flagged seeds.
    flagged: Vec<u64>,
    series: Series,
}

/// Flagged seeds that a report names at most.
const SEEDS_NAMED: usize = 10;

/// The figures of a comparison, as they are kept to go on with it later.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedComparison {
    /// The names of the figures, in the order of their values.
    figures: Vec<String>,
    columns: Vec<Column>,
}

/// The runs of one scenario under several behaviours.
pub struct Comparison {
    behaviours: Vec<&'static Behaviour>,
    columns: Vec<Column>,
}

impl Comparison {
    /// Of these behaviours; the others are compared with the first.
    pub fn new(behaviours: &[&'static Behaviour]) -> Comparison {
        let column = || Column {
            values: vec![Vec::new(); Metric::ALL.len()],
            ..Column::default()
        };
        Comparison {
            behaviours: behaviours.to_vec(),
            columns: behaviours.iter().map(|_| column()).collect(),
        }
    }

    /// Goes on with what was kept of a comparison of these behaviours.
    ///
    /// # Errors
    /// If that is not a whole number of seeds under as many behaviours: what is wrong with it.
    pub fn resumed(
        behaviours: &[&'static Behaviour],
        saved: SavedComparison,
    ) -> Result<Comparison, String> {
        let names: Vec<&str> = Metric::ALL.into_iter().map(Metric::name).collect();
        if saved.figures != names {
            return Err("it has other figures".to_owned());
        }
        if saved.columns.len() != behaviours.len() {
            return Err("its behaviours and its figures do not agree".to_owned());
        }
        let seeds = saved
            .columns
            .first()
            .map_or(0, |column| column.verdicts.total());
        let whole = |column: &Column| {
            let values = column
                .values
                .iter()
                .all(|values| values.len() as u64 == seeds);
            values && column.values.len() == names.len() && column.verdicts.total() == seeds
        };
        if !saved.columns.iter().all(whole) {
            return Err("its seeds and its figures do not agree".to_owned());
        }
        Ok(Comparison {
            behaviours: behaviours.to_vec(),
            columns: saved.columns,
        })
    }

    /// What has to be kept to go on later.
    pub fn saved(&self) -> SavedComparison {
        let names = Metric::ALL
            .into_iter()
            .map(|metric| metric.name().to_owned());
        SavedComparison {
            figures: names.collect(),
            columns: self.columns.clone(),
        }
    }

    /// How many seeds were added.
    pub fn seeds(&self) -> u64 {
        let first = self.columns.first();
        first.map_or(0, |column| column.verdicts.total())
    }

    /// Adds the runs of one seed, in the order of the behaviours. Seeds have to come in order.
    ///
    /// # Panics
    /// If there is not one run for each behaviour.
    pub fn add(&mut self, seed: u64, runs: &[(RunReport, RunMeasures)]) {
        assert_eq!(runs.len(), self.columns.len(), "one run for each behaviour");
        for (column, (report, measures)) in self.columns.iter_mut().zip(runs) {
            for (values, metric) in column.values.iter_mut().zip(Metric::ALL) {
                values.push(measures.value(metric));
            }
            for outage in measures.read_outages() {
                *column.read_outages.entry(outage.as_nanos()).or_default() += 1;
            }
            for outage in measures.write_outages() {
                *column.write_outages.entry(outage.as_nanos()).or_default() += 1;
            }
            match report.verdict {
                Verdict::Clean => column.verdicts.clean += 1,
                Verdict::Flagged => {
                    column.verdicts.flagged += 1;
                    if column.flagged.len() < SEEDS_NAMED {
                        column.flagged.push(seed);
                    }
                    let chain = report.hops.max_chain;
                    if column.worst.is_none_or(|(worst, _)| chain > worst) {
                        column.worst = Some((chain, seed));
                    }
                }
                Verdict::Inconclusive => column.verdicts.inconclusive += 1,
            }
            column.series.merge(measures.series());
            for (code, count) in &report.errors {
                *column.errors.entry(code.clone()).or_default() += count;
            }
        }
    }

    /// The report.
    pub fn report(&self, plan: &Plan) -> ScenarioComparison {
        // Behaviours can be held side by side only if their bins are equally wide.
        let widths = self.columns.iter().map(|column| column.series.exponent());
        let widest = widths.max().unwrap_or(0);
        let mut differences = self.differences().into_iter();
        let columns = self.behaviours.iter().zip(&self.columns).enumerate();
        let behaviours = columns.map(|(index, (behaviour, column))| {
            let against_first = (index > 0).then(|| {
                Metric::ALL
                    .into_iter()
                    .filter_map(|metric| Some((metric.name().to_owned(), differences.next()?)))
                    .collect()
            });
            let figures = Metric::ALL.into_iter().zip(&column.values);
            BehaviourColumn {
                behaviour: behaviour.name.to_owned(),
                verdicts: column.verdicts.clone(),
                figures: figures
                    .map(|(metric, values)| (metric.name().to_owned(), Spread::of(values)))
                    .collect(),
                client_read_outages: Spread::of_counts(&column.read_outages),
                client_write_outages: Spread::of_counts(&column.write_outages),
                errors: column.errors.clone(),
                flagged_seeds: SeedList {
                    count: column.verdicts.flagged,
                    first: column.flagged.iter().map(u64::to_string).collect(),
                },
                worst_seed: column.worst.map(|(_, seed)| seed.to_string()),
                against_first,
                course: Some(column.series.report(widest)),
            }
        });
        ScenarioComparison {
            scenario: plan.name.clone(),
            scenario_path: plan.path.clone(),
            scenario_hash: format!("{:032x}", plan.hash),
            behaviours: behaviours.collect(),
        }
    }

    /// For each behaviour but the first, and each metric: how far it is from the first.
    fn differences(&self) -> Vec<Difference> {
        let Some((first, others)) = self.columns.split_first() else {
            return Vec::new();
        };
        let columns: Vec<Vec<i64>> = others
            .iter()
            .flat_map(|column| column.values.iter().zip(&first.values))
            .map(|(values, first)| {
                let pairs = values.iter().zip(first);
                pairs
                    .map(|(value, first)| signed(*value) - signed(*first))
                    .collect()
            })
            .collect();
        intervals(&columns)
    }
}

/// Figures of a run lie far below 2⁶².
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX / 2)
}
