//! Facts as they come, also from links that lie, keep back or flood. The rows in comments are those of
//! `docs/security.md`.

use std::time::Duration;

use throng::crypto::SigningKey;
use throng::facts::{self, Action, Denied, Fact, Place, Role};
use throng::id::MemberId;
use throng::invite::InviteKey;
use throng::node::{Input, Moderation, NodeEvent, NodeKind, StoredFact};
use throng::wire::{self, Body, Facts, Keepalive, Packet};

use crate::common::hand::{Bench, FIRST, Member, NOW_MS, ban};
use crate::common::{Chat, secs};

fn has_asked_for_facts(packets: &[Packet]) -> bool {
    packets.iter().any(|packet| matches!(packet, Packet::FactsAsk(_)))
}

/// The founder's first fact.
fn founders(chat: &Chat, body: facts::Body) -> Fact {
    Fact::sign(&chat.founder, &chat.id, FIRST, NOW_MS, body).expect("a fact")
}

/// A keepalive that asks nothing and names a root.
fn vouches(member: &mut Member, bench: &mut Bench, facts_root: [u8; 32]) {
    let keepalive = Keepalive {
        facts_root,
        ..member.keepalive()
    };
    member.send(bench, &Packet::Keepalive(keepalive));
}

/// A member's node on the bench, not the founder's.
fn members_bench(chat: &mut Chat) -> (Bench, SigningKey) {
    let invite = chat.invite(1, 0, Vec::new());
    let (mut config, key) = chat.newcomer("member", &invite, 0);
    if let NodeKind::Signed(state) = &mut config.kind {
        (state.charter, state.joined) = (Some(chat.charter.clone()), true);
    }
    (Bench::new(config), key)
}

// Row 9.

#[test]
fn a_link_with_other_facts_is_asked_for_them_at_once_and_at_each_keepalive() {
    let mut chat = Chat::new(9);
    let mut bench = Bench::new(chat.founder_config("founder"));
    // Its hello names another root than ours.
    let mut member = Member::new(&mut chat, 1);
    let mut hello = member.hello();
    hello.facts_root = [1; 32];
    let knock = member.peer.seal_to_gate(&chat, &Packet::Hello(hello));
    bench.receive(member.peer.address, &knock);
    let welcome = bench.sent_to(member.peer.address).pop().expect("a welcome");
    let Packet::Welcome(welcome) = member.peer.open(&welcome) else {
        panic!("a welcome")
    };
    assert_eq!(welcome.facts_root, bench.node.facts_root());
    member.token = welcome.token;
    let open = wire::Link {
        t: member.t(),
        op: wire::LinkOp::Open,
        tree: 0,
        reason: 0,
    };
    member.send(&mut bench, &Packet::Link(open));
    assert!(
        has_asked_for_facts(&member.heard(&mut bench)),
        "by the hello's root"
    );

    let mut same = Member::link(&mut chat, &mut bench, 2);
    assert!(!has_asked_for_facts(&same.heard(&mut bench)), "it named our own");
    bench.pass(secs(3));
    vouches(&mut same, &mut bench, [2; 32]);
    assert!(
        has_asked_for_facts(&same.heard(&mut bench)),
        "by the keepalive's root"
    );
}

#[test]
fn a_ban_that_a_lying_link_hides_comes_by_any_honest_one() {
    let mut chat = Chat::new(10);
    let (mut bench, _) = members_bench(&mut chat);
    let mut liar = Member::link(&mut chat, &mut bench, 1);
    let mut honest = Member::link(&mut chat, &mut bench, 2);
    let victim = Member::link(&mut chat, &mut bench, 3);
    let fact = founders(&chat, facts::Body::Ban(ban(victim.id())));
    // The liar says that it has what we have. The other names its own root, and answers when asked.
    for _ in 0..3 {
        bench.pass(secs(5));
        let own = bench.node.facts_root();
        vouches(&mut liar, &mut bench, own);
    }
    honest.heard(&mut bench);
    vouches(&mut honest, &mut bench, [7; 32]);
    assert!(has_asked_for_facts(&honest.heard(&mut bench)));
    honest.facts(&mut bench, &[fact]);
    let who = bench.node.admitted(&victim.id()).expect("met");
    let state = bench.node.state().expect("a state");
    assert_eq!(state.may(&who, Action::Speak), Err(Denied::Banned));
    bench.pass(secs(2));
    let linked = bench.node.links();
    assert!(linked.iter().all(|link| link.member != victim.id()));
}

#[test]
fn moderation_is_stale_as_long_as_only_those_of_one_invite_confirm_it() {
    let mut chat = Chat::new(11);
    let (mut bench, _) = members_bench(&mut chat);
    let liars = chat.invite(0, 0, Vec::new());
    let mut liars: Vec<Member> = (1..=3).map(|n| Member::by(&mut chat, &liars, n)).collect();
    for liar in &mut liars {
        liar.come_in(&chat, &mut bench);
    }
    let mut other = Member::link(&mut chat, &mut bench, 9);
    let stale = |bench: &Bench| {
        let told = bench.events.iter().rev().find_map(|event| match event {
            NodeEvent::ModerationStale(stale) => Some(*stale),
            _ => None,
        });
        told.unwrap_or(false)
    };
    for _ in 0..20 {
        bench.pass(secs(5));
        for liar in &mut liars {
            let own = bench.node.facts_root();
            vouches(liar, &mut bench, own);
        }
        vouches(&mut other, &mut bench, [8; 32]);
    }
    assert!(stale(&bench), "three agree, of one invite; a fourth does not");
    let own = bench.node.facts_root();
    vouches(&mut other, &mut bench, own);
    bench.pass(secs(5));
    assert!(!stale(&bench), "two of different invites agree");
}

// Row 12.

/// The proof that a member said two things under number 5, from a node that heard both, with what admits the member.
fn proof_of_fork(chat: &mut Chat, liar: &mut Member) -> (Fact, Vec<u8>) {
    let mut elsewhere = Bench::new(chat.founder_config("founder"));
    liar.come_in(chat, &mut elsewhere);
    liar.says(&mut elsewhere, 5, "to you");
    liar.says(&mut elsewhere, 5, "to the others");
    let stored = elsewhere.events.iter().find_map(|event| match event {
        NodeEvent::FactsChanged { added, .. } => added.first().cloned(),
        _ => None,
    });
    let stored = stored.expect("a proof");
    let fact = Fact::decode(&stored.fact).expect("a fact");
    (fact, stored.credential.expect("what admits them"))
}

#[test]
fn who_learns_of_a_fork_by_its_proof_alone_goes_by_it_and_after_a_restart_too() {
    let mut chat = Chat::new(13);
    let mut liar = Member::new(&mut chat, 1);
    let (proof, credential) = proof_of_fork(&mut chat, &mut liar);

    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut relay = Member::link(&mut chat, &mut bench, 2);
    let packet = Facts {
        t: relay.t(),
        facts: vec![[&[0], credential.as_slice()].concat(), proof.encode()],
    };
    relay.send(&mut bench, &Packet::Facts(packet));
    let member = liar.id();
    assert!(bench.events.contains(&NodeEvent::Forked { member }));
    let say_on = |bench: &mut Bench, relay: &mut Member| {
        let four = liar.say(4, Body::Message("before".into()), true);
        let six = liar.say(6, Body::Message("after".into()), true);
        relay.send(bench, &four);
        relay.send(bench, &six);
    };
    say_on(&mut bench, &mut relay);
    assert_eq!(bench.texts(), ["before"]);
    assert_eq!(bench.dropped("session_over"), 1);

    let stored = bench.events.iter().find_map(|event| match event {
        NodeEvent::FactsChanged { added, .. } => Some(added.clone()),
        _ => None,
    });
    let mut config = chat.founder_config("founder");
    if let NodeKind::Signed(state) = &mut config.kind {
        state.facts = stored.expect("to be kept");
    }
    let mut again = Bench::with_seed(config, 44);
    let mut relay = Member::link(&mut chat, &mut again, 3);
    say_on(&mut again, &mut relay);
    assert_eq!(again.texts(), ["before"], "after a restart");
}

#[test]
fn a_forged_proof_of_a_fork_accuses_nobody() {
    let mut chat = Chat::new(14);
    let mut liar = Member::new(&mut chat, 1);
    let (proof, _) = proof_of_fork(&mut chat, &mut liar);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut relay = Member::link(&mut chat, &mut bench, 2);
    let victim = Member::link(&mut chat, &mut bench, 3);
    let mut forged = proof;
    forged.issuer = victim.id();
    relay.facts(&mut bench, &[forged]);
    let forked = |event: &NodeEvent| matches!(event, NodeEvent::Forked { .. });
    assert!(!bench.events.iter().any(forked));
    assert_eq!(bench.dropped("bad_signature"), 1);
}

#[test]
fn a_ban_says_how_far_words_are_kept_and_nothing_of_the_banned_is_taken_any_more() {
    let mut chat = Chat::new(22);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::link(&mut chat, &mut bench, 1);
    let mut relay = Member::link(&mut chat, &mut bench, 2);
    member.says(&mut bench, 1, "one");
    member.says(&mut bench, 7, "seven");
    bench.tell(Input::Moderate(Moderation::Ban {
        member: member.id(),
        reason: "noise".into(),
        with_invite: false,
        hide_all: false,
    }));
    let who = bench.node.admitted(&member.id()).expect("met");
    let state = bench.node.state().expect("a state");
    let client_id = member.peer.client_id;
    assert!(state.shows(&who, &client_id, 7));
    assert!(!state.shows(&who, &client_id, 8), "the last good number is 7");
    // Whatever its number and time: it comes after the ban.
    for number in [2, 8] {
        let say = member.say_at(
            NOW_MS << 16,
            number,
            Body::Message("as if it were before".into()),
            true,
        );
        member.send(&mut bench, &say);
        relay.send(&mut bench, &say);
    }
    relay.send(&mut bench, &member.say(3, Body::Name("Founder".into()), true));
    assert_eq!(bench.texts(), ["one", "seven"]);
    let members = bench.node.members();
    assert!(members.iter().all(|known| known.nick != "Founder"));
}

// Row 22.

/// A chain of bans by a moderator.
fn bans_by(chat: &Chat, by: &Member, victims: &[MemberId]) -> Vec<Fact> {
    let mut prev = [0; 16];
    let mut facts = Vec::new();
    for (seq, victim) in (1..).zip(victims) {
        let place = Place { seq, prev, epoch: 1 };
        let fact =
            Fact::sign(&by.key, &chat.id, place, NOW_MS, facts::Body::Ban(ban(*victim))).expect("a fact");
        prev = fact.short_id(&chat.id);
        facts.push(fact);
    }
    facts
}

#[test]
fn a_moderator_who_bans_everybody_is_slow_and_all_of_it_is_undone_at_once() {
    let mut chat = Chat::new(23);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut rogue = Member::link(&mut chat, &mut bench, 1);
    let invite: InviteKey = chat.invite(0, 0, Vec::new());
    let mut victims = Vec::new();
    for n in 2..=5 {
        let mut victim = Member::by(&mut chat, &invite, n);
        victim.come_in(&chat, &mut bench);
        victims.push(victim.id());
    }
    bench.tell(Input::Moderate(Moderation::SetRole(rogue.id(), Role::Moderator)));
    let strangers = (1..=60).map(|n| MemberId([n; 32]));
    let all: Vec<MemberId> = victims.iter().copied().chain(strangers).collect();
    for fact in bans_by(&chat, &rogue, &all) {
        rogue.facts(&mut bench, &[fact]);
    }
    let bans = |bench: &Bench| bench.node.state().expect("a state").bans().count();
    assert_eq!((bans(&bench), bench.dropped("facts_metered")), (32, 32));
    let may_speak = |bench: &Bench, member: &MemberId| {
        let who = bench.node.admitted(member).expect("met");
        bench.node.state().expect("a state").may(&who, Action::Speak)
    };
    assert_eq!(may_speak(&bench, &victims[0]), Err(Denied::Banned));
    assert_eq!(
        bench.node.may(Action::Speak),
        Ok(()),
        "the founder is nobody's to ban"
    );

    // The founder demotes them, with a cut before all that.
    let cut = facts::Body::Demote {
        member: rogue.id(),
        seq: 0,
        last_good: [0; 16],
    };
    let place = Place {
        seq: 2,
        prev: [0; 16],
        epoch: 2,
    };
    let fact = Fact::sign(&chat.founder, &chat.id, place, NOW_MS, cut).expect("a fact");
    rogue.facts(&mut bench, &[fact]);
    assert_eq!(bans(&bench), 0);
    for victim in &victims {
        assert_eq!(may_speak(&bench, victim), Ok(()));
    }
    // Nor is it believed when it is backdated, by whomever it comes.
    let mut relay = Member::link(&mut chat, &mut bench, 9);
    relay.facts(&mut bench, &bans_by(&chat, &rogue, &victims));
    assert_eq!(bans(&bench), 0);
}

#[test]
fn what_is_kept_of_facts_is_looked_into_again_at_the_next_start() {
    let chat = Chat::new(24);
    let good = founders(&chat, facts::Body::Ban(ban(MemberId([1; 32]))));
    let mut forged = founders(&chat, facts::Body::Ban(ban(MemberId([2; 32]))));
    forged.place.seq = 2;
    forged.place.epoch = 2;
    let stored = |fact: &Fact| StoredFact {
        id: fact.id(&chat.id),
        fact: fact.encode(),
        credential: None,
    };
    let mut config = chat.founder_config("founder");
    if let NodeKind::Signed(state) = &mut config.kind {
        state.facts = vec![stored(&forged), stored(&good)];
    }
    let bench = Bench::new(config);
    let state = bench.node.state().expect("a state");
    assert_eq!((state.bans().count(), state.epoch()), (1, 1));
}

#[test]
fn time_alone_takes_nothing_back() {
    let mut chat = Chat::new(25);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let member = Member::link(&mut chat, &mut bench, 1);
    bench.tell(Input::Moderate(Moderation::Ban {
        member: member.id(),
        reason: String::new(),
        with_invite: false,
        hide_all: true,
    }));
    let before = bench.node.state().expect("a state").to_bytes();
    bench.pass(Duration::from_secs(3 * 86_400));
    assert_eq!(bench.node.state().expect("a state").to_bytes(), before);
}

#[test]
fn facts_by_those_who_may_not_make_them_change_nothing() {
    let mut chat = Chat::new(32);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut forger = Member::link(&mut chat, &mut bench, 1);
    let before = bench.node.state().expect("a state").to_bytes();
    let ban_of = |key: &SigningKey| facts::Body::Ban(ban(MemberId(key.public())));
    // In their own name, and in the founder's.
    let own = Fact::sign(
        &forger.key,
        &chat.id,
        Place { epoch: 0, ..FIRST },
        0,
        ban_of(&chat.founder),
    );
    let forged = Fact::sign(&forger.key, &chat.id, FIRST, 0, ban_of(&forger.key)).map(|fact| Fact {
        issuer: MemberId(chat.founder.public()),
        ..fact
    });
    let (own, forged) = (own.expect("a fact"), forged.expect("a fact"));
    forger.facts(&mut bench, &[own, forged]);
    assert_eq!(bench.dropped("bad_signature"), 1);
    assert_eq!(bench.node.state().expect("a state").to_bytes(), before);
    assert!(
        !bench
            .events
            .iter()
            .any(|event| matches!(event, NodeEvent::FactsChanged { .. }))
    );
}

#[test]
fn of_one_moderators_facts_few_are_taken_from_themselves_at_a_time() {
    let mut chat = Chat::new(33);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut moderator = Member::link(&mut chat, &mut bench, 1);
    let member = moderator.id();
    bench.tell(Input::Moderate(Moderation::SetRole(member, Role::Moderator)));
    let mut prev = [0; 16];
    for seq in 1..=40 {
        let victim = MemberId([seq as u8; 32]);
        let place = Place { seq, prev, epoch: 1 };
        let body = facts::Body::Grant {
            member: victim,
            role: Role::Observer,
            counter: 1,
        };
        let fact = Fact::sign(&moderator.key, &chat.id, place, 0, body).expect("a fact");
        prev = fact.short_id(&chat.id);
        moderator.facts(&mut bench, &[fact]);
    }
    let silenced = |bench: &Bench| bench.node.state().expect("a state").granted().count();
    assert_eq!(silenced(&bench), 32);
    assert_eq!(bench.dropped("facts_metered"), 8);
}
