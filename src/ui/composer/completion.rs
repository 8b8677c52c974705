//! Completing a nick, a command or an `:emoji:` at the cursor. Pure: text and cursor in, candidates out.

use std::ops::Range;

use super::command::{About, COMMANDS, GIVEN_ROLES};

/// How many candidates are offered at once.
const MAX_CANDIDATES: usize = 8;
/// How many letters of an emoji's name have to be typed before candidates are offered: ":)" and ":D" stay as they are.
const EMOJI_LETTERS: usize = 2;

/// What members are called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'a> {
    /// Of those who are not banned, best first.
    pub(super) nicks: &'a [String],
    /// Of the banned.
    pub(super) banned: &'a [String],
}

/// What could stand in place of the word at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Completion {
    /// The word, in bytes of the text.
    pub(super) word: Range<usize>,
    /// Never empty.
    pub(super) candidates: Vec<Candidate>,
}

/// One way to complete a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// What takes the place of the word.
    pub(super) insert: String,
    /// How it is listed.
    pub(super) shown: String,
    /// What it is, for those who don't know it.
    pub(super) hint: String,
}

/// What the word before the cursor (in bytes) could become. `asked`: Tab was pressed, so a plain word may be a nick;
/// otherwise only words that begin with a sign (`/`, `:`, `@`) are completed.
pub(super) fn complete(text: &str, cursor: usize, names: &Names<'_>, asked: bool) -> Option<Completion> {
    let before = text.get(..cursor)?;
    if let Some(completion) = argument(before, names, asked) {
        return Some(completion);
    }
    let nicks = names.nicks;
    let start = before
        .rfind(char::is_whitespace)
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let word = &before[start..];
    let at_start = start == 0;
    let candidates = match word.chars().next()? {
        '/' if at_start => commands(&word[1..]),
        ':' if word.len() > if asked { 1 } else { EMOJI_LETTERS } => emojis(&word[1..]),
        '@' if asked || word.len() > 1 => matching_nicks(&word[1..], nicks, "@", at_start),
        _ if asked => matching_nicks(word, nicks, "", at_start),
        _ => Vec::new(),
    };
    let same = candidates.len() == 1 && candidates[0].insert.trim_end() == word;
    (!candidates.is_empty() && !same).then_some(Completion {
        word: start..cursor,
        candidates,
    })
}

/// The emoji that replaces `:name:` when its last colon has just been typed: where, and what.
pub(super) fn closed_emoji(text: &str, cursor: usize) -> Option<(Range<usize>, &'static str)> {
    let before = text.get(..cursor)?;
    let inner = before.strip_suffix(':')?;
    let start = inner.rfind(':')?;
    // Only where a word begins: "10:100:5" is a time of day to somebody.
    let begins_word = inner[..start].chars().next_back().is_none_or(char::is_whitespace);
    let emoji = emojis::get_by_shortcode(&inner[start + 1..])?;
    begins_word.then(|| (start..cursor, emoji.as_str()))
}

/// Whom a command is about, and the role that it gives: offered as soon as its name stands there.
fn argument(before: &str, names: &Names<'_>, asked: bool) -> Option<Completion> {
    let (command, typed) = before.strip_prefix('/')?.split_once(' ')?;
    let command = COMMANDS
        .iter()
        .find(|known| known.name == command.to_lowercase())?;
    let nicks = match command.about? {
        About::Member => names.nicks,
        About::Banned => names.banned,
    };
    let start = before.len() - typed.len();
    let begins = |whole: &str, part: &str| whole.to_lowercase().starts_with(&part.to_lowercase());
    let of_nick = |nick: &String| Candidate {
        insert: format!("{nick} "),
        shown: nick.clone(),
        hint: String::new(),
    };
    // The role comes after a whole nick.
    let named = nicks
        .iter()
        .filter(|nick| begins(typed, &format!("{nick} ")))
        .max_by_key(|nick| nick.len());
    let (start, candidates): (usize, Vec<Candidate>) = match named {
        Some(nick) if command.gives_role => {
            let role = &typed[typed.floor_char_boundary(nick.len() + 1)..];
            let roles = GIVEN_ROLES.iter().filter(|(name, _)| begins(name, role));
            let candidates = roles.map(|(name, _)| Candidate {
                insert: (*name).to_owned(),
                shown: (*name).to_owned(),
                hint: String::new(),
            });
            (before.len() - role.len(), candidates.collect())
        }
        Some(_) => return None,
        None if typed.is_empty() && !asked && nicks.len() > MAX_CANDIDATES => return None,
        None => {
            let matching = nicks.iter().filter(|nick| begins(nick, typed));
            (start, matching.take(MAX_CANDIDATES).map(of_nick).collect())
        }
    };
    let same = candidates.len() == 1 && candidates[0].insert.trim_end() == &before[start..];
    (!candidates.is_empty() && !same).then_some(Completion {
        word: start..before.len(),
        candidates,
    })
}

fn commands(typed: &str) -> Vec<Candidate> {
    let typed = typed.to_lowercase();
    let matching = COMMANDS.iter().filter(|command| command.name.starts_with(&typed));
    matching
        .map(|command| Candidate {
            insert: format!("/{} ", command.name),
            shown: format!("/{} {}", command.name, command.arguments)
                .trim_end()
                .to_owned(),
            hint: command.purpose.to_owned(),
        })
        .collect()
}

/// Nicks that begin with what was typed; at the start of a line they are followed by a colon.
fn matching_nicks(typed: &str, nicks: &[String], sign: &str, at_start: bool) -> Vec<Candidate> {
    let typed = typed.to_lowercase();
    let after = if at_start { ": " } else { " " };
    let matching = nicks
        .iter()
        .filter(|nick| nick.to_lowercase().starts_with(&typed));
    matching
        .take(MAX_CANDIDATES)
        .map(|nick| Candidate {
            insert: format!("{sign}{nick}{after}"),
            shown: nick.clone(),
            hint: String::new(),
        })
        .collect()
}

/// Emoji whose name begins with what was typed, then those that have it somewhere; short names first.
fn emojis(typed: &str) -> Vec<Candidate> {
    let typed = typed.to_lowercase();
    let names = emojis::iter().flat_map(|emoji| emoji.shortcodes().map(move |name| (name, emoji)));
    let mut found: Vec<_> = names.filter(|(name, _)| name.contains(&typed)).collect();
    found.sort_by_key(|(name, _)| (!name.starts_with(&typed), name.len(), *name));
    found.truncate(MAX_CANDIDATES);
    found
        .into_iter()
        .map(|(name, emoji)| Candidate {
            insert: format!("{emoji} "),
            shown: format!("{emoji}  :{name}:"),
            hint: String::new(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(text: &str, asked: bool) -> Vec<String> {
        let nicks = [
            "alice".to_owned(),
            "Albert".to_owned(),
            "bob".to_owned(),
            "Žofie".to_owned(),
        ];
        let names = Names {
            nicks: &nicks,
            banned: &["Mallory".to_owned()],
        };
        let completion = complete(text, text.len(), &names, asked);
        let inserts = |completion: Completion| {
            let candidates = completion.candidates.into_iter();
            candidates
                .map(|candidate| format!("{}{}", &text[..completion.word.start], candidate.insert))
                .collect()
        };
        completion.map_or_else(Vec::new, inserts)
    }

    #[test]
    fn nicks_are_completed_when_asked_for() {
        assert_eq!(completed("al", true), ["alice: ", "Albert: "]);
        assert_eq!(completed("al", false), [""; 0]);
        assert_eq!(completed("hi b", true), ["hi bob "]);
        assert_eq!(completed("hi @b", false), ["hi @bob "]);
        assert_eq!(completed("žo", true), ["Žofie: "]);
        assert_eq!(completed("hi ", true), [""; 0]);
        assert_eq!(completed("", true), [""; 0]);
    }

    #[test]
    fn commands_are_completed_at_the_start_alone() {
        assert_eq!(completed("/ni", false), ["/nick "]);
        assert_eq!(completed("/b", false), ["/back ", "/busy ", "/ban "]);
        assert_eq!(completed("say /ni", false), [""; 0]);
        assert_eq!(
            completed("/nick", false),
            [""; 0],
            "there is nothing left to complete"
        );
    }

    #[test]
    fn commands_about_members_complete_whom_and_what() {
        assert_eq!(completed("/ban al", false), ["/ban alice ", "/ban Albert "]);
        assert_eq!(completed("/ban alice al", false), [""; 0], "that is the reason");
        assert_eq!(completed("/unban ", false), ["/unban Mallory "]);
        assert_eq!(
            completed("/role bob m", false),
            ["/role bob moderator", "/role bob member"]
        );
        assert_eq!(completed("/role bob member", false), [""; 0]);
        assert_eq!(completed("/topic al", false), [""; 0]);
    }

    #[test]
    fn emoji_are_found_by_name() {
        assert_eq!(completed("so :thumbsu", false)[0], "so 👍 ");
        for smiley in [":)", ":D", ":-", "::"] {
            assert_eq!(completed(smiley, false), [""; 0], "{smiley}");
        }
        assert_eq!(closed_emoji("so :tada:", 9), Some((3..9, "🎉")));
        for text in ["10:100:", ":nothing of the kind:", "::", ":"] {
            assert_eq!(closed_emoji(text, text.len()), None, "{text}");
        }
    }
}
