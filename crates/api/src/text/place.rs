//! Where a page of the list of zones has ended, as a text that clients send back: a name, and where zones are not in the
//! order of names, before it the order and what the zone has in it.

use super::name::known_zone_name;
use crate::doors::ListPlace;
use crate::json::ZoneOrder;
use crate::problem::{Code, Problem};

/// The text of a place.
pub fn place_text(place: &ListPlace, order: ZoneOrder) -> String {
    match order {
        ZoneOrder::Name => place.name.to_string(),
        _ => format!("{order}:{:x}:{}", place.rank, place.name),
    }
}

/// Reads what [`place_text`] wrote for this order.
///
/// # Errors
/// [`Code::ZoneNameInvalid`], [`Code::QueryInvalid`].
pub fn place(text: &str, order: ZoneOrder) -> Result<ListPlace, Problem> {
    match (read(text), order) {
        // A name may have such a beginning, and then is no place in another order.
        (Some((_, _, of)), ZoneOrder::Name) if of != ZoneOrder::Name => Err(other_list()),
        (_, ZoneOrder::Name) => Ok(ListPlace { rank: 0, name: known_zone_name(text)? }),
        (Some((rank, name, of)), _) if of == order => Ok(ListPlace { rank, name: known_zone_name(name)? }),
        _ => Err(other_list()),
    }
}

fn read(text: &str) -> Option<(u64, &str, ZoneOrder)> {
    let (order, rest) = text.split_once(':')?;
    let (rank, name) = rest.split_once(':')?;
    Some((u64::from_str_radix(rank, 16).ok()?, name, order.parse().ok()?))
}

fn other_list() -> Problem {
    let detail = "what is given as after is not what next was on a page in the same order: begin with the first page";
    Problem::new(Code::QueryInvalid, detail)
}

#[cfg(test)]
mod tests {
    use super::{place, place_text};
    use crate::doors::ListPlace;
    use crate::json::ZoneOrder;
    use crate::problem::Code;

    #[test]
    fn a_place_is_read_as_it_was_written_and_nothing_else_is() {
        let name = "a\\.b:c.example.".parse().unwrap();
        for (order, rank) in [(ZoneOrder::Name, 0), (ZoneOrder::Expires, 0), (ZoneOrder::Serial, u64::MAX)] {
            let at = ListPlace { rank, name: dns::Name::clone(&name) };
            assert_eq!(place(&place_text(&at, order), order).unwrap(), at);
        }
        for wrong in [
            "",
            "example.org.",
            "7:example.org",
            "state:example.org",
            "state:g:example.org",
            "state:-1:example.org",
            "state:11111111111111111:a",
            "serial:7:example.org.",
        ] {
            assert_eq!(place(wrong, ZoneOrder::State).unwrap_err().code(), Code::QueryInvalid, "{wrong:?}");
        }
        assert_eq!(place("serial:7:example.org.", ZoneOrder::Name).unwrap_err().code(), Code::QueryInvalid);
        assert_eq!(place("state:7:a..b", ZoneOrder::State).unwrap_err().code(), Code::ZoneNameInvalid);
    }
}
