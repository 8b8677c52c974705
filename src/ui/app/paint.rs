//! The layout of the window.

use egui::{Align2, CentralPanel, Frame, Id, LayerId, Margin, Order, Panel, Stroke, StrokeKind, Ui};

use super::carry_out::MEMBERS_FROM;
use super::input::popup_is_open;
use super::{Action, App, Phase};
use crate::id::ChatId;
use crate::model::Chat;
use crate::ui::chat_list::{chat_list_ui, menu_button_ui};
use crate::ui::chat_view::{ChatView, ChatViewOptions, chat_view_ui};
use crate::ui::dialogs::DialogContext;
use crate::ui::header::header_ui;
use crate::ui::icons::Icon;
use crate::ui::in_order;
use crate::ui::members::members_ui;
use crate::ui::status_bar::status_bar_ui;
use crate::ui::tabs::tabs_ui;
use crate::ui::theme::{self, Tokens, size};
use crate::ui::welcome::{failed_ui, no_chats_ui, no_tab_ui, welcome_ui};
use crate::ui::widgets::icon_button;

/// From this width in points on, the list of chats has its place at the left.
const CHATS_FROM: f32 = 640.0;

/// Width of the search at the right, in points.
const SEARCH_WIDTH: f32 = 320.0;

impl App {
    /// Paints the window, and collects what is asked for; [`Self::logic`] carries it out before the next frame.
    pub fn ui(&mut self, ui: &mut Ui) {
        let popup_was_open = popup_is_open(ui.ctx());
        self.look_at_input(ui.ctx());
        let tokens = theme::tokens(ui);
        let base = Frame::new().fill(tokens.base);
        match &mut self.phase {
            Phase::Starting | Phase::Closing => _ = CentralPanel::no_frame().frame(base).show(ui, |_| {}),
            Phase::Welcome(nick) => {
                let covered = !self.overlays.dialogs.is_empty();
                let begun = CentralPanel::no_frame()
                    .frame(base)
                    .show(ui, |ui| welcome_ui(ui, nick, covered))
                    .inner;
                self.actions.extend(begun);
                self.overlays_ui(ui);
            }
            Phase::Locked(page) => {
                let unlock = CentralPanel::no_frame()
                    .frame(base)
                    .show(ui, |ui| page.ui(ui))
                    .inner;
                self.actions.extend(unlock);
            }
            Phase::Failed { code, message } => {
                let quit = CentralPanel::no_frame()
                    .frame(base)
                    .show(ui, |ui| failed_ui(ui, *code, message))
                    .inner;
                self.actions.extend(quit);
            }
            Phase::Running => {
                self.chats_ui(ui, tokens);
                self.overlays_ui(ui);
                self.look_at_escape(ui.ctx(), popup_was_open);
            }
        }
        if !self.actions.is_empty() {
            ui.ctx().request_repaint();
        }
        let awaits_focus =
            self.overlays.focus_wanted && !self.overlays.take_keys() && self.selected().is_some();
        if awaits_focus || !self.actions.is_empty() {
            in_order::wait_a_pass(ui.ctx());
        }
    }

    fn chats_ui(&mut self, ui: &mut Ui, tokens: &'static Tokens) {
        let width = ui.available_width();
        let panel = Frame::new().fill(tokens.panel);
        if self.listed().next().is_none() {
            let base = Frame::new().fill(tokens.base);
            let menu = Panel::top("tabs")
                .exact_size(size::TABS_HEIGHT)
                .frame(panel.inner_margin(Margin::symmetric(8, 4)));
            let action = menu.show(ui, |ui| menu_button_ui(ui, false)).inner;
            self.actions.extend(action);
            let nick = &self.settings.nick;
            let action = CentralPanel::no_frame()
                .frame(base)
                .show(ui, |ui| no_chats_ui(ui, nick))
                .inner;
            self.actions.extend(action);
            return;
        }
        self.status_ui(ui, panel);
        if width >= CHATS_FROM {
            self.overlays.chat_list = false;
            let list = Panel::left("chats")
                .exact_size(size::CHATS_WIDTH)
                .resizable(false);
            list.frame(panel.inner_margin(Margin::symmetric(8, 4)))
                .show(ui, |ui| self.list_ui(ui));
        }
        self.tabs_ui(ui, panel, width < CHATS_FROM);
        if self.overlays.chat_list {
            let frame = panel.inner_margin(Margin::symmetric(8, 4));
            CentralPanel::no_frame()
                .frame(frame)
                .show(ui, |ui| self.list_ui(ui));
            return;
        }
        if self.search_ui(ui, width, tokens) {
            return;
        }
        match self.selected() {
            Some(chat) => self.chat_ui(ui, chat, width),
            None => {
                let base = Frame::new().fill(tokens.base);
                let action = CentralPanel::no_frame().frame(base).show(ui, no_tab_ui).inner;
                self.actions.extend(action);
            }
        }
    }

    fn status_ui(&mut self, ui: &mut Ui, frame: Frame) {
        let bar = Panel::bottom("status")
            .exact_size(size::STATUS_HEIGHT)
            .frame(frame.inner_margin(Margin::symmetric(8, 1)));
        let now = self.clock.timestamp();
        let action = bar
            .show(ui, |ui| status_bar_ui(ui, self.selected_chat(), now))
            .inner;
        self.actions.extend(action);
    }

    fn list_ui(&mut self, ui: &mut Ui) {
        let actions = chat_list_ui(ui, self.listed(), self.selected(), self.clock.timestamp());
        self.actions.extend(actions);
    }

    fn tabs_ui(&mut self, ui: &mut Ui, frame: Frame, narrow: bool) {
        let bar = Panel::top("tabs").exact_size(size::TABS_HEIGHT);
        let frame = frame.inner_margin(Margin {
            left: 8,
            right: 8,
            top: 4,
            bottom: 0,
        });
        let actions = bar.frame(frame).show(ui, |ui| {
            let chats: Vec<&Chat> = self
                .tabs
                .open()
                .iter()
                .filter_map(|chat| self.chats.get(*chat))
                .collect();
            ui.horizontal(|ui| {
                let mut actions = Vec::new();
                if narrow {
                    if icon_button(ui, Icon::PanelLeft, "Chats").clicked() {
                        actions.push(Action::ToggleChatList);
                    }
                    if chats.is_empty() {
                        actions.extend(menu_button_ui(ui, false));
                    }
                }
                actions.extend(tabs_ui(ui, &chats, self.selected()));
                actions
            })
            .inner
        });
        self.actions.extend(actions.inner);
    }

    fn chat_ui(&mut self, ui: &mut Ui, chat: ChatId, width: f32) {
        let Some(found) = self.chats.get(chat) else { return };
        let tokens = theme::tokens(ui);
        let view = self.views.entry(chat).or_insert_with(|| ChatView::new(found));
        if self.overlays.focus_wanted {
            // A dialog closed in this frame still bars what was under it from the keyboard.
            if ui.memory(|memory| memory.allows_interaction(ui.layer_id())) {
                self.overlays.focus_wanted = false;
                view.composer.focus();
            } else if !self.overlays.take_keys() {
                ui.ctx().request_repaint();
            }
        }
        let header = Panel::top("header").exact_size(size::HEADER_HEIGHT);
        let frame = Frame::new().fill(tokens.base).inner_margin(Margin {
            left: 16,
            right: 8,
            top: 4,
            bottom: 4,
        });
        let topic_edit = &mut self.overlays.topic_edit;
        self.actions.extend(
            header
                .frame(frame)
                .show(ui, |ui| header_ui(ui, found, topic_edit))
                .inner,
        );

        let members_shown = if self.overlays.search.is_some() && width >= MEMBERS_FROM {
            false
        } else if width >= MEMBERS_FROM {
            self.settings.members_shown
        } else {
            self.overlays.members
        };
        let panel = Frame::new()
            .fill(tokens.panel)
            .inner_margin(Margin::symmetric(8, 4));
        if members_shown && width < CHATS_FROM {
            self.actions.extend(
                CentralPanel::no_frame()
                    .frame(panel)
                    .show(ui, |ui| members_ui(ui, found))
                    .inner,
            );
            return;
        }
        if members_shown {
            let members = Panel::right("members")
                .exact_size(size::MEMBERS_WIDTH)
                .resizable(false)
                .frame(panel);
            self.actions
                .extend(members.show(ui, |ui| members_ui(ui, found)).inner);
        }
        let options = ChatViewOptions {
            now: self.clock.timestamp(),
            compact: self.settings.compact,
            keys: !self.overlays.take_keys(),
        };
        let base = Frame::new().fill(tokens.base).stroke(Stroke::NONE);
        let chats = &self.chats;
        let actions = CentralPanel::no_frame()
            .frame(base)
            .show(ui, |ui| chat_view_ui(ui, chats, found, view, options))
            .inner;
        self.actions.extend(actions);
    }

    /// The search at the right, or over the chat where there is not room for both. Whether it covers the chat.
    fn search_ui(&mut self, ui: &mut Ui, width: f32, tokens: &Tokens) -> bool {
        let now = self.clock.elapsed();
        let Some(search) = &mut self.overlays.search else {
            return false;
        };
        let panel = Frame::new()
            .fill(tokens.panel)
            .inner_margin(Margin::symmetric(12, 4));
        let chats = &self.chats;
        let covers = width < MEMBERS_FROM;
        let actions = if !covers {
            let side = Panel::right("search").exact_size(SEARCH_WIDTH).resizable(false);
            side.frame(panel).show(ui, |ui| search.ui(ui, chats, now)).inner
        } else if search.is_shown() {
            CentralPanel::no_frame()
                .frame(panel)
                .show(ui, |ui| search.ui(ui, chats, now))
                .inner
        } else {
            return false;
        };
        self.actions.extend(actions);
        covers
    }

    fn overlays_ui(&mut self, ui: &Ui) {
        let context = DialogContext {
            chats: &self.chats,
            settings: &self.settings,
            passphrase_set: self.passphrase_set,
            now: self.clock.timestamp(),
            elapsed: self.clock.elapsed(),
        };
        if let Some(dialog) = self.overlays.dialogs.last_mut() {
            self.actions.extend(dialog.ui(ui, &context));
        }
        let selected = self.tabs.selected();
        if let Some(switcher) = &mut self.overlays.switcher {
            self.actions.extend(switcher.ui(ui, &self.chats, selected));
        }
        self.actions.extend(self.toasts.ui(ui));
        if !ui.input(|input| input.raw.hovered_files.is_empty()) {
            drop_hint_ui(ui);
        }
    }
}

/// Says what becomes of a file that is held over the window.
fn drop_hint_ui(ui: &Ui) {
    let tokens = theme::tokens(ui);
    let room = ui.ctx().content_rect();
    let painter = ui
        .ctx()
        .layer_painter(LayerId::new(Order::Tooltip, Id::unique("drop hint")));
    painter.rect_filled(room, 0, tokens.base.gamma_multiply(0.9));
    let border = Stroke::new(2.0, tokens.accent);
    painter.rect_stroke(room.shrink(12.0), 8, border, StrokeKind::Inside);
    let words = "Drop the invite to import it";
    painter.text(
        room.center(),
        Align2::CENTER_CENTER,
        words,
        theme::header(),
        tokens.text,
    );
}
