//! Scrolls from the newest to the oldest message of a history without a window, and prints time per frame, loaded rows, and
//! memory. It fails if memory grows by more than [`MOST_GROWTH`]. With debug assertions it does, since egui then keeps the
//! source of each of its ids for ever. `cargo run --release --example scroll_history 1000000`

use std::collections::BTreeSet;
use std::error::Error;
use std::time::{Duration, Instant};

use egui::{Context, Event, RawInput, Rect, pos2, vec2};
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use throng::id::{ChatId, MemberId, MessageId};
use throng::model::{Message, MessageBody, Page, Theme, Timeline};
use throng::ui::theme;
use throng::ui::timeline::{TimelineAction, TimelineOptions, TimelineView, timeline_ui};

/// Messages in a page, as the window asks for them.
const PAGE_LEN: u32 = 200;

/// How far each frame scrolls, in points: several screens, as when somebody drags the scroll bar.
const STEP: f32 = 4_000.0;

/// By how much memory may grow after the first frames, in KiB. A guess: some times what 4,096 rows add.
const MOST_GROWTH: u64 = 16 * 1_024;

#[allow(clippy::print_stdout, reason = "it prints what it measured")]
fn main() -> Result<(), Box<dyn Error>> {
    let count: u32 = std::env::args()
        .nth(1)
        .ok_or("usage: scroll_history MESSAGES")?
        .parse()?;
    let ctx = Context::default();
    theme::install(&ctx, Theme::Dark, 100);
    let (mut view, mut timeline) = (TimelineView::new(), Timeline::new(TimeZone::UTC));
    answer(&mut timeline, Page::Newest, count);
    let (mut frames, mut most_rows, mut most_memory) = (Vec::new(), 0, 0);
    let mut memory_before = 0;
    let started = Instant::now();
    loop {
        let began = Instant::now();
        let asked = frame(&ctx, &mut view, &timeline, frames.len());
        frames.push(began.elapsed());
        for page in asked {
            answer(&mut timeline, page, count);
        }
        most_rows = most_rows.max(timeline.len());
        if frames.len() == 10 {
            memory_before = memory()?;
        }
        if frames.len() % 64 == 0 {
            most_memory = most_memory.max(memory()?);
        }
        let at_start = timeline.first_message() == Some(id(0));
        if at_start && !timeline.more_before() && frames.len() % 64 == 0 {
            break;
        }
    }
    let took = started.elapsed();
    frames.sort_unstable();
    let at = |part: usize| frames[(frames.len() - 1) * part / 100];
    println!(
        "{count} messages in {} frames, {:.1} s",
        frames.len(),
        took.as_secs_f64()
    );
    println!(
        "frame: median {}, 99 of 100 within {}",
        micros(at(50)),
        micros(at(99))
    );
    println!("rows held at most: {most_rows}");
    println!("memory: {memory_before} KiB after 10 frames, {most_memory} KiB at most");
    if most_memory > memory_before + MOST_GROWTH {
        return Err(
            "memory grows with the history (with debug assertions it does: build with --release)".into(),
        );
    }
    Ok(())
}

fn micros(time: Duration) -> String {
    format!("{} µs", time.as_micros())
}

/// Paints a frame that scrolls up, and returns what the timeline asked for.
fn frame(ctx: &Context, view: &mut TimelineView, timeline: &Timeline, number: usize) -> Vec<Page> {
    let wheel = Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: vec2(0.0, STEP),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Wheel,
        modifiers: egui::Modifiers::NONE,
    };
    let input = RawInput {
        screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), vec2(900.0, 800.0))),
        time: Some(number as f64 / 60.0),
        events: vec![Event::PointerMoved(pos2(400.0, 400.0)), wheel],
        ..RawInput::default()
    };
    let mut asked = Vec::new();
    let mut output = ctx.run_ui(input, |ui| {
        let options = TimelineOptions {
            compact: false,
            today: civil::date(2026, 11, 22),
            shared_nicks: &BTreeSet::new(),
            keys: true,
            empty_hint: "",
            beginning: "",
            fetching: false,
            may_ban: false,
        };
        let actions = timeline_ui(ui, view, timeline, &options);
        asked.extend(actions.into_iter().filter_map(|action| match action {
            TimelineAction::Load(page) => Some(page),
            _ => None,
        }));
    });
    // There is no graphics card to pass them to.
    output.textures_delta.clear();
    ctx.tessellate(output.shapes, output.pixels_per_point);
    asked
}

/// The answer of the store.
fn answer(timeline: &mut Timeline, page: Page, count: u32) {
    let number = |id: MessageId| u32::from_be_bytes([id.0[0], id.0[1], id.0[2], id.0[3]]);
    let (from, to) = match page {
        Page::Before(id) => (number(id).saturating_sub(PAGE_LEN), number(id)),
        Page::After(id) => (number(id) + 1, number(id) + 1 + PAGE_LEN),
        _ => (count.saturating_sub(PAGE_LEN), count),
    };
    let to = to.min(count);
    let messages: Vec<Message> = (from..to).map(message).collect();
    timeline.load(page, &messages, from > 0, to < count);
}

fn id(number: u32) -> MessageId {
    let mut id = [0; 32];
    id[..4].copy_from_slice(&number.to_be_bytes());
    MessageId(id)
}

/// The messages, one every 20 s.
fn message(number: u32) -> Message {
    let author = u8::try_from(number / 3 % 5).unwrap_or_default();
    Message {
        chat: ChatId([1; 32]),
        member: MemberId([author.wrapping_mul(83); 32]),
        nick: format!("member {author}"),
        id: id(number),
        number,
        at: Timestamp::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + 20 * u64::from(number)),
        body: MessageBody::Message,
        text: "some words ".repeat(number as usize % 29 + 1),
        own: author == 0,
        history: false,
        delivery: None,
        place: 0,
    }
}

/// Resident memory in KiB.
fn memory() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let words = line.ok_or("no VmRSS")?;
    Ok(words.trim().trim_end_matches("kB").trim().parse()?)
}
