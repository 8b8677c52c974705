use std::fmt;

/// Why bytes are not a packet. The datagram is then dropped and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WireError {
    /// A datagram that ends before its box does: under 105 bytes.
    DatagramTooShort,
    /// A datagram, or the content of its box, longer than 1,024 bytes allow.
    DatagramTooLong,
    /// A datagram that does not begin with 48.
    FirstByte,
    /// Nothing was in the box, not even a kind.
    EmptyBox,
    /// A kind without a meaning.
    UnknownKind,
    /// An unknown kind of 96 to 127: a newer program's.
    UnknownExtension,
    /// It ends before its last field is complete.
    TooShort,
    /// Bytes are left over after its last field.
    TooLong,
    /// More nodes than six (in a welcome: two).
    TooManyNodes,
    /// Not a whole number of nodes.
    RaggedNodes,
    /// An address family other than 2 and 10.
    AddressFamily,
    /// Something other than zeros where zeros belong.
    Padding,
    /// Number 0, which no message has.
    NumberZero,
    /// A message id that this kind of packet does not carry.
    UnknownBody,
    /// A new_peer, ban_peer, topic or historic action inside a say.
    NotInSigned,
    /// A text that is not UTF-8.
    NotUtf8,
    /// A text that is empty where it must not be, or too long.
    TextLen,
    /// A status other than 0, 1 and 2.
    Status,
    /// A version of hello or welcome other than 1.
    Version,
    /// A flag, operation or answer that has no meaning.
    UnknownValue,
    /// No facts, an empty one, or more than eight.
    FactCount,
    /// A packet of repair that names nothing, or too much.
    ItemCount,
    /// A history question or answer that is empty, or too long.
    HistoryCount,
    /// Something that must ascend does not, or the times of says rise.
    NotAscending,
    /// A number that is not in its shortest form, or too large.
    Varint,
}

impl WireError {
    /// The error's name in the counters of dropped datagrams.
    pub fn cause(self) -> &'static str {
        match self {
            Self::DatagramTooShort => "datagram_too_short",
            Self::DatagramTooLong => "datagram_too_long",
            Self::FirstByte => "first_byte",
            Self::EmptyBox => "empty_box",
            Self::UnknownKind => "unknown_kind",
            Self::UnknownExtension => "unknown_extension",
            Self::TooShort => "packet_too_short",
            Self::TooLong => "packet_too_long",
            Self::TooManyNodes => "too_many_nodes",
            Self::RaggedNodes => "ragged_nodes",
            Self::AddressFamily => "address_family",
            Self::Padding => "padding",
            Self::NumberZero => "number_zero",
            Self::UnknownBody => "unknown_body",
            Self::NotInSigned => "not_in_signed",
            Self::NotUtf8 => "not_utf8",
            Self::TextLen => "text_len",
            Self::Status => "status",
            Self::Version => "version",
            Self::UnknownValue => "unknown_value",
            Self::FactCount => "fact_count",
            Self::ItemCount => "item_count",
            Self::HistoryCount => "history_count",
            Self::NotAscending => "not_ascending",
            Self::Varint => "varint",
        }
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cause())
    }
}

impl std::error::Error for WireError {}
