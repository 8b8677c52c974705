//! How the window looks: colours, sizes and text styles by name, and their installation into egui. Nothing else in
//! [`crate::ui`] writes a colour or a font down.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::epaint::Shadow;
use egui::style::{ScrollStyle, Selection, TextCursorStyle, WidgetVisuals, Widgets};
use egui::{
    Color32, Context, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, RichText, Stroke,
    Style, TextStyle, ThemePreference, Ui, Visuals, vec2,
};

use super::icons::{self, Icon};
use crate::model;

/// The colours of a theme. All text colours stand out from each of its backgrounds by at least 4.5 to 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Whether this is the dark theme.
    pub dark: bool,
    /// Behind the timeline and the composer.
    pub base: Color32,
    /// Behind lists, tabs, dialogs and the status bar.
    pub panel: Color32,
    /// Behind what the pointer is over.
    pub hover: Color32,
    /// Behind what is selected.
    pub selected: Color32,
    /// Lines between parts, and around controls.
    pub border: Color32,
    /// Text.
    pub text: Color32,
    /// Text that may be overlooked: times, hints, notices.
    pub weak: Color32,
    /// Links, the focus ring, what is chosen.
    pub accent: Color32,
    /// Behind a button that does the main thing.
    pub accent_fill: Color32,
    /// Text upon `accent_fill`.
    pub on_accent: Color32,
    /// Behind a message that mentions the reader.
    pub mention: Color32,
    /// At the edge of such a message.
    pub mention_edge: Color32,
    /// Behind a word that was searched for.
    pub found: Color32,
    /// It went well; online.
    pub green: Color32,
    /// It waits; away.
    pub amber: Color32,
    /// It failed; busy; the line where reading stopped.
    pub red: Color32,
}

/// The dark theme.
pub static DARK: Tokens = Tokens {
    dark: true,
    base: Color32::from_rgb(0x16, 0x18, 0x1D),
    panel: Color32::from_rgb(0x1C, 0x1F, 0x26),
    hover: Color32::from_rgb(0x25, 0x29, 0x32),
    selected: Color32::from_rgb(0x2E, 0x34, 0x40),
    border: Color32::from_rgb(0x2B, 0x30, 0x3B),
    text: Color32::from_rgb(0xE4, 0xE7, 0xEC),
    weak: Color32::from_rgb(0x9A, 0xA3, 0xB2),
    accent: Color32::from_rgb(0x6E, 0xA8, 0xFF),
    accent_fill: Color32::from_rgb(0x5B, 0x9D, 0xFF),
    on_accent: Color32::from_rgb(0x0C, 0x14, 0x22),
    mention: Color32::from_rgb(0x2F, 0x2A, 0x1C),
    mention_edge: Color32::from_rgb(0xF2, 0xB8, 0x4B),
    found: Color32::from_rgb(0x5A, 0x45, 0x14),
    green: Color32::from_rgb(0x4C, 0xC3, 0x8A),
    amber: Color32::from_rgb(0xF2, 0xB8, 0x4B),
    red: Color32::from_rgb(0xFF, 0x7C, 0x81),
};

/// The light theme.
pub static LIGHT: Tokens = Tokens {
    dark: false,
    base: Color32::from_rgb(0xFF, 0xFF, 0xFF),
    panel: Color32::from_rgb(0xF5, 0xF6, 0xF8),
    hover: Color32::from_rgb(0xED, 0xEF, 0xF3),
    selected: Color32::from_rgb(0xE1, 0xE8, 0xF4),
    border: Color32::from_rgb(0xDC, 0xE0, 0xE7),
    text: Color32::from_rgb(0x1B, 0x1F, 0x27),
    weak: Color32::from_rgb(0x58, 0x60, 0x70),
    accent: Color32::from_rgb(0x1B, 0x5E, 0xC8),
    accent_fill: Color32::from_rgb(0x1F, 0x66, 0xD6),
    on_accent: Color32::from_rgb(0xFF, 0xFF, 0xFF),
    mention: Color32::from_rgb(0xFF, 0xF4, 0xD9),
    mention_edge: Color32::from_rgb(0xE3, 0x9A, 0x1F),
    found: Color32::from_rgb(0xFF, 0xE0, 0x8A),
    green: Color32::from_rgb(0x0F, 0x6E, 0x43),
    amber: Color32::from_rgb(0x83, 0x52, 0x00),
    red: Color32::from_rgb(0xBC, 0x23, 0x2B),
};

/// Sizes in points; most are multiples of the 4-point grid.
pub mod size {
    /// The grid.
    pub const GRID: f32 = 4.0;
    /// Rounding of buttons, inputs, menus and dialogs.
    pub const ROUNDING: u8 = 6;
    /// Width of the list of members.
    pub const MEMBERS_WIDTH: f32 = 190.0;
    /// Width of the list of chats.
    pub const CHATS_WIDTH: f32 = 220.0;
    /// Height of the row of tabs.
    pub const TABS_HEIGHT: f32 = 36.0;
    /// Height of a chat's header.
    pub const HEADER_HEIGHT: f32 = 40.0;
    /// Height of the status bar.
    pub const STATUS_HEIGHT: f32 = 22.0;
    /// Line height of body text.
    pub const BODY_LINE: f32 = 20.0;
    /// Line height of meta text.
    pub const META_LINE: f32 = 16.0;
    /// No line of text is wider.
    pub const TEXT_WIDTH: f32 = 760.0;
    /// Height of a button with words.
    pub const BUTTON_HEIGHT: f32 = 32.0;
    /// Side of an icon in a button or a row.
    pub const ICON: f32 = 16.0;
}

/// Body text: 14.
pub fn body() -> FontId {
    FontId::new(14.0, FontFamily::Proportional)
}

/// Nicks: 14, semibold.
pub fn nick() -> FontId {
    FontId::new(14.0, semibold())
}

/// Times, hints, notices: 12.
pub fn meta() -> FontId {
    FontId::new(12.0, FontFamily::Proportional)
}

/// Small labels that have to be seen: 12, semibold.
pub fn meta_strong() -> FontId {
    FontId::new(12.0, semibold())
}

/// The name of a chat in its header: 16, semibold.
pub fn header() -> FontId {
    FontId::new(16.0, semibold())
}

/// The title of a dialog or an empty state: 22, semibold.
pub fn title() -> FontId {
    FontId::new(22.0, semibold())
}

/// Keys, fingerprints, invites: 13, monospaced.
pub fn mono() -> FontId {
    FontId::new(13.0, FontFamily::Monospace)
}

/// An icon of the given height.
pub fn icon_font(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name("icons".into()))
}

/// An icon, to be put into a label or a button: `ui.button((icon(Icon::Plus), "New chat"))`. Name a button that has
/// nothing but an icon by `response.widget_info`.
pub fn icon(icon: Icon) -> RichText {
    RichText::new(icon.unicode()).font(icon_font(size::ICON))
}

/// The style of nicks, for widgets that take a [`TextStyle`].
pub fn nick_style() -> TextStyle {
    TextStyle::Name("nick".into())
}

/// The style of titles, for widgets that take a [`TextStyle`].
pub fn title_style() -> TextStyle {
    TextStyle::Name("title".into())
}

/// The colours of the theme in which `ui` is painted.
pub fn tokens(ui: &Ui) -> &'static Tokens {
    of(ui.visuals().dark_mode)
}

/// The colours of the theme that the window is in.
pub fn tokens_of(ctx: &Context) -> &'static Tokens {
    of(ctx.theme() == egui::Theme::Dark)
}

fn of(dark: bool) -> &'static Tokens {
    if dark { &DARK } else { &LIGHT }
}

/// Hands egui the fonts and the styles of both themes, once, before the first frame.
pub fn install(ctx: &Context, theme: model::Theme, zoom_percent: u16) {
    ctx.set_fonts(fonts());
    for (which, tokens) in [(egui::Theme::Dark, &DARK), (egui::Theme::Light, &LIGHT)] {
        ctx.style_mut_of(which, |style| restyle(style, tokens));
    }
    choose(ctx, theme, zoom_percent);
}

/// Takes the user's choice of theme and zoom, whenever it changes.
pub fn choose(ctx: &Context, theme: model::Theme, zoom_percent: u16) {
    ctx.set_theme(match theme {
        model::Theme::System => ThemePreference::System,
        model::Theme::Light => ThemePreference::Light,
        model::Theme::Dark => ThemePreference::Dark,
    });
    ctx.set_zoom_factor(f32::from(zoom_percent.clamp(50, 300)) / 100.0);
}

/// The colour of a nick, from the member's key, since a nick can be copied and a key can't. It has a contrast of at least 4.5
/// to 1 with every background of the theme.
pub fn nick_color(key: &[u8; 32], tokens: &Tokens) -> Color32 {
    let hue = f32::from(u16::from_be_bytes([key[0], key[1]])) / 65536.0 * std::f32::consts::TAU;
    let (mut lightness, chroma, step) = if tokens.dark {
        (0.76, 0.12, 0.02)
    } else {
        (0.52, 0.14, -0.02)
    };
    loop {
        let color = oklch(lightness, chroma, hue);
        let readable = tokens
            .backgrounds()
            .iter()
            .all(|background| contrast(color, *background) >= MIN_CONTRAST);
        // The bounds end the loop whatever the colours; the test shows that they are not met.
        if readable || !(0.2..0.98).contains(&lightness) {
            return color;
        }
        lightness += step;
    }
}

/// What WCAG 2.1 asks of text (success criterion 1.4.3).
pub const MIN_CONTRAST: f32 = 4.5;

/// How far two opaque colours stand out from each other, 1 to 21 (WCAG 2.1, "contrast ratio").
pub fn contrast(a: Color32, b: Color32) -> f32 {
    let luminance = |color: Color32| {
        let [r, g, b, _] = egui::Rgba::from(color).to_array();
        0.2126 * r + 0.7152 * g + 0.0722 * b
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

impl Tokens {
    /// All that text is written upon.
    fn backgrounds(&self) -> [Color32; 5] {
        [self.base, self.panel, self.hover, self.selected, self.mention]
    }
}

/// A colour of Oklch (Ottosson 2020, "A perceptual color space for image processing"), clipped to sRGB.
fn oklch(lightness: f32, chroma: f32, hue: f32) -> Color32 {
    let (a, b) = (chroma * hue.cos(), chroma * hue.sin());
    let l = (lightness + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
    let m = (lightness - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
    let s = (lightness - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
    let linear = [
        4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s,
        -1.268_438 * l + 2.609_757_4 * m - 0.341_319_4 * s,
        -0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s,
    ];
    let [r, g, b] = linear.map(|channel| channel.clamp(0.0, 1.0));
    Color32::from(egui::Rgba::from_rgb(r, g, b))
}

fn semibold() -> FontFamily {
    FontFamily::Name("semibold".into())
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let bundled: [(&str, &'static [u8]); 5] = [
        ("Inter", include_bytes!("../../assets/fonts/Inter-Regular.otf")),
        (
            "Inter SemiBold",
            include_bytes!("../../assets/fonts/Inter-SemiBold.otf"),
        ),
        (
            "JetBrains Mono",
            include_bytes!("../../assets/fonts/JetBrainsMono-Regular.ttf"),
        ),
        // egui's own emoji are from before 2016 and lack a third of today's, 🙂 among them.
        (
            "Noto Emoji",
            include_bytes!("../../assets/fonts/NotoEmoji-Regular.ttf"),
        ),
        ("Lucide", icons::FONT),
    ];
    for (name, bytes) in bundled {
        fonts
            .font_data
            .insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    let fallback = fonts
        .families
        .get(&FontFamily::Proportional)
        .cloned()
        .unwrap_or_default();
    let chain = |first: &[&str]| {
        first
            .iter()
            .chain(&["Noto Emoji"])
            .map(|name| (*name).to_owned())
            .chain(fallback.clone())
            .collect()
    };
    fonts.families = BTreeMap::from([
        (FontFamily::Proportional, chain(&["Inter"])),
        (FontFamily::Monospace, chain(&["JetBrains Mono", "Hack", "Inter"])),
        (semibold(), chain(&["Inter SemiBold", "Inter"])),
        // Apart from the others: the icons live among the characters for private use, which anyone can type.
        (FontFamily::Name("icons".into()), vec!["Lucide".to_owned()]),
    ]);
    fonts
}

/// The style of menus, with room around their words: `Popup::context_menu(&response).style(theme::menu_style)`.
pub fn menu_style(style: &mut Style) {
    egui::containers::menu::menu_style(style);
    style.spacing.button_padding = vec2(12.0, 4.0);
    style.spacing.item_spacing = vec2(8.0, 2.0);
}

fn restyle(style: &mut Style, tokens: &Tokens) {
    style.text_styles = BTreeMap::from([
        (TextStyle::Small, meta()),
        (TextStyle::Body, body()),
        (TextStyle::Button, body()),
        (TextStyle::Heading, header()),
        (TextStyle::Monospace, mono()),
        (nick_style(), nick()),
        (title_style(), title()),
    ]);
    // The longest animation.
    style.animation_time = 0.12;
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(8.0, 8.0);
    spacing.button_padding = vec2(12.0, 4.0);
    spacing.interact_size = vec2(32.0, 28.0);
    spacing.window_margin = Margin::same(16);
    spacing.menu_margin = Margin::same(6);
    spacing.menu_spacing = 4.0;
    spacing.icon_width = 16.0;
    spacing.icon_width_inner = 10.0;
    spacing.icon_spacing = 8.0;
    spacing.tooltip_width = 360.0;
    spacing.scroll = ScrollStyle {
        bar_width: 8.0,
        floating_width: 4.0,
        ..ScrollStyle::floating()
    };
    style.visuals = visuals(tokens);
}

fn visuals(tokens: &Tokens) -> Visuals {
    let shadow = Shadow {
        offset: [0, 8],
        blur: 24,
        spread: 0,
        color: Color32::from_black_alpha(if tokens.dark { 110 } else { 40 }),
    };
    let rounding = CornerRadius::same(size::ROUNDING);
    let line = Stroke::new(1.0, tokens.border);
    Visuals {
        weak_text_color: Some(tokens.weak),
        widgets: widgets(tokens),
        selection: Selection {
            bg_fill: tokens.selection_fill(),
            stroke: Stroke::new(1.0, tokens.accent),
        },
        hyperlink_color: tokens.accent,
        faint_bg_color: tokens.panel,
        extreme_bg_color: tokens.base,
        text_edit_bg_color: Some(tokens.base),
        code_bg_color: tokens.hover,
        warn_fg_color: tokens.amber,
        error_fg_color: tokens.red,
        window_corner_radius: CornerRadius::same(10),
        window_shadow: shadow,
        window_fill: tokens.panel,
        window_stroke: line,
        window_highlight_topmost: false,
        menu_corner_radius: rounding,
        panel_fill: tokens.panel,
        popup_shadow: shadow,
        // A blinking cursor keeps an idle window painting.
        text_cursor: TextCursorStyle {
            stroke: Stroke::new(1.5, tokens.accent),
            blink: false,
            ..Default::default()
        },
        indent_has_left_vline: false,
        slider_trailing_fill: true,
        interact_cursor: None,
        ..if tokens.dark {
            Visuals::dark()
        } else {
            Visuals::light()
        }
    }
}

fn widgets(tokens: &Tokens) -> Widgets {
    let state = |fill: Color32, border: Stroke, text: Stroke| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: border,
        fg_stroke: text,
        corner_radius: CornerRadius::same(size::ROUNDING),
        expansion: 0.0,
    };
    let line = Stroke::new(1.0, tokens.border);
    let text = Stroke::new(1.0, tokens.text);
    // egui paints what has the focus as it paints what is pressed: the ring has to be told from a mere border.
    let focus = Stroke::new(2.0, tokens.accent);
    Widgets {
        noninteractive: state(tokens.panel, line, text),
        inactive: state(tokens.hover, line, text),
        hovered: state(
            tokens.selected,
            Stroke::new(1.0, tokens.weak.gamma_multiply(0.5)),
            text,
        ),
        active: state(tokens.selected, focus, text),
        open: state(tokens.selected, line, text),
    }
}

impl Tokens {
    /// Behind selected text and chosen buttons, whose text is `accent`.
    pub(crate) fn selection_fill(&self) -> Color32 {
        if self.dark {
            Color32::from_rgb(0x22, 0x33, 0x50)
        } else {
            Color32::from_rgb(0xDF, 0xEA, 0xFC)
        }
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_core::{RngCore, SeedableRng};

    use super::*;

    #[test]
    fn text_stands_out_from_every_background() {
        for tokens in [&DARK, &LIGHT] {
            let texts = [
                tokens.text,
                tokens.weak,
                tokens.accent,
                tokens.green,
                tokens.amber,
                tokens.red,
            ];
            for (at, text) in texts.into_iter().enumerate() {
                for background in tokens.backgrounds() {
                    let ratio = contrast(text, background);
                    assert!(
                        ratio >= MIN_CONTRAST,
                        "text {at} {text:?} on {background:?}: {ratio}"
                    );
                }
            }
            assert!(contrast(tokens.on_accent, tokens.accent_fill) >= MIN_CONTRAST);
            assert!(contrast(tokens.on_accent, tokens.red) >= MIN_CONTRAST);
            assert!(contrast(tokens.accent, tokens.selection_fill()) >= MIN_CONTRAST);
            assert!(contrast(tokens.text, tokens.selection_fill()) >= MIN_CONTRAST);
        }
    }

    #[test]
    fn nick_colours_are_readable_and_not_all_one() {
        let seed = 7;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for tokens in [&DARK, &LIGHT] {
            let mut seen = std::collections::BTreeSet::new();
            for round in 0..2_000 {
                let mut key = [0; 32];
                rng.fill_bytes(&mut key);
                let color = nick_color(&key, tokens);
                seen.insert(color.to_array());
                for background in tokens.backgrounds() {
                    let ratio = contrast(color, background);
                    assert!(
                        ratio >= MIN_CONTRAST,
                        "seed {seed}, key {round}: {color:?} on {background:?}: {ratio}"
                    );
                }
            }
            assert!(seen.len() > 200, "only {} colours", seen.len());
        }
    }
}
