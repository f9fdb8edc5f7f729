//! The operator of a node: one connection, one command after the other, each answered.

use std::net::Ipv4Addr;
use std::rc::Rc;

use rebound_sim::conform::answer::{Resp, answer};
use rebound_sim::conform::recording::Event as LineEvent;
use rebound_sim::conform::request::request;
use rebound_sim::trace::Event;
use rebound_sim::valkey::{Command, CommandKind, NodeId, Note as NodeNote, Reply};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;

use super::carry::{read, write_all};
use super::script::Script;
use super::stage::letter;
use super::wire::{Decoder, encode};

/// A connection on which one command is asked at a time.
pub struct Line {
    stream: TcpStream,
    decoder: Decoder,
}

impl Line {
    /// Connects.
    ///
    /// # Errors
    /// If nobody listens there.
    pub async fn open(port: u16) -> std::io::Result<Line> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.set_nodelay(true)?;
        Ok(Line {
            stream,
            decoder: Decoder::default(),
        })
    }

    /// Asks something and waits for the answer.
    ///
    /// # Errors
    /// If the connection ends, or what comes is no reply.
    pub async fn ask(&mut self, words: &[String]) -> std::io::Result<Resp> {
        write_all(&self.stream, &encode(words)).await?;
        let mut buffer = [0; 16 * 1024];
        loop {
            let reply = self.decoder.next();
            let reply =
                reply.map_err(|why| std::io::Error::new(std::io::ErrorKind::InvalidData, why))?;
            if let Some(reply) = reply {
                return Ok(reply);
            }
            let length = read(&self.stream, &mut buffer).await?;
            if length == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            self.decoder.push(&buffer[..length]);
        }
    }

    /// The same, in one piece of text.
    ///
    /// # Errors
    /// As [`Line::ask`].
    pub async fn say(&mut self, text: &str) -> std::io::Result<Resp> {
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        self.ask(&words).await
    }

    fn local_port(&self) -> u16 {
        self.stream.local_addr().map_or(0, |address| address.port())
    }
}

/// Runs an operator's commands on a node, for as long as the run lasts.
pub async fn work(script: Rc<Script>, node: NodeId, mut commands: UnboundedReceiver<Command>) {
    let stage = script.stage.clone();
    let mut line: Option<Line> = None;
    while let Some(command) = commands.recv().await {
        if !stage.node(node).server.borrow_mut().runs() {
            // As in the model: a server that does not run gets nothing.
            line = None;
            continue;
        }
        let Ok(words) = request(command, |addr| stage.real_address(addr)) else {
            stage.fail(format!(
                "{} cannot be sent to a real server",
                command.kind().name()
            ));
            return;
        };
        let port = stage.node(node).ports.own;
        if let Command::Failover { .. } = command {
            stage.node(node).ordered.set(true);
        }
        let mut open = match line.take() {
            Some(open) => open,
            None => match Line::open(port).await {
                Ok(open) => {
                    let lport = open.local_port();
                    let node = letter(node);
                    stage.line("admin", LineEvent::Connect { node, port, lport });
                    open
                }
                Err(_) => continue,
            },
        };
        let cmd = words.join(" ");
        stage.line(
            "admin",
            LineEvent::Tx {
                node: letter(node),
                cmd,
            },
        );
        let Ok(reply) = open.ask(&words).await else {
            stage.line("admin", LineEvent::ClosedByServer { node: letter(node) });
            continue;
        };
        line = Some(open);
        told(&script, node, command.kind(), &reply);
    }
}

fn told(script: &Script, node: NodeId, kind: CommandKind, reply: &Resp) {
    let stage = &script.stage;
    let at = stage.now();
    stage.line(
        "admin",
        LineEvent::Rx {
            node: letter(node),
            reply: reply.json(),
        },
    );
    let own = stage.node(node);
    match answer(kind, reply, own.belief.get(), |host, port| {
        stage.plan_address(host, port)
    }) {
        Ok(reply) => {
            if kind == CommandKind::Failover && reply != Reply::Ok {
                own.ordered.set(false);
            }
            let command = kind;
            stage.record(at, Event::Node(node, NodeNote::Operator { command, reply }));
        }
        Err(unknown) => {
            let what = format!("{} is answered {}", kind.name(), unknown.0);
            stage.unknown.borrow_mut().push((at, what));
        }
    }
}
