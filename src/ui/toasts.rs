//! Short messages at the lower right that go by themselves: what failed, what was done, and Undo.

use std::time::Duration;

use egui::{
    Align, Align2, Area, CornerRadius, Frame, Id, Label, Layout, Margin, Order, RichText, Stroke, Ui, vec2,
};

use super::action::Action;
use super::icons::Icon;
use super::theme;
use super::widgets::icon_button_sized;

/// How long a toast stays: long enough to read it twice. A guess.
const SHOWN_FOR: Duration = Duration::from_secs(6);

/// How long an error stays: longer, since the user may look elsewhere.
const ERROR_SHOWN_FOR: Duration = Duration::from_secs(12);

/// The most toasts at a time; the oldest goes first.
const MOST: usize = 4;

/// What a toast is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something was done.
    Info,
    /// Something failed.
    Error,
}

/// A message that goes by itself.
#[derive(Debug)]
struct Toast {
    id: u64,
    kind: Kind,
    text: String,
    /// What can be done about it: the name of the button, and what it does.
    button: Option<(&'static str, Action)>,
    until: Duration,
}

/// The toasts that are shown now.
#[derive(Debug, Default)]
pub struct Toasts {
    shown: Vec<Toast>,
    next_id: u64,
}

impl Toasts {
    /// Shows one from `now` on.
    pub fn show(&mut self, kind: Kind, text: impl Into<String>, now: Duration) -> u64 {
        let shown_for = if kind == Kind::Error {
            ERROR_SHOWN_FOR
        } else {
            SHOWN_FOR
        };
        self.push(kind, text.into(), None, now + shown_for)
    }

    /// Shows one with a button, until then.
    pub fn offer(
        &mut self,
        text: impl Into<String>,
        button: &'static str,
        action: Action,
        until: Duration,
    ) -> u64 {
        self.push(Kind::Info, text.into(), Some((button, action)), until)
    }

    /// Shows one until it is dismissed.
    pub fn stand(&mut self, kind: Kind, text: impl Into<String>) {
        self.push(kind, text.into(), None, Duration::MAX);
    }

    fn push(
        &mut self,
        kind: Kind,
        text: String,
        button: Option<(&'static str, Action)>,
        until: Duration,
    ) -> u64 {
        // The same again: it stays longer, and does not pile up.
        self.shown.retain(|toast| toast.text != text);
        if self.shown.len() == MOST {
            self.shown.remove(0);
        }
        self.next_id += 1;
        self.shown.push(Toast {
            id: self.next_id,
            kind,
            text,
            button,
            until,
        });
        self.next_id
    }

    /// Takes one away.
    pub fn dismiss(&mut self, id: u64) {
        self.shown.retain(|toast| toast.id != id);
    }

    /// Takes the one away whose button does this.
    pub fn dismiss_about(&mut self, action: &Action) {
        self.shown
            .retain(|toast| toast.button.as_ref().is_none_or(|(_, does)| does != action));
    }

    /// Takes those away whose time is over.
    pub fn expire(&mut self, now: Duration) {
        self.shown.retain(|toast| toast.until > now);
    }

    /// When the next one goes.
    pub fn next_expiry(&self) -> Option<Duration> {
        let times = self.shown.iter().map(|toast| toast.until);
        times.filter(|until| *until != Duration::MAX).min()
    }

    /// Paints them over the lower right of the window.
    pub fn ui(&self, ui: &Ui) -> Option<Action> {
        if self.shown.is_empty() {
            return None;
        }
        let mut action = None;
        let area = Area::new(Id::unique("toasts"))
            .order(Order::Tooltip)
            .anchor(Align2::RIGHT_BOTTOM, vec2(-16.0, -96.0));
        area.show(ui.ctx(), |ui| {
            ui.spacing_mut().item_spacing.y = 8.0;
            for toast in &self.shown {
                action = action.take().or(toast.ui(ui));
            }
        });
        action
    }
}

impl Toast {
    fn ui(&self, ui: &mut Ui) -> Option<Action> {
        let mut action = None;
        let tokens = theme::tokens(ui);
        let (icon, color) = match self.kind {
            Kind::Info => (Icon::Info, tokens.accent),
            Kind::Error => (Icon::CircleAlert, tokens.red),
        };
        let frame = Frame::new()
            .fill(tokens.panel)
            .stroke(Stroke::new(1.0, tokens.border))
            .corner_radius(CornerRadius::same(8))
            .shadow(ui.visuals().popup_shadow)
            .inner_margin(Margin {
                left: 12,
                right: 6,
                top: 8,
                bottom: 8,
            });
        let shown = frame.show(ui, |ui| {
            ui.set_width(332.0_f32.min(ui.ctx().content_rect().width() - 64.0));
            ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.x = 6.0;
                if icon_button_sized(ui, Icon::X, "Dismiss", 22.0).clicked() {
                    action = Some(Action::DismissToast(self.id));
                }
                if let Some((name, act)) = &self.button
                    && ui.link(RichText::new(*name).font(theme::nick())).clicked()
                {
                    action = Some(act.clone());
                }
                ui.with_layout(Layout::left_to_right(Align::Min), |ui| {
                    ui.add_space(0.0);
                    ui.label(
                        RichText::new(icon.unicode())
                            .font(theme::icon_font(16.0))
                            .color(color),
                    );
                    ui.add(Label::new(&self.text).wrap());
                });
            });
        });
        // Read out when it appears, without taking the keyboard away.
        ui.ctx().accesskit_node_builder(shown.response.id, |node| {
            node.set_role(egui::accesskit::Role::Status);
            node.set_live(egui::accesskit::Live::Polite);
            node.set_label(self.text.as_str());
        });
        action
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toasts_go_by_themselves_and_do_not_pile_up() {
        let mut toasts = Toasts::default();
        let now = Duration::from_secs(100);
        for _ in 0..3 {
            toasts.show(Kind::Info, "the same", now);
        }
        assert_eq!(toasts.shown.len(), 1);
        for n in 0..9 {
            toasts.show(Kind::Error, format!("{n}"), now);
        }
        assert_eq!(toasts.shown.len(), MOST);
        toasts.expire(now + ERROR_SHOWN_FOR);
        assert!(toasts.next_expiry().is_none());
    }
}
