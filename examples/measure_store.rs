//! Prints how long the store takes with long chats: `measure_store DIR`, with a profile that `fill_profile DIR 1 1000000` made.
//! The times are medians of several runs, from question to answer.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use throng::id::ChatId;
use throng::store::{HistoryQuery, SearchOrder, Store};

/// How many runs the median is of.
const GOES: usize = 7;

/// How many hits the window asks for at a time.
const HITS: usize = 50;

/// The most pages of hits.
const PAGES: usize = 200;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder] = arguments.as_slice() else {
        return Err("usage: measure_store DIR".into());
    };
    let folder = Path::new(folder);
    let tokio = tokio::runtime::Builder::new_current_thread().build()?;
    tokio.block_on(measure(folder))
}

fn say(words: &str) -> Outcome<()> {
    Ok(writeln!(io::stdout(), "{words}")?)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Pages and searches.
async fn measure(folder: &Path) -> Outcome<()> {
    let mut times = Vec::new();
    for _ in 0..GOES {
        let began = Instant::now();
        let store = Store::open(folder)?;
        let chats = store.chats().await?;
        store.workspace().await?;
        let chat = chats.first().ok_or("no chat is there")?.chat;
        store.history(chat, HistoryQuery::Newest, 100).await?;
        times.push(began.elapsed());
        store.close().await;
    }
    say(&format!("opened, to the first page: {:.1?}", median(times)))?;

    let store = Store::open(folder)?;
    let chat = store.chats().await?.first().ok_or("no chat is there")?.chat;
    say(&format!("{} messages", store.message_count(chat).await?))?;
    for (what, query) in [("newest", HistoryQuery::Newest), ("oldest", HistoryQuery::Oldest)] {
        let mut times = Vec::new();
        for _ in 0..GOES {
            let began = Instant::now();
            store.history(chat, query, 100).await?;
            times.push(began.elapsed());
        }
        say(&format!("page of the {what} 100: {:.2?}", median(times)))?;
    }
    let chats: Vec<ChatId> = store.chats().await?.iter().map(|record| record.chat).collect();
    let oldest = store.history(chat, HistoryQuery::Oldest, 1).await?.messages;
    let oldest_ms = oldest
        .first()
        .ok_or("no message is there")?
        .message
        .at
        .as_millisecond();
    for (what, order) in searches(&chats, oldest_ms) {
        let (mut times, mut found) = (Vec::new(), None);
        for _ in 0..GOES {
            let began = Instant::now();
            found = Some(store.search(order.clone()).await?);
            times.push(began.elapsed());
        }
        let hits = found.map_or(0, |(hits, _)| hits.len());
        say(&format!("search, {what}: {:.1?}, {hits} hits", median(times)))?;
    }
    // From page to page until there are no more, or long enough.
    for word in ["東京", "throng"] {
        let mut order = words(&chats, &[word]);
        let (mut times, mut more) = (Vec::new(), true);
        while more && times.len() < PAGES {
            let began = Instant::now();
            let (hits, is_more) = store.search(order.clone()).await?;
            times.push(began.elapsed());
            order.older_than = hits.last().map(|hit| (hit.message.chat, hit.message.id));
            more = is_more;
        }
        let (pages, longest) = (times.len(), times.iter().max().copied().unwrap_or_default());
        say(&format!(
            "{pages} pages of hits of {word}: {:.1?}, at most {longest:.1?}",
            median(times)
        ))?;
    }
    store.close().await;
    Ok(())
}

/// A search, in all chats unless it says otherwise.
fn searches(chats: &[ChatId], oldest_ms: i64) -> Vec<(&'static str, SearchOrder)> {
    let words = |looked_for: &[&str]| words(chats, looked_for);
    let from = |nick: &str, order| SearchOrder {
        from: Some(nick.to_owned()),
        ..order
    };
    let inside = |order| SearchOrder {
        chats: chats[..1].to_vec(),
        ..order
    };
    let days = |n: i64| Some(oldest_ms + n * 86_400_000);
    let before = |n, order| SearchOrder {
        before_ms: days(n),
        ..order
    };
    let after = |n, order| SearchOrder {
        after_ms: days(n),
        ..order
    };
    vec![
        ("rare word", words(&["heliotrope"])),
        ("common word", words(&["throng"])),
        ("two common words", words(&["throng", "bread"])),
        ("rare and common word", words(&["heliotrope", "throng"])),
        ("common, two letters", words(&["so"])),
        ("rare, two letters", words(&["qx"])),
        ("rare, two letters at the end", words(&["jz"])),
        ("rare and common, two letters", words(&["so", "qx"])),
        ("common, one letter", words(&["b"])),
        ("rare, one letter", words(&["x"])),
        ("common, 東京", words(&["東京"])),
        ("rare, 渋谷", words(&["渋谷"])),
        ("rare, 渋", words(&["渋"])),
        ("no hit", words(&["zeppelin"])),
        ("no hit, two letters", words(&["qj"])),
        ("no hit, letters all common", words(&["breadthrong"])),
        ("one word in 20,000 messages, all long ago", words(&["harbour"])),
        ("in: one chat, rare word", inside(words(&["heliotrope"]))),
        ("in: one chat, common word", inside(words(&["throng"]))),
        ("in: one chat, rare, two letters", inside(words(&["qx"]))),
        (
            "before: the tenth day, common word",
            before(10, words(&["throng"])),
        ),
        (
            "before: the tenth day, rare word",
            before(10, words(&["heliotrope"])),
        ),
        (
            "after: the tenth day, rare word",
            after(10, words(&["heliotrope"])),
        ),
        (
            "after: the tenth day, rare, two letters",
            after(10, words(&["qx"])),
        ),
        (
            "in a day long ago, common word",
            after(9, before(10, words(&["throng"]))),
        ),
        (
            "from: one of twelve, common word",
            from("member 3", words(&["throng"])),
        ),
        ("from: one of twelve", from("member 3", words(&[]))),
        (
            "from: who said little, common word",
            from("visitor", words(&["throng"])),
        ),
        ("from: who said 10,000, all long ago", from("founder", words(&[]))),
        ("from: the same, common word", from("founder", words(&["throng"]))),
        (
            "from: one of twelve, that word of long ago",
            from("member 3", words(&["harbour"])),
        ),
        ("from: nobody", from("nobody", words(&["throng"]))),
    ]
}

fn words(chats: &[ChatId], words: &[&str]) -> SearchOrder {
    SearchOrder {
        chats: chats.to_vec(),
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        limit: HITS,
        ..SearchOrder::default()
    }
}
