//! Addresses heard of, probes under way, and what probing may cost.
//!
//! A probe is a question whose answer proves an address: get_nodes in a classic chat, hello in a signed one. What
//! proves is that the answer carries back what only the one asked, at the address asked, has seen.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::{Overlay, WANTED};
use crate::id::ClientId;
use crate::node::core::Core;
use crate::wire::PingId;

/// An answer later than this counts for nothing (the document).
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// "Only peers that answered us there in the last 10 min are listed to others."
pub(super) const PROVED_FOR: Duration = Duration::from_secs(600);

/// The same is asked again after so long at the earliest. A guess: several round trips.
const ASK_AGAIN: Duration = Duration::from_millis(900);

/// Peers remembered that are not linked. A guess: several times what a look-up returns.
const MAX_PEERS: usize = 256;

/// Probes under way at a time, links included. A guess.
const MAX_PROBES: usize = 64;

/// Hearsay probes under way to one IP (the document).
const HEARSAY_AT_ONCE: usize = 2;

/// Hearsay probes a minute to one IP (the document).
const HEARSAY_A_MINUTE: usize = 6;

/// IPs whose budget is kept. Past that no hearsay is probed until some have aged out.
const MAX_BUDGETS: usize = 1_024;

/// Addresses that we were told to try. A guess.
const MAX_TARGETS: usize = 64;

/// Waits between tries of a target: doubling from the first to the last. Guesses.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// While we have no link, so many times before that doubles: eight tries in 11 s. A guess: at 20 % loss each way, 1 newcomer
/// of 3,500 is not welcomed by then.
const EAGER: u32 = 5;

const LAST_RETRY: Duration = Duration::from_secs(15);

/// While links stand, bare addresses are tried so seldom in the end: often enough for the halves of a split chat to
/// find each other, and 25 B/s for 32 addresses that nobody answers from. A guess.
const LAST_RETRY_LINKED: Duration = Duration::from_secs(600);

/// Tries that a bare address gets although links enough stand. A guess: at 20 % loss, 1 in 2,000 is missed.
const LEAST_TRIES: u32 = 7;

/// A peer is tried again after this, and after as many times this as it has failed. A guess.
const RETRY: Duration = Duration::from_secs(30);

/// An address at which a session is said, or proved, to be.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    /// When it last answered there.
    pub(super) proved_at: Option<Duration>,
    /// When it last asked us for nodes.
    asked_us_at: Option<Duration>,
    tried_at: Option<Duration>,
    failures: u32,
}

impl Peer {
    fn new(address: SocketAddr, proved_at: Option<Duration>) -> Self {
        Self {
            address,
            proved_at,
            asked_us_at: None,
            tried_at: None,
            failures: 0,
        }
    }

    /// Whether it has asked us for nodes lately.
    pub(super) fn is_asking(&self, now: Duration, within: Duration) -> bool {
        self.asked_us_at.is_some_and(|at| now.saturating_sub(at) < within)
    }

    /// Whether a probe makes sense now.
    pub(super) fn is_worth_a_try(&self, now: Duration) -> bool {
        self.tried_at
            .is_none_or(|at| now.saturating_sub(at) > RETRY * self.failures.max(1))
    }
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::node) enum Question {
    /// get_nodes, of this session.
    GetNodes { client_id: ClientId, ping_id: PingId },
    /// hello, of this session or of whoever opens the gate's packets; with the token for them.
    Hello {
        client_id: Option<ClientId>,
        nonce: [u8; 16],
        token: [u8; 8],
    },
}

impl Question {
    fn client_id(&self) -> Option<ClientId> {
        match self {
            Self::GetNodes { client_id, .. } => Some(*client_id),
            Self::Hello { client_id, .. } => *client_id,
        }
    }
}

/// A question under way.
#[derive(Debug, Clone)]
struct Probe {
    question: Question,
    address: SocketAddr,
    sent_at: Duration,
    hearsay: bool,
}

/// An address that we were told to try, by the user, an invite or memory.
#[derive(Debug, Clone)]
struct Target {
    client_id: Option<ClientId>,
    address: SocketAddr,
    /// Nobody has proved to be there: the budgets of hearsay hold.
    is_hearsay: bool,
    tried_at: Option<Duration>,
    tries: u32,
}

impl Target {
    /// Whether it is time to try it again.
    fn is_due(&self, now: Duration, has_links: bool) -> bool {
        let last = if has_links && self.client_id.is_none() {
            LAST_RETRY_LINKED
        } else {
            LAST_RETRY
        };
        let eager = if has_links { 1 } else { EAGER };
        let wait = FIRST_RETRY
            .saturating_mul(1 << self.tries.saturating_sub(eager).min(16))
            .min(last);
        self.tried_at.is_none_or(|at| now.saturating_sub(at) >= wait)
    }
}

/// A peer that proved its address so recently needs no second proof to become a link. A guess.
const FRESH: Duration = Duration::from_secs(60);

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Peers {
    table: BTreeMap<ClientId, Peer>,
    probes: Vec<Probe>,
    hearsay: BTreeMap<IpAddr, VecDeque<Duration>>,
    targets: Vec<Target>,
}

impl Peers {
    pub(super) fn get(&self, client_id: &ClientId) -> Option<&Peer> {
        self.table.get(client_id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&ClientId, &Peer)> {
        self.table.iter()
    }

    pub(super) fn remove(&mut self, client_id: &ClientId) {
        self.table.remove(client_id);
        self.targets.retain(|target| target.client_id != Some(*client_id));
        self.probes
            .retain(|probe| probe.question.client_id() != Some(*client_id));
    }

    pub(super) fn has_targets(&self) -> bool {
        !self.targets.is_empty()
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.probes.is_empty()
    }

    /// A question is under way to that address.
    pub(super) fn is_waiting_for(&self, address: SocketAddr) -> bool {
        self.probes.iter().any(|probe| probe.address == address)
    }

    /// Whether somebody there is asked, to be tried, or has answered lately.
    pub(super) fn knows(&self, address: SocketAddr, now: Duration) -> bool {
        let has_answered = |peer: &Peer| {
            let is_fresh = |at| now.saturating_sub(at) <= PROVED_FOR;
            peer.address == address && peer.proved_at.is_some_and(is_fresh)
        };
        self.is_waiting_for(address)
            || self.targets.iter().any(|target| target.address == address)
            || self.table.values().any(has_answered)
    }

    /// A probe under way to that very session.
    pub(super) fn is_probing(&self, client_id: &ClientId) -> bool {
        self.probes
            .iter()
            .any(|probe| probe.question.client_id() == Some(*client_id))
    }

    /// Whether some ping_id is one of ours, outstanding to that very peer.
    pub(super) fn is_own_ping(&self, client_id: &ClientId, ping_id: &PingId) -> bool {
        let question = Question::GetNodes {
            client_id: *client_id,
            ping_id: *ping_id,
        };
        self.probes.iter().any(|probe| probe.question == question)
    }

    /// The probe that an answer belongs to, if there is one; it is over with that.
    pub(super) fn take_answered(
        &mut self,
        from: SocketAddr,
        now: Duration,
        mut matches: impl FnMut(&Question) -> bool,
    ) -> Option<Question> {
        let at = self.probes.iter().position(|probe| {
            probe.address == from
                && now.saturating_sub(probe.sent_at) <= ANSWER_WITHIN
                && matches(&probe.question)
        })?;
        Some(self.probes.swap_remove(at).question)
    }

    /// The token in a hello that is under way to that address.
    pub(super) fn token_under_way(&self, address: SocketAddr) -> Option<[u8; 8]> {
        self.probes
            .iter()
            .rev()
            .filter(|probe| probe.address == address)
            .find_map(|probe| match probe.question {
                Question::Hello { token, .. } => Some(token),
                Question::GetNodes { .. } => None,
            })
    }

    /// Where a session proved to be in the last 10 minutes.
    pub(super) fn proved_address(&self, client_id: &ClientId, now: Duration) -> Option<SocketAddr> {
        let peer = self.table.get(client_id)?;
        let proved_at = peer.proved_at?;
        (now.saturating_sub(proved_at) <= PROVED_FOR).then_some(peer.address)
    }

    /// A session answered from there.
    pub(super) fn proved(&mut self, client_id: ClientId, address: SocketAddr, now: Duration, evict: u64) {
        if !self.table.contains_key(&client_id) {
            self.make_room(evict);
        }
        let asked_us_at = self.table.get(&client_id).and_then(|peer| peer.asked_us_at);
        let peer = Peer {
            asked_us_at,
            ..Peer::new(address, Some(now))
        };
        self.table.insert(client_id, peer);
    }

    /// A session asked us for nodes.
    pub(super) fn asked_us(&mut self, client_id: &ClientId, now: Duration) {
        if let Some(peer) = self.table.get_mut(client_id) {
            peer.asked_us_at = Some(now);
        }
    }

    /// A session answered, but had no room for us.
    pub(super) fn was_full(&mut self, client_id: &ClientId, now: Duration) {
        if let Some(peer) = self.table.get_mut(client_id) {
            peer.tried_at = Some(now);
        }
    }

    /// A session is said to be there. What has proved another address is not moved by it. Returns whether that is new.
    pub(super) fn heard_of(
        &mut self,
        client_id: ClientId,
        address: SocketAddr,
        now: Duration,
        evict: u64,
    ) -> bool {
        if self.proved_address(&client_id, now).is_some() {
            return false;
        }
        match self.table.get_mut(&client_id) {
            Some(peer) if peer.address == address => return false,
            Some(peer) => *peer = Peer::new(address, None),
            None => {
                self.make_room(evict);
                let peer = Peer::new(address, None);
                self.table.insert(client_id, peer);
            }
        }
        true
    }

    /// Drops the peer that failed most, else one at random.
    fn make_room(&mut self, random: u64) {
        if self.table.len() < MAX_PEERS {
            return;
        }
        let failed = self
            .table
            .iter()
            .filter(|(_, peer)| peer.failures > 0)
            .max_by_key(|(_, peer)| peer.failures);
        let at = (random % self.table.len() as u64) as usize;
        let leaving = failed
            .or_else(|| self.table.iter().nth(at))
            .map(|(client_id, _)| *client_id);
        if let Some(client_id) = leaving {
            self.table.remove(&client_id);
        }
    }

    /// Whether one more may be asked, and notes it if it is hearsay. The same one not twice in a second.
    fn try_take_probe(
        &mut self,
        client_id: Option<ClientId>,
        address: SocketAddr,
        hearsay: bool,
        now: Duration,
    ) -> bool {
        let is_same = |probe: &Probe| {
            let is_recent = now.saturating_sub(probe.sent_at) < ASK_AGAIN;
            is_recent && probe.address == address && probe.question.client_id() == client_id
        };
        if self.probes.len() >= MAX_PROBES || self.probes.iter().any(is_same) {
            return false;
        }
        if !hearsay {
            return true;
        }
        let ip = address.ip();
        let at_once = self
            .probes
            .iter()
            .filter(|probe| probe.hearsay && probe.address.ip() == ip)
            .count();
        if at_once >= HEARSAY_AT_ONCE {
            return false;
        }
        let minute_ago = now.saturating_sub(Duration::from_secs(60));
        if !self.hearsay.contains_key(&ip) && self.hearsay.len() >= MAX_BUDGETS {
            self.hearsay
                .retain(|_, times| times.back().is_some_and(|at| *at > minute_ago));
            if self.hearsay.len() >= MAX_BUDGETS {
                return false;
            }
        }
        let times = self.hearsay.entry(ip).or_default();
        while times
            .front()
            .is_some_and(|at| *at <= minute_ago && now > Duration::from_secs(60))
        {
            times.pop_front();
        }
        if times.len() >= HEARSAY_A_MINUTE {
            return false;
        }
        times.push_back(now);
        true
    }
}

impl Overlay {
    /// We are told to try an address. Told again, it is tried at once.
    pub(in crate::node) fn connect(
        &mut self,
        core: &mut Core,
        client_id: Option<ClientId>,
        address: SocketAddr,
        is_hearsay: bool,
    ) {
        let target = Target {
            client_id,
            address,
            is_hearsay,
            tried_at: None,
            tries: 0,
        };
        let targets = &mut self.peers.targets;
        targets.retain(|old| (old.client_id, old.address) != (client_id, address));
        if targets.len() >= MAX_TARGETS {
            targets.remove(0);
        }
        targets.push(target);
        core.wake_now();
    }

    /// What has not worked yet and is to be tried now: who, if that is known, where, and whether that is hearsay.
    pub(in crate::node) fn take_due_targets(
        &mut self,
        now: Duration,
    ) -> Vec<(Option<ClientId>, SocketAddr, bool)> {
        let linked = |target: &Target| match target.client_id {
            Some(client_id) => self.links.contains_key(&client_id),
            None => self.links.values().any(|link| link.address == target.address),
        };
        let targets = &mut self.peers.targets;
        targets.retain(|target| !linked(target));
        // An address without a name is there to find anyone of the chat at all. It gets its tries nevertheless: those
        // whom we found may be newcomers like ourselves, and know nobody else.
        let enough = self.links.len() >= WANTED;
        targets.retain(|target| target.client_id.is_some() || !enough || target.tries < LEAST_TRIES);
        let has_links = !self.links.is_empty();
        let mut due = Vec::new();
        for target in targets {
            if target.is_due(now, has_links) {
                target.tries += 1;
                target.tried_at = Some(now);
                due.push((target.client_id, target.address, target.is_hearsay));
            }
        }
        due
    }

    /// Whether somebody may be asked, within the budgets; notes that they are. What is asked is told to
    /// [`Self::asked`]. `hearsay`: we only heard of the address.
    pub(in crate::node) fn try_probe(
        &mut self,
        core: &Core,
        client_id: Option<ClientId>,
        address: SocketAddr,
        hearsay: bool,
    ) -> bool {
        let now = core.now();
        if client_id == Some(core.client_id()) || !self.peers.try_take_probe(client_id, address, hearsay, now)
        {
            return false;
        }
        if let Some(peer) = client_id.and_then(|client_id| self.peers.table.get_mut(&client_id)) {
            peer.tried_at = Some(now);
        }
        true
    }

    /// A question is under way.
    pub(in crate::node) fn asked(
        &mut self,
        core: &mut Core,
        question: Question,
        address: SocketAddr,
        hearsay: bool,
    ) {
        self.peers.probes.push(Probe {
            question,
            address,
            sent_at: core.now(),
            hearsay,
        });
        core.wake_soon();
    }

    /// What would be asked on approaching a peer: where it is, and whether it answered there lately. None if it is not known.
    pub(in crate::node) fn whereabouts(&self, client_id: &ClientId, now: Duration) -> Option<Whereabouts> {
        let peer = self.peers.get(client_id)?;
        let is_fresh = peer.proved_at.is_some_and(|at| now.saturating_sub(at) <= FRESH);
        Some(Whereabouts {
            address: peer.address,
            is_hearsay: peer.proved_at.is_none(),
            is_fresh,
        })
    }

    /// A probe is under way to that very session.
    pub(in crate::node) fn is_probing(&self, client_id: &ClientId) -> bool {
        self.peers.is_probing(client_id)
    }

    /// Asks a link for nodes, beside the budgets: links are few.
    pub(in crate::node) fn ask_link_for_nodes(
        &mut self,
        core: &mut Core,
        client_id: ClientId,
        address: SocketAddr,
    ) {
        if self.peers.probes.len() < MAX_PROBES {
            let question = Self::ask_for_nodes(core, client_id, address);
            self.asked(core, question, address, false);
        }
    }

    /// Gives up on probes that nobody answered in time.
    pub(in crate::node) fn forget_late_probes(&mut self, now: Duration) {
        let Peers { table, probes, .. } = &mut self.peers;
        probes.retain(|probe| {
            let late = now.saturating_sub(probe.sent_at) > ANSWER_WITHIN;
            let peer = probe
                .question
                .client_id()
                .and_then(|client_id| table.get_mut(&client_id));
            if let (true, Some(peer)) = (late, peer)
                && peer.address == probe.address
            {
                peer.failures = peer.failures.saturating_add(1);
            }
            !late
        });
        table.retain(|_, peer| peer.failures < 5);
    }

    /// Answers to what was asked so far no longer count.
    pub(in crate::node) fn forget_probes(&mut self) {
        self.peers.probes.clear();
    }

    /// Takes the question that an answer from there belongs to, if it came in time.
    pub(in crate::node) fn take_answered(
        &mut self,
        from: SocketAddr,
        now: Duration,
        matches: impl FnMut(&Question) -> bool,
    ) -> Option<Question> {
        self.peers.take_answered(from, now, matches)
    }

    /// The token in a hello that is under way to that address.
    pub(in crate::node) fn token_under_way(&self, address: SocketAddr) -> Option<[u8; 8]> {
        self.peers.token_under_way(address)
    }

    /// Forgets a peer: it is not there any more, or may not be.
    pub(in crate::node) fn forget_peer(&mut self, client_id: &ClientId) {
        self.peers.remove(client_id);
    }

    /// A peer answered, but had no room for us.
    pub(in crate::node) fn was_full(&mut self, client_id: &ClientId, now: Duration) {
        self.peers.was_full(client_id, now);
    }
}

/// Where a peer is.
pub(in crate::node) struct Whereabouts {
    pub(in crate::node) address: SocketAddr,
    /// We only heard of it.
    pub(in crate::node) is_hearsay: bool,
    /// It answered there so lately that it needs no second proof.
    pub(in crate::node) is_fresh: bool,
}

/// Whether an address that a peer told of may be probed: "multicast, broadcast, 0/8 and port 0 never; loopback and
/// private ranges only when the teller is on such an address itself".
pub(super) fn may_be_believed(address: SocketAddr, teller: SocketAddr) -> bool {
    address.port() != 0
        && match reach_of(address.ip()) {
            Reach::Nowhere => false,
            Reach::Anywhere => true,
            Reach::Private => matches!(reach_of(teller.ip()), Reach::Private | Reach::Loopback),
            Reach::Loopback => reach_of(teller.ip()) == Reach::Loopback,
        }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Multicast, broadcast, unspecified.
    Nowhere,
    Loopback,
    Private,
    Anywhere,
}

fn reach_of(ip: IpAddr) -> Reach {
    match ip {
        IpAddr::V4(v4) if v4.is_multicast() || v4.is_broadcast() || v4.octets()[0] == 0 => Reach::Nowhere,
        IpAddr::V4(v4) if v4.is_loopback() => Reach::Loopback,
        IpAddr::V4(v4) if v4.is_private() || v4.is_link_local() => Reach::Private,
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => v6
            .to_ipv4_mapped()
            .map_or(Reach::Nowhere, |v4| reach_of(v4.into())),
        IpAddr::V6(v6) if v6.is_multicast() || v6.is_unspecified() => Reach::Nowhere,
        IpAddr::V6(v6) if v6.is_loopback() => Reach::Loopback,
        IpAddr::V6(v6) if v6.is_unique_local() || v6.is_unicast_link_local() => Reach::Private,
        IpAddr::V4(_) | IpAddr::V6(_) => Reach::Anywhere,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hearsay_is_believed_as_far_as_its_teller_could_know() {
        let at = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let public = at("198.51.100.7:1");
        let lan = at("192.168.1.2:1");
        let here = at("127.0.0.1:1");
        for never in [
            "224.0.0.1:5",
            "255.255.255.255:5",
            "0.1.2.3:5",
            "198.51.100.8:0",
            "[ff02::1]:5",
            "[::]:5",
            "[::ffff:224.0.0.1]:5",
        ] {
            assert!(!may_be_believed(at(never), here), "{never}");
        }
        assert!(may_be_believed(at("198.51.100.8:5"), public));
        for private in [
            "10.0.0.1:5",
            "192.168.1.3:5",
            "169.254.1.1:5",
            "[fd00::1]:5",
            "[fe80::1]:5",
        ] {
            assert!(
                !may_be_believed(at(private), public) && may_be_believed(at(private), lan),
                "{private}"
            );
        }
        for loopback in ["127.0.0.1:5", "[::1]:5", "[::ffff:127.0.0.1]:5"] {
            assert!(
                !may_be_believed(at(loopback), lan) && may_be_believed(at(loopback), here),
                "{loopback}"
            );
        }
    }

    #[test]
    fn one_ip_is_asked_on_hearsay_twice_at_once_and_six_times_a_minute() {
        let mut peers = Peers::default();
        let key = |n: u8| ClientId([n; 32]);
        let at = |port: u16| SocketAddr::from(([198, 51, 100, 7], port));
        let mut asked = 0;
        for second in 0..60 {
            let now = Duration::from_secs(second);
            peers
                .probes
                .retain(|probe| now.saturating_sub(probe.sent_at) <= ANSWER_WITHIN);
            for n in 0..20 {
                if peers.try_take_probe(Some(key(n)), at(u16::from(n) + 1), true, now) {
                    asked += 1;
                    let question = Question::GetNodes {
                        client_id: key(n),
                        ping_id: [n; 8],
                    };
                    peers.probes.push(Probe {
                        question,
                        address: at(u16::from(n) + 1),
                        sent_at: now,
                        hearsay: true,
                    });
                }
            }
            assert!(peers.probes.len() <= HEARSAY_AT_ONCE);
        }
        assert_eq!(asked, HEARSAY_A_MINUTE);
        assert!(
            peers.try_take_probe(Some(key(99)), at(99), true, Duration::from_secs(121)),
            "a minute later again"
        );
    }
}
