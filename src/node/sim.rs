//! A simulated network for nodes, in virtual time: latency, loss, partitions and silence, all from one seed. Nothing
//! in it sleeps, and a run with the same seed is the same run.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::net::SocketAddr;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

pub use super::sim_archive::Archive;
use super::{Input, Node, NodeConfig, NodeEvent, NodeKind, Now, Output};
use crate::crypto;

/// 2026-11-22, about noon: what the simulated computers' clocks show at the start.
const START_MS: u64 = 1_795_350_000_000;

/// What the network does to datagrams.
#[derive(Debug, Clone, Copy)]
pub struct Conditions {
    /// The least and the most that a datagram takes.
    pub latency: (Duration, Duration),
    /// How many of 1,000 get lost.
    pub lost_per_mille: u32,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            latency: (Duration::from_millis(10), Duration::from_millis(100)),
            lost_per_mille: 0,
        }
    }
}

/// The simulated network and everyone on it.
pub struct Sim {
    /// What it does to datagrams from now on.
    pub conditions: Conditions,
    rng: ChaCha20Rng,
    now: Duration,
    members: Vec<Option<Node>>,
    /// What each keeps of what was said, running or not.
    archives: Vec<Archive>,
    by_address: BTreeMap<SocketAddr, usize>,
    /// Which part of a split network a member is in; datagrams don't pass from one to another.
    parts: Vec<u8>,
    /// Members behind a NAT, with whom they have sent to: only those reach them.
    behind_nat: BTreeMap<usize, BTreeSet<usize>>,
    queue: BinaryHeap<Reverse<Due>>,
    /// Breaks ties of the queue, so that its order never depends on anything else.
    sequence: u64,
    datagrams: Vec<Option<(SocketAddr, Vec<u8>)>>,
    /// What was sent to addresses outside, where something other than a node listens: from which member, what.
    mail: BTreeMap<SocketAddr, Vec<(usize, Vec<u8>)>>,
    free: Vec<usize>,
    /// What happened: when, to whom, what.
    events: Vec<(Duration, usize, NodeEvent)>,
    /// See [`Sim::trace`].
    trace: [u8; 32],
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Duration,
    sequence: u64,
    member: usize,
    /// Index into `datagrams`; `None`: its deadline.
    datagram: Option<usize>,
}

impl Sim {
    /// An empty network.
    pub fn new(seed: u64, conditions: Conditions) -> Self {
        Self {
            conditions,
            rng: ChaCha20Rng::seed_from_u64(seed),
            now: Duration::ZERO,
            members: Vec::new(),
            archives: Vec::new(),
            by_address: BTreeMap::new(),
            parts: Vec::new(),
            behind_nat: BTreeMap::new(),
            queue: BinaryHeap::new(),
            sequence: 0,
            datagrams: Vec::new(),
            mail: BTreeMap::new(),
            free: Vec::new(),
            events: Vec::new(),
            trace: [0; 32],
        }
    }

    /// A hash chain over every output of every node so far, with its time: equal only where all nodes did exactly the
    /// same.
    pub fn trace(&self) -> [u8; 32] {
        self.trace
    }

    fn note(&mut self, index: usize, output: &Output) {
        let at = self.now.as_nanos().to_be_bytes();
        let index = (index as u64).to_be_bytes();
        let what = match output {
            Output::Transmit { to, bytes } => [to.to_string().as_bytes(), bytes].concat(),
            other => format!("{other:?}").into_bytes(),
        };
        self.trace = crypto::hash(&[&self.trace, &at, &index, &what]);
    }

    /// The virtual time, by both clocks.
    pub fn now(&self) -> Now {
        Now {
            elapsed: self.now,
            unix_ms: START_MS + self.now.as_millis() as u64,
        }
    }

    /// A random number below `bound`, from the simulation's seed.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.rng.next_u64() % bound as u64) as usize
    }

    /// Adds a member; its index.
    pub fn add(&mut self, config: NodeConfig) -> usize {
        let index = self.members.len();
        self.members.push(None);
        self.archives.push(Archive::default());
        self.parts.push(0);
        self.by_address.insert(address_of(index), index);
        self.start(index, config);
        index
    }

    /// Starts a member again, at its old address, with a new session, and with what its archive knows of the past.
    pub fn start(&mut self, index: usize, mut config: NodeConfig) {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        if let NodeKind::Signed(state) = &mut config.kind {
            self.archives[index].restore(state);
        }
        self.members[index] = Some(Node::new(config, seed, self.now()));
        self.after_handling(index);
    }

    /// Stops a member without a goodbye.
    pub fn kill(&mut self, index: usize) {
        self.members[index] = None;
    }

    /// Puts a member into a part of the network; datagrams pass only within a part. All begin in part 0.
    pub fn put_into_part(&mut self, index: usize, part: u8) {
        self.parts[index] = part;
    }

    /// Puts a member behind a symmetric NAT: from now on only those reach it to whom it has sent before, and of those
    /// nobody who is behind such a NAT as well.
    pub fn put_behind_nat(&mut self, index: usize) {
        self.behind_nat.insert(index, BTreeSet::new());
    }

    /// A member's node. Panics when it does not run.
    pub fn node(&self, index: usize) -> &Node {
        self.members[index].as_ref().expect("the member runs")
    }

    /// What a member keeps of what was said, running or not.
    pub fn archive(&self, index: usize) -> &Archive {
        &self.archives[index]
    }

    /// The same, to be changed.
    pub fn archive_mut(&mut self, index: usize) -> &mut Archive {
        &mut self.archives[index]
    }

    /// Whether a member runs.
    pub fn is_running(&self, index: usize) -> bool {
        self.members[index].is_some()
    }

    /// Where a member is.
    pub fn address(&self, index: usize) -> SocketAddr {
        address_of(index)
    }

    /// How many members there are, running or not.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Tells a member something.
    pub fn tell(&mut self, index: usize, input: Input<'_>) {
        let now = self.now();
        if let Some(node) = &mut self.members[index] {
            node.handle(now, input);
        }
        self.after_handling(index);
    }

    /// Hands a member a datagram as if it came from that address.
    pub fn inject(&mut self, index: usize, from: SocketAddr, bytes: &[u8]) {
        self.tell(index, Input::Datagram { from, bytes });
    }

    /// From now on, what is sent to an address outside is kept for [`Self::take_mail`]: for peers that are made by hand.
    pub fn listen_outside(&mut self, address: SocketAddr) {
        self.mail.entry(address).or_default();
    }

    /// What members have sent to an address outside since the last call, at once and whole: from which, what.
    pub fn take_mail(&mut self, address: SocketAddr) -> Vec<(usize, Vec<u8>)> {
        self.mail
            .get_mut(&address)
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Lets time pass.
    pub fn run_for(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some(Reverse(due)) = self.queue.peek() {
            if due.at > until {
                break;
            }
            let Some(Reverse(due)) = self.queue.pop() else {
                break;
            };
            self.now = self.now.max(due.at);
            self.come_due(&due);
        }
        self.now = until;
    }

    /// What has happened since the last call: when, to whom, what.
    pub fn take_events(&mut self) -> Vec<(Duration, usize, NodeEvent)> {
        std::mem::take(&mut self.events)
    }

    fn come_due(&mut self, due: &Due) {
        let now = self.now();
        match due.datagram {
            Some(at) => {
                let Some((from, bytes)) = self.datagrams[at].take() else {
                    return;
                };
                self.free.push(at);
                if let Some(node) = &mut self.members[due.member] {
                    node.handle(now, Input::Datagram { from, bytes: &bytes });
                }
            }
            None => {
                let Some(node) = &mut self.members[due.member] else {
                    return;
                };
                // An older deadline: a newer one is in the queue.
                if node.poll_timeout().is_none_or(|at| at > due.at) {
                    return;
                }
                node.handle(now, Input::Timeout);
            }
        }
        self.after_handling(due.member);
    }

    fn after_handling(&mut self, index: usize) {
        let now = self.now();
        let mut sent = Vec::new();
        loop {
            let Some(node) = &mut self.members[index] else {
                return;
            };
            let Some(output) = node.poll_output() else { break };
            self.note(index, &output);
            match output {
                Output::Transmit { to, bytes } => sent.push((to, bytes)),
                Output::Look { ticket, query } => {
                    let answer = self.archives[index].look(&query);
                    if let Some(node) = &mut self.members[index] {
                        node.handle(now, Input::Found { ticket, answer });
                    }
                }
                Output::Event(event) => {
                    self.archives[index].keep(&event);
                    self.events.push((self.now, index, event));
                }
            }
        }
        let deadline = self.members[index].as_ref().and_then(Node::poll_timeout);
        for (to, bytes) in sent {
            self.carry(index, to, bytes);
        }
        if let Some(at) = deadline {
            self.put_into_queue(at.max(self.now), index, None);
        }
    }

    fn carry(&mut self, from: usize, to: SocketAddr, bytes: Vec<u8>) {
        let Some(&receiver) = self.by_address.get(&to) else {
            if let Some(mail) = self.mail.get_mut(&to) {
                mail.push((from, bytes));
            }
            return;
        };
        if let Some(sent_to) = self.behind_nat.get_mut(&from) {
            sent_to.insert(receiver);
        }
        let is_hidden = self.behind_nat.contains_key(&from);
        let lets_in = |sent_to: &BTreeSet<usize>| sent_to.contains(&from) && !is_hidden;
        if !self.behind_nat.get(&receiver).is_none_or(lets_in) {
            return;
        }
        let lost = self.rng.next_u32() % 1_000 < self.conditions.lost_per_mille;
        if lost || self.parts[from] != self.parts[receiver] {
            return;
        }
        let (least, most) = self.conditions.latency;
        let spread = (most - least).as_micros().max(1) as u64;
        let latency = least + Duration::from_micros(self.rng.next_u64() % spread);
        let datagram = Some((address_of(from), bytes));
        let at = match self.free.pop() {
            Some(at) => {
                self.datagrams[at] = datagram;
                at
            }
            None => {
                self.datagrams.push(datagram);
                self.datagrams.len() - 1
            }
        };
        self.put_into_queue(self.now + latency, receiver, Some(at));
    }

    fn put_into_queue(&mut self, at: Duration, member: usize, datagram: Option<usize>) {
        self.sequence += 1;
        self.queue.push(Reverse(Due {
            at,
            sequence: self.sequence,
            member,
            datagram,
        }));
    }
}

/// Everyone has an IP of their own, none of them private.
fn address_of(index: usize) -> SocketAddr {
    let [_, a, b, c] = (index as u32 + 1).to_be_bytes();
    SocketAddr::from(([60 + a, b, c, 1], 33_445))
}
