//! The dialog that asks to which day of a chat to go: a month to click in, and a field that takes dates.

use egui::{Align, Align2, CornerRadius, Layout, RichText, Sense, Stroke, Ui, WidgetInfo, vec2};
use jiff::{Span, ToSpan, civil};

use crate::id::ChatId;
use crate::ui::action::Action;
use crate::ui::icons::Icon;
use crate::ui::theme::{self, size};
use crate::ui::widgets::{
    dialog_buttons, error_ui, field_ui, focus_ring, icon_button, primary_button, secondary_button,
};

/// Height of a week in points.
const WEEK: f32 = 32.0;

/// The dialog that asks to which day to go.
#[derive(Debug)]
pub struct DayDialog {
    chat: ChatId,
    today: civil::Date,
    /// The day that is chosen.
    day: civil::Date,
    /// The first of the month on show.
    month: civil::Date,
    typed: String,
    is_focused: bool,
}

impl DayDialog {
    /// In this chat, from this day.
    pub fn new(chat: ChatId, day: civil::Date, today: civil::Date) -> Self {
        Self {
            chat,
            today,
            day,
            month: day.first_of_month(),
            typed: day.to_string(),
            is_focused: false,
        }
    }

    pub(super) fn ui(&mut self, ui: &mut Ui) -> Vec<Action> {
        let mut actions = Vec::new();
        let field = field_ui(ui, "Day", "2026-11-20, 20 Nov, yesterday", &mut self.typed);
        if !std::mem::replace(&mut self.is_focused, true) {
            field.request_focus();
        }
        let typed = parse_day(&self.typed, self.today);
        if let (true, Some(day)) = (field.changed(), typed) {
            (self.day, self.month) = (day, day.first_of_month());
        }
        ui.add_space(4.0);
        self.month_ui(ui);
        let mut gone_to = ui.scope(|ui| self.days_ui(ui)).inner;
        if typed.is_none() {
            error_ui(ui, "Type a date as 2026-11-20, or choose a day above.");
        }
        let enter = super::enter_pressed(ui, &[&field]);
        dialog_buttons(ui, |ui| {
            let is_ready = typed.is_some();
            if primary_button(ui, "Go", is_ready).clicked() || (enter && is_ready) {
                gone_to = gone_to.or(typed);
            }
            if secondary_button(ui, "Cancel", true).clicked() {
                actions.push(Action::CloseDialog);
            }
        });
        if let Some(day) = gone_to {
            actions.extend([Action::CloseDialog, Action::GoToDay(self.chat, day)]);
        }
        actions
    }

    fn month_ui(&mut self, ui: &mut Ui) {
        ui.horizontal(|ui| {
            if icon_button(ui, Icon::ChevronLeft, "Month before").clicked() {
                self.turn(-1.month());
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if icon_button(ui, Icon::ChevronRight, "Month after").clicked() {
                    self.turn(1.month());
                }
                ui.vertical_centered(|ui| {
                    ui.add_space(4.0);
                    let name = self.month.strftime("%B %Y").to_string();
                    ui.label(RichText::new(name).font(theme::nick()));
                });
            });
        });
    }

    fn turn(&mut self, months: Span) {
        if let Ok(month) = self.month.checked_add(months) {
            self.month = month;
        }
    }

    /// The days of the month, a row for each week; the one that was clicked.
    fn days_ui(&self, ui: &mut Ui) -> Option<civil::Date> {
        let mut clicked = None;
        let tokens = theme::tokens(ui);
        let side = ui.available_width() / 7.0;
        ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
        ui.horizontal(|ui| {
            for name in ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"] {
                let (rect, _) = ui.allocate_exact_size(vec2(side, 20.0), Sense::hover());
                ui.painter().text(
                    rect.center(),
                    Align2::CENTER_CENTER,
                    name,
                    theme::meta(),
                    tokens.weak,
                );
            }
        });
        let before = self.month.weekday().to_monday_zero_offset();
        for week in 0..6 {
            ui.horizontal(|ui| {
                for weekday in 0..7 {
                    let offset = i64::from(week * 7 + weekday - before);
                    let day = self.month.checked_add(offset.days()).ok();
                    match day.filter(|day| day.first_of_month() == self.month) {
                        Some(day) if self.day_ui(ui, day, side) => clicked = Some(day),
                        Some(_) => {}
                        None => _ = ui.allocate_exact_size(vec2(side, WEEK), Sense::hover()),
                    }
                }
            });
        }
        clicked
    }

    fn day_ui(&self, ui: &mut Ui, day: civil::Date, side: f32) -> bool {
        let tokens = theme::tokens(ui);
        let is_to_come = day > self.today;
        let sense = if is_to_come {
            Sense::hover()
        } else {
            Sense::click()
        };
        let (rect, response) = ui.allocate_exact_size(vec2(side, WEEK), sense);
        let is_chosen = day == self.day;
        response.widget_info(|| {
            let name = day.strftime("%-d %B %Y").to_string();
            WidgetInfo::selected(egui::Role::Button, !is_to_come, is_chosen, name)
        });
        let ground = rect.shrink(2.0);
        let rounding = CornerRadius::same(size::ROUNDING);
        let (fill, color) = match (is_chosen, is_to_come) {
            (true, _) => (Some(tokens.accent_fill), tokens.on_accent),
            (false, true) => (None, tokens.weak.gamma_multiply(0.6)),
            (false, false) => (response.hovered().then_some(tokens.selected), tokens.text),
        };
        if let Some(fill) = fill {
            ui.painter().rect_filled(ground, rounding, fill);
        }
        if day == self.today && !is_chosen {
            let ring = Stroke::new(1.0, tokens.accent);
            ui.painter()
                .rect_stroke(ground, rounding, ring, egui::StrokeKind::Inside);
        }
        focus_ring(ui, &response);
        ui.painter().text(
            rect.center(),
            Align2::CENTER_CENTER,
            day.day(),
            theme::body(),
            color,
        );
        response.clicked()
    }
}

/// The day that is meant: "2026-11-20", "20.11.2026", "20 Nov", "Nov 20 2026", "today", "yesterday". Without a year:
/// the last such day.
fn parse_day(typed: &str, today: civil::Date) -> Option<civil::Date> {
    let typed = typed.trim().to_lowercase();
    match typed.as_str() {
        "today" => return Some(today),
        "yesterday" => return today.yesterday().ok(),
        _ => {}
    }
    for form in [
        "%Y-%m-%d", "%d.%m.%Y", "%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y",
    ] {
        if let Ok(day) = civil::Date::strptime(form, &typed) {
            return Some(day);
        }
    }
    for form in ["%d.%m. %Y", "%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y"] {
        let this_year = civil::Date::strptime(form, format!("{typed} {}", today.year())).ok();
        if let Some(day) = this_year {
            return if day <= today {
                Some(day)
            } else {
                day.checked_sub(1.year()).ok()
            };
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_understood_as_people_write_them() {
        let today = civil::date(2026, 11, 22);
        for (typed, day) in [
            ("2026-11-20", Some(civil::date(2026, 11, 20))),
            (" 20.11.2026 ", Some(civil::date(2026, 11, 20))),
            ("20 Nov", Some(civil::date(2026, 11, 20))),
            ("3 december", Some(civil::date(2025, 12, 3))),
            ("Nov 2 2024", Some(civil::date(2024, 11, 2))),
            ("Yesterday", Some(civil::date(2026, 11, 21))),
            ("today", Some(today)),
            ("2026-02-30", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(parse_day(typed, today), day, "{typed}");
        }
    }
}
