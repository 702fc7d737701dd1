//! Hosts of the environments. Plain HTTP is for the paper exchange on this machine and for nothing else.

use portcullis_core::Environment;

use crate::region::{Region, is_known};

/// Base URLs, without a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// REST.
    pub rest: String,
    /// Public streams.
    pub public: String,
    /// Private stream.
    pub private: String,
    /// Trade stream.
    pub trade: String,
    /// Whether hosts that are not in the venue's list may be used. A key sent to a stranger's host is a key given away.
    pub allow_custom: bool,
}

impl Endpoints {
    /// The paper exchange, as its ready line names it.
    pub fn paper(rest: &str, ws: &str) -> Self {
        Self::of(rest, ws, ws)
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

    /// Bybit with real money, for accounts of no region.
    pub fn live() -> Self {
        Self::live_in(Region::Global)
    }

    /// Bybit with real money, at the hosts of the region where the account was registered.
    pub fn live_in(region: Region) -> Self {
        let (rest, stream) = region.live();
        let stream = format!("wss://{stream}");
        Self::of(&format!("https://{rest}"), &stream, &stream)
    }

    /// Bybit's test network as accounts of a region reach it.
    pub fn testnet_in(region: Region) -> Self {
        let rest = format!("https://{}", region.testnet());
        Self { rest, ..Self::testnet() }
    }

    fn of(rest: &str, public: &str, private: &str) -> Self {
        let owned = str::to_owned;
        let (rest, public, trade) = (owned(rest), owned(public), owned(private));
        Self { rest, public, private: trade.clone(), trade, allow_custom: false }
    }

    /// Whether the endpoints may be used for an environment.
    pub(crate) fn check(&self, environment: Environment) -> Result<(), InvalidEndpoint> {
        for (url, secure, plain) in [
            (&self.rest, "https", "http"),
            (&self.public, "wss", "ws"),
            (&self.private, "wss", "ws"),
            (&self.trade, "wss", "ws"),
        ] {
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
            let is_foreign = environment != Environment::Paper && !is_known(environment, &target.host);
            if is_foreign && !self.allow_custom {
                return Err(InvalidEndpoint {
                    url: url.clone(),
                    reason: "not a host of this environment; a custom one must be allowed explicitly",
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
        for region in Region::ALL {
            assert_eq!(Endpoints::live_in(region).check(Environment::Live), Ok(()), "{region:?}");
            assert_eq!(Endpoints::testnet_in(region).check(Environment::Testnet), Ok(()), "{region:?}");
        }
        let mut downgraded = Endpoints::live();
        downgraded.private = "ws://stream.bybit.com".to_owned();
        assert!(downgraded.check(Environment::Live).is_err());
    }

    #[test]
    fn a_key_goes_to_hosts_of_its_environment_unless_told_otherwise() {
        for (endpoints, environment) in [
            (Endpoints::live(), Environment::Testnet),
            (Endpoints::testnet(), Environment::Live),
            (Endpoints::demo(), Environment::Live),
            (Endpoints::live(), Environment::Demo),
        ] {
            assert!(endpoints.check(environment).is_err(), "{endpoints:?} {environment:?}");
        }
        let mut custom = Endpoints::live();
        custom.rest = "https://api.bybit.com.evil.example".to_owned();
        assert!(custom.check(Environment::Live).is_err());
        custom.allow_custom = true;
        assert_eq!(custom.check(Environment::Live), Ok(()));
        custom.rest = "http://api.bybit.com".to_owned();
        assert!(custom.check(Environment::Live).is_err(), "never without TLS");
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
