//! Golden traces: for 200 seeds a hash over every output of every node with its time, while members come, talk,
//! moderate, get lost and found, and some do what no honest program does. They hold a restructuring of the node to
//! changing nothing. `UPDATE_TRACES=1` writes them anew.

#![allow(clippy::print_stdout, reason = "what differs is printed")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use throng::facts::{Door, DoorMode, HistoryRule, Role};
use throng::id::{ClientId, InviteId, MemberId};
use throng::invite::{InviteKey, work};
use throng::node::sim::{Conditions, Sim};
use throng::node::{ClassicState, Input, Moderation, NodeConfig, NodeEvent, NodeKind};

use crate::common::hostile::{Hostile, Vice};
use crate::common::{Chat, connect, secs};

const SEEDS: u64 = 200;
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/node/golden.txt");

const VICES: [Vice; 5] = [
    Vice::Forges,
    Vice::Replays,
    Vice::IsTwoFaced,
    Vice::Floods(40),
    Vice::Bans,
];

#[test]
fn every_output_is_what_it_was() {
    let seeds: Vec<u64> = match std::env::var("THRONG_SEED") {
        Ok(seed) => vec![seed.parse().expect("a number")],
        Err(_) => (0..SEEDS).collect(),
    };
    let mut drops = BTreeMap::new();
    let mut traces = String::new();
    for seed in &seeds {
        let trace = Scenario::new(*seed).run(&mut drops);
        let hex: String = trace.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(traces, "{seed} {hex}").expect("a string takes all");
    }
    println!("dropped, by cause: {drops:?}");
    if std::env::var_os("UPDATE_TRACES").is_some() {
        fs::write(FILE, &traces).expect("the file can be written");
        return;
    }
    let golden = fs::read_to_string(FILE).expect("the traces are there");
    let differing: Vec<&str> = traces
        .lines()
        .filter(|line| !golden.lines().any(|known| known == *line))
        .collect();
    println!(
        "{} of {} traces are equal",
        seeds.len() - differing.len(),
        seeds.len()
    );
    assert!(differing.is_empty(), "these differ:\n{}", differing.join("\n"));
}

struct Scenario {
    sim: Sim,
    rng: ChaCha20Rng,
    kind: Kind,
    hostile: Vec<Hostile>,
    /// What was sent, to be sent again or bent.
    heard: Vec<Vec<u8>>,
}

enum Kind {
    Classic,
    Signed {
        chat: Box<Chat>,
        invites: Vec<InviteKey>,
        configs: Vec<(String, throng::crypto::SigningKey, throng::invite::Credential)>,
    },
}

impl Scenario {
    fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let lost_per_mille = [0, 0, 50, 200][rng.next_u32() as usize % 4];
        let conditions = Conditions {
            lost_per_mille,
            ..Conditions::default()
        };
        let sim = Sim::new(seed, conditions);
        let kind = if seed % 5 == 4 {
            Kind::Classic
        } else {
            let mut chat = if seed % 5 == 3 {
                Chat::public(seed)
            } else {
                Chat::new(seed)
            };
            let invites = vec![
                chat.invite(0, 0, Vec::new()),
                chat.invite(40, 0, Vec::new()),
                chat.invite(3, 1_795_351_000_000, Vec::new()),
            ];
            Kind::Signed {
                chat: Box::new(chat),
                invites,
                configs: Vec::new(),
            }
        };
        Self {
            sim,
            rng,
            kind,
            hostile: Vec::new(),
            heard: Vec::new(),
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.rng.next_u64() % bound as u64) as usize
    }

    fn run(mut self, drops: &mut BTreeMap<&'static str, u64>) -> [u8; 32] {
        let is_crowd = self.rng.next_u32().is_multiple_of(8);
        let count = 3 + self.below(if is_crowd { 14 } else { 6 });
        for _ in 0..count {
            self.come();
            let wait = self.below(8_000) as u64;
            self.pass(Duration::from_millis(wait));
        }
        for _ in 0..60 {
            self.act();
            let wait = match self.below(40) {
                0 => Duration::from_secs(self.below(400) as u64),
                1..4 => Duration::from_secs(self.below(60) as u64),
                _ => Duration::from_millis(self.below(2_000) as u64),
            };
            self.pass(wait);
        }
        if self.below(20) == 0 && matches!(&self.kind, Kind::Signed { chat, .. } if chat.charter.kind == 0) {
            // Over the day on which a session is made anew.
            self.sim.run_for(secs(26 * 3_600));
            self.act();
            self.pass(secs(60));
        }
        for index in 0..self.sim.len() {
            if self.sim.is_running(index) {
                for (cause, count) in self.sim.node(index).stats().dropped {
                    *drops.entry(cause).or_default() += count;
                }
            }
        }
        self.sim.trace()
    }

    /// Lets time pass, in which the hostile answer and act.
    fn pass(&mut self, span: Duration) {
        if self.hostile.is_empty() || span > secs(30) {
            self.sim.run_for(span);
        } else {
            let steps = (span.as_millis() / 250 + 1) as u32;
            for step in 0..steps {
                self.sim.run_for(span / steps);
                for one in &mut self.hostile {
                    one.answer(&mut self.sim);
                    if step % 2 == 0 {
                        one.act(&mut self.sim, 250);
                    }
                }
            }
        }
        let outside = self.sim.take_mail(outside());
        self.heard
            .extend(outside.into_iter().map(|(_, bytes)| bytes).take(8));
        self.heard.truncate(64);
    }

    /// Somebody comes, by the address of another.
    fn come(&mut self) {
        let others = self.sim.len();
        let slot = self.below(6) as u16;
        let by_invite = self.below(3);
        let index = match &mut self.kind {
            Kind::Classic => {
                let known = (0..others)
                    .filter(|index| self.sim.is_running(*index))
                    .map(|index| self.sim.node(index).client_id())
                    .collect();
                let config = classic_of(known, &format!("m{others}"));
                self.sim.add(config)
            }
            Kind::Signed {
                chat,
                invites,
                configs,
            } => {
                let nick = format!("m{others}");
                let config = if others == 0 {
                    configs.push((
                        nick.clone(),
                        chat.founder.clone(),
                        throng::invite::Credential::Founder(chat.charter.clone()),
                    ));
                    chat.founder_config(&nick)
                } else {
                    let invite = &invites[by_invite];
                    let (config, key) = chat.newcomer(&nick, invite, slot);
                    let NodeKind::Signed(state) = &config.kind else {
                        unreachable!("a signed chat")
                    };
                    configs.push((nick, key, state.credential.clone()));
                    config
                };
                self.sim.add(config)
            }
        };
        if others > 0 {
            let by = self.below(others);
            self.link(index, by);
        }
        if others == 0 {
            self.sim.listen_outside(outside());
        }
    }

    fn link(&mut self, index: usize, to: usize) {
        match self.kind {
            Kind::Classic if self.sim.is_running(to) => {
                let own = self
                    .sim
                    .is_running(index)
                    .then(|| self.sim.node(index).client_id());
                let client_id = Some(self.sim.node(to).client_id());
                if let Some(own) = own {
                    self.sim.tell(to, Input::Admit(own));
                }
                let address = self.sim.address(to);
                self.sim.tell(index, Input::Connect { client_id, address });
            }
            Kind::Classic => {}
            Kind::Signed { .. } => connect(&mut self.sim, index, to),
        }
    }

    fn somebody(&mut self) -> usize {
        self.below(self.sim.len())
    }

    fn member_of(&mut self, index: usize) -> MemberId {
        if self.sim.is_running(index) {
            self.sim.node(index).member()
        } else {
            MemberId([3; 32])
        }
    }

    fn act(&mut self) {
        let who = self.somebody();
        let other = self.somebody();
        match self.below(60) {
            0..20 => self.say(who),
            20 => {
                for _ in 0..self.below(40) {
                    self.say(who);
                }
            }
            21 => {
                let most = match self.kind {
                    Kind::Classic => 100,
                    Kind::Signed { .. } => 760,
                };
                let text = "long ".repeat(40 + self.below(most));
                self.sim.tell(who, Input::Say { text, action: false });
            }
            22 | 23 => {
                let nick = format!("n{}", self.below(1_000));
                self.sim.tell(who, Input::SetNick(nick));
            }
            24 => {
                let status = self.below(3) as u8;
                self.sim.tell(who, Input::SetStatus(status));
            }
            25 => {
                let topic = format!("topic {}", self.below(1_000));
                let locked = [None, None, Some(true), Some(false)][self.below(4)];
                self.sim.tell(who, Input::SetTopic { topic, locked });
            }
            26..34 => self.moderate(who, other),
            34..36 => self.sim.kill(who),
            36..40 => self.start(who),
            40 => {
                let part = self.below(2) as u8;
                for index in 0..self.sim.len() {
                    let part = if self.below(2) == 0 { part } else { 0 };
                    self.sim.put_into_part(index, part);
                }
            }
            41 | 42 => {
                for index in 0..self.sim.len() {
                    self.sim.put_into_part(index, 0);
                }
            }
            43 if self.below(3) == 0 => self.sim.put_behind_nat(who),
            43 => self.sim.tell(who, Input::NetworkChanged),
            44 => self.sim.tell(who, Input::FetchOlder { limit: 50 }),
            45 => {
                let ago = self.below(400) as u64 * 1_000;
                let since = (self.sim.now().unix_ms - ago) << 16;
                self.sim.tell(who, Input::KeepFrom(since));
            }
            46 => {
                let failed = self
                    .sim
                    .take_events()
                    .into_iter()
                    .rev()
                    .find_map(|(_, by, event)| {
                        matches!(
                            event,
                            NodeEvent::DeliveryFailed { .. } | NodeEvent::Delivery { .. }
                        )
                        .then_some((by, event))
                    });
                if let Some((by, NodeEvent::DeliveryFailed { id } | NodeEvent::Delivery { id, .. })) = failed
                {
                    self.sim.tell(by, Input::Resend(id));
                }
            }
            47 if self.below(4) == 0 => self.sim.tell(who, Input::Quit),
            47 | 48 => self.link(who, other),
            49 => {
                let address = outside();
                let client_id = matches!(self.kind, Kind::Classic).then_some(ClientId([9; 32]));
                self.sim.tell(who, Input::Connect { client_id, address });
            }
            50..54 => self.inject(who),
            54 => self.add_hostile(),
            55 if self.sim.len() < 20 => self.come(),
            56 => {
                if let Some((_, by, NodeEvent::WorkAsked { .. })) = self
                    .sim
                    .take_events()
                    .into_iter()
                    .rev()
                    .find(|(_, _, event)| matches!(event, NodeEvent::WorkAsked { .. }))
                {
                    self.work(by);
                }
            }
            57 => {
                let archive = self.sim.archive_mut(who);
                archive.clear();
            }
            58 => self.sim.conditions.lost_per_mille = [0, 100, 300][self.below(3)],
            _ => self.sim.conditions.lost_per_mille = 0,
        }
    }

    /// Does the work that a door asks for.
    fn work(&mut self, who: usize) {
        let mut done = vec![0; 100];
        if let Kind::Signed {
            chat,
            invites,
            configs,
        } = &self.kind
        {
            let (_, key, _) = &configs[who];
            let (member, now_ms) = (MemberId(key.public()), self.sim.now().unix_ms);
            let invite = &invites[0];
            if let Some(work) = work::Search::new(&chat.id, &invite.id(), &member, now_ms, 6).run(1 << 20) {
                done = invite.admit_with_work(member, 0, now_ms, work).encode();
            }
        }
        self.sim.tell(who, Input::WorkDone(done));
    }

    fn say(&mut self, who: usize) {
        let text = format!("message {}", self.rng.next_u32());
        let action = self.below(10) == 0;
        self.sim.tell(who, Input::Say { text, action });
    }

    fn moderate(&mut self, who: usize, other: usize) {
        let who = if self.below(3) == 0 { who } else { 0 };
        let member = self.member_of(other);
        let deed = match self.below(10) {
            0 | 1 => Moderation::SetRole(
                member,
                [Role::Moderator, Role::Member, Role::Observer][self.below(3)],
            ),
            2 => Moderation::SetRole(member, Role::Moderator),
            3 => Moderation::Ban {
                member,
                reason: "so".into(),
                with_invite: self.below(4) == 0,
                hide_all: self.below(2) == 0,
            },
            4 | 5 => Moderation::Unban(member),
            6 if self.below(3) == 0 => {
                let invite = match &self.kind {
                    Kind::Signed { invites, .. } => invites[2].admit(MemberId([1; 32]), 0, 0),
                    Kind::Classic => return,
                };
                let throng::invite::Credential::Invited { invite, .. } = invite else {
                    return;
                };
                let invite: InviteId = invite.invite;
                Moderation::CloseInvite(invite)
            }
            6 | 7 => {
                let mode = [
                    DoorMode::Open,
                    DoorMode::Work,
                    DoorMode::ReadFirst,
                    DoorMode::Approval,
                    DoorMode::Closed,
                ][self.below(5)];
                let door = Door {
                    mode,
                    work_bits: 4,
                    minutes: 1,
                    rate: [0, 30][self.below(2)],
                };
                Moderation::SetDoor(door)
            }
            8 => Moderation::SetHistoryRule(
                [
                    HistoryRule::All,
                    HistoryRule::FromJoining,
                    HistoryRule::Days { days: 1 },
                ][self.below(3)],
            ),
            _ => {
                let deed = self.sim.is_running(0).then(|| {
                    let node = self.sim.node(0);
                    node.state()
                        .and_then(|state| state.log().iter().last().map(|entry| entry.id))
                });
                let Some(Some(deed)) = deed else { return };
                Moderation::UndoFrom(deed)
            }
        };
        self.sim.tell(who, Input::Moderate(deed));
    }

    /// Starts somebody who does not run, with what was kept.
    fn start(&mut self, who: usize) {
        if self.sim.is_running(who) {
            return;
        }
        let to = self.somebody();
        let config = match &self.kind {
            Kind::Classic => {
                let known = (0..self.sim.len())
                    .filter(|index| self.sim.is_running(*index))
                    .map(|index| self.sim.node(index).client_id())
                    .collect();
                classic_of(known, "again")
            }
            Kind::Signed { chat, configs, .. } => {
                let (nick, key, credential) = &configs[who];
                chat.config(nick, key.clone(), credential.clone(), None, who == 0)
            }
        };
        self.sim.start(who, config);
        self.link(who, to);
    }

    /// What a stranger or somebody on the way may send.
    fn inject(&mut self, who: usize) {
        let from = SocketAddr::from(([198, 51, self.below(4) as u8, 7], 1_000));
        let len = self.heard.len();
        let mut bytes = if len > 0 && self.below(3) > 0 {
            let at = self.below(len);
            self.heard[at].clone()
        } else {
            let mut bytes = vec![0; 40 + self.below(900)];
            self.rng.fill_bytes(&mut bytes);
            bytes[0] = 48;
            bytes
        };
        if self.below(2) == 0 {
            let at = self.below(bytes.len());
            bytes[at] ^= 1 << self.below(8);
        }
        for _ in 0..=self.below(30) {
            self.sim.inject(who, from, &bytes);
        }
    }

    fn add_hostile(&mut self) {
        let index = self.hostile.len() as u8;
        if index >= 3 {
            return;
        }
        let vice = VICES[self.below(VICES.len())];
        let members: Vec<usize> = (0..4).map(|_| self.somebody()).collect();
        let Kind::Signed { chat, invites, .. } = &mut self.kind else {
            return;
        };
        let mut one = Hostile::new(
            chat,
            &invites[1],
            30 + u16::from(index),
            vice,
            index,
            &mut self.sim,
        );
        for member in members {
            one.knock(&mut self.sim, member);
        }
        self.hostile.push(one);
    }
}

fn outside() -> SocketAddr {
    SocketAddr::from(([203, 0, 113, 9], 5_000))
}

fn classic_of(known: Vec<ClientId>, nick: &str) -> NodeConfig {
    NodeConfig {
        kind: NodeKind::Classic(ClassicState {
            known,
            ..ClassicState::default()
        }),
        nick: nick.into(),
        status: 0,
    }
}
