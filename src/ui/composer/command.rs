//! Parsing what was typed: a message or a command.

use crate::model::Role;

/// What was typed, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submission {
    /// Say it.
    Say(String),
    /// Do it (/me).
    Act(String),
    /// A command.
    Command(SlashCommand),
}

/// The commands that can be typed, apart from /me.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlashCommand {
    /// /nick NAME
    Nick(String),
    /// /topic: show it.
    ShowTopic,
    /// /topic TEXT; empty: clear it, which is typed as /topic -delete.
    Topic(String),
    /// /away
    Away,
    /// /back
    Back,
    /// /busy
    Busy,
    /// /ban NICK REASON: the nick is found among the members.
    Ban(String),
    /// /unban NICK
    Unban(String),
    /// /role NICK ROLE
    Role(String, Role),
    /// /ignore NICK: ignore them, or show them again.
    Ignore(String),
    /// /log: who did what.
    Log,
    /// /invite: export an invite of this chat.
    Invite,
    /// /join TEXT: an invite as text or link; empty: the dialog.
    Join(String),
    /// /export: write this chat to a file.
    Export,
    /// /leave
    Leave,
    /// /search WORDS: in this chat.
    Search(String),
    /// /clear: forget what was said; asks first.
    Clear,
    /// /help
    Help,
}

/// A command as completion and the help show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandHelp {
    /// Its name, without the slash.
    pub name: &'static str,
    /// What is typed after it.
    pub arguments: &'static str,
    /// What it does.
    pub purpose: &'static str,
    /// Whom the first argument names, if anybody.
    pub(super) about: Option<About>,
    /// Whether a role comes after them.
    pub(super) gives_role: bool,
}

/// Whom a command is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// A member.
    Member,
    /// Somebody who is banned.
    Banned,
}

/// The roles that can be given, as they are typed.
pub(super) const GIVEN_ROLES: [(&str, Role); 3] = [
    ("moderator", Role::Moderator),
    ("member", Role::Member),
    ("observer", Role::Observer),
];

/// All commands, in the order in which the help lists them.
pub const COMMANDS: [CommandHelp; 19] = [
    help("say", "TEXT", "Say something that begins with a slash"),
    help("me", "WHAT YOU DO", "Say what you do"),
    help("nick", "NAME", "Change what you are called here"),
    help(
        "topic",
        "TEXT",
        "Show the topic, or change it; /topic -delete clears it",
    ),
    help("away", "", "Show that you are away"),
    help("back", "", "Show that you are back"),
    help("busy", "", "Show that you are busy"),
    help("invite", "", "Export an invite to this chat"),
    help("join", "INVITE", "Join a chat by its invite"),
    help("ban", "NICK REASON", "Ban a member; the reason may be left out").about(About::Member),
    help("unban", "NICK", "Lift the ban on somebody").about(About::Banned),
    help("role", "NICK ROLE", "Make somebody moderator, member or observer")
        .about(About::Member)
        .role(),
    help(
        "ignore",
        "NICK",
        "Hide what somebody says from you, or show it again",
    )
    .about(About::Member),
    help("log", "", "Show who banned whom, and the like"),
    help("export", "", "Write this chat to a file"),
    help("search", "WORDS", "Search in this chat"),
    help("leave", "", "Leave this chat and forget it"),
    help("clear", "", "Forget what was said here; asks first"),
    help("help", "", "List the commands and keys"),
];

/// Commands that people are used to from elsewhere and that don't exist yet.
const NOT_YET: [&str; 1] = ["quit"];

/// Parses what was typed. The error tells the user what is wrong and what to do.
pub(super) fn parse(text: &str) -> Result<Submission, String> {
    let text = text.trim();
    let Some(rest) = text.strip_prefix('/') else {
        return Ok(Submission::Say(text.to_owned()));
    };
    // No command begins like this, but many a line of code does.
    if rest.starts_with('/') {
        return Ok(Submission::Say(text.to_owned()));
    }
    let (name, argument) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let argument = argument.trim().to_owned();
    let name = name.to_lowercase();
    let command = match name.as_str() {
        "me" if argument.is_empty() => return Err("/me needs to know what you do: /me waves".to_owned()),
        "me" => return Ok(Submission::Act(argument)),
        "nick" if argument.is_empty() => return Err("/nick needs a name: /nick alice".to_owned()),
        "nick" => SlashCommand::Nick(argument),
        "say" if argument.is_empty() => return Err("/say needs to know what: /say /usr/bin".to_owned()),
        "say" => return Ok(Submission::Say(argument)),
        // As irssi and WeeChat have it.
        "topic" if argument.is_empty() => SlashCommand::ShowTopic,
        "topic" if argument == "-delete" => SlashCommand::Topic(String::new()),
        "topic" => SlashCommand::Topic(argument),
        "join" => SlashCommand::Join(argument),
        "away" => SlashCommand::Away,
        "back" => SlashCommand::Back,
        "busy" => SlashCommand::Busy,
        "invite" => SlashCommand::Invite,
        "ban" | "unban" | "ignore" | "role" if argument.is_empty() => {
            return Err(format!("/{name} needs to know whom: type a nick after it."));
        }
        "ban" => SlashCommand::Ban(argument),
        "unban" => SlashCommand::Unban(argument),
        "ignore" => SlashCommand::Ignore(argument),
        "role" => parse_role(&argument)?,
        "log" => SlashCommand::Log,
        "export" => SlashCommand::Export,
        "leave" => SlashCommand::Leave,
        "search" => SlashCommand::Search(argument),
        "clear" => SlashCommand::Clear,
        "help" => SlashCommand::Help,
        name if NOT_YET.contains(&name) => return Err(format!("/{name} is not there yet.")),
        _ => {
            return Err(format!(
                "There is no command /{name}. Type /help for the list, or put /say before it to say it as it is."
            ));
        }
    };
    Ok(Submission::Command(command))
}

/// The role is the last word; what stands before it is the nick.
fn parse_role(argument: &str) -> Result<SlashCommand, String> {
    let (who, role) = argument
        .rsplit_once(char::is_whitespace)
        .unwrap_or(("", argument));
    let role = role.to_lowercase();
    let given = GIVEN_ROLES.iter().find(|(name, _)| *name == role);
    match given {
        Some((_, role)) if !who.is_empty() => Ok(SlashCommand::Role(who.trim().to_owned(), *role)),
        _ => Err("/role needs a nick and a role: moderator, member or observer.".to_owned()),
    }
}

impl CommandHelp {
    const fn about(mut self, about: About) -> Self {
        self.about = Some(about);
        self
    }

    const fn role(mut self) -> Self {
        self.gives_role = true;
        self
    }
}

const fn help(name: &'static str, arguments: &'static str, purpose: &'static str) -> CommandHelp {
    CommandHelp {
        name,
        arguments,
        purpose,
        about: None,
        gives_role: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_understood() {
        let say = |text: &str| Ok(Submission::Say(text.to_owned()));
        let command = |command| Ok(Submission::Command(command));
        for (text, expected) in [
            ("hello", say("hello")),
            ("  hello\nworld ", say("hello\nworld")),
            ("//nick", say("//nick")),
            ("// TODO: sails", say("// TODO: sails")),
            ("/say /nick is a command", say("/nick is a command")),
            ("a /nick b", say("a /nick b")),
            ("/me waves", Ok(Submission::Act("waves".to_owned()))),
            ("/NICK  bob ", command(SlashCommand::Nick("bob".to_owned()))),
            ("/topic", command(SlashCommand::ShowTopic)),
            ("/topic ", command(SlashCommand::ShowTopic)),
            ("/topic -delete", command(SlashCommand::Topic(String::new()))),
            ("/topic a b", command(SlashCommand::Topic("a b".to_owned()))),
            (
                "/join throng:abc",
                command(SlashCommand::Join("throng:abc".to_owned())),
            ),
            ("/away", command(SlashCommand::Away)),
            (
                "/ban Ann Lee spam",
                command(SlashCommand::Ban("Ann Lee spam".to_owned())),
            ),
            (
                "/role Ann Lee Moderator",
                command(SlashCommand::Role("Ann Lee".to_owned(), Role::Moderator)),
            ),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        for (text, word) in [
            ("/dance", "/help"),
            ("/usr/bin", "/say"),
            ("/say", "/say"),
            ("/me", "/me"),
            ("/nick ", "/nick"),
            ("/quit", "yet"),
            ("/ban", "whom"),
            ("/role bob", "moderator, member or observer"),
            ("/role moderator", "nick"),
            ("/", "/help"),
        ] {
            let problem = parse(text).expect_err(text);
            assert!(problem.contains(word), "{text}: {problem}");
        }
    }

    #[test]
    fn every_listed_command_is_understood() {
        for command in COMMANDS {
            let typed = format!("/{} x member", command.name);
            assert!(parse(&typed).is_ok(), "{typed}");
        }
    }
}
