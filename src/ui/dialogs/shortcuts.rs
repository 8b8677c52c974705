//! The list of shortcuts and of what can be typed, straight from the tables of commands.

use egui::{Grid, RichText, Ui};

use crate::ui::action::Action;
use crate::ui::commands::{Group, TABLE, UiCommand};
use crate::ui::composer::COMMANDS;
use crate::ui::theme;

/// What the fingers do that is not a command of the window.
const COMPOSING: [(&str, &str); 5] = [
    ("Send", "Enter"),
    ("Begin a new line", "Shift+Enter"),
    ("What you wrote before", "Up, Down"),
    ("Complete a nick, command or emoji", "Tab"),
    ("Select all messages", "Ctrl+A"),
];

/// Paints the list.
pub(super) fn shortcuts_ui(ui: &mut Ui) -> Vec<Action> {
    ui.spacing_mut().interact_size.y = 20.0;
    for group in Group::ALL {
        group_ui(ui, group.name(), |ui| {
            for entry in TABLE
                .iter()
                .filter(|entry| entry.group == group && !entry.shortcuts.is_empty())
            {
                match entry.command {
                    UiCommand::SelectTab(1) => row_ui(ui, "Chat 1 to 9", "Alt+1 … Alt+9, Ctrl+1 … Ctrl+9"),
                    UiCommand::SelectTab(_) => {}
                    _ => row_ui(
                        ui,
                        entry.name.trim_end_matches('…'),
                        &entry.keys().collect::<Vec<_>>().join(", "),
                    ),
                }
            }
        });
    }
    group_ui(ui, "Writing", |ui| {
        COMPOSING.iter().for_each(|(name, keys)| row_ui(ui, name, keys));
    });
    group_ui(ui, "Commands", |ui| {
        for command in &COMMANDS {
            let typed = format!("/{} {}", command.name, command.arguments);
            row_ui(ui, typed.trim_end(), command.purpose);
        }
    });
    let rights = ui.link(UiCommand::ShowRights.entry().name).clicked();
    let show_rights = Action::Do(UiCommand::ShowRights);
    rights.then_some(show_rights).into_iter().collect()
}

fn group_ui(ui: &mut Ui, name: &str, rows: impl FnOnce(&mut Ui)) {
    ui.label(RichText::new(name).font(theme::nick()));
    Grid::new(name)
        .num_columns(2)
        .spacing([24.0, 6.0])
        .min_col_width(220.0)
        .min_row_height(20.0)
        .show(ui, rows);
    ui.add_space(8.0);
}

fn row_ui(ui: &mut Ui, name: &str, keys: &str) {
    let weak = theme::tokens(ui).weak;
    ui.label(name);
    ui.label(RichText::new(keys).font(theme::meta()).color(weak));
    ui.end_row();
}
