//! Tables for spreadsheets (RFC 4180).
//!
//! Invariant: no cell is a formula, whoever chose its text: one that begins as formulas do has an apostrophe before it, by
//! which spreadsheets take it for text (OWASP, "CSV Injection").

/// One row with its end.
pub fn csv_row<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let mut row = cells.into_iter().map(cell).collect::<Vec<_>>().join(",");
    row.push_str("\r\n");
    row
}

fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\r', '\n', ';', '\t']) || text.starts_with(' ') {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::csv_row;

    #[test]
    fn no_cell_is_a_formula_and_none_leaves_its_column() {
        for (text, cell) in [
            ("Example, Inc.", "\"Example, Inc.\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "\"'\t=1\""),
            ("two\nlines", "\"two\nlines\""),
            ("1-1", "1-1"),
            ("", ""),
        ] {
            assert_eq!(csv_row([text, "x"]), format!("{cell},x\r\n"));
        }
    }
}
