//! The search panel: the field, how to narrow the search, and the hits.

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{
    Align, Button, Id, Key, Label, Layout, Margin, Modifiers, RichText, ScrollArea, TextEdit, Ui, WidgetInfo,
    vec2,
};
use std::time::Duration;

use super::{Hit, Search, terms};
use crate::id::ChatId;
use crate::model::Chats;
use crate::ui::action::Action;
use crate::ui::icons::Icon;
use crate::ui::theme::{self, size};
use crate::ui::time_words::counted;
use crate::ui::widgets::{error_ui, hint_ui, icon_button, plain_label, row_ui, secondary_button};

/// Height of a hit in points: nick and time, two lines of text.
const HIT: f32 = 68.0;

/// The line with the chat's name, where all are searched.
const CHAT_LINE: f32 = size::META_LINE;

/// How a search is narrowed down: what is typed, an example of it, and what it means.
const EXAMPLES: [(&str, &str, &str); 4] = [
    ("from:", "from:Ann boat", "what Ann said of a boat"),
    ("in:", "in:\"The boat\" tide", "in one chat"),
    ("after:", "after:2026-11-01", "since a day"),
    ("before:", "before:2026-11-20", "until a day"),
];

impl Search {
    /// Paints it. `now`: by the clock that never goes back.
    pub fn ui(&mut self, ui: &mut Ui, chats: &Chats, now: Duration) -> Vec<Action> {
        let mut actions = Vec::new();
        ui.spacing_mut().item_spacing.y = size::GRID;
        ui.horizontal(|ui| {
            ui.set_min_height(32.0);
            ui.add(Label::new(RichText::new("Search").font(theme::header())).selectable(false));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if icon_button(ui, Icon::X, "Close the search").clicked() {
                    actions.push(Action::CloseSearch { go_back: false });
                }
            });
        });
        self.scope_ui(ui, now);
        self.field_ui(ui, chats, now, &mut actions);
        ui.add_space(size::GRID);
        if let Some(error) = &self.error {
            error_ui(ui, error);
        } else if self.text.trim().is_empty() {
            self.examples_ui(ui, now);
        } else if self.hits.is_empty() {
            self.nothing_ui(ui, now);
        } else {
            self.hits_ui(ui, &mut actions);
        }
        actions
    }

    fn scope_ui(&mut self, ui: &mut Ui, now: Duration) {
        let Some(origin) = self.origin else { return };
        let mut scope = self.scope;
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = size::GRID;
            for (value, name) in [(Some(origin), "This chat"), (None, "All chats")] {
                let button =
                    Button::selectable(scope == value, RichText::new(name).font(theme::meta_strong()));
                if ui.add(button).clicked() {
                    scope = value;
                    self.is_focus_wanted = true;
                }
            }
        });
        self.set_scope(scope, now);
    }

    fn field_ui(&mut self, ui: &mut Ui, chats: &Chats, now: Duration, actions: &mut Vec<Action>) {
        let offered = self.offered(chats);
        let id = Id::unique("search field");
        let (mut tab, mut down, mut up, mut enter) = (false, 0, 0, false);
        if ui.memory(|memory| memory.has_focus(id)) {
            // Taken before the field sees them, for which they mean something else.
            ui.input_mut(|input| {
                tab = offered.is_some() && input.consume_key(Modifiers::NONE, Key::Tab);
                down = input.count_and_consume_key(Modifiers::NONE, Key::ArrowDown);
                up = input.count_and_consume_key(Modifiers::NONE, Key::ArrowUp);
                enter = input.consume_key(Modifiers::NONE, Key::Enter);
            });
        }
        let edit = TextEdit::singleline(&mut self.text)
            .id(id)
            .hint_text("Words to search for")
            .desired_width(f32::INFINITY)
            .margin(Margin::symmetric(8, 6))
            .show(ui);
        let response = edit.response.response;
        response.widget_info(|| WidgetInfo::labeled(egui::Role::TextInput, true, "Search for"));
        if std::mem::take(&mut self.is_focus_wanted) {
            response.request_focus();
        }
        let offered = if response.changed() {
            self.changed(now);
            self.offered(chats)
        } else {
            offered
        };
        if let Some((start, names)) = offered {
            let mut chosen = tab.then(|| names[0].clone());
            for name in &names {
                let shown = RichText::new(name).font(theme::meta_strong());
                let icon = theme::icon(Icon::CornerDownRight).size(12.0);
                let button =
                    Button::selectable(false, (icon, shown)).min_size(vec2(ui.available_width(), 24.0));
                let button = ui.add(button).accessible_name(format!("Complete {name}"));
                if button.clicked() {
                    chosen = Some(name.clone());
                }
            }
            if let Some(name) = chosen {
                self.text.truncate(start);
                self.text.push_str(&terms::typed_name(&name));
                self.text.push(' ');
                self.put_cursor_at_end(ui, id);
                self.changed(now);
            }
        }
        let steps = down as isize - up as isize + isize::from(enter);
        if steps != 0 {
            actions.push(Action::StepSearch(steps));
        }
    }

    fn put_cursor_at_end(&mut self, ui: &Ui, id: Id) {
        let end = egui::text::CCursor::new(self.text.chars().count());
        let mut state = egui::text_edit::TextEditState::load(ui.ctx(), id).unwrap_or_default();
        state
            .cursor
            .set_char_range(Some(egui::text::CCursorRange::one(end)));
        state.store(ui.ctx(), id);
        self.is_focus_wanted = true;
    }

    fn offered(&self, chats: &Chats) -> Option<(usize, Vec<String>)> {
        let in_scope = |chat: &ChatId| self.scope.is_none_or(|scope| scope == *chat);
        let nicks = chats
            .iter()
            .filter(|chat| in_scope(&chat.id))
            .flat_map(|chat| chat.members.iter().map(|member| member.nick.as_str()));
        terms::offered(&self.text, nicks, chats.iter().map(|chat| chat.name.as_str()))
    }

    /// How to search, while nothing is typed.
    fn examples_ui(&mut self, ui: &mut Ui, now: Duration) {
        hint_ui(ui, "All words have to be there, in any order. To narrow it down:");
        ui.add_space(size::GRID);
        for (typed, example, meaning) in EXAMPLES {
            let info = WidgetInfo::labeled(egui::Role::Button, true, format!("{example}: {meaning}"));
            let row = row_ui(ui, 28.0, false, info, |ui| {
                let tokens = theme::tokens(ui);
                ui.spacing_mut().item_spacing.x = 8.0;
                plain_label(ui, RichText::new(example).font(theme::mono()).color(tokens.text));
                plain_label(ui, RichText::new(meaning).font(theme::meta()).color(tokens.weak));
            });
            if row.clicked() {
                typed.clone_into(&mut self.text);
                let id = Id::unique("search field");
                self.put_cursor_at_end(ui, id);
                self.changed(now);
            }
        }
    }

    fn nothing_ui(&mut self, ui: &mut Ui, now: Duration) {
        if !self.is_answered {
            // It takes some ms: whoever sees this long enough to read it wants to know.
            hint_ui(ui, "Searching…");
            return;
        }
        hint_ui(ui, "Nothing was found. Only what is stored here is searched.");
        if self.scope.is_some() && secondary_button(ui, "Search all chats", true).clicked() {
            self.set_scope(None, now);
            self.is_focus_wanted = true;
        }
    }

    fn hits_ui(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let tokens = theme::tokens(ui);
        let found = format!(
            "{}{}",
            counted(self.hits.len() as u64, "hit"),
            if self.has_more { " so far" } else { "" }
        );
        let words = match self.chosen {
            Some(at) => format!("{} of {found}", at + 1),
            None => found,
        };
        let count = ui.label(RichText::new(&words).font(theme::meta()).color(tokens.weak));
        ui.ctx().accesskit_node_builder(count.id, |node| {
            node.set_live(egui::accesskit::Live::Polite);
        });
        let is_everywhere = self.scope.is_none();
        let height = HIT + if is_everywhere { CHAT_LINE } else { 0.0 };
        ui.spacing_mut().item_spacing.y = 2.0;
        let mut area = ScrollArea::vertical().auto_shrink([false, false]).id_salt("hits");
        if std::mem::take(&mut self.is_scroll_wanted) {
            // In the middle, where those before and after it are in sight.
            let middle = |at: usize| (at as f32 + 0.5) * (height + 2.0) - ui.available_height() / 2.0;
            let top = self.chosen.map_or(0.0, middle);
            area = area.vertical_scroll_offset(top.max(0.0));
        }
        let rows = self.hits.len() + usize::from(self.has_more);
        area.show_rows(ui, height, rows, |ui, range| {
            for at in range {
                match self.hits.get(at) {
                    Some(hit) => {
                        if hit
                            .ui(ui, height, self.chosen == Some(at), is_everywhere)
                            .clicked()
                        {
                            actions.push(Action::ShowHit(at));
                        }
                    }
                    None => {
                        ui.vertical_centered(|ui| {
                            let is_ready = self.asked.is_none();
                            if secondary_button(ui, "Show older hits", is_ready).clicked() {
                                actions.push(Action::SearchOlder);
                            }
                        });
                    }
                }
            }
        });
    }

    /// Chooses a hit of the list.
    pub fn choose_hit(&mut self, at: usize) -> Option<(ChatId, crate::id::MessageId)> {
        let hit = self.choose(at);
        self.is_scroll_wanted = false;
        hit
    }
}

impl Hit {
    fn ui(&self, ui: &mut Ui, height: f32, is_chosen: bool, is_everywhere: bool) -> egui::Response {
        let place = if is_everywhere {
            format!(" in {}", self.chat_name)
        } else {
            String::new()
        };
        let name = format!("{}, {}{place}: {}", self.nick, self.when, self.excerpt);
        let info = WidgetInfo::selected(egui::Role::ListBoxOption, true, is_chosen, name);
        row_ui(ui, height, is_chosen, info, |ui| {
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                self.head_ui(ui);
                let tokens = theme::tokens(ui);
                if is_everywhere {
                    plain_label(
                        ui,
                        RichText::new(&self.chat_name)
                            .font(theme::meta())
                            .color(tokens.weak),
                    );
                }
                ui.add(Label::new(self.excerpt_job(ui)).selectable(false));
            });
        })
    }

    fn head_ui(&self, ui: &mut Ui) {
        let tokens = theme::tokens(ui);
        ui.allocate_ui_with_layout(
            vec2(ui.available_width(), size::BODY_LINE),
            Layout::right_to_left(Align::Center),
            |ui| {
                ui.spacing_mut().item_spacing.x = 8.0;
                plain_label(
                    ui,
                    RichText::new(&self.when).font(theme::meta()).color(tokens.weak),
                );
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let color = theme::nick_color(&self.member.0, tokens);
                    plain_label(ui, RichText::new(&self.nick).font(theme::nick()).color(color));
                });
            },
        );
    }

    /// The line of the text, with the words marked.
    fn excerpt_job(&self, ui: &Ui) -> LayoutJob {
        let tokens = theme::tokens(ui);
        let plain = TextFormat {
            font_id: theme::body(),
            color: tokens.text,
            line_height: Some(size::BODY_LINE),
            ..TextFormat::default()
        };
        let marked = TextFormat {
            font_id: theme::nick(),
            background: tokens.found,
            ..plain.clone()
        };
        let mut job = LayoutJob {
            wrap: TextWrapping {
                max_width: ui.available_width(),
                max_rows: 2,
                ..TextWrapping::default()
            },
            ..LayoutJob::default()
        };
        let mut at = 0;
        for range in &self.found {
            job.append(&self.excerpt[at..range.start], 0.0, plain.clone());
            job.append(&self.excerpt[range.clone()], 0.0, marked.clone());
            at = range.end;
        }
        job.append(&self.excerpt[at..], 0.0, plain);
        job
    }
}
