//! A client's connection to a real server, along a path that may be slow or held.

use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Instant;

use rebound_net::{Closing, ConnectFailure, Direction, Note as NetNote};
use rebound_sim::client::Input;
use rebound_sim::trace::Event;
use rebound_sim::valkey::NodeId;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::carry::{Parcel, collect, hand_over, wait};
use super::clients::{Clients, Place, conn_id};
use super::stage::Stage;
use super::wire::Decoder;

/// Connects to a node, sends what the client says, and tells it what comes.
pub async fn connect(
    clients: Rc<Clients>,
    stage: Rc<Stage>,
    place: Place,
    to: NodeId,
    mut said: UnboundedReceiver<Vec<u8>>,
) {
    let (id, slot, number) = place;
    let ends = (stage.plan.client_host(id), stage.host(to));
    let delay = |way| stage.paths.delay(&stage.plan, ends.0, ends.1, way);
    // There and back, as the kernels shake hands.
    let there = delay(Direction::Forward) + delay(Direction::Backward);
    if !there.is_zero() {
        tokio::time::sleep(there).await;
    }
    stage.paths.clear(ends.0, ends.1, Direction::Forward).await;
    stage.paths.clear(ends.0, ends.1, Direction::Backward).await;
    let port = stage.node(to).ports.own;
    let stream = if stage.paths.refuses(stage.host(to)) {
        None
    } else {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()
    };
    let Some(stream) = stream else {
        let why = ConnectFailure::Refused;
        stage.record(
            stage.now(),
            Event::Net(NetNote::ConnectFailed {
                from: ends.0,
                to: ends.1,
                why,
            }),
        );
        clients.over(place, Input::ConnectFailed(slot, why));
        return;
    };
    // A segment is sent when it is there.
    let _ = stream.set_nodelay(true);
    let held = stage.paths.open(ends.0, ends.1);
    let event = Event::Net(NetNote::Connected {
        conn: conn_id(number),
        from: ends.0,
        to: ends.1,
    });
    stage.record(stage.now(), event);
    clients.open(place);
    let (outwards, sent) = unbounded_channel();
    let (inwards, heard) = unbounded_channel();
    let says = async {
        while let Some(bytes) = said.recv().await {
            let due = Instant::now() + delay(Direction::Forward);
            let note = ();
            if outwards.send(Parcel { due, bytes, note }).is_err() {
                return;
            }
        }
    };
    let goes = hand_over(&stage, ends, Direction::Forward, sent, &stream, |_, _| {});
    let comes = collect(
        &stage,
        ends,
        Direction::Backward,
        (Vec::new(), &stream),
        inwards,
        |_| (),
    );
    let hears = hear(&clients, &stage, place, ends, heard);
    let talk = async { tokio::join!(says, goes) };
    let listen = async { tokio::join!(comes, hears) };
    let how = tokio::select! {
        biased;
        () = held.reset.notified() => Closing::Reset,
        _ = listen => Closing::Fin,
        // Nobody says anything more: the client has given the connection up, or it is broken.
        _ = talk => Closing::Reset,
    };
    drop(held);
    if how == Closing::Reset {
        let _ = stream.set_zero_linger();
    }
    clients.over(place, Input::Closed(slot, how));
}

/// Tells the client each reply at its time.
async fn hear(
    clients: &Rc<Clients>,
    stage: &Stage,
    place: Place,
    ends: (rebound_net::HostId, rebound_net::HostId),
    mut heard: UnboundedReceiver<Parcel<()>>,
) {
    let mut decoder = Decoder::default();
    while let Some(parcel) = heard.recv().await {
        wait(stage, ends, Direction::Backward, &parcel).await;
        decoder.push(&parcel.bytes);
        loop {
            match decoder.next() {
                Ok(Some(reply)) => clients.reply(place, &reply),
                Ok(None) => break,
                Err(why) => {
                    stage.fail(format!("a server answers a client: {why}"));
                    return;
                }
            }
        }
    }
    stage.paths.clear(ends.0, ends.1, Direction::Backward).await;
}
