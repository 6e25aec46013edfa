//! Files of customers: CSV, lines of JSON and Commerce Layer's exports, read row by row in bounded memory.

mod csv;
mod elements;
mod json;
mod lines;
mod names;
mod row;
mod source;

pub use self::{
    lines::MAX_LINE,
    names::{Column, Names, Renamed},
    row::{ImportRowError, Reason, Row},
    source::{FileId, Format, Input, Rows, encoding},
};
