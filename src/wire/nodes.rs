use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Reader, WireError};
use crate::id::ClientId;

/// The most nodes in one send_nodes.
pub const MAX_NODES: usize = 6;

/// An address on the wire, in bytes: family 1, ip 16, port 2.
const ADDRESS_LEN: usize = 19;

const FAMILY_IPV4: u8 = 2;
const FAMILY_IPV6: u8 = 10;

/// Ties an answer to its question: 8 random bytes.
pub type PingId = [u8; 8];

/// An answer to get_nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendNodes {
    /// The `ping_id` of the get_nodes.
    pub ping_id: PingId,
    /// 0 to 6 of them.
    pub nodes: Vec<NodeAddress>,
    /// How they are encoded. We always write [`NodeFormat::Long`].
    pub format: NodeFormat,
}

impl SendNodes {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.ping_id);
        for node in &self.nodes {
            match (self.format, node.address.ip()) {
                (NodeFormat::Short, IpAddr::V4(ip)) => node.write_short(ip, out),
                _ => node.write(out),
            }
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let ping_id = reader.array()?;
        let mut nodes = Reader::new(reader.all_but(0)?);
        let (count, format) = count_nodes(nodes.clone().rest().len())?;
        let nodes = (0..count)
            .map(|_| match format {
                NodeFormat::Long => NodeAddress::read(&mut nodes),
                NodeFormat::Short => NodeAddress::read_short(&mut nodes),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            ping_id,
            nodes,
            format,
        })
    }
}

/// How nodes are encoded in a send_nodes. The length tells which: no count of up to six gives the same in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeFormat {
    /// 51 bytes per node, IPv4 and IPv6. Also the form of an empty list.
    Long,
    /// 40 bytes per node, IPv4 alone. (An IPv6 address in such a list is written long all the same, and no receiver
    /// accepts the mixture.)
    Short,
}

impl NodeFormat {
    /// Bytes per node.
    pub fn node_len(self) -> usize {
        match self {
            Self::Long => 32 + ADDRESS_LEN,
            Self::Short => 32 + 4 + 2 + 2,
        }
    }
}

/// A session and where it can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeAddress {
    /// The session.
    pub client_id: ClientId,
    /// Its address. Flow label and scope of an IPv6 address are not sent.
    pub address: SocketAddr,
}

impl NodeAddress {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.client_id.0);
        write_address(&self.address, out);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            client_id: ClientId(reader.array()?),
            address: read_address(reader)?,
        })
    }

    fn write_short(&self, ip: Ipv4Addr, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.client_id.0);
        out.extend_from_slice(&ip.octets());
        out.extend_from_slice(&self.address.port().to_be_bytes());
        out.extend_from_slice(&[0; 2]);
    }

    fn read_short(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let client_id = ClientId(reader.array()?);
        let ip = Ipv4Addr::from(reader.array::<4>()?);
        let port = reader.u16()?;
        reader.zeros(2)?;
        Ok(Self {
            client_id,
            address: SocketAddr::from((ip, port)),
        })
    }
}

/// `[family 1: 2 = IPv4, 10 = IPv6][ip 16, an IPv4 address in its first 4 bytes and zeros after][port 2]`
pub(crate) fn write_address(address: &SocketAddr, out: &mut Vec<u8>) {
    match address.ip() {
        IpAddr::V4(ip) => {
            out.push(FAMILY_IPV4);
            out.extend_from_slice(&ip.octets());
            out.extend_from_slice(&[0; 12]);
        }
        IpAddr::V6(ip) => {
            out.push(FAMILY_IPV6);
            out.extend_from_slice(&ip.octets());
        }
    }
    out.extend_from_slice(&address.port().to_be_bytes());
}

pub(crate) fn read_address(reader: &mut Reader<'_>) -> Result<SocketAddr, WireError> {
    let ip: IpAddr = match reader.u8()? {
        FAMILY_IPV4 => {
            let ip = Ipv4Addr::from(reader.array::<4>()?);
            reader.zeros(12)?;
            ip.into()
        }
        FAMILY_IPV6 => Ipv6Addr::from(reader.array::<16>()?).into(),
        _ => return Err(WireError::AddressFamily),
    };
    Ok(SocketAddr::new(ip, reader.u16()?))
}

fn count_nodes(len: usize) -> Result<(usize, NodeFormat), WireError> {
    for format in [NodeFormat::Long, NodeFormat::Short] {
        if len.is_multiple_of(format.node_len()) {
            let count = len / format.node_len();
            return if count <= MAX_NODES {
                Ok((count, format))
            } else {
                Err(WireError::TooManyNodes)
            };
        }
    }
    Err(WireError::RaggedNodes)
}
