//! Wrong clocks: ours, those of others, and what is judged by them.

use throng::node::NodeEvent;
use throng::wire::WelcomeStatus;

use crate::common::hand::{Bench, Member, NOW_MS};
use crate::common::{Chat, secs};

/// A node whose links' clocks are ahead of its own by so many seconds each.
fn among_clocks(ahead_secs: &[i64]) -> (Chat, Bench) {
    let mut chat = Chat::new(29);
    let mut bench = Bench::new(chat.founder_config("founder"));
    for (n, ahead) in ahead_secs.iter().enumerate() {
        let mut member = Member::new(&mut chat, n as u8 + 1);
        member.time_ms = NOW_MS.saturating_add_signed(ahead * 1_000);
        member.come_in(&chat, &mut bench);
    }
    bench.pass(secs(6));
    (chat, bench)
}

/// What the node signs as the time of a message, in seconds past its own clock.
fn signed_ahead(bench: &mut Bench) -> i64 {
    bench.say("what time is it?");
    let at_ms = bench.events.iter().rev().find_map(|event| match event {
        NodeEvent::Message(message) => Some(message.at_ms),
        _ => None,
    });
    let own = NOW_MS + bench.now.as_millis() as u64;
    (at_ms.expect("said") as i64 - own as i64) / 1_000
}

fn clock_events(bench: &Bench) -> Vec<i64> {
    bench
        .events
        .iter()
        .filter_map(|event| match event {
            NodeEvent::ClockOff { by_ms } => Some(*by_ms),
            _ => None,
        })
        .collect()
}

#[test]
fn a_wrong_clock_is_set_right_by_the_median_of_three_and_told_once() {
    let hour = 3_600;
    let (_, mut bench) = among_clocks(&[hour, hour + 1, -hour]);
    assert_eq!(signed_ahead(&mut bench), hour);
    bench.pass(secs(5));
    assert_eq!(clock_events(&bench), [hour * 1_000]);

    let (_, mut two) = among_clocks(&[hour, hour]);
    assert_eq!(
        (signed_ahead(&mut two), clock_events(&two).len()),
        (0, 0),
        "two are too few"
    );

    let (_, mut minute) = among_clocks(&[60, 61, 62]);
    assert_eq!((signed_ahead(&mut minute), clock_events(&minute).len()), (61, 0));
}

#[test]
fn no_clocks_move_us_by_more_than_twelve_hours() {
    let day = 86_400;
    for (ahead, most) in [(2 * day, day / 2), (-2 * day, -day / 2)] {
        let (_, mut bench) = among_clocks(&[ahead; 5]);
        assert_eq!(signed_ahead(&mut bench), most);
    }
}

#[test]
fn an_invites_expiry_is_judged_by_the_clock_of_the_chat() {
    let (mut chat, mut bench) = among_clocks(&[3_600, 3_600, 3_600]);
    bench.sent.clear();
    let over = chat.invite(1, NOW_MS + 1_800_000, Vec::new());
    let welcome = Member::by(&mut chat, &over, 50).ask_in(&chat, &mut bench);
    assert_eq!(welcome.expect("an answer").status, WelcomeStatus::Expired);
}

#[test]
fn what_other_clocks_showed_is_forgotten_when_our_own_is_set() {
    let (_, mut bench) = among_clocks(&[3_600, 3_600, 3_600]);
    assert_eq!(signed_ahead(&mut bench), 3_600);
    // The user, or the system, sets it right. What is signed never goes back, so it is looked at in another way: an
    // hour more would be an hour too much.
    bench.clock_set_by = secs(3_600);
    bench.pass(secs(6));
    assert_eq!(signed_ahead(&mut bench), 3_600);
}
