//! Error codes and their symbolic names.
//!
//! Source: payload reference, "Errors"; the names are those of [MS-ERREF].

use core::cmp::Ordering;

use crate::decode::format::digits::hex;

/// What kind of error code a number is, which its out-type tells.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A Win32 code, as `GetLastError` gives it.
    Win32,
    /// An `NTSTATUS`.
    NtStatus,
    /// An `HRESULT`.
    HResult,
}

/// The symbolic name of an error code, such as `STATUS_ACCESS_DENIED`; `None` if none is known.
///
/// An `HRESULT` of the form 0x8007xxxx has the Win32 name of its low 16 bits, where there is one, and one with bit 28 set
/// the name of the `NTSTATUS` inside. A Win32 code that is really an `HRESULT` has the latter's name. Always `None` without
/// the feature `error-names`. Allocates nothing and takes a binary search.
///
/// ```
/// use etweir::decode::format::{ErrorKind, error_name};
///
/// # if cfg!(feature = "error-names") {
/// assert_eq!(error_name(ErrorKind::NtStatus, 0xC000_0022), Some("STATUS_ACCESS_DENIED"));
/// assert_eq!(error_name(ErrorKind::HResult, 0x8007_0005), Some("ERROR_ACCESS_DENIED"));
/// # }
/// ```
#[must_use]
pub fn error_name(kind: ErrorKind, code: u32) -> Option<&'static str> {
    match kind {
        ErrorKind::NtStatus => find(NTSTATUS, code),
        ErrorKind::Win32 if code & HRESULT_FAILURE != 0 => hresult_name(code),
        ErrorKind::Win32 => find(WIN32, code).or_else(|| match code {
            // WinINet's codes stand in the other table alone.
            0..=0xFFFF => find(HRESULT, WIN32_FACILITY | code),
            _ => None,
        }),
        ErrorKind::HResult => hresult_name(code),
    }
}

fn hresult_name(code: u32) -> Option<&'static str> {
    let win32 = if code & !0xFFFF == WIN32_FACILITY { find(WIN32, code & 0xFFFF) } else { None };
    win32.or_else(|| find(HRESULT, code)).or_else(|| match code & FACILITY_NT {
        0 => None,
        _ => find(NTSTATUS, code & !FACILITY_NT),
    })
}

const HRESULT_FAILURE: u32 = 0x8000_0000;
/// What `HRESULT_FROM_WIN32` adds.
const WIN32_FACILITY: u32 = 0x8007_0000;
/// What `HRESULT_FROM_NT` adds.
const FACILITY_NT: u32 = 0x1000_0000;

// Lines of eight hexadecimal digits, a space and a name, in the order of the numbers: they are searched as they are, so
// that there is neither a table to be built nor an address to be relocated when a program starts.
#[cfg(feature = "error-names")]
const NTSTATUS: &str = include_str!("errors/ntstatus.txt");
#[cfg(feature = "error-names")]
const WIN32: &str = include_str!("errors/win32.txt");
/// Without those that have a Win32 name.
#[cfg(feature = "error-names")]
const HRESULT: &str = include_str!("errors/hresult.txt");
#[cfg(not(feature = "error-names"))]
const NTSTATUS: &str = "";
#[cfg(not(feature = "error-names"))]
const WIN32: &str = "";
#[cfg(not(feature = "error-names"))]
const HRESULT: &str = "";

/// The name in the line that starts with `code`.
fn find(table: &'static str, code: u32) -> Option<&'static str> {
    let mut digits = [0; 8];
    hex(&code.to_be_bytes(), &mut digits);
    // What may hold the line: it starts with a line, and gets shorter with each round.
    let mut rest = table.as_bytes();
    while !rest.is_empty() {
        let (before, after) = rest.split_at_checked(rest.len() / 2)?;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at.saturating_add(1));
        let to_end = after.iter().position(|byte| *byte == b'\n')?;
        let (smaller, tail) = rest.split_at_checked(start)?;
        let (line, larger) =
            tail.split_at_checked(before.len().saturating_sub(start).saturating_add(to_end))?;
        let (found, name) = line.split_first_chunk()?;
        match found.cmp(&digits) {
            Ordering::Less => rest = larger.get(1..)?,
            Ordering::Greater => rest = smaller,
            Ordering::Equal => return core::str::from_utf8(name.get(1..)?).ok(),
        }
    }
    None
}

#[cfg(all(test, feature = "error-names"))]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_names() {
        for (kind, code, name) in [
            (ErrorKind::NtStatus, 0, Some("STATUS_SUCCESS")),
            (ErrorKind::NtStatus, 0xC000_0022, Some("STATUS_ACCESS_DENIED")),
            (ErrorKind::NtStatus, 0xC000_0005, Some("STATUS_ACCESS_VIOLATION")),
            (ErrorKind::NtStatus, 0xC0FF_FFFF, None),
            (ErrorKind::NtStatus, u32::MAX, None),
            (ErrorKind::Win32, 0, Some("ERROR_SUCCESS")),
            (ErrorKind::Win32, 5, Some("ERROR_ACCESS_DENIED")),
            (ErrorKind::Win32, 1722, Some("RPC_S_SERVER_UNAVAILABLE")),
            (ErrorKind::Win32, 12007, Some("WININET_E_NAME_NOT_RESOLVED")),
            (ErrorKind::Win32, 0x8007_0005, Some("ERROR_ACCESS_DENIED")),
            (ErrorKind::Win32, 0x0007_0005, None),
            (ErrorKind::HResult, 0, Some("S_OK")),
            (ErrorKind::HResult, 1, Some("S_FALSE")),
            (ErrorKind::HResult, 0x8000_4005, Some("E_FAIL")),
        ] {
            assert_eq!(error_name(kind, code), name, "{kind:?} {code:#x}");
        }
    }

    #[test]
    fn an_hresult_of_a_win32_code_has_its_name() {
        assert_eq!(error_name(ErrorKind::HResult, 0x8007_0005), Some("ERROR_ACCESS_DENIED"));
        // Where Win32 has no name, the table of HRESULTs may have one.
        assert_eq!(error_name(ErrorKind::HResult, 0x8007_2EE7), Some("WININET_E_NAME_NOT_RESOLVED"));
        assert_eq!(error_name(ErrorKind::HResult, 0x8007_FFFF), None);
    }

    #[test]
    fn an_hresult_of_an_ntstatus_has_its_name() {
        assert_eq!(error_name(ErrorKind::HResult, 0xD000_0022), Some("STATUS_ACCESS_DENIED"));
    }

    #[test]
    fn every_line_of_the_tables_is_found_and_they_are_whole() {
        for (table, count) in [(NTSTATUS, 2564), (WIN32, 2951), (HRESULT, 3376)] {
            let mut last = None;
            for line in table.lines() {
                let (digits, name) = line.split_once(' ').expect("two columns");
                let code = u32::from_str_radix(digits, 16).expect("a number");
                assert!(last < Some(code), "{line}: in order");
                assert_eq!(find(table, code), Some(name));
                last = Some(code);
            }
            assert_eq!(table.lines().count(), count);
        }
    }

    #[test]
    fn numbers_between_the_lines_are_not_found() {
        for table in [NTSTATUS, WIN32, HRESULT] {
            let codes: alloc::collections::BTreeSet<u32> =
                table.lines().map(|line| u32::from_str_radix(&line[..8], 16).expect("a number")).collect();
            for code in codes.iter().flat_map(|code| [code.wrapping_sub(1), code.wrapping_add(1)]) {
                assert_eq!(find(table, code).is_some(), codes.contains(&code), "{code:#x}");
            }
        }
    }
}
