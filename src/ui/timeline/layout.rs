//! Laying out rows as text: what goes where, how high it is, and what in it can be clicked. A row is laid out when it comes
//! into sight or changes. While it stays in sight, the same layout is drawn again.

use std::ops::Range;
use std::sync::Arc;

use egui::text::{CCursor, LayoutJob, TextFormat, TextWrapping};
use egui::{Color32, Galley, Rect, Ui, Vec2};
use linkify::{LinkFinder, LinkKind};

use super::heights::RowHeight;
use crate::model::{DeliveryState, MessageBody, Row, RowContent, SaidRow};
use crate::ui::theme::{self, Tokens, size};

/// Height of a line that names a day.
pub(super) const DAY_LINE: f32 = 40.0;
/// Height of the line where reading stopped.
pub(super) const NEW_LINE: f32 = 24.0;
/// Room kept at the right of a text for the sign of how far it got.
pub(super) const MARK_WIDTH: f32 = 24.0;
/// Height of the line below a message that could not be sent.
pub(super) const FAILED_LINE: f32 = 24.0;
/// Room above a row that begins a group.
const GROUP_GAP: f32 = 12.0;
/// Room above and below the words.
pub(super) const BODY_PAD: f32 = 2.0;
/// Room for the scroll bar.
pub(super) const BAR_WIDTH: f32 = 12.0;
/// So many characters of a nick are shown where it stands before the words.
const INLINE_NICK: usize = 32;

/// Where things stand from left to right, for a width and a style. Rows laid out for one are of no use for another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Columns {
    pub(super) compact: bool,
    pub(super) dark: bool,
    /// Where the identicon begins, and its side.
    pub(super) picture_left: f32,
    pub(super) picture: f32,
    /// Where the words begin, and how wide they may be.
    pub(super) text_left: f32,
    pub(super) text_width: f32,
}

impl Columns {
    pub(super) fn new(width: f32, compact: bool, dark: bool) -> Self {
        let margin = if width < 480.0 { 12.0 } else { 16.0 };
        let (picture_left, picture, text_left) = if compact {
            // The time stands before the picture.
            (margin + 40.0, 16.0, margin + 40.0 + 24.0)
        } else {
            (margin, 32.0, margin + 44.0)
        };
        let room = width - text_left - MARK_WIDTH - BAR_WIDTH;
        Self {
            compact,
            dark,
            picture_left,
            picture,
            text_left,
            text_width: room.clamp(80.0, size::TEXT_WIDTH).round(),
        }
    }
}

/// A row, laid out.
#[derive(Debug)]
pub(super) struct Laid {
    pub(super) height: RowHeight,
    /// The nick, where it has a line of its own.
    pub(super) nick: Option<LayoutJob>,
    /// What stands after the nick: a fingerprint where two share the nick, the time.
    pub(super) meta: Option<LayoutJob>,
    /// The words.
    pub(super) body: LayoutJob,
    /// The characters of `body` that are the nick.
    pub(super) inline_nick: Range<usize>,
    /// The links in `body`.
    pub(super) links: Vec<Link>,
    /// What it was made from.
    made_for: (u64, Columns, bool),
}

/// A link in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    /// Its characters.
    pub(super) characters: Range<usize>,
    /// Where it leads, as it is written.
    pub(super) target: String,
}

impl Laid {
    /// Lays a row out. `shares_nick`: another member's nick looks the same.
    pub(super) fn new(ui: &Ui, row: &Row, columns: Columns, shares_nick: bool, tokens: &Tokens) -> Self {
        let mut laid = Self {
            height: RowHeight::default(),
            nick: None,
            meta: None,
            body: LayoutJob {
                wrap: TextWrapping::wrap_at_width(columns.text_width),
                ..Default::default()
            },
            inline_nick: 0..0,
            links: Vec::new(),
            made_for: (row.version, columns, shares_nick),
        };
        let mut above = 0.0;
        above += if row.starts_day { DAY_LINE } else { 0.0 };
        above += if row.starts_new { NEW_LINE } else { 0.0 };
        match &row.content {
            RowContent::Notice(text) => {
                laid.body.append(text, 0.0, format(theme::meta(), tokens.weak));
                if !columns.compact {
                    laid.append_time(row, tokens);
                }
            }
            RowContent::Said(said) => {
                let acts = said.body == MessageBody::Action;
                if columns.compact || acts {
                    above += if acts && !columns.compact { size::GRID } else { 0.0 };
                    laid.append_nick(said, shares_nick, tokens);
                } else if row.starts_group {
                    above += GROUP_GAP + size::BODY_LINE;
                    laid.head(row, said, shares_nick, tokens);
                }
                laid.append_words(said, acts, tokens);
                if acts && !columns.compact {
                    laid.append_time(row, tokens);
                }
            }
        }
        let mut body = laid.body_galley(ui).size().y + 2.0 * BODY_PAD;
        if row.said().is_some_and(has_failed) {
            body += FAILED_LINE;
        }
        laid.height = RowHeight { above, body };
        laid
    }

    /// Whether the layout is still valid for the row.
    pub(super) fn fits(&self, row: &Row, columns: Columns, shares_nick: bool) -> bool {
        self.made_for == (row.version, columns, shares_nick)
    }

    /// The words, as egui draws them; it keeps them from frame to frame.
    pub(super) fn body_galley(&self, ui: &Ui) -> Arc<Galley> {
        ui.fonts_mut(|fonts| fonts.layout_job(self.body.clone()))
    }

    /// The line above the words: nick, fingerprint, time.
    fn head(&mut self, row: &Row, said: &SaidRow, shares_nick: bool, tokens: &Tokens) {
        let mut meta = LayoutJob::default();
        if shares_nick {
            meta.append(&said.member.short(), 0.0, format(mono(), tokens.weak));
        }
        let gap = if shares_nick { 8.0 } else { 0.0 };
        meta.append(&row.shown_time(), gap, format(theme::meta(), tokens.weak));
        let mut nick = LayoutJob::default();
        nick.append(
            &said.nick,
            0.0,
            format(theme::nick(), theme::nick_color(&said.member.0, tokens)),
        );
        let room = if shares_nick || said.late { 130.0 } else { 60.0 };
        nick.wrap = TextWrapping::truncate_at_width((self.body.wrap.max_width - room).max(40.0));
        self.nick = Some(nick);
        self.meta = Some(meta);
    }

    /// The nick, before the words.
    fn append_nick(&mut self, said: &SaidRow, shares_nick: bool, tokens: &Tokens) {
        let mut nick: String = said.nick.chars().take(INLINE_NICK).collect();
        if nick.len() < said.nick.len() {
            nick.push('…');
        }
        self.inline_nick = 0..nick.chars().count();
        self.body.append(
            &nick,
            0.0,
            format(theme::nick(), theme::nick_color(&said.member.0, tokens)),
        );
        if shares_nick {
            self.body
                .append(&said.member.short(), size::GRID, format(mono(), tokens.weak));
        }
    }

    fn append_words(&mut self, said: &SaidRow, acts: bool, tokens: &Tokens) {
        let mut gap = if self.body.is_empty() {
            0.0
        } else if acts {
            5.0
        } else {
            8.0
        };
        let before = self.body.text.chars().count();
        let plain = TextFormat {
            italics: acts,
            ..format(theme::body(), tokens.text)
        };
        let linked = TextFormat {
            color: tokens.accent,
            ..plain.clone()
        };
        let (mut at, mut characters) = (0, before);
        for link in find_links(&said.text) {
            let (words, target) = (&said.text[at..link.start], &said.text[link.clone()]);
            self.body.append(words, std::mem::take(&mut gap), plain.clone());
            self.body.append(target, 0.0, linked.clone());
            characters += words.chars().count();
            let end = characters + target.chars().count();
            self.links.push(Link {
                characters: characters..end,
                target: target.to_owned(),
            });
            (at, characters) = (link.end, end);
        }
        self.body.append(&said.text[at..], gap, plain);
    }

    fn append_time(&mut self, row: &Row, tokens: &Tokens) {
        self.body
            .append(&row.shown_time(), 8.0, format(theme::meta(), tokens.weak));
    }
}

/// Whether an own message was given up.
pub(super) fn has_failed(said: &SaidRow) -> bool {
    said.delivery
        .is_some_and(|delivery| delivery.state == DeliveryState::Failed)
}

/// The rectangles that some characters of a text cover, one for each line, from the text's own corner.
pub(super) fn rects_of(galley: &Galley, characters: &Range<usize>) -> Vec<Rect> {
    let mut rects = Vec::new();
    let mut start = 0;
    for line in &galley.rows {
        let (end, next) = (
            start + line.char_count_excluding_newline().0,
            start + line.char_count_including_newline().0,
        );
        let (from, to) = (characters.start.max(start), characters.end.min(end));
        if from < to {
            let left = line.pos.x + line.x_offset((from - start).into());
            let right = line.pos.x + line.x_offset((to - start).into());
            rects.push(Rect::from_x_y_ranges(left..=right, line.min_y()..=line.max_y()));
        }
        start = next;
    }
    rects
}

/// Where the last line of a text ends.
pub(super) fn end_of(galley: &Galley) -> Vec2 {
    galley
        .pos_from_cursor(CCursor::new(galley.end().index))
        .right_center()
        .to_vec2()
}

fn format(font_id: egui::FontId, color: Color32) -> TextFormat {
    let line_height = Some(size::BODY_LINE);
    TextFormat {
        font_id,
        color,
        line_height,
        valign: egui::Align::Center,
        ..Default::default()
    }
}

fn mono() -> egui::FontId {
    egui::FontId {
        size: 12.0,
        ..theme::mono()
    }
}

/// The web addresses and invite links that may be opened, as byte ranges in order.
fn find_links(text: &str) -> Vec<Range<usize>> {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]);
    let mut links: Vec<Range<usize>> = finder
        .links(text)
        .filter(|link| starts_with_any(link.as_str(), &["http://", "https://"]))
        .map(|link| link.start()..link.end())
        .collect();
    // An invite has no slashes after its scheme, so that the finder above passes it by.
    for (start, _) in text.match_indices("throng:") {
        let begins_word =
            |c: char| c.is_whitespace() || matches!(c, '(' | '<' | '[' | '"' | '\'' | '“' | '‘' | '«');
        let is_word = text[..start].chars().next_back().is_none_or(begins_word);
        let rest = &text[start..];
        let end = start + rest.find(|c: char| !is_in_invite(c)).unwrap_or(rest.len());
        let free = links.iter().all(|link| link.end <= start || end <= link.start);
        if is_word && free && end > start + "throng:".len() {
            links.push(start..end);
        }
    }
    links.sort_by_key(|link| link.start);
    links
}

fn is_in_invite(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_' | '/' | '?' | '=' | '&' | '+' | '%' | '#' | '.')
}

fn starts_with_any(text: &str, schemes: &[&str]) -> bool {
    schemes.iter().any(|scheme| {
        text.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_links_are_links() {
        for (text, links) in [
            (
                "see https://example.org/a_(b)?c=1#d, and more",
                vec!["https://example.org/a_(b)?c=1#d"],
            ),
            ("HTTP://example.org.", vec!["HTTP://example.org"]),
            (
                "file:///etc/passwd javascript:alert(1) ftp://a.b mailto:a@b.c",
                vec![],
            ),
            ("join throng:AAEC-_q9 now", vec!["throng:AAEC-_q9"]),
            ("nothrong:abc throng: x", vec![]),
            (
                "https://example.org/throng:xyz",
                vec!["https://example.org/throng:xyz"],
            ),
            (
                "a http://b.cz d (throng:Ab) https://e.fr",
                vec!["http://b.cz", "throng:Ab", "https://e.fr"],
            ),
        ] {
            let found: Vec<_> = find_links(text).into_iter().map(|link| &text[link]).collect();
            assert_eq!(found, links, "{text}");
        }
    }

    #[test]
    fn words_are_never_wider_than_agreed_nor_of_no_width() {
        for width in [0.0, 100.0, 400.0, 700.0, 3_000.0] {
            for compact in [false, true] {
                let columns = Columns::new(width, compact, true);
                assert!(
                    (80.0..=size::TEXT_WIDTH).contains(&columns.text_width),
                    "{columns:?}"
                );
            }
        }
    }
}
