//! Searching: opening, asking, showing hits in their chats, and going back.

use egui::Context;

use super::App;
use super::carry_out::MEMBERS_FROM;
use crate::id::{ChatId, MessageId};
use crate::model::{Event, Report};
use crate::ui::chat_view::ChatView;
use crate::ui::search::Search;

impl App {
    /// Opens the search, in the chat in front or in all.
    pub(super) fn open_search(&mut self, everywhere: bool, text: Option<&str>) {
        let (chat, now) = (self.selected(), self.clock.elapsed());
        self.overlays.members = false;
        match &mut self.overlays.search {
            Some(search) => search.show(chat, everywhere, now),
            search => *search = Some(Search::new(chat, everywhere)),
        }
        if let (Some(search), Some(text)) = (&mut self.overlays.search, text) {
            search.search_for(text, now);
        }
    }

    /// Closes it; and goes back to where one was before hits were shown, if that is wanted.
    pub(super) fn close_search(&mut self, go_back: bool) {
        let Some(search) = self.overlays.search.take() else {
            return;
        };
        self.overlays.focus_wanted = true;
        let (visited, origin) = search.visited();
        if !go_back || visited.is_empty() {
            return;
        }
        for chat in visited {
            if let Some(view) = self.views.get_mut(chat) {
                view.timeline.go_back();
            }
        }
        if let Some(origin) = origin {
            self.select(origin);
        }
    }

    /// Asks what is due.
    pub(super) fn ask_search(&mut self) {
        let now = self.clock.elapsed();
        if let Some(search) = &mut self.overlays.search
            && let Some(command) = search.take_due(now)
        {
            let tag = self.outbox.send_tagged(command);
            search.asked(tag, false);
        }
    }

    /// Asks for older hits.
    pub(super) fn search_older(&mut self) {
        if let Some(search) = &mut self.overlays.search
            && let Some(command) = search.older()
        {
            let tag = self.outbox.send_tagged(command);
            search.asked(tag, true);
        }
    }

    /// Takes the answer to a search. False: it is none, or not to the question that is asked now.
    pub(super) fn search_answered(&mut self, ctx: &Context, report: &Report) -> bool {
        let now = self.clock.timestamp();
        let Some(search) = &mut self.overlays.search else {
            return false;
        };
        if !report.tag.as_ref().is_some_and(|tag| search.waits_for(tag)) {
            return false;
        }
        match &report.event {
            Event::SearchResults { messages, more } => {
                if let Some((chat, message)) = search.found(messages, *more, &self.chats, now) {
                    self.show_hit(ctx, chat, message);
                }
            }
            Event::Error { message, .. } => search.failed(message),
            _ => return false,
        }
        true
    }

    /// Shows the hit so many places on in the list.
    pub(super) fn step_search(&mut self, ctx: &Context, by: isize) {
        let Some(search) = &mut self.overlays.search else {
            return;
        };
        let hit = search.step(by);
        let goes_on = search.goes_on();
        if let Some((chat, message)) = hit {
            self.show_hit(ctx, chat, message);
        } else if goes_on {
            self.search_older();
        }
    }

    /// Shows a hit of the list.
    pub(super) fn show_hit_at(&mut self, ctx: &Context, at: usize) {
        let hit = self
            .overlays
            .search
            .as_mut()
            .and_then(|search| search.choose_hit(at));
        if let Some((chat, message)) = hit {
            self.show_hit(ctx, chat, message);
        }
    }

    fn show_hit(&mut self, ctx: &Context, chat: ChatId, message: MessageId) {
        let Some(found) = self.chats.get(chat) else { return };
        let view = self.views.entry(chat).or_insert_with(|| ChatView::new(found));
        view.timeline.reveal(message);
        let had_focus_wanted = self.overlays.focus_wanted;
        self.select(chat);
        // The keyboard stays where it was.
        self.overlays.focus_wanted = had_focus_wanted;
        if ctx.content_rect().width() < MEMBERS_FROM
            && let Some(search) = &mut self.overlays.search
        {
            search.step_aside();
        }
    }
}
