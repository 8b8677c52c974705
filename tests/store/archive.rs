//! What others fetch of a chat, held against a plain list of the same.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use throng::crypto;
use throng::store::HOUR;

use super::*;

/// Something signed: what a say looks like, as far as the store reads it.
fn signed(hlc: u64, fill: u8) -> Vec<u8> {
    let mut signed = vec![fill; 120];
    signed[36..44].copy_from_slice(&hlc.to_be_bytes());
    signed
}

fn said(number: u32, hlc: u64) -> Write {
    let at_ms = i64::try_from(hlc >> 16).unwrap();
    Write::AddMessage {
        message: message(chat(1), number, at_ms),
        client_id: ClientId([8; 32]),
        signed: signed(hlc, number as u8),
    }
}

fn part(number: u32, first: u32, hlc: u64) -> Write {
    Write::AddPart {
        chat: chat(1),
        part: PartRecord {
            id: message_id(number),
            member: member(9),
            client_id: ClientId([8; 32]),
            number,
            first,
            signed: signed(hlc, number as u8),
        },
    }
}

fn first_16(hash: [u8; 32]) -> [u8; 16] {
    hash[..16].try_into().unwrap()
}

/// As `node::archive` has it, in the plainest way.
fn fingerprint(held: &BTreeSet<(u64, MessageId)>, span: &Range<u64>) -> [u8; 16] {
    let of = |span: Range<u64>| {
        let mut ids: Vec<_> = held
            .iter()
            .filter(|(hlc, _)| span.contains(hlc))
            .map(|(_, id)| id.0)
            .collect();
        ids.sort_unstable();
        if ids.is_empty() {
            return [0; 16];
        }
        first_16(crypto::hash(&[b"throng/1 span\0", &ids.concat()]))
    };
    let is_whole = span.start.is_multiple_of(HOUR) && span.end.is_multiple_of(HOUR);
    if !is_whole || span.end - span.start <= HOUR {
        return of(span.clone());
    }
    let mut bytes = Vec::new();
    for hour in span.start / HOUR..span.end / HOUR {
        let print = of(hour * HOUR..(hour + 1) * HOUR);
        if print != [0; 16] {
            bytes.extend(u32::try_from(hour).unwrap().to_be_bytes());
            bytes.extend(print);
        }
    }
    if bytes.is_empty() {
        return [0; 16];
    }
    first_16(crypto::hash(&[b"throng/1 hours\0", &bytes]))
}

#[tokio::test]
async fn what_others_compare_and_fetch_is_what_is_held() {
    let seed = 7;
    let mut random = ChaCha20Rng::seed_from_u64(seed);
    let start = 472_222 * HOUR;
    let profile = tempfile::tempdir().unwrap();
    let store = Store::open(profile.path()).unwrap();
    save_all(&store, [Write::PutChat(Box::new(record(1)))]).await;
    let mut held: BTreeSet<(u64, MessageId)> = BTreeSet::new();
    for number in 1..300 {
        let hlc = start + random.next_u64() % (6 * HOUR);
        let write = if random.next_u32().is_multiple_of(3) {
            part(number, number, hlc)
        } else {
            said(number, hlc)
        };
        save_all(&store, [write]).await;
        held.insert((hlc, message_id(number)));
        if !number.is_multiple_of(20) {
            continue;
        }

        let mut spans = vec![
            start..start + 6 * HOUR,
            start..start + HOUR,
            start + 100 * HOUR..start + 102 * HOUR,
        ];
        for _ in 0..5 {
            let from = start + random.next_u64() % (6 * HOUR);
            spans.push(from..from + random.next_u64() % HOUR);
            let hour = start + random.next_u64() % 6 * HOUR;
            spans.push(hour..hour + (1 + random.next_u64() % 4) * HOUR);
        }
        let expected: Vec<_> = spans.iter().map(|span| fingerprint(&held, span)).collect();
        // The second time from what is kept.
        for _ in 0..2 {
            assert_eq!(
                store.fingerprints(chat(1), spans.clone()).await.unwrap(),
                expected
            );
        }
        for span in spans {
            let newest: Vec<_> = held.iter().rev().filter(|(hlc, _)| span.contains(hlc)).collect();
            let ids = store.archived_ids(chat(1), span.clone(), 7).await.unwrap();
            let wanted = &newest[..newest.len().min(7)];
            assert_eq!(ids.iter().collect::<Vec<_>>(), wanted, "seed {seed}");

            let except: BTreeSet<[u8; 6]> = newest
                .iter()
                .step_by(2)
                .map(|(_, id)| id.0[..6].try_into().unwrap())
                .collect();
            let wanted: Vec<_> = newest.iter().skip(1).step_by(2).map(|(_, id)| *id).collect();
            for (limit, max_bytes, most) in [(5, 10_000, 5), (50, 360, 3), (50, 1, 1)] {
                let (says, more) = store
                    .archived(chat(1), span.clone(), except.clone(), limit, max_bytes)
                    .await
                    .unwrap();
                let ids: Vec<_> = says.iter().map(|say| say.id).collect();
                assert_eq!(ids, wanted[..wanted.len().min(most)], "seed {seed}");
                assert_eq!(more, wanted.len() > most, "seed {seed}");
                assert!(
                    says.iter()
                        .all(|say| say.member == member(9) && say.signed.len() == 120)
                );
            }
        }
    }
    store.close().await;
}

#[tokio::test]
async fn parts_wait_until_their_message_is_complete() {
    let profile = tempfile::tempdir().unwrap();
    let store = Store::open(profile.path()).unwrap();
    save_all(&store, [Write::PutChat(Box::new(record(1)))]).await;
    let hlc = 472_222 * HOUR;
    save_all(
        &store,
        [part(2, 1, hlc + 2), part(1, 1, hlc + 1), part(2, 1, hlc + 2)],
    )
    .await;
    let numbers = |parts: Vec<PartRecord>| parts.iter().map(|part| part.number).collect::<Vec<_>>();
    assert_eq!(numbers(store.orphan_parts(chat(1)).await.unwrap()), [1, 2]);
    let all = 0..u64::MAX;
    let before = store.archived_ids(chat(1), all.clone(), 9).await.unwrap();
    assert_eq!(before, [(hlc + 2, message_id(2)), (hlc + 1, message_id(1))]);

    // The first part of an own message is the message; a part that comes once more changes nothing.
    let mut own = message(chat(1), 1, 1_700_000_000_000);
    own.own = true;
    own.delivery = Some(DeliveryState::Waiting);
    let whole = Write::AddMessage {
        message: own,
        client_id: ClientId([8; 32]),
        signed: signed(hlc + 1, 1),
    };
    save_all(&store, [whole, part(1, 1, hlc + 1)]).await;
    assert!(store.orphan_parts(chat(1)).await.unwrap().is_empty());
    assert_eq!(store.archived_ids(chat(1), all, 9).await.unwrap(), before);
    let both = BTreeMap::from([(message_id(1), hlc + 1), (message_id(2), hlc + 2)]);
    assert_eq!(store.unsent(chat(1)).await.unwrap(), both);
    let sent = Write::SetDelivery {
        chat: chat(1),
        id: message_id(1),
        state: DeliveryState::Sent,
    };
    save_all(&store, [sent]).await;
    assert_eq!(store.unsent(chat(1)).await.unwrap(), BTreeMap::new());
    store.close().await;
}

#[tokio::test]
async fn how_far_back_and_how_much_is_held_is_kept() {
    let profile = tempfile::tempdir().unwrap();
    let store = Store::open(profile.path()).unwrap();
    let held = Write::SetHistoryHeld {
        chat: chat(1),
        since: u64::MAX - 1,
        is_whole: true,
    };
    let retention = Retention::Days { days: 30 };
    let set = Write::SetRetention {
        chat: chat(1),
        retention,
    };
    let put = || Write::PutChat(Box::new(record(1)));
    save_all(&store, [put(), held, set, put()]).await;
    store.close().await;
    let store = Store::open(profile.path()).unwrap();
    let kept = store.chats().await.unwrap().remove(0);
    assert_eq!(
        (kept.history_since, kept.history_is_whole, kept.retention),
        (Some(u64::MAX - 1), true, retention)
    );
    store.close().await;
}

#[tokio::test]
async fn what_is_cleared_is_in_no_file_any_more() {
    let profile = tempfile::tempdir().unwrap();
    let store = Store::open(profile.path()).unwrap();
    let mut secret = message(chat(1), 1, 1_700_000_000_000);
    secret.text = "the quagga is in the larder zq".to_owned();
    let other = message(chat(2), 1, 1_700_000_000_000);
    save_all(
        &store,
        [
            Write::PutChat(Box::new(record(1))),
            Write::PutChat(Box::new(record(2))),
            add(secret),
            add(other),
            part(2, 2, 5),
        ],
    )
    .await;
    for number in 10..2000 {
        store
            .write(add(message(chat(1), number, 1_700_000_000_000)))
            .unwrap();
    }
    let clear = Write::ClearHistory {
        chat: chat(1),
        since: 99,
    };
    save_all(&store, [clear]).await;
    // The last two as the index has the end of it.
    for word in ["quagga", "larder", "zq\u{3}", "q\u{3}\u{3}"] {
        assert!(!holds(profile.path(), word.as_bytes()), "{word}");
    }
    let newest = |number| store.history(chat(number), HistoryQuery::Newest, 10);
    assert!(messages(newest(1).await.unwrap()).is_empty());
    assert_eq!(numbers(newest(2).await.unwrap()), [1]);
    assert_eq!(store.chats().await.unwrap()[0].history_since, Some(99));
    assert_eq!(store.archived_ids(chat(1), 0..u64::MAX, 9).await.unwrap(), []);
    store.close().await;
}

#[tokio::test]
async fn a_large_database_that_is_cleared_is_written_anew() {
    let profile = tempfile::tempdir().unwrap();
    let store = Store::open(profile.path()).unwrap();
    for number in [1, 2] {
        save_all(&store, [Write::PutChat(Box::new(record(number)))]).await;
    }
    // Of many lengths, so that pages are split and joined when they go.
    for number in 1..1500 {
        let mut message = message(chat(1), number, 1_700_000_000_000);
        message.text = format!("{number} {}", "quagga ".repeat(1 + number as usize * 37 % 400));
        let write = Write::AddMessage {
            message,
            client_id: ClientId([8; 32]),
            signed: vec![6; 50_000],
        };
        save_all(&store, [write]).await;
    }
    save_all(&store, [add(message(chat(2), 1, 1_700_000_000_000))]).await;
    let len = || -> usize { files(profile.path()).values().map(Vec::len).sum() };
    assert!(len() > 64 << 20, "{}", len());
    assert!(
        holds(profile.path(), b"quagga"),
        "the test looks in the right place"
    );

    let clear = Write::ClearHistory {
        chat: chat(1),
        since: 99,
    };
    save_all(&store, [clear]).await;
    assert!(!holds(profile.path(), b"quagga"));
    assert!(len() < 1 << 20, "{}", len());
    let page = store.history(chat(2), HistoryQuery::Newest, 10).await.unwrap();
    assert_eq!(numbers(page), [1]);
    store.close().await;
}
