//! What property tests, fuzz targets and the tests over real traces share. Not a public interface: it changes without notice.

pub mod check;
pub mod context;
pub mod corpus;
pub mod metadata;
pub mod schema;
mod whole_file;
