//! Risk tiers: the larger a position, the more margin it needs and the less leverage it may have.

use portcullis_core::{Amount, Rate};

use super::money::{coins, initial_margin, minus, plus, share};

/// A step of position value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RiskTier {
    /// Largest position value of the tier, in USDT.
    pub limit: Amount,
    /// Maintenance margin of the part of a position's value that lies in this tier.
    pub maintenance: Rate,
    /// Highest leverage, in hundredths; its inverse is the smallest initial margin.
    pub max_leverage: u32,
}

impl RiskTier {
    /// Smallest initial margin: the inverse of the highest leverage.
    #[must_use]
    pub fn initial(&self) -> Rate {
        Rate(100_000_000_000_000_i64.checked_div(i64::from(self.max_leverage)).unwrap_or(i64::MAX))
    }
}

/// Limit in USDT, maintenance in ten-thousandths, leverage in hundredths.
const fn tier(limit: i64, maintenance: i64, max_leverage: u32) -> RiskTier {
    RiskTier { limit: coins(limit), maintenance: Rate(maintenance.saturating_mul(100_000_000)), max_leverage }
}

/// BTCUSDT as Bybit once published it, every few steps; used for ETHUSDT too.
const MAJOR: [RiskTier; 16] = [
    tier(2_000_000, 50, 10_000),
    tier(2_600_000, 56, 9_000),
    tier(3_200_000, 63, 8_000),
    tier(3_800_000, 67, 7_500),
    tier(5_000_000, 77, 6_500),
    tier(8_500_000, 100, 5_000),
    tier(14_000_000, 150, 4_000),
    tier(28_000_000, 200, 3_000),
    tier(50_000_000, 290, 2_000),
    tier(75_000_000, 400, 1_500),
    tier(100_000_000, 650, 1_000),
    tier(150_000_000, 1_200, 500),
    tier(250_000_000, 1_800, 300),
    tier(400_000_000, 3_000, 200),
    tier(800_000_000, 5_000, 128),
    tier(1_200_000_000, 6_000, 100),
];

/// All other instruments: smaller steps at half the leverage.
const MINOR: [RiskTier; 8] = [
    tier(200_000, 100, 5_000),
    tier(400_000, 150, 3_333),
    tier(1_000_000, 250, 2_000),
    tier(2_000_000, 500, 1_000),
    tier(5_000_000, 1_000, 500),
    tier(10_000_000, 2_000, 250),
    tier(20_000_000, 3_000, 166),
    tier(50_000_000, 5_000, 100),
];

/// The tiers of a linear instrument, smallest first. Built in; Bybit changes its own every month.
#[must_use]
pub fn risk_tiers(symbol: &str) -> &'static [RiskTier] {
    match symbol {
        "BTCUSDT" | "ETHUSDT" => &MAJOR,
        _ => &MINOR,
    }
}

/// Where a position value lies in its tiers, counted from 1, and the tier. Beyond the last one it is the last.
#[must_use]
pub fn risk_tier_of(tiers: &'static [RiskTier], value: Amount) -> (usize, RiskTier) {
    let last = tiers.len().saturating_sub(1);
    let place = tiers.iter().position(|tier| value <= tier.limit).unwrap_or(last);
    (place.saturating_add(1), tiers.get(place).copied().unwrap_or(tier(0, 10_000, 100)))
}

/// The maintenance margin of a position value: each tier's rate on the part that lies in it.
pub(super) fn maintenance(tiers: &[RiskTier], value: Amount) -> Amount {
    let (mut sum, mut below) = (Amount(0), Amount(0));
    let last = tiers.len().saturating_sub(1);
    for (place, tier) in tiers.iter().enumerate() {
        let top = if place == last { value } else { value.min(tier.limit) };
        sum = plus(sum, share(Amount(minus(top, below).0.max(0)), tier.maintenance));
        if value <= tier.limit {
            break;
        }
        below = tier.limit;
    }
    sum
}

/// The initial margin of a value at a leverage, or at what its tier allows where that is less.
pub(super) fn initial(tiers: &'static [RiskTier], value: Amount, leverage: u32) -> Amount {
    initial_margin(value, leverage.min(risk_tier_of(tiers, value).1.max_leverage))
}

/// Whether a position of this value may have this leverage.
pub(super) fn allows(tiers: &'static [RiskTier], value: Amount, leverage: u32) -> bool {
    tiers.iter().find(|tier| value <= tier.limit).is_some_and(|tier| leverage <= tier.max_leverage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maintenance_grows_without_a_jump_between_tiers() {
        let tiers = risk_tiers("BTCUSDT");
        assert_eq!(maintenance(tiers, coins(1_000)), coins(5));
        assert_eq!(maintenance(tiers, coins(2_000_000)), coins(10_000));
        // The next 600,000 at 0.56 %.
        assert_eq!(maintenance(tiers, coins(2_600_000)), coins(13_360));
        for symbol in ["BTCUSDT", "SOLUSDT"] {
            for pair in risk_tiers(symbol).windows(2) {
                let [low, high] = pair else { unreachable!() };
                assert!(low.limit < high.limit && low.maintenance < high.maintenance);
                assert!(low.max_leverage > high.max_leverage);
            }
        }
    }

    #[test]
    fn leverage_is_bounded_by_the_value() {
        let tiers = risk_tiers("BTCUSDT");
        assert!(allows(tiers, coins(2_000_000), 10_000));
        assert!(!allows(tiers, coins(2_000_001), 10_000));
        assert!(!allows(tiers, coins(2_000_000_000), 100), "beyond the last tier");
        assert_eq!(initial(tiers, coins(90_000_000), 10_000), coins(9_000_000));
        assert_eq!(risk_tier_of(tiers, coins(2_500_000)).0, 2);
        assert_eq!(risk_tier_of(tiers, coins(1)).1.initial(), Rate(10_000_000_000), "1 % at 100×");
    }
}
