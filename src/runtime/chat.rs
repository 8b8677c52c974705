//! An open chat: its node, its socket, and its stored record.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::cause::Cause;
use super::clock::timestamp;
use super::network::LocalAddresses;
use super::outlet::Outlet;
use super::reconnect::{Reconnect, Target};
use super::socket::ChatSocket;
use super::sync::Sync;
use super::work::Work;
use crate::crypto::SigningKey;
use crate::id::{ClientId, InviteId, MemberId, MessageId};
use crate::invite::{Charter, Credential, InviteCertificate, InviteKey};
use crate::model::{
    ChatEvent, ChatKind, Event, LinkInfo, MemberInfo, Message, MessageBody, Role, Stats, Status, Tag,
};
use crate::node::{
    ClassicState, HistoryState, Input, Node, NodeConfig, NodeKind, NodeMember, Now, Refusal, SignedState,
    StoredFact,
};
use crate::store::ChatRecord;

/// After how long without a link the user is told that nobody answers.
pub(super) const UNREACHABLE_AFTER: Duration = Duration::from_secs(20);

/// How many own addresses, as others see them, are remembered: one for each network, and one from before a change.
const MAX_OBSERVED: usize = 4;

/// Tags of `connect` that wait for their link.
const MAX_CONNECT_TAGS: usize = 64;

/// How many nicks of present and former members are known. A node lists at most as many sessions; a guess.
const MAX_NICKS: usize = 10_000;

/// How many invite certificates are known from members who joined with them, 200 bytes each. A guess: the founder makes
/// invites one by one.
const MAX_CERTIFICATES: usize = 10_000;

/// An open chat.
pub(super) struct Chat {
    /// Its stored record, without the lists that only its node keeps.
    pub(super) record: ChatRecord,
    pub(super) node: Node,
    /// `None` if there is no free port: then nothing is sent or received.
    pub(super) socket: Option<ChatSocket>,
    pub(super) reconnect: Reconnect,
    /// When to say that nobody answers, unless a link is up before that.
    pub(super) unreachable_at: Option<Duration>,
    /// Why we are not let in, once this was reported, until the next attempt.
    pub(super) refusal: Option<Refusal>,
    /// The tag of the command by which we join, until it is known whether we are in.
    pub(super) join_tag: Option<Tag>,
    /// Work that the door asks for, until it is done.
    pub(super) work: Option<Work>,
    /// What waits for the store, and for what others have.
    pub(super) sync: Sync,
    /// The members whom the user ignores.
    pub(super) ignored: BTreeSet<MemberId>,
    /// The certificates of invites that were made here, and of those that others joined with.
    pub(super) certificates: BTreeMap<InviteId, InviteCertificate>,
    nicks: BTreeMap<MemberId, String>,
    /// The newest first.
    observed: Vec<SocketAddr>,
    connect_tags: Vec<(ClientId, Tag)>,
    /// Datagrams that the socket did not take, by cause.
    not_sent: BTreeMap<&'static str, u64>,
}

/// The stored record of a chat is inconsistent: somebody has changed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadRecord;

impl Chat {
    /// Starts a node for a stored chat, with a new session. `unsent`: own signed messages that were not sent, each with
    /// its hlc. `hearsay`: where members are said to be.
    pub(super) fn start(
        mut record: ChatRecord,
        unsent: BTreeMap<MessageId, u64>,
        hearsay: Vec<SocketAddr>,
        now: Now,
        seed: [u8; 32],
    ) -> Result<Self, BadRecord> {
        let admitted = std::mem::take(&mut record.admitted);
        let certificates = known_certificates(&record, &admitted);
        let (kind, invite_addresses) = match record.kind {
            ChatKind::Classic => (NodeKind::Classic(ClassicState::default()), Vec::new()),
            ChatKind::Private | ChatKind::Public => {
                let state = signed_state(&mut record, admitted, unsent)?;
                let addresses = match &state.invite_key {
                    Some(key) => key.addresses.iter().map(|seen| seen.address).collect(),
                    None => Vec::new(),
                };
                (NodeKind::Signed(Box::new(state)), addresses)
            }
        };
        let peers = match record.kind {
            // In a classic chat an address is useless without the session's key, which changes at each start.
            ChatKind::Classic => Vec::new(),
            ChatKind::Private | ChatKind::Public => std::mem::take(&mut record.peers),
        };
        let targets = peers.into_iter().chain(invite_addresses).map(Target::at);
        let targets = targets.chain(hearsay.into_iter().map(Target::said_to_be_at));
        let nicks = std::mem::take(&mut record.nicks).into_iter().collect();
        let ignored = std::mem::take(&mut record.ignored).into_iter().collect();
        let config = NodeConfig {
            kind,
            nick: record.nick.clone(),
            status: Status::Online as u8,
        };
        Ok(Self {
            node: Node::new(config, seed, now),
            socket: None,
            reconnect: Reconnect::new(targets, now.elapsed),
            unreachable_at: (!record.joined).then(|| now.elapsed + UNREACHABLE_AFTER),
            refusal: None,
            join_tag: None,
            work: None,
            sync: Sync::default(),
            ignored,
            certificates,
            nicks,
            observed: Vec::new(),
            connect_tags: Vec::new(),
            not_sent: BTreeMap::new(),
            record,
        })
    }

    /// Whether the chat speaks the base protocol and nothing else.
    pub(super) fn is_classic(&self) -> bool {
        self.record.kind == ChatKind::Classic
    }

    /// The event that reports its opening.
    pub(super) fn opened(&self) -> Event {
        ChatEvent::ChatOpened {
            name: self.record.name.clone(),
            kind: self.record.kind,
            client_id: self.node.client_id(),
            member: self.node.member(),
            listen: self.listen(),
            nick: self.record.nick.clone(),
            topic: self.topic(),
            role: self.own_role(),
            joined: self.record.joined,
            topic_locked: self.is_topic_locked(),
            door: self.door(),
            history_rule: self.history_rule(),
            retention: self.record.retention,
        }
        .of(self.record.chat)
    }

    /// Where its socket listens; 0.0.0.0:0 if it has none.
    pub(super) fn listen(&self) -> SocketAddr {
        let none = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
        self.socket.as_ref().map_or(none, ChatSocket::local)
    }

    /// Sends a datagram, or counts that it could not.
    pub(super) fn transmit(&mut self, to: SocketAddr, bytes: &[u8]) {
        let result = match &self.socket {
            Some(socket) => socket.send(to, bytes),
            None => Err("no_socket"),
        };
        if let Err(cause) = result {
            *self.not_sent.entry(cause).or_default() += 1;
        }
    }

    /// The topic as it is now, otherwise as last known.
    fn topic(&self) -> String {
        let set = self.node.state().and_then(|state| state.topic());
        set.map_or_else(|| self.record.topic.clone(), |topic| topic.text.clone())
    }

    /// What we may do there.
    pub(super) fn own_role(&self) -> Role {
        self.role_of(&self.node.member())
    }

    /// What a member may do.
    pub(super) fn role_of(&self, member: &MemberId) -> Role {
        self.node.role_of(member).unwrap_or_default()
    }

    /// A member's nick; if none is known, the start of their id.
    pub(super) fn nick_of(&self, member: &MemberId) -> String {
        if *member == self.node.member() {
            return self.record.nick.clone();
        }
        self.nicks.get(member).cloned().unwrap_or_else(|| member.short())
    }

    /// Whether anything is or was known of a member.
    pub(super) fn has_heard_of(&self, member: &MemberId) -> bool {
        self.nicks.contains_key(member)
            || self.node.admitted(member).is_some()
            || self.node.members().iter().any(|known| known.member == *member)
    }

    /// Remembers a member's nick. Returns whether it is new.
    pub(super) fn learn_nick(&mut self, member: MemberId, nick: &str) -> bool {
        if nick.is_empty() || self.nicks.get(&member).is_some_and(|known| known == nick) {
            return false;
        }
        if self.nicks.len() >= MAX_NICKS {
            self.nicks.pop_first();
        }
        self.nicks.insert(member, nick.to_owned());
        true
    }

    /// Remembers the certificate of the invite that somebody joined with.
    pub(super) fn learn_certificate(&mut self, credential: &[u8]) {
        if let Some(certificate) = certificate_of(credential)
            && self.certificates.len() < MAX_CERTIFICATES
        {
            self.certificates.entry(certificate.invite).or_insert(certificate);
        }
    }

    /// The invite that we joined with, as long as it is kept.
    pub(super) fn invite_key(&self) -> Option<InviteKey> {
        let text = self.record.secrets.invite.as_ref()?;
        InviteKey::parse(std::str::from_utf8(text).ok()?).ok()
    }

    /// The door's invite of a public chat, if we have it.
    pub(super) fn link_key(&self) -> Option<InviteKey> {
        self.invite_key().filter(InviteKey::is_door)
    }

    /// Remembers that others see us at an address.
    pub(super) fn observed_at(&mut self, address: SocketAddr) {
        self.observed.retain(|known| *known != address);
        self.observed.insert(0, address);
        self.observed.truncate(MAX_OBSERVED);
    }

    /// Keeps the tag of a `connect` until that link is up.
    pub(super) fn keep_connect_tag(&mut self, client_id: ClientId, tag: Option<Tag>) {
        self.connect_tags.retain(|(waiting, _)| *waiting != client_id);
        if let Some(tag) = tag {
            self.connect_tags.push((client_id, tag));
            if self.connect_tags.len() > MAX_CONNECT_TAGS {
                self.connect_tags.remove(0);
            }
        }
    }

    /// The tag of the `connect` that this link answers.
    pub(super) fn take_connect_tag(&mut self, client_id: &ClientId) -> Option<Tag> {
        let at = self
            .connect_tags
            .iter()
            .position(|(waiting, _)| waiting == client_id)?;
        Some(self.connect_tags.remove(at).1)
    }

    /// Where a newcomer can find us: the address that the user chose, or those that the computer sends from and others see.
    /// Loopback only if there is nothing else.
    pub(super) fn own_addresses(&self, local: LocalAddresses) -> Vec<SocketAddr> {
        addresses_to_tell(self.listen(), local, &self.observed)
    }

    /// Says messages of a classic chat again that were not sent when the program was stopped. A message is bound to its session,
    /// so a new one replaces the old one.
    pub(super) fn say_again(&mut self, waiting: Vec<Message>, now: Now, outlet: &mut Outlet) {
        for message in waiting {
            let action = message.body == MessageBody::Action;
            let text = message.text;
            self.node.handle(now, Input::Say { text, action });
            self.drain(now, &mut Cause::again(message.id), outlet);
        }
    }

    /// The next deadline, as [`Now::elapsed`].
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        [
            self.node.poll_timeout(),
            self.reconnect.due(),
            self.unreachable_at,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Does what is due.
    pub(super) fn handle_deadlines(&mut self, now: Now, outlet: &mut Outlet) {
        if self.next_deadline().is_none_or(|at| at > now.elapsed) {
            return;
        }
        if self.node.poll_timeout().is_some_and(|at| at <= now.elapsed) {
            self.node.handle(now, Input::Timeout);
        }
        for target in self.reconnect.take_due(now.elapsed) {
            let Target {
                client_id, address, ..
            } = target;
            let input = match target.is_hearsay {
                true => Input::ConnectToHeardOf(address),
                false => Input::Connect { client_id, address },
            };
            self.node.handle(now, input);
        }
        self.drain(now, &mut Cause::none(), outlet);
        self.check_unreachable(now, outlet);
    }

    /// Proves the links again, and tries everybody if none is left.
    pub(super) fn network_changed(&mut self, now: Now, outlet: &mut Outlet) {
        self.reconnect.restart(now.elapsed);
        self.node.handle(now, Input::NetworkChanged);
        self.drain(now, &mut Cause::none(), outlet);
    }

    /// The same, because the user asks for it. They will be told if nobody answers.
    pub(super) fn retry(&mut self, now: Now, outlet: &mut Outlet) {
        self.refusal = None;
        if !self.record.joined {
            self.unreachable_at = Some(now.elapsed + UNREACHABLE_AFTER);
        }
        self.network_changed(now, outlet);
    }

    /// Everyone there, by nick.
    pub(super) fn members(&self) -> Vec<MemberInfo> {
        let mut members: Vec<_> = self
            .node
            .members()
            .into_iter()
            .map(|known| self.member_info(known))
            .collect();
        members.sort_by_cached_key(|member| (member.nick.to_lowercase(), member.member));
        members
    }

    fn member_info(&self, known: NodeMember) -> MemberInfo {
        let only_reads = known.own && self.node.minutes_to_read() > 0;
        let minutes_ms = u64::from(self.door().minutes) * 60_000;
        MemberInfo {
            member: known.member,
            nick: if known.nick.is_empty() {
                self.nick_of(&known.member)
            } else {
                known.nick
            },
            role: known.role,
            status: status(known.status),
            online: known.online,
            own: known.own,
            since: (known.since_ms != 0).then(|| timestamp(known.since_ms)),
            banned: known.banned,
            ignored: self.ignored.contains(&known.member),
            reads_until: only_reads.then(|| timestamp(known.since_ms.saturating_add(minutes_ms))),
        }
    }

    /// The figures.
    pub(super) fn stats(&self) -> Stats {
        let stats = self.node.stats();
        let links = self.node.links();
        let dropped = stats.dropped.iter().chain(&self.not_sent);
        Stats {
            links: links.len() as u32,
            peers: links
                .iter()
                .map(|link| LinkInfo {
                    client_id: link.client_id,
                    member: link.member,
                    address: link.address,
                    round_trip_ms: link
                        .round_trip
                        .map(|time| u32::try_from(time.as_millis()).unwrap_or(u32::MAX)),
                })
                .collect(),
            members: self.node.members().len() as u32,
            packets_in: stats.packets_in,
            bytes_in: stats.bytes_in,
            packets_out: stats.packets_out,
            bytes_out: stats.bytes_out,
            duplicates: stats.duplicates,
            repaired: stats.repaired,
            dropped: dropped
                .map(|(cause, count)| ((*cause).to_owned(), *count))
                .collect(),
        }
    }
}

/// What the node of a signed chat needs from the stored record.
fn signed_state(
    record: &mut ChatRecord,
    admitted: Vec<Vec<u8>>,
    unsent: BTreeMap<MessageId, u64>,
) -> Result<SignedState, BadRecord> {
    let facts = std::mem::take(&mut record.facts);
    let secrets = &record.secrets;
    let member_seed = secrets.member_seed.as_ref().ok_or(BadRecord)?;
    let credential = record.credential.as_ref().ok_or(BadRecord)?;
    let charter = match &record.charter {
        Some(bytes) => Some(Charter::decode(bytes).map_err(|_| BadRecord)?),
        None => None,
    };
    let invite_key = match &secrets.invite {
        Some(text) => {
            let text = std::str::from_utf8(text).map_err(|_| BadRecord)?;
            Some(InviteKey::parse(text).map_err(|_| BadRecord)?)
        }
        None => None,
    };
    Ok(SignedState {
        chat: record.chat,
        charter,
        member_key: SigningKey::from_seed(**member_seed),
        credential: Credential::decode(credential).map_err(|_| BadRecord)?.0,
        invite_key,
        rendezvous: **secrets.rendezvous.as_ref().ok_or(BadRecord)?,
        joined: record.joined,
        admitted,
        facts: facts
            .into_iter()
            .map(|stored| StoredFact {
                id: stored.id,
                fact: stored.fact,
                credential: stored.credential,
            })
            .collect(),
        history: HistoryState {
            since: record.history_since,
            is_whole: record.history_is_whole,
            unsent,
        },
    })
}

/// The certificates of invites that were made here, and of those that members joined with.
fn known_certificates(record: &ChatRecord, admitted: &[Vec<u8>]) -> BTreeMap<InviteId, InviteCertificate> {
    let made = record
        .invites
        .iter()
        .filter_map(|made| InviteCertificate::decode(&made.certificate).ok());
    let own = record.credential.iter();
    let come_by = admitted
        .iter()
        .chain(own)
        .filter_map(|credential| certificate_of(credential));
    made.chain(come_by)
        .map(|certificate| (certificate.invite, certificate))
        .take(MAX_CERTIFICATES)
        .collect()
}

fn certificate_of(credential: &[u8]) -> Option<InviteCertificate> {
    match Credential::decode(credential) {
        Ok((Credential::Invited { invite, .. }, [])) => Some(invite),
        _ => None,
    }
}

/// See [`Chat::own_addresses`].
fn addresses_to_tell(listen: SocketAddr, local: LocalAddresses, observed: &[SocketAddr]) -> Vec<SocketAddr> {
    if listen.port() == 0 {
        return Vec::new();
    }
    if !listen.ip().is_unspecified() {
        return vec![listen];
    }
    let v4 = local.v4.map(IpAddr::from);
    let v6 = local.v6.map(IpAddr::from).filter(|_| listen.is_ipv6());
    let sources = v4
        .into_iter()
        .chain(v6)
        .map(|ip| SocketAddr::new(ip, listen.port()));
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in sources.chain(observed.iter().copied()) {
        if !address.ip().is_loopback() && !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        addresses.push(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), listen.port()));
    }
    addresses
}

/// A status as the model has it. The wire lets no other numbers through.
pub(super) fn status(number: u8) -> Status {
    match number {
        1 => Status::Away,
        2 => Status::Busy,
        _ => Status::Online,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newcomers_are_told_addresses_that_lead_here() {
        let at = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let nowhere = LocalAddresses::default();
        let home = LocalAddresses {
            v4: Some(Ipv4Addr::new(192, 168, 1, 7)),
            v6: Some("2001:db8::7".parse().expect("an address")),
        };
        let seen = [
            at("203.0.113.9:4001"),
            at("127.0.0.1:4000"),
            at("192.168.1.7:4000"),
        ];
        let told = |listen: &str, local, seen| addresses_to_tell(at(listen), local, seen);
        assert_eq!(
            told("[::]:4000", home, &seen),
            [
                at("192.168.1.7:4000"),
                at("[2001:db8::7]:4000"),
                at("203.0.113.9:4001")
            ]
        );
        assert_eq!(told("0.0.0.0:4000", home, &[]), [at("192.168.1.7:4000")]);
        assert_eq!(
            told("192.168.1.7:4000", home, &seen),
            [at("192.168.1.7:4000")],
            "as the user chose"
        );
        assert_eq!(told("127.0.0.1:4000", home, &seen), [at("127.0.0.1:4000")]);
        assert_eq!(told("[::]:4000", nowhere, &[]), [at("127.0.0.1:4000")]);
        assert_eq!(told("0.0.0.0:0", home, &seen), [], "without a socket");
    }
}
