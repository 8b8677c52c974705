//! Members of a simulated chat that are made by hand, and do what no honest program does. They are let in like everybody
//! else: their certificates are good.
use std::collections::BTreeMap;
use std::net::SocketAddr;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use throng::crypto::{self, BoxKeyPair, SharedKeys, SigningKey};
use throng::facts::{self, Fact, Place};
use throng::id::{ChatId, ClientId, MemberId};
use throng::invite::{Chain, InviteKey, SessionCertificate};
use throng::node::sim::Sim;
use throng::wire::{
    self, Body, Facts, Header, Hello, Keepalive, LinkOp, Packet, SignedSay, TokenCounter, WelcomeStatus,
};

use super::Chat;

/// What forgers have others say.
pub const FORGED: &str = "I never said this";

/// What one of them tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vice {
    /// Words and facts in the names of others.
    Forges,
    /// Sends again what it has got, to everyone.
    Replays,
    /// Says one thing to some and another to others, under one number.
    IsTwoFaced,
    /// Says this many things a second.
    Floods(u32),
    /// Bans people, being nobody.
    Bans,
}

/// A hand-made member, linked to some.
pub struct Hostile {
    vice: Vice,
    member_key: SigningKey,
    chat: ChatId,
    chain: Vec<u8>,
    keys: SharedKeys,
    client_id: ClientId,
    pub address: SocketAddr,
    rng: ChaCha20Rng,
    rendezvous: [u8; 16],
    day: u64,
    /// By member of the simulation.
    links: BTreeMap<usize, Linked>,
    number: u32,
    /// What came, to be sent again.
    heard: Vec<Vec<u8>>,
    /// Sessions that spoke, to be spoken for.
    others: Vec<ClientId>,
    facts: (u32, [u8; 16]),
}

struct Linked {
    client_id: ClientId,
    token: [u8; 8],
    counter: u32,
}

impl Hostile {
    pub fn new(chat: &mut Chat, invite: &InviteKey, slot: u16, vice: Vice, index: u8, sim: &mut Sim) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(1_000 + u64::from(index));
        let now_ms = sim.now().unix_ms;
        let pair = BoxKeyPair::generate(&mut rng);
        let client_id = pair.client_id();
        let member_key = SigningKey::generate(&mut rng);
        let credential = invite.admit(MemberId(member_key.public()), slot, now_ms);
        let session = SessionCertificate::sign(&member_key, &chat.id, &client_id, now_ms, 0);
        let address = SocketAddr::from(([90, 1, index, 1], 33_445));
        sim.listen_outside(address);
        Self {
            vice,
            member_key,
            chat: chat.id,
            chain: Chain { credential, session }.encode(),
            keys: SharedKeys::new(pair, 512),
            client_id,
            address,
            rng,
            rendezvous: chat.rendezvous,
            day: now_ms / 86_400_000,
            links: BTreeMap::new(),
            number: 0,
            heard: Vec::new(),
            others: Vec::new(),
            facts: (0, [0; 16]),
        }
    }

    pub fn links(&self) -> usize {
        self.links.len()
    }

    /// Asks a member to be let in.
    pub fn knock(&mut self, sim: &mut Sim, index: usize) {
        let mut nonce = [0; 16];
        self.rng.fill_bytes(&mut nonce);
        let hello = Hello {
            capabilities: 0,
            nonce,
            token: [index as u8; 8],
            time_ms: sim.now().unix_ms,
            facts_root: [0; 32],
            members: 1,
            nick: "friend".into(),
            chain: self.chain.clone(),
        };
        let mut nonce = [0; 24];
        self.rng.fill_bytes(&mut nonce[..16]);
        let mark = crypto::gate_mark(&self.rendezvous, self.day, &self.client_id, &nonce[..16]);
        nonce[16..].copy_from_slice(&mark);
        let gate = crypto::gate(&self.rendezvous, self.day).client_id();
        self.send_with(sim, index, gate, nonce, &Packet::Hello(hello).encode());
    }

    /// Takes in what came: links open, and questions whether it is there are answered. Links that were lost are made again.
    pub fn answer(&mut self, sim: &mut Sim) {
        for (from, bytes) in sim.take_mail(self.address) {
            let Ok((header, sealed)) = wire::split_datagram(&bytes) else {
                continue;
            };
            let Some(plain) = self.keys.open(&header.sender, &header.nonce, sealed) else {
                continue;
            };
            match Packet::decode(&plain) {
                Ok(Packet::Welcome(welcome)) if welcome.status == WelcomeStatus::Linked => {
                    let linked = Linked {
                        client_id: header.sender,
                        token: welcome.token,
                        counter: 0,
                    };
                    self.links.insert(from, linked);
                    self.send_over(sim, from, |t| {
                        Packet::Link(wire::Link {
                            t,
                            op: LinkOp::Open,
                            tree: 0,
                            reason: 0,
                        })
                    });
                }
                Ok(Packet::Link(link)) if link.op == LinkOp::Close => {
                    self.links.remove(&from);
                    self.knock(sim, from);
                }
                Ok(Packet::Keepalive(keepalive)) if keepalive.echo != 0 => {
                    self.send_over(sim, from, |t| {
                        Packet::Keepalive(Keepalive {
                            t,
                            echo: 0,
                            echoed: keepalive.echo,
                            facts_root: keepalive.facts_root,
                            roster: keepalive.roster,
                        })
                    });
                }
                Ok(Packet::Say(say)) => {
                    if self.others.len() < 64 && !self.others.contains(&say.signed.client_id) {
                        self.others.push(say.signed.client_id);
                    }
                    if self.heard.len() < 64 {
                        self.heard.push(plain);
                    }
                }
                _ => {}
            }
        }
    }

    /// Does what it is here for, for `millis` ms of time.
    pub fn act(&mut self, sim: &mut Sim, millis: u32) {
        let linked: Vec<usize> = self.links.keys().copied().collect();
        match self.vice {
            Vice::Forges => {
                for index in linked {
                    self.forge(sim, index);
                }
            }
            Vice::Replays => {
                for index in linked {
                    let Some(plain) = self.any_heard() else { continue };
                    let to = self.links[&index].client_id;
                    self.send_plain(sim, index, to, &plain);
                }
            }
            Vice::IsTwoFaced => {
                self.number += 1;
                for (at, index) in linked.into_iter().enumerate() {
                    let text = format!("face {} of {}", at % 2, self.number);
                    self.say_to(sim, index, self.client_id, self.number, &text);
                }
            }
            Vice::Floods(per_second) => {
                for _ in 0..(per_second * millis / 1_000) {
                    self.number += 1;
                    let text = format!("flood {}", self.number);
                    for index in &linked {
                        self.say_to(sim, *index, self.client_id, self.number, &text);
                    }
                }
            }
            Vice::Bans => self.ban_somebody(sim),
        }
    }

    fn forge(&mut self, sim: &mut Sim, index: usize) {
        let Some(of) = self
            .others
            .get(self.number as usize % self.others.len().max(1))
            .copied()
        else {
            return;
        };
        self.number += 1;
        // Ahead of what they will say themselves: were it believed, their true words would be too late.
        self.say_to(sim, index, of, self.number + 5, FORGED);
    }

    fn ban_somebody(&mut self, sim: &mut Sim) {
        let (seq, prev) = self.facts;
        let place = Place {
            seq: seq + 1,
            prev,
            epoch: 1,
        };
        let mut victim = [0; 32];
        self.rng.fill_bytes(&mut victim);
        let ban = facts::Ban {
            member: MemberId(victim),
            hide_all: true,
            with_invite: None,
            kept: Vec::new(),
            reason: "out".into(),
        };
        let Ok(fact) = Fact::sign(&self.member_key, &self.chat, place, 0, facts::Body::Ban(ban)) else {
            return;
        };
        self.facts = (seq + 1, fact.short_id(&self.chat));
        let linked: Vec<usize> = self.links.keys().copied().collect();
        for index in linked {
            let facts = vec![fact.encode()];
            self.send_over(sim, index, |t| Packet::Facts(Facts { t, facts }));
        }
    }

    fn any_heard(&mut self) -> Option<Vec<u8>> {
        let len = self.heard.len();
        (len > 0).then(|| self.heard[self.rng.next_u32() as usize % len].clone())
    }

    fn say_to(&mut self, sim: &mut Sim, index: usize, as_of: ClientId, number: u32, text: &str) {
        let signed = SignedSay {
            client_id: as_of,
            number,
            hlc: sim.now().unix_ms << 16 | u64::from(number & 0xFFFF),
            after: [0; 8],
            body: Body::Message(text.into()),
        };
        let signature = self.member_key.sign("throng/1 say", &self.chat, &signed.encode());
        let say = wire::Say {
            tree: 0,
            hops: 0,
            chain: (as_of == self.client_id).then(|| self.chain.clone()),
            signed,
            signature,
        };
        let to = self.links[&index].client_id;
        self.send(sim, index, to, &Packet::Say(say));
    }

    fn send_over(&mut self, sim: &mut Sim, index: usize, packet: impl FnOnce(TokenCounter) -> Packet) {
        let Some(linked) = self.links.get_mut(&index) else {
            return;
        };
        linked.counter += 1;
        let t = TokenCounter {
            token: linked.token,
            counter: linked.counter,
        };
        let to = linked.client_id;
        self.send(sim, index, to, &packet(t));
    }

    fn send(&mut self, sim: &mut Sim, index: usize, to: ClientId, packet: &Packet) {
        self.send_plain(sim, index, to, &packet.encode());
    }

    fn send_plain(&mut self, sim: &mut Sim, index: usize, to: ClientId, plain: &[u8]) {
        let mut nonce = [0; 24];
        self.rng.fill_bytes(&mut nonce);
        self.send_with(sim, index, to, nonce, plain);
    }

    fn send_with(&mut self, sim: &mut Sim, index: usize, to: ClientId, nonce: [u8; 24], plain: &[u8]) {
        if let Some(sealed) = self.keys.seal(&to, &nonce, plain) {
            let header = Header {
                receiver: to,
                sender: self.client_id,
                nonce,
            };
            sim.inject(index, self.address, &wire::join_datagram(&header, &sealed));
        }
    }
}
