//! Cleaning texts of others before they are shown, with Unicode TS 39 (confusables), UAX 9 (direction) and UAX 29 (clusters)
//! in mind. Senders choose their nicks and texts, so these lose what would let them pose as something else: control
//! characters, characters that turn the direction of the text around them, hidden tags, and towers of combining marks.
//!
//! What is stored and passed on stays as it was signed. This is for the eye alone.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;

/// How many combining marks are shown on one character. Vietnamese and pointed Hebrew need up to three; one more is a guess.
const MAX_MARKS: usize = 4;

/// How many empty lines in a row are shown at most, so that nobody fills the window with line breaks.
const MAX_EMPTY_LINES: usize = 1;

/// Shown in place of a nick without visible characters.
const UNNAMED: &str = "unnamed";

/// A nick as it is shown: one line without control and direction characters, spaces single, few marks. Never empty.
pub fn shown_nick(nick: &str) -> String {
    let clean = shown_text(nick);
    let mut shown = String::with_capacity(clean.len());
    for word in clean.split_whitespace() {
        if !shown.is_empty() {
            shown.push(' ');
        }
        shown.push_str(word);
    }
    if shown.chars().all(is_joiner) {
        UNNAMED.to_owned()
    } else {
        shown
    }
}

/// A text as it is shown: its lines kept, without control and direction characters, few marks on a character, few
/// empty lines.
pub fn shown_text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let (mut marks, mut breaks) = (0, 0);
    for c in text.chars() {
        let c = match c {
            '\u{2028}' | '\u{2029}' => '\n',
            '\t' => ' ',
            // Icon fonts use the private use areas: a nick must not contain the window's own icons.
            '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}' => '?',
            c => c,
        };
        if c == '\n' {
            breaks += 1;
            marks = 0;
            if breaks <= MAX_EMPTY_LINES + 1 && !shown.is_empty() {
                shown.push('\n');
            }
            continue;
        }
        if is_hidden(c) {
            continue;
        }
        if is_mark(c) {
            marks += 1;
            if marks > MAX_MARKS {
                continue;
            }
        } else {
            marks = 0;
        }
        if !c.is_whitespace() {
            breaks = 0;
        }
        shown.push(c);
    }
    shown.truncate(shown.trim_end().len());
    shown
}

/// Two nicks have the same key if they differ only in case and in invisible characters. For finding a member by nick, and
/// for sorting.
pub fn nick_key(nick: &str) -> String {
    shown_nick(nick)
        .chars()
        .filter(|c| !is_joiner(*c))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Two nicks have the same look if a reader can mistake one for the other.
pub(super) fn nick_look(nick: &str) -> String {
    let seen = nick_key(nick);
    let seen = seen.chars().filter(|c| !c.is_whitespace());
    seen.map(looks_like).collect()
}

/// The Latin letter that a small letter or digit can be mistaken for. From Unicode's confusables (TS 39), those of the
/// scripts that most keyboards reach. What is missing here still has another identicon and colour.
fn looks_like(c: char) -> char {
    match c {
        // Fullwidth forms are in the order of ASCII.
        '\u{FF01}'..='\u{FF5E}' => {
            let ascii = char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c);
            looks_like(ascii.to_ascii_lowercase())
        }
        'а' | 'α' | 'ɑ' => 'a',
        'в' | 'β' | 'ß' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'ё' | 'є' | 'ε' => 'e',
        'һ' | 'н' | 'η' => 'h',
        '1' | '|' | 'i' | 'і' | 'ї' | 'ι' | 'ӏ' | 'ı' | 'ɩ' => 'l',
        'ј' | 'ϳ' => 'j',
        'к' | 'κ' => 'k',
        'м' | 'μ' => 'm',
        'п' | 'ո' => 'n',
        '0' | 'о' | 'ο' | 'օ' | 'σ' => 'o',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'г' => 'r',
        '5' | 'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ս' => 'u',
        'ѵ' | 'ν' => 'v',
        'ԝ' | 'ω' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' | 'ү' => 'y',
        'ζ' => 'z',
        c => c,
    }
}

/// Whether a text mentions a nick as a word of its own, in any case.
pub fn mentions(text: &str, nick: &str) -> bool {
    let (text, nick) = (text.to_lowercase(), shown_nick(nick).to_lowercase());
    text.match_indices(&nick).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        !before.is_some_and(is_in_word) && !after.is_some_and(is_in_word)
    })
}

/// Isolates a text that goes into a larger string (a copied line, a spoken name), so that right-to-left letters in it don't
/// reorder their neighbours. Text without such letters stays as it is.
pub fn isolated(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_right_to_left) {
        // First strong isolate … pop directional isolate (UAX #9).
        Cow::Owned(format!("\u{2068}{text}\u{2069}"))
    } else {
        Cow::Borrowed(text)
    }
}

fn is_in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Letters of right-to-left scripts: the blocks that Unicode reserves for them.
fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}'
        | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}

/// Joins or separates emoji and letters of some scripts, and is invisible itself.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}')
}

/// Is invisible but changes how others look, or hides something in plain sight.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Whether a character forms a cluster with the letter before it (UAX 29).
fn is_mark(c: char) -> bool {
    // The combining marks begin at U+0300.
    c >= '\u{300}' && {
        let mut bytes = [b'a', 0, 0, 0, 0];
        let end = 1 + c.encode_utf8(&mut bytes[1..]).len();
        std::str::from_utf8(&bytes[..end]).is_ok_and(|pair| pair.graphemes(true).nth(1).is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_or_turns_direction_is_not_shown() {
        for (nick, shown) in [
            ("alice", "alice"),
            ("  al\u{202E}ice \n bob\u{0}\u{7F} ", "alice bob"),
            ("a\u{200B}l\u{FEFF}ice\u{2066}", "alice"),
            ("al\u{E0061}ice", "alice"),
            ("\u{200D}\u{FE0F}", "unnamed"),
            ("", "unnamed"),
            ("\u{E001}staff", "?staff"),
        ] {
            assert_eq!(shown_nick(nick), shown, "{nick:?}");
        }
        assert_eq!(
            shown_text("one\r\ntwo\u{2028}three\tfour"),
            "one\ntwo\nthree four"
        );
    }

    #[test]
    fn marks_and_empty_lines_are_few() {
        let tower = format!("a{}b", "\u{301}".repeat(10_000));
        assert_eq!(shown_text(&tower), format!("a{}b", "\u{301}".repeat(MAX_MARKS)));
        // Words with clusters of many characters keep them all.
        for whole in ["कार्त्स्न्य", "Việt", "👩‍👩‍👧‍👦 👍🏽", "שָׁלוֹם", "한국어"]
        {
            assert_eq!(shown_text(whole), whole);
        }
        assert_eq!(shown_text("\n\na\n\n\n\n \n\nb\n\n"), "a\n\n b");
    }

    #[test]
    fn a_mention_is_a_word() {
        for (text, yes) in [
            ("alice: look", true),
            ("hi @Alice!", true),
            ("ALICE", true),
            ("malice", false),
            ("alices", false),
            ("", false),
            ("see alice_2", false),
            ("malice or alice", true),
        ] {
            assert_eq!(mentions(text, "alice"), yes, "{text:?}");
        }
    }

    #[test]
    fn nicks_that_look_the_same_have_one_key() {
        for same in ["Alice", "ALICE", "al\u{200D}ice", " alice ", "al\u{202E}ice"] {
            assert_eq!(nick_key(same), "alice", "{same:?}");
            assert_eq!(nick_look(same), nick_look("alice"), "{same:?}");
        }
        assert_ne!(nick_key("alice2"), "alice");
    }

    #[test]
    fn nicks_in_letters_of_other_scripts_look_the_same() {
        for same in [
            "аliсе",
            "αlice",
            "ａｌｉｃｅ",
            "a1ice",
            "aIice",
            "al ice",
            "ａｌＩｃｅ",
            "|",
        ] {
            let other = if same == "|" { "l" } else { "alice" };
            assert_eq!(nick_look(same), nick_look(other), "{same:?}");
        }
        for other in ["alica", "alice2", "bob", "алиса"] {
            assert_ne!(nick_look(other), nick_look("alice"), "{other:?}");
        }
    }

    #[test]
    fn only_right_to_left_text_is_fenced() {
        assert_eq!(isolated("alice"), "alice");
        assert_eq!(isolated("שלום"), "\u{2068}שלום\u{2069}");
    }
}
