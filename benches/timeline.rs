//! Processor time of a frame of the timeline over a history of 100 messages and of 1,000,000: at rest, scrolling, and as
//! a message comes. The aim is that the second takes at most 1.5 times as long as the first. `cargo bench --bench timeline`

use std::collections::BTreeSet;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use egui::{Context, Event, RawInput, Rect, pos2, vec2};
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use throng::id::{ChatId, MemberId, MessageId};
use throng::model::{MAX_ROWS, Message, MessageBody, Page, Theme, Timeline};
use throng::ui::theme;
use throng::ui::timeline::{TimelineOptions, TimelineView, timeline_ui};

/// A window with its timeline, without the window.
struct Bench {
    ctx: Context,
    view: TimelineView,
    timeline: Timeline,
    said: u32,
    seconds: f64,
}

impl Bench {
    /// At the end of a history of `count` messages, with as many rows loaded as there ever are.
    fn new(count: u32) -> Self {
        let ctx = Context::default();
        theme::install(&ctx, Theme::Dark, 100);
        let mut bench = Self {
            ctx,
            view: TimelineView::new(),
            timeline: Timeline::new(TimeZone::UTC),
            said: 0,
            seconds: 0.0,
        };
        let held = count.min(u32::try_from(MAX_ROWS).expect("fits"));
        let messages: Vec<Message> = (count - held..count).map(message).collect();
        bench.timeline.load(Page::Newest, &messages, count > held, false);
        bench.said = count;
        // Warm up: load the fonts, lay out the rows in sight.
        for _ in 0..3 {
            bench.frame(Vec::new());
        }
        bench
    }

    fn say(&mut self) {
        self.timeline.insert(message(self.said));
        self.said += 1;
    }

    fn frame(&mut self, events: Vec<Event>) {
        self.seconds += 1.0 / 60.0;
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), vec2(900.0, 800.0))),
            time: Some(self.seconds),
            events,
            ..RawInput::default()
        };
        let (view, timeline) = (&mut self.view, &self.timeline);
        let mut output = self.ctx.run_ui(input, |ui| {
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
            black_box(timeline_ui(ui, view, timeline, &options));
        });
        // There is no graphics card to pass them to.
        output.textures_delta.clear();
        black_box(self.ctx.tessellate(output.shapes, output.pixels_per_point));
    }
}

/// The messages, one every 20 s.
fn message(number: u32) -> Message {
    let mut id = [0; 32];
    id[..4].copy_from_slice(&number.to_be_bytes());
    let author = u8::try_from(number / 3 % 5).expect("under 5");
    let words = usize::try_from(number % 29 + 1).expect("small");
    Message {
        chat: ChatId([1; 32]),
        member: MemberId([author.wrapping_mul(83); 32]),
        nick: format!("member {author}"),
        id: MessageId(id),
        number,
        at: Timestamp::from_second(1_700_000_000 + i64::from(number) * 20).expect("a time in range"),
        body: MessageBody::Message,
        text: "some words ".repeat(words),
        own: author == 0,
        history: false,
        delivery: None,
        place: 0,
    }
}

fn frames(criterion: &mut Criterion) {
    for count in [100, 1_000_000] {
        let mut bench = Bench::new(count);
        let rows = bench.timeline.len();
        criterion.bench_function(&format!("at rest, {count} messages"), |run| {
            run.iter(|| bench.frame(Vec::new()));
        });
        // Away from the end, up and down over the same rows.
        let pointer = Event::PointerMoved(pos2(400.0, 400.0));
        let mut down = false;
        criterion.bench_function(&format!("scrolling, {count} messages"), |run| {
            run.iter(|| {
                down = !down;
                let delta = vec2(0.0, if down { -120.0 } else { 120.0 });
                bench.frame(vec![pointer.clone(), wheel(delta)]);
            });
        });
        bench.view.follow();
        criterion.bench_function(&format!("a message comes, {count} messages"), |run| {
            run.iter(|| {
                bench.say();
                // The number of rows must not grow while it is measured.
                if bench.timeline.len() > rows + 256 {
                    bench.timeline.trim(rows);
                }
                bench.frame(Vec::new());
            });
        });
    }
}

fn wheel(delta: egui::Vec2) -> Event {
    Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta,
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Wheel,
        modifiers: egui::Modifiers::NONE,
    }
}

criterion_group!(benches, frames);
criterion_main!(benches);
