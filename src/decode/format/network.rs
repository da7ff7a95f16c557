//! Addresses of the network.
//!
//! Source: payload reference, "Network".

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use crate::bytes::{array_at, u16_at, u32_at};
use crate::decode::format::digits::decimal;
use crate::decode::format::out::Out;

/// The address in a `SOCKADDR_IN` or `SOCKADDR_IN6`; `None` for another family, or what is cut short.
///
/// A scope that is missing at the end is none.
pub(super) fn socket_address(bytes: &[u8]) -> Option<SocketAddr> {
    let port = u16::from_be_bytes(*array_at(bytes, 2)?);
    match u16_at(bytes, 0)? {
        AF_INET => {
            let address: &[u8; 4] = array_at(bytes, 4)?;
            Some(SocketAddrV4::new(Ipv4Addr::from(*address), port).into())
        }
        AF_INET6 => {
            let address: &[u8; 16] = array_at(bytes, 8)?;
            let scope = u32_at(bytes, 24).unwrap_or(0);
            Some(SocketAddrV6::new(Ipv6Addr::from(*address), port, 0, scope).into())
        }
        _ => None,
    }
}

const AF_INET: u16 = 2;
const AF_INET6: u16 = 23;

/// Writes `192.0.2.1`.
pub(super) fn write_ipv4(address: [u8; 4], out: &mut impl Out) -> fmt::Result {
    let [a, b, c, d] = address;
    out.plain(decimal(a.into()).as_bytes())?;
    for part in [b, c, d] {
        out.plain(b".")?;
        out.plain(decimal(part.into()).as_bytes())?;
    }
    Ok(())
}

/// Writes `2001:db8::1`, as RFC 5952 has it.
pub(super) fn write_ipv6(address: [u8; 16], out: &mut impl Out) -> fmt::Result {
    out.plain_fmt(format_args!("{}", Ipv6Addr::from(address)))
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};

    use super::*;

    fn text(bytes: &[u8]) -> Option<String> {
        socket_address(bytes).map(|address| address.to_string())
    }

    #[test]
    fn an_ipv4_socket_address_is_address_and_port() {
        // family 2, port 443 big-endian, 192.0.2.1, eight zeros
        let bytes = [2, 0, 0x01, 0xBB, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(text(&bytes).as_deref(), Some("192.0.2.1:443"));
        assert_eq!(text(&bytes[..8]).as_deref(), Some("192.0.2.1:443"));
        assert_eq!(text(&bytes[..7]), None);
        // SOCKADDR_STORAGE has 128 bytes.
        let mut storage = [0; 128];
        storage[..16].copy_from_slice(&bytes);
        assert_eq!(text(&storage).as_deref(), Some("192.0.2.1:443"));
    }

    #[test]
    fn an_ipv6_socket_address_has_brackets_and_a_scope_if_it_is_not_zero() {
        // family 23, port 80, flow information, fe80::1, scope 7
        let mut bytes = [0; 28];
        bytes[..8].copy_from_slice(&[23, 0, 0, 80, 1, 2, 3, 4]);
        bytes[8..10].copy_from_slice(&[0xFE, 0x80]);
        bytes[23] = 1;
        bytes[24] = 7;
        assert_eq!(text(&bytes).as_deref(), Some("[fe80::1%7]:80"));
        assert_eq!(text(&bytes[..24]).as_deref(), Some("[fe80::1]:80"));
        assert_eq!(text(&bytes[..23]), None);
        bytes[24] = 0;
        assert_eq!(text(&bytes).as_deref(), Some("[fe80::1]:80"));
    }

    #[test]
    fn other_families_are_none() {
        assert_eq!(text(&[33, 0, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(text(&[0; 16]), None);
        assert_eq!(text(&[]), None);
        assert_eq!(text(&[2]), None);
    }
}
