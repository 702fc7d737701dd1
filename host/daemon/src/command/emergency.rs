//! `halt --emergency`: past the gateway, to the sentinel.

use std::process::ExitCode;

use portcullis_role::{SentinelReply, SentinelRequest, call};

use crate::command::operate::PATIENCE;
use crate::failure::Failure;
use crate::output;
use crate::places::Places;

/// Asks the sentinel to cancel entries by itself, and to hand the halt to the gateway.
pub(crate) fn run(reason: &str, places: &Places, as_json: bool) -> Result<ExitCode, Failure> {
    let socket = places.sentinel_socket();
    let request = SentinelRequest::Halt { reason: reason.to_owned(), actor: None };
    let reply: SentinelReply = call(&socket, &request, PATIENCE).map_err(|error| {
        Failure::Environment(anyhow::Error::new(error).context(format!(
            "no sentinel answers at {}; `portcullis halt` goes by way of the gateway",
            socket.display()
        )))
    })?;
    match reply {
        SentinelReply::Error { code, detail } => Err(Failure::Finding { code, detail }),
        reply if as_json => {
            output::json(&reply);
            Ok(ExitCode::SUCCESS)
        }
        SentinelReply::Status(_) | SentinelReply::Renewed { .. } => {
            output::text(
                "the sentinel cancels entries at the venue and hands the halt to the gateway when that answers; \
                 `portcullis status` shows whether the gateway took it",
            );
            Ok(ExitCode::SUCCESS)
        }
    }
}
