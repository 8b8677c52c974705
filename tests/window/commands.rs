//! Moderation by the commands of the composer.

use throng::model::*;

use crate::moderation::{chat_as, composer_text, say};
use crate::stage::*;

#[test]
fn commands_ban_lift_promote_and_ignore() {
    let (mut window, chat) = chat_as(Role::Founder);
    say(&mut window, "/role ann moderator");
    assert!(
        window.node.was_sent(
            &ChatCommand::SetRole {
                member: member(1),
                role: Role::Moderator
            }
            .to(chat)
        )
    );
    say(&mut window, "/ban Ben too much spam");
    assert!(
        window.node.was_sent(
            &ChatCommand::Ban {
                member: member(2),
                reason: "too much spam".to_owned(),
                with_invite: false,
                hide_all: false
            }
            .to(chat)
        )
    );
    say(&mut window, "/unban ben");
    assert!(
        window
            .node
            .was_sent(&ChatCommand::Unban { member: member(2) }.to(chat))
    );
    say(&mut window, "/ignore Ann");
    say(&mut window, "/ignore Ann");
    for ignored in [true, false] {
        assert!(
            window.node.was_sent(
                &ChatCommand::Ignore {
                    member: member(1),
                    ignored
                }
                .to(chat)
            )
        );
    }
    assert_eq!(composer_text(&window), "");
}

#[test]
fn commands_that_cannot_be_done_keep_their_text_and_say_why() {
    let (mut window, chat) = chat_as(Role::Moderator);
    for (typed, word) in [
        ("/ban Mallory", "Nobody here is called Mallory"),
        ("/ban Zoe", "below yours"),
        ("/unban Ben", "Ben is not banned."),
        ("/role Ben moderator", "founder"),
        ("/role Ben member", "already"),
        ("/role Ben king", "moderator, member or observer"),
        ("/ban", "whom"),
        ("/ban Robin", "yourself"),
    ] {
        say(&mut window, typed);
        assert_eq!(composer_text(&window), typed);
        assert!(window.shows(word), "{typed}");
    }
    assert!(window.node.take_sent().iter().all(|sent| !matches!(
        sent,
        Command::Chat {
            command: ChatCommand::Ban { .. },
            ..
        } | Command::Chat {
            command: ChatCommand::SetRole { .. },
            ..
        }
    )));

    // Two of one nick are told apart by their fingerprints.
    window.node.report(
        ChatEvent::NickChanged {
            member: member(1),
            nick: "ben".to_owned(),
        }
        .of(chat),
    );
    window.harness.run();
    say(&mut window, "/ban Ben spam");
    assert!(window.shows("More than one member is called"));
    say(&mut window, &format!("/ban {} spam", member(2).short()));
    assert!(
        window
            .node
            .take_sent()
            .iter()
            .any(|sent| matches!(sent, Command::Chat { command: ChatCommand::Ban { member: who, .. }, .. } if *who == member(2)))
    );
}

#[test]
fn the_help_lists_the_commands() {
    let (mut window, _) = chat_as(Role::Member);
    say(&mut window, "/help");
    assert!(window.has("/ban NICK REASON") && window.has("/role NICK ROLE"));
}
