//! The figures of a comparison as they come in, seed by seed, and the report that they make.

use std::collections::BTreeMap;

use super::bootstrap::intervals;
use super::measures::{Metric, RunMeasures};
use super::report::{BehaviourColumn, Difference, ScenarioComparison, Spread};
use crate::report::{RunReport, Verdict, Verdicts};
use crate::valkey::Behaviour;

/// What runs under one behaviour gave.
#[derive(Default)]
struct Column {
    /// For each metric, the values in the order of seeds.
    values: Vec<Vec<u64>>,
    read_outages: Vec<u64>,
    write_outages: Vec<u64>,
    verdicts: Verdicts,
    errors: BTreeMap<String, u64>,
    worst: Option<(u64, u64)>,
}

/// The runs of one scenario under several behaviours.
pub struct Comparison {
    behaviours: Vec<&'static Behaviour>,
    columns: Vec<Column>,
}

impl Comparison {
    /// Of these behaviours; the first is what the others are held against.
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
            column
                .read_outages
                .extend(measures.read_outages().map(|span| span.as_nanos()));
            column
                .write_outages
                .extend(measures.write_outages().map(|span| span.as_nanos()));
            match report.verdict {
                Verdict::Clean => column.verdicts.clean += 1,
                Verdict::Flagged => {
                    column.verdicts.flagged += 1;
                    let chain = report.hops.max_chain;
                    if column.worst.is_none_or(|(worst, _)| chain > worst) {
                        column.worst = Some((chain, seed));
                    }
                }
                Verdict::Inconclusive => column.verdicts.inconclusive += 1,
            }
            for (code, count) in &report.errors {
                *column.errors.entry(code.clone()).or_default() += count;
            }
        }
    }

    /// The report.
    pub fn report(&self, scenario: &str, scenario_hash: u128) -> ScenarioComparison {
        let mut differences = self.differences().into_iter();
        let columns = self.behaviours.iter().zip(&self.columns).enumerate();
        let behaviours = columns.map(|(place, (behaviour, column))| {
            let against_first = (place > 0).then(|| {
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
                client_read_outages: Spread::of(&column.read_outages),
                client_write_outages: Spread::of(&column.write_outages),
                errors: column.errors.clone(),
                worst_seed: column.worst.map(|(_, seed)| seed.to_string()),
                against_first,
            }
        });
        ScenarioComparison {
            scenario: scenario.to_owned(),
            scenario_hash: format!("{scenario_hash:032x}"),
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
