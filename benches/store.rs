//! How fast the store writes and reads messages. `cargo bench --bench store`

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use tempfile::TempDir;
use throng::id::{ChatId, ClientId, MemberId, MessageId};
use throng::model::{ChatKind, Message, MessageBody, Retention};
use throng::store::{ChatRecord, ChatSecrets, HistoryQuery, Store, Write};
use tokio::runtime::Runtime;

const CHAT: ChatId = ChatId([1; 32]);
const MESSAGES: u32 = 100_000;
const GROUP: u32 = 1000;

fn chat() -> Write {
    Write::PutChat(Box::new(ChatRecord {
        chat: CHAT,
        kind: ChatKind::Private,
        name: "bench".to_owned(),
        nick: "Ada".to_owned(),
        topic: String::new(),
        topic_by: None,
        created_ms: 0,
        port: None,
        joined: true,
        secrets: ChatSecrets::default(),
        credential: None,
        charter: None,
        next_invite: 1,
        admitted: Vec::new(),
        peers: Vec::new(),
        nicks: Vec::new(),
        facts: Vec::new(),
        ignored: Vec::new(),
        invites: Vec::new(),
        history_since: None,
        history_is_whole: false,
        retention: Retention::Forever,
    }))
}

/// A signed message of 100 bytes, with an id that is distributed like a hash.
fn message(number: u32) -> Write {
    let mut id = [0; 32];
    id[..4].copy_from_slice(&number.wrapping_mul(0x9E37_79B1).to_be_bytes());
    let message = Message {
        chat: CHAT,
        member: MemberId([number as u8 % 50; 32]),
        nick: "Somebody".to_owned(),
        id: MessageId(id),
        number,
        at: Timestamp::from_millisecond(1_700_000_000_000 + i64::from(number)).unwrap(),
        body: MessageBody::Message,
        text: "Lorem ipsum dolor sit amet. ".repeat(4)[..100].to_owned(),
        own: false,
        history: false,
        delivery: None,
        place: 0,
    };
    Write::AddMessage {
        message,
        client_id: ClientId([2; 32]),
        signed: vec![3; 217],
    }
}

/// Adds messages and waits until the last is kept.
async fn add(store: &Store, numbers: std::ops::Range<u32>) {
    let last = numbers.end - 1;
    for number in numbers.start..last {
        store.write(message(number)).unwrap();
    }
    store.save(message(last)).await.unwrap();
}

fn filled(runtime: &Runtime) -> (TempDir, Store) {
    let profile = tempfile::tempdir().unwrap();
    let store = Store::open(profile.path()).unwrap();
    runtime.block_on(async {
        store.save(chat()).await.unwrap();
        for start in (0..MESSAGES).step_by(GROUP as usize) {
            add(&store, start..start + GROUP).await;
        }
    });
    (profile, store)
}

fn benches(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (profile, store) = filled(&runtime);

    let mut next = MESSAGES;
    let mut group = criterion.benchmark_group("store");
    group.bench_function("newest 100 of 100,000", |bencher| {
        bencher.iter(|| {
            runtime
                .block_on(store.history(CHAT, HistoryQuery::Newest, 100))
                .unwrap()
        });
    });
    group.bench_function("100 in the middle of 100,000", |bencher| {
        let Write::AddMessage { message, .. } = message(MESSAGES / 2) else {
            unreachable!()
        };
        let query = HistoryQuery::Around(message.id);
        bencher.iter(|| {
            runtime
                .block_on(store.history(CHAT, black_box(query), 100))
                .unwrap()
        });
    });
    runtime.block_on(store.close());

    group.bench_function("open with 100,000, to the first page", |bencher| {
        bencher.iter(|| {
            let store = Store::open(profile.path()).unwrap();
            runtime.block_on(async {
                store.chats().await.unwrap();
                store.workspace().await.unwrap();
                black_box(store.history(CHAT, HistoryQuery::Newest, 100).await.unwrap());
                store.close().await;
            });
        });
    });

    let store = Store::open(profile.path()).unwrap();
    group.throughput(Throughput::Elements(u64::from(GROUP)));
    group.bench_function("1,000 messages at once, after 100,000", |bencher| {
        bencher.iter_batched(
            || {
                next += GROUP;
                next - GROUP..next
            },
            |numbers| runtime.block_on(add(&store, numbers)),
            BatchSize::PerIteration,
        );
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("a message, waited for", |bencher| {
        bencher.iter(|| {
            next += 1;
            runtime.block_on(store.save(message(next))).unwrap();
        });
    });
    group.finish();
    runtime.block_on(store.close());
}

criterion_group!(store, benches);
criterion_main!(store);
