//! One run of real servers, from their start to their end.

use std::cell::{Cell, RefCell};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::answer::Resp;
use crate::recording::{DRIVEN, Event as LineEvent, Line as Recorded};
use crate::{Judged, Seen, judge};
use rebound_engine::Time;
use rebound_sim::scenario::Plan;
use rebound_sim::trace::Sink;
use rebound_sim::valkey::{Belief, NodeId, Persistence};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::{LocalSet, spawn_local};

use super::binary::Binary;
use super::clients::Clients;
use super::error::LiveError;
use super::operator::{self, Line};
use super::orphans::Folder;
use super::script::Script;
use super::server::{Ports, Server, free_port};
use super::stage::{Node, Stage, letter};
use super::{poll, proxy};

/// What came of a run of real servers.
pub struct LiveRun {
    /// The recording.
    pub lines: Vec<Recorded>,
    /// What an onlooker sees.
    pub seen: Seen,
    /// What the checks found.
    pub judged: Judged,
    /// Replies that the model has none for.
    pub unknown: Vec<(Time, String)>,
}

/// How often servers are restarted on other ports if theirs have been taken.
const TRIES: u32 = 5;

/// Runs a plan on servers of this binary. `seed` is that of the clients' chance; `n` is the run's
/// number in its recording; servers have `patience` to start and to synchronize.
///
/// # Errors
/// If the servers do not start, end by themselves or hang, or say what is no RESP; with their
/// last words.
pub fn drive(
    plan: &Arc<Plan>,
    binary: &Binary,
    seed: u64,
    n: u32,
    patience: Duration,
) -> Result<LiveRun, LiveError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime =
        runtime.map_err(|error| LiveError::new(format!("cannot drive servers: {error}")))?;
    let mut tries = 0;
    loop {
        tries += 1;
        let local = LocalSet::new();
        let outcome = local.block_on(&runtime, attempt(plan, binary, seed, n, patience));
        match outcome {
            Err(Trouble::PortTaken(_)) if tries < TRIES => {}
            Err(Trouble::PortTaken(why) | Trouble::Other(why)) => {
                return Err(LiveError::new(format!(
                    "{} on {} ({}): {why}",
                    plan.name,
                    binary.path.display(),
                    binary.label
                )));
            }
            Ok(run) => return Ok(run),
        }
    }
}

/// Why a run ends early.
enum Trouble {
    /// Somebody else listens where a server was to.
    PortTaken(String),
    Other(String),
}

impl From<LiveError> for Trouble {
    fn from(error: LiveError) -> Trouble {
        Trouble::Other(error.0)
    }
}

async fn attempt(
    plan: &Arc<Plan>,
    binary: &Binary,
    seed: u64,
    n: u32,
    patience: Duration,
) -> Result<LiveRun, Trouble> {
    // Dropped last: servers write to it to their end.
    let folder = Folder::new()?;
    let origin = Instant::now();
    let (due, mut dues) = unbounded_channel();
    let (mut nodes, mut listeners, mut orders) = (Vec::new(), Vec::new(), Vec::new());
    let mut ports = Vec::new();
    for index in 0..plan.nodes.len() {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let listener = listener.and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok((listener.local_addr()?.port(), listener))
        });
        let (proxy, listener) =
            listener.map_err(|error| Trouble::Other(format!("no port for a proxy: {error}")))?;
        listeners.push(listener);
        let several = plan.nodes.len() > 2;
        ports.push(Ports {
            own: free_port()?,
            proxy,
            from: several.then(|| Ipv4Addr::new(127, 0, 0, 2 + index as u8)),
        });
    }
    for (node, own) in plan.nodes.iter().zip(&ports) {
        let primary = node
            .replica_of
            .map(|primary| ports[usize::from(primary.0)].proxy);
        let server = Server::new(binary, node, &folder.path(), *own, primary)?;
        let (operator, orders_of_node) = unbounded_channel();
        orders.push(orders_of_node);
        nodes.push(Node {
            server: RefCell::new(server),
            ports: *own,
            belief: Cell::new(Belief::default()),
            ordered: Cell::new(false),
            operator,
        });
    }
    let stage = Stage::new(plan.clone(), nodes, due, origin);
    let script = Script::new(stage.clone());
    let clients = Clients::new(stage.clone(), seed);
    stage.line(
        "lab",
        LineEvent::Meta {
            label: binary.label.clone(),
            version: binary.version.clone(),
            scenario: DRIVEN.to_owned(),
            variant: plan.name.clone(),
            n,
        },
    );
    for node in stage.ids() {
        start(&stage, node)?;
    }
    for (node, listener) in stage.ids().zip(listeners) {
        let port = stage.node(node).ports.proxy;
        spawn_local(proxy::serve(script.clone(), node, port, listener));
    }
    pair(&stage, patience).await?;
    stage.line("lab", LineEvent::Paired);
    for (node, orders) in stage.ids().zip(orders) {
        spawn_local(operator::work(script.clone(), node, orders));
    }
    script.begin();
    for node in stage.ids() {
        spawn_local(poll::watch(script.clone(), node));
    }
    clients.begin();
    {
        let script = script.clone();
        spawn_local(async move {
            while let Some(item) = dues.recv().await {
                let script = script.clone();
                spawn_local(async move { script.later(item).await });
            }
        });
    }
    tokio::select! {
        biased;
        () = stage.breaks.notified() => {}
        () = phases(&stage, &script, &clients) => {}
    }
    finish(&stage, &clients)
}

fn start(stage: &Stage, node: NodeId) -> Result<(), Trouble> {
    let mut server = stage.node(node).server.borrow_mut();
    server.start()?;
    stage.line(
        "lab",
        LineEvent::Start {
            node: letter(node),
            port: server.ports.own,
            announced: Some(server.ports.proxy),
        },
    );
    Ok(())
}

/// Waits until all servers answer and all replicas are synchronized.
async fn pair(stage: &Rc<Stage>, patience: Duration) -> Result<(), Trouble> {
    let limit = Instant::now() + patience;
    let mut lines: Vec<Option<Line>> = stage.ids().map(|_| None).collect();
    let mut unready = String::new();
    while Instant::now() < limit {
        unready.clear();
        for node in stage.ids() {
            let index = usize::from(node.0);
            {
                let mut server = stage.node(node).server.borrow_mut();
                if !server.runs() {
                    let words = server.last_words();
                    let why = format!("server {} ended at its start; {words}", server.name);
                    let taken = words.contains("Address already in use");
                    return Err(if taken {
                        Trouble::PortTaken(why)
                    } else {
                        Trouble::Other(why)
                    });
                }
            }
            let step = Duration::from_millis(200);
            let ready = tokio::time::timeout(step, ready(stage, node, &mut lines[index])).await;
            if ready.is_err() {
                // A late answer is not to be taken for the next one's.
                lines[index] = None;
            }
            if !matches!(ready, Ok(Some(true))) {
                let name = &stage.plan.nodes[index].name;
                let what = match ready {
                    Ok(Some(_)) => "is not synchronized",
                    Ok(None) | Err(_) => "does not answer",
                };
                unready = format!("server {name} {what}");
            }
        }
        if unready.is_empty() {
            return settle(stage, lines).await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let words: Vec<String> = stage
        .ids()
        .map(|node| stage.node(node).server.borrow().last_words())
        .collect();
    let why = format!(
        "{unready} within {} s; {}",
        patience.as_secs(),
        words.join("\n")
    );
    Err(Trouble::Other(why))
}

/// Whether a node answers, and is synchronized with its primary; none if it does not answer.
async fn ready(stage: &Stage, node: NodeId, line: &mut Option<Line>) -> Option<bool> {
    if line.is_none() {
        *line = Line::open(stage.node(node).ports.own).await.ok();
    }
    let Resp::Bulk(info) = line.as_mut()?.say("INFO replication").await.ok()? else {
        return None;
    };
    let info = String::from_utf8_lossy(&info).into_owned();
    let field = |name: &str| {
        info.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
    };
    let plan = &stage.plan.nodes;
    if plan[usize::from(node.0)].replica_of.is_some() {
        return Some(field("master_link_status") == Some("up"));
    }
    let offset = field("master_repl_offset")?;
    let replicas = plan
        .iter()
        .filter(|other| other.replica_of == Some(node))
        .count();
    let acknowledged = (0..replicas).all(|number| {
        let replica = field(&format!("slave{number}"));
        replica.is_some_and(|text| {
            text.contains("state=online") && text.contains(&format!("offset={offset},"))
        })
    });
    Some(acknowledged)
}

/// What is set only when the replicas are synchronized: the scenario's delay of the next full
/// resynchronization, and the data that a server has when it is started again.
async fn settle(stage: &Rc<Stage>, lines: Vec<Option<Line>>) -> Result<(), Trouble> {
    for (node, line) in stage.plan.nodes.iter().zip(lines) {
        let Some(mut line) = line else { continue };
        let delay = node.config.repl_diskless_sync_delay.as_nanos() / 1_000_000_000;
        let mut asked = vec![format!("CONFIG SET repl-diskless-sync-delay {delay}")];
        if node.config.persistence == Persistence::LastSync {
            asked.push("SAVE".to_owned());
        }
        for text in asked {
            let reply = line.say(&text).await;
            if !matches!(&reply, Ok(Resp::Simple(ok)) if ok == "OK") {
                let found =
                    reply.map_or_else(|error| error.to_string(), |reply| reply.json().to_string());
                let why = format!(
                    "server {} answers {text} with {found}, expected OK",
                    node.name
                );
                return Err(Trouble::Other(why));
            }
        }
    }
    Ok(())
}

/// Lets the run's phases pass.
async fn phases(stage: &Rc<Stage>, script: &Script, clients: &Rc<Clients>) {
    let limits = stage.plan.limits;
    let until = |at: Time| tokio::time::sleep_until(stage.instant(at).into());
    let drain = async {
        until(limits.load_until).await;
        clients.drain();
        while clients.open_commands() > 0 && stage.now() < limits.deadline {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let heal = async {
        until(limits.heal_at).await;
        script.heal();
    };
    let alive = async {
        // A server that ends without being killed is no run.
        loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            for node in stage.ids() {
                let mut server = stage.node(node).server.borrow_mut();
                if server.died() {
                    stage.fail(format!("server {} ended unexpectedly", server.name));
                    return;
                }
            }
        }
    };
    tokio::select! {
        () = alive => {}
        _ = async { tokio::join!(drain, heal) } => {}
    }
}

fn finish(stage: &Rc<Stage>, clients: &Rc<Clients>) -> Result<LiveRun, Trouble> {
    if let Some(why) = stage.broken.take() {
        let words: Vec<String> = stage
            .ids()
            .map(|node| stage.node(node).server.borrow().last_words())
            .collect();
        return Err(Trouble::Other(format!("{why}; {}", words.join("\n"))));
    }
    let until = stage.now();
    stage.line(
        "lab",
        LineEvent::End {
            loop_maxlag_ms: 0.0,
        },
    );
    let records = stage.take_records();
    let judged = judge(&stage.plan, &records, until, |client| clients.waits(client));
    let mut seen = stage.seen.borrow().clone();
    for record in &records {
        seen.record(record);
    }
    seen.end();
    let mut lines = stage.take_lines();
    lines.sort_by(|one, other| one.t.total_cmp(&other.t));
    Ok(LiveRun {
        lines,
        seen,
        judged,
        unknown: stage.unknown.take(),
    })
}
