//! Who may do what: the table in words.

use egui::{Align, Grid, Label, Layout, RichText, Ui, WidgetInfo, vec2};
use lucide_icons::Icon;

use crate::model::{Chat, ChatKind, Deed, RIGHTS, Role, Rule};
use crate::ui::action::Action;
use crate::ui::theme;
use crate::ui::widgets::{dialog_buttons, hint_ui, secondary_button};

/// The roles in the order of the columns of [`RIGHTS`].
const ROLES: [Role; 4] = [Role::Observer, Role::Member, Role::Moderator, Role::Founder];

/// Width of a role's column in points: what the longest of their names takes.
const COLUMN_WIDTH: f32 = 64.0;

/// Who may do what.
#[derive(Debug)]
pub struct RightsDialog {
    /// What the reader is in the chat that they came from, to stand out.
    own: Option<Role>,
    is_public: bool,
}

impl RightsDialog {
    /// As it is in this chat, or everywhere.
    pub fn new(chat: Option<&Chat>) -> Self {
        Self {
            own: chat.map(|chat| chat.role),
            is_public: chat.is_none_or(|chat| chat.kind == ChatKind::Public),
        }
    }

    pub(super) fn ui(&self, ui: &mut Ui) -> Vec<Action> {
        let mut actions = Vec::new();
        let deed_width = (ui.available_width() - 4.0 * COLUMN_WIDTH).max(80.0);
        Grid::new("rights")
            .striped(true)
            .spacing(vec2(0.0, 6.0))
            .min_col_width(0.0)
            .show(ui, |ui| {
                cell(ui, deed_width, |_| {});
                for role in ROLES {
                    cell(ui, COLUMN_WIDTH, |ui| self.heading_ui(ui, role));
                }
                ui.end_row();
                for (deed, rules) in RIGHTS {
                    ui.allocate_ui_with_layout(vec2(deed_width, 20.0), Layout::top_down(Align::Min), |ui| {
                        ui.set_width(deed_width);
                        ui.add(Label::new(upper_first(phrase(deed))).wrap());
                    });
                    for (role, rule) in ROLES.into_iter().zip(rules) {
                        cell(ui, COLUMN_WIDTH, |ui| rule_ui(ui, deed, role, rule));
                    }
                    ui.end_row();
                }
            });
        ui.add_space(4.0);
        for rule in [Rule::Unlocked, Rule::Below, Rule::UpToOwn] {
            if let Some((mark, words)) = condition(rule) {
                hint_ui(ui, format!("{mark}  {words}"));
            }
        }
        if self.is_public {
            hint_ui(
                ui,
                "In a public chat everybody who is in it can hand on the chat's link.",
            );
        }
        hint_ui(
            ui,
            "Every member's program goes by this table: what somebody does without the right to it has no effect.",
        );
        dialog_buttons(ui, |ui| {
            if secondary_button(ui, "Done", true).clicked() {
                actions.push(Action::CloseDialog);
            }
        });
        actions
    }

    fn heading_ui(&self, ui: &mut Ui, role: Role) {
        let tokens = theme::tokens(ui);
        let own = self.own == Some(role);
        let color = if own { tokens.accent } else { tokens.weak };
        let text = RichText::new(role.name()).font(theme::meta_strong()).color(color);
        let label = ui.label(text);
        if own {
            label.on_hover_text("What you are in this chat");
        }
    }
}

/// A cell of this width, with what stands in its middle.
fn cell(ui: &mut Ui, width: f32, contents: impl FnOnce(&mut Ui)) {
    ui.allocate_ui_with_layout(vec2(width, 20.0), Layout::top_down(Align::Center), |ui| {
        ui.set_width(width);
        contents(ui);
    });
}

fn rule_ui(ui: &mut Ui, deed: Deed, role: Role, rule: Rule) {
    let tokens = theme::tokens(ui);
    let (glyph, color) = match rule {
        Rule::No => (Icon::Minus, tokens.weak),
        Rule::Yes | Rule::Unlocked | Rule::Below | Rule::UpToOwn => (Icon::Check, tokens.green),
    };
    let mut text = egui::text::LayoutJob::default();
    text.append(
        &glyph.unicode().to_string(),
        0.0,
        egui::TextFormat::simple(theme::icon_font(14.0), color),
    );
    let condition = condition(rule);
    if let Some((mark, _)) = condition {
        text.append(mark, 1.0, egui::TextFormat::simple(theme::meta(), color));
    }
    let answer = match (rule, condition) {
        (Rule::No, _) => "no".to_owned(),
        (_, None) => "yes".to_owned(),
        (_, Some((_, words))) => format!("yes, {words}"),
    };
    let label = ui.add(Label::new(text).selectable(false));
    let name = format!("{}: {}: {answer}", upper_first(phrase(deed)), role.name());
    label.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, &name));
}

/// On what a rule depends: the mark in the table, and what it stands for.
fn condition(rule: Rule) -> Option<(&'static str, &'static str)> {
    match rule {
        Rule::Yes | Rule::No => None,
        Rule::Unlocked => Some(("1", "unless the topic is locked")),
        Rule::Below => Some(("2", "to those of a lower role")),
        Rule::UpToOwn => Some(("3", "if it was done by the same role or a lower one")),
    }
}

/// A deed as it stands after "may".
fn phrase(deed: Deed) -> &'static str {
    match deed {
        Deed::Read => "read",
        Deed::Speak => "write",
        Deed::SetTopic => "set the topic",
        Deed::LockTopic => "lock the topic",
        Deed::Invite => "make invites",
        Deed::CloseInvite => "see and close invites",
        Deed::Confirm => "confirm who came by an invite",
        Deed::SetDoor => "set the door",
        Deed::SetRole => "let somebody write, or only read",
        Deed::Promote => "make a member a moderator",
        Deed::Demote => "make a moderator a member",
        Deed::Ban => "ban somebody",
        Deed::Lift => "lift a ban",
        Deed::Checkpoint => "vouch for all that was done",
    }
}

fn upper_first(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}
