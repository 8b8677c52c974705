//! Members of a simulated chat that are made by hand, and do what no honest program does. They are let in like everybody
//! else: their certificates are good.
use std::collections::BTreeMap;
use std::net::SocketAddr;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use throng::crypto::SigningKey;
use throng::facts::{self, Fact, Place};
use throng::id::{ClientId, MemberId};
use throng::invite::InviteKey;
use throng::node::sim::Sim;
use throng::wire::{self, Body, Facts, Hello, Keepalive, LinkOp, Packet, TokenCounter, WelcomeStatus};

use super::Chat;
use super::hand::{DAY_MS, FIRST, Member, Peer, ban};

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
    member: Member,
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
        let rng = ChaCha20Rng::seed_from_u64(1_000 + u64::from(index));
        let now_ms = sim.now().unix_ms;
        let mut peer = Peer::with(rng, SocketAddr::from(([90, 1, index, 1], 33_445)));
        let key = SigningKey::generate(&mut peer.rng);
        let credential = invite.admit(MemberId(key.public()), slot, now_ms);
        sim.listen_outside(peer.address);
        Self {
            vice,
            member: Member::as_peer(chat, key, credential, peer, now_ms),
            rendezvous: chat.rendezvous,
            day: now_ms / DAY_MS,
            links: BTreeMap::new(),
            number: 0,
            heard: Vec::new(),
            others: Vec::new(),
            facts: (0, [0; 16]),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.member.peer.address
    }

    pub fn links(&self) -> usize {
        self.links.len()
    }

    /// Asks a member to be let in.
    pub fn knock(&mut self, sim: &mut Sim, index: usize) {
        let hello = Hello {
            token: [index as u8; 8],
            time_ms: sim.now().unix_ms,
            nick: "friend".into(),
            ..self.member.hello()
        };
        let peer = &mut self.member.peer;
        let knock = peer.seal_to_gate_on(self.day, &self.rendezvous, 0, &Packet::Hello(hello));
        sim.inject(index, peer.address, &knock);
    }

    /// Takes in what came: links open, and questions whether it is there are answered. Links that were lost are made again.
    pub fn answer(&mut self, sim: &mut Sim) {
        for (from, bytes) in sim.take_mail(self.address()) {
            let Ok((header, sealed)) = wire::split_datagram(&bytes) else {
                continue;
            };
            let keys = &mut self.member.peer.keys;
            let Some(plain) = keys.open(&header.sender, &header.nonce, sealed) else {
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
                    self.send(sim, index, &plain);
                }
            }
            Vice::IsTwoFaced => {
                self.number += 1;
                for (at, index) in linked.into_iter().enumerate() {
                    let text = format!("face {} of {}", at % 2, self.number);
                    self.say_to(sim, index, self.client_id(), self.number, &text);
                }
            }
            Vice::Floods(per_second) => {
                for _ in 0..(per_second * millis / 1_000) {
                    self.number += 1;
                    let text = format!("flood {}", self.number);
                    for index in &linked {
                        self.say_to(sim, *index, self.client_id(), self.number, &text);
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
        let seq = seq + 1;
        let place = Place { seq, prev, ..FIRST };
        let mut victim = [0; 32];
        self.member.peer.rng.fill_bytes(&mut victim);
        let ban = facts::Ban {
            hide_all: true,
            reason: "out".into(),
            ..ban(MemberId(victim))
        };
        let Member { key, chat, .. } = &self.member;
        let Ok(fact) = Fact::sign(key, chat, place, 0, facts::Body::Ban(ban)) else {
            return;
        };
        self.facts = (seq, fact.short_id(chat));
        let linked: Vec<usize> = self.links.keys().copied().collect();
        for index in linked {
            let facts = vec![fact.encode()];
            self.send_over(sim, index, |t| Packet::Facts(Facts { t, facts }));
        }
    }

    fn any_heard(&mut self) -> Option<Vec<u8>> {
        let len = self.heard.len();
        (len > 0).then(|| self.heard[self.member.peer.rng.next_u32() as usize % len].clone())
    }

    fn say_to(&mut self, sim: &mut Sim, index: usize, as_of: ClientId, number: u32, text: &str) {
        let hlc = sim.now().unix_ms << 16 | u64::from(number & 0xFFFF);
        let (signed, signature) = self.member.sign(as_of, number, hlc, Body::Message(text.into()));
        let say = wire::Say {
            tree: 0,
            hops: 0,
            chain: (as_of == self.client_id()).then(|| self.member.chain.clone()),
            signed,
            signature,
        };
        self.send(sim, index, &Packet::Say(say).encode());
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
        self.send(sim, index, &packet(t).encode());
    }

    /// Sends what is a packet, or is none, to somebody to whom it is linked.
    fn send(&mut self, sim: &mut Sim, index: usize, plain: &[u8]) {
        let to = self.links[&index].client_id;
        let peer = &mut self.member.peer;
        let sealed = peer.seal_bytes(to, plain);
        sim.inject(index, peer.address, &sealed);
    }

    fn client_id(&self) -> ClientId {
        self.member.peer.client_id
    }
}
