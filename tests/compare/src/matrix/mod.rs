//! Which functions each attribute takes: every shape, compiled and run under every attribute.

mod column;
mod compile;
mod report;
mod shape;
mod verdict;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};

use crate::toolchain::{Profile, Toolchain};
use column::{COLUMNS, Column, Form};
use compile::Refused;
use shape::Shape;
use verdict::Verdict;

/// One attribute on one shape: the forms that were tried, until one did it.
#[derive(Debug)]
pub(crate) struct Cell {
    column: Column,
    tried: Vec<(Form, Verdict)>,
}

/// One shape and its cells.
#[derive(Debug)]
pub(crate) struct Row {
    shape: Shape,
    cells: Vec<Cell>,
}

/// What `#[audited]` is known not to do, and why. A row that it does after all is an error, too.
const LIMITS: [(&str, &str); 3] = [
    ("424_track_caller", "the body runs in a closure, which cannot carry the location of the caller"),
    ("429_expect_on_parameter", "the argument is recorded, so that the parameter is used"),
    ("439_drop_order", "a parameter without a name cannot be moved into the body, and is dropped after it"),
];

/// Compiles and runs everything and writes the document; fails if a shape is not sound by itself, or if `#[audited]` does
/// not do it.
pub(crate) fn run() -> Result<()> {
    let rows = judge(&COLUMNS)?;
    report::write(&rows)?;
    held_to_limits(&rows)
}

/// Compiles and runs everything without the other attributes.
pub(crate) fn check() -> Result<()> {
    held_to_limits(&judge(&[Column::Bare, Column::Audited])?)
}

fn judge(columns: &[Column]) -> Result<Vec<Row>> {
    let toolchain = Toolchain::build(Profile::Dev)?;
    let mut rows: Vec<Row> = shape::all()?.into_iter().map(|shape| Row { shape, cells: Vec::new() }).collect();
    for &column in columns {
        for row in &mut rows {
            row.cells.push(Cell { column, tried: Vec::new() });
        }
        for form in column.tried().iter().copied() {
            try_form(&toolchain, column, form, &mut rows)?;
        }
        // The first column is the one without an attribute.
        let unsound: Vec<_> = rows.iter().filter(|row| column == Column::Bare && !row.is_done(column)).collect();
        if !unsound.is_empty() {
            bail!("shapes that are not sound without an attribute: {unsound:#?}");
        }
    }
    Ok(rows)
}

fn held_to_limits(rows: &[Row]) -> Result<()> {
    for row in rows {
        let limit = LIMITS.iter().find(|(stem, _)| *stem == row.shape.stem);
        let cell = row.cell(Column::Audited);
        match (row.is_done(Column::Audited), limit) {
            (true, Some((stem, _))) => bail!("`#[audited]` does {stem}, which is listed as one of its limits"),
            (false, None) => bail!("`#[audited]` does not do {}: {cell:?}", row.shape.stem),
            _ => {}
        }
    }
    println!("`#[audited]` does {} of {} shapes; the others are known", rows.len() - LIMITS.len(), rows.len());
    Ok(())
}

impl Row {
    fn cell(&self, column: Column) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.column == column)
    }

    fn is_done(&self, column: Column) -> bool {
        self.cell(column).is_some_and(|cell| cell.tried.iter().any(|(_, verdict)| matches!(verdict, Verdict::Ok)))
    }
}

/// Tries one form of an attribute on all shapes that no form before did.
fn try_form(toolchain: &Toolchain, column: Column, form: Form, rows: &mut [Row]) -> Result<()> {
    let open: Vec<&Shape> = rows.iter().filter(|row| !row.is_done(column)).map(|row| &row.shape).collect();
    let verdicts = verdicts(toolchain, column, form, &open)?;
    let open = rows.iter_mut().filter(|row| !row.is_done(column));
    for (row, verdict) in open.zip(verdicts) {
        if let Some(cell) = row.cells.iter_mut().find(|cell| cell.column == column) {
            cell.tried.push((form, verdict));
        }
    }
    Ok(())
}

fn verdicts(toolchain: &Toolchain, column: Column, form: Form, shapes: &[&Shape]) -> Result<Vec<Verdict>> {
    let mut refused = check_all(toolchain, column, form, shapes)?;
    let program = loop {
        let compiled: Vec<&Shape> =
            shapes.iter().zip(&refused).filter(|(_, refused)| refused.is_none()).map(|(shape, _)| *shape).collect();
        match compile::link(toolchain, column, form, &compiled)? {
            Ok(program) => break program,
            Err(late) => {
                for (stem, reason) in late {
                    let places = shapes.iter().zip(&mut refused).filter(|(shape, _)| shape.stem == stem);
                    places.for_each(|(_, refused)| *refused = Some(reason.clone()));
                }
            }
        }
    };
    let judged = shapes.iter().zip(refused).map(|(shape, refused)| match refused {
        Some(refused) => Ok(Verdict::from(refused)),
        None => Ok(match compile::run(&program, shape)? {
            Ok(seen) => Verdict::of(column, form, shape, &seen),
            Err(failure) => Verdict::Broken(failure),
        }),
    });
    judged.collect()
}

/// Checks all shapes, several at a time.
fn check_all(toolchain: &Toolchain, column: Column, form: Form, shapes: &[&Shape]) -> Result<Vec<Option<Refused>>> {
    let next = AtomicUsize::new(0);
    let checked = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, core::num::NonZero::get) {
            scope.spawn(|| {
                while let Some((index, shape)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    shapes.get(index).map(|shape| (index, shape))
                } {
                    let refused = compile::check(toolchain, column, form, shape);
                    checked.lock().unwrap_or_else(PoisonError::into_inner).push((index, refused));
                }
            });
        }
    });
    let mut checked = checked.into_inner().unwrap_or_else(PoisonError::into_inner);
    checked.sort_by_key(|(index, _)| *index);
    checked.into_iter().map(|(_, refused)| refused).collect()
}
