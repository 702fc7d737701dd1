//! Names of orders, executions and public trades: UUIDs that carry the exchange's number, so that no table is needed to go back.

use crate::engine::OrderKey;
use crate::sources::mix;

/// Makes and reads the names of one exchange. Two exchanges never share a name unless they share the realm.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    prefix: String,
    order: char,
    user: u64,
}

impl Names {
    pub(crate) fn new(realm: u64) -> Self {
        let (one, two) = (mix(realm), mix(realm ^ 0x5bd1_e995));
        let prefix =
            format!("{:08x}-{:04x}-4{:03x}", one & 0xffff_ffff, (one >> 32) & 0xffff, (one >> 48) & 0xfff);
        Self { prefix, order: '8', user: (two % 90_000_000).saturating_add(10_000_000) }
    }

    /// The `orderId` of an order.
    pub(crate) fn order(&self, key: OrderKey) -> String {
        self.name(self.order, key.0)
    }

    /// The order an `orderId` names.
    pub(crate) fn order_key(&self, name: &str) -> Option<OrderKey> {
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
    pub(crate) fn execution(&self, number: u64) -> String {
        self.name('9', number)
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
        let name = names.order(OrderKey(0xabc));
        assert_eq!(name.len(), 36);
        assert_eq!(names.order_key(&name), Some(OrderKey(0xabc)));
        assert_eq!(Names::new(8).order_key(&name), None, "of another exchange");
        assert_eq!(names.order_key(&names.execution(0xabc)), None, "an execution's");
        for bad in ["", "x", &name[..35], &name.to_uppercase(), &format!("{name}0")] {
            assert_eq!(names.order_key(bad), None, "{bad}");
        }
    }
}
