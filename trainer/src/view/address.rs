//! By which address a browser opens the page.
//!
//! Where a server listens is not always an address to go to: 0.0.0.0 and [::] stand for every address of the machine, an
//! IPv4 address can be written as one of IPv6, and a link-local address needs a scope, for which browsers have no way of
//! writing.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Where a server listens, as a browser can use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    ip: IpAddr,
    port: u16,
    everywhere: bool,
}

impl Address {
    /// That of a listener; `None` where no browser can open it, as it needs a scope.
    pub fn of(listener: SocketAddr) -> Option<Self> {
        let (ip, port) = (listener.ip().to_canonical(), listener.port());
        match ip {
            IpAddr::V6(ip) if ip.is_unicast_link_local() => None,
            _ if !ip.is_unspecified() => Some(Address { ip, port, everywhere: false }),
            IpAddr::V4(_) => {
                Some(Address { ip: Ipv4Addr::LOCALHOST.into(), port, everywhere: true })
            }
            IpAddr::V6(_) => {
                Some(Address { ip: Ipv6Addr::LOCALHOST.into(), port, everywhere: true })
            }
        }
    }

    /// Can other machines reach it?
    pub fn is_open(&self) -> bool {
        self.everywhere || !self.ip.is_loopback()
    }

    /// Where it can be reached, in words.
    pub fn reach(&self) -> String {
        match self.everywhere {
            true => format!("port {} on every address of this machine", self.port),
            false => SocketAddr::from((self.ip, self.port)).to_string(),
        }
    }

    /// Is it that of every address of the machine?
    pub fn is_everywhere(&self) -> bool {
        self.everywhere
    }
}

/// The page's URL, which a browser on this machine can open.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", SocketAddr::from((self.ip, self.port)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::guard;
    use hyper::HeaderMap;
    use hyper::header::HOST;

    fn of(listener: &str) -> Option<Address> {
        Address::of(listener.parse().unwrap())
    }

    #[test]
    fn what_is_printed_can_be_opened() {
        for (listener, page, everywhere, open) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080", false, false),
            ("127.0.0.2:80", "http://127.0.0.2:80", false, false),
            ("0.0.0.0:8099", "http://127.0.0.1:8099", true, true),
            ("[::]:8099", "http://[::1]:8099", true, true),
            ("[::1]:8099", "http://[::1]:8099", false, false),
            ("[::1%3]:8099", "http://[::1]:8099", false, false),
            ("[::ffff:127.0.0.1]:8099", "http://127.0.0.1:8099", false, false),
            ("[::ffff:0.0.0.0]:8099", "http://127.0.0.1:8099", true, true),
            ("192.0.2.7:8099", "http://192.0.2.7:8099", false, true),
            ("[2001:db8::7]:8099", "http://[2001:db8::7]:8099", false, true),
        ] {
            let address = of(listener).unwrap();
            assert_eq!(address.to_string(), page);
            assert_eq!(
                (address.is_everywhere(), address.is_open()),
                (everywhere, open),
                "{listener}"
            );
            // The server answers who comes by it.
            let host = page.strip_prefix("http://").unwrap();
            let headers = HeaderMap::from_iter([(HOST, host.parse().unwrap())]);
            assert_eq!(guard::host(&headers), Some(host));
        }
        assert_eq!(
            of("0.0.0.0:8099").unwrap().reach(),
            "port 8099 on every address of this machine"
        );
        assert_eq!(of("[2001:db8::7]:8099").unwrap().reach(), "[2001:db8::7]:8099");
    }

    #[test]
    fn browsers_have_no_scopes() {
        for listener in ["[fe80::1%2]:8099", "[fe80::1]:8099", "[febf::7%1]:0"] {
            assert_eq!(of(listener), None, "{listener}");
        }
    }
}
