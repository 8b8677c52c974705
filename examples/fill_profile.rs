//! Makes a profile for measurements. `fill_profile DIR CHATS MESSAGES` creates CHATS private chats in the folder, each with
//! MESSAGES messages, half of them by others. The runtime creates the chats, as for the window; the messages go straight into
//! the store. With a further `unindexed` it prints how fast that is without the indexes for searches; such a profile is of no
//! other use.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use throng::id::{ChatId, ClientId, MemberId, MessageId};
use throng::model::{ChatEvent, ChatKind, Command, Event, Message, MessageBody, Settings, Workspace};
use throng::runtime::{self, Options};
use throng::store::{Store, Write};

/// The time between two messages. 100,000 messages take some days.
const BETWEEN: SignedDuration = SignedDuration::from_secs(7);

/// How many messages at the end of a chat have not been read.
const UNREAD: u32 = 20;

/// How many others speak in each chat.
const OTHERS: usize = 12;

/// How many messages are the first ones, of which one member says every second; later it says none.
const FOUNDING: u32 = 20_000;

const WORDS: [&str; 16] = [
    "throng", "the", "boat", "at", "seven", "we", "meet", "again", "perhaps", "rain", "and", "bread", "is",
    "there", "quite", "so",
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ([folder, chats, messages], unindexed) = (match arguments.as_slice() {
        [needed @ .., last] if last == "unindexed" => (needed, true),
        all => (all, false),
    }) else {
        return Err("usage: fill_profile DIR CHATS MESSAGES [unindexed]".into());
    };
    let (folder, chats, messages) = (Path::new(folder), chats.parse()?, messages.parse()?);

    let made = create_chats(folder, chats)?;
    if unindexed {
        drop_indexes(folder)?;
    }
    tokio::runtime::Builder::new_current_thread()
        .build()?
        .block_on(async {
            let store = Store::open(folder)?;
            for (chat, own) in &made {
                let began = Instant::now();
                fill(&store, *chat, *own, messages).await?;
                let rate = f64::from(messages) / began.elapsed().as_secs_f64();
                writeln!(io::stderr(), "{messages} messages, {rate:.0} in a second")?;
            }
            let tabs: Vec<ChatId> = made.iter().map(|(chat, _)| *chat).collect();
            let workspace = Workspace {
                selected: tabs.first().copied(),
                tabs,
            };
            store.save(Write::SaveWorkspace(workspace)).await?;
            store
                .save(Write::SaveSettings(Settings {
                    nick: "me".to_owned(),
                    ..Settings::default()
                }))
                .await?;
            store.close().await;
            Ok(())
        })
}

/// Creates private chats, and returns them with our member id in each.
fn create_chats(folder: &Path, count: usize) -> Result<Vec<(ChatId, MemberId)>, Box<dyn Error>> {
    let options = Options {
        profile: Some(folder.to_owned()),
        listen: Some(([127, 0, 0, 1], 0).into()),
        discovery: false,
    };
    let mut handle = runtime::start(options, || {})?;
    for number in 1..=count {
        handle.send(Command::CreateChat {
            door: None,
            name: format!("Chat {number}"),
            kind: ChatKind::Private,
            nick: "me".to_owned(),
        })?;
    }
    let mut made = Vec::new();
    while made.len() < count {
        match handle.blocking_recv().ok_or("the node ended early")?.event {
            Event::Chat {
                chat,
                event: ChatEvent::ChatOpened { member, .. },
            } => made.push((chat, member)),
            Event::Error { message, .. } => return Err(message.into()),
            _ => {}
        }
    }
    handle.shutdown();
    Ok(made)
}

/// Drops the indexes that searches need.
fn drop_indexes(folder: &Path) -> Result<(), rusqlite::Error> {
    rusqlite::Connection::open(folder.join("throng.db"))?.execute_batch(
        "DROP TRIGGER message_text_added; DROP TRIGGER message_text_removed; DROP TRIGGER message_end_added;
        DROP TRIGGER message_end_removed; DROP INDEX message_nick;",
    )
}

async fn fill(store: &Store, chat: ChatId, own: MemberId, count: u32) -> Result<(), Box<dyn Error>> {
    let first = Timestamp::now() - BETWEEN * i32::try_from(count)?;
    for number in 1..=count {
        let speaker = speaker(number);
        let message = Message {
            chat,
            member: speaker.map_or(own, |speaker| {
                MemberId([u8::try_from(speaker).unwrap_or(u8::MAX); 32])
            }),
            nick: match speaker {
                None => "me".to_owned(),
                Some(1..=OTHERS) => format!("member {}", speaker.unwrap_or_default()),
                Some(FOUNDER) => "founder".to_owned(),
                Some(_) => "visitor".to_owned(),
            },
            id: message_id(chat, number),
            number,
            at: first + BETWEEN * i32::try_from(number)?,
            body: if number % 50 == 0 {
                MessageBody::Action
            } else {
                MessageBody::Message
            },
            text: sentence(number),
            own: speaker.is_none(),
            history: true,
            delivery: None,
            place: 0,
        };
        let write = Write::AddMessage {
            message,
            client_id: ClientId([1; 32]),
            signed: Vec::new(),
        };
        if number == count {
            store.save(write).await?;
        } else {
            while store.write(write.clone()).is_err() {
                // The queue is full: the next answer comes when there is room again.
                store.workspace().await?;
            }
        }
    }
    let read = message_id(chat, count.saturating_sub(UNREAD));
    store.save(Write::MarkRead { chat, message: read }).await?;
    Ok(())
}

fn message_id(chat: ChatId, number: u32) -> MessageId {
    let mut id = chat.0;
    id[..4].copy_from_slice(&number.to_be_bytes());
    MessageId(id)
}

/// The member who said every second of the first messages.
const FOUNDER: usize = OTHERS + 1;
/// The member who says one message in a hundred thousand.
const VISITOR: usize = OTHERS + 2;

/// The author: one of the others, three messages in a row, or `None` for us.
fn speaker(number: u32) -> Option<usize> {
    match number {
        _ if number % 100_000 == 70_000 => return Some(VISITOR),
        0..FOUNDING if number.is_multiple_of(2) => return Some(FOUNDER),
        _ => {}
    }
    let turn = usize::try_from(number / 3).unwrap_or_default();
    (turn % 2 == 0).then_some(1 + turn / 2 % OTHERS)
}

/// A text of 3 to 40 words, always the same for a number.
fn sentence(number: u32) -> String {
    let seed = usize::try_from(number).unwrap_or_default();
    let words = (0..3 + seed * 7 % 38).map(|n| WORDS[(seed + n * n) % WORDS.len()]);
    let mut said = words.collect::<Vec<_>>().join(" ");
    // Words to search for: one in every hundredth message, others in every hundred thousandth.
    if number.is_multiple_of(100) {
        said.push_str(" 東京");
    }
    if number % 100_000 == 50_000 {
        said.push_str(" heliotrope qx 渋谷 and jz");
    }
    // And one that many said long ago.
    if number < FOUNDING {
        said.push_str(" harbour");
    }
    said
}
