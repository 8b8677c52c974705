//! Who is in a classic chat, by what the base protocol tells: new_peer, ban_peer, ping, quit, names, status, topic.
//!
//! Deviations from the document, all in what we send and none in what we take: a name (and a status other than
//! online, and a topic that we set) is told again after somebody new has come, at most every 30 s, since the
//! document leaves newcomers without names; the historic implementation did so at once for each join, and flooded.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use super::config::ClassicState;
use super::links::{Link, WANTED};
use super::{Kind, Node, NodeEvent, NodeMember, NodeMessage, Now, Role};
use crate::crypto;
use crate::id::{ClientId, MemberId, MessageId};
use crate::wire::{Body, Broadcast};

/// Keys that may be announced (threats.md, row 19).
const MAX_KEYS: usize = 4_096;

/// Banned keys remembered.
const MAX_BANNED: usize = 4_096;

/// Somebody who was heard of and has been silent for so many ping periods is gone: two pings were missed. A guess.
const SILENT_PERIODS: f64 = 2.5;

/// After somebody came, our name is told again so much later at the earliest, and so seldom. Guesses.
const TELL_NAME_AFTER: Duration = Duration::from_secs(2);
const TELL_NAME_EVERY: Duration = Duration::from_secs(30);

/// Somebody who was heard.
#[derive(Debug, Clone)]
struct Heard {
    nick: String,
    status: u8,
    heard_at: Duration,
}

/// The state of a classic chat.
#[derive(Debug)]
pub(super) struct Classic {
    /// Keys that are in the chat, with when they were announced; those in `heard` among them.
    announced: BTreeMap<ClientId, Duration>,
    heard: BTreeMap<ClientId, Heard>,
    banned: BTreeSet<ClientId>,
    topic: String,
    topic_is_ours: bool,
    ping_every: Duration,
    next_ping: Duration,
    /// When to tell our name again.
    tell_name_at: Option<Duration>,
    told_name_at: Option<Duration>,
}

impl Classic {
    pub(super) fn new(state: ClassicState, now: &Now) -> Self {
        Self {
            announced: state
                .known
                .into_iter()
                .take(MAX_KEYS)
                .map(|key| (key, now.elapsed))
                .collect(),
            heard: BTreeMap::new(),
            banned: BTreeSet::new(),
            topic: String::new(),
            topic_is_ours: false,
            ping_every: state.ping_every,
            next_ping: now.elapsed + state.ping_every,
            tell_name_at: None,
            told_name_at: None,
        }
    }

    pub(super) fn is_in_chat(&self, client_id: &ClientId) -> bool {
        self.announced.contains_key(client_id)
    }

    /// Others in the chat.
    pub(super) fn count(&self) -> usize {
        self.announced.len()
    }

    pub(super) fn topic(&self) -> &str {
        &self.topic
    }

    /// Who was heard, and who is only announced: those are not shown as there.
    pub(super) fn members(&self) -> Vec<NodeMember> {
        self.announced
            .keys()
            .map(|client_id| {
                let heard = self.heard.get(client_id);
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

    /// A key is in the chat now. False for a banned one. "Classic's announced keys 4,096, unconfirmed leave first":
    /// a key that was never heard makes room, the oldest first.
    pub(super) fn announce(&mut self, client_id: ClientId, now: Duration) -> bool {
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

    /// Tells our name once the first link stands.
    pub(super) fn announce_self_soon(&mut self, now: Duration) {
        self.tell_name_at = Some(now);
    }

    fn somebody_came(&mut self, now: Duration) {
        let earliest = self.told_name_at.map_or(now, |at| at + TELL_NAME_EVERY);
        self.tell_name_at = Some(self.tell_name_at.unwrap_or(earliest.max(now + TELL_NAME_AFTER)));
    }
}

impl Node {
    /// Broadcasts that a key is in the chat.
    pub(super) fn admit(&mut self, client_id: ClientId) {
        let Kind::Classic(classic) = &mut self.kind else {
            return;
        };
        classic.banned.remove(&client_id);
        classic.announce(client_id, self.now.elapsed);
        self.broadcast(Body::NewPeer(client_id));
    }

    /// An address was proved: the peer becomes a link if links are wanting.
    pub(super) fn classic_peer_proved(&mut self, client_id: ClientId, address: SocketAddr) {
        let now = self.now.elapsed;
        self.classic_heard(client_id);
        if let Some(link) = self.links.get_mut(&client_id) {
            // "A packet from elsewhere never moves a link; it starts a new probe": this is the probe's answer, and
            // it moves the link only when the old address has fallen silent.
            if link.address == address {
                link.heard();
            } else if link.is_waiting() {
                link.address = address;
                link.heard();
            }
            return;
        }
        if self.links.len() < WANTED {
            self.add_link(
                client_id,
                Link::new(MemberId::from(client_id), address, None, now),
            );
        }
    }

    /// A member was heard, directly or passed on.
    fn classic_heard(&mut self, client_id: ClientId) {
        let now = self.now.elapsed;
        let Kind::Classic(classic) = &mut self.kind else {
            return;
        };
        if let Some(heard) = classic.heard.get_mut(&client_id) {
            heard.heard_at = now;
            return;
        }
        if !classic.announce(client_id, now) {
            return;
        }
        classic.heard.insert(
            client_id,
            Heard {
                nick: String::new(),
                status: 0,
                heard_at: now,
            },
        );
        classic.somebody_came(now);
        self.emit(NodeEvent::MemberJoined {
            member: client_id.into(),
            nick: String::new(),
            status: 0,
        });
    }

    /// Acts on a broadcast that came for the first time. False: it is not to be passed on.
    pub(super) fn act_on_broadcast(&mut self, broadcast: &Broadcast) -> bool {
        let origin = broadcast.origin;
        let Kind::Classic(classic) = &mut self.kind else {
            return false;
        };
        if classic.banned.contains(&origin) {
            self.drop_packet("banned");
            return false;
        }
        if broadcast.body == Body::Quit {
            self.classic_gone(origin, true);
            return true;
        }
        self.classic_heard(origin);
        let member = MemberId::from(origin);
        match &broadcast.body {
            Body::NewPeer(client_id) => self.classic_new_peer(*client_id),
            Body::BanPeer(client_id) => self.classic_ban(*client_id, member),
            Body::Topic(topic) => self.classic_topic(topic.clone(), member),
            Body::Name(nick) => self.classic_nick(origin, nick.clone()),
            Body::Status(status) => self.classic_status(origin, *status),
            Body::Message(text) => {
                self.classic_message(broadcast, text, false, false);
            }
            Body::Action { text, .. } => {
                self.classic_message(broadcast, text, true, false);
            }
            Body::Ping | Body::Quit => {}
            Body::Gone(_) | Body::Part(_) | Body::Unknown { .. } => return false,
        }
        true
    }

    fn classic_new_peer(&mut self, client_id: ClientId) {
        if client_id == self.client_id {
            return;
        }
        let Kind::Classic(classic) = &mut self.kind else {
            return;
        };
        // Announced anew, a banned key is in again: nothing in the base protocol says who may do which.
        classic.banned.remove(&client_id);
        if !classic.is_in_chat(&client_id) && classic.announce(client_id, self.now.elapsed) {
            classic.somebody_came(self.now.elapsed);
        }
    }

    fn classic_ban(&mut self, client_id: ClientId, by: MemberId) {
        let Kind::Classic(classic) = &mut self.kind else {
            return;
        };
        if classic.banned.len() < MAX_BANNED {
            classic.banned.insert(client_id);
        }
        classic.announced.remove(&client_id);
        classic.heard.remove(&client_id);
        self.peers.remove(&client_id);
        self.end_link(&client_id, false);
        self.emit(NodeEvent::Banned {
            member: client_id.into(),
            by,
            reason: String::new(),
            hide_all: false,
        });
    }

    fn classic_topic(&mut self, topic: String, by: MemberId) {
        let own = self.member;
        let Kind::Classic(classic) = &mut self.kind else {
            return;
        };
        classic.topic_is_ours = by == own;
        if classic.topic == topic {
            return;
        }
        classic.topic.clone_from(&topic);
        self.emit(NodeEvent::TopicChanged {
            topic,
            locked: false,
            by,
        });
    }

    fn classic_nick(&mut self, origin: ClientId, nick: String) {
        let Kind::Classic(classic) = &mut self.kind else {
            return;
        };
        let Some(heard) = classic.heard.get_mut(&origin) else {
            return;
        };
        if heard.nick != nick {
            heard.nick.clone_from(&nick);
            self.emit(NodeEvent::NickChanged {
                member: origin.into(),
                nick,
            });
        }
    }

    fn classic_status(&mut self, origin: ClientId, status: u8) {
        let Kind::Classic(classic) = &mut self.kind else {
            return;
        };
        let Some(heard) = classic.heard.get_mut(&origin) else {
            return;
        };
        if heard.status != status {
            heard.status = status;
            self.emit(NodeEvent::StatusChanged {
                member: origin.into(),
                status,
            });
        }
    }

    /// A message, or one of our own, as an event. Its id is a hash of what the base protocol has to tell it by.
    pub(super) fn classic_message(
        &mut self,
        broadcast: &Broadcast,
        text: &str,
        action: bool,
        own: bool,
    ) -> MessageId {
        let mut said = broadcast.origin.0.to_vec();
        said.extend(broadcast.number.to_be_bytes());
        let id = MessageId(crypto::hash(&[b"throng/1 classic\0", &said, text.as_bytes()]));
        self.emit(NodeEvent::Message(NodeMessage {
            id,
            member: broadcast.origin.into(),
            client_id: broadcast.origin,
            number: broadcast.number,
            at_ms: self.now.unix_ms,
            place: self.now.unix_ms << 16,
            action,
            text: text.to_owned(),
            own,
            signed: Vec::new(),
            history: false,
        }));
        id
    }

    /// Somebody said goodbye, or has been silent too long.
    fn classic_gone(&mut self, client_id: ClientId, quit: bool) {
        let Kind::Classic(classic) = &mut self.kind else {
            return;
        };
        let was_there = classic.heard.remove(&client_id).is_some();
        if quit {
            classic.announced.remove(&client_id);
            self.peers.remove(&client_id);
            self.end_link(&client_id, false);
        }
        if was_there {
            self.emit(NodeEvent::MemberLeft {
                member: client_id.into(),
                quit,
            });
        }
    }

    /// Pings, our name for newcomers, and goodbye to the silent. Nothing is sent while no link stands: the number
    /// does not run up meanwhile (as it did in the historic implementation).
    pub(super) fn look_after_classic(&mut self) {
        let now = self.now.elapsed;
        let has_links = !self.links.is_empty();
        let jitter = self.random_below(10_000) as u64;
        let Kind::Classic(classic) = &mut self.kind else {
            return;
        };
        let silent_for = classic.ping_every.mul_f64(SILENT_PERIODS);
        let silent: Vec<ClientId> = classic
            .heard
            .iter()
            .filter(|(_, heard)| now.saturating_sub(heard.heard_at) > silent_for)
            .map(|(client_id, _)| *client_id)
            .collect();
        let mut say = Vec::new();
        if has_links && now >= classic.next_ping {
            classic.next_ping =
                now + classic.ping_every - Duration::from_secs(5) + Duration::from_millis(jitter);
            say.push(Body::Ping);
        }
        if has_links && classic.tell_name_at.is_some_and(|at| now >= at) {
            classic.tell_name_at = None;
            classic.told_name_at = Some(now);
            say.extend((!self.nick.is_empty()).then(|| Body::Name(self.nick.clone())));
            say.extend((self.status != 0).then_some(Body::Status(self.status)));
            say.extend(classic.topic_is_ours.then(|| Body::Topic(classic.topic.clone())));
        }
        for client_id in silent {
            self.classic_gone(client_id, false);
        }
        for body in say {
            self.broadcast(body);
        }
    }

    /// The topic is ours to tell again.
    pub(super) fn set_classic_topic(&mut self, topic: String) {
        self.broadcast(Body::Topic(topic.clone()));
        self.classic_topic(topic, self.member);
    }
}
