//! What the bench calls clients and addresses.

use rebound_sim::valkey::Addr;

use super::{Bench, Client};

impl Bench {
    /// The id by which `CLIENT UNBLOCK` knows a client.
    pub fn id(&self, client: Client) -> u32 {
        self.connections[client.0].slot.0
    }

    /// An address; nobody listens there, unless it is a node's.
    ///
    /// # Panics
    /// If there are 65,535 others.
    pub fn address(&mut self, host: &str, port: u16) -> Addr {
        let address = self.addresses.intern(host, port);
        address.expect("room for an address")
    }

    /// An address as it stands in a redirect.
    pub fn text(&self, address: Addr) -> String {
        self.addresses.text(address)
    }
}
