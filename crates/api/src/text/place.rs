//! Where a page of the list of zones has ended, as a text that clients send back: a name, and where zones are not in the
//! order of names, before it what they are ordered by.

use super::name::known_zone_name;
use crate::doors::ListPlace;
use crate::json::ZoneOrder;
use crate::problem::{Code, Problem};

/// The text of a place.
pub fn place_text(place: &ListPlace, order: ZoneOrder) -> String {
    match order {
        ZoneOrder::Name => place.name.to_string(),
        _ => format!("{:x}:{}", place.rank, place.name),
    }
}

/// Reads what [`place_text`] wrote for this order.
///
/// # Errors
/// [`Code::ZoneNameInvalid`], [`Code::QueryInvalid`].
pub fn place(text: &str, order: ZoneOrder) -> Result<ListPlace, Problem> {
    if order == ZoneOrder::Name {
        return Ok(ListPlace { rank: 0, name: known_zone_name(text)? });
    }
    let parts = text.split_once(':').and_then(|(rank, name)| Some((u64::from_str_radix(rank, 16).ok()?, name)));
    let Some((rank, name)) = parts else {
        let detail =
            "what is given as after is not what next was on a page in the same order: begin with the first page";
        return Err(Problem::new(Code::QueryInvalid, detail));
    };
    Ok(ListPlace { rank, name: known_zone_name(name)? })
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
        for wrong in ["", "example.org.", ":example.org", "g:example.org", "-1:example.org", "11111111111111111:a"] {
            assert_eq!(place(wrong, ZoneOrder::State).unwrap_err().code(), Code::QueryInvalid, "{wrong:?}");
        }
        assert_eq!(place("7:a..b", ZoneOrder::State).unwrap_err().code(), Code::ZoneNameInvalid);
    }
}
