//! What was said before, compared and fetched.

use throng::crypto;
use throng::id::{MemberId, MessageId};
use throng::node::sim::Archive;
use throng::node::{ArchiveAnswer, ArchiveQuery};
use throng::wire::{
    Body, History, HistoryAnswer, HistoryAsk, HistoryAuthor, HistoryMember, HistoryQuestion, HistorySay,
    HistoryStatus, Packet, SignedSay, TokenCounter,
};

use super::cast::{Cast, DAY, FOUNDERS_TOKEN, MEMBERS_TOKEN, NOON, message};
use crate::page::{Parts, joined};

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

/// A span that is compared.
pub(crate) struct Print {
    /// Where it ends.
    to: u64,
    pub(crate) name: &'static str,
    pub(crate) hashed: Parts,
    of: [u8; 16],
}

impl Print {
    fn new(to: u64, name: &'static str, hashed: Parts) -> Self {
        let of = crypto::hash(&[&joined(&hashed)])[..16].try_into().unwrap();
        Self { to, name, hashed, of }
    }
}

/// Where the first span begins: not at an hour, as the member came then.
const FROM: u64 = (NOON + 30_000) << 16;

/// The next day at 13:10 the member compares all: what is left of the first hour, then 22 whole hours, of which two hold
/// something, an hour in which nothing was said, one with a message, and what comes after. Each name is that of a hash.
pub(crate) fn fingerprints(cast: &Cast) -> Vec<Print> {
    let said = |number: u32, after_noon_ms: u64, text: &str| SignedSay {
        client_id: cast.founders_session.client_id(),
        number,
        hlc: (NOON + after_noon_ms) << 16,
        after: [0; 8],
        body: Body::Message(text.to_owned()),
    };
    const MINUTE: u64 = 60_000;
    let says = [
        message(cast).signed,
        said(5, (4 * 60 + 10) * MINUTE, "one"),
        said(6, (4 * 60 + 20) * MINUTE, "two"),
        said(7, (9 * 60 + 5) * MINUTE, "three"),
        said(8, (24 * 60 + 30) * MINUTE, "four"),
        said(9, (25 * 60 + 1) * MINUTE, "five"),
    ];
    let ids = says
        .clone()
        .map(|say| crypto::hash_signed("throng/1 say", &cast.chat, &say.encode()));
    let of_span = |to, name, of: &[usize]| {
        let mut ids: Vec<_> = of.iter().map(|at| ids[*at]).collect();
        ids.sort_unstable();
        let mut parts: Parts = vec![("label and zero", b"throng/1 span\0".to_vec())];
        parts.extend(ids.iter().map(|id| ("id", id.to_vec())));
        Print::new(to, name, parts)
    };
    let first = of_span(
        hour(1),
        "fingerprint of a span that begins within an hour, with the message below",
        &[0],
    );
    let with_two = of_span(0, "fingerprint of an hour with two messages", &[1, 2]);
    let with_one = of_span(0, "fingerprint of an hour with one message", &[3]);
    let hour_number = |hours: u64| {
        let hour = u32::try_from(NOON / 3_600_000 + hours).unwrap();
        hour.to_be_bytes().to_vec()
    };
    let hours: Parts = vec![
        ("label and zero", b"throng/1 hours\0".to_vec()),
        ("hour", hour_number(4)),
        ("the hour's fingerprint", with_two.of.to_vec()),
        ("hour", hour_number(9)),
        ("the hour's fingerprint", with_one.of.to_vec()),
    ];
    let hours = Print::new(
        hour(23),
        "fingerprint of 22 whole hours, of which these two hold something",
        hours,
    );
    let single = of_span(hour(25), "fingerprint of a span of one whole hour", &[4]);
    let open = of_span(u64::MAX, "fingerprint of a span whose end is no whole hour", &[5]);

    let mut archive = Archive::default();
    for (say, id) in says.iter().zip(ids) {
        let signed = [say.encode(), vec![0; 64]].concat();
        archive.put(MessageId(id), MemberId(cast.founder.public()), signed);
    }
    let spans = [FROM, hour(1), hour(23), hour(24), hour(25), u64::MAX];
    let spans = spans.windows(2).map(|ends| ends[0]..ends[1]).collect();
    assert_eq!(
        archive.look(&ArchiveQuery::Fingerprints(spans)),
        ArchiveAnswer::Fingerprints(vec![first.of, hours.of, [0; 16], single.of, open.of])
    );
    vec![first, with_two, with_one, hours, single, open]
}

fn compare(cast: &Cast) -> (&'static str, bool, Parts, Packet) {
    let mut spans: Vec<(u64, [u8; 16])> = fingerprints(cast)
        .into_iter()
        .filter(|print| print.to > 0)
        .map(|print| (print.to, print.of))
        .collect();
    spans.insert(2, (hour(24), [0; 16]));
    let mut parts = head(107, FOUNDERS_TOKEN, 4, 0);
    parts.push(("from", FROM.to_be_bytes().to_vec()));
    for (to, fingerprint) in &spans {
        parts.push(("to", to.to_be_bytes().to_vec()));
        parts.push(("fingerprint", fingerprint.to_vec()));
    }
    let question = HistoryQuestion::Compare { from: FROM, spans };
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
    parts.push(("the second and the fifth differ", vec![0b1_0010]));
    let history = History {
        t: t(MEMBERS_TOKEN, 5),
        ask: ASK,
        answer: HistoryAnswer::Compared {
            held_from,
            differing: vec![0b1_0010],
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
    let action = Body::Action {
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
