//! The questions, one method each. An error means that nothing is known; half an answer is an error too.

use portcullis_core::{Category, Timestamp};
use portcullis_wire as wire;
use portcullis_wire::{Page, path, query};

use crate::encode::category;
use crate::rest::{QueryError, RestClient};

/// Longest span one query may ask about: 7 days.
const WINDOW_MS: u64 = 7 * 24 * 3_600 * 1_000;

/// Furthest back executions are fetched, in windows of 7 days. A journal older than that starts from the positions.
const WINDOWS_MAX: u64 = 5;

impl RestClient {
    /// The rules of one instrument; `None` when it is not listed.
    pub(crate) async fn instrument(
        &self,
        market: Category,
        symbol: &str,
    ) -> Result<Option<wire::Instrument>, QueryError> {
        let parameters = query::Instruments {
            category: Some(category(market)),
            symbol: Some(symbol.to_owned()),
            ..query::Instruments::default()
        };
        let (page, _) = self.public::<Page<wire::Instrument>>(path::INSTRUMENTS, &parameters).await?;
        Ok(page.list.into_iter().find(|row| row.symbol == symbol))
    }

    /// The account's fee rates for one instrument; `None` when the venue names none.
    pub(crate) async fn fee_rate(
        &self,
        market: Category,
        symbol: &str,
    ) -> Result<Option<wire::FeeRate>, QueryError> {
        let parameters = query::FeeRate { category: Some(category(market)), symbol: Some(symbol.to_owned()) };
        let (list, _) = self.private::<wire::List<wire::FeeRate>>(path::FEE_RATE, &parameters).await?;
        Ok(list.list.into_iter().find(|row| row.symbol == symbol))
    }

    /// The prices at which an instrument's orders are taken.
    pub(crate) async fn price_limit(
        &self,
        market: Category,
        symbol: &str,
    ) -> Result<wire::PriceLimit, QueryError> {
        let parameters = query::Tickers { category: Some(category(market)), symbol: Some(symbol.to_owned()) };
        Ok(self.public(path::PRICE_LIMIT, &parameters).await?.0)
    }

    /// What the read key may do.
    pub(crate) async fn api_key(&self) -> Result<wire::ApiKey, QueryError> {
        Ok(self.private(path::QUERY_API, &query::FeeRate::default()).await?.0)
    }

    /// Every open order of a market, of every filter, to the last page.
    pub(crate) async fn open_orders(&self, market: Category) -> Result<Vec<wire::Order>, QueryError> {
        let base =
            query::Orders { category: Some(category(market)), limit: Some(50), ..query::Orders::default() };
        match market {
            Category::Linear => {
                let base = query::Orders { settle_coin: Some("USDT".to_owned()), ..base };
                self.orders(path::REALTIME, base).await
            }
            Category::Spot => {
                let mut all: Vec<wire::Order> = Vec::new();
                for filter in
                    [wire::OrderFilter::Order, wire::OrderFilter::StopOrder, wire::OrderFilter::TpslOrder]
                {
                    let one = query::Orders { order_filter: Some(filter), ..base.clone() };
                    for order in self.orders(path::REALTIME, one).await? {
                        if all.iter().all(|known| known.order_id != order.order_id) {
                            all.push(order);
                        }
                    }
                }
                Ok(all)
            }
        }
    }

    /// One order by its client id, among the open and just closed ones.
    pub(crate) async fn realtime(
        &self,
        market: Category,
        symbol: &str,
        link: &str,
    ) -> Result<Option<wire::Order>, QueryError> {
        self.order_by_link(path::REALTIME, market, symbol, link).await
    }

    /// One order by its client id, in the history.
    pub(crate) async fn history(
        &self,
        market: Category,
        symbol: &str,
        link: &str,
    ) -> Result<Option<wire::Order>, QueryError> {
        self.order_by_link(path::HISTORY, market, symbol, link).await
    }

    async fn order_by_link(
        &self,
        at: &'static str,
        market: Category,
        symbol: &str,
        link: &str,
    ) -> Result<Option<wire::Order>, QueryError> {
        let parameters = query::Orders {
            category: Some(category(market)),
            symbol: Some(symbol.to_owned()),
            order_link_id: Some(link.to_owned()),
            ..query::Orders::default()
        };
        let rows = self.orders(at, parameters).await?;
        Ok(rows.into_iter().find(|order| order.order_link_id == link))
    }

    /// The last orders of a market that closed, newest first: at most 500.
    pub(crate) async fn closed_orders(&self, market: Category) -> Result<Vec<wire::Order>, QueryError> {
        let mut rows = Vec::new();
        let mut cursor = None;
        for _ in 0..10 {
            let parameters = query::Orders {
                category: Some(category(market)),
                limit: Some(50),
                cursor: cursor.take(),
                ..query::Orders::default()
            };
            let (page, _) = self.private::<Page<wire::Order>>(path::HISTORY, &parameters).await?;
            rows.extend(page.list);
            if page.next_page_cursor.is_empty() {
                break;
            }
            cursor = Some(page.next_page_cursor);
        }
        Ok(rows)
    }

    /// The positions of one contract, also when flat: two in hedge mode.
    pub(crate) async fn positions_in(&self, symbol: &str) -> Result<Vec<wire::Position>, QueryError> {
        let parameters = query::Positions {
            category: Some(wire::Category::Linear),
            symbol: Some(symbol.to_owned()),
            ..query::Positions::default()
        };
        let (page, _) = self.private::<Page<wire::Position>>(path::POSITIONS, &parameters).await?;
        Ok(page.list)
    }

    async fn orders(&self, at: &'static str, base: query::Orders) -> Result<Vec<wire::Order>, QueryError> {
        self.pages(at, |cursor| query::Orders { cursor, ..base.clone() }).await
    }

    /// Executions of a market since a time, oldest first, in as many windows as the venue's span of 7 days makes. Those older than
    /// 35 days are left out.
    pub(crate) async fn executions(
        &self,
        market: Category,
        since: Timestamp,
    ) -> Result<Vec<wire::Execution>, QueryError> {
        let base = query::Executions {
            category: Some(category(market)),
            limit: Some(100),
            ..query::Executions::default()
        };
        let now = (self.clock)().millis();
        let oldest = now.saturating_sub(WINDOW_MS.saturating_mul(WINDOWS_MAX));
        let mut start = since.millis().clamp(oldest, now);
        let mut all = Vec::new();
        loop {
            // The last window has no end, so that a clock behind the venue's cannot hide the newest rows.
            let end = Some(start.saturating_add(WINDOW_MS)).filter(|end| *end < now);
            let mut window: Vec<wire::Execution> = self
                .pages(path::EXECUTIONS, |cursor| query::Executions {
                    start_time: Some(start),
                    end_time: end,
                    cursor,
                    ..base.clone()
                })
                .await?;
            window.reverse();
            all.append(&mut window);
            match end {
                Some(end) => start = end,
                None => break,
            }
        }
        // Newest first within a window; equal times keep the venue's order, reversed.
        all.sort_by_key(|row| row.exec_time.parse::<u64>().unwrap_or(0));
        all.dedup_by(|one, other| one.exec_id == other.exec_id);
        Ok(all)
    }

    /// Executions of one order by its client id, oldest first.
    pub(crate) async fn executions_of(
        &self,
        market: Category,
        symbol: &str,
        link: &str,
    ) -> Result<Vec<wire::Execution>, QueryError> {
        let base = query::Executions {
            category: Some(category(market)),
            symbol: Some(symbol.to_owned()),
            order_link_id: Some(link.to_owned()),
            limit: Some(100),
            ..query::Executions::default()
        };
        let mut rows: Vec<wire::Execution> =
            self.pages(path::EXECUTIONS, |cursor| query::Executions { cursor, ..base.clone() }).await?;
        rows.reverse();
        Ok(rows)
    }

    /// Positions in USDT contracts that are not flat.
    pub(crate) async fn positions(&self) -> Result<Vec<wire::Position>, QueryError> {
        let base = query::Positions {
            category: Some(wire::Category::Linear),
            settle_coin: Some("USDT".to_owned()),
            limit: Some(200),
            ..query::Positions::default()
        };
        self.pages(path::POSITIONS, |cursor| query::Positions { cursor, ..base.clone() }).await
    }

    /// How the account is set up.
    pub(crate) async fn account_info(&self) -> Result<wire::AccountInfo, QueryError> {
        Ok(self.private(path::ACCOUNT_INFO, &query::FeeRate::default()).await?.0)
    }

    /// The unified wallet and the venue's time.
    pub(crate) async fn wallet(&self) -> Result<(wire::Wallet, Timestamp), QueryError> {
        let parameters = query::Wallet { account_type: Some("UNIFIED".to_owned()), coin: None };
        let (list, time) = self.private::<wire::List<wire::Wallet>>(path::WALLET, &parameters).await?;
        let wallet = list
            .list
            .into_iter()
            .next()
            .ok_or_else(|| QueryError::Malformed("no wallet in the answer".to_owned()))?;
        Ok((wallet, time.map_or_else(self.clock, Timestamp::from_millis)))
    }
}
