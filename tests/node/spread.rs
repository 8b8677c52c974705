//! Over which links a say goes at once, and of which it is told.

use std::time::Duration;

use throng::wire::{Body, Items, LinkOp, Packet, Want};

use crate::common::hand::{Bench, Member};
use crate::common::{Chat, secs};

/// A member of a chat of 14 with twelve links by hand.
fn twelve_links() -> (Bench, Vec<Member>) {
    let mut chat = Chat::new(9);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut members: Vec<Member> = (1..=12).map(|n| Member::link(&mut chat, &mut bench, n)).collect();
    let name = Member::new(&mut chat, 13).say(1, Body::Name("another".into()), true);
    members[0].send(&mut bench, &name);
    for _ in 0..6 {
        bench.pass(secs(5));
        for member in &mut members {
            member.keep_alive(&mut bench);
            copies(member, &mut bench);
        }
    }
    (bench, members)
}

/// How many says a member got; it wants all that it is told of.
fn copies(member: &mut Member, bench: &mut Bench) -> usize {
    let heard = member.heard(bench);
    for packet in &heard {
        if let Packet::Digest(digest) = packet {
            let (t, seq, ids) = (member.t(), digest.seq, digest.held.clone());
            let ranges = Vec::new();
            let items = Items { ids, ranges };
            member.send(bench, &Packet::Want(Want { t, seq, items }));
        }
    }
    heard
        .iter()
        .filter(|packet| matches!(packet, Packet::Say(_)))
        .count()
}

/// The first says much. How many copies of the last of it each of the others got at once: of what was said before, all got one.
fn copies_of_much(bench: &mut Bench, members: &mut [Member]) -> Vec<usize> {
    let mut at_once = Vec::new();
    for number in 1..20 {
        members[0].says(bench, number, "one of many");
        let others = members[1..].iter_mut();
        at_once = others.map(|member| copies(member, bench)).collect();
        if at_once.contains(&0) {
            assert!(number > 10, "few are passed on to all, {number}");
            break;
        }
    }
    at_once
}

/// When much is said, what a link brings is passed on at once over five other links, of twelve; the rest are told of it, and get
/// it when they want it. So a node pays little for strangers who link to it. What it says itself goes out over all.
#[test]
fn when_much_is_said_it_is_passed_on_over_five_links_and_announced_to_the_rest() {
    let (mut bench, mut members) = twelve_links();
    let at_once = copies_of_much(&mut bench, &mut members);
    assert_eq!(at_once.iter().sum::<usize>(), 5);
    bench.pass(Duration::from_millis(700));
    let others = members[1..].iter_mut().zip(at_once);
    for (member, _) in others.filter(|(_, copies)| *copies == 0) {
        assert_eq!(copies(member, &mut bench), 0);
        assert!(copies(member, &mut bench) > 0, "it was told, and wanted it");
    }
    bench.say("own");
    let all = members.iter_mut().map(|member| copies(member, &mut bench));
    assert_eq!(all.sum::<usize>(), bench.node.links().len());
}

/// Who says that it has no other link gets all at once, and by that takes nothing from those by whom the chat hangs together.
#[test]
fn who_has_no_other_link_gets_all_at_once_and_so_do_three_others() {
    let (mut bench, mut members) = twelve_links();
    for member in &mut members[1..7] {
        let open = throng::wire::Link {
            t: member.t(),
            op: LinkOp::Open,
            tree: 0,
            reason: 1,
        };
        member.send(&mut bench, &Packet::Link(open));
    }
    let at_once = copies_of_much(&mut bench, &mut members);
    assert_eq!(at_once[..6], [1; 6]);
    assert_eq!(at_once[6..].iter().sum::<usize>(), 3);
}
