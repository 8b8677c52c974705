//! A chat as the tests have it: a timeline and a composer in a harness.

use std::collections::BTreeSet;

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use throng::id::{ChatId, MemberId, MessageId};
use throng::model::{self, Delivery, DeliveryState, Message, MessageBody, Page, Timeline};
use throng::ui::composer::{Composer, ComposerAction, ComposerContext, Submission, composer_ui};
use throng::ui::theme;
use throng::ui::timeline::{TimelineAction, TimelineOptions, TimelineView, timeline_ui};

/// 22 November 2026, 14:00 UTC.
pub(crate) const NOW: i64 = 1_795_356_000;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOW + seconds).expect("a time in range")
}

pub(crate) fn member(number: u8) -> MemberId {
    let mut key = [0; 32];
    for (at, byte) in (0u8..).zip(&mut key) {
        *byte = number
            .wrapping_mul(97)
            .wrapping_add(at.wrapping_mul(31))
            .wrapping_add(number.rotate_left(3));
    }
    MemberId(key)
}

pub(crate) fn id(number: u32) -> MessageId {
    let mut id = [0; 32];
    id[..4].copy_from_slice(&number.to_be_bytes());
    MessageId(id)
}

/// `author` 0 is the reader.
pub(crate) fn message(number: u32, author: u8, nick: &str, seconds: i64, text: &str) -> Message {
    Message {
        chat: ChatId([1; 32]),
        member: member(author),
        nick: nick.to_owned(),
        id: id(number),
        number,
        at: at(seconds),
        body: MessageBody::Message,
        text: text.to_owned(),
        own: author == 0,
        history: false,
        delivery: (author == 0).then_some(DeliveryState::Waiting),
        place: 0,
    }
}

pub(crate) fn delivery(state: DeliveryState, reached: u32, of: u32) -> Delivery {
    Delivery { state, reached, of }
}

/// A stored message: one a minute.
pub(crate) fn archived(number: u32) -> Message {
    let author = u8::try_from(number / 3 % 4 + 1).expect("small");
    let text = "words ".repeat(usize::try_from(number % 37 + 1).expect("small"));
    let nick = ["alice", "bob", "carol", "dave"][usize::from(author - 1)];
    let seconds = i64::from(number) * 60 - 70_000_000;
    message(
        number,
        author,
        nick,
        seconds,
        &format!("message {number}: {text}"),
    )
}

/// A timeline and a composer, as a chat has them.
pub(crate) struct Chat {
    pub(crate) timeline: Timeline,
    pub(crate) view: TimelineView,
    pub(crate) composer: Composer,
    pub(crate) compact: bool,
    pub(crate) actions: Vec<TimelineAction>,
    pub(crate) composed: Vec<ComposerAction>,
    pub(crate) with_composer: bool,
    pub(crate) fetching: bool,
    /// How many messages are stored, of which the timeline holds a stretch.
    pub(crate) archive: Option<u32>,
    /// What was asked for in the last frame.
    asked: Vec<Page>,
}

impl Chat {
    pub(crate) fn new() -> Self {
        let mut timeline = Timeline::new(TimeZone::UTC);
        timeline.set_own_nick("robin");
        Self {
            timeline,
            view: TimelineView::new(),
            composer: Composer::default(),
            compact: false,
            actions: Vec::new(),
            composed: Vec::new(),
            with_composer: true,
            fetching: false,
            archive: None,
            asked: Vec::new(),
        }
    }

    /// Over a store of so many messages, of which the newest are loaded.
    pub(crate) fn over_archive(count: u32) -> Self {
        let mut chat = Self::new();
        chat.archive = Some(count);
        chat.with_composer = false;
        chat.answer(Page::Newest);
        chat
    }

    /// What the store answers.
    fn answer(&mut self, page: Page) {
        const LIMIT: u32 = 200;
        let count = self.archive.expect("over an archive");
        let number = |id: MessageId| u32::from_be_bytes(id.0[..4].try_into().expect("4 bytes"));
        let around = |number: u32| (number.saturating_sub(LIMIT / 2), number + LIMIT / 2);
        let (from, to) = match page {
            Page::Newest => (count.saturating_sub(LIMIT), count),
            Page::Before(id) => (number(id).saturating_sub(LIMIT), number(id)),
            Page::After(id) => (number(id) + 1, number(id) + 1 + LIMIT),
            Page::Around(id) => around(number(id)),
            Page::At(time) => {
                let minutes = time.duration_since(archived(0).at).as_secs() / 60;
                around(u32::try_from(minutes.max(0)).expect("in range"))
            }
        };
        let to = to.min(count);
        let messages: Vec<_> = (from..to).map(archived).collect();
        self.timeline.load(page, &messages, from > 0, to < count);
    }

    pub(crate) fn ui(&mut self, ui: &mut egui::Ui) {
        for page in std::mem::take(&mut self.asked) {
            self.answer(page);
        }
        // The harness leaves a margin.
        let around = ui.ctx().layer_painter(egui::LayerId::background());
        around.rect_filled(ui.ctx().content_rect(), 0.0, theme::tokens(ui).base);
        if self.with_composer {
            let nicks = ["alice".to_owned(), "Albert".to_owned(), "bob".to_owned()];
            let context = ComposerContext {
                banned_nicks: &[],
                nicks: &nicks,
                enabled: true,
                placeholder: "Message Garden friends",
                limit_bytes: 800,
            };
            let frame = egui::Frame::new().fill(theme::tokens(ui).base);
            egui::Panel::bottom("composer")
                .frame(frame)
                .show_separator_line(false)
                .show(ui, |ui| {
                    self.composed
                        .extend(composer_ui(ui, &mut self.composer, &context));
                });
        }
        let options = TimelineOptions {
            compact: self.compact,
            today: civil::date(2026, 11, 22),
            shared_nicks: &BTreeSet::new(),
            keys: true,
            empty_hint: "Nothing was said here yet. Say hello, or invite somebody.",
            beginning: "This is where the chat begins",
            fetching: self.fetching,
            may_ban: true,
        };
        let actions = timeline_ui(ui, &mut self.view, &self.timeline, &options);
        if self.archive.is_some() {
            self.asked
                .extend(actions.iter().filter_map(|action| match action {
                    TimelineAction::Load(page) => Some(*page),
                    _ => None,
                }));
            if !self.asked.is_empty() {
                ui.ctx().request_repaint();
            }
        }
        self.actions.extend(actions);
    }

    /// A conversation with everything in it.
    pub(crate) fn talk(mut self) -> Self {
        let timeline = &mut self.timeline;
        let day = 86_400;
        timeline.insert(message(
            1,
            1,
            "alice",
            -day - 4_000,
            "Morning! Did anyone water the tomatoes?",
        ));
        timeline.insert(message(
            2,
            2,
            "bob",
            -day - 3_900,
            "I did, and the beans. The hose is leaking again though.",
        ));
        timeline.insert(message(
            3,
            2,
            "bob",
            -day - 3_880,
            "Photo: https://example.org/garden/hose.jpg",
        ));
        timeline.insert_notice(at(-3_600), "carol joined".to_owned());
        timeline.insert(message(
            4,
            3,
            "carol",
            -3_500,
            "Hello everyone! Thanks for the invite 🌱",
        ));
        timeline.insert(message(
            5,
            1,
            "alice",
            -3_400,
            "Welcome! We meet on Saturdays at ten by the green gate. Bring gloves and something to drink; there is a \
             kettle in the shed, but last week somebody took the cups home to wash them and they have not been seen \
             since, so perhaps a cup as well.",
        ));
        timeline.insert(message(
            6,
            1,
            "alice",
            -3_390,
            "robin: could you bring the spare key?",
        ));
        let mut act = message(7, 2, "bob", -3_300, "hides the cups");
        act.body = MessageBody::Action;
        timeline.insert(act);
        timeline.insert(message(8, 0, "robin", -3_200, "Sure, I'll have it with me."));
        timeline.set_delivery(id(8), delivery(DeliveryState::Sent, 3, 5));
        timeline.insert(message(9, 0, "robin", -3_190, "And cups."));
        timeline.set_delivery(id(9), delivery(DeliveryState::Sent, 1, 5));
        timeline.insert(message(
            10,
            4,
            "alice",
            -600,
            "I am alice too, honest. Click throng:AAECAwQFBgcICQ",
        ));
        timeline.insert(message(
            11,
            3,
            "carol",
            -500,
            "Two alices?\nLooks like the pictures differ.",
        ));
        timeline.insert(message(12, 0, "robin", -90, "Trust the picture, not the name."));
        timeline.insert(message(13, 0, "robin", -30, "See you on Saturday!"));
        timeline.set_delivery(id(13), delivery(DeliveryState::Failed, 0, 0));
        timeline.set_read_mark(Some(id(9)));
        self
    }

    pub(crate) fn many(mut self, count: u32) -> Self {
        for number in 0..count {
            let author = u8::try_from(number / 3 % 4 + 1).expect("small");
            let text = "words ".repeat(usize::try_from(number % 37 + 1).expect("small"));
            let text = format!("message {number}: {text}");
            let nick = ["alice", "bob", "carol", "dave"][usize::from(author - 1)];
            self.timeline.insert(message(
                number + 1_000,
                author,
                nick,
                i64::from(number) * 60 - 90_000,
                &text,
            ));
        }
        self
    }
}

pub(crate) fn builder<State>(size: [f32; 2], theme: egui::Theme) -> egui_kittest::HarnessBuilder<State> {
    Harness::<State>::builder()
        .with_size(size)
        .with_theme(theme)
        .with_context_setup(|ctx| theme::install(ctx, model::Theme::System, 100))
}

pub(crate) fn harness(size: [f32; 2], chat: Chat) -> Harness<'static, Chat> {
    builder(size, egui::Theme::Dark).build_ui_state(|ui, chat: &mut Chat| chat.ui(ui), chat)
}

/// Where a row stands on the screen, by what its name contains.
pub(crate) fn top_of(harness: &Harness<'_, Chat>, words: &str) -> f32 {
    harness.get_by_label_contains(words).rect().top()
}

/// The names of the rows in sight, from top to bottom.
pub(crate) fn rows_in_sight(harness: &Harness<'_, Chat>) -> Vec<String> {
    let rows = harness.query_all_by_role(egui::accesskit::Role::ListItem);
    rows.filter_map(|row| row.accesskit_node().label()).collect()
}

pub(crate) fn submitted(harness: &mut Harness<'_, Chat>) -> Vec<Submission> {
    let composed = std::mem::take(&mut harness.state_mut().composed);
    let submissions = composed.into_iter().filter_map(|action| match action {
        ComposerAction::Submit(submission) => Some(submission),
        ComposerAction::DraftChanged(_) => None,
    });
    submissions.collect()
}

pub(crate) fn type_into(harness: &mut Harness<'_, Chat>, text: &str) {
    harness.get_by_label("Message").focus();
    harness.run();
    harness.get_by_label("Message").type_text(text);
    harness.run();
}

pub(crate) fn press(harness: &mut Harness<'_, Chat>, modifiers: Modifiers, key: Key) {
    harness.key_press_modifiers(modifiers, key);
    harness.run();
}
