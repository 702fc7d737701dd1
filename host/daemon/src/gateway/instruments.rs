//! Which instruments the venue is to follow, under the journal's numbers.

use std::collections::BTreeMap;

use portcullis_bybit::{Decimals, Wanted};
use portcullis_core::{Category, Instrument, InstrumentId, State, Symbol};
use portcullis_gateway::Stream;

/// What must be followed from the start: instruments in which something of ours is open. Without them the books could not be
/// compared with the venue.
pub(crate) fn open(state: &State) -> Vec<Wanted> {
    let is_open = |id: InstrumentId| {
        !state.ledger().quantity(id).is_flat()
            || state.orders().open().chain(state.orders().unresolved()).any(|order| order.instrument == id)
    };
    let open = state.instruments().filter(|instrument| is_open(instrument.spec.id));
    open.map(|instrument| {
        follow(instrument.spec.id, &instrument.spec.symbol, Some(instrument), instrument.spec.category)
    })
    .collect()
}

/// What a strategy needs of each of its markets. An instrument the journal does not know gets a number in `reserved`, the same one
/// whenever it is asked for again.
pub(crate) fn wanted(
    state: &State,
    reserved: &mut BTreeMap<(Category, Symbol), InstrumentId>,
    markets: &[(Category, Symbol)],
    streams: &[(usize, Stream)],
) -> Vec<Wanted> {
    let mut wanted = Vec::with_capacity(markets.len());
    for (category, symbol) in markets {
        let known = state.instrument_named(*category, symbol);
        let id = known.unwrap_or_else(|| {
            let free = reserved.values().map(|id| InstrumentId(id.0.saturating_add(1))).max();
            let next = state.next_instrument().max(free.unwrap_or(InstrumentId(0)));
            *reserved.entry((*category, symbol.clone())).or_insert(next)
        });
        wanted.push(follow(id, symbol, known.and_then(|id| state.instrument(id)), *category));
    }
    for (market, stream) in streams {
        let Some(one) = wanted.get_mut(*market) else { continue };
        match stream {
            Stream::Book(levels) => one.book_depth = one.book_depth.max(*levels),
            Stream::Bars(seconds) if !one.bars_s.contains(seconds) => one.bars_s.push(*seconds),
            Stream::Bars(_) | Stream::Trades | Stream::Quotes | Stream::Funding | Stream::Mark => {}
        }
    }
    wanted
}

fn follow(id: InstrumentId, symbol: &Symbol, known: Option<&Instrument>, category: Category) -> Wanted {
    let decimals = known.map(|instrument| Decimals {
        price: instrument.spec.price_decimals,
        quantity: instrument.spec.quantity_decimals,
    });
    Wanted { id, category, symbol: symbol.clone(), decimals, book_depth: 0, bars_s: Vec::new() }
}
