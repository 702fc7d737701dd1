//! Names of orders, executions and public trades: UUIDs, for spot long numbers, that carry the exchange's own number, so that no
//! table is needed to go back.

use portcullis_core::Category;

use crate::engine::OrderKey;
use crate::sources::mix;

/// Makes and reads the names of one exchange. Two exchanges never share a name unless they share the realm.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    prefix: String,
    order: char,
    user: u64,
    /// What spot numbers start from.
    spot: u64,
}

/// Numbers of one kind that an exchange can give out.
const ROOM: u64 = 1_000_000_000_000;

impl Names {
    pub(crate) fn new(realm: u64) -> Self {
        let (one, two) = (mix(realm), mix(realm ^ 0x5bd1_e995));
        let prefix =
            format!("{:08x}-{:04x}-4{:03x}", one & 0xffff_ffff, (one >> 32) & 0xffff, (one >> 48) & 0xfff);
        let spot = (mix(two) % 1_000_000).saturating_add(1_000_000).saturating_mul(ROOM);
        Self { prefix, order: '8', user: (two % 90_000_000).saturating_add(10_000_000), spot }
    }

    /// The `orderId` of an order.
    pub(crate) fn order(&self, key: OrderKey, category: Category) -> String {
        match category {
            Category::Linear => self.name(self.order, key.0),
            Category::Spot => self.number(key.0, 0),
        }
    }

    /// The `orderLinkId` that a spot order has when its client gave it none.
    pub(crate) fn spot_link(&self, key: OrderKey) -> String {
        self.number(key.0, 1)
    }

    /// The order such a name stands for.
    pub(crate) fn spot_link_key(&self, name: &str) -> Option<OrderKey> {
        self.read_number(name, 1)
    }

    /// The order an `orderId` names.
    pub(crate) fn order_key(&self, name: &str) -> Option<OrderKey> {
        self.read_number(name, 0).or_else(|| self.read_uuid(name))
    }

    /// Spot names are four apart: the order, its made-up link, its execution.
    fn number(&self, number: u64, kind: u64) -> String {
        let offset = (number % (ROOM / 4)).saturating_mul(4).saturating_add(kind);
        self.spot.saturating_add(offset).to_string()
    }

    fn read_number(&self, name: &str, kind: u64) -> Option<OrderKey> {
        let canonical = name.len() == 19 && name.bytes().all(|byte| byte.is_ascii_digit());
        let offset = name.parse::<u64>().ok().filter(|_| canonical)?.checked_sub(self.spot)?;
        (offset < ROOM && offset % 4 == kind).then_some(OrderKey(offset / 4))
    }

    fn read_uuid(&self, name: &str) -> Option<OrderKey> {
        let number = name
            .strip_prefix(&self.prefix)?
            .strip_prefix('-')?
            .strip_prefix(self.order)?
            .strip_prefix("000-")?;
        let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if number.len() != 12 || !number.bytes().all(lower) {
            return None;
        }
        u64::from_str_radix(number, 16).ok().map(OrderKey)
    }

    /// The `execId` of an execution.
    pub(crate) fn execution(&self, number: u64, category: Category) -> String {
        match category {
            Category::Linear => self.name('9', number),
            Category::Spot => self.number(number, 2),
        }
    }

    /// The name of a public trade.
    pub(crate) fn trade(&self, number: u64) -> String {
        self.name('a', number)
    }

    /// The number of the exchange's only user.
    pub(crate) const fn user(&self) -> u64 {
        self.user
    }

    fn name(&self, kind: char, number: u64) -> String {
        format!("{}-{kind}000-{:012x}", self.prefix, number & 0xffff_ffff_ffff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_name_leads_back_to_its_order_only() {
        let names = Names::new(7);
        let name = names.order(OrderKey(0xabc), Category::Linear);
        assert_eq!(name.len(), 36);
        assert_eq!(names.order_key(&name), Some(OrderKey(0xabc)));
        assert_eq!(Names::new(8).order_key(&name), None, "of another exchange");
        assert_eq!(names.order_key(&names.execution(0xabc, Category::Linear)), None, "an execution's");
        for bad in ["", "x", &name[..35], &name.to_uppercase(), &format!("{name}0")] {
            assert_eq!(names.order_key(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_spot_name_is_a_number_that_leads_back() {
        let names = Names::new(7);
        let (order, link) = (names.order(OrderKey(0xabc), Category::Spot), names.spot_link(OrderKey(0xabc)));
        assert!(order.len() == 19 && order.bytes().all(|byte| byte.is_ascii_digit()));
        assert_eq!(names.order_key(&order), Some(OrderKey(0xabc)));
        assert_eq!((names.order_key(&link), names.spot_link_key(&link)), (None, Some(OrderKey(0xabc))));
        assert_eq!(Names::new(8).order_key(&order), None, "of another exchange");
        assert_eq!(names.order_key(&format!("+{}", &order[1..])), None);
    }
}
