//! The sentinel role: a watchdog outside the gateway. It holds a lease that the gateway renews as long as its pipeline turns; when
//! the lease lapses, or an operator halts past the gateway, it cancels entries at the venue by itself (RULES S4).
//!
//! It covers the gateway's death and not the machine's: only stops at the exchange outlive that.

mod memory;
mod watch;

use anyhow::Context as _;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use portcullis_bybit::EntryCanceller;
use portcullis_role::{ActorName, OwedHalt, Profile, SentinelReply, SentinelRequest, Tcp};
use serde_json::json;

use crate::cli::Gateway;
use crate::config::Config;
use crate::confine::{Own, confine_role};
use crate::demo::stop_flag;
use crate::failure::Failure;
use crate::places::Places;
use crate::{output, sockets, venue};

use memory::{FOLDER, MemoryFile};
use watch::Watch;

/// How often it looks whether there is something to do.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Who halts when nobody is named: the socket is open to this user and root alone.
const ACTOR: &str = "sentinel-socket";

/// The watch and where it is remembered, behind one lock that is never held over a call to the venue.
struct Post {
    watch: Watch,
    file: MemoryFile,
}

/// Watches until SIGTERM or SIGINT.
pub(crate) fn run(arguments: &Gateway, places: &Places) -> Result<ExitCode, Failure> {
    let config = Config::load(&arguments.config, &arguments.named)?;
    let Some(settings) = &config.sentinel else {
        return Err(Failure::Usage(format!(
            "{} has no [sentinel]; it names how long a lease lasts",
            arguments.config.display()
        )));
    };
    let dir = places.data();
    let folder = dir.join(FOLDER);
    let file = MemoryFile::open(dir).with_context(|| format!("cannot open {}", folder.display()))?;
    let memory = file.load()?;
    let own = Own { read: vec![dir], write: vec![&folder, places.sockets()] };
    confine_role(Profile::Sentinel, &own, Tcp::Connect(Vec::new()))?;
    let stop = stop_flag()?;
    let venue = venue::settings(&config, dir)?;
    // Its own socket, on which the signer signs cancels alone. Rounds without a signer fail, and are repeated.
    let [_, socket] = places.signer_sockets();
    let signer = venue::signer(&config, dir, &socket, venue::recognise)?;
    let mut canceller = EntryCanceller::new(&venue, Box::new(signer))
        .map_err(|error| Failure::Environment(anyhow::Error::new(error)))?;

    let watch = Watch::new(Duration::from_secs(settings.lease_s), memory, Instant::now());
    let post = Arc::new(Mutex::new(Post { watch, file }));
    let asked = Arc::clone(&post);
    let socket = places.sentinel_socket();
    let server =
        sockets::answer(arguments.sockets, &socket, move |request| answer(&mut lock(&asked), request))?;
    output::json(&json!({"type": "ready", "role": "sentinel"}));

    while !stop.load(Ordering::Relaxed) {
        let duty = lock(&post).watch.duty(Instant::now());
        let Some(markets) = duty else {
            std::thread::sleep(LOOK_EVERY);
            continue;
        };
        let found = canceller.cancel_entries(&markets).map_err(|error| error.to_string());
        tracing::warn!(?markets, ?found, "cancelled entries in the gateway's place");
        let mut post = lock(&post);
        post.watch.round(found, Instant::now());
        post.remember();
    }
    drop(server);
    Ok(ExitCode::SUCCESS)
}

fn answer(post: &mut Post, request: SentinelRequest) -> SentinelReply {
    let now = Instant::now();
    let reply = match request {
        SentinelRequest::Renew(lease) => SentinelReply::Renewed { halt: post.watch.renew(lease, now) },
        SentinelRequest::Halt { reason, actor } => {
            let actor = actor.map_or_else(|| ACTOR.to_owned(), ActorName::into);
            tracing::warn!(actor, reason, "an operator halts past the gateway");
            post.watch.halt(OwedHalt { actor, reason }, now);
            SentinelReply::Status(post.watch.status(now))
        }
        SentinelRequest::Status {} => SentinelReply::Status(post.watch.status(now)),
    };
    post.remember();
    reply
}

impl Post {
    /// Keeps what must outlive this process. Without it the sentinel still acts, so a disk that fails stops nothing.
    fn remember(&mut self) {
        if let Err(error) = self.file.keep(&self.watch.memory()) {
            tracing::error!(%error, "what the sentinel is to remember could not be written");
        }
    }
}

fn lock(post: &Mutex<Post>) -> MutexGuard<'_, Post> {
    post.lock().unwrap_or_else(PoisonError::into_inner)
}
