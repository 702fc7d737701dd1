//! The wallets: one balance per coin, and where it came from.

use serde::{Deserialize, Serialize};

use portcullis_core::Amount;

use super::coin::Coin;
use super::money::{minus, plus};

/// One coin's wallet, in that coin. `balance` is always `deposits + realised + traded − fees − funding`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    /// Which coin.
    #[serde(default)]
    pub coin: Coin,
    /// Held, open profit aside.
    pub balance: Amount,
    /// Put in.
    pub deposits: Amount,
    /// Profit realised by positions, fees and funding aside.
    pub realised: Amount,
    /// Received by spot trades less what was given, fees aside.
    #[serde(default)]
    pub traded: Amount,
    /// Fees paid, rebates taken off.
    pub fees: Amount,
    /// Funding paid, receipts taken off.
    pub funding: Amount,
}

impl Wallet {
    pub(super) fn new(coin: Coin, deposit: Amount) -> Self {
        let zero = Amount(0);
        Self {
            coin,
            balance: deposit,
            deposits: deposit,
            realised: zero,
            traded: zero,
            fees: zero,
            funding: zero,
        }
    }

    pub(super) fn settle(&mut self, realised: Amount, fee: Amount) {
        self.realised = plus(self.realised, realised);
        self.balance = plus(self.balance, realised);
        self.charge(fee);
    }

    pub(super) fn charge(&mut self, fee: Amount) {
        self.fees = plus(self.fees, fee);
        self.balance = minus(self.balance, fee);
    }

    /// Takes in (or gives away, when negative) what a spot trade moved.
    pub(super) fn trade(&mut self, moved: Amount) {
        self.traded = plus(self.traded, moved);
        self.balance = plus(self.balance, moved);
    }

    pub(super) fn pay_funding(&mut self, payment: Amount) {
        self.funding = plus(self.funding, payment);
        self.balance = minus(self.balance, payment);
    }
}

/// All wallets; the first is USDT's.
#[derive(Debug)]
pub(super) struct Wallets {
    usdt: Wallet,
    others: Vec<Wallet>,
}

/// Where a coin's wallet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pocket(Option<usize>);

impl Pocket {
    pub(super) const USDT: Self = Self(None);
}

impl Wallets {
    pub(super) fn new(usdt: Amount, others: &[(Coin, Amount)]) -> Self {
        let mut wallets = Self { usdt: Wallet::new(Coin::USDT, usdt), others: Vec::new() };
        for (coin, deposit) in others {
            let pocket = wallets.open(*coin);
            let wallet = wallets.get_mut(pocket);
            wallet.deposits = plus(wallet.deposits, *deposit);
            wallet.balance = plus(wallet.balance, *deposit);
        }
        wallets
    }

    /// The place of a coin's wallet, opened empty if there was none.
    pub(super) fn open(&mut self, coin: Coin) -> Pocket {
        if coin == Coin::USDT {
            return Pocket::USDT;
        }
        let found = self.others.iter().position(|wallet| wallet.coin == coin);
        Pocket(Some(found.unwrap_or_else(|| {
            self.others.push(Wallet::new(coin, Amount(0)));
            self.others.len().saturating_sub(1)
        })))
    }

    pub(super) fn get(&self, pocket: Pocket) -> &Wallet {
        pocket.0.and_then(|place| self.others.get(place)).unwrap_or(&self.usdt)
    }

    pub(super) fn get_mut(&mut self, pocket: Pocket) -> &mut Wallet {
        match pocket.0 {
            Some(place) if place < self.others.len() => self.others.get_mut(place).unwrap_or(&mut self.usdt),
            Some(_) | None => &mut self.usdt,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Wallet> {
        core::iter::once(&self.usdt).chain(&self.others)
    }
}
