//! Whether links are still there: one side of each asks from time to time, the other answers, and both compare what they know.

use std::net::SocketAddr;
use std::time::Duration;

use super::bucket::{self, Rate};
use super::links::Link;
use super::{Kind, Node};
use crate::id::ClientId;
use crate::wire::{Keepalive, Packet, TokenCounter};

/// Every so often one side of a link asks the other whether it is there, and both compare what they know (the
/// document's keepalive).
const KEEPALIVE: Duration = Duration::from_secs(15);

/// And again after so long, a guess: five times a slow round trip.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// Unanswered questions that end a link. At 20 % loss each way one question in 20 would end it falsely, were the link
/// silent otherwise; it is made anew at once. A guess.
const UNANSWERED: u8 = 3;

/// Keepalives of one link that are looked into, and answered if they ask. A guess: more than somebody sends whose network
/// changes every few seconds.
const ANSWERED: Rate = Rate::per_second(1.0, 10.0);

impl Node {
    /// Asks silent links whether they are there; ends those that do not answer.
    pub(super) fn look_after_links(&mut self) {
        let now = self.now.elapsed;
        let mut lost = Vec::new();
        let mut silent = Vec::new();
        for (client_id, link) in &mut self.links {
            let wait = if link.unanswered == 0 {
                KEEPALIVE
            } else {
                ASK_AGAIN
            };
            if now.saturating_sub(link.asked_at) < wait {
                continue;
            }
            if link.unanswered >= UNANSWERED {
                lost.push(*client_id);
                continue;
            }
            link.unanswered += 1;
            link.asked_at = now;
            silent.push(*client_id);
        }
        for client_id in silent {
            self.ask_whether_there(client_id);
        }
        for client_id in lost {
            if let Some(link) = self.end_link(&client_id, false) {
                self.link_lost(client_id, &link);
            }
        }
        self.look_around();
    }

    /// After sleep or on another network: every link is asked at once, and every address tried again.
    pub(super) fn prove_links_again(&mut self) {
        let now = self.now.elapsed;
        let linked: Vec<(ClientId, SocketAddr)> =
            self.links.iter().map(|(id, link)| (*id, link.address)).collect();
        for (client_id, address) in linked {
            self.prove_link(client_id);
            // Our own address may be another now: a link to it can only be made anew.
            let client_id = self.name_for_connect(client_id);
            self.connect(client_id, address);
        }
        self.next_tick = now;
    }

    /// Asks a link now whether it is there, and what it knows, whenever it was asked last.
    pub(super) fn prove_link(&mut self, client_id: ClientId) {
        if let Some(link) = self.links.get_mut(&client_id) {
            link.unanswered = 1;
            link.asked_at = self.now.elapsed;
        }
        self.ask_whether_there(client_id);
    }

    fn ask_whether_there(&mut self, client_id: ClientId) {
        let Some(link) = self.links.get_mut(&client_id) else {
            return;
        };
        let address = link.address;
        match link.next_token() {
            None => self.ask_link_for_nodes(client_id, address),
            Some(t) => {
                let echo = self.now.elapsed.as_millis() as u64 + 1;
                self.send_keepalive(client_id, address, t, echo, 0);
            }
        }
        self.wake_soon();
    }

    fn send_keepalive(&mut self, to: ClientId, address: SocketAddr, t: TokenCounter, echo: u64, echoed: u64) {
        let Kind::Signed(signed) = &self.kind else { return };
        let keepalive = Keepalive {
            t,
            echo,
            echoed,
            facts_root: signed.facts_root(),
            roster: self.roster_fingerprint(),
        };
        self.send(address, to, &Packet::Keepalive(keepalive));
    }

    /// A keepalive with an `echo` asks; one without answers.
    pub(super) fn handle_keepalive(&mut self, from: SocketAddr, sender: ClientId, keepalive: Keepalive) {
        if !self.accept_token(from, sender, &keepalive.t) {
            return;
        }
        let now = self.now.elapsed;
        let Some(link) = self.links.get_mut(&sender) else {
            return;
        };
        // Each costs a hash of who is there, and an answer.
        if !bucket::take(&mut link.keepalives, ANSWERED, now) {
            return self.drop_packet("keepalive_budget");
        }
        if keepalive.echoed != 0 {
            let sent_at = Duration::from_millis(keepalive.echoed - 1);
            link.round_trip = Some(now.saturating_sub(sent_at));
        }
        if keepalive.echo != 0
            && let Some(t) = link.next_token()
        {
            // It has asked: we need not.
            link.asked_at = now;
            self.send_keepalive(sender, from, t, 0, keepalive.echo);
        }
        self.compare_with(sender, &keepalive);
    }

    /// A link ended for silence.
    fn link_lost(&mut self, client_id: ClientId, link: &Link) {
        self.peers.remove(&client_id);
        match &self.kind {
            Kind::Classic(_) => {}
            Kind::Signed(_) => self.report_gone(client_id),
        }
        // It may be back under the same address, or be reachable again later.
        if self.links.is_empty() {
            let client_id = self.name_for_connect(client_id);
            self.connect(client_id, link.address);
        }
    }

    /// What to call a peer that may be back: in a signed chat it has a new session then, and the gate finds it.
    fn name_for_connect(&self, client_id: ClientId) -> Option<ClientId> {
        matches!(self.kind, Kind::Classic(_)).then_some(client_id)
    }
}
