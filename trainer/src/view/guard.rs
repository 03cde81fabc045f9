//! Who may talk to the server: its own page, nobody else's.
//!
//! A browser lets any web site open a WebSocket to this machine, and says truthfully by `Origin` which site it was. A site
//! can also give its own name this machine's address after its page was loaded (DNS rebinding), and then `Origin` and `Host`
//! both have that name. So both must agree, and `Host` must be no name but `localhost`: an address cannot be rebound.

use std::net::{Ipv4Addr, Ipv6Addr};

use hyper::HeaderMap;
use hyper::header::{HOST, ORIGIN};

/// The `Host` of a request, if it is this machine by its address or as `localhost`.
pub(super) fn host(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(HOST)?.to_str().ok()?;
    let (name, port) = match host.rsplit_once(':') {
        // The colons of an IPv6 address are within brackets.
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let v6 = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let known = match v6 {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => name.eq_ignore_ascii_case("localhost") || name.parse::<Ipv4Addr>().is_ok(),
    };
    let port = port.is_none_or(|port| port.parse::<u16>().is_ok());
    (known && port && headers.get_all(HOST).iter().count() == 1).then_some(host)
}

/// Does a request come from the page that this very server gave?
pub(super) fn from_own_page(headers: &HeaderMap) -> bool {
    let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
    let site = origin.and_then(|origin| origin.strip_prefix("http://"));
    match (site, host(headers)) {
        (Some(site), Some(host)) => site.eq_ignore_ascii_case(host),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &str, origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    #[test]
    fn hosts_are_addresses_or_localhost() {
        for known in ["127.0.0.1:8080", "localhost:1", "LOCALHOST", "[::1]:80", "[::1]", "10.0.0.7"]
        {
            assert_eq!(host(&headers(known, None)), Some(known));
        }
        for other in [
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "localhost.evil.example:8080",
            "127.0.0.1:80:80",
            "127.0.0.1:99999",
            "user@127.0.0.1",
            "::1",
            "[::1",
            "[evil]",
            "",
        ] {
            assert_eq!(host(&headers(other, None)), None, "{other}");
        }
    }

    #[test]
    fn only_the_own_page_may_drive() {
        let allowed = |host: &str, origin| from_own_page(&headers(host, origin));
        assert!(allowed("127.0.0.1:8080", Some("http://127.0.0.1:8080")));
        assert!(allowed("[::1]:8080", Some("http://[::1]:8080")));
        for origin in [
            None,
            Some("null"),
            Some("http://evil.example"),
            Some("http://127.0.0.1:9090"),
            Some("http://localhost:8080"),
            Some("https://127.0.0.1:8080"),
        ] {
            assert!(!allowed("127.0.0.1:8080", origin), "{origin:?}");
        }
        assert!(!allowed("evil.example:8080", Some("http://evil.example:8080")));
    }
}
