//! Data to everyone: numbers, what was seen, passing on.

use std::net::SocketAddr;

use super::{Kind, Node};
use crate::id::{ClientId, MessageId};
use crate::wire::{Body, Broadcast, Packet};

impl Node {
    /// Says something, or does it.
    pub(super) fn say(&mut self, text: String, action: bool) {
        if !self.has_room_to_say(text.len()) {
            return self.drop_packet("outbox_full");
        }
        match &self.kind {
            Kind::Classic(_) => self.say_classic(text, action),
            Kind::Signed(_) => self.say_signed(text, action),
        }
    }

    /// Is called something else from now on.
    pub(super) fn set_nick(&mut self, nick: String) {
        self.nick.clone_from(&nick);
        self.tell(Body::Name(nick));
    }

    /// Has another status from now on.
    pub(super) fn set_status(&mut self, status: u8) {
        self.status = status;
        self.tell(Body::Status(status));
    }

    /// Sets the topic: by a broadcast in a classic chat, by a fact in a signed one.
    pub(super) fn set_topic(&mut self, topic: String, locked: Option<bool>) {
        match &self.kind {
            Kind::Classic(_) => self.set_classic_topic(topic),
            Kind::Signed(_) => self.set_signed_topic(topic, locked),
        }
    }

    /// Says goodbye and ends all links.
    pub(super) fn say_goodbye(&mut self) {
        self.tell(Body::Quit);
        let linked: Vec<ClientId> = self.links.keys().copied().collect();
        for client_id in linked {
            self.end_link(&client_id, true);
        }
        self.quit = true;
    }

    /// Broadcasts something other than a message. Without a link it is not sent and takes no number: who we are is
    /// told when the first link stands.
    fn tell(&mut self, body: Body) {
        match &self.kind {
            Kind::Classic(_) => self.broadcast(body),
            Kind::Signed(_) => self.tell_signed(body, false),
        }
    }

    /// "The origin adds 1 to its number for every message; the first is 1; after 2^32-1 comes 1."
    pub(super) fn next_number(&mut self) -> u32 {
        self.number = self.number.checked_add(1).unwrap_or(1);
        self.number
    }

    /// Sends a sealed copy to every link but one. How many.
    pub(super) fn send_to_links(&mut self, plain: &[u8], except: Option<ClientId>) -> u32 {
        self.send_to(plain, |client_id| Some(*client_id) != except)
    }

    /// Sends a sealed copy to these of the links. How many.
    pub(super) fn send_to(&mut self, plain: &[u8], is_to: impl Fn(&ClientId) -> bool) -> u32 {
        let to: Vec<(ClientId, SocketAddr)> = self
            .links
            .iter()
            .filter(|(client_id, _)| is_to(client_id))
            .map(|(client_id, link)| (*client_id, link.address))
            .collect();
        for (client_id, address) in &to {
            self.send_plain(*address, *client_id, plain);
        }
        to.len() as u32
    }

    /// Whether a broadcast has come before; notes that it has now.
    pub(super) fn is_seen(&mut self, key: [u8; 32]) -> bool {
        let seen = self.seen.insert(key, ()).is_some();
        self.stats.duplicates += u64::from(seen);
        seen
    }

    /// These were said before this start: should they come again, they are not taken as new. (In a signed chat; a classic
    /// one has other keys at each start.)
    pub fn has_seen(&mut self, messages: impl IntoIterator<Item = MessageId>) {
        for id in messages {
            self.seen.insert(id.0, ());
        }
    }

    /// Broadcasts in a classic chat, if there is a link.
    pub(super) fn broadcast(&mut self, body: Body) {
        if !self.links.is_empty() {
            let broadcast = Broadcast {
                origin: self.client_id,
                number: self.next_number(),
                body,
            };
            self.send_to_links(&Packet::Broadcast(broadcast).encode(), None);
        }
    }

    fn say_classic(&mut self, text: String, action: bool) {
        let body = match action {
            false => Body::Message(text.clone()),
            true => Body::Action {
                text: text.clone(),
                historic_id: false,
            },
        };
        let broadcast = Broadcast {
            origin: self.client_id,
            number: self.next_number(),
            body,
        };
        let id = self.classic_message(&broadcast, &text, action, true);
        let own = vec![(id, broadcast.number, Packet::Broadcast(broadcast).encode())];
        self.deliver(id, own);
    }

    /// "A broadcast is acted on once per (origin, number), then passed on to the links other than the one it came
    /// from." Its number may jump.
    pub(super) fn handle_broadcast(&mut self, from: SocketAddr, sender: ClientId, broadcast: Broadcast) {
        if broadcast.origin == self.client_id {
            self.stats.duplicates += 1;
            return;
        }
        if self.is_seen(seen_key(&broadcast)) {
            return;
        }
        // What has come before may be a recording: only news shows that a link lives.
        if let Some(link) = self.links.get_mut(&sender)
            && link.address == from
        {
            link.heard();
        }
        if self.act_on_broadcast(&broadcast) {
            self.send_to_links(&Packet::Broadcast(broadcast).encode(), Some(sender));
        }
    }
}

/// What a classic broadcast is known by.
fn seen_key(broadcast: &Broadcast) -> [u8; 32] {
    crate::crypto::hash(&[&broadcast.origin.0, &broadcast.number.to_be_bytes()])
}
