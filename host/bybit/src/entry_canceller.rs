//! Cancels the account's entries without gate, journal or streams: what the sentinel does when the gateway cannot (RULES S4).

use std::time::Instant;

use portcullis_core::{Category, Class, Submission};
use portcullis_wire as wire;
use tokio::runtime::Runtime;

use crate::config::Config;
use crate::encode;
use crate::rest::{QueryError, RestClient};
use crate::skew::SkewGauge;
use crate::tls;
use crate::venue::ConnectError;
use portcullis_wire::{OrderRequest, OrderSigner, SignError};

/// The coin that the linear contracts we trade settle in.
const SETTLE_COIN: &str = "USDT";

/// A way to the venue that cancels entries and does nothing else. It keeps no state, so that it can be asked again and again.
pub struct EntryCanceller {
    runtime: Runtime,
    rest: RestClient,
    signer: Box<dyn OrderSigner>,
}

/// Why a round of cancels is not known to have worked. The next round may.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CancelError {
    /// A cancel was not signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The venue did not take a cancel, or did not say that it did.
    #[error("cancel of all {filter} orders in {category}: {outcome}")]
    NotTaken {
        /// Which market.
        category: &'static str,
        /// Which orders.
        filter: &'static str,
        /// What came instead.
        outcome: String,
    },
    /// What is left could not be asked.
    #[error("open orders: {0}")]
    Query(#[from] QueryError),
}

impl EntryCanceller {
    /// Sets up the client; asks the venue nothing.
    ///
    /// # Errors
    /// When the settings do not hold together, or threads or TLS cannot be set up.
    pub fn new(config: &Config, signer: Box<dyn OrderSigner>) -> Result<Self, ConnectError> {
        config.check()?;
        let tls = tls::client_config().map_err(|error| ConnectError::SetUp(error.to_string()))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| ConnectError::SetUp(error.to_string()))?;
        Ok(Self { runtime, rest: RestClient::new(config, &tls, SkewGauge::new(|_| {}))?, signer })
    }

    /// One round: asks the venue to cancel every working order and every waiting condition of ours in the markets, and then how many
    /// orders that could add risk are open there. Protection of positions is none of those (RULES G8) and stays. Blocks.
    ///
    /// # Errors
    /// When a cancel was not taken or the question was not answered; what could be asked for has been, in every market.
    pub fn cancel_entries(&mut self, markets: &[Category]) -> Result<u64, CancelError> {
        let mut first: Option<CancelError> = None;
        let mut left = 0_u64;
        for market in markets {
            for request in requests(*market) {
                if let Err(error) = self.cancel_all(*market, request) {
                    first.get_or_insert(error);
                }
            }
            match self.runtime.block_on(self.rest.open_orders(*market)) {
                Ok(orders) => {
                    let entries = orders.iter().filter(|order| could_add(order)).count();
                    left = left.saturating_add(u64::try_from(entries).unwrap_or(u64::MAX));
                }
                Err(error) => drop(first.get_or_insert(error.into())),
            }
        }
        first.map_or(Ok(left), Err)
    }

    fn cancel_all(&mut self, market: Category, request: wire::CancelAll) -> Result<(), CancelError> {
        let conditional = request.order_filter == Some(wire::OrderFilter::StopOrder);
        let filter = if conditional { "conditional" } else { "working" };
        let signed = self.signer.sign(&OrderRequest::CancelAll(request))?;
        // Counted, but never held back: this is the last resort.
        let _ = self.rest.budget.take(Instant::now(), signed.path, market, Class::Cancel);
        let outcome = match self.runtime.block_on(self.rest.post(signed, market)) {
            Submission::Accepted { .. } => return Ok(()),
            Submission::Rejected(rejection) => format!("code {}: {}", rejection.code, rejection.message),
            Submission::Unknown { detail } => detail,
        };
        let category = match market {
            Category::Linear => "linear",
            Category::Spot => "spot",
        };
        Err(CancelError::NotTaken { category, filter, outcome })
    }
}

impl core::fmt::Debug for EntryCanceller {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("EntryCanceller").finish_non_exhaustive()
    }
}

/// The two cancels of a market, in the order of RULES G8.
fn requests(market: Category) -> [wire::CancelAll; 2] {
    let linear = market == Category::Linear;
    let all = |filter, stop_order_type| wire::CancelAll {
        category: encode::category(market),
        settle_coin: linear.then(|| SETTLE_COIN.to_owned()),
        order_filter: Some(filter),
        stop_order_type,
        ..wire::CancelAll::default()
    };
    let conditions = linear.then_some(wire::StopOrderType::Stop);
    [all(wire::OrderFilter::Order, None), all(wire::OrderFilter::StopOrder, conditions)]
}

/// Whether an open order could still add risk. The protection that the venue keeps for a position only reduces.
fn could_add(order: &wire::Order) -> bool {
    !order.reduce_only
}
