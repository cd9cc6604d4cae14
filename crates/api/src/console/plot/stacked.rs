//! Numbers over time, one kind on top of the other, as areas with steps: one step for each hour or day, however many there
//! are. The scale is linear and begins at nothing, so that areas are what they seem.

use std::fmt::Write as _;

use super::{Line, WIDTH};
use crate::console::words::{number, short};

const TOP: f64 = 8.0;
const BOTTOM: f64 = 8.0;
/// More columns than this are too narrow to be pointed at.
const COLUMNS_MAX: usize = 168;

/// How tall a picture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// Beside other things.
    Small,
    Large,
}

/// The picture's parts, in its own units.
pub(crate) struct Stacked {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) foot: f64,
    pub(crate) lines: Vec<Line>,
    /// From the bottom up; those of which there is nothing are left out.
    pub(crate) layers: Vec<Layer>,
    pub(crate) columns: Vec<Column>,
    pub(crate) begins: String,
    pub(crate) ends: String,
    /// What it shows, for those who do not see it.
    pub(crate) summary: String,
}

pub(crate) struct Layer {
    pub(crate) name: &'static str,
    /// Of its colour.
    pub(crate) class: &'static str,
    /// As SVG writes paths, in the picture's own width.
    pub(crate) path: String,
    pub(crate) total: u64,
}

/// What can be pointed at; in hundredths of the width.
pub(crate) struct Column {
    pub(crate) x: f64,
    pub(crate) width: f64,
    pub(crate) title: String,
}

/// One kind of what is counted, with a number for each point.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) class: &'static str,
    pub(crate) numbers: Vec<u64>,
}

/// None where there is nothing at all. `labels` says of each point what it is of.
#[expect(clippy::cast_precision_loss, reason = "a picture has a thousand points")]
pub(crate) fn stacked(kinds: Vec<Kind>, labels: &[String], size: Size) -> Option<Stacked> {
    let height = match size {
        Size::Small => 106.0,
        Size::Large => 206.0,
    };
    let foot = height - BOTTOM;
    let sums: Vec<u64> = (0..labels.len()).map(|at| sum_at(&kinds, at)).collect();
    let most = sums.iter().copied().max().filter(|most| *most > 0)?;
    let step = step_for(most, size);
    let top = most.div_ceil(step).saturating_mul(step);
    let x = |at: usize| WIDTH * at as f64 / labels.len() as f64;
    let y = |count: u64| foot - (foot - TOP) * (count as f64 / top as f64).min(1.0);
    let mut below = vec![0; labels.len()];
    let mut layers = Vec::new();
    for Kind { name, class, numbers } in kinds {
        let total = numbers.iter().fold(0, |sum: u64, number| sum.saturating_add(*number));
        if total == 0 {
            continue;
        }
        let above: Vec<u64> =
            below.iter().zip(&numbers).map(|(below, own): (&u64, _)| below.saturating_add(*own)).collect();
        layers.push(Layer { name, class, path: area(&below, &above, x, y), total });
        below = above;
    }
    let lines = (0..=top / step).map(|line| Line { y: y(line * step), label: short(line * step) });
    let column = |(at, (label, sum)): (usize, (&String, &u64))| Column {
        x: 100.0 * x(at) / WIDTH,
        width: 100.0 * (x(at + 1) - x(at)) / WIDTH,
        title: format!("{label}: {}", number(sum)),
    };
    let columns = if labels.len() <= COLUMNS_MAX {
        labels.iter().zip(&sums).enumerate().map(column).collect()
    } else {
        Vec::new()
    };
    let all = sums.iter().fold(0, |all: u64, sum| all.saturating_add(*sum));
    let mut summary = format!("{} in all, {} at the most", number(&all), number(&most));
    for layer in &layers {
        let _ = write!(summary, "; {} {}", layer.name, number(&layer.total));
    }
    Some(Stacked {
        width: WIDTH,
        height,
        foot,
        lines: lines.collect(),
        layers,
        columns,
        begins: labels.first().cloned().unwrap_or_default(),
        ends: labels.last().cloned().unwrap_or_default(),
        summary,
    })
}

fn sum_at(kinds: &[Kind], at: usize) -> u64 {
    kinds.iter().filter_map(|kind| kind.numbers.get(at)).fold(0, |sum, number| sum.saturating_add(*number))
}

/// Along the upper edge to the right, and back along the lower one; steps as wide as the points.
fn area(below: &[u64], above: &[u64], x: impl Fn(usize) -> f64, y: impl Fn(u64) -> f64) -> String {
    let mut path = format!("M{:.1} {:.1}", x(0), y(below.first().copied().unwrap_or_default()));
    for (at, count) in above.iter().enumerate() {
        let _ = write!(path, "V{:.1}H{:.1}", y(*count), x(at + 1));
    }
    for (at, count) in below.iter().enumerate().rev() {
        let _ = write!(path, "V{:.1}H{:.1}", y(*count), x(at));
    }
    path.push('Z');
    path
}

/// Between lines: 1, 2 or 5 with zeros, so that there are a few of them.
fn step_for(most: u64, size: Size) -> u64 {
    let lines_max = match size {
        Size::Small => 3,
        Size::Large => 5,
    };
    let steps = (0..19).flat_map(|zeros| [1, 2, 5].map(|digit: u64| digit.saturating_mul(10_u64.pow(zeros))));
    steps.into_iter().find(|step| most.div_ceil(*step) <= lines_max).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Kind, Size, stacked};

    fn kind(name: &'static str, numbers: &[u64]) -> Kind {
        Kind { name, class: name, numbers: numbers.to_vec() }
    }

    fn labels(count: usize) -> Vec<String> {
        (0..count).map(|at| format!("p{at}")).collect()
    }

    #[test]
    fn layers_stand_on_each_other_and_nothing_is_left_out_but_nothing() {
        let kinds = vec![kind("one", &[1, 0, 2]), kind("none", &[0, 0, 0]), kind("two", &[3, 0, 0])];
        let plot = stacked(kinds, &labels(3), Size::Large).unwrap();
        assert_eq!(
            plot.layers.iter().map(|layer| (layer.name, layer.total)).collect::<Vec<_>>(),
            [("one", 3), ("two", 3)]
        );
        assert_eq!(plot.lines.iter().map(|line| line.label.as_str()).collect::<Vec<_>>(), ["0", "1", "2", "3", "4"]);
        assert_eq!(plot.columns[0].title, "p0: 4");
        assert!(plot.layers[1].path.starts_with("M0.0 150.5V8.0H"), "{}", plot.layers[1].path);
        assert_eq!(plot.summary, "6 in all, 4 at the most; one 3; two 3");
    }

    #[test]
    fn there_is_no_picture_of_nothing_and_one_of_everything() {
        assert!(stacked(vec![kind("one", &[0; 24])], &labels(24), Size::Small).is_none());
        assert!(stacked(Vec::new(), &[], Size::Small).is_none());
        let huge = stacked(vec![kind("one", &[u64::MAX; 800]), kind("two", &[7; 800])], &labels(800), Size::Large);
        let huge = huge.unwrap();
        assert!(huge.columns.is_empty() && huge.lines.len() <= 6);
        assert!(huge.layers.iter().all(|layer| !layer.path.contains("NaN") && !layer.path.contains("inf")));
    }
}
