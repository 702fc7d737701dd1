//! Where faults happen.

/// The three kinds of WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    Public,
    Private,
    Trade,
}

impl Channel {
    pub(crate) const ALL: [Self; 3] = [Self::Public, Self::Private, Self::Trade];

    /// How faults name it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::Trade => "trade",
        }
    }
}

/// A place as the faults file names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Requests to a path.
    Path,
    /// Messages of a topic of the private stream.
    Topic,
    /// Messages of a stream.
    Channel(Channel),
}

impl Place {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "order" | "execution" | "position" | "wallet" => Some(Self::Topic),
            _ if text.starts_with("/v5/") => Some(Self::Path),
            _ => Channel::ALL.into_iter().find(|channel| channel.name() == text).map(Self::Channel),
        }
    }

    /// The stream a fault at this place is of.
    pub(super) const fn channel(self) -> Option<Channel> {
        match self {
            Self::Path => None,
            Self::Topic => Some(Channel::Private),
            Self::Channel(channel) => Some(channel),
        }
    }
}
