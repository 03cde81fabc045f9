//! Tables whose columns are as wide as what is in them.

/// Rows of text, the first one with the headings: columns named in `left` begin at the same place, all
/// others end there.
pub(super) fn columns<const N: usize>(rows: &[[String; N]], left: &[usize]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..N).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let cell = |column: usize| {
            let (cell, width) = (&row[column], widths[column]);
            match left.contains(&column) {
                true => format!("{cell:<width$}"),
                false => format!("{cell:>width$}"),
            }
        };
        let cells: Vec<String> = (0..N).map(cell).collect();
        text += cells.join("  ").trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = [["a", "–", "x"], ["long", "12", "yes"]].map(|row| row.map(String::from));
        assert_eq!(columns(&rows, &[0, 2]), "a      –  x\nlong  12  yes\n");
    }
}
