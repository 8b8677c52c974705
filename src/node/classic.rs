//! A classic chat: the base protocol and nothing else, over the overlay. Who is in it is what new_peer, ban_peer, ping, quit,
//! names and statuses tell.
//!
//! Deviations from the document, all in what we send and none in what we take: a name (and a status other than
//! online, and a topic that we set) is told again after somebody new has come, at most every 30 s, since the
//! document leaves newcomers without names; the historic implementation did so at once for each join, and flooded.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use hashlink::LruCache;

use super::config::ClassicState;
use super::core::Core;
use super::overlay::{Choice, Link, MAX_LINKS, Overlay, Ring, WANTED};
use super::{Input, NodeEvent, NodeMember, NodeMessage, Role, SEEN};
use crate::crypto;
use crate::id::{ClientId, MemberId, MessageId};
use crate::wire::{Body, Broadcast, Header, NodeAddress, Packet, SendNodes};

/// Keys that may be announced.
const MAX_KEYS: usize = 4_096;

/// Banned keys remembered.
const MAX_BANNED: usize = 4_096;

/// Somebody who was heard of and has been silent for so many ping periods is gone: two pings were missed. A guess.
const SILENT_PERIODS: f64 = 2.5;

/// After somebody came, our name is told again so much later at the earliest, and so seldom. Guesses.
const TELL_NAME_AFTER: Duration = Duration::from_secs(2);
const TELL_NAME_EVERY: Duration = Duration::from_secs(30);

/// Own messages that wait for a first link. A guess: more than anybody types while cut off; some 900 bytes each at most.
const MAX_WAITING: usize = 256;

/// A classic chat.
pub(super) struct Classic {
    core: Core,
    overlay: Overlay,
    known: Known,
    /// Broadcasts that have come, by a hash of origin and number.
    seen: LruCache<[u8; 32], ()>,
    /// Own messages that wait for a first link.
    waiting: VecDeque<(MessageId, Vec<u8>)>,
    topic: String,
    topic_is_ours: bool,
    ping_every: Duration,
    next_ping: Duration,
    /// When to tell our name again.
    tell_name_at: Option<Duration>,
    told_name_at: Option<Duration>,
}

/// Somebody who was heard.
#[derive(Debug, Clone)]
struct Heard {
    nick: String,
    status: u8,
    heard_at: Duration,
}

/// Who is in the chat.
#[derive(Debug)]
struct Known {
    own: ClientId,
    /// Keys that are in the chat, with when they were announced; those in `heard` among them.
    announced: BTreeMap<ClientId, Duration>,
    heard: BTreeMap<ClientId, Heard>,
    banned: BTreeSet<ClientId>,
}

impl Known {
    fn is_in_chat(&self, client_id: &ClientId) -> bool {
        self.announced.contains_key(client_id)
    }

    /// A key is in the chat now. False for a banned one. A key that was never heard makes room, the oldest first.
    fn announce(&mut self, client_id: ClientId, now: Duration) -> bool {
        if self.banned.contains(&client_id) {
            return false;
        }
        if self.announced.contains_key(&client_id) {
            return true;
        }
        if self.announced.len() >= MAX_KEYS {
            let unconfirmed = self
                .announced
                .iter()
                .filter(|(key, _)| !self.heard.contains_key(key));
            let Some(leaving) = unconfirmed.min_by_key(|(_, at)| **at).map(|(key, _)| *key) else {
                return false;
            };
            self.announced.remove(&leaving);
        }
        self.announced.insert(client_id, now);
        true
    }
}

/// Ring places are client_ids.
impl Ring for Known {
    fn place(&self, client_id: &ClientId) -> Option<[u8; 32]> {
        Some(client_id.0)
    }

    fn own_place(&self) -> [u8; 32] {
        self.own.0
    }

    fn has_more_than(&self, count: usize) -> bool {
        self.announced.len() > count
    }

    fn is_met(&self, _: &ClientId) -> bool {
        true
    }
}

impl Classic {
    pub(super) fn new(core: Core, state: ClassicState) -> Self {
        let now = core.now();
        let announced = state.known.into_iter().map(|client_id| (client_id, now));
        let known = Known {
            own: core.client_id(),
            announced: announced.take(MAX_KEYS).collect(),
            heard: BTreeMap::new(),
            banned: BTreeSet::new(),
        };
        Self {
            overlay: Overlay::new(now),
            known,
            seen: LruCache::new(SEEN),
            waiting: VecDeque::new(),
            topic: String::new(),
            topic_is_ours: false,
            ping_every: state.ping_every,
            next_ping: now + state.ping_every,
            tell_name_at: None,
            told_name_at: None,
            core,
        }
    }

    pub(super) fn core(&self) -> &Core {
        &self.core
    }

    pub(super) fn core_mut(&mut self) -> &mut Core {
        &mut self.core
    }

    pub(super) fn overlay(&self) -> &Overlay {
        &self.overlay
    }

    pub(super) fn topic(&self) -> &str {
        &self.topic
    }

    /// Whether one more own message can be said: not while very many wait.
    pub(super) fn has_room_to_say(&self) -> bool {
        self.waiting.len() < MAX_WAITING
    }

    /// Who was heard, and who is only announced: those are not shown as there.
    pub(super) fn members(&self) -> Vec<NodeMember> {
        let Known { announced, heard, .. } = &self.known;
        announced
            .keys()
            .map(|client_id| {
                let heard = heard.get(client_id);
                NodeMember {
                    member: MemberId::from(*client_id),
                    nick: heard.map(|heard| heard.nick.clone()).unwrap_or_default(),
                    role: Role::Member,
                    status: heard.map_or(0, |heard| heard.status),
                    online: heard.is_some(),
                    own: false,
                    since_ms: 0,
                    banned: false,
                }
            })
            .collect()
    }

    /// What is of signed chats alone does nothing here.
    pub(super) fn handle(&mut self, input: Input<'_>) {
        match input {
            Input::Datagram { from, bytes } => self.on_datagram(from, bytes),
            Input::Connect { client_id, address } => self.connect(client_id, address),
            Input::Admit(client_id) => self.admit(client_id),
            Input::Say { text, action } => self.say(text, action),
            Input::SetNick(nick) => {
                self.core.set_nick(nick.clone());
                self.broadcast(Body::Name(nick));
            }
            Input::SetTopic { topic, .. } => {
                self.broadcast(Body::Topic(topic.clone()));
                self.take_topic(topic, self.core.member());
            }
            Input::SetStatus(status) => {
                self.core.set_status(status);
                self.broadcast(Body::Status(status));
            }
            Input::NetworkChanged => self.prove_links_again(),
            Input::FetchOlder { .. } => self.core.emit(NodeEvent::HistoryProgress {
                fetched: 0,
                done: true,
                more: false,
            }),
            Input::Quit => self.quit(),
            Input::Moderate(_)
            | Input::ConnectToHeardOf(_)
            | Input::TakeInvite(_)
            | Input::WorkDone(_)
            | Input::KeepFrom(_)
            | Input::Found { .. }
            | Input::Resend(_)
            | Input::Timeout => {}
        }
        if self.core.is_time_to_tick() {
            self.tick();
        }
        // A link that ends leaves nothing behind here.
        while self.core.next_effect().is_some() {}
    }

    /// "A packet is taken only if it is addressed to our client_id, opens, comes from a client_id that is in the
    /// chat, and its body has exactly the form above." The cheap checks come first.
    fn on_datagram(&mut self, from: SocketAddr, bytes: &[u8]) {
        let Some((header, sealed)) = super::split(&mut self.core, bytes) else {
            return;
        };
        if header.receiver != self.core.client_id() {
            return self.core.drop_packet("not_for_us");
        }
        let Header { sender, .. } = header;
        if !self.known.is_in_chat(&sender) {
            return self.core.drop_packet("not_in_chat");
        }
        let Some(packet) = self.core.open(&header, sealed) else {
            return;
        };
        match packet {
            Packet::GetNodes { ping_id } => {
                let (core, known) = (&mut self.core, &self.known);
                let is_unproved = self.overlay.on_get_nodes(core, known, from, sender, ping_id);
                if is_unproved {
                    // It asked us, so it is there: worth knowing, once it has answered us too.
                    self.probe(sender, from, false);
                }
            }
            Packet::SendNodes(answer) => self.on_send_nodes(from, sender, answer),
            Packet::Broadcast(broadcast) => self.on_broadcast(from, sender, broadcast),
            _ => self.core.drop_packet("kind_of_signed_chats"),
        }
    }

    fn on_send_nodes(&mut self, from: SocketAddr, sender: ClientId, answer: SendNodes) {
        let is_asked_for = self
            .overlay
            .take_asked_for_nodes(&mut self.core, from, sender, &answer);
        if !is_asked_for {
            return;
        }
        self.overlay.proved(&mut self.core, sender, from);
        self.peer_proved(sender, from);
        for node in answer.nodes {
            self.hear_of(node, from);
        }
        self.core.wake_soon();
    }

    /// A peer told of a node.
    fn hear_of(&mut self, node: NodeAddress, teller: SocketAddr) {
        if self.overlay.believes(&mut self.core, &node, teller)
            && self.known.announce(node.client_id, self.core.now())
        {
            self.overlay.hear_of(&mut self.core, node);
        }
    }

    /// "A broadcast is acted on once per (origin, number), then passed on to the links other than the one it came
    /// from." Its number may jump.
    fn on_broadcast(&mut self, from: SocketAddr, sender: ClientId, broadcast: Broadcast) {
        if broadcast.origin == self.core.client_id() {
            return self.core.count_duplicate();
        }
        let key = crypto::hash(&[&broadcast.origin.0, &broadcast.number.to_be_bytes()]);
        if self.seen.insert(key, ()).is_some() {
            return self.core.count_duplicate();
        }
        // What has come before may be a recording: only news shows that a link lives.
        if self.overlay.is_link_at(&sender, from) {
            self.overlay.heard(&sender);
        }
        if self.act_on(&broadcast) {
            self.send_to_links(&Packet::Broadcast(broadcast).encode(), Some(sender));
        }
    }

    /// Acts on a broadcast that came for the first time. False: it is not to be passed on.
    fn act_on(&mut self, broadcast: &Broadcast) -> bool {
        let origin = broadcast.origin;
        if self.known.banned.contains(&origin) {
            self.core.drop_packet("banned");
            return false;
        }
        if broadcast.body == Body::Quit {
            self.gone(origin, true);
            return true;
        }
        self.heard(origin);
        let member = MemberId::from(origin);
        match &broadcast.body {
            Body::NewPeer(client_id) => self.take_new_peer(*client_id),
            Body::BanPeer(client_id) => self.take_ban(*client_id, member),
            Body::Topic(topic) => self.take_topic(topic.clone(), member),
            Body::Name(nick) => self.take_nick(origin, nick.clone()),
            Body::Status(status) => self.take_status(origin, *status),
            Body::Message(text) => {
                self.tell_message(broadcast, text, false, false);
            }
            Body::Action { text, .. } => {
                self.tell_message(broadcast, text, true, false);
            }
            Body::Ping | Body::Quit => {}
            Body::Gone(_) | Body::Part(_) | Body::Unknown { .. } => return false,
        }
        true
    }

    /// Broadcasts, if there is a link: the number does not run up meanwhile.
    fn broadcast(&mut self, body: Body) {
        if self.overlay.has_links() {
            let broadcast = Broadcast {
                origin: self.core.client_id(),
                number: self.core.next_number(),
                body,
            };
            self.send_to_links(&Packet::Broadcast(broadcast).encode(), None);
        }
    }

    /// Sends a sealed copy to every link but one. How many.
    fn send_to_links(&mut self, plain: &[u8], except: Option<ClientId>) -> u32 {
        let mut count = 0;
        for (client_id, link) in self.overlay.links() {
            if Some(*client_id) != except {
                self.core.send_plain(link.address(), *client_id, plain);
                count += 1;
            }
        }
        count
    }

    fn say(&mut self, text: String, action: bool) {
        if !self.has_room_to_say() {
            return self.core.drop_packet("outbox_full");
        }
        let body = match action {
            false => Body::Message(text.clone()),
            true => Body::Action {
                text: text.clone(),
                historic_id: false,
            },
        };
        let broadcast = Broadcast {
            origin: self.core.client_id(),
            number: self.core.next_number(),
            body,
        };
        let id = self.tell_message(&broadcast, &text, action, true);
        self.waiting
            .push_back((id, Packet::Broadcast(broadcast).encode()));
        self.empty_outbox();
        if !self.waiting.is_empty() {
            self.core.emit(NodeEvent::Delivery { id, links: 0 });
        }
    }

    /// Sends what waited for a first link.
    fn empty_outbox(&mut self) {
        while self.overlay.has_links()
            && let Some((id, plain)) = self.waiting.pop_front()
        {
            let links = self.send_to_links(&plain, None);
            self.core.emit(NodeEvent::Delivery { id, links });
        }
    }

    /// Says goodbye and ends all links.
    fn quit(&mut self) {
        self.broadcast(Body::Quit);
        let linked: Vec<ClientId> = self.overlay.linked().copied().collect();
        for client_id in linked {
            self.overlay.end_link(&mut self.core, &client_id, true);
        }
    }

    /// We are told to try an address.
    fn connect(&mut self, client_id: Option<ClientId>, address: SocketAddr) {
        if client_id == Some(self.core.client_id()) {
            return;
        }
        if let Some(client_id) = client_id {
            self.known.announce(client_id, self.core.now());
        }
        self.overlay.connect(&mut self.core, client_id, address, false);
    }

    /// Broadcasts that a key is in the chat.
    fn admit(&mut self, client_id: ClientId) {
        self.known.banned.remove(&client_id);
        self.known.announce(client_id, self.core.now());
        self.broadcast(Body::NewPeer(client_id));
    }

    /// Asks a session for nodes, which proves its address, within the budgets.
    fn probe(&mut self, client_id: ClientId, address: SocketAddr, hearsay: bool) -> bool {
        if !self
            .overlay
            .try_probe(&self.core, Some(client_id), address, hearsay)
        {
            return false;
        }
        let question = Overlay::ask_for_nodes(&mut self.core, client_id, address);
        self.overlay.asked(&mut self.core, question, address, hearsay);
        true
    }

    /// An address was proved: the peer becomes a link if links are wanting.
    fn peer_proved(&mut self, client_id: ClientId, address: SocketAddr) {
        self.heard(client_id);
        if self.overlay.is_linked(&client_id) {
            return self.overlay.proved_again(&client_id, address);
        }
        if self.overlay.link_count() < WANTED {
            self.add_link(client_id, address);
        }
    }

    fn add_link(&mut self, client_id: ClientId, address: SocketAddr) {
        let now = self.core.now();
        let link = Link::new(MemberId::from(client_id), address, now);
        let added = self.overlay.add_link(&mut self.core, client_id, link);
        if added.is_first {
            self.tell_name_at = Some(now);
            self.empty_outbox();
        }
        self.core.wake_soon();
    }

    /// Everything that happens by itself: late answers, silent links, too few links, announcements.
    fn tick(&mut self) {
        let now = self.core.now();
        self.overlay.forget_late_probes(now);
        for (client_id, address, hearsay) in self.overlay.take_due_targets(now) {
            if let Some(client_id) = client_id {
                self.probe(client_id, address, hearsay);
            }
        }
        self.look_after_links();
        self.core.look_after_clock();
        self.choose_links();
        self.look_after_chat();
        self.core.ticked(self.overlay.is_busy());
        self.empty_outbox();
    }

    /// Asks silent links whether they are there; ends those that do not answer.
    fn look_after_links(&mut self) {
        let silent = self.overlay.note_silent(self.core.now());
        for client_id in silent.ask {
            self.ask_whether_there(client_id);
        }
        for client_id in silent.lost {
            let Some(address) = self.overlay.link(&client_id).map(Link::address) else {
                continue;
            };
            self.overlay.end_link(&mut self.core, &client_id, false);
            self.overlay.forget_peer(&client_id);
            // It may be back under the same address, or be reachable again later.
            if !self.overlay.has_links() {
                self.connect(Some(client_id), address);
            }
        }
        self.overlay.look_around(&mut self.core, &self.known);
    }

    fn ask_whether_there(&mut self, client_id: ClientId) {
        if let Some(address) = self.overlay.link(&client_id).map(Link::address) {
            self.overlay
                .ask_link_for_nodes(&mut self.core, client_id, address);
            self.core.wake_soon();
        }
    }

    /// After sleep or on another network: every link is asked at once, and every address tried again.
    fn prove_links_again(&mut self) {
        let now = self.core.now();
        let links = self.overlay.links();
        let linked: Vec<(ClientId, SocketAddr)> = links.map(|(id, link)| (*id, link.address())).collect();
        for (client_id, address) in linked {
            self.overlay.note_asked(&client_id, now);
            self.ask_whether_there(client_id);
            self.connect(Some(client_id), address);
        }
        self.core.wake_now();
    }

    /// Links to the ring neighbours, and to others at random up to the number wanted; drops what is too many. A link is ours
    /// alone to keep, so the number is kept at what is wanted as soon as the chat is larger than links can be.
    fn choose_links(&mut self) {
        let Some(mut choice) = self.overlay.begin_choice(&self.core, &self.known) else {
            return;
        };
        let neighbours = choice.neighbours().to_vec();
        for client_id in &neighbours {
            if !self.overlay.is_linked(client_id) {
                self.approach(*client_id);
            }
        }
        let mut missing = WANTED.saturating_sub(self.overlay.link_count());
        while missing > 0
            && let Some(client_id) = choice.any(&mut self.core)
        {
            missing -= usize::from(self.approach(client_id));
        }
        self.make_mutual(&choice);
        let most = if self.known.has_more_than(MAX_LINKS) {
            WANTED
        } else {
            MAX_LINKS
        };
        let (core, known) = (&mut self.core, &self.known);
        while self.overlay.end_surplus(core, known, &neighbours, most) {}
        self.overlay.say_which_is_only(core);
        self.overlay.note_neighbours(&neighbours);
    }

    /// A link to one who is not linked to us gives way to another.
    fn make_mutual(&mut self, choice: &Choice) {
        if let Some((leaving, client_id)) = self.overlay.one_sided(&mut self.core, choice)
            && self.approach(client_id)
        {
            self.overlay.end_link(&mut self.core, &leaving, false);
        }
    }

    /// Takes the steps to a link with a peer. Whether one was taken.
    fn approach(&mut self, client_id: ClientId) -> bool {
        if self.overlay.is_probing(&client_id) {
            return true;
        }
        let Some(peer) = self.overlay.whereabouts(&client_id, self.core.now()) else {
            return false;
        };
        if peer.is_fresh {
            self.add_link(client_id, peer.address);
            return true;
        }
        self.probe(client_id, peer.address, peer.is_hearsay)
    }

    /// Pings, our name for newcomers, and goodbye to the silent. Nothing is sent while no link stands: the number
    /// does not run up meanwhile (as it did in the historic implementation).
    fn look_after_chat(&mut self) {
        let now = self.core.now();
        let has_links = self.overlay.has_links();
        let jitter = self.core.random_below(10_000) as u64;
        let silent_for = self.ping_every.mul_f64(SILENT_PERIODS);
        let silent = self.known.heard.iter();
        let silent = silent.filter(|(_, heard)| now.saturating_sub(heard.heard_at) > silent_for);
        let silent: Vec<ClientId> = silent.map(|(client_id, _)| *client_id).collect();
        let mut say = Vec::new();
        if has_links && now >= self.next_ping {
            self.next_ping = now + self.ping_every - Duration::from_secs(5) + Duration::from_millis(jitter);
            say.push(Body::Ping);
        }
        if has_links && self.tell_name_at.is_some_and(|at| now >= at) {
            self.tell_name_at = None;
            self.told_name_at = Some(now);
            let (nick, status) = (self.core.nick(), self.core.status());
            say.extend((!nick.is_empty()).then(|| Body::Name(nick.into())));
            say.extend((status != 0).then_some(Body::Status(status)));
            say.extend(self.topic_is_ours.then(|| Body::Topic(self.topic.clone())));
        }
        for client_id in silent {
            self.gone(client_id, false);
        }
        for body in say {
            self.broadcast(body);
        }
    }

    /// A member was heard, directly or passed on.
    fn heard(&mut self, client_id: ClientId) {
        let now = self.core.now();
        if let Some(heard) = self.known.heard.get_mut(&client_id) {
            heard.heard_at = now;
            return;
        }
        if !self.known.announce(client_id, now) {
            return;
        }
        let heard = Heard {
            nick: String::new(),
            status: 0,
            heard_at: now,
        };
        self.known.heard.insert(client_id, heard);
        self.somebody_came();
        self.core.emit(NodeEvent::MemberJoined {
            member: client_id.into(),
            nick: String::new(),
            status: 0,
        });
    }

    fn somebody_came(&mut self) {
        let now = self.core.now();
        let earliest = self.told_name_at.map_or(now, |at| at + TELL_NAME_EVERY);
        self.tell_name_at
            .get_or_insert(earliest.max(now + TELL_NAME_AFTER));
    }

    fn take_new_peer(&mut self, client_id: ClientId) {
        if client_id == self.core.client_id() {
            return;
        }
        // Announced anew, a banned key is in again: nothing in the base protocol says who may do which.
        self.known.banned.remove(&client_id);
        if !self.known.is_in_chat(&client_id) && self.known.announce(client_id, self.core.now()) {
            self.somebody_came();
        }
    }

    fn take_ban(&mut self, client_id: ClientId, by: MemberId) {
        if self.known.banned.len() < MAX_BANNED {
            self.known.banned.insert(client_id);
        }
        self.known.announced.remove(&client_id);
        self.known.heard.remove(&client_id);
        self.overlay.forget_peer(&client_id);
        self.overlay.end_link(&mut self.core, &client_id, false);
        self.core.emit(NodeEvent::Banned {
            member: client_id.into(),
            by,
            reason: String::new(),
            hide_all: false,
        });
    }

    fn take_topic(&mut self, topic: String, by: MemberId) {
        self.topic_is_ours = by == self.core.member();
        if self.topic == topic {
            return;
        }
        self.topic.clone_from(&topic);
        self.core.emit(NodeEvent::TopicChanged {
            topic,
            locked: false,
            by,
        });
    }

    fn take_nick(&mut self, origin: ClientId, nick: String) {
        let Some(heard) = self.known.heard.get_mut(&origin) else {
            return;
        };
        if heard.nick != nick {
            heard.nick.clone_from(&nick);
            self.core.emit(NodeEvent::NickChanged {
                member: origin.into(),
                nick,
            });
        }
    }

    fn take_status(&mut self, origin: ClientId, status: u8) {
        let Some(heard) = self.known.heard.get_mut(&origin) else {
            return;
        };
        if heard.status != status {
            heard.status = status;
            self.core.emit(NodeEvent::StatusChanged {
                member: origin.into(),
                status,
            });
        }
    }

    /// A message, or one of our own, as an event. Its id is a hash of what the base protocol has to tell it by.
    fn tell_message(&mut self, broadcast: &Broadcast, text: &str, action: bool, own: bool) -> MessageId {
        let mut said = broadcast.origin.0.to_vec();
        said.extend(broadcast.number.to_be_bytes());
        let id = MessageId(crypto::hash(&[b"throng/1 classic\0", &said, text.as_bytes()]));
        self.core.emit(NodeEvent::Message(NodeMessage {
            id,
            member: broadcast.origin.into(),
            client_id: broadcast.origin,
            number: broadcast.number,
            at_ms: self.core.own_ms(),
            place: self.core.own_ms() << 16,
            action,
            text: text.to_owned(),
            own,
            signed: Vec::new(),
            history: false,
        }));
        id
    }

    /// Somebody said goodbye, or has been silent too long.
    fn gone(&mut self, client_id: ClientId, quit: bool) {
        let was_there = self.known.heard.remove(&client_id).is_some();
        if quit {
            self.known.announced.remove(&client_id);
            self.overlay.forget_peer(&client_id);
            self.overlay.end_link(&mut self.core, &client_id, false);
        }
        if was_there {
            self.core.emit(NodeEvent::MemberLeft {
                member: client_id.into(),
                quit,
            });
        }
    }
}
