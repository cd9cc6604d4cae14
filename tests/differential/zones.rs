//! Zones from a seed: the families that all servers serve together, and the root zone.

use testing::dice::Dice;
use testing::peer::Software;

use crate::draft::{Draft, Hidden};
use crate::features::Sketch;
use crate::signing::{Denial, sign};

/// A zone file as all servers get it.
#[derive(Clone)]
pub(crate) struct Zone {
    pub(crate) apex: String,
    pub(crate) text: String,
    /// None where it is not signed.
    pub(crate) denial: Option<Denial>,
    below_dnames: Below,
}

impl Zone {
    fn new(apex: String, text: String, denial: Option<Denial>, below_dnames: Below) -> Self {
        let text = denial.map_or_else(|| text.clone(), |denial| sign(&apex, &text, denial));
        Self { apex, text, denial, below_dnames }
    }

    pub(crate) fn is_served_by(&self, software: Software) -> bool {
        match self.below_dnames {
            Below::Nothing => true,
            // Knot 3.2 counts NSEC3 records as names below the apex's DNAME, and loads no zone with any there.
            Below::Hashes => software != Software::Knot,
            Below::Names => !matches!(software, Software::Knot | Software::Nsd),
        }
    }

    pub(crate) fn hides_names(&self) -> bool {
        self.below_dnames == Below::Names
    }
}

/// What a zone has below a DNAME.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Below {
    Nothing,
    /// NSEC3 records of a zone with a DNAME at its apex (RFC 6672 §2.4).
    Hashes,
    /// Names that the DNAME hides (RFC 6672 §2.4): Knot and NSD load no such zone.
    Names,
}

/// What the dice throw too rarely, and some server answers otherwise than we do: hosts that come from wildcards, hosts
/// with a TLSA record, a circle behind a wildcard, empty non-terminals above an insecure delegation, a wildcard below an
/// alias, hosts that are aliases or zones of their own, a DNAME that leads to itself.
const CORNERS: &str = "\
@ 300 IN SOA ns1 host 7 7200 3600 1209600 300
@ 300 IN NS ns1
ns1 300 IN A 192.0.2.53
@ 300 IN NS ns2
ns2 300 IN NS ns.example.net.
ns2 300 IN A 192.0.2.3
mail 300 IN MX 10 host.wild
mail 300 IN MX 20 ns2
mail 300 IN MX 30 alias
*.wild 300 IN A 192.0.2.1
*.wild 300 IN AAAA 2001:db8::1
service 300 IN SRV 0 0 443 server
server 300 IN A 192.0.2.2
_443._tcp.server 300 IN TLSA 3 1 1 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF
*.loop 300 IN CNAME circle0
circle0 300 IN CNAME circle1
circle1 300 IN CNAME circle2
circle2 300 IN CNAME circle0
b.c.d 300 IN NS ns.example.net.
b.server 300 IN NS ns.example.net.
a 300 IN DNAME @
alias 300 IN CNAME server
*.alias 300 IN TXT \"below an alias\"
";

/// A family of zones that all servers serve together.
pub(crate) fn draw(dice: &mut Dice) -> Vec<Zone> {
    let denials = [
        None,
        Some(Denial::Nsec),
        Some(Denial::Nsec3 { salt: "-", iterations: 0 }),
        Some(Denial::Nsec3 { salt: "AABBCCDD", iterations: 5 }),
        Some(Denial::OptOut { salt: "-", iterations: 0 }),
        Some(Denial::OptOut { salt: "0123", iterations: 1 }),
    ];
    let mut shapes = Vec::new();
    for (number, denial) in denials.into_iter().enumerate() {
        shapes.push((format!("small{number}.test."), denial, Shape::Plain { features: dice.between(0, 6) }));
        shapes.push((format!("Middle{number}.test."), denial, Shape::Plain { features: dice.between(20, 50) }));
        shapes.push((format!("large{number}.a.test."), denial, Shape::Plain { features: dice.between(80, 160) }));
        shapes.push((format!("tangled{number}.test."), denial, Shape::Tangled { features: dice.between(30, 60) }));
        shapes.push((format!("apex{number}.test."), denial, Shape::DnameApex));
        // A zone below another: its parent has a cut, and perhaps a DS, where it begins.
        shapes.push((format!("a.a.middle{number}.test."), *dice.pick(&denials), Shape::Plain { features: 8 }));
    }
    let apexes: Vec<String> = shapes.iter().map(|(apex, ..)| apex.clone()).collect();
    let mut zones: Vec<Zone> =
        shapes.into_iter().map(|(apex, denial, shape)| draw_zone(&apex, denial, shape, &apexes, dice)).collect();
    zones.extend(denials.into_iter().enumerate().map(|(number, denial)| {
        let apex = format!("corner{number}.test.");
        let text = format!("$ORIGIN {apex}\n{CORNERS}");
        Zone::new(apex, text, denial, Below::Nothing)
    }));
    zones
}

/// The root, which cannot be served beside others: everything lies in it.
pub(crate) fn draw_root(denial: Option<Denial>, dice: &mut Dice) -> Zone {
    let features = dice.between(30, 60);
    draw_zone(".", denial, Shape::Plain { features }, &[], dice)
}

enum Shape {
    Plain {
        features: u64,
    },
    /// With names below DNAMEs.
    Tangled {
        features: u64,
    },
    /// RFC 6672 §2.3 allows a DNAME at the apex; all below it is occluded.
    DnameApex,
}

fn draw_zone(apex: &str, denial: Option<Denial>, shape: Shape, apexes: &[String], dice: &mut Dice) -> Zone {
    let hidden = match shape {
        Shape::Tangled { .. } => Hidden::Welcome,
        _ if apexes.iter().any(|above| is_below(apex, above)) => Hidden::Impossible,
        _ => Hidden::Refused,
    };
    let mut sketch = Sketch { draft: Draft::new(apex, hidden), apexes, dice };
    sketch.apex_records();
    // Where the zones begin that are drawn below this one.
    for below in apexes.iter().filter(|below| is_below(below, apex)) {
        sketch.cut(below);
    }
    match shape {
        Shape::Plain { features } | Shape::Tangled { features } => {
            sketch.own_name_server();
            (0..features).for_each(|_| sketch.feature());
        }
        Shape::DnameApex => sketch.dname_at_apex(),
    }
    let text = sketch.draft.to_text();
    let below_dnames = match (shape, denial) {
        (Shape::Tangled { .. }, _) => Below::Names,
        (Shape::DnameApex, Some(Denial::Nsec3 { .. } | Denial::OptOut { .. })) => Below::Hashes,
        _ => Below::Nothing,
    };
    Zone::new(apex.into(), text, denial, below_dnames)
}

pub(crate) fn is_below(name: &str, apex: &str) -> bool {
    let (name, apex) = (name.to_ascii_lowercase(), apex.to_ascii_lowercase());
    name.ends_with(&format!(".{apex}"))
}
