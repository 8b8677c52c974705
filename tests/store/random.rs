//! Random writes in random order, with restarts between, against a store that is a few lists in memory. A failure
//! prints the shortest sequence that fails, and the seed.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    /// Queued without waiting.
    Write(Write),
    /// Queued and waited for.
    Save(Write),
    /// A look into the history.
    Look(ChatId, HistoryQuery, u32),
    /// The program ends and starts again.
    Restart,
}

/// What the store should hold.
#[derive(Default)]
struct Expected {
    chats: Vec<ExpectedChat>,
    settings: Settings,
    workspace: Workspace,
}

struct ExpectedChat {
    record: ChatRecord,
    members: BTreeMap<MemberId, (Option<Vec<u8>>, Option<String>)>,
    /// The members, the first met first.
    met: Vec<MemberId>,
    peers: BTreeMap<String, u64>,
    hearsay: BTreeMap<String, u64>,
    facts: BTreeMap<FactId, FactRecord>,
    ignored: BTreeSet<MemberId>,
    invites: BTreeMap<u32, InviteRecord>,
    /// In order.
    messages: Vec<Message>,
    draft: String,
    read: Option<MessageId>,
}

fn newest_first(addresses: &BTreeMap<String, u64>) -> Vec<SocketAddr> {
    let mut addresses: Vec<_> = addresses.iter().collect();
    addresses.sort_by_key(|(address, seen_ms)| (std::cmp::Reverse(**seen_ms), (*address).clone()));
    let parsed = addresses.into_iter().map(|(address, _)| address.parse().unwrap());
    parsed.collect()
}

impl ExpectedChat {
    fn record(&self) -> ChatRecord {
        ChatRecord {
            admitted: self
                .met
                .iter()
                .filter_map(|member| self.members[member].0.clone())
                .collect(),
            nicks: self
                .members
                .iter()
                .filter_map(|(member, (_, nick))| Some((*member, nick.clone()?)))
                .collect(),
            peers: newest_first(&self.peers),
            facts: self.facts.values().cloned().collect(),
            ignored: self.ignored.iter().copied().collect(),
            invites: self.invites.values().cloned().collect(),
            ..self.record.clone()
        }
    }

    fn member(&mut self, member: MemberId) -> &mut (Option<Vec<u8>>, Option<String>) {
        if !self.met.contains(&member) {
            self.met.push(member);
        }
        self.members.entry(member).or_default()
    }

    fn place(&self, id: MessageId) -> Option<usize> {
        self.messages.iter().position(|message| message.id == id)
    }

    fn open_chat(&self) -> OpenChat {
        let from = self.read.map_or(0, |read| self.place(read).unwrap() + 1);
        let unread = self.messages[from..]
            .iter()
            .filter(|message| !message.own)
            .count() as u32;
        OpenChat {
            chat: self.record.chat,
            draft: self.draft.clone(),
            read: self.read,
            unread,
        }
    }

    fn history(&self, query: HistoryQuery, limit: u32) -> Option<std::ops::Range<usize>> {
        let (limit, end) = (limit as usize, self.messages.len());
        Some(match query {
            HistoryQuery::Newest => end.saturating_sub(limit)..end,
            HistoryQuery::Oldest => 0..limit.min(end),
            HistoryQuery::Before(id) => {
                let place = self.place(id)?;
                place.saturating_sub(limit)..place
            }
            HistoryQuery::After(id) => {
                let place = self.place(id)? + 1;
                place..(place + limit).min(end)
            }
            HistoryQuery::At(_) => unreachable!("by a test of its own"),
            HistoryQuery::Around(id) => {
                let (place, side) = (self.place(id)?, (limit - 1) / 2);
                place.saturating_sub(side)..(place + 1 + side).min(end)
            }
        })
    }

    fn apply(&mut self, write: Write) {
        let record = &mut self.record;
        match write {
            Write::SetNick { nick, .. } => record.nick = nick,
            Write::SetTopic { topic, by, .. } => (record.topic, record.topic_by) = (topic, by),
            Write::SetPort { port, .. } => record.port = Some(port),
            Write::SetJoined { keep_invite, .. } => {
                record.joined = true;
                record.secrets.invite = record.secrets.invite.take().filter(|_| keep_invite);
            }
            Write::SetCredential { credential, .. } => record.credential = Some(credential),
            Write::SetCharter { name, charter, .. } => (record.name, record.charter) = (name, Some(charter)),
            Write::AddMessage { message, .. } => {
                if self.place(message.id).is_none() {
                    self.messages.push(message);
                    self.messages.sort_by_key(|message| (message.place(), message.id));
                }
            }
            Write::SetDelivery { id, state, .. } => {
                let found = self
                    .messages
                    .iter_mut()
                    .find(|message| message.id == id && message.own);
                if let Some(message) = found {
                    message.delivery = Some(state);
                }
            }
            Write::AddMember {
                member, credential, ..
            } => {
                self.member(member).0 = Some(credential);
            }
            Write::SetMemberNick { member, nick, .. } => {
                self.member(member).1 = Some(nick);
            }
            Write::SawPeer { address, at_ms, .. } => {
                self.hearsay.remove(&address.to_string());
                let seen_ms = self.peers.entry(address.to_string()).or_default();
                *seen_ms = at_ms.max(*seen_ms);
            }
            Write::HeardOfPeer { address, at_ms, .. } => {
                if !self.peers.contains_key(&address.to_string()) {
                    let heard_ms = self.hearsay.entry(address.to_string()).or_default();
                    *heard_ms = at_ms.max(*heard_ms);
                }
            }
            Write::AddInvite { invite, .. } => {
                record.next_invite = record.next_invite.max(invite.number + 1);
                self.invites.entry(invite.number).or_insert(invite);
            }
            Write::PutFacts { added, removed, .. } => {
                self.facts.retain(|id, _| !removed.contains(id));
                self.facts.extend(added.into_iter().map(|fact| (fact.id, fact)));
            }
            Write::SetIgnored { member, ignored, .. } => {
                self.ignored.retain(|known| *known != member);
                self.ignored.extend(ignored.then_some(member));
            }
            Write::SaveDraft { text, .. } => self.draft = text,
            Write::MarkRead { message, .. } => {
                if self.place(message).is_some() {
                    self.read = Some(message);
                }
            }
            Write::SetHistoryHeld { since, is_whole, .. } => {
                (record.history_since, record.history_is_whole) = (Some(since), is_whole);
            }
            Write::SetRetention { retention, .. } => record.retention = retention,
            Write::ClearHistory { since, .. } => {
                record.history_since = Some(since);
                self.messages.clear();
                self.read = None;
            }
            Write::PutChat(_)
            | Write::AddPart { .. }
            | Write::Forget { .. }
            | Write::SayAgain { .. }
            | Write::SaveSettings(_)
            | Write::SaveWorkspace(_)
            | Write::RemoveChat { .. } => {
                unreachable!("not of one chat that is there")
            }
        }
    }
}

impl Expected {
    fn chat(&self, chat: ChatId) -> Option<&ExpectedChat> {
        self.chats.iter().find(|expected| expected.record.chat == chat)
    }

    fn apply(&mut self, write: Write) {
        match write {
            Write::SaveSettings(settings) => self.settings = settings,
            Write::SaveWorkspace(workspace) => {
                let tabs: Vec<_> = workspace
                    .tabs
                    .into_iter()
                    .filter(|tab| self.chat(*tab).is_some())
                    .collect();
                let selected = workspace.selected.filter(|tab| tabs.contains(tab));
                self.workspace = Workspace { tabs, selected };
            }
            Write::RemoveChat { chat } => {
                self.chats.retain(|expected| expected.record.chat != chat);
                self.apply(Write::SaveWorkspace(self.workspace.clone()));
            }
            Write::PutChat(record) => {
                match self.chats.iter_mut().find(|old| old.record.chat == record.chat) {
                    Some(old) => {
                        old.record = ChatRecord {
                            history_since: old.record.history_since,
                            history_is_whole: old.record.history_is_whole,
                            retention: old.record.retention,
                            ..*record
                        }
                    }
                    None => self.chats.push(ExpectedChat {
                        record: *record,
                        members: BTreeMap::new(),
                        met: Vec::new(),
                        peers: BTreeMap::new(),
                        hearsay: BTreeMap::new(),
                        facts: BTreeMap::new(),
                        ignored: BTreeSet::new(),
                        invites: BTreeMap::new(),
                        messages: Vec::new(),
                        draft: String::new(),
                        read: None,
                    }),
                }
            }
            write => {
                let chat = chat_of(&write);
                if let Some(expected) = self
                    .chats
                    .iter_mut()
                    .find(|expected| expected.record.chat == chat)
                {
                    expected.apply(write);
                }
            }
        }
    }

    async fn compare(&self, store: &Store) {
        let chats: Vec<_> = store.chats().await.unwrap().iter().map(all_of).collect();
        assert_eq!(
            chats,
            self.chats
                .iter()
                .map(|chat| all_of(&chat.record()))
                .collect::<Vec<_>>()
        );
        let open_chats = self.chats.iter().map(ExpectedChat::open_chat).collect();
        assert_eq!(
            store.workspace().await.unwrap(),
            (self.settings.clone(), self.workspace.clone(), open_chats)
        );
        for chat in &self.chats {
            let waiting = chat
                .messages
                .iter()
                .filter(|message| message.delivery == Some(DeliveryState::Waiting));
            let waiting: Vec<Message> = waiting.cloned().collect();
            assert_eq!(store.waiting(chat.record.chat).await.unwrap(), waiting);
            let hearsay = store.hearsay(chat.record.chat).await.unwrap();
            assert_eq!(hearsay, newest_first(&chat.hearsay));
            self.look(store, chat.record.chat, HistoryQuery::Newest, MAX_PAGE_LEN)
                .await;
        }
    }

    async fn look(&self, store: &Store, chat: ChatId, query: HistoryQuery, limit: u32) {
        let found = store.history(chat, query, limit).await;
        let expected = self
            .chat(chat)
            .and_then(|chat| Some((chat, chat.history(query, limit)?)));
        let Some((expected, range)) = expected else {
            return assert_eq!(found, Err(StoreError::NotFound));
        };
        let page = found.unwrap();
        let messages = &expected.messages[range.clone()];
        assert_eq!(
            (page.more_before, page.more_after),
            (range.start > 0, range.end < expected.messages.len())
        );
        assert_eq!(super::messages(page), messages);
    }
}

fn chat_of(write: &Write) -> ChatId {
    match write {
        Write::SetNick { chat, .. }
        | Write::SetTopic { chat, .. }
        | Write::SetPort { chat, .. }
        | Write::SetJoined { chat, .. }
        | Write::PutFacts { chat, .. }
        | Write::SetIgnored { chat, .. }
        | Write::SetCredential { chat, .. }
        | Write::SetCharter { chat, .. }
        | Write::SetDelivery { chat, .. }
        | Write::AddMember { chat, .. }
        | Write::SetMemberNick { chat, .. }
        | Write::SawPeer { chat, .. }
        | Write::HeardOfPeer { chat, .. }
        | Write::AddInvite { chat, .. }
        | Write::SaveDraft { chat, .. }
        | Write::MarkRead { chat, .. }
        | Write::AddPart { chat, .. }
        | Write::SetHistoryHeld { chat, .. }
        | Write::SetRetention { chat, .. }
        | Write::ClearHistory { chat, .. }
        | Write::Forget { chat, .. }
        | Write::RemoveChat { chat } => *chat,
        Write::AddMessage { message, .. } | Write::SayAgain { message, .. } => message.chat,
        Write::PutChat(record) => record.chat,
        Write::SaveSettings(_) | Write::SaveWorkspace(_) => unreachable!("of no chat"),
    }
}

fn any_chat() -> impl Strategy<Value = ChatId> {
    (1..4_u8).prop_map(chat)
}

fn any_member() -> impl Strategy<Value = MemberId> {
    (1..5_u8).prop_map(member)
}

/// Few, so that they meet.
fn any_message_id() -> impl Strategy<Value = MessageId> {
    (0..16_u32).prop_map(message_id)
}

fn any_text() -> impl Strategy<Value = String> {
    select(vec![
        "",
        "a",
        "it's",
        "naïve 🦀",
        "x\0y",
        "a rather longer text, of more than one word",
    ])
    .prop_map(str::to_owned)
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..40)
}

fn any_facts() -> impl Strategy<Value = Vec<FactRecord>> {
    let one = (1..9_u8, proptest::option::of(any_bytes()));
    proptest::collection::vec(
        one.prop_map(|(number, credential)| fact(number, credential)),
        0..4,
    )
}

fn any_write() -> impl Strategy<Value = Write> {
    let of_chats = prop_oneof![
        any_record().prop_map(|record| Write::PutChat(Box::new(record))),
        (any_chat(), any_text()).prop_map(|(chat, nick)| Write::SetNick { chat, nick }),
        (any_chat(), any_text(), proptest::option::of(any_member()))
            .prop_map(|(chat, topic, by)| Write::SetTopic { chat, topic, by }),
        (any_chat(), any_facts(), proptest::collection::vec(1..9_u8, 0..4)).prop_map(
            |(chat, added, removed)| Write::PutFacts {
                chat,
                added,
                removed: removed.into_iter().map(|number| FactId([number; 32])).collect(),
            }
        ),
        (any_chat(), any::<u16>()).prop_map(|(chat, port)| Write::SetPort { chat, port }),
        (any_chat(), any::<bool>()).prop_map(|(chat, keep_invite)| Write::SetJoined { chat, keep_invite }),
        (any_chat(), any_bytes()).prop_map(|(chat, credential)| Write::SetCredential { chat, credential }),
        (any_chat(), any_text(), any_bytes()).prop_map(|(chat, name, charter)| Write::SetCharter {
            chat,
            name,
            charter
        }),
        (any_chat(), 0..100_u32).prop_map(|(chat, number)| Write::AddInvite {
            chat,
            invite: invite(number),
        }),
        any_chat().prop_map(|chat| Write::RemoveChat { chat }),
        (any_chat(), any::<u64>(), any::<bool>()).prop_map(|(chat, since, is_whole)| {
            Write::SetHistoryHeld {
                chat,
                since,
                is_whole,
            }
        }),
        (any_chat(), 1..9_u16).prop_map(|(chat, days)| Write::SetRetention {
            chat,
            retention: Retention::Days { days },
        }),
        (any_chat(), any::<u64>()).prop_map(|(chat, since)| Write::ClearHistory { chat, since }),
    ];
    let of_members = prop_oneof![
        (any_chat(), any_member(), any::<bool>()).prop_map(|(chat, member, ignored)| Write::SetIgnored {
            chat,
            member,
            ignored
        }),
        (any_chat(), any_member(), any_bytes()).prop_map(|(chat, member, credential)| Write::AddMember {
            chat,
            member,
            credential
        }),
        (any_chat(), any_member(), any_text()).prop_map(|(chat, member, nick)| Write::SetMemberNick {
            chat,
            member,
            nick
        }),
        (any_chat(), 1..20_u16, 0..50_u64).prop_map(|(chat, port, at_ms)| Write::SawPeer {
            chat,
            address: SocketAddr::from(([10, 0, 0, 1], port)),
            at_ms,
        }),
        (any_chat(), 1..12_u16, 0..50_u64).prop_map(|(chat, port, at_ms)| Write::HeardOfPeer {
            chat,
            address: SocketAddr::from(([10, 0, 0, 1], port)),
            at_ms,
        }),
    ];
    let of_window = prop_oneof![
        (any_chat(), any_text()).prop_map(|(chat, text)| Write::SaveDraft { chat, text }),
        (any_chat(), any_message_id()).prop_map(|(chat, message)| Write::MarkRead { chat, message }),
        (any_text(), any::<bool>(), 50..300_u16).prop_map(|(nick, compact, zoom_percent)| {
            Write::SaveSettings(Settings {
                nick,
                compact,
                zoom_percent,
                ..Settings::default()
            })
        }),
        (
            Just(vec![chat(1), chat(2), chat(3)]).prop_shuffle(),
            0..4_usize,
            proptest::option::of(any_chat())
        )
            .prop_map(|(mut tabs, count, selected)| {
                tabs.truncate(count);
                Write::SaveWorkspace(Workspace { tabs, selected })
            }),
    ];
    let states = select(vec![
        DeliveryState::Waiting,
        DeliveryState::Sent,
        DeliveryState::Failed,
    ]);
    prop_oneof![
        2 => of_chats,
        1 => of_members,
        1 => of_window,
        4 => any_message().prop_map(add),
        2 => (any_chat(), any_message_id(), states)
            .prop_map(|(chat, id, state)| Write::SetDelivery { chat, id, state }),
    ]
}

fn any_record() -> impl Strategy<Value = ChatRecord> {
    let kinds = select(vec![ChatKind::Private, ChatKind::Public, ChatKind::Classic]);
    (1..4_u8, kinds, any_text(), any::<bool>(), any::<bool>()).prop_map(
        |(number, kind, name, joined, founder)| {
            let full = record(number);
            let chat_seed = full.secrets.chat_seed.clone().filter(|_| founder);
            ChatRecord {
                kind,
                name,
                joined,
                secrets: ChatSecrets {
                    chat_seed,
                    ..full.secrets
                },
                ..full
            }
        },
    )
}

fn any_message() -> impl Strategy<Value = Message> {
    (any_chat(), 0..16_u32, 0..6_i64, any_text(), any::<[bool; 3]>()).prop_map(
        |(chat, number, at_ms, text, [own, action, history])| Message {
            text,
            own,
            history,
            delivery: own.then_some(DeliveryState::Waiting),
            place: 0,
            body: if action {
                MessageBody::Action
            } else {
                MessageBody::Message
            },
            ..message(chat, number, at_ms)
        },
    )
}

fn any_step() -> impl Strategy<Value = Step> {
    let queries = prop_oneof![
        Just(HistoryQuery::Newest),
        Just(HistoryQuery::Oldest),
        any_message_id().prop_map(HistoryQuery::Before),
        any_message_id().prop_map(HistoryQuery::After),
        any_message_id().prop_map(HistoryQuery::Around),
    ];
    prop_oneof![
        20 => any_write().prop_map(Step::Write),
        5 => any_write().prop_map(Step::Save),
        5 => (any_chat(), queries, 1..8_u32).prop_map(|(chat, query, limit)| Step::Look(chat, query, limit)),
        1 => Just(Step::Restart),
    ]
}

async fn run(steps: Vec<Step>) {
    let profile = tempfile::tempdir().unwrap();
    let mut store = Store::open(profile.path()).unwrap();
    let mut expected = Expected::default();
    for step in steps {
        match step {
            Step::Write(write) => {
                store.write(write.clone()).unwrap();
                expected.apply(write);
            }
            Step::Save(write) => {
                store.save(write.clone()).await.unwrap();
                expected.apply(write);
            }
            Step::Look(chat, query, limit) => expected.look(&store, chat, query, limit).await,
            Step::Restart => {
                store.close().await;
                store = Store::open(profile.path()).unwrap();
                expected.compare(&store).await;
            }
        }
    }
    expected.compare(&store).await;
    store.close().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_store_does_what_lists_in_memory_do(steps in proptest::collection::vec(any_step(), 1..120)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(steps));
    }
}
