//! What comes of what was said before is checked like what is said now, but for its session's certificate, which is gone
//! by then: the author's admission and signature are enough.

use super::{Below, History};
use crate::crypto;
use crate::facts::{Action, Admitted};
use crate::id::{ClientId, MemberId, MessageId};
use crate::invite::{self, Credential};
use crate::node::bucket::{Rate, try_take};
use crate::node::gossip::{MAX_AHEAD_MS, SAY, id_of, place};
use crate::node::members::Member;
use crate::node::{NodeEvent, NodeMessage};
use crate::wire::{Body, HistoryAuthor, HistoryMember, HistorySay, SignedSay};

/// Credentials of authors that are checked: each costs up to three signatures, and one of some 8,192 places for members. A
/// guess: all of a large chat in a minute.
const CREDENTIALS: Rate = Rate::per_second(10.0, 300.0);

/// Clocks may be wrong by so much: what is older than its author's admission by more was not said by them then.
const CLOCKS_PART_MS: u64 = MAX_AHEAD_MS;

/// What is so recent may still come live as well. A guess: what a repair brings.
const RECENT_MS: u64 = 600_000;

/// What became of a say.
pub(super) enum Taken {
    /// It was told.
    New([u8; 32]),
    /// It had come before.
    Known([u8; 32]),
    /// Its author did say it; but it is not taken.
    Refused([u8; 32]),
    /// Whose it is is not known.
    Unknown,
    /// Nobody of whom it could be has signed it.
    Forged,
}

impl History {
    /// Authors of a page: who is not known yet is admitted, if the credential holds.
    pub(super) fn meet_authors(
        &mut self,
        below: &mut Below<'_>,
        authors: Vec<HistoryAuthor>,
    ) -> Vec<(ClientId, MemberId)> {
        let mut met = Vec::new();
        for HistoryAuthor { client_id, author } in authors {
            let member = match author {
                HistoryMember::Id(member) => Some(member),
                HistoryMember::Credential(bytes) => match Credential::decode(&bytes) {
                    Ok((credential, [])) => self.meet_author(below, &credential).then(|| credential.member()),
                    _ => None,
                },
            };
            match member {
                Some(member) => met.push((client_id, member)),
                None => below.core.drop_packet("bad_author"),
            }
        }
        met
    }

    fn meet_author(&mut self, below: &mut Below<'_>, credential: &Credential) -> bool {
        if below.members.is_admitted(&credential.member()) {
            return true;
        }
        let may_check = try_take(&mut self.credentials, CREDENTIALS, below.core.now());
        if !may_check || !credential.verify(below.members.chat()) {
            return false;
        }
        below.rights.admit_author(below.core, below.members, credential);
        true
    }

    /// Takes a say of one of some sessions that it may be of.
    pub(super) fn take_past(
        &mut self,
        below: &mut Below<'_>,
        say: &HistorySay,
        after: [u8; 8],
        alike: &[(ClientId, MemberId)],
    ) -> Taken {
        let mut lacks_admission = alike.is_empty();
        for (client_id, member) in alike {
            let signed_say = say.signed(*client_id, after);
            let bytes = signed_say.encode();
            let chat = below.members.chat();
            let id = id_of(chat, &bytes);
            if below.gossip.has_seen(&id) || self.came.contains_key(&id.0) {
                return Taken::Known(id.0);
            }
            let Some(admitted) = below.members.member(member).map(|known| *known.admitted()) else {
                lacks_admission = true;
                continue;
            };
            if !crypto::verify(&member.0, SAY, chat, &bytes, &say.signature) {
                continue;
            }
            return match self.why_not(below, &admitted, &signed_say, bytes.len()) {
                Some(cause) => {
                    below.core.drop_packet(cause);
                    Taken::Refused(id.0)
                }
                None => {
                    self.tell_past(below, id, *member, &signed_say, &say.signature);
                    Taken::New(id.0)
                }
            };
        }
        if lacks_admission {
            Taken::Unknown
        } else {
            Taken::Forged
        }
    }

    /// Why what a member did say is not taken.
    fn why_not(
        &mut self,
        below: &mut Below<'_>,
        author: &Admitted,
        say: &SignedSay,
        len: usize,
    ) -> Option<&'static str> {
        let now_ms = below.core.now_ms();
        let (members, rights) = (&*below.members, below.rights);
        let said_ms = say.hlc >> 16;
        if said_ms > now_ms + MAX_AHEAD_MS {
            return Some("from_the_future");
        }
        // When they came, as their admission says.
        let came_ms = members.member(&author.member).map_or(0, Member::since_ms);
        if said_ms + CLOCKS_PART_MS < came_ms {
            return Some("before_its_author");
        }
        // Whom a fact made an observer spoke before that. Who waits at the door, or has to read first, did not.
        let may_now = rights.may(members, &author.member, Action::Speak, now_ms).is_ok();
        let read_first = rights.minutes_to_read(members, &author.member, said_ms) > 0;
        let was_made_observer = author.rights != invite::Rights::Observer && rights.is_named(&author.member);
        let may_speak = (may_now || was_made_observer) && !read_first;
        if !may_speak || rights.has_lost_slot(members, author) {
            return Some("not_allowed");
        }
        let is_shown = rights
            .state()
            .is_none_or(|state| state.shows(author, &say.client_id, say.number));
        if !is_shown {
            return Some("session_over");
        }
        if !say.body.rules().is_kept {
            return Some("not_kept");
        }
        let quotas = &mut self.quotas;
        if !quotas.has_room(&author.member, said_ms, now_ms) {
            return Some("history_quota");
        }
        quotas.took(&author.member, said_ms, len);
        None
    }

    fn tell_past(
        &mut self,
        below: &mut Below<'_>,
        id: MessageId,
        member: MemberId,
        say: &SignedSay,
        signature: &[u8; 64],
    ) {
        let now_ms = below.core.now_ms();
        let said_ms = say.hlc >> 16;
        // What is old is not kept among what is seen, which would push out what is new.
        if now_ms.saturating_sub(said_ms) <= RECENT_MS {
            below.gossip.note_seen(&id);
        } else {
            self.came.insert(id.0, ());
        }
        let (text, action) = match &say.body {
            Body::Message(text) => (text.clone(), false),
            Body::Action { text, .. } => (text.clone(), true),
            Body::Part(_) => {
                let (core, members) = (&mut *below.core, &*below.members);
                return below
                    .gossip
                    .take_fragment(core, members, (id, member), say, signature, true);
            }
            _ => return,
        };
        let mut signed = say.encode();
        signed.extend(signature);
        below.core.emit(NodeEvent::Message(NodeMessage {
            id,
            member,
            client_id: say.client_id,
            number: say.number,
            at_ms: said_ms.min(now_ms),
            place: place(say.hlc, now_ms),
            action,
            text,
            own: member == below.core.member(),
            signed,
            history: true,
        }));
    }
}
