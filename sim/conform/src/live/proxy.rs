//! The proxy in front of a server, through which other servers come: it carries what they say,
//! and knows what that is while they shake hands.

use std::cell::{Cell, RefCell};
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use crate::answer::Resp;
use crate::recording::{Event as LineEvent, Way};
use rebound_net::{Direction, HostId};
use rebound_sim::scenario::{Trigger, TriggerMessage};
use rebound_sim::valkey::{FailoverState, NodeId, Role};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::carry::{collect, hand_over, read};
use super::script::Script;
use super::stage::letter;
use super::wire::Decoder;

/// What two servers say while they shake hands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    Asked(&'static str),
    Answered(String),
}

/// A connection between two servers, as far as its handshake goes.
struct Link {
    number: u32,
    from: NodeId,
    to: NodeId,
    /// Whether it hands over: the node that dials was told to.
    hands_over: bool,
    asks: RefCell<Decoder>,
    answers: RefCell<Decoder>,
    /// Whether `PSYNC … FAILOVER` has been sent on.
    asked_failover: Cell<bool>,
    /// Whether what comes back is no handshake any more.
    streams: Cell<bool>,
}

/// How much of what passes a recording shows.
const SHOWN: usize = 200;

fn shown(bytes: &[u8]) -> String {
    // As recordings have it: each byte a character.
    bytes
        .iter()
        .take(SHOWN)
        .map(|byte| char::from(*byte))
        .collect()
}

/// Lets other servers come through this proxy, for as long as the run lasts.
pub async fn serve(script: Rc<Script>, node: NodeId, port: u16, first: std::net::TcpListener) {
    let mut listener = TcpListener::from_std(first).ok();
    let mut links = 0;
    let who = format!("P{}", letter(node));
    let stage = script.stage.clone();
    loop {
        let refuses = stage.paths.refuses(stage.host(node));
        match (&listener, refuses) {
            (Some(_), true) => {
                listener = None;
                stage.line(&who, LineEvent::PxRefuse);
            }
            (None, false) => {
                match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
                    Ok(bound) => listener = Some(bound),
                    Err(error) => {
                        stage.fail(format!("the proxy's port {port} was taken: {error}"));
                        return;
                    }
                }
                stage.line(&who, LineEvent::PxListen);
            }
            (Some(_), false) | (None, true) => {}
        }
        let Some(open) = &listener else {
            stage.paths.change().await;
            continue;
        };
        tokio::select! {
            biased;
            () = stage.paths.change() => {}
            accepted = open.accept() => {
                let Ok((stream, peer)) = accepted else { continue };
                links += 1;
                let from = dialler(&script, node, peer.ip());
                let link = begin(&script, links, from, node);
                tokio::task::spawn_local(carry(script.clone(), link, stream));
            }
        }
    }
}

/// Which node it is that dials. Where there are more than two, each dials from an address of its
/// own.
fn dialler(script: &Script, node: NodeId, from: IpAddr) -> NodeId {
    let mut ids = script.stage.ids().filter(|id| *id != node);
    let known = script.stage.ids().find(|id| {
        let own = script.stage.node(*id).ports.from;
        own.is_some_and(|own| IpAddr::V4(own) == from)
    });
    known.or_else(|| ids.next()).unwrap_or(node)
}

/// A server dials another: a primary that was ordered to hand over is a replica from here on.
fn begin(script: &Script, number: u32, from: NodeId, to: NodeId) -> Link {
    let stage = &script.stage;
    let several = stage.nodes.len() > 2;
    stage.line(
        format!("P{}", letter(to)),
        LineEvent::PxAccept {
            link: number,
            from: several.then(|| letter(from)),
        },
    );
    let own = stage.node(from);
    let hands_over = own.ordered.get() && own.belief.get().role == Role::Primary
        || own.belief.get().failover == FailoverState::InProgress;
    if hands_over {
        script.trigger(Trigger::FailoverState(from, FailoverState::InProgress));
        script.trigger(Trigger::Demoted(from));
    }
    Link {
        number,
        from,
        to,
        hands_over,
        asks: RefCell::default(),
        answers: RefCell::default(),
        asked_failover: Cell::new(false),
        streams: Cell::new(false),
    }
}

async fn carry(script: Rc<Script>, link: Link, near: TcpStream) {
    let stage = script.stage.clone();
    let who = format!("P{}", letter(link.to));
    let ends = (stage.host(link.from), stage.host(link.to));
    let held = stage.paths.open(ends.0, ends.1);
    let to = (Ipv4Addr::LOCALHOST, stage.node(link.to).ports.own);
    let far = match TcpStream::connect(to).await {
        Ok(far) => far,
        Err(error) => {
            let err = error.to_string();
            stage.line(
                &who,
                LineEvent::PxTargetError {
                    link: link.number,
                    err,
                },
            );
            // Whoever dialled is refused too, as far as a proxy can: it is reset.
            let _ = near.set_zero_linger();
            return;
        }
    };
    // A segment is sent when it is there.
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let Some(first) = opened(&script, ends, &near).await else {
        let dir = Way::C2s;
        stage.line(
            &who,
            LineEvent::PxClose {
                link: link.number,
                dir,
            },
        );
        return;
    };
    let done = both_ways(&script, &link, &who, (first, &near), &far);
    tokio::select! {
        biased;
        () = held.reset.notified() => {
            let _ = (near.set_zero_linger(), far.set_zero_linger());
            let why = "cut".to_owned();
            stage.line(&who, LineEvent::PxCut { link: link.number, why });
        }
        dir = done => {
            stage.line(&who, LineEvent::PxClose { link: link.number, dir });
        }
    }
}

/// Waits until the path is clear: a connection attempt would not get through before. What is said
/// meanwhile; none if who dialled has given up.
async fn opened(script: &Script, ends: (HostId, HostId), near: &TcpStream) -> Option<Vec<u8>> {
    let paths = &script.stage.paths;
    let clear = async {
        loop {
            paths.clear(ends.0, ends.1, Direction::Forward).await;
            paths.clear(ends.0, ends.1, Direction::Backward).await;
            if !paths.held(ends.0, ends.1, Direction::Forward) {
                return;
            }
        }
    };
    let mut clear = std::pin::pin!(clear);
    let mut said = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        tokio::select! {
            biased;
            () = &mut clear => return Some(said),
            length = read(near, &mut buffer) => match length {
                Ok(length @ 1..) => said.extend_from_slice(&buffer[..length]),
                Ok(0) | Err(_) => return None,
            },
        }
    }
}

/// Carries both ways until one end closes; says which way that went.
async fn both_ways(
    script: &Script,
    link: &Link,
    who: &str,
    near: (Vec<u8>, &TcpStream),
    far: &TcpStream,
) -> Way {
    let back = near.1;
    let forward = one_way(script, link, who, Direction::Forward, near, far);
    let far = (Vec::new(), far);
    let backward = one_way(script, link, who, Direction::Backward, far, back);
    tokio::select! {
        biased;
        () = forward => Way::C2s,
        () = backward => Way::S2c,
    }
}

async fn one_way(
    script: &Script,
    link: &Link,
    who: &str,
    way: Direction,
    from: (Vec<u8>, &TcpStream),
    to: &TcpStream,
) {
    let stage = &script.stage;
    let ends = (stage.host(link.from), stage.host(link.to));
    let dir = match way {
        Direction::Forward => Way::C2s,
        Direction::Backward => Way::S2c,
    };
    let (sender, receiver) = mpsc::unbounded_channel();
    let collected = collect(stage, ends, way, from, sender, |bytes| {
        stage.line(
            who,
            LineEvent::Px {
                link: link.number,
                dir,
                n: bytes.len() as u64,
                data: shown(bytes),
            },
        );
        let said = match way {
            Direction::Forward => asked(link, bytes),
            Direction::Backward => answered(link, bytes),
        };
        before(script, link, &said);
        said
    });
    let handed = hand_over(stage, ends, way, receiver, to, |parcel, late| {
        if late {
            stage.line(
                who,
                LineEvent::PxFwd {
                    link: link.number,
                    dir,
                    n: parcel.bytes.len() as u64,
                    data: shown(&parcel.bytes),
                },
            );
        }
        after(script, link, parcel.note);
    });
    tokio::join!(collected, handed);
}

/// What these bytes ask, in a handshake.
fn asked(link: &Link, bytes: &[u8]) -> Vec<Said> {
    let mut decoder = link.asks.borrow_mut();
    decoder.push(bytes);
    let mut said = Vec::new();
    while let Ok(Some(request)) = decoder.next() {
        let Resp::Array(words) = request else {
            continue;
        };
        let word = |index: usize| {
            words
                .get(index)
                .and_then(Resp::text)
                .unwrap_or_default()
                .to_ascii_lowercase()
        };
        let what = match (word(0).as_str(), word(1).as_str()) {
            ("ping", _) => "PING",
            ("replconf", "listening-port" | "ip-address") => "REPLCONF address",
            ("replconf", "capa") => "REPLCONF capa",
            ("replconf", "version") => "REPLCONF version",
            ("psync", _) if word(3) == "failover" => "PSYNC FAILOVER",
            ("psync", _) => "PSYNC",
            _ => continue,
        };
        said.push(Said::Asked(what));
    }
    said
}

/// What these bytes answer, in a handshake.
fn answered(link: &Link, bytes: &[u8]) -> Vec<Said> {
    let mut said = Vec::new();
    if link.streams.get() {
        return said;
    }
    let mut decoder = link.answers.borrow_mut();
    decoder.push(bytes);
    while let Ok(Some(reply)) = decoder.next() {
        let text = match &reply {
            Resp::Simple(text) => format!("+{}", text.split(' ').next().unwrap_or(text)),
            Resp::Error(text) => format!("-{text}"),
            Resp::Int(_) | Resp::Bulk(_) | Resp::Nil | Resp::Array(_) => continue,
        };
        let ends = text == "+CONTINUE" || text == "+FULLRESYNC";
        said.push(Said::Answered(text));
        if ends {
            link.streams.set(true);
            break;
        }
    }
    said
}

/// Something is about to go on: what waits for a node to send it is due.
fn before(script: &Script, link: &Link, said: &[Said]) {
    for each in said {
        match each {
            Said::Asked("PSYNC FAILOVER") => {
                script.trigger(Trigger::Sends(link.from, TriggerMessage::PsyncFailover));
            }
            Said::Asked("PING") if link.hands_over => {
                script.trigger(Trigger::Sends(link.from, TriggerMessage::HandshakePing));
            }
            Said::Asked(_) => {}
            Said::Answered(text) if link.asked_failover.get() => {
                // The request was taken in, surely, and nobody has its answer yet.
                script.trigger(Trigger::Receives(link.to, TriggerMessage::PsyncFailover));
                script.trigger(Trigger::Sends(link.to, TriggerMessage::PsyncFailoverReply));
                if text == "+CONTINUE" {
                    script.trigger(Trigger::Promoted(link.to));
                }
            }
            Said::Answered(_) => {}
        }
    }
}

/// Something has gone on: an onlooker sees it, and what waits for a node to have it is due.
fn after(script: &Script, link: &Link, said: Vec<Said>) {
    let stage = &script.stage;
    let at = stage.script_time();
    let ends = (link.from, link.to);
    let number = u64::from(link.number);
    for each in said {
        match each {
            Said::Asked(what) => {
                if what == "PSYNC FAILOVER" {
                    link.asked_failover.set(true);
                }
                if let Some(at) = at {
                    stage.seen.borrow_mut().asked(at, ends, number, what);
                }
            }
            Said::Answered(text) => {
                if let Some(at) = at {
                    stage.seen.borrow_mut().answered(at, ends, number, text);
                }
                if link.asked_failover.get() {
                    script.trigger(Trigger::Receives(
                        link.from,
                        TriggerMessage::PsyncFailoverReply,
                    ));
                }
            }
        }
    }
}
