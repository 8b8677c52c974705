//! Joining a chat that does not let us in at once: the work that its door asks for, or a refusal, each with a next step.

use egui::{Align, CornerRadius, Frame, Layout, Margin, ProgressBar, RichText, Ui, WidgetInfo};
use jiff::Timestamp;

use super::action::Action;
use super::commands::UiCommand;
use super::icons::Icon;
use super::theme;
use super::time_words::span_words;
use super::widgets::{hint_ui, paragraph_ui, secondary_button};
use crate::model::{Chat, Code, Hurdle, Join, Work};

/// Paints what keeps us out of the chat, if anything does.
pub fn joining_ui(ui: &mut Ui, chat: &Chat, hurdle: Hurdle, now: Timestamp) -> Vec<Action> {
    let tokens = theme::tokens(ui);
    let frame = Frame::new()
        .fill(tokens.panel)
        .corner_radius(CornerRadius::same(8))
        .inner_margin(Margin::symmetric(16, 12))
        .outer_margin(Margin {
            left: 16,
            right: 16,
            top: 8,
            bottom: 0,
        });
    let contents = |ui: &mut Ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 6.0;
        match hurdle {
            Hurdle::Work(work) => work_ui(ui, chat, &work, now),
            Hurdle::Refused(code) => refused_ui(ui, chat, code),
        }
    };
    frame.show(ui, contents).inner
}

fn work_ui(ui: &mut Ui, chat: &Chat, work: &Work, now: Timestamp) -> Vec<Action> {
    let mut actions = Vec::new();
    let tokens = theme::tokens(ui);
    heading_ui(ui, Icon::Pickaxe, tokens.amber, "Working to come in");
    paragraph_ui(
        ui,
        "This chat asks newcomers for some work by their computer, so that nobody can come in a thousand times. \
         You come in as soon as it is done.",
    );
    ui.add_space(2.0);
    let likelihood = work.likelihood();
    let bar = ui.add(
        ProgressBar::new(likelihood)
            .desired_height(8.0)
            .corner_radius(CornerRadius::same(4))
            .fill(tokens.accent_fill),
    );
    let words = work_words(work, now);
    bar.widget_info(|| {
        let mut info = WidgetInfo::labeled(egui::Role::ProgressIndicator, true, format!("Work: {words}"));
        info.value = Some(f64::from(likelihood));
        info
    });
    hint_ui(ui, words);
    ui.add_space(2.0);
    if secondary_button(ui, "Cancel and leave the chat", true).clicked() {
        actions.push(Action::Leave(chat.id));
    }
    actions
}

/// The progress of the work, as far as it has any: every try can be the last, and none has to be.
fn work_words(work: &Work, now: Timestamp) -> String {
    let so_far = span_words(work.so_far(now));
    match work.average(now) {
        Some(average) => format!(
            "{so_far} so far. On this computer it takes about {} on average, at times several times as long.",
            span_words(average)
        ),
        None => "Just begun. How long it takes is a matter of luck.".to_owned(),
    }
}

fn refused_ui(ui: &mut Ui, chat: &Chat, code: Code) -> Vec<Action> {
    let mut actions = Vec::new();
    let tokens = theme::tokens(ui);
    heading_ui(ui, Icon::DoorClosed, tokens.red, refused_title(code));
    if let Join::Failed(sentence) = &chat.join {
        paragraph_ui(ui, sentence);
    }
    let another = ("Import another invite…", Action::Do(UiCommand::ImportInvite));
    let retry = ("Try again", Action::Retry(chat.id));
    let leave = ("Leave the chat", Action::Leave(chat.id));
    let steps = match code {
        // These don't pass, and another invite may.
        Code::Spent | Code::Expired | Code::WrongChat | Code::Stranger | Code::Damaged => {
            vec![another, leave]
        }
        Code::Closed => vec![retry, another, leave],
        Code::Banned => vec![retry, leave],
        _ => vec![retry, leave],
    };
    // Side by side if there is room.
    let layout = if ui.available_width() < 440.0 {
        Layout::top_down(Align::Min)
    } else {
        Layout::left_to_right(Align::Min)
    };
    ui.add_space(2.0);
    ui.with_layout(layout, |ui| {
        for (name, step) in steps {
            if secondary_button(ui, name, true).clicked() {
                actions.push(step);
            }
        }
    });
    actions
}

fn refused_title(code: Code) -> &'static str {
    match code {
        Code::Closed => "The door is closed",
        Code::Banned => "You are banned from this chat",
        Code::Spent => "This invite is used up",
        Code::Expired => "This invite has expired",
        Code::WrongChat | Code::Stranger => "This invite is not accepted",
        Code::Damaged => "This invite is damaged",
        Code::Busy => "The chat is busy",
        _ => "You were not let in",
    }
}

fn heading_ui(ui: &mut Ui, icon: Icon, color: egui::Color32, text: &str) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        ui.label(
            RichText::new(icon.unicode())
                .font(theme::icon_font(16.0))
                .color(color),
        );
        ui.label(RichText::new(text).font(theme::nick()));
    });
}
