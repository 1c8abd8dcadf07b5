//! Rows whose columns stand under each other.

use crate::text::{columns, cut};

/// How a column is set.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column {
    /// From the left, cut to this many columns.
    Left(usize),
    /// To the right, never cut: numbers.
    Right,
}

/// What stands between two columns.
const GAP: &str = "  ";

/// Column widths that grow with the rows that were seen.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    columns: &'a [Column],
    widths: Vec<usize>,
}

impl<'a> Table<'a> {
    pub(crate) fn new(columns: &'a [Column]) -> Self {
        Self { columns, widths: vec![0; columns.len()] }
    }

    /// Makes room for the cells of a row.
    pub(crate) fn fit(&mut self, cells: &[String]) {
        for ((width, column), cell) in self.widths.iter_mut().zip(self.columns).zip(cells) {
            let needed = match column {
                Column::Left(max) => columns(cell).min(*max),
                Column::Right => columns(cell),
            };
            *width = needed.max(*width);
        }
    }

    /// Sets the cells of a row in their columns, the last one padded too so that something can follow.
    pub(crate) fn set(&self, cells: &[String]) -> String {
        let set = |((width, column), cell): ((&usize, &Column), &String)| match column {
            Column::Left(_) => format!("{:<width$}", cut(cell, *width)),
            Column::Right => format!("{cell:>width$}"),
        };
        self.widths.iter().zip(self.columns).zip(cells).map(set).collect::<Vec<_>>().join(GAP)
    }
}

/// How many columns a line for a person takes, if its fixed part leaves room for that.
const LINE_COLUMNS: usize = 120;
/// How many columns the end of a line has in any case.
const END_COLUMNS_MIN: usize = 40;

/// Returns how many columns are left for what follows the given beginning of a line.
pub(crate) fn columns_left(beginning: &str) -> usize {
    LINE_COLUMNS.saturating_sub(columns(beginning) + columns(GAP)).max(END_COLUMNS_MIN)
}

/// Joins the beginning of a line and its end.
pub(crate) fn join(beginning: &str, end: &str) -> String {
    format!("{beginning}{GAP}{end}").trim_end().to_owned()
}
