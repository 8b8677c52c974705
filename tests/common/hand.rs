//! A node on a bench, and peers of which every packet is made by hand.

use std::net::SocketAddr;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use throng::crypto::{self, BoxKeyPair, Nonce, SharedKeys, SigningKey};
use throng::facts::{Ban, Fact, Place};
use throng::id::{ChatId, ClientId, MemberId, MessageId};
use throng::invite::{Chain, Credential, InviteKey, SessionCertificate};
use throng::node::sim::Archive;
use throng::node::{Input, Node, NodeEvent, Now, Output};
use throng::wire::{
    self, Body, Broadcast, Header, Hello, Keepalive, NodeAddress, NodeFormat, Packet, Say, SendNodes,
    SignedSay, TokenCounter, Welcome, WelcomeStatus,
};

use super::Chat;

pub const NOW_MS: u64 = 1_795_350_000_000;
pub const DAY_MS: u64 = 86_400_000;

/// Where the first fact of anybody stands, but what by their role they may only make with a grant.
pub const FIRST: Place = Place {
    seq: 1,
    prev: [0; 16],
    epoch: 1,
};

/// A ban that hides nothing more than it has to.
pub fn ban(member: MemberId) -> Ban {
    Ban {
        member,
        hide_all: false,
        with_invite: None,
        kept: Vec::new(),
        reason: "because".into(),
    }
}

pub fn at(elapsed: Duration) -> Now {
    Now {
        elapsed,
        unix_ms: NOW_MS + elapsed.as_millis() as u64,
    }
}

pub fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([198, 51, last, 7], 33_445))
}

/// A peer of which every packet is made by hand.
pub struct Peer {
    pub keys: SharedKeys,
    pub client_id: ClientId,
    pub address: SocketAddr,
    pub rng: ChaCha20Rng,
}

impl Peer {
    pub fn new(n: u8) -> Self {
        Self::with(ChaCha20Rng::seed_from_u64(n.into()), address(n))
    }

    pub fn with(mut rng: ChaCha20Rng, address: SocketAddr) -> Self {
        let pair = BoxKeyPair::generate(&mut rng);
        let client_id = pair.client_id();
        Self {
            keys: SharedKeys::new(pair, 512),
            client_id,
            address,
            rng,
        }
    }

    pub fn seal(&mut self, to: ClientId, packet: &Packet) -> Vec<u8> {
        self.seal_bytes(to, &packet.encode())
    }

    /// The same of a packet that is encoded already, or is none.
    pub fn seal_bytes(&mut self, to: ClientId, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; 24];
        self.rng.fill_bytes(&mut nonce);
        self.seal_with(to, nonce, plain)
    }

    /// Sealed to the gate of a chat at [`NOW_MS`], with the mark, of a public chat with its zero bits.
    pub fn seal_to_gate(&mut self, chat: &Chat, packet: &Packet) -> Vec<u8> {
        let zero_bits = if chat.charter.kind == 0 { 0 } else { 12 };
        self.seal_to_gate_on(NOW_MS / DAY_MS, &chat.rendezvous, zero_bits, packet)
    }

    /// The same on another day.
    pub fn seal_to_gate_on(
        &mut self,
        day: u64,
        rendezvous: &[u8; 16],
        zero_bits: u32,
        packet: &Packet,
    ) -> Vec<u8> {
        let mut nonce: Nonce = [0; 24];
        loop {
            self.rng.fill_bytes(&mut nonce[..16]);
            let mark = crypto::gate_mark(rendezvous, day, &self.client_id, &nonce[..16]);
            nonce[16..].copy_from_slice(&mark);
            if u16::from_be_bytes([mark[0], mark[1]]).leading_zeros() >= zero_bits {
                break;
            }
        }
        let gate = crypto::gate(rendezvous, day).client_id();
        self.seal_with(gate, nonce, &packet.encode())
    }

    pub fn seal_with(&mut self, to: ClientId, nonce: Nonce, plain: &[u8]) -> Vec<u8> {
        let sealed = self.keys.seal(&to, &nonce, plain).expect("a good key");
        let header = Header {
            receiver: to,
            sender: self.client_id,
            nonce,
        };
        wire::join_datagram(&header, &sealed)
    }

    pub fn open(&mut self, bytes: &[u8]) -> Packet {
        let (header, sealed) = wire::split_datagram(bytes).expect("a datagram");
        assert_eq!(header.receiver, self.client_id);
        let plain = self
            .keys
            .open(&header.sender, &header.nonce, sealed)
            .expect("opens");
        Packet::decode(&plain).expect("a packet")
    }
}

/// A node, and what it has put out.
pub struct Bench {
    pub node: Node,
    pub now: Duration,
    pub sent: Vec<(SocketAddr, Vec<u8>)>,
    pub events: Vec<NodeEvent>,
    /// What it keeps of what was said.
    pub archive: Archive,
    /// By how much its clock was set ahead since the start.
    pub clock_set_by: Duration,
    pub clock_set_back_by: Duration,
}

impl Bench {
    pub fn new(config: throng::node::NodeConfig) -> Self {
        Self::with_seed(config, 42)
    }

    /// Where there are several, each has a seed of its own.
    pub fn with_seed(config: throng::node::NodeConfig, seed: u8) -> Self {
        let node = Node::new(config, [seed; 32], at(Duration::ZERO));
        Self {
            node,
            now: Duration::ZERO,
            sent: Vec::new(),
            events: Vec::new(),
            archive: Archive::default(),
            clock_set_by: Duration::ZERO,
            clock_set_back_by: Duration::ZERO,
        }
    }

    pub fn tell(&mut self, input: Input<'_>) {
        let now = Now {
            elapsed: self.now,
            ..at(self.now + self.clock_set_by)
        };
        let unix_ms = now.unix_ms - self.clock_set_back_by.as_millis() as u64;
        let now = Now { unix_ms, ..now };
        self.node.handle(now, input);
        while let Some(output) = self.node.poll_output() {
            match output {
                Output::Transmit { to, bytes } => self.sent.push((to, bytes)),
                Output::Look { ticket, query } => {
                    let answer = self.archive.look(&query);
                    self.node.handle(now, Input::Found { ticket, answer });
                }
                Output::Event(event) => {
                    self.archive.keep(&event);
                    self.events.push(event);
                }
            }
        }
    }

    /// Has the node say something.
    pub fn say(&mut self, text: &str) {
        let (text, action) = (text.to_owned(), false);
        self.tell(Input::Say { text, action });
    }

    pub fn receive(&mut self, from: SocketAddr, bytes: &[u8]) {
        self.tell(Input::Datagram { from, bytes });
    }

    pub fn pass(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some(due) = self.node.poll_timeout().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.tell(Input::Timeout);
        }
        self.now = until;
    }

    /// What was sent there since the last call.
    pub fn sent_to(&mut self, to: SocketAddr) -> Vec<Vec<u8>> {
        let (there, others) = std::mem::take(&mut self.sent)
            .into_iter()
            .partition(|(at, _)| *at == to);
        self.sent = others;
        let there: Vec<(SocketAddr, Vec<u8>)> = there;
        there.into_iter().map(|(_, bytes)| bytes).collect()
    }

    pub fn dropped(&self, cause: &str) -> u64 {
        self.node.stats().dropped.get(cause).copied().unwrap_or(0)
    }

    /// Links a classic peer: the node is told of it, asks it, and is answered.
    pub fn link(&mut self, peer: &mut Peer) {
        self.tell(Input::Connect {
            client_id: Some(peer.client_id),
            address: peer.address,
        });
        let asked = self.sent_to(peer.address).pop().expect("the node asks");
        let Packet::GetNodes { ping_id } = peer.open(&asked) else {
            panic!("get_nodes")
        };
        self.answer(peer, peer.address, ping_id, Vec::new());
    }

    pub fn answer(&mut self, peer: &mut Peer, from: SocketAddr, ping_id: [u8; 8], nodes: Vec<NodeAddress>) {
        let answer = Packet::SendNodes(SendNodes {
            ping_id,
            nodes,
            format: NodeFormat::Long,
        });
        let bytes = peer.seal(self.node.client_id(), &answer);
        self.receive(from, &bytes);
    }

    pub fn broadcast(&mut self, peer: &mut Peer, number: u32, body: Body) -> Vec<u8> {
        let broadcast = Broadcast {
            origin: peer.client_id,
            number,
            body,
        };
        let bytes = peer.seal(self.node.client_id(), &Packet::Broadcast(broadcast));
        self.receive(peer.address, &bytes);
        bytes
    }

    pub fn texts(&self) -> Vec<&str> {
        let text = |event: &'_ NodeEvent| matches!(event, NodeEvent::Message(_));
        self.events
            .iter()
            .filter(|event| text(event))
            .map(|event| match event {
                NodeEvent::Message(message) => message.text.as_str(),
                _ => unreachable!("filtered"),
            })
            .collect()
    }
}

/// Swaps the two ids of a datagram: it opens at its own sender, since one key serves both directions.
pub fn reflected(bytes: &[u8]) -> Vec<u8> {
    [&bytes[..1], &bytes[33..65], &bytes[1..33], &bytes[65..]].concat()
}

/// A member of a signed chat, made by hand.
pub struct Member {
    pub peer: Peer,
    pub key: SigningKey,
    pub chat: ChatId,
    pub chain: Vec<u8>,
    /// What the node gave it in its welcome, and how many packets it has sent under it.
    pub token: [u8; 8],
    pub counter: u32,
    /// What its clock shows.
    pub time_ms: u64,
}

impl Member {
    /// Comes by an invite of any number of uses, as session and address `n`; not linked yet.
    pub fn new(chat: &mut Chat, n: u8) -> Self {
        let invite = chat.invite(0, 0, Vec::new());
        Self::by(chat, &invite, n)
    }

    /// Comes by that invite.
    pub fn by(chat: &mut Chat, invite: &InviteKey, n: u8) -> Self {
        let (_, key) = chat.newcomer("", invite, 0);
        let credential = invite.admit(MemberId(key.public()), 0, NOW_MS);
        Self::with(chat, key, credential, n)
    }

    /// Another session of a member.
    pub fn with(chat: &Chat, key: SigningKey, credential: Credential, n: u8) -> Self {
        Self::as_peer(chat, key, credential, Peer::new(n), NOW_MS)
    }

    /// A member whose session is that peer, and began then.
    pub fn as_peer(chat: &Chat, key: SigningKey, credential: Credential, peer: Peer, start_ms: u64) -> Self {
        let session = SessionCertificate::sign(&key, &chat.id, &peer.client_id, start_ms, 0);
        Self {
            peer,
            key,
            chat: chat.id,
            chain: Chain { credential, session }.encode(),
            token: [0; 8],
            counter: 0,
            time_ms: NOW_MS,
        }
    }

    pub fn id(&self) -> MemberId {
        MemberId(self.key.public())
    }

    /// What admits it.
    pub fn credential(&self) -> Credential {
        Chain::decode(&self.chain).expect("its own").credential
    }

    pub fn hello(&mut self) -> Hello {
        let mut nonce = [0; 16];
        self.peer.rng.fill_bytes(&mut nonce);
        Hello {
            capabilities: 0,
            nonce,
            token: [9; 8],
            time_ms: self.time_ms,
            facts_root: [0; 32],
            members: 1,
            nick: String::new(),
            chain: self.chain.clone(),
        }
    }

    /// A hello to the gate.
    pub fn knock(&mut self, chat: &Chat) -> Vec<u8> {
        let hello = self.hello();
        self.peer.seal_to_gate(chat, &Packet::Hello(hello))
    }

    /// Knocks, is welcomed and links.
    pub fn link(chat: &mut Chat, bench: &mut Bench, n: u8) -> Self {
        let mut member = Self::new(chat, n);
        member.come_in(chat, bench);
        member
    }

    pub fn come_in(&mut self, chat: &Chat, bench: &mut Bench) {
        let welcome = self.ask_in(chat, bench).expect("a welcome");
        assert_eq!(welcome.status, WelcomeStatus::Linked);
        self.token = welcome.token;
        self.tell_link(bench);
    }

    /// Knocks; what is answered.
    pub fn ask_in(&mut self, chat: &Chat, bench: &mut Bench) -> Option<Welcome> {
        let knock = self.knock(chat);
        bench.receive(self.peer.address, &knock);
        let answer = bench.sent_to(self.peer.address).pop()?;
        match self.peer.open(&answer) {
            Packet::Welcome(welcome) => Some(welcome),
            other => panic!("not a welcome: {other:?}"),
        }
    }

    fn tell_link(&mut self, bench: &mut Bench) {
        let open = wire::Link {
            t: self.t(),
            op: wire::LinkOp::Open,
            tree: 0,
            reason: 0,
        };
        self.send(bench, &Packet::Link(open));
    }

    /// What its next packet begins with.
    pub fn t(&mut self) -> TokenCounter {
        self.counter += 1;
        TokenCounter {
            token: self.token,
            counter: self.counter,
        }
    }

    /// Sends the node a packet from its address.
    pub fn send(&mut self, bench: &mut Bench, packet: &Packet) {
        let bytes = self.peer.seal(bench.node.client_id(), packet);
        bench.receive(self.peer.address, &bytes);
    }

    /// What the node has sent it since the last call.
    pub fn heard(&mut self, bench: &mut Bench) -> Vec<Packet> {
        let sent = bench.sent_to(self.peer.address);
        // Not what goes to the gate.
        let is_own = |bytes: &&Vec<u8>| bytes[1..33] == self.peer.client_id.0;
        let own: Vec<&Vec<u8>> = sent.iter().filter(is_own).collect();
        own.into_iter().map(|bytes| self.peer.open(bytes)).collect()
    }

    /// A keepalive that asks nothing, with what stands for no facts and no members.
    pub fn keepalive(&mut self) -> Keepalive {
        Keepalive {
            t: self.t(),
            echo: 0,
            echoed: 0,
            facts_root: [0; 32],
            roster: [0; 16],
        }
    }

    /// Tells the node that it is still there.
    pub fn keep_alive(&mut self, bench: &mut Bench) {
        let keepalive = Keepalive {
            echo: 1,
            facts_root: bench.node.facts_root(),
            ..self.keepalive()
        };
        self.send(bench, &Packet::Keepalive(keepalive));
    }

    /// What a session says at a time (as in a say: ms above, a counter below), signed by this member, whoever's session it is.
    pub fn sign(&self, client_id: ClientId, number: u32, hlc: u64, body: Body) -> (SignedSay, [u8; 64]) {
        let signed = SignedSay {
            client_id,
            number,
            hlc,
            after: [0; 8],
            body,
        };
        let signature = self.key.sign("throng/1 say", &self.chat, &signed.encode());
        (signed, signature)
    }

    /// A say of this session, as it would come from `by`.
    pub fn say(&self, number: u32, body: Body, with_chain: bool) -> Packet {
        self.say_at(NOW_MS << 16 | u64::from(number), number, body, with_chain)
    }

    /// The same at a time of its author's choice, as for [`Self::sign`].
    pub fn say_at(&self, hlc: u64, number: u32, body: Body, with_chain: bool) -> Packet {
        let (signed, signature) = self.sign(self.peer.client_id, number, hlc, body);
        Packet::Say(Say {
            tree: 0,
            hops: 0,
            chain: with_chain.then(|| self.chain.clone()),
            signed,
            signature,
        })
    }

    /// The id of the message that [`Self::say`] with that number makes, when its text is the number.
    pub fn id_of(&self, number: u32) -> MessageId {
        let Packet::Say(say) = self.say(number, Body::Message(number.to_string()), false) else {
            unreachable!("a say")
        };
        MessageId(crypto::hash_signed(
            "throng/1 say",
            &self.chat,
            &say.signed.encode(),
        ))
    }

    /// Says something over its link.
    pub fn says(&mut self, bench: &mut Bench, number: u32, text: &str) {
        let say = self.say(number, Body::Message(text.into()), true);
        self.send(bench, &say);
    }

    /// Sends facts over its link.
    pub fn facts(&mut self, bench: &mut Bench, facts: &[Fact]) {
        let t = self.t();
        let facts = facts.iter().map(Fact::encode).collect();
        self.send(bench, &Packet::Facts(wire::Facts { t, facts }));
    }
}
