//! Serial numbers of zones (RFC 1982).

use std::fmt;

/// The serial of an SOA record: the primary's own number, ordered on a circle of 2³².
///
/// There is deliberately no `Ord`: comparing serials by `<` is the oldest fault of secondaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Serial(pub u32);

impl Serial {
    /// Whether `self` is later than `other` (RFC 1982 §3.2).
    ///
    /// Two serials exactly 2³¹ apart have no order; neither is then newer than the other.
    pub fn is_newer_than(self, other: Self) -> bool {
        let distance = self.0.wrapping_sub(other.0);
        distance != 0 && distance < 1 << 31
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::Serial;

    #[test]
    fn order_is_that_of_rfc_1982_on_the_circle() {
        let newer = |a: u32, b: u32| Serial(a).is_newer_than(Serial(b));
        assert!(newer(1, 0) && !newer(0, 1));
        assert!(newer(0, u32::MAX) && !newer(u32::MAX, 0));
        assert!(newer(1 << 31, 1) && !newer(1, 1 << 31));
        assert!(!newer(7, 7));
        assert!(!newer(1 << 31, 0) && !newer(0, 1 << 31), "2³¹ apart: undefined, so not newer either way");
    }
}
