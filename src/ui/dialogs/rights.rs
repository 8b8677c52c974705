//! Who may do what: the table in words.

use egui::{Align2, Color32, CornerRadius, Label, Rect, RichText, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::model::{Chat, ChatKind, Deed, RIGHTS, Role, Rule};
use crate::ui::action::Action;
use crate::ui::icons::Icon;
use crate::ui::theme;
use crate::ui::widgets::{above_buttons, dialog_buttons, hint_ui, secondary_button};

/// The roles in the order of the columns of [`RIGHTS`].
const ROLES: [Role; 4] = [Role::Observer, Role::Member, Role::Moderator, Role::Founder];

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
        above_buttons(ui, |ui| {
            self.table_ui(ui);
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
        });
        dialog_buttons(ui, |ui| {
            if secondary_button(ui, "Done", true).clicked() {
                actions.push(Action::CloseDialog);
            }
        });
        actions
    }

    fn table_ui(&self, ui: &mut Ui) {
        ui.spacing_mut().item_spacing.y = 0.0;
        let tokens = theme::tokens(ui);
        let columns = Columns::new(ui);
        let head = columns.row(ui, 24.0, None);
        for (role, cell) in ROLES.into_iter().zip(columns.cells(head)) {
            let own = self.own == Some(role);
            let color = if own { tokens.accent } else { tokens.weak };
            let text = RichText::new(role.name()).font(theme::meta_strong()).color(color);
            let label = ui.put(cell, Label::new(text).extend());
            if own {
                label.on_hover_text("What you are in this chat");
            }
        }
        for (index, (deed, rules)) in RIGHTS.into_iter().enumerate() {
            let words = upper_first(phrase(deed));
            let words = ui
                .painter()
                .layout(words, theme::body(), tokens.text, columns.deed - 12.0);
            let stripe = (index % 2 == 0).then_some(tokens.hover);
            let row = columns.row(ui, words.size().y + 6.0, stripe);
            let at = pos2(row.left() + 6.0, row.center().y - words.size().y / 2.0);
            let place = Rect::from_min_size(at, words.size());
            ui.put(place, Label::new(words));
            for ((role, rule), cell) in ROLES.into_iter().zip(rules).zip(columns.cells(row)) {
                rule_ui(ui, cell, deed, role, rule);
            }
        }
        ui.add_space(8.0);
        ui.spacing_mut().item_spacing.y = 4.0;
    }
}

/// The widths of the table's columns, in points.
struct Columns {
    deed: f32,
    roles: [f32; 4],
}

impl Columns {
    /// Those of the roles as wide as their names; the deeds take the rest.
    fn new(ui: &Ui) -> Self {
        let width = ui.available_width();
        let gap = if width < 440.0 { 6.0 } else { 18.0 };
        let roles = ROLES.map(|role| {
            let name = role.name().to_owned();
            let name = ui
                .painter()
                .layout_no_wrap(name, theme::meta_strong(), Color32::PLACEHOLDER);
            name.size().x + gap
        });
        Self {
            deed: (width - roles.iter().sum::<f32>()).max(80.0),
            roles,
        }
    }

    fn row(&self, ui: &mut Ui, height: f32, fill: Option<Color32>) -> Rect {
        let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
        if let Some(fill) = fill {
            ui.painter().rect_filled(row, CornerRadius::same(4), fill);
        }
        row
    }

    /// The cells of the roles in a row.
    fn cells(&self, row: Rect) -> [Rect; 4] {
        let mut left = row.left() + self.deed;
        self.roles.map(|width| {
            let cell = Rect::from_min_size(pos2(left, row.top()), vec2(width, row.height()));
            left += width;
            cell
        })
    }
}

fn rule_ui(ui: &mut Ui, cell: Rect, deed: Deed, role: Role, rule: Rule) {
    let tokens = theme::tokens(ui);
    let (glyph, color) = match rule {
        Rule::No => (Icon::Minus, tokens.weak),
        Rule::Yes | Rule::Unlocked | Rule::Below | Rule::UpToOwn => (Icon::Check, tokens.green),
    };
    let response = ui.allocate_rect(cell, Sense::hover());
    let painter = ui.painter();
    painter.text(
        cell.center(),
        Align2::CENTER_CENTER,
        glyph.unicode(),
        theme::icon_font(14.0),
        color,
    );
    let condition = condition(rule);
    if let Some((mark, _)) = condition {
        let at = cell.center() + vec2(9.0, -1.0);
        painter.text(at, Align2::LEFT_CENTER, mark, theme::meta(), color);
    }
    let answer = match (rule, condition) {
        (Rule::No, _) => "no".to_owned(),
        (_, None) => "yes".to_owned(),
        (_, Some((_, words))) => format!("yes, {words}"),
    };
    let name = format!("{}: {}: {answer}", upper_first(phrase(deed)), role.name());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, &name));
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
        Deed::SetHistoryRule => "set what newcomers see",
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
