//! Strategies that do anything: sound orders, nonsense, floods.

use portcullis_core::{
    ActionBody, Amend, OrderNumber, Place, Price, Qty, Side, TimeInForce, Timestamp, Trigger,
};

use crate::clock::SECOND;
use crate::exchange::Market;
use crate::rng::Rng;

/// What a strategy can see when it has its turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    pub(crate) market: Market,
    /// A quantity worth a few thousand USDT.
    pub(crate) lot: i64,
    /// The number of its last place.
    pub(crate) last: u64,
    pub(crate) now: Timestamp,
}

/// What it does in one turn.
pub(crate) fn turn(rng: &mut Rng, view: &View) -> Vec<ActionBody> {
    let count = match rng.below(100) {
        0 => 250,
        1..=10 => rng.between(3, 12),
        _ => rng.between(1, 2),
    };
    (0..count).map(|_| action(rng, view)).collect()
}

fn action(rng: &mut Rng, view: &View) -> ActionBody {
    match rng.below(100) {
        0..=54 => ActionBody::Place(place(rng, view)),
        55..=71 => ActionBody::Amend(amend(rng, view)),
        72..=92 => ActionBody::Cancel(some_order(rng, view)),
        93..=96 => ActionBody::CancelAll((rng.chance(500)).then_some(u32::from(rng.chance(50)))),
        _ => ActionBody::Flatten(u32::from(rng.chance(50))),
    }
}

fn place(rng: &mut Rng, view: &View) -> Place {
    let side = if rng.chance(500) { Side::Buy } else { Side::Sell };
    let limit = (!rng.chance(250)).then(|| price(rng, view, side));
    let time_in_force = *rng.pick(&[
        TimeInForce::Gtc,
        TimeInForce::Gtc,
        TimeInForce::Ioc,
        TimeInForce::Fok,
        TimeInForce::PostOnly,
    ]);
    let rests = limit.is_some() && matches!(time_in_force, TimeInForce::Gtc | TimeInForce::PostOnly);
    let reduce_only = rng.chance(200);
    let far = view.market.bid / 50;
    let (above, below) = (Price(view.market.bid + far), Price(view.market.bid - far));
    let protected = !reduce_only && rng.chance(120);
    Place {
        instrument: u32::from(rng.chance(15)),
        side,
        quantity: quantity(rng, view),
        limit,
        time_in_force: if limit.is_none() { TimeInForce::Ioc } else { time_in_force },
        reduce_only,
        trigger: (rng.chance(60))
            .then(|| Trigger { price: if rng.chance(500) { above } else { below }, rising: rng.chance(500) }),
        take_profit: protected.then_some(if side == Side::Buy { above } else { below }),
        stop_loss: protected.then_some(if side == Side::Buy { below } else { above }),
        good_till: (rests && rng.chance(150)).then(|| Timestamp(view.now.0 + rng.below(40 * SECOND))),
        tag: rng.below(100),
    }
}

fn amend(rng: &mut Rng, view: &View) -> Amend {
    let side = if rng.chance(500) { Side::Buy } else { Side::Sell };
    let both = rng.below(3);
    Amend {
        order: some_order(rng, view),
        limit: (both != 0).then(|| price(rng, view, side)),
        quantity: (both != 1).then(|| quantity(rng, view)),
    }
}

/// One of the latest orders; now and then one that never was.
fn some_order(rng: &mut Rng, view: &View) -> OrderNumber {
    if rng.chance(30) {
        return OrderNumber(rng.below(1_000));
    }
    OrderNumber((view.last + 1).saturating_sub(rng.below(8)))
}

/// Around the market; now and then far from it, off the tick, or none at all.
fn price(rng: &mut Rng, view: &View, side: Side) -> Price {
    let near = view.market.taker_price(side);
    let width = match rng.below(20) {
        0 => return Price(*rng.pick(&[0, -1, 1, i64::MAX])),
        1 => near / 10,
        2..=8 => near / 200,
        _ => near / 4_000,
    };
    Price(near + rng.between(-width, width))
}

fn quantity(rng: &mut Rng, view: &View) -> Qty {
    Qty(match rng.below(20) {
        0 => *rng.pick(&[0, -5, i64::MAX, 1]),
        1..=3 => rng.between(1, view.lot / 20 + 1),
        4..=6 => rng.between(view.lot, view.lot * 5),
        _ => rng.between(1, view.lot),
    })
}
