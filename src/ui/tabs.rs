//! The row of tabs: which chats are open, in which order, and which is in front.

use egui::{
    Align, Align2, CornerRadius, Id, Layout, PointerButton, Rect, ScrollArea, Sense, Stroke, Ui, WidgetInfo,
    pos2, vec2,
};

use super::action::Action;
use super::icons::Icon;
use super::theme::{self, size};
use super::widgets::{BADGE_WIDTH, badge_text, badge_ui, icon_button_sized, unread_words};
use crate::id::ChatId;
use crate::model::{Chat, Workspace};

/// How many closed tabs can be opened again.
const REMEMBERED: usize = 20;

/// A tab is no narrower and no wider than this, in points.
const TAB_WIDTH: std::ops::RangeInclusive<f32> = 96.0..=200.0;

/// Which chats are open.
#[derive(Debug, Default)]
pub struct Tabs {
    open: Vec<ChatId>,
    selected: Option<ChatId>,
    closed: Vec<ChatId>,
}

impl Tabs {
    /// As the window was left.
    pub fn restore(&mut self, workspace: &Workspace) {
        self.open.clear();
        for chat in &workspace.tabs {
            if !self.open.contains(chat) {
                self.open.push(*chat);
            }
        }
        self.selected = workspace
            .selected
            .filter(|chat| self.open.contains(chat))
            .or(self.open.first().copied());
    }

    /// As it is to be kept.
    pub fn workspace(&self) -> Workspace {
        Workspace {
            tabs: self.open.clone(),
            selected: self.selected,
        }
    }

    /// The open ones, from left to right.
    pub fn open(&self) -> &[ChatId] {
        &self.open
    }

    /// The one in front.
    pub fn selected(&self) -> Option<ChatId> {
        self.selected
    }

    /// Brings a chat to the front, in a tab of its own.
    pub fn select(&mut self, chat: ChatId) {
        if !self.open.contains(&chat) {
            self.open.push(chat);
        }
        self.closed.retain(|other| *other != chat);
        self.selected = Some(chat);
    }

    /// Opens a tab for a chat behind the one in front, if it has none.
    pub fn open_behind(&mut self, chat: ChatId) {
        let selected = self.selected;
        self.select(chat);
        self.selected = selected.or(self.selected);
    }

    /// Brings the tab with this number to the front, from 0.
    pub fn select_at(&mut self, index: usize) {
        if let Some(chat) = self.open.get(index) {
            self.selected = Some(*chat);
        }
    }

    /// Goes `by` tabs to the right, and round at the end.
    pub fn step(&mut self, by: isize) {
        if let (Some(at), count @ 1..) = (self.position(), self.open.len()) {
            let next = (at as isize + by).rem_euclid(count as isize);
            self.select_at(next as usize);
        } else {
            self.select_at(0);
        }
    }

    /// Closes a tab. The chat stays joined.
    pub fn close(&mut self, chat: ChatId) {
        self.forget(chat);
        self.closed.push(chat);
        if self.closed.len() > REMEMBERED {
            self.closed.remove(0);
        }
    }

    /// Opens the tab again that was closed last.
    pub fn reopen(&mut self) {
        if let Some(chat) = self.closed.pop() {
            self.select(chat);
        }
    }

    /// Removes a chat that is there no more.
    pub fn forget(&mut self, chat: ChatId) {
        self.closed.retain(|other| *other != chat);
        let Some(at) = self.open.iter().position(|other| *other == chat) else {
            return;
        };
        self.open.remove(at);
        if self.selected == Some(chat) {
            self.selected = self.open.get(at).or(self.open.last()).copied();
        }
    }

    /// Puts a tab at another place.
    pub fn move_to(&mut self, chat: ChatId, to: usize) {
        if let Some(at) = self.open.iter().position(|other| *other == chat) {
            self.open.remove(at);
            self.open.insert(to.min(self.open.len()), chat);
        }
    }

    /// Moves the tab in front by one place.
    pub fn move_selected(&mut self, by: isize) {
        if let (Some(chat), Some(at)) = (self.selected, self.position()) {
            self.move_to(chat, at.saturating_add_signed(by));
        }
    }

    fn position(&self) -> Option<usize> {
        let selected = self.selected?;
        self.open.iter().position(|chat| *chat == selected)
    }
}

/// Paints the tabs of these chats, as wide as there is room.
pub fn tabs_ui(ui: &mut Ui, chats: &[&Chat], selected: Option<ChatId>) -> Vec<Action> {
    let mut actions = Vec::new();
    ScrollArea::horizontal()
        .id_salt("tabs")
        .scroll_bar_visibility(egui::scroll_area::ScrollBarVisibility::AlwaysHidden)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let mut rects = Vec::with_capacity(chats.len());
                for chat in chats {
                    rects.push((chat.id, tab_ui(ui, chat, selected == Some(chat.id), &mut actions)));
                }
                drop_target_ui(ui, &rects, &mut actions);
            });
        });
    actions
}

fn tab_ui(ui: &mut Ui, chat: &Chat, selected: bool, actions: &mut Vec<Action>) -> Rect {
    let tokens = theme::tokens(ui);
    let font = if chat.unread > 0 {
        theme::nick()
    } else {
        theme::body()
    };
    let color = if selected || chat.unread > 0 {
        tokens.text
    } else {
        tokens.weak
    };
    let badge = if badge_text(chat.unread, chat.mentions).is_some() {
        BADGE_WIDTH
    } else {
        0.0
    };
    let around = 12.0 + badge + 30.0;
    let name_width = ui
        .painter()
        .layout_no_wrap(chat.name.clone(), font.clone(), color)
        .size()
        .x;
    let width = (name_width + around).clamp(*TAB_WIDTH.start(), *TAB_WIDTH.end());

    let (rect, response) =
        ui.allocate_exact_size(vec2(width, size::TABS_HEIGHT - 4.0), Sense::click_and_drag());
    response.widget_info(|| {
        let name = format!("{}{}", chat.name, unread_words(chat.unread, chat.mentions));
        WidgetInfo::selected(egui::Role::Tab, true, selected, name)
    });
    let response = response.on_hover_text(&chat.name);
    response.dnd_set_drag_payload(chat.id);
    let hovered = ui.rect_contains_pointer(rect);
    if selected || hovered {
        let fill = if selected { tokens.base } else { tokens.hover };
        let rounding = CornerRadius {
            nw: size::ROUNDING,
            ne: size::ROUNDING,
            sw: 0,
            se: 0,
        };
        ui.painter()
            .rect_filled(rect.with_max_y(rect.max.y + 4.0), rounding, fill);
    }
    if selected {
        let line = Rect::from_min_size(rect.min, vec2(rect.width(), 2.0));
        ui.painter().rect_filled(
            line,
            CornerRadius {
                nw: 2,
                ne: 2,
                sw: 0,
                se: 0,
            },
            tokens.accent,
        );
    }
    super::widgets::focus_ring(ui, &response);

    let close_at = Rect::from_center_size(pos2(rect.right() - 15.0, rect.center().y), vec2(20.0, 20.0));
    let badge_at = Rect::from_min_max(
        pos2(close_at.left() - badge, rect.top()),
        pos2(close_at.left(), rect.bottom()),
    );
    let name_at = Rect::from_min_max(
        pos2(rect.left() + 12.0, rect.top()),
        pos2(badge_at.left() - 2.0, rect.bottom()),
    );
    paint_elided(ui, name_at, &chat.name, font, color);
    if badge > 0.0 {
        let layout = Layout::right_to_left(Align::Center);
        let mut child = ui.new_child(
            egui::UiBuilder::new()
                .max_rect(badge_at.shrink2(vec2(4.0, 0.0)))
                .layout(layout),
        );
        badge_ui(&mut child, chat.unread, chat.mentions);
    }
    let mut child = ui.new_child(
        egui::UiBuilder::new()
            .max_rect(close_at)
            .id_salt(("close", chat.id)),
    );
    // Only where it is wanted, but always where a keyboard or a screen reader looks for it.
    child.set_opacity(if selected || hovered { 1.0 } else { 0.0 });
    let close = icon_button_sized(&mut child, Icon::X, &format!("Close the tab {}", chat.name), 20.0);

    response.context_menu(|ui| actions.extend(super::chat_list::chat_menu_ui(ui, chat)));
    if close.clicked() || response.clicked_by(PointerButton::Middle) {
        actions.push(Action::CloseTab(chat.id));
    } else if response.clicked() {
        actions.push(Action::Select(chat.id));
    }
    if selected {
        scroll_once(ui, &response, chat.id);
    }
    rect
}

/// Brings the tab in front into view, once for each that comes to the front, and again when the others push it away.
fn scroll_once(ui: &Ui, tab: &egui::Response, chat: ChatId) {
    let id = Id::unique("the tab that was scrolled to");
    let place = (chat, (tab.rect.left() - ui.min_rect().left()).round() as i32);
    if ui.data(|data| data.get_temp(id)) != Some(place) {
        ui.data_mut(|data| data.insert_temp(id, place));
        tab.scroll_to_me(None);
    }
}

/// Where a dragged tab would land: a line, and on release the action.
fn drop_target_ui(ui: &Ui, rects: &[(ChatId, Rect)], actions: &mut Vec<Action>) {
    let Some(dragged) = egui::DragAndDrop::payload::<ChatId>(ui.ctx()) else {
        return;
    };
    let Some(pointer) = ui.ctx().pointer_interact_pos() else {
        return;
    };
    let Some(from) = rects.iter().position(|(chat, _)| *chat == *dragged) else {
        return;
    };
    let gap = rects
        .iter()
        .filter(|(_, rect)| rect.center().x < pointer.x)
        .count();
    let to = if gap > from { gap - 1 } else { gap };
    if to != from {
        let x = rects
            .get(gap)
            .map_or_else(|| rects[rects.len() - 1].1.right(), |(_, rect)| rect.left());
        let stroke = Stroke::new(2.0, theme::tokens(ui).accent);
        ui.painter().vline(x, rects[from].1.y_range(), stroke);
    }
    if ui.input(|input| input.pointer.any_released()) {
        egui::DragAndDrop::clear_payload(ui.ctx());
        if to != from {
            actions.push(Action::MoveTab { chat: *dragged, to });
        }
    }
}

/// A line of text in the middle of the height, with dots where the room ends.
pub fn paint_elided(ui: &Ui, room: Rect, text: &str, font: egui::FontId, color: egui::Color32) {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(room.width().max(0.0));
    let galley = ui.painter().layout_job(job);
    let at = Align2::LEFT_CENTER.align_size_within_rect(galley.size(), room);
    ui.painter().galley(at.min, galley, color);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tabs(n: u8) -> Tabs {
        let mut tabs = Tabs::default();
        (0..n).for_each(|i| tabs.select(ChatId([i; 32])));
        tabs
    }

    #[test]
    fn stepping_goes_round() {
        let mut tabs = tabs(3);
        tabs.step(1);
        assert_eq!(tabs.selected(), Some(ChatId([0; 32])));
        tabs.step(-1);
        assert_eq!(tabs.selected(), Some(ChatId([2; 32])));
    }

    #[test]
    fn closing_goes_to_the_neighbour_and_can_be_undone() {
        let mut tabs = tabs(3);
        tabs.select_at(1);
        tabs.close(ChatId([1; 32]));
        assert_eq!(tabs.selected(), Some(ChatId([2; 32])));
        tabs.close(ChatId([2; 32]));
        assert_eq!(tabs.selected(), Some(ChatId([0; 32])));
        tabs.reopen();
        assert_eq!(tabs.selected(), Some(ChatId([2; 32])));
        tabs.reopen();
        assert_eq!(tabs.open(), [ChatId([0; 32]), ChatId([2; 32]), ChatId([1; 32])]);
        tabs.reopen();
        assert_eq!(tabs.open().len(), 3);
    }

    #[test]
    fn moving_stops_at_the_ends() {
        let mut tabs = tabs(3);
        tabs.move_selected(1);
        assert_eq!(tabs.open()[2], ChatId([2; 32]));
        tabs.move_selected(-1);
        tabs.move_selected(-1);
        tabs.move_selected(-1);
        assert_eq!(tabs.open(), [ChatId([2; 32]), ChatId([0; 32]), ChatId([1; 32])]);
    }
}
