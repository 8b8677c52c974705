//! Texts that don't fit into one datagram: said in fragments, each signed, metered, passed on, repaired and kept like any
//! other say. The message is there when all its fragments are; it has the id and the number of the first.

use std::collections::BTreeMap;

use hashlink::LinkedHashMap;

use super::say::message_of;
use super::{Gossip, Overlay};
use crate::crypto::Signature;
use crate::id::{ClientId, MemberId, MessageId};
use crate::node::core::Core;
use crate::node::members::Members;
use crate::node::rights::Rights;
use crate::node::{NodeEvent, NodePart};
use crate::wire::{Body, MAX_PART_TEXT_LEN, MAX_SAY_DATA_LEN, Packet, Part, SignedSay};

/// Bytes of UTF-8 in the longest text: "chat text is at most 4 KiB".
pub(in crate::node) const MAX_TEXT_LEN: usize = 4096;

/// Long messages that are not complete, some 5 KB each; who waits longest leaves. What left comes again with its other
/// parts, when history is compared. A guess.
const MAX_INCOMPLETE: usize = 256;

/// And of one member. A guess: a long message is not begun before the last is said.
const MAX_INCOMPLETE_OF_ONE: usize = 16;

/// How many parts a text of so many bytes may need: a cut between characters leaves up to 3 bytes unused.
pub(super) fn at_most(text_len: usize) -> usize {
    if text_len <= MAX_SAY_DATA_LEN {
        1
    } else {
        text_len.div_ceil(MAX_PART_TEXT_LEN - 3)
    }
}

/// Messages of which some parts have come, by session and first number, the one that waits longest first.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    incomplete: LinkedHashMap<(ClientId, u32), Incomplete>,
}

/// What has come of one.
#[derive(Debug)]
struct Incomplete {
    member: MemberId,
    action: bool,
    count: u8,
    /// By index.
    texts: BTreeMap<u8, String>,
    /// The first part: its id, what was signed and the signature.
    first: Option<(MessageId, SignedSay, Signature)>,
}

impl Fragments {
    /// Takes a part. What has come of its message; none if it contradicts its other parts.
    fn take(&mut self, member: MemberId, first: (ClientId, u32), part: &Part) -> Option<&mut Incomplete> {
        if !self.incomplete.contains_key(&first) {
            self.make_room(&member);
        }
        let incomplete = self.incomplete.entry(first).or_insert_with(|| Incomplete {
            member,
            action: part.action,
            count: part.count,
            texts: BTreeMap::new(),
            first: None,
        });
        let fits =
            (incomplete.member, incomplete.action, incomplete.count) == (member, part.action, part.count);
        fits.then_some(incomplete)
    }

    fn make_room(&mut self, member: &MemberId) {
        let of_one = |incomplete: &Incomplete| incomplete.member == *member;
        let theirs = || self.incomplete.iter().filter(|(_, other)| of_one(other));
        if theirs().count() >= MAX_INCOMPLETE_OF_ONE
            && let Some(oldest) = theirs().next().map(|(first, _)| *first)
        {
            self.incomplete.remove(&oldest);
        }
        if self.incomplete.len() >= MAX_INCOMPLETE {
            self.incomplete.pop_front();
        }
    }
}

impl Gossip {
    /// Says a long text.
    pub(super) fn say_in_fragments(
        &mut self,
        core: &mut Core,
        overlay: &Overlay,
        members: &mut Members,
        rights: &Rights,
        text: &str,
        action: bool,
    ) {
        let texts = cut(text);
        let Ok(count) = u8::try_from(texts.len()) else {
            return core.drop_packet("text_len");
        };
        let mut says = Vec::new();
        for (index, text) in (0..count).zip(texts) {
            let body = Body::Part(Part {
                action,
                index,
                count,
                text: text.to_owned(),
            });
            says.push(self.sign(core, overlay, members, body, false));
        }
        let Some((id, first)) = says.first().cloned() else {
            return;
        };
        let (own, number) = (core.member(), first.signed.number);
        for (fragment, say) in &says {
            tell_fragment(core, *fragment, own, &say.signed, &say.signature, number);
        }
        let text = text.to_owned();
        let message = message_of(core, members, id, &first.signed, &first.signature, text, action);
        core.emit(NodeEvent::Message(message));
        let plain = says
            .into_iter()
            .map(|(fragment, say)| (fragment, say.signed.number, Packet::Say(say).encode()));
        self.deliver(core, overlay, members, rights, id, plain.collect());
    }

    /// Takes a fragment whose signature held. It is told, to be kept; and when it was the last that was missing, the message.
    pub(in crate::node) fn take_fragment(
        &mut self,
        core: &mut Core,
        members: &Members,
        (id, member): (MessageId, MemberId),
        say: &SignedSay,
        signature: &Signature,
        history: bool,
    ) {
        let Some(first) = first_number(say) else {
            return core.drop_packet("part_without_first");
        };
        tell_fragment(core, id, member, say, signature, first);
        self.add_fragment(core, members, (id, member), say, signature, history);
    }

    /// Fragments that were kept when their message was not complete.
    pub(in crate::node) fn note_kept(
        &mut self,
        core: &mut Core,
        members: &Members,
        fragments: impl IntoIterator<Item = NodePart>,
    ) {
        for NodePart {
            id, member, signed, ..
        } in fragments
        {
            let Some((said, signature)) = signed.split_last_chunk() else {
                continue;
            };
            let Ok(say) = SignedSay::decode(said) else {
                continue;
            };
            self.add_fragment(core, members, (id, member), &say, signature, true);
        }
    }

    fn add_fragment(
        &mut self,
        core: &mut Core,
        members: &Members,
        (id, member): (MessageId, MemberId),
        say: &SignedSay,
        signature: &Signature,
        history: bool,
    ) {
        let Body::Part(part) = &say.body else { return };
        let Some(number) = first_number(say) else { return };
        let key = (say.client_id, number);
        let Some(incomplete) = self.fragments.take(member, key, part) else {
            return core.drop_packet("part_contradicts");
        };
        // Of two under one number the one that came first counts; that there are two is told by the fork.
        incomplete
            .texts
            .entry(part.index)
            .or_insert_with(|| part.text.clone());
        if part.index == 0 && incomplete.first.is_none() {
            incomplete.first = Some((id, say.clone(), *signature));
        }
        if incomplete.texts.len() < usize::from(incomplete.count) {
            return;
        }
        let Some(Incomplete {
            action,
            texts,
            first: Some((id, first, signature)),
            ..
        }) = self.fragments.incomplete.remove(&key)
        else {
            return;
        };
        let text: String = texts.into_values().collect();
        let mut message = message_of(core, members, id, &first, &signature, text, action);
        (message.member, message.own) = (member, member == core.member());
        message.history = history;
        if history {
            core.emit(NodeEvent::Message(message));
        } else {
            self.tell_message(core, message);
        }
    }
}

fn tell_fragment(
    core: &mut Core,
    id: MessageId,
    member: MemberId,
    say: &SignedSay,
    signature: &Signature,
    first: u32,
) {
    let mut signed = say.encode();
    signed.extend(signature);
    core.emit(NodeEvent::Part(NodePart {
        id,
        member,
        client_id: say.client_id,
        number: say.number,
        first,
        signed,
    }));
}

/// The number of a message's first part, by that of another. Numbers that have come round to 1 between two parts are
/// not taken: four billion says in one session.
fn first_number(say: &SignedSay) -> Option<u32> {
    let Body::Part(part) = &say.body else { return None };
    let first = say.number.checked_sub(part.index.into())?;
    (first > 0).then_some(first)
}

/// Cuts a text between characters, into pieces that a part has room for.
fn cut(mut text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    while !text.is_empty() {
        let (piece, rest) = text.split_at(text.floor_char_boundary(MAX_PART_TEXT_LEN));
        pieces.push(piece);
        text = rest;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::MAX_PARTS;

    #[test]
    fn a_text_is_cut_between_characters_and_fits_into_six_parts() {
        for character in ["a", "ß", "한", "🐎"] {
            for len in [MAX_SAY_DATA_LEN + 4, 2 * MAX_PART_TEXT_LEN, MAX_TEXT_LEN] {
                let text = character.repeat(len / character.len());
                let pieces = cut(&text);
                assert_eq!(pieces.concat(), text);
                assert!(pieces.iter().all(|piece| piece.len() <= MAX_PART_TEXT_LEN));
                assert!(
                    pieces.len() <= usize::from(MAX_PARTS),
                    "{} of {len} bytes",
                    pieces.len()
                );
                assert!(pieces.len() <= at_most(text.len()));
            }
        }
    }
}
