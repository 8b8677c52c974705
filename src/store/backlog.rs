//! Writes that wait in memory while the disk accepts none, in their order.

use std::collections::VecDeque;

use super::Write;

/// How much can wait, in bytes. A guess: a day of a busy chat.
pub(super) const MAX_BACKLOG_LEN: usize = 16 << 20;

/// What a write takes beside its texts and signatures, in bytes. A guess, on the high side.
const WRITE_LEN: usize = 512;

/// Writes in their order, within [`MAX_BACKLOG_LEN`].
#[derive(Debug, Default)]
pub(super) struct Backlog {
    writes: VecDeque<Box<Write>>,
    len: usize,
}

impl Backlog {
    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Appends a write. If there is no room, the oldest messages of others are dropped, since they have them too; if there are
    /// none, the write itself is dropped. Returns whether anything was.
    pub(super) fn push(&mut self, write: Box<Write>) -> bool {
        let len = len_of(&write);
        let mut has_lost = false;
        while self.len + len > MAX_BACKLOG_LEN {
            let place = self.place_of(is_heard).or_else(|| self.place_of(is_part));
            let Some(gone) = place.and_then(|place| self.writes.remove(place)) else {
                return true;
            };
            self.len -= len_of(&gone);
            has_lost = true;
        }
        self.len += len;
        self.writes.push_back(write);
        has_lost
    }

    /// The first writes, at most `count`.
    pub(super) fn first(&self, count: usize) -> Vec<&Write> {
        self.writes.iter().take(count).map(|write| &**write).collect()
    }

    /// Removes the first `count` writes.
    pub(super) fn done(&mut self, count: usize) {
        for write in self.writes.drain(..count) {
            self.len -= len_of(&write);
        }
    }

    fn place_of(&self, is_it: impl Fn(&Write) -> bool) -> Option<usize> {
        self.writes.iter().position(|write| is_it(write))
    }
}

/// Whether it is a message of others.
fn is_heard(write: &Write) -> bool {
    matches!(write, Write::AddMessage { message, .. } if !message.own)
}

fn is_part(write: &Write) -> bool {
    matches!(write, Write::AddPart { .. })
}

/// Roughly how much memory a write takes, in bytes.
fn len_of(write: &Write) -> usize {
    WRITE_LEN
        + match write {
            Write::AddMessage { message, signed, .. } | Write::SayAgain { message, signed, .. } => {
                message.text.len() + message.nick.len() + signed.len()
            }
            Write::AddPart { part, .. } => part.signed.len(),
            Write::AddMember { credential, .. } | Write::SetCredential { credential, .. } => credential.len(),
            Write::SetCharter { name, charter, .. } => name.len() + charter.len(),
            Write::PutFacts { added, removed, .. } => {
                let facts = added
                    .iter()
                    .map(|fact| fact.fact.len() + fact.credential.as_ref().map_or(0, Vec::len));
                facts.map(|len| len + WRITE_LEN).sum::<usize>() + removed.len() * 32
            }
            Write::PutChat(record) => {
                let texts = [&record.name, &record.nick, &record.topic];
                let bytes = [&record.credential, &record.charter];
                texts.iter().map(|text| text.len()).sum::<usize>()
                    + bytes.into_iter().flatten().map(Vec::len).sum::<usize>()
            }
            Write::AddInvite { invite, .. } => invite.certificate.len(),
            Write::SetTopic { topic: text, .. }
            | Write::SaveDraft { text, .. }
            | Write::SetNick { nick: text, .. }
            | Write::SetMemberNick { nick: text, .. } => text.len(),
            Write::SaveWorkspace(workspace) => workspace.tabs.len() * 32,
            Write::SetPort { .. }
            | Write::SetJoined { .. }
            | Write::SetHistoryHeld { .. }
            | Write::SetRetention { .. }
            | Write::Forget { .. }
            | Write::ClearHistory { .. }
            | Write::SetDelivery { .. }
            | Write::SawPeer { .. }
            | Write::HeardOfPeer { .. }
            | Write::SetIgnored { .. }
            | Write::MarkRead { .. }
            | Write::SaveSettings(_)
            | Write::RemoveChat { .. } => 0,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{ChatId, ClientId, MemberId, MessageId};
    use crate::model::{Message, MessageBody};

    /// Sixteen of these do not fit.
    const LEN: usize = 1 << 20;

    fn said(number: u32, own: bool) -> Box<Write> {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&number.to_be_bytes());
        Box::new(Write::AddMessage {
            message: Message {
                chat: ChatId([1; 32]),
                member: MemberId([2; 32]),
                nick: String::new(),
                id: MessageId(id),
                number,
                at: jiff::Timestamp::UNIX_EPOCH,
                place: 0,
                body: MessageBody::Message,
                text: "x".repeat(LEN),
                own,
                history: false,
                delivery: None,
            },
            client_id: ClientId([3; 32]),
            signed: Vec::new(),
        })
    }

    fn numbers(backlog: &Backlog) -> Vec<u32> {
        let number = |write: &Write| match write {
            Write::AddMessage { message, .. } => message.number,
            other => panic!("{other:?}"),
        };
        backlog.first(usize::MAX).into_iter().map(number).collect()
    }

    #[test]
    fn what_others_said_makes_room_and_what_we_said_stays() {
        let mut backlog = Backlog::default();
        for number in 0..15 {
            assert!(!backlog.push(said(number, number % 2 == 0)), "{number} fits");
        }
        for number in 15..22 {
            assert!(
                backlog.push(said(number, true)),
                "something has to go for {number}"
            );
        }
        let own = [0, 2, 4, 6, 8, 10, 12, 14, 15, 16, 17, 18, 19, 20, 21];
        assert_eq!(numbers(&backlog), own);
        assert!(backlog.push(said(22, true)), "there is nothing more to let go");
        assert_eq!(numbers(&backlog), own);
        backlog.done(14);
        assert!(!backlog.push(said(23, false)));
        assert_eq!(numbers(&backlog), [21, 23]);
        backlog.done(2);
        assert!(backlog.is_empty());
        assert_eq!(backlog.len, 0);
    }
}
