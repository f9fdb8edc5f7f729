//! The network: profiles, and which paths have which.

use super::names::Names;
use super::{Problem, Result, check};
use crate::scenario::either::{Latency, Shape};
use crate::scenario::format::{Network, Tcp};
use crate::scenario::plan::{NetworkPlan, PathPlan, Selector};
use rebound_engine::{Distribution, Duration, Odds};
use rebound_net::{PathProfile, TcpTimers};

/// Paths of a scenario at most.
const MOST_PATHS: usize = 1_000;

/// The delay where nothing is said: hosts of one availability zone, whose round trips take 0.2
/// to 0.5 ms.
const USUAL: Shape = Shape::LogNormal {
    median: Duration::micros(120),
    p99: Duration::micros(400),
};

/// The network.
pub fn network(written: &Network, names: &Names<'_>) -> Result<NetworkPlan> {
    if written.paths.len() > MOST_PATHS {
        return Err(Problem::new(
            "network.paths",
            format!(
                "{} paths: expected {MOST_PATHS} at most",
                written.paths.len()
            ),
        ));
    }
    let usual = PathProfile {
        latency: match &written.latency {
            Some(latency) => distribution("network.latency", latency)?,
            None => shape("network.latency", &USUAL)?,
        },
        loss: odds("network.loss_ppm", written.loss_ppm)?,
    };
    let mut profiles = vec![usual];
    let mut paths = vec![PathPlan {
        from: Selector::All,
        to: Selector::All,
        forward: 0,
        backward: 0,
    }];
    for (index, path) in written.paths.iter().enumerate() {
        let at = format!("network.paths[{index}]");
        let (from, to) = names.ends(&at, &path.from, &path.to, false)?;
        let forward = profile(&mut profiles, 0, &at, path.latency.as_ref(), path.loss_ppm)?;
        let backward = match &path.backward {
            Some(back) => profile(
                &mut profiles,
                forward,
                &format!("{at}.backward"),
                back.latency.as_ref(),
                back.loss_ppm,
            )?,
            None => forward,
        };
        paths.push(PathPlan {
            from,
            to,
            forward,
            backward,
        });
    }
    Ok(NetworkPlan {
        tcp: tcp(&written.tcp)?,
        profiles,
        paths,
    })
}

/// The place of a profile that departs from the one at `base`.
fn profile(
    profiles: &mut Vec<PathProfile>,
    base: usize,
    path: &str,
    latency: Option<&Latency>,
    loss_ppm: Option<u32>,
) -> Result<usize> {
    let mut profile = profiles[base].clone();
    if let Some(latency) = latency {
        profile.latency = distribution(&format!("{path}.latency"), latency)?;
    }
    if let Some(ppm) = loss_ppm {
        profile.loss = odds(&format!("{path}.loss_ppm"), ppm)?;
    }
    if let Some(index) = profiles.iter().position(|known| *known == profile) {
        return Ok(index);
    }
    profiles.push(profile);
    Ok(profiles.len() - 1)
}

fn odds(path: &str, ppm: u32) -> Result<Odds> {
    check::loss_ppm(path, ppm)?;
    Ok(Odds::per_million(ppm))
}

fn distribution(path: &str, latency: &Latency) -> Result<Distribution> {
    match latency {
        Latency::Constant(span) => {
            check::not_longer_than_a_run(path, *span)?;
            Ok(Distribution::Constant(*span))
        }
        Latency::Shape(written) => shape(path, written),
    }
}

fn shape(path: &str, shape: &Shape) -> Result<Distribution> {
    let problem = |message| Problem::new(path, message);
    let distribution = match shape {
        Shape::Uniform { low, high } => {
            check::ordered(format!("{path}.uniform"), *low, *high)?;
            Distribution::Uniform {
                low: *low,
                high: *high,
            }
        }
        Shape::LogNormal { median, p99 } => {
            check::not_longer_than_a_run(format!("{path}.log_normal.p99"), *p99)?;
            Distribution::log_normal(*median, *p99).map_err(problem)?
        }
        Shape::Empirical(points) => {
            let points: Vec<_> = points.iter().map(|point| (point.ppm, point.is)).collect();
            Distribution::empirical(&points).map_err(problem)?
        }
    };
    check::not_longer_than_a_run(path, distribution.longest())?;
    Ok(distribution)
}

fn tcp(written: &Tcp) -> Result<TcpTimers> {
    let usual = TcpTimers::default();
    let tcp = TcpTimers {
        rto_min: written.rto_min.unwrap_or(usual.rto_min),
        syn_timeout: written.syn_timeout.unwrap_or(usual.syn_timeout),
        syn_retries: written.syn_retries.unwrap_or(usual.syn_retries),
        syn_linear_timeouts: written
            .syn_linear_timeouts
            .unwrap_or(usual.syn_linear_timeouts),
        retries_limit: written.retries_limit.unwrap_or(usual.retries_limit),
    };
    check::positive("network.tcp.rto_min", tcp.rto_min)?;
    check::positive("network.tcp.syn_timeout", tcp.syn_timeout)?;
    check::positive("network.tcp.retries_limit", tcp.retries_limit)?;
    check::between("network.tcp.syn_retries", tcp.syn_retries.into(), 0, 30)?;
    let linear = u64::from(tcp.syn_linear_timeouts);
    check::between("network.tcp.syn_linear_timeouts", linear, 0, 30)?;
    Ok(tcp)
}
