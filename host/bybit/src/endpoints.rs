//! Hosts of the environments. Plain HTTP is for the paper exchange on this machine and for nothing else.

use portcullis_core::Environment;

/// Base URLs, without a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// REST.
    pub rest: String,
    /// Public streams.
    pub public: String,
    /// Private stream.
    pub private: String,
}

impl Endpoints {
    /// The paper exchange, as its ready line names it.
    pub fn paper(rest: &str, ws: &str) -> Self {
        Self { rest: rest.to_owned(), public: ws.to_owned(), private: ws.to_owned() }
    }

    /// Bybit's test network.
    pub fn testnet() -> Self {
        Self::of(
            "https://api-testnet.bybit.com",
            "wss://stream-testnet.bybit.com",
            "wss://stream-testnet.bybit.com",
        )
    }

    /// Bybit's demo trading, which has no public streams of its own.
    pub fn demo() -> Self {
        Self::of("https://api-demo.bybit.com", "wss://stream.bybit.com", "wss://stream-demo.bybit.com")
    }

    /// Bybit with real money. Accounts of some regions use other hosts: set the members.
    pub fn live() -> Self {
        Self::of("https://api.bybit.com", "wss://stream.bybit.com", "wss://stream.bybit.com")
    }

    fn of(rest: &str, public: &str, private: &str) -> Self {
        Self { rest: rest.to_owned(), public: public.to_owned(), private: private.to_owned() }
    }

    /// Whether the endpoints may be used for an environment.
    pub(crate) fn check(&self, environment: Environment) -> Result<(), InvalidEndpoint> {
        for (url, secure, plain) in
            [(&self.rest, "https", "http"), (&self.public, "wss", "ws"), (&self.private, "wss", "ws")]
        {
            let target = Target::parse(url)?;
            let loopback_paper = environment == Environment::Paper && target.is_loopback();
            if target.scheme != secure && !(target.scheme == plain && loopback_paper) {
                return Err(InvalidEndpoint {
                    url: url.clone(),
                    reason: "only the paper exchange on this machine goes without TLS",
                });
            }
            if environment == Environment::Paper && !target.is_loopback() {
                return Err(InvalidEndpoint {
                    url: url.clone(),
                    reason: "the paper exchange runs on this machine",
                });
            }
            if environment != Environment::Paper && target.is_loopback() {
                return Err(InvalidEndpoint {
                    url: url.clone(),
                    reason: "a loopback address is no exchange",
                });
            }
        }
        Ok(())
    }
}

/// An endpoint cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("endpoint {url}: {reason}")]
pub struct InvalidEndpoint {
    /// The endpoint.
    pub url: String,
    /// Why.
    pub reason: &'static str,
}

/// The parts of a base URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) scheme: String,
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Target {
    pub(crate) fn parse(url: &str) -> Result<Self, InvalidEndpoint> {
        let invalid = |reason| InvalidEndpoint { url: url.to_owned(), reason };
        let (scheme, authority) = url.split_once("://").ok_or_else(|| invalid("must be SCHEME://HOST"))?;
        let standard = match scheme {
            "https" | "wss" => 443,
            "http" | "ws" => 80,
            _ => return Err(invalid("the scheme must be https, wss, http or ws")),
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| invalid("the port must be a number up to 65535"))?)
            }
            _ => (authority, standard),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || !host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:".contains(&b)) {
            return Err(invalid("the host is not a name or address, or a path follows it"));
        }
        Ok(Self { scheme: scheme.to_owned(), host: host.to_owned(), port })
    }

    /// Whether the host is this machine, by address. `localhost` counts: it resolves by the hosts file.
    pub(crate) fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.parse::<core::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.scheme.ends_with('s') && self.scheme != "ws"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_on_this_machine() {
        let paper = Endpoints::paper("http://127.0.0.1:9000", "ws://[::1]:9000");
        assert_eq!(paper.check(Environment::Paper), Ok(()));
        assert!(paper.check(Environment::Testnet).is_err());
        assert!(
            Endpoints::paper("http://10.0.0.1:9000", "ws://127.0.0.1:9000")
                .check(Environment::Paper)
                .is_err()
        );
        assert!(
            Endpoints::paper("http://127.0.0.1.evil.example", "ws://127.0.0.1")
                .check(Environment::Paper)
                .is_err()
        );
        for (endpoints, environment) in [
            (Endpoints::testnet(), Environment::Testnet),
            (Endpoints::demo(), Environment::Demo),
            (Endpoints::live(), Environment::Live),
        ] {
            assert_eq!(endpoints.check(environment), Ok(()));
        }
        let mut downgraded = Endpoints::live();
        downgraded.private = "ws://stream.bybit.com".to_owned();
        assert!(downgraded.check(Environment::Live).is_err());
    }

    #[test]
    fn base_urls_have_no_path_and_no_user() {
        for url in [
            "https://api.bybit.com/v5",
            "https://user@api.bybit.com",
            "ftp://x",
            "https://",
            "api.bybit.com",
            "https://x:99999",
        ] {
            assert!(Target::parse(url).is_err(), "{url}");
        }
        let target = Target::parse("wss://stream.bybit.com").unwrap();
        assert_eq!((target.port, target.is_secure()), (443, true));
        assert!(!Target::parse("ws://127.0.0.1:9000").unwrap().is_secure());
    }
}
