//! What was said before, compared and fetched.

use throng::crypto;
use throng::wire::{
    History, HistoryAnswer, HistoryAsk, HistoryAuthor, HistoryMember, HistoryQuestion, HistorySay,
    HistoryStatus, Packet, TokenCounter,
};

use crate::Parts;
use crate::cast::{Cast, DAY, FOUNDERS_TOKEN, MEMBERS_TOKEN, NOON, message};

const ASK: u32 = 0x0A0B_0C0D;

/// From the member to the founder, and back.
pub(crate) type Exchange = Vec<(&'static str, bool, Parts, Packet)>;

pub(crate) fn exchange(cast: &Cast) -> Exchange {
    vec![
        compare(cast),
        compared(),
        fetch(),
        authors(cast),
        says(cast),
        end(),
    ]
}

fn head(kind: u8, token: [u8; 8], counter: u8, op: u8) -> Parts {
    vec![
        ("kind", vec![kind]),
        ("token", token.to_vec()),
        ("counter", vec![0, 0, 0, counter]),
        ("ask", ASK.to_be_bytes().to_vec()),
        ("op", vec![op]),
    ]
}

fn t(token: [u8; 8], counter: u32) -> TokenCounter {
    TokenCounter { token, counter }
}

fn hour(hours: u64) -> u64 {
    (NOON + hours * 3_600_000) << 16
}

/// Of the hour with one message, and of the two before and at it by hours.
pub(crate) fn fingerprints(cast: &Cast) -> [(&'static str, Parts, [u8; 16]); 2] {
    let id = crypto::hash_signed("throng/1 say", &cast.chat, &message(cast).signed.encode());
    let span: Parts = vec![
        ("label and zero", b"throng/1 span\0".to_vec()),
        ("id", id.to_vec()),
    ];
    let of_span = first_16(&span);
    let number = u32::try_from(NOON / 3_600_000).unwrap();
    let hours: Parts = vec![
        ("label and zero", b"throng/1 hours\0".to_vec()),
        ("hour", number.to_be_bytes().to_vec()),
        ("fingerprint of the hour", of_span.to_vec()),
    ];
    let of_hours = first_16(&hours);
    [
        ("fingerprint of the hour of the message below", span, of_span),
        ("fingerprint of the day before and that hour", hours, of_hours),
    ]
}

fn first_16(parts: &Parts) -> [u8; 16] {
    let bytes = crate::joined(parts);
    crypto::hash(&[&bytes])[..16].try_into().unwrap()
}

fn compare(cast: &Cast) -> (&'static str, bool, Parts, Packet) {
    let [(_, _, of_span), (_, _, of_hours)] = fingerprints(cast);
    let from = (NOON - DAY) << 16;
    let spans = vec![(hour(1), of_hours), (hour(2), [0; 16]), (u64::MAX, of_span)];
    let mut parts = head(107, FOUNDERS_TOKEN, 4, 0);
    parts.push(("from", from.to_be_bytes().to_vec()));
    for (to, fingerprint) in &spans {
        parts.push(("to", to.to_be_bytes().to_vec()));
        parts.push(("fingerprint", fingerprint.to_vec()));
    }
    let question = HistoryQuestion::Compare { from, spans };
    let ask = HistoryAsk {
        t: t(FOUNDERS_TOKEN, 4),
        ask: ASK,
        question,
    };
    ("history_ask (compare)", true, parts, Packet::HistoryAsk(ask))
}

fn compared() -> (&'static str, bool, Parts, Packet) {
    let held_from = (NOON - 2 * DAY) << 16;
    let mut parts = head(108, MEMBERS_TOKEN, 5, 0);
    parts.push(("held from", held_from.to_be_bytes().to_vec()));
    parts.push(("the first and the third differ", vec![0b101]));
    let history = History {
        t: t(MEMBERS_TOKEN, 5),
        ask: ASK,
        answer: HistoryAnswer::Compared {
            held_from,
            differing: vec![0b101],
        },
    };
    ("history (compared)", false, parts, Packet::History(history))
}

fn fetch() -> (&'static str, bool, Parts, Packet) {
    let mut parts = head(107, FOUNDERS_TOKEN, 5, 1);
    parts.extend([
        ("from", hour(0).to_be_bytes().to_vec()),
        ("to", hour(1).to_be_bytes().to_vec()),
        ("limit", vec![0, 100]),
        ("flags", vec![1]),
        ("known sessions", vec![1]),
        ("session", vec![0xD0, 0xD1, 0xD2]),
        ("short id", vec![0xE0; 6]),
        ("short id", vec![0xE1; 6]),
    ]);
    let question = HistoryQuestion::Fetch {
        from: hour(0),
        to: hour(1),
        limit: 100,
        with_credentials: true,
        known: vec![[0xD0, 0xD1, 0xD2]],
        held: vec![[0xE0; 6], [0xE1; 6]],
    };
    let ask = HistoryAsk {
        t: t(FOUNDERS_TOKEN, 5),
        ask: ASK,
        question,
    };
    ("history_ask (fetch)", true, parts, Packet::HistoryAsk(ask))
}

fn authors(cast: &Cast) -> (&'static str, bool, Parts, Packet) {
    let credential = cast.founders_chain.credential.encode();
    let (founders, members) = (
        cast.founders_session.client_id(),
        cast.members_session.client_id(),
    );
    let member = cast.members_chain.credential.member();
    let mut parts = head(108, MEMBERS_TOKEN, 6, 1);
    parts.extend([
        ("client_id", founders.0.to_vec()),
        ("length", (credential.len() as u16).to_be_bytes().to_vec()),
        ("credential", credential.clone()),
        ("client_id", members.0.to_vec()),
        ("length", vec![0, 0]),
        ("member", member.0.to_vec()),
    ]);
    let authors = vec![
        HistoryAuthor {
            client_id: founders,
            author: HistoryMember::Credential(credential),
        },
        HistoryAuthor {
            client_id: members,
            author: HistoryMember::Id(member),
        },
    ];
    let history = History {
        t: t(MEMBERS_TOKEN, 6),
        ask: ASK,
        answer: HistoryAnswer::Authors(authors),
    };
    ("history (authors)", false, parts, Packet::History(history))
}

/// The message, and one that it follows, 300 ms earlier.
fn says(cast: &Cast) -> (&'static str, bool, Parts, Packet) {
    let newer = message(cast);
    let client_id = newer.signed.client_id.0;
    let session = [client_id[0], client_id[1], client_id[2]];
    let (hlc, data) = (newer.signed.hlc, newer.signed.body.encode_data());
    let earlier = ((hlc >> 16) - 300) << 16 | 2;
    let counter = (hlc & 0xFFFF) as u16;
    let mut parts = head(108, MEMBERS_TOKEN, 7, 2);
    parts.extend([
        ("time", (hlc >> 16).to_be_bytes()[2..].to_vec()),
        (
            "id 64; after is the next one's id",
            vec![64 | if counter == 0 { 0 } else { 128 }],
        ),
        ("session", session.to_vec()),
        ("number", vec![newer.signed.number as u8]),
        ("earlier by", vec![0]),
    ]);
    if counter != 0 {
        parts.push(("counter", counter.to_be_bytes().to_vec()));
    }
    parts.extend([
        ("data length", vec![data.len() as u8]),
        ("data", data),
        ("signature", newer.signature.to_vec()),
        ("id 65, with a counter", vec![128 | 1]),
        ("session", session.to_vec()),
        ("number", vec![0xAC, 0x02]),
        ("earlier by", vec![0xAC, 0x02]),
        ("counter", vec![0, 2]),
        ("after", vec![0xF0; 8]),
        ("data length", vec![5]),
        ("data", b"waves".to_vec()),
        ("signature", vec![0x77; 64]),
    ]);
    let say = |number, hlc, after, body, signature| HistorySay {
        session,
        number,
        hlc,
        after,
        body,
        signature,
    };
    let action = throng::wire::Body::Action {
        text: "waves".into(),
        historic_id: false,
    };
    let says = vec![
        say(
            newer.signed.number,
            hlc,
            None,
            newer.signed.body.clone(),
            newer.signature,
        ),
        say(300, earlier, Some([0xF0; 8]), action, [0x77; 64]),
    ];
    let history = History {
        t: t(MEMBERS_TOKEN, 7),
        ask: ASK,
        answer: HistoryAnswer::Says(says),
    };
    ("history (says)", false, parts, Packet::History(history))
}

fn end() -> (&'static str, bool, Parts, Packet) {
    let held_from = (NOON - 2 * DAY) << 16;
    let mut parts = head(108, MEMBERS_TOKEN, 8, 3);
    parts.extend([
        ("status", vec![1]),
        ("parts", vec![2]),
        ("down to", (hour(0) + 1).to_be_bytes().to_vec()),
        ("held from", held_from.to_be_bytes().to_vec()),
    ]);
    let history = History {
        t: t(MEMBERS_TOKEN, 8),
        ask: ASK,
        answer: HistoryAnswer::End {
            status: HistoryStatus::More,
            parts: 2,
            down_to: hour(0) + 1,
            held_from,
        },
    };
    ("history (end)", false, parts, Packet::History(history))
}
