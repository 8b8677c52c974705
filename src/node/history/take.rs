//! What comes of what was said before is checked like what is said now, but for its session's certificate, which is gone
//! by then: the author's admission and signature are enough.

use super::super::bucket::{Bucket, Rate};
use super::super::say::{MAX_AHEAD_MS, SAY, place};
use super::super::signed::Signed;
use super::super::{Kind, Node, NodeEvent, NodeMessage};
use crate::crypto;
use crate::facts::Admitted;
use crate::id::{ClientId, MemberId, MessageId};
use crate::invite::{Credential, Rights};
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

impl Node {
    /// Authors of a page: who is not known yet is admitted, if the credential holds.
    pub(super) fn meet_authors(&mut self, authors: Vec<HistoryAuthor>) -> Vec<(ClientId, MemberId)> {
        let mut met = Vec::new();
        for HistoryAuthor { client_id, author } in authors {
            let member = match author {
                HistoryMember::Id(member) => Some(member),
                HistoryMember::Credential(bytes) => match Credential::decode(&bytes) {
                    Ok((credential, [])) => self.meet_author(&credential).then(|| credential.member()),
                    _ => None,
                },
            };
            match member {
                Some(member) => met.push((client_id, member)),
                None => self.drop_packet("bad_author"),
            }
        }
        met
    }

    fn meet_author(&mut self, credential: &Credential) -> bool {
        let now = self.now.elapsed;
        let Kind::Signed(signed) = &mut self.kind else {
            return false;
        };
        if signed.is_admitted(&credential.member()) {
            return true;
        }
        let bucket = signed
            .history
            .credentials
            .get_or_insert_with(|| Bucket::full(CREDENTIALS, now));
        if !bucket.take(CREDENTIALS, now) || !credential.verify(&signed.chat) {
            return false;
        }
        self.admit_author(credential);
        true
    }

    /// Takes a say of one of some sessions that it may be of.
    pub(super) fn take_past(
        &mut self,
        say: &HistorySay,
        after: [u8; 8],
        alike: &[(ClientId, MemberId)],
    ) -> Taken {
        let mut lacks_admission = alike.is_empty();
        for (client_id, member) in alike {
            let signed_say = say.signed(*client_id, after);
            let bytes = signed_say.encode();
            let Kind::Signed(signed) = &mut self.kind else {
                return Taken::Unknown;
            };
            let id = crypto::hash_signed(SAY, &signed.chat, &bytes);
            if self.seen.contains_key(&id) || signed.history.came.contains_key(&id) {
                return Taken::Known(id);
            }
            let Some(admitted) = signed.admitted(member) else {
                lacks_admission = true;
                continue;
            };
            if !crypto::verify(&member.0, SAY, &signed.chat, &bytes, &say.signature) {
                continue;
            }
            return match self.why_not(&admitted, &signed_say, bytes.len()) {
                Some(cause) => {
                    self.drop_packet(cause);
                    Taken::Refused(id)
                }
                None => {
                    self.tell_past(MessageId(id), *member, &signed_say, &say.signature);
                    Taken::New(id)
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
    fn why_not(&mut self, author: &Admitted, say: &SignedSay, len: usize) -> Option<&'static str> {
        let now_ms = self.now_ms();
        let Kind::Signed(signed) = &mut self.kind else {
            return Some("kind_of_signed_chats");
        };
        let said_ms = say.hlc >> 16;
        if said_ms > now_ms + MAX_AHEAD_MS {
            return Some("from_the_future");
        }
        if said_ms + CLOCKS_PART_MS < signed.came_ms(&author.member) {
            return Some("before_its_author");
        }
        // Whom a fact made an observer spoke before that. Whoever waits at the door, or has to read first, did not.
        let may_now = signed
            .may(&author.member, crate::facts::Action::Speak, now_ms)
            .is_ok();
        let read_first = signed.minutes_to_read(&author.member, said_ms) > 0;
        let was_made_observer = author.rights != Rights::Observer
            && signed.state().is_some_and(|state| state.is_named(&author.member));
        let may_speak = (may_now || was_made_observer) && !read_first;
        if !may_speak || signed.has_lost_slot(author) {
            return Some("not_allowed");
        }
        let is_shown = signed
            .state()
            .is_none_or(|state| state.shows(author, &say.client_id, say.number));
        if !is_shown {
            return Some("session_over");
        }
        if !matches!(say.body, Body::Message(_) | Body::Action { .. } | Body::Part(_)) {
            return Some("not_kept");
        }
        let quotas = &mut signed.history.quotas;
        if !quotas.has_room(&author.member, said_ms, now_ms) {
            return Some("history_quota");
        }
        quotas.took(&author.member, said_ms, len);
        None
    }

    fn tell_past(&mut self, id: MessageId, member: MemberId, say: &SignedSay, signature: &[u8; 64]) {
        let now_ms = self.now_ms();
        let said_ms = say.hlc >> 16;
        // What is old is not kept among what is seen, which would push out what is new.
        if now_ms.saturating_sub(said_ms) <= RECENT_MS {
            self.seen.insert(id.0, ());
        } else if let Some(history) = self.history() {
            history.came.insert(id.0, ());
        }
        let (text, action) = match &say.body {
            Body::Message(text) => (text.clone(), false),
            Body::Action { text, .. } => (text.clone(), true),
            Body::Part(_) => return self.take_part(id, member, say, signature, true),
            _ => return,
        };
        let mut signed = say.encode();
        signed.extend(signature);
        self.emit(NodeEvent::Message(NodeMessage {
            id,
            member,
            client_id: say.client_id,
            number: say.number,
            at_ms: said_ms.min(now_ms),
            place: place(say.hlc, now_ms),
            action,
            text,
            own: member == self.member,
            signed,
            history: true,
        }));
    }
}

impl Signed {
    /// When a member came, ms since 1970, as its admission says; 0 of those never met.
    fn came_ms(&self, member: &MemberId) -> u64 {
        self.members.get(member).map_or(0, |member| member.since_ms)
    }
}
