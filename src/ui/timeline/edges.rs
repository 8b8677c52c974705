//! What is shown at the ends of the rows: above the first, in place of rows, and over the last while it is out of sight.

use egui::accesskit::Role;
use egui::text::LayoutJob;
use egui::{Align, Align2, Button, Rect, RichText, Sense, Ui, WidgetInfo, pos2, vec2};

use super::paint::Scene;
use super::place::Placement;
use super::{HEAD, TimelineAction, TimelineOptions, TimelineView};
use crate::model::{Older, Page, Timeline};
use crate::ui::icons::Icon;
use crate::ui::theme;

/// What stands above the first row, or in place of rows.
pub(super) fn head_ui(
    ui: &mut Ui,
    timeline: &Timeline,
    scene: &Scene<'_>,
    placement: &Placement,
    actions: &mut Vec<TimelineAction>,
) {
    let (view, tokens) = (scene.view, scene.tokens);
    let Some(first) = placement.rows.front() else {
        empty_ui(ui, scene);
        return;
    };
    if first.index != 0 || first.top <= 0.0 {
        return;
    }
    let middle = pos2(view.center().x, view.top() + first.top - HEAD / 2.0);
    let (words, button) = head_words(timeline, scene.options);
    let words = ui.painter().layout(
        words.to_owned(),
        theme::meta(),
        tokens.weak,
        (view.width() - 48.0).max(80.0),
    );
    let button = button.map(|name| {
        let name = RichText::new(name).font(theme::meta()).color(tokens.accent);
        Button::new(name).frame_when_inactive(false)
    });
    let (gap, button_width) = match &button {
        Some(_) if words.is_empty() => (0.0, 180.0),
        Some(_) => (8.0, 72.0),
        None => (0.0, 0.0),
    };
    let whole = Rect::from_center_size(
        middle,
        vec2(words.size().x + gap + button_width, words.size().y.max(28.0)),
    );
    if !words.is_empty() {
        let at = Align2::LEFT_CENTER.align_size_within_rect(words.size(), whole);
        let spoken = words.text().to_owned();
        ui.painter().galley(at.min, words, tokens.weak);
        let response = ui.interact(at, scene.id.with("head"), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &spoken));
    }
    if let Some(button) = button
        && let Some(oldest) = timeline.first_message()
        && ui
            .put(whole.with_min_x(whole.right() - button_width), button)
            .clicked()
    {
        actions.push(TimelineAction::Load(Page::Before(oldest)));
    }
}

/// What stands above the first row, and what can be done there.
fn head_words<'a>(timeline: &Timeline, options: &TimelineOptions<'a>) -> (&'a str, Option<&'static str>) {
    match timeline.older() {
        _ if !timeline.more_before() => (options.beginning, None),
        Older::Idle => ("", Some("Show earlier messages")),
        Older::Asked if options.fetching => ("Loading older messages from others…", None),
        Older::Asked => ("Loading older messages…", None),
        Older::Nobody => ("Nobody who has older messages is here now.", Some("Try again")),
    }
}

fn empty_ui(ui: &Ui, scene: &Scene<'_>) {
    let (center, color) = (scene.view.center(), scene.tokens.weak);
    let icon = Icon::MessagesSquare.unicode();
    ui.painter().text(
        center - vec2(0.0, 28.0),
        Align2::CENTER_CENTER,
        icon,
        theme::icon_font(32.0),
        color,
    );
    let width = (scene.view.width() - 48.0).clamp(40.0, 360.0);
    let mut hint = LayoutJob::simple(scene.options.empty_hint.to_owned(), theme::body(), color, width);
    hint.halign = Align::Center;
    let hint = ui.fonts_mut(|fonts| fonts.layout_job(hint));
    let rect = Rect::from_center_size(center + vec2(0.0, hint.size().y / 2.0 + 4.0), hint.size());
    ui.painter().galley(rect.center_top(), hint, color);
    let response = ui.interact(rect, scene.id.with("empty"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, scene.options.empty_hint));
}

/// While the end is out of sight: how many messages came since, and a button that goes there.
pub(super) fn pill_ui(
    ui: &mut Ui,
    view: &mut TimelineView,
    timeline: &Timeline,
    scene: &Scene<'_>,
    placement: &Placement,
) {
    if let Some(last) = placement.rows.back().and_then(|last| timeline.row(last.index)) {
        view.seen = view.seen.max(Some(last.key));
    }
    if view.follow {
        view.unseen = None;
        return;
    }
    let unseen = unseen(view, timeline) + timeline.beyond() as usize;
    let tokens = scene.tokens;
    let (words, name) = match unseen {
        0 => (String::new(), "Go to the newest message".to_owned()),
        unseen => (
            format!("{unseen} new"),
            format!("{unseen} new, go to the newest message"),
        ),
    };
    let (fill, color) = if unseen > 0 {
        (tokens.accent_fill, tokens.on_accent)
    } else {
        (tokens.panel, tokens.text)
    };
    let icon = theme::icon(Icon::ArrowDown).color(color);
    let size = if unseen > 0 {
        vec2(96.0, 32.0)
    } else {
        vec2(32.0, 32.0)
    };
    let rect = Rect::from_center_size(
        pos2(scene.view.center().x, scene.view.bottom() - 12.0 - size.y / 2.0),
        size,
    );
    let button = if unseen > 0 {
        Button::new((icon, RichText::new(words).font(theme::meta_strong()).color(color)))
    } else {
        Button::new(icon)
    };
    let button = button.fill(fill).corner_radius(16.0).min_size(size);
    let response = ui.put(rect, button).accessible_name(name);
    if response.clicked() {
        view.follow();
    }
}

/// How many messages of others came after the newest that was in sight; counted when something changed.
fn unseen(view: &mut TimelineView, timeline: &Timeline) -> usize {
    let Some(seen) = view.seen else { return 0 };
    match view.unseen {
        Some((version, key, unseen)) if version == timeline.version() && key == seen => unseen,
        _ => {
            let after = timeline
                .rows_from(timeline.index_at(seen))
                .filter(|row| row.key > seen);
            let unseen = after.filter(|row| row.is_from_others()).count();
            view.unseen = Some((timeline.version(), seen, unseen));
            unseen
        }
    }
}
