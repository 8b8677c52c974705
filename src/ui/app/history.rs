//! Moving through history: loading pages, and going to a day, a message, or back.

use jiff::civil;

use super::App;
use crate::id::ChatId;
use crate::model::Page;
use crate::ui::dialogs::{DayDialog, Dialog, HistoryDialog};

impl App {
    /// Asks for a part of a chat's history.
    pub(super) fn load(&mut self, chat: ChatId, page: Page) {
        if let (Page::Before(_), Some(found)) = (page, self.chats.get_mut(chat)) {
            found.timeline.ask_older();
        }
        self.outbox.send_page(chat, page);
    }

    /// Asks for a day to go to; `day` is where the reader is.
    pub(super) fn choose_day(&mut self, chat: ChatId, day: Option<civil::Date>) {
        let today = self.clock.timestamp().to_zoned(self.chats.zone().clone()).date();
        self.open(Dialog::Day(DayDialog::new(chat, day.unwrap_or(today), today)));
    }

    /// Shows how much is kept of a chat, and what newcomers see.
    pub(super) fn show_history(&mut self, chat: ChatId) {
        if let Some(chat) = self.chats.get(chat) {
            self.open(Dialog::History(HistoryDialog::new(chat)));
        }
    }

    /// Asks whether to forget everything that was said.
    pub(super) fn show_clear(&mut self, chat: ChatId) {
        if let Some(chat) = self.chats.get(chat) {
            self.open(Dialog::History(HistoryDialog::clear(chat)));
        }
    }

    /// Goes to the first message of a day.
    pub(super) fn go_to_day(&mut self, chat: ChatId, day: civil::Date) {
        let at = day
            .to_zoned(self.chats.zone().clone())
            .map(|midnight| midnight.timestamp());
        if let (Ok(at), Some(view)) = (at, self.views.get_mut(&chat)) {
            view.timeline.reveal_time(at);
        }
    }

    /// Goes back to where the reader was before the last jumps.
    pub(super) fn go_back(&mut self, chat: ChatId) {
        if let Some(view) = self.views.get_mut(&chat) {
            view.timeline.go_back();
        }
    }
}
