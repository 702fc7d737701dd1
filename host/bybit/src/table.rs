//! The instruments we follow, by the venue's name.

use std::collections::HashMap;

use portcullis_core::{Category, InstrumentId, InstrumentSpec};

/// An instrument with what its rules do not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Its rules.
    pub spec: InstrumentSpec,
    /// The coin traded; a spot buy pays its fee in it.
    pub base_coin: String,
    /// The coin of prices.
    pub quote_coin: String,
}

/// The instruments we follow. Small, and built anew when more are taken on.
#[derive(Debug, Clone, Default)]
pub(crate) struct InstrumentTable {
    linear: HashMap<String, Listing>,
    spot: HashMap<String, Listing>,
}

impl InstrumentTable {
    pub(crate) fn new(listings: impl IntoIterator<Item = Listing>) -> Self {
        let mut table = Self::default();
        for listing in listings {
            let name = listing.spec.symbol.as_str().to_owned();
            match listing.spec.category {
                Category::Linear => table.linear.insert(name, listing),
                Category::Spot => table.spot.insert(name, listing),
            };
        }
        table
    }

    /// All of them.
    pub(crate) fn into_listings(self) -> impl Iterator<Item = Listing> {
        self.linear.into_values().chain(self.spot.into_values())
    }

    pub(crate) fn find(&self, category: Category, symbol: &str) -> Option<&Listing> {
        match category {
            Category::Linear => self.linear.get(symbol),
            Category::Spot => self.spot.get(symbol),
        }
    }

    pub(crate) fn by_id(&self, id: InstrumentId) -> Option<&Listing> {
        self.iter().find(|listing| listing.spec.id == id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Listing> {
        self.linear.values().chain(self.spot.values())
    }

    pub(crate) fn has(&self, category: Category) -> bool {
        match category {
            Category::Linear => !self.linear.is_empty(),
            Category::Spot => !self.spot.is_empty(),
        }
    }

    /// The markets in use.
    pub(crate) fn categories(&self) -> impl Iterator<Item = Category> {
        [Category::Linear, Category::Spot].into_iter().filter(|category| self.has(*category))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use portcullis_core::{Amount, Price, Qty, Rate};

    use super::*;

    /// BTCUSDT with one price decimal and three quantity decimals.
    pub(crate) fn spec(category: Category) -> InstrumentSpec {
        InstrumentSpec {
            id: InstrumentId(1),
            category,
            symbol: "BTCUSDT".parse().unwrap(),
            price_decimals: 1,
            quantity_decimals: 3,
            tick: Price(1),
            step: Qty(1),
            min_quantity: Qty(1),
            max_quantity: Qty(1_000_000),
            max_market_quantity: Qty(100_000),
            min_notional: Amount(5_000_000_000_000_000_000),
            taker_fee: Rate(550_000_000),
            maker_fee: Rate(200_000_000),
            trading: true,
            has_price_limits: true,
        }
    }

    pub(crate) fn table(category: Category) -> InstrumentTable {
        InstrumentTable::new([Listing {
            spec: spec(category),
            base_coin: "BTC".to_owned(),
            quote_coin: "USDT".to_owned(),
        }])
    }

    #[test]
    fn a_symbol_is_looked_up_in_its_own_market() {
        let table = table(Category::Spot);
        assert!(table.find(Category::Spot, "BTCUSDT").is_some());
        assert!(table.find(Category::Linear, "BTCUSDT").is_none());
        assert_eq!(table.categories().collect::<Vec<_>>(), [Category::Spot]);
    }
}
