//! Addresses as servers write them: a host's name and a port, compared as strings.

use rebound_engine::hashed;

/// An address, by its place in the [`AddressBook`].
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Addr(pub u16);

hashed!(struct Addr(number));

/// A server of the scenario, by its place there.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(pub u16);

hashed!(struct NodeId(number));

/// One address of the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressEntry {
    /// The host, as typed.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The server that listens there, if one does.
    pub node: Option<NodeId>,
}

/// Every address that can occur in a run. Those of the nodes come first, in the nodes' order,
/// so that `Addr(n.0)` is the announced address of node `n`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressBook {
    entries: Vec<AddressEntry>,
}

impl AddressBook {
    /// A book that holds the nodes' announced addresses, in order.
    pub fn new(nodes: impl IntoIterator<Item = (String, u16)>) -> AddressBook {
        let entry = |(index, (host, port))| AddressEntry {
            host,
            port,
            node: Some(NodeId(
                u16::try_from(index).expect("fewer than 65,536 nodes"),
            )),
        };
        AddressBook {
            entries: nodes.into_iter().enumerate().map(entry).collect(),
        }
    }

    /// The address with this host and port, added if it is new. `findReplica` (8.0.1,
    /// replication.c:4739) compares hosts as strings regardless of case, without DNS.
    ///
    /// # Errors
    /// If the book is full (65,535 addresses).
    pub fn intern(&mut self, host: &str, port: u16) -> Result<Addr, String> {
        let known =
            |entry: &AddressEntry| entry.port == port && entry.host.eq_ignore_ascii_case(host);
        let place = self.entries.iter().position(known).unwrap_or_else(|| {
            self.entries.push(AddressEntry {
                host: host.to_owned(),
                port,
                node: None,
            });
            self.entries.len() - 1
        });
        u16::try_from(place)
            .map(Addr)
            .map_err(|_| "more than 65,535 addresses".to_owned())
    }

    /// The entry of `addr`.
    pub fn entry(&self, addr: Addr) -> &AddressEntry {
        &self.entries[usize::from(addr.0)]
    }

    /// The server that listens at `addr`.
    #[inline]
    pub fn node(&self, addr: Addr) -> Option<NodeId> {
        self.entries[usize::from(addr.0)].node
    }

    /// The servers with their hosts, in order.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &str)> {
        self.entries.iter().filter_map(|entry| {
            let node = entry.node?;
            Some((node, entry.host.as_str()))
        })
    }

    /// The announced address of `node`.
    #[inline]
    pub const fn of(node: NodeId) -> Addr {
        Addr(node.0)
    }

    /// `host:port`, as it stands in a `-REDIRECT`.
    pub fn text(&self, addr: Addr) -> String {
        let entry = self.entry(addr);
        format!("{}:{}", entry.host, entry.port)
    }
}
