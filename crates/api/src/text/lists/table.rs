//! Tables (RFC 4180) whose first line names their columns; cells are parted by commas, semicolons or tabs, as spreadsheets write
//! them.

use super::{ListLine, Otherwise, Written, listed, wrong};
use crate::text::import::ImportLine;
use crate::text::tag::listed_tags;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Name,
    Primaries,
    Key,
    Tags,
}

impl Column {
    fn of_word(word: &str) -> Option<Self> {
        match word.trim().to_lowercase().as_str() {
            "name" | "zone" | "domain" => Some(Self::Name),
            "primaries" | "primary" | "masters" | "master" | "address" => Some(Self::Primaries),
            "key" | "tsig" => Some(Self::Key),
            "tags" | "tag" => Some(Self::Tags),
            _ => None,
        }
    }
}

/// Whether this line names columns, of which one is that of names.
pub(super) fn is_header(line: &str) -> bool {
    let cells = cells_of(line, separator(line));
    let columns: Vec<_> = cells.iter().map(|cell| Column::of_word(cell)).collect();
    columns.contains(&Some(Column::Name)) && (columns.len() > 1 || line.trim().eq_ignore_ascii_case("name"))
}

pub(super) fn read(text: &str, otherwise: &Otherwise) -> Vec<ListLine> {
    let separator = separator(text.lines().next().unwrap_or_default());
    let mut rows = rows(text, separator).into_iter();
    let Some((_, header)) = rows.next() else { return Vec::new() };
    let columns: Vec<Option<Column>> = header.iter().map(|word| Column::of_word(word)).collect();
    if !columns.contains(&Some(Column::Name)) {
        let detail =
            "the first line of the table names its columns: name, primaries, key, tags, of which name must be there";
        return vec![wrong(1, detail)];
    }
    if let Some(unknown) =
        columns.iter().zip(&header).find(|(column, word)| column.is_none() && !word.trim().is_empty())
    {
        let detail = format!(
            "the table has a column {:?}, of which nothing is known here: name, primaries, key, tags",
            unknown.1
        );
        return vec![wrong(1, detail)];
    }
    rows.filter(|(_, cells)| cells.iter().any(|cell| !cell.trim().is_empty()))
        .map(|(line, cells)| (line, row(&columns, &cells, otherwise)))
        .collect()
}

fn row(columns: &[Option<Column>], cells: &[String], otherwise: &Otherwise) -> ImportLine {
    let cell = |wanted| {
        let place = columns.iter().position(|column| *column == Some(wanted));
        place.and_then(|place| cells.get(place)).map_or("", |cell| cell.trim())
    };
    let key = Some(cell(Column::Key)).filter(|key| !key.is_empty()).map(str::to_owned);
    let addresses = cell(Column::Primaries).split([',', ';', ' ']).filter(|text| !text.is_empty());
    let written: Vec<Written> =
        addresses.map(|address| Written { address: address.to_owned(), key: key.clone() }).collect();
    let mut line = listed(cell(Column::Name), &written, otherwise);
    if let ImportLine::Zone(zone) = &mut line {
        let tags = cell(Column::Tags);
        if !tags.is_empty() {
            let commas = tags.replace([';', ' '], ",");
            match listed_tags(commas.trim_matches(',')) {
                Ok(tags) => zone.tags = tags,
                Err(problem) => return ImportLine::Wrong { name: Some(zone.name().to_string()), problem },
            }
        }
    }
    line
}

fn separator(header: &str) -> char {
    [';', '\t'].into_iter().find(|separator| header.contains(*separator)).unwrap_or(',')
}

fn cells_of(line: &str, separator: char) -> Vec<String> {
    rows(line, separator).into_iter().next().map(|(_, cells)| cells).unwrap_or_default()
}

/// Rows with the number of the line on which each begins.
fn rows(text: &str, separator: char) -> Vec<(u64, Vec<String>)> {
    let (mut rows, mut cells, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut is_quoted, mut line, mut begun) = (false, 1, 1);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        line += u64::from(character == '\n');
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' if is_quoted => is_quoted = false,
            '"' if cell.is_empty() => is_quoted = true,
            '\r' if !is_quoted => {}
            '\n' if !is_quoted => {
                cells.push(std::mem::take(&mut cell));
                rows.push((begun, std::mem::take(&mut cells)));
                begun = line;
            }
            _ if character == separator && !is_quoted => cells.push(std::mem::take(&mut cell)),
            _ => cell.push(character),
        }
    }
    if !cell.is_empty() || !cells.is_empty() {
        cells.push(cell);
        rows.push((begun, cells));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::super::ListFormat::Csv;
    use super::super::tests::found;

    #[test]
    fn a_table_says_which_column_is_which() {
        let text = "tags,Name,Primaries,key\r\n\"a,b\",one.test,\"192.0.2.1, [2001:db8::1]:5353\",k.test\r\n,two.test,192.0.2.2,\r\n";
        assert_eq!(
            found(text, Csv, None),
            ["2 one.test. 192.0.2.1:53/k.test.,[2001:db8::1]:5353/k.test.", "3 two.test. 192.0.2.2:53"]
        );
        assert_eq!(found("zone;master\nx.test;192.0.2.1\n", Csv, None), ["2 x.test. 192.0.2.1:53"]);
        assert_eq!(
            found("name\nx.test\n\ny.test", Csv, Some("192.0.2.1")),
            ["2 x.test. 192.0.2.1:53", "4 y.test. 192.0.2.1:53"]
        );
    }

    #[test]
    fn wrong_rows_are_named_and_others_read() {
        let text = "name,primaries\na..b,192.0.2.1\nx.test,nowhere\ny.test\nz.test,192.0.2.1,more\n";
        assert_eq!(
            found(text, Csv, None),
            [
                "2 ? zone_name_invalid",
                "3 x.test. primary_invalid",
                "4 y.test. primary_invalid",
                "5 z.test. 192.0.2.1:53"
            ]
        );
        assert_eq!(found("domain,ttl\nx.test,5\n", Csv, None), ["1 ? list_invalid"]);
        assert_eq!(found("primaries\n192.0.2.1\n", Csv, None), ["1 ? list_invalid"]);
    }
}
