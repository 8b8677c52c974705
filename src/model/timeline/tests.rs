//! The rows are the same in whatever order the messages came.

use proptest::prelude::*;

use super::*;
use crate::id::ChatId;
use crate::model::{DeliveryState, MessageBody};

/// 20 November 2026, 12:00 UTC.
const NOON: i64 = 1_795_176_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOON + seconds).expect("a time in range")
}

fn message(author: u8, seconds: i64, number: u32) -> Message {
    let mut id = [0; 32];
    id[..4].copy_from_slice(&number.to_be_bytes());
    Message {
        chat: ChatId([1; 32]),
        member: MemberId([author; 32]),
        nick: format!("nick{author}"),
        id: MessageId(id),
        number,
        at: at(seconds),
        body: MessageBody::Message,
        text: format!("text {number}"),
        own: author == 0,
        history: true,
        delivery: None,
        place: 0,
    }
}

fn timeline() -> Timeline {
    Timeline::new(TimeZone::UTC)
}

/// What is painted of each row.
fn painted(timeline: &Timeline) -> Vec<(RowKey, bool, bool, bool, RowContent)> {
    timeline
        .rows()
        .map(|row| {
            (
                row.key,
                row.starts_day,
                row.starts_new,
                row.starts_group,
                row.content.clone(),
            )
        })
        .collect()
}

/// Every row is found where the walk meets it.
fn check(timeline: &Timeline) {
    let rows: Vec<_> = timeline.rows().collect();
    assert_eq!(rows.len(), timeline.len());
    assert!(rows.is_sorted_by(|a, b| a.key < b.key));
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(timeline.row(index).map(|row| row.id), Some(row.id));
        assert_eq!(timeline.index_at(row.key), index);
    }
    for (chunk, start) in timeline.chunks().iter().zip(&timeline.starts) {
        assert!((1..=CHUNK_ROWS).contains(&chunk.rows().len()));
        assert_eq!(chunk.rows()[0].id, rows[*start].id);
    }
    assert_eq!(timeline.chunks().len(), timeline.starts.len());
}

#[test]
fn what_comes_late_is_marked_and_shows_its_time() {
    let mut timeline = timeline();
    for (number, seconds) in [(1, 0), (2, 400), (3, 300), (4, 200)] {
        let came = message(1, seconds, number);
        let id = came.id;
        timeline.insert(came);
        timeline.mark_if_late(id);
    }
    let shown: Vec<(String, bool)> = timeline
        .rows()
        .map(|row| (row.shown_time(), row.starts_group))
        .collect();
    let expected = [
        ("12:00", true),
        ("12:03, came late", true),
        ("12:05", true),
        ("12:06", false),
    ];
    assert_eq!(shown, expected.map(|(time, starts)| (time.to_owned(), starts)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_order_gives_the_same_rows(
        said in prop::collection::vec((0..4u8, 0..200_000i64), 1..700),
        mark in any::<prop::sample::Index>(),
        seed in any::<u64>(),
    ) {
        let messages: Vec<_> = said
            .iter()
            .enumerate()
            .map(|(number, (author, seconds))| message(*author, *seconds, u32::try_from(number).expect("few")))
            .collect();
        let mark = messages[mark.index(messages.len())].id;
        let mut sorted = messages.clone();
        sorted.sort_by_key(|message| (message.place(), message.id));
        let mut shuffled = messages;
        let mut random = seed | 1;
        for at in (1..shuffled.len()).rev() {
            // xorshift64 (Marsaglia 2003): enough to shuffle.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            shuffled.swap(at, usize::try_from(random % (at as u64 + 1)).expect("small"));
        }

        let (mut in_order, mut any_order) = (timeline(), timeline());
        any_order.set_read_mark(Some(mark));
        for message in sorted {
            prop_assert!(in_order.insert(message));
        }
        for message in shuffled {
            prop_assert!(any_order.insert(message.clone()));
            prop_assert!(!any_order.insert(message), "a message is there once");
        }
        in_order.set_read_mark(Some(mark));
        check(&in_order);
        check(&any_order);
        prop_assert_eq!(painted(&in_order), painted(&any_order));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn hiding_leaves_what_would_stand_there_without_them(
        said in prop::collection::vec((0..4u8, 0..20_000i64), 1..700),
        hide_at in any::<prop::sample::Index>(),
        mark in any::<prop::sample::Index>(),
    ) {
        let messages: Vec<_> = (0u32..)
            .zip(&said)
            .map(|(number, (author, seconds))| message(*author, *seconds, number))
            .collect();
        let mark = messages[mark.index(messages.len())].id;
        let hide_at = hide_at.index(messages.len());
        let hidden = MemberId([2; 32]);
        let (mut all, mut without, mut hiding) = (timeline(), timeline(), timeline());
        hiding.set_read_mark(Some(mark));
        for (at, message) in messages.iter().enumerate() {
            if at == hide_at {
                hiding.set_hidden(hidden, true);
                check(&hiding);
            }
            all.insert(message.clone());
            hiding.insert(message.clone());
            if message.member != hidden {
                without.insert(message.clone());
            }
        }
        check(&hiding);
        let of_mark = messages.iter().find(|message| message.id == mark).expect("one of them");
        // A mark on hidden words stands where they would: without them there is none.
        if of_mark.member != hidden {
            without.set_read_mark(Some(mark));
            prop_assert_eq!(painted(&hiding), painted(&without));
        }
        prop_assert_eq!(hiding.first_message(), all.first_message(), "what is asked for next");
        for message in &messages {
            prop_assert_eq!(hiding.index_of(message.id).is_some(), message.member != hidden);
            prop_assert!(!hiding.insert(message.clone()), "a message is there once");
        }
        all.set_read_mark(Some(mark));
        hiding.set_hidden(hidden, false);
        check(&hiding);
        prop_assert_eq!(painted(&hiding), painted(&all));
    }
}

#[test]
fn hidden_words_are_bounded_by_what_is_shown() {
    let mut timeline = timeline();
    timeline.set_hidden(MemberId([2; 32]), true);
    for number in 0..1_000 {
        timeline.insert(message(u8::from(number % 2 == 0) + 1, i64::from(number), number));
    }
    timeline.trim(100);
    timeline.set_hidden(MemberId([2; 32]), false);
    check(&timeline);
    assert_eq!(timeline.len(), 199, "none from before the first row");
    timeline.set_hidden(MemberId([2; 32]), true);
    timeline.forget_all();
    assert!(
        !timeline.insert(message(2, 5_000, 5_000)),
        "who is hidden is still known"
    );
}

#[test]
fn messages_group_by_author_within_five_minutes() {
    let mut timeline = timeline();
    let mut act = message(1, 1_000, 6);
    act.body = MessageBody::Action;
    let said = [
        (message(1, 0, 1), true),
        (message(1, 299, 2), false),
        (message(1, 599, 3), true), // 300 s after the one before
        (message(2, 610, 4), true),
        (message(1, 620, 5), true),
        (act, true),
        (message(1, 1_001, 7), true), // after an action
    ];
    for (message, _) in &said {
        timeline.insert(message.clone());
    }
    let starts: Vec<_> = timeline.rows().map(|row| row.starts_group).collect();
    assert_eq!(starts, said.iter().map(|(_, starts)| *starts).collect::<Vec<_>>());

    // A notice in between begins a group; another nick does too.
    let mut renamed = message(1, 1_003, 9);
    renamed.nick = "other".to_owned();
    timeline.insert(message(1, 1_002, 8));
    timeline.insert(renamed);
    timeline.insert_notice(at(100), "bob joined".to_owned());
    let starts: Vec<_> = timeline.rows().map(|row| row.starts_group).collect();
    assert_eq!(starts[..3], [true, true, true]);
    assert_eq!(starts[starts.len() - 2..], [false, true]);
}

#[test]
fn a_day_begins_where_the_reader_lives() {
    let mut timeline = Timeline::new(TimeZone::fixed(jiff::tz::offset(12)));
    // Noon UTC is midnight there.
    timeline.insert(message(1, -1, 1));
    timeline.insert(message(1, 0, 2));
    timeline.insert(message(1, 60, 3));
    let days: Vec<_> = timeline
        .rows()
        .map(|row| (row.starts_day, row.local.date().day()))
        .collect();
    assert_eq!(days, [(true, 20), (true, 21), (false, 21)]);
    assert_eq!(
        timeline.rows().next().map(Row::copied).as_deref(),
        Some("[2026-11-20 23:59] nick1: text 1")
    );
}

#[test]
fn the_new_line_stands_above_the_first_of_others() {
    let mut timeline = timeline();
    for (number, author) in [(1, 1), (2, 1), (3, 0), (4, 2), (5, 1)] {
        timeline.insert(message(author, i64::from(number), number));
    }
    let marked = |timeline: &Timeline| -> Vec<_> {
        timeline
            .rows()
            .enumerate()
            .filter(|(_, row)| row.starts_new)
            .map(|(index, _)| index)
            .collect()
    };
    timeline.set_read_mark(Some(message(1, 2, 2).id));
    assert_eq!(marked(&timeline), [3]);
    timeline.set_read_mark(Some(message(1, 1, 1).id));
    assert_eq!(marked(&timeline), [1]);
    timeline.set_read_mark(Some(message(1, 5, 5).id));
    assert!(marked(&timeline).is_empty());
    timeline.insert(message(2, 9, 9));
    assert_eq!(marked(&timeline), [5]);
    timeline.set_read_mark(None);
    assert!(marked(&timeline).is_empty());
}

#[test]
fn delivery_and_nicks_change_their_rows_alone() {
    let mut timeline = timeline();
    let mut own = message(0, 0, 1);
    own.history = false;
    timeline.insert(own.clone());
    let mut spoken_to = message(1, 1, 2);
    spoken_to.text = "Nick0: hello".to_owned();
    timeline.insert(spoken_to);
    let versions = |timeline: &Timeline| -> Vec<_> { timeline.rows().map(|row| row.version).collect() };

    let before = versions(&timeline);
    let sent = Delivery {
        state: DeliveryState::Sent,
        reached: 3,
        of: 4,
    };
    assert!(timeline.set_delivery(own.id, sent));
    assert!(!timeline.set_delivery(MessageId([9; 32]), sent));
    let after = versions(&timeline);
    assert!(before[0] != after[0] && before[1] == after[1]);
    let delivery = timeline.row(0).and_then(Row::said).and_then(|said| said.delivery);
    assert_eq!(delivery, Some(sent));
    assert_eq!(sent.words(), "Reached 3 of 4");

    timeline.set_own_nick("nick0");
    assert_eq!(
        timeline
            .rows()
            .filter_map(Row::said)
            .map(|said| said.mentions_own)
            .collect::<Vec<_>>(),
        [false, true]
    );
    assert_eq!(versions(&timeline)[0], after[0]);
}

#[test]
fn two_who_look_alike_are_told_apart_as_long_as_both_are_there() {
    let mut timeline = timeline();
    timeline.insert(message(2, 0, 0));
    let mut mallory = message(3, 1, 1);
    mallory.nick = "NICK2\u{200B}".to_owned();
    timeline.insert(mallory);
    timeline.insert(message(4, 2, 2));
    let shared: Vec<_> = timeline
        .rows()
        .filter_map(Row::said)
        .map(|said| timeline.shares_nick(said))
        .collect();
    assert_eq!(shared, [true, true, false]);
    timeline.trim(2);
    let shared: Vec<_> = timeline
        .rows()
        .filter_map(Row::said)
        .map(|said| timeline.shares_nick(said))
        .collect();
    assert_eq!(shared, [false, false]);
}

#[test]
fn trimming_drops_the_oldest_and_says_that_there_is_more() {
    let mut timeline = timeline();
    for number in 0..1_000 {
        timeline.insert(message(1, i64::from(number), number));
    }
    assert!(!timeline.more_before());
    timeline.trim(300);
    check(&timeline);
    assert!(timeline.more_before());
    assert_eq!(timeline.first_message(), Some(message(1, 700, 700).id));
    assert!(
        timeline
            .row(0)
            .is_some_and(|row| row.starts_day && row.starts_group)
    );
    assert!(
        !timeline.insert(message(1, 0, 0)),
        "what was dropped comes again by a page, without a gap"
    );
    let page: Vec<_> = (600..700)
        .map(|number| message(1, i64::from(number), number))
        .collect();
    let first = timeline.first_message().expect("rows");
    timeline.load(Page::Before(first), &page, true, true);
    check(&timeline);
    assert_eq!(timeline.first_message(), Some(page[0].id));
    assert_eq!(timeline.len(), 400);
    timeline.load(Page::Before(first), &page, false, true);
    assert!(
        timeline.more_before(),
        "an answer that is out of date changes nothing"
    );
}
