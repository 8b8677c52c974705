//! The icons of the window, by the names that they have at <https://lucide.dev/icons>.
//!
//! They are the glyphs of a font, `assets/fonts/Lucide-subset.ttf`, which holds those that are named here and no
//! others. To add one: write its row below, with its character from `info.json` of Lucide's font, then run
//! `assets/fonts/subset-lucide.sh`.

/// The font that has the glyphs.
pub(super) const FONT: &[u8] = include_bytes!("../../assets/fonts/Lucide-subset.ttf");

// One row for each icon, from which the script cuts the font and the test goes through it.
macro_rules! icons {
    ($($name:ident = $glyph:literal,)*) => {
        /// An icon.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the names are Lucide's and say what is to be seen")]
        pub enum Icon {
            $($name,)*
        }

        impl Icon {
            /// All of them.
            #[cfg(test)]
            const ALL: &[Icon] = &[$(Icon::$name,)*];

            /// The icon's character in [`FONT`], one of those for private use.
            pub fn unicode(self) -> char {
                match self {
                    $(Icon::$name => $glyph,)*
                }
            }
        }
    };
}

icons! {
    ArchiveRestore = '\u{e2cd}',
    ArrowDown = '\u{e042}',
    AtSign = '\u{e04e}',
    Ban = '\u{e051}',
    Check = '\u{e06c}',
    CheckCheck = '\u{e38e}',
    ChevronDown = '\u{e06d}',
    ChevronLeft = '\u{e06e}',
    ChevronRight = '\u{e06f}',
    CircleAlert = '\u{e077}',
    CircleCheck = '\u{e226}',
    Clock = '\u{e087}',
    Copy = '\u{e09e}',
    CornerDownRight = '\u{e0a2}',
    Crown = '\u{e1d6}',
    DoorClosed = '\u{e3d5}',
    DoorOpen = '\u{e3d6}',
    Eye = '\u{e0ba}',
    EyeOff = '\u{e0bb}',
    FolderOpen = '\u{e247}',
    Globe = '\u{e0e8}',
    Hourglass = '\u{e296}',
    Info = '\u{e0f9}',
    Link = '\u{e102}',
    Lock = '\u{e10b}',
    LockOpen = '\u{e10c}',
    MailOpen = '\u{e363}',
    Menu = '\u{e115}',
    MessageCirclePlus = '\u{e567}',
    MessagesSquare = '\u{e40d}',
    Minus = '\u{e11c}',
    PanelLeft = '\u{e12a}',
    Pickaxe = '\u{e5c6}',
    Plus = '\u{e13d}',
    QrCode = '\u{e1df}',
    Radio = '\u{e142}',
    Save = '\u{e14d}',
    ScrollText = '\u{e45f}',
    Search = '\u{e151}',
    SendHorizontal = '\u{e4f2}',
    Shield = '\u{e158}',
    ShieldAlert = '\u{e1fe}',
    Ticket = '\u{e20f}',
    TriangleAlert = '\u{e193}',
    Undo2 = '\u{e2a1}',
    Unplug = '\u{e45d}',
    User = '\u{e19f}',
    UserPlus = '\u{e1a2}',
    Users = '\u{e1a4}',
    X = '\u{e1b2}',
    Zap = '\u{e1b4}',
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model;
    use crate::ui::theme;

    #[test]
    fn the_font_has_every_icon() {
        let ctx = egui::Context::default();
        theme::install(&ctx, model::Theme::Dark, 100);
        let mut frame = ctx.run_ui(egui::RawInput::default(), |ui| {
            for icon in Icon::ALL {
                assert!(
                    ui.fonts_mut(|fonts| fonts.has_glyph(&theme::icon_font(16.0), icon.unicode())),
                    "{icon:?} is not in the font: run assets/fonts/subset-lucide.sh"
                );
            }
        });
        // Nothing is painted, so nobody takes the glyphs; egui asks for that to be said.
        frame.textures_delta.clear();
    }
}
