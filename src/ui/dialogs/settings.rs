//! The settings. Every change takes effect at once and is kept.

use egui::{DragValue, Layout, RichText, Ui};

use crate::model::{MAX_NICK_LEN, Settings, Theme};
use crate::ui::action::Action;
use crate::ui::theme;
use crate::ui::widgets::{choice_style, field_ui, hint_ui};

/// Zoom in percent, as far as it can be set.
pub const ZOOM_PERCENT: std::ops::RangeInclusive<u16> = 50..=300;

/// Paints the settings.
pub(super) fn settings_ui(ui: &mut Ui, settings: &Settings) -> Vec<Action> {
    choice_style(ui);
    let mut new = settings.clone();
    field_ui(ui, "Nick for new chats", "Your nick", &mut new.nick);
    if new.nick.len() > MAX_NICK_LEN {
        new.nick.clone_from(&settings.nick);
    }
    row_ui(ui, "Theme", |ui| {
        for (theme, name) in [
            (Theme::Dark, "Dark"),
            (Theme::Light, "Light"),
            (Theme::System, "System"),
        ] {
            ui.selectable_value(&mut new.theme, theme, name);
        }
    });
    row_ui(ui, "Zoom", |ui| {
        let zoom = DragValue::new(&mut new.zoom_percent)
            .range(ZOOM_PERCENT)
            .suffix(" %")
            .speed(1.0);
        // Takes effect when it is let go: a window that grows under the pointer can't be dragged.
        ui.name_inputs("Zoom", |ui| ui.add(zoom.update_while_editing(false)));
    });
    row_ui(ui, "Compact rows", |ui| {
        ui.name_inputs("Compact rows", |ui| ui.checkbox(&mut new.compact, ""));
    });
    row_ui(ui, "Show the members", |ui| {
        ui.name_inputs("Show the members", |ui| ui.checkbox(&mut new.members_shown, ""));
    });
    row_ui(ui, "Away after", |ui| {
        let minutes = DragValue::new(&mut new.away_after_minutes)
            .range(0..=240)
            .suffix(" min");
        ui.name_inputs("Minutes until away", |ui| ui.add(minutes));
    });
    hint_ui(
        ui,
        "Without any key or click for so long, others see you as away. 0: never.",
    );
    if new == *settings {
        Vec::new()
    } else {
        vec![Action::Set(new)]
    }
}

fn row_ui(ui: &mut Ui, name: &str, control: impl FnOnce(&mut Ui)) {
    ui.horizontal(|ui| {
        ui.set_min_height(32.0);
        ui.label(RichText::new(name).font(theme::body()));
        ui.with_layout(Layout::right_to_left(egui::Align::Center), control);
    });
}
