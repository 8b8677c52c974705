//! Links that lie about what was said before; every packet of theirs is made by hand.

use std::time::Duration;

use throng::id::ClientId;
use throng::node::NodeEvent;
use throng::wire::{
    Body, History, HistoryAnswer, HistoryAsk, HistoryAuthor, HistoryMember, HistoryQuestion, HistorySay,
    HistoryStatus, Packet,
};

use crate::common::hand::{Bench, DAY_MS, Member, NOW_MS};
use crate::common::{Chat, secs};

/// A say of a member's session, said then.
fn said(by: &Member, number: u32, said_ms: u64) -> HistorySay {
    let body = Body::Message(format!("old {number}"));
    let (signed, signature) = by.sign(by.peer.client_id, number, said_ms << 16, body);
    HistorySay {
        session: [
            signed.client_id.0[0],
            signed.client_id.0[1],
            signed.client_id.0[2],
        ],
        number,
        hlc: signed.hlc,
        after: Some(signed.after),
        body: signed.body,
        signature,
    }
}

/// Whose session it is, by name.
fn author(client_id: ClientId, member: &Member) -> HistoryAnswer {
    let author = HistoryMember::Id(member.id());
    HistoryAnswer::Authors(vec![HistoryAuthor { client_id, author }])
}

fn end(status: HistoryStatus, parts: u8, down_to: u64) -> HistoryAnswer {
    HistoryAnswer::End {
        status,
        parts,
        down_to,
        held_from: 0,
    }
}

fn all_differ(spans: usize) -> HistoryAnswer {
    HistoryAnswer::Compared {
        held_from: 0,
        differing: vec![0xFF; spans.div_ceil(8)],
    }
}

/// Lets time pass; a link answers as it likes. How many questions it was asked.
fn serve(
    bench: &mut Bench,
    member: &mut Member,
    span: Duration,
    mut answer: impl FnMut(&HistoryAsk) -> Vec<HistoryAnswer>,
) -> usize {
    let until = bench.now + span;
    let (mut asks, mut kept_alive) = (0, bench.now);
    while bench.now < until {
        let heard = member.heard(bench);
        let questions: Vec<HistoryAsk> = heard
            .into_iter()
            .filter_map(|packet| match packet {
                Packet::HistoryAsk(ask) => Some(ask),
                _ => None,
            })
            .collect();
        if questions.is_empty() {
            bench.pass(Duration::from_millis(250));
        }
        for question in questions {
            asks += 1;
            for answer in answer(&question) {
                send(bench, member, question.ask, answer);
            }
        }
        if bench.now - kept_alive > secs(10) {
            kept_alive = bench.now;
            member.keep_alive(bench);
        }
    }
    asks
}

fn send(bench: &mut Bench, member: &mut Member, ask: u32, answer: HistoryAnswer) {
    let t = member.t();
    member.send(bench, &Packet::History(History { t, ask, answer }));
}

fn history_of(bench: &Bench) -> usize {
    let history = |event: &&NodeEvent| matches!(event, NodeEvent::Message(message) if message.history);
    bench.events.iter().filter(history).count()
}

/// Somebody who was admitted four days ago.
fn came_days_ago(chat: &mut Chat, n: u8) -> Member {
    let invite = chat.invite(0, 0, Vec::new());
    let key = chat.newcomer("", &invite, 0).1;
    let credential = invite.admit(throng::id::MemberId(key.public()), 0, NOW_MS - 4 * DAY_MS);
    Member::with(chat, key, credential, n)
}

/// A founder's node with a link made by hand.
fn linked(seed: u64) -> (Chat, Bench, Member) {
    let mut chat = Chat::new(seed);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = came_days_ago(&mut chat, 1);
    member.come_in(&chat, &mut bench);
    (chat, bench, member)
}

#[test]
fn what_is_signed_by_its_author_is_taken_once_and_marked() {
    let (_, mut bench, mut member) = linked(1);
    let old = said(&member, 1, NOW_MS - DAY_MS / 2);
    let authors = author(member.peer.client_id, &member);
    serve(&mut bench, &mut member, secs(300), |ask| match &ask.question {
        HistoryQuestion::Compare { spans, .. } => vec![all_differ(spans.len())],
        HistoryQuestion::Fetch { from, .. } => vec![
            authors.clone(),
            HistoryAnswer::Says(vec![old.clone()]),
            end(HistoryStatus::All, 2, *from),
        ],
    });
    assert_eq!(history_of(&bench), 1);
    assert!(bench.node.links().len() == 1, "the link stands");
}

#[test]
fn forged_words_are_not_shown_and_end_the_link() {
    let (mut chat, mut bench, mut member) = linked(2);
    let other = Member::new(&mut chat, 2);
    let mut forged: Vec<HistorySay> = (1..=60).map(|n| said(&other, n, NOW_MS - DAY_MS / 2)).collect();
    for say in &mut forged {
        say.body = Body::Message("what nobody said".into());
    }
    let authors = author(other.peer.client_id, &member);
    let mut is_linked = true;
    serve(&mut bench, &mut member, secs(120), |ask| match &ask.question {
        HistoryQuestion::Compare { spans, .. } => vec![all_differ(spans.len())],
        HistoryQuestion::Fetch { from, .. } => {
            let parts = forged.chunks(4).map(|says| HistoryAnswer::Says(says.to_vec()));
            let mut page: Vec<HistoryAnswer> = std::iter::once(authors.clone()).chain(parts).collect();
            page.push(end(HistoryStatus::All, 16, *from));
            page
        }
    });
    is_linked &= !bench.node.links().is_empty();
    assert_eq!(history_of(&bench), 0);
    assert!(bench.dropped("link_of_a_forger") > 0 && !is_linked);
}

#[test]
fn words_of_nobody_of_this_chat_are_not_shown() {
    let (_, mut bench, mut member) = linked(3);
    let mut other_chat = Chat::new(99);
    let mut stranger = Member::new(&mut other_chat, 2);
    stranger.chat = member.chat;
    let old = said(&stranger, 1, NOW_MS - DAY_MS / 2);
    let credential = throng::invite::Chain::decode(&stranger.chain)
        .expect("a chain")
        .credential
        .encode();
    let authors = HistoryAnswer::Authors(vec![HistoryAuthor {
        client_id: stranger.peer.client_id,
        author: HistoryMember::Credential(credential),
    }]);
    serve(&mut bench, &mut member, secs(120), |ask| match &ask.question {
        HistoryQuestion::Compare { spans, .. } => vec![all_differ(spans.len())],
        HistoryQuestion::Fetch { from, .. } => vec![
            authors.clone(),
            HistoryAnswer::Says(vec![old.clone()]),
            end(HistoryStatus::All, 2, *from),
        ],
    });
    assert_eq!(history_of(&bench), 0);
    assert!(bench.dropped("bad_author") > 0);
    let admitted = bench
        .events
        .iter()
        .filter(|event| matches!(event, NodeEvent::Admitted { .. }));
    assert!(admitted.count() <= 1, "nobody but the link");
}

/// Threats 14: from the future, and from long before its author was admitted.
#[test]
fn backdated_and_postdated_words_are_refused_or_marked() {
    let (_, mut bench, mut member) = linked(4);
    let times = [NOW_MS + DAY_MS, NOW_MS - 3 * DAY_MS, NOW_MS - 30 * DAY_MS];
    let says: Vec<HistorySay> = (1..).zip(times).map(|(n, at)| said(&member, n, at)).collect();
    let authors = author(member.peer.client_id, &member);
    serve(&mut bench, &mut member, secs(30), |ask| match &ask.question {
        HistoryQuestion::Compare { spans, .. } => vec![all_differ(spans.len())],
        HistoryQuestion::Fetch { from, .. } => vec![
            authors.clone(),
            HistoryAnswer::Says(says.clone()),
            end(HistoryStatus::All, 2, *from),
        ],
    });
    assert_eq!(bench.texts(), ["old 2"]);
    assert_eq!(history_of(&bench), 1, "marked");
    assert!(bench.dropped("from_the_future") > 0 && bench.dropped("before_its_author") > 0);
}

/// Threat 15: one author's flood of old words is taken up to the quota of a day; what others said below it is found.
#[test]
fn a_flood_of_old_words_is_taken_up_to_a_quota_and_hides_nothing() {
    let (mut chat, mut bench, mut member) = linked(5);
    let other = came_days_ago(&mut chat, 2);
    let day = NOW_MS - DAY_MS - NOW_MS % DAY_MS;
    let flood: Vec<HistorySay> = (1..=11_000)
        .map(|n| said(&member, n, day + DAY_MS / 2 + u64::from(n)))
        .collect();
    let below = said(&other, 1, day + 1);
    let credential = throng::invite::Chain::decode(&other.chain)
        .expect("a chain")
        .credential
        .encode();
    let authors = vec![
        HistoryAuthor {
            client_id: member.peer.client_id,
            author: HistoryMember::Id(member.id()),
        },
        HistoryAuthor {
            client_id: other.peer.client_id,
            author: HistoryMember::Credential(credential),
        },
    ];
    let all: Vec<HistorySay> = std::iter::once(below).chain(flood).collect();
    serve(&mut bench, &mut member, secs(60), |ask| match &ask.question {
        HistoryQuestion::Compare { from, spans } => {
            let starts = std::iter::once(*from).chain(spans.iter().map(|(to, _)| *to));
            let mut differing = vec![0; spans.len().div_ceil(8)];
            for (at, (start, (to, print))) in starts.zip(spans).enumerate() {
                let holds = all.iter().any(|say| (start..*to).contains(&say.hlc));
                if holds && *print == [0; 16] {
                    differing[at / 8] |= 1 << (at % 8);
                }
            }
            vec![HistoryAnswer::Compared {
                held_from: 0,
                differing,
            }]
        }
        HistoryQuestion::Fetch { from, to, limit, .. } => {
            let in_span = all.iter().rev().filter(|say| (*from..*to).contains(&say.hlc));
            let page: Vec<HistorySay> = in_span.take(usize::from(*limit)).cloned().collect();
            let down_to = page.last().map_or(*from, |say| say.hlc);
            let has_more = all.iter().any(|say| (*from..down_to).contains(&say.hlc));
            let mut parts = vec![HistoryAnswer::Authors(authors.clone())];
            parts.extend(page.chunks(4).map(|says| HistoryAnswer::Says(says.to_vec())));
            let count = parts.len() as u8;
            let status = if has_more {
                HistoryStatus::More
            } else {
                HistoryStatus::All
            };
            parts.push(end(status, count, down_to));
            parts
        }
    });
    let of = |client_id: ClientId| {
        bench
            .events
            .iter()
            .filter(|event| matches!(event, NodeEvent::Message(message) if message.client_id == client_id))
            .count()
    };
    assert_eq!(of(member.peer.client_id), 10_000);
    assert_eq!(of(other.peer.client_id), 1);
    assert!(bench.dropped("history_quota") >= 1_000);
}

/// Threats 11, 16: whoever says that there is more, and more, or that everything differs, is soon asked seldom.
#[test]
fn who_promises_ever_more_is_not_chased() {
    for status in [HistoryStatus::All, HistoryStatus::More] {
        let (_, mut bench, mut member) = linked(6);
        let mut asks = Vec::new();
        for _ in 0..4 {
            let asked = serve(&mut bench, &mut member, secs(1_800), |ask| match &ask.question {
                HistoryQuestion::Compare { spans, .. } => vec![all_differ(spans.len())],
                HistoryQuestion::Fetch { from, to, .. } => vec![end(status, 0, (from + to) / 2)],
            });
            asks.push(asked);
        }
        assert!(!bench.node.links().is_empty(), "nothing that it must not do");
        assert!(
            asks.iter().sum::<usize>() < 200 && asks[3] < 40,
            "{status:?}: {asks:?}"
        );
    }
}

/// What a link says that keeps everything back.
fn same(ask: &HistoryAsk) -> Vec<HistoryAnswer> {
    match &ask.question {
        HistoryQuestion::Compare { spans, .. } => vec![HistoryAnswer::Compared {
            held_from: 0,
            differing: vec![0; spans.len().div_ceil(8)],
        }],
        HistoryQuestion::Fetch { from, .. } => vec![end(HistoryStatus::Whole, 0, *from)],
    }
}

/// One link says that all is the same; another holds what the first keeps back.
#[test]
fn what_one_link_keeps_back_comes_from_another() {
    let (mut chat, mut bench, mut liar) = linked(7);
    let mut honest = Member::link(&mut chat, &mut bench, 2);
    let old = said(&liar, 1, NOW_MS - DAY_MS / 2);
    let authors = author(liar.peer.client_id, &liar);
    for _ in 0..30 {
        serve(&mut bench, &mut liar, secs(1), same);
        serve(&mut bench, &mut honest, secs(1), |ask| match &ask.question {
            HistoryQuestion::Compare { spans, .. } => vec![all_differ(spans.len())],
            HistoryQuestion::Fetch { from, .. } => vec![
                authors.clone(),
                HistoryAnswer::Says(vec![old.clone()]),
                end(HistoryStatus::All, 2, *from),
            ],
        });
    }
    assert_eq!(history_of(&bench), 1);
}

/// The first two links say that all is the same, so nobody else need be asked, it seems. But the third is within a quarter of an hour.
#[test]
fn what_the_first_two_links_keep_back_comes_from_a_third() {
    let (mut chat, mut bench, liar) = linked(9);
    let mut liars = [liar, Member::link(&mut chat, &mut bench, 2)];
    for _ in 0..10 {
        for liar in &mut liars {
            serve(&mut bench, liar, secs(1), same);
        }
    }
    let mut honest = Member::link(&mut chat, &mut bench, 3);
    let old = said(&liars[0], 1, NOW_MS - DAY_MS / 2);
    let authors = author(liars[0].peer.client_id, &liars[0]);
    let linked_at = bench.now;
    while history_of(&bench) == 0 && bench.now - linked_at < secs(16 * 60) {
        for liar in &mut liars {
            liar.keep_alive(&mut bench);
            serve(&mut bench, liar, secs(2), same);
        }
        honest.keep_alive(&mut bench);
        serve(&mut bench, &mut honest, secs(2), |ask| match &ask.question {
            HistoryQuestion::Compare { spans, .. } => vec![all_differ(spans.len())],
            HistoryQuestion::Fetch { from, .. } => vec![
                authors.clone(),
                HistoryAnswer::Says(vec![old.clone()]),
                end(HistoryStatus::All, 2, *from),
            ],
        });
    }
    assert_eq!(history_of(&bench), 1);
    assert!(bench.now - linked_at > secs(5 * 60), "not with each that comes");
}

/// Threat 17: what is not asked for is not looked at, and questions are answered out of a bucket.
#[test]
fn nothing_unasked_is_taken_and_questions_are_answered_within_bounds() {
    let (_, mut bench, mut member) = linked(8);
    for number in 1..=500 {
        member.says(&mut bench, number, "x");
        bench.pass(Duration::from_millis(210));
    }
    let old = said(&member, 600, NOW_MS - DAY_MS / 2);
    let own = author(member.peer.client_id, &member);
    send(&mut bench, &mut member, 77, own);
    send(&mut bench, &mut member, 77, HistoryAnswer::Says(vec![old]));
    assert_eq!(history_of(&bench), 0);
    member.heard(&mut bench);
    for ask in 1..=1_000 {
        let t = member.t();
        let question = HistoryQuestion::Fetch {
            from: 0,
            to: u64::MAX,
            limit: u16::MAX,
            with_credentials: true,
            known: Vec::new(),
            held: Vec::new(),
        };
        member.send(&mut bench, &Packet::HistoryAsk(HistoryAsk { t, ask, question }));
    }
    let answers = member.heard(&mut bench);
    let parts = answers
        .iter()
        .filter(|packet| matches!(packet, Packet::History(_)))
        .count();
    assert!((100..1_100).contains(&parts), "{parts} datagrams at once");
    assert!(bench.dropped("history_budget") > 900);
}
