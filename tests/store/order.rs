//! What is said stands in one order, however it came: in pages of any size, in the timeline, among what a search finds.

use jiff::tz::TimeZone;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use throng::model::Timeline;
use throng::store::SearchOrder;

use super::*;

/// What several say in a few milliseconds, as the clocks had it that follow each other: in the order in which it was said.
fn talk(random: &mut ChaCha20Rng) -> Vec<Message> {
    let mut hlc = 1_700_000_000_000_u64 << 16;
    let said = (0..60).map(|number| {
        // Mostly the counter goes on, sometimes the time.
        hlc = if random.next_u32().is_multiple_of(8) {
            ((hlc >> 16) + 1) << 16
        } else {
            hlc + 1
        };
        let mut id = [0; 32];
        random.fill_bytes(&mut id);
        Message {
            id: MessageId(id),
            member: member(number as u8 % 3),
            place: hlc,
            ..message(chat(1), number, (hlc >> 16).cast_signed())
        }
    });
    said.collect()
}

async fn stored(said: &[Message]) -> (tempfile::TempDir, Store) {
    let profile = tempfile::tempdir().unwrap();
    let store = Store::open(profile.path()).unwrap();
    store.save(Write::PutChat(Box::new(record(1)))).await.unwrap();
    for message in said {
        store.save(add(message.clone())).await.unwrap();
    }
    (profile, store)
}

#[tokio::test]
async fn the_order_is_the_same_however_messages_come() {
    let seed = 0x7012_0003;
    eprintln!("seed {seed:#x}");
    let mut random = ChaCha20Rng::seed_from_u64(seed);
    let said = talk(&mut random);
    let newest_first: Vec<Message> = said.iter().rev().cloned().collect();
    let mut shuffled = said.clone();
    for at in (1..shuffled.len()).rev() {
        shuffled.swap(at, random.next_u32() as usize % (at + 1));
    }
    for came in [&said, &newest_first, &shuffled] {
        let (_profile, store) = stored(came).await;
        let all = store.history(chat(1), HistoryQuery::Newest, 100).await.unwrap();
        assert_eq!(messages(all), said);

        // One by one in both directions, none twice and none left out.
        let (mut back, mut query) = (Vec::new(), HistoryQuery::Newest);
        loop {
            let page = store.history(chat(1), query, 1).await.unwrap();
            let more = page.more_before;
            back.extend(messages(page));
            query = HistoryQuery::Before(back.last().unwrap().id);
            if !more {
                break;
            }
        }
        back.reverse();
        assert_eq!(back, said);
        let middle = store
            .history(chat(1), HistoryQuery::Around(said[30].id), 5)
            .await
            .unwrap();
        assert_eq!(messages(middle), said[28..33]);
        let later = store
            .history(chat(1), HistoryQuery::After(said[30].id), 100)
            .await
            .unwrap();
        assert_eq!(messages(later), said[31..]);

        let mut timeline = Timeline::new(TimeZone::UTC);
        for message in came {
            timeline.insert(message.clone());
        }
        let rows: Vec<_> = timeline.rows().filter_map(|row| row.key.message()).collect();
        let ids: Vec<_> = said.iter().map(|message| message.id).collect();
        assert_eq!(rows, ids);

        let mut older_than = None;
        let mut found = Vec::new();
        loop {
            let order = SearchOrder {
                chats: vec![chat(1)],
                words: vec!["message".to_owned()],
                limit: 7,
                older_than,
                ..SearchOrder::default()
            };
            let (hits, more) = store.search(order).await.unwrap();
            found.extend(hits.into_iter().map(|hit| hit.message.id));
            older_than = found.last().map(|id| (chat(1), *id));
            if !more {
                break;
            }
        }
        found.reverse();
        assert_eq!(found, ids);

        // What is unread is what stands after the mark.
        store
            .save(Write::MarkRead {
                chat: chat(1),
                message: said[40].id,
            })
            .await
            .unwrap();
        assert_eq!(store.workspace().await.unwrap().2[0].unread, 19);
        store.close().await;
    }
}
