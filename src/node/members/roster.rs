//! Telling a new link who is there. After a link stands, each side asks the other for the says that introduce the
//! sessions that it lacks, page by page in order of their keys. A fingerprint in each keepalive tells when an
//! announcement was lost, and it is asked again.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use super::{Members, Session};
use crate::crypto;
use crate::id::{ClientId, MemberId};
use crate::node::bucket::{Bucket, Rate, try_take};
use crate::node::core::Core;
use crate::node::overlay::Overlay;
use crate::wire::{MAX_KNOWN_SESSIONS, Packet, Roster, RosterAsk, Say, ShortSessionState};

/// In place of the hops: the answer to a roster ask. A newcomer, to whom everything is news, does not pass it on.
pub(in crate::node) const ROSTER_ANSWER: u8 = 255;

/// Sessions on a page: with name and status, some 7 KB in up to 16 datagrams. A guess.
const PAGE: usize = 8;

/// A page that has not come is asked for again after so long, so many times. Guesses.
const ASK_AGAIN: Duration = Duration::from_secs(1);
const TRIES: u8 = 5;

/// Pages answered at once and a second over one link. A guess: 500 sessions in 3 s.
const PAGES: Rate = Rate::per_second(20.0, 20.0);

/// For the sake of sessions that nobody told us of, a roster is asked for at most so often: the link may not know either,
/// and its answer is long. A guess.
const ASK_FOR_STRANGERS: Duration = Duration::from_secs(30);

/// Words of a session wait so long for what introduces it, which came by a slower way or got lost. A guess: several hops.
const INTRODUCED_WITHIN: Duration = Duration::from_secs(1);

/// Links that a newcomer asks for everyone at a time: one may be silent, and each tells as much. A guess.
const ASKED_AT_ONCE: usize = 2;

/// What has been heard so lately may not have reached everybody yet. A guess: minutes, since it is told by others for gone.
const HEARD_LATELY: Duration = Duration::from_secs(60);

/// Above all sessions.
const LAST: ClientId = ClientId([0xFF; 32]);

/// Differing fingerprints in a row until the roster is asked for: one may be news under way.
const DIFFERENT: u8 = 2;

/// How far asking over a link has got.
#[derive(Debug, Default)]
pub(super) struct Asking {
    /// The page asked for: sessions above this key.
    after: Option<ClientId>,
    /// Those named in the question.
    known: Vec<ClientId>,
    asked_at: Duration,
    tries: u8,
    different: u8,
    answers: Option<Bucket>,
}

impl Asking {
    pub(super) fn is_waiting(&self) -> bool {
        self.after.is_some()
    }
}

impl Members {
    /// Asks a link for all sessions it knows, from the start. One asking at a time.
    pub(in crate::node) fn ask_roster(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        client_id: ClientId,
    ) {
        let Some(asking) = self.asking.get_mut(&client_id) else {
            return;
        };
        if !asking.is_waiting() {
            asking.tries = 0;
            self.ask_page(core, overlay, client_id, ClientId([0; 32]));
        }
    }

    /// A link stands. Who knows nobody asks for everyone, and this is true; else both compare what they know first, since a
    /// roster is long and most links of a chat that goes on make nothing known.
    pub(in crate::node) fn asks_for_everyone(&self) -> bool {
        let asked_for = self.asking.values().filter(|asking| asking.is_waiting()).count();
        self.roster_at.is_none() && asked_for < ASKED_AT_ONCE
    }

    /// Words came of a session that we have not met. What introduces it may only be slower.
    pub(in crate::node) fn wake_for_strangers(core: &mut Core) {
        core.wake_at(core.now() + INTRODUCED_WITHIN);
    }

    /// Words that were held for longer than this are of somebody whom nobody introduced.
    pub(in crate::node) fn unintroduced_since(now: Duration) -> Duration {
        now.saturating_sub(INTRODUCED_WITHIN)
    }

    /// Nobody introduced a session whose words we hold: who passed them on may know it.
    pub(in crate::node) fn ask_who_they_are(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        passed_on_by: ClientId,
    ) {
        let now = core.now();
        let asked_at = &mut self.asked_for_strangers_at;
        if asked_at.is_none_or(|at| now.saturating_sub(at) >= ASK_FOR_STRANGERS) {
            *asked_at = Some(now);
            self.ask_roster(core, overlay, passed_on_by);
        }
    }

    fn ask_page(&mut self, core: &mut Core, overlay: &mut Overlay, client_id: ClientId, after: ClientId) {
        let Some((address, t)) = overlay.next_token(&client_id) else {
            return;
        };
        let mut standing = self
            .sessions_after(&after)
            .filter(|(_, session)| session.name.is_some());
        let some = standing.by_ref().take(MAX_KNOWN_SESSIONS);
        let (ids, known): (Vec<_>, Vec<_>) = some
            .map(|(client_id, session)| (*client_id, short_state(&t.token, client_id, session)))
            .unzip();
        let to = match standing.next() {
            Some(_) => ids.last().copied().unwrap_or(LAST),
            None => LAST,
        };
        drop(standing);
        let Some(asking) = self.asking.get_mut(&client_id) else {
            return;
        };
        asking.after = Some(after);
        // Of two answers it is not known which question they are of.
        asking.known = if asking.tries == 0 { ids } else { Vec::new() };
        asking.asked_at = core.now();
        let ask = RosterAsk { t, after, to, known };
        core.send(address, client_id, &Packet::RosterAsk(ask));
        core.wake_soon();
    }

    /// Asks again for pages that have not come.
    pub(in crate::node) fn ask_rosters_again(&mut self, core: &mut Core, overlay: &mut Overlay) {
        let now = core.now();
        let mut again = Vec::new();
        for (client_id, asking) in &mut self.asking {
            let Some(after) = asking.after else { continue };
            if now.saturating_sub(asking.asked_at) < ASK_AGAIN {
                continue;
            }
            asking.tries += 1;
            if asking.tries > TRIES {
                asking.after = None;
            } else {
                again.push((*client_id, after));
            }
        }
        for (client_id, after) in again {
            self.ask_page(core, overlay, client_id, after);
        }
    }

    /// Whether a page that was asked for has not come yet.
    pub(in crate::node) fn is_busy(&self) -> bool {
        self.asking.values().any(Asking::is_waiting)
    }

    /// Answers a link that asks who is there.
    pub(in crate::node) fn on_roster_ask(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        from: SocketAddr,
        sender: ClientId,
        ask: &RosterAsk,
    ) {
        let now = core.now();
        let Some(asking) = self.asking.get_mut(&sender) else {
            return;
        };
        if !try_take(&mut asking.answers, PAGES, now) {
            return core.drop_packet("roster_budget");
        }
        let Page {
            says,
            last,
            more,
            gone,
        } = self.page(&sender, ask);
        for say in says {
            core.send(from, sender, &say);
        }
        if let Some((_, t)) = overlay.next_token(&sender) {
            let roster = Roster { t, last, more, gone };
            core.send(from, sender, &Packet::Roster(roster));
        }
    }

    /// A page is complete: on to the next.
    pub(in crate::node) fn on_roster(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        sender: ClientId,
        roster: &Roster,
    ) {
        let Some(asking) = self.asking.get_mut(&sender) else {
            return;
        };
        let Some(after) = asking.after.take() else {
            return;
        };
        asking.tries = 0;
        let known = std::mem::take(&mut asking.known);
        let Some(member) = overlay.member_of(&sender) else {
            return;
        };
        let gone = roster.gone.iter().filter_map(|at| known.get(usize::from(*at)));
        for client_id in gone.filter(|client_id| **client_id <= roster.last) {
            self.is_told_gone(core, overlay, &member, client_id);
        }
        // A page that leads nowhere would be asked for again for ever.
        if roster.more && roster.last > after {
            return self.ask_page(core, overlay, sender, roster.last);
        }
        self.roster_at.get_or_insert(core.now());
    }

    /// A session that stands for us does not for a link. That is as good as its report, unless the session may not have
    /// come to it yet.
    fn is_told_gone(&mut self, core: &mut Core, overlay: &mut Overlay, by: &MemberId, client_id: &ClientId) {
        let now = core.now();
        let is_settled = |session: &Session| now.saturating_sub(session.heard_at) >= HEARD_LATELY;
        if *client_id != core.client_id() && self.sessions.get(client_id).is_some_and(is_settled) {
            self.take_report_of(core, overlay, *by, *client_id);
        }
    }

    /// What a keepalive says of who is there, against what we know.
    pub(in crate::node) fn compare(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        sender: ClientId,
        fingerprint: &[u8; 16],
    ) {
        let same = *fingerprint == self.fingerprint();
        let Some(asking) = self.asking.get_mut(&sender) else {
            return;
        };
        asking.different = if same {
            0
        } else {
            asking.different.saturating_add(1)
        };
        if asking.different >= DIFFERENT {
            asking.different = 0;
            self.ask_roster(core, overlay, sender);
        }
    }

    /// A hash of the sessions that stand and the numbers of their last name and status: 16 bytes.
    pub(in crate::node) fn fingerprint(&self) -> [u8; 16] {
        let mut bytes = Vec::new();
        // Who has said no name can't be told of: were it counted, those who met it would differ from the others for good,
        // and all would ask for everything again and again.
        let named = |session: &Session| session.online && session.name.is_some();
        for (client_id, session) in self.sessions().filter(|(_, session)| named(session)) {
            bytes.extend(client_id.0);
            for say in [&session.name, &session.status] {
                bytes.extend(say.as_ref().map_or(0, |say| say.signed.number).to_be_bytes());
            }
        }
        let mut fingerprint = [0; 16];
        fingerprint.copy_from_slice(&crypto::hash(&[b"throng/1 roster\0", &bytes])[..16]);
        fingerprint
    }
}

/// What a roster_ask is answered.
struct Page {
    says: Vec<Packet>,
    last: ClientId,
    more: bool,
    gone: Vec<u8>,
}

impl Members {
    /// The first sessions that the asker does not know as they are, and which of those it knows stand here no more.
    fn page(&self, asker: &ClientId, ask: &RosterAsk) -> Page {
        let known: BTreeSet<_> = ask.known.iter().collect();
        let (mut says, mut over) = (Vec::new(), BTreeSet::new());
        let (mut told, mut last, mut is_full) = (0, ask.after, false);
        let sessions = self.all_sessions_after(&ask.after);
        for (client_id, session) in sessions.take_while(|(client_id, _)| **client_id <= ask.to) {
            if !session.online && known.is_empty() {
                continue;
            }
            let state = short_state(&ask.t.token, client_id, session);
            if !session.online {
                over.insert(without_numbers(&state));
                continue;
            }
            let is_known = client_id == asker || known.contains(&state);
            is_full = told == PAGE && !is_known;
            if is_full {
                break;
            }
            if !is_known {
                says.extend(introductions(session));
                told += 1;
            }
            last = *client_id;
        }
        if !is_full {
            last = ask.to;
        }
        // Only what we knew to stand once: what we lack may not have come yet.
        let is_gone = |state: &ShortSessionState| over.contains(&without_numbers(state));
        let places = (0..).zip(&ask.known);
        Page {
            says,
            last,
            more: is_full || ask.to != LAST,
            gone: places
                .filter(|(_, state)| is_gone(state))
                .map(|(at, _)| at)
                .collect(),
        }
    }
}

fn without_numbers(state: &ShortSessionState) -> [u8; 4] {
    let [a, b, c, d, ..] = *state;
    [a, b, c, d]
}

/// A session as it stands in what goes to the link that gave this token, or comes from it.
fn short_state(token: &[u8; 8], client_id: &ClientId, session: &Session) -> ShortSessionState {
    let hash = crypto::hash(&[b"throng/1 session\0", token, &client_id.0]);
    let number = |say: &Option<Say>| say.as_ref().map_or(0, |say| say.signed.number as u8);
    [
        hash[0],
        hash[1],
        hash[2],
        hash[3],
        number(&session.name),
        number(&session.status),
    ]
}

/// The says that introduce a session to somebody who asked: its name with its chain, and its status.
fn introductions(session: &Session) -> Vec<Packet> {
    let answer = ROSTER_ANSWER;
    let name = session.name.iter().map(|say| Say {
        hops: answer,
        chain: Some(session.chain.clone()),
        ..say.clone()
    });
    let status = session.status.iter().map(|say| Say {
        hops: answer,
        ..say.clone()
    });
    name.chain(status).map(Packet::Say).collect()
}
