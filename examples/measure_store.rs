//! Prints what the store takes with a long chat: `measure_store DIR`, of a profile that `fill_profile DIR 1 1000000` made.
//! The times are medians of several goes, from asking to the answer.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use throng::store::{HistoryQuery, SearchOrder, Store};

/// Goes of which the median is told.
const GOES: usize = 7;

/// Hits of the first page that the window asks for.
const HITS: usize = 50;

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
    let words = |words: &[&str]| SearchOrder {
        chats: vec![chat],
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        limit: HITS,
        ..SearchOrder::default()
    };
    let from = |nick: &str, order| SearchOrder {
        from: Some(nick.to_owned()),
        ..order
    };
    for (what, order) in [
        ("rare word", words(&["heliotrope"])),
        ("common word", words(&["throng"])),
        ("two common words", words(&["throng", "bread"])),
        ("rare and common word", words(&["heliotrope", "throng"])),
        ("common, two letters", words(&["so"])),
        ("rare, two letters", words(&["qx"])),
        ("common, 東京", words(&["東京"])),
        ("rare, 渋谷", words(&["渋谷"])),
        ("no hit", words(&["zeppelin"])),
        ("no hit, letters all common", words(&["breadthrong"])),
        (
            "common word, from: one of twelve",
            from("member 3", words(&["throng"])),
        ),
        ("from: one of twelve", from("member 3", words(&[]))),
        ("from: nobody", from("nobody", words(&["throng"]))),
    ] {
        let (mut times, mut hits) = (Vec::new(), 0);
        for _ in 0..GOES {
            let began = Instant::now();
            hits = store.search(order.clone()).await?.0.len();
            times.push(began.elapsed());
        }
        say(&format!("search, {what}: {:.1?}, {hits} hits", median(times)))?;
    }
    store.close().await;
    Ok(())
}
