//! The header buffers of versions and modes, and damage on request. Format reference, sections 4.2, 4.7 and 5.

use etweir::buffer::{BufferFlags, BufferHeader, BufferType, Layout};
use etweir::codec::Format;
use etweir::trace::LogFileMode;
use etweir::write::{BufferSpec, Damage, FileSpec, LogFileSpec, PerfSpec, SystemSpec, TraceSpec, WriteError};

/// A session whose header record has 0x170 bytes: 0x20, 0x118, and 56 of names.
fn named(log_file: LogFileSpec) -> LogFileSpec {
    LogFileSpec {
        buffer_size: 0x400,
        logger_name: Some("Relogger".to_owned()),
        log_file_name: Some("[multiple files] x".to_owned()),
        ..log_file
    }
}

fn header(bytes: &[u8]) -> BufferHeader<'_> {
    BufferHeader::parse(bytes, Layout::Modern).expect("a header")
}

/// Records that are there at the start, and that come when the session stops: 0x28 and 0x20 bytes.
fn with_more(file: FileSpec) -> FileSpec {
    file.header_record(SystemSpec { hook_id: 0x0050, payload: vec![0; 8], ..SystemSpec::default() })
        .late_record(PerfSpec { hook_id: 0x0042, payload: vec![0; 16], ..PerfSpec::default() })
}

#[test]
fn late_records_lie_between_saved_offset_and_offset() {
    let bytes = with_more(FileSpec::new(named(LogFileSpec::default()))).logger_id(0x1C).to_bytes();
    let header = header(&bytes);
    assert_eq!(header.saved_offset(), 0x48 + 0x170 + 0x28);
    assert_eq!(header.filled_bytes(), 0x48 + 0x170 + 0x28 + 0x20);
    assert_eq!(header.buffer_size(), Some(0x400));
    assert_eq!(header.buffer_type(), Some(BufferType::HEADER));
    assert_eq!(header.sequence_number(), Some(0));
    assert_eq!(header.time_stamp().get(), 0);
    assert_eq!(header.logger_id(), 0x1C);
    assert_eq!(header.state(), 3);
    assert_eq!(header.buffer_flags(), BufferFlags(0x21));
}

#[test]
fn header_buffers_of_vista_and_7_have_no_saved_offset_and_no_processor_index() {
    for log_file in [LogFileSpec::windows_vista(), LogFileSpec::windows_7()] {
        let bytes = FileSpec::new(named(log_file)).to_bytes();
        let header = header(&bytes);
        assert_eq!(header.saved_offset(), 0);
        assert_eq!(header.filled_bytes(), 0x48 + 0x170);
        assert_eq!(header.buffer_flags(), BufferFlags::FLUSH_MARKER);
    }
}

#[test]
fn relogged_header_buffers_have_no_processor_index_and_the_format_as_state() {
    let log_file = LogFileSpec { log_file_mode: LogFileMode(0x0001_0001), ..named(LogFileSpec::default()) };
    let file = FileSpec::new(log_file).logger_id(0x1C);
    for (format, state, size) in [
        (None, 0, 0x400),
        (Some(Format::Lznt1), 2, 0x200),
        (Some(Format::Xpress), 3, 0x200),
        (Some(Format::XpressHuff), 4, 0x200),
    ] {
        let file = format.map_or_else(|| file.clone(), |format| file.clone().compressed(format));
        let bytes = file.to_bytes();
        let header = header(&bytes);
        assert_eq!(header.state(), state);
        assert_eq!(header.buffer_size(), Some(size));
        assert_eq!(header.logger_id(), 0);
        assert_eq!(header.buffer_flags(), BufferFlags::FLUSH_MARKER, "never compressed itself");
        assert_eq!(bytes[8..12], [0; 4], "CurrentOffset");
        // LogFileMode and the layout's version, at 0x20 and 0x06 of the log-file header.
        let mode = if format.is_some() { [0x01, 0x00, 0x01, 0x04] } else { [0x01, 0x00, 0x01, 0x00] };
        assert_eq!(bytes[0x68 + 0x20..0x68 + 0x24], mode);
        assert_eq!(bytes[0x68 + 6..0x68 + 8], if format.is_some() { [2, 0] } else { [1, 5] });
    }
}

#[test]
fn the_number_of_buffers_is_counted_unless_it_is_given() {
    let file = |log_file| FileSpec::new(log_file).buffers([BufferSpec::new(0x400), BufferSpec::new(0x400)]);
    let written = |bytes: &[u8]| bytes[0x68 + 0x24];
    assert_eq!(written(&file(named(LogFileSpec::default())).to_bytes()), 3);
    let given = LogFileSpec { buffers_written: Some(0), ..named(LogFileSpec::default()) };
    assert_eq!(written(&file(given).to_bytes()), 0);
}

/// Three buffers: the header buffer, and two full of 0x11 and 0x22.
fn file() -> FileSpec {
    let filled = |byte: u8| BufferSpec::new(0x50).filler(byte);
    FileSpec::new(LogFileSpec::default()).header(filled(0)).buffer(filled(0x11)).buffer(filled(0x22))
}

/// The last byte of each whole buffer.
fn ends(bytes: &[u8]) -> Vec<u8> {
    bytes.chunks_exact(0x50).map(|buffer| buffer[0x4F]).collect()
}

#[test]
fn damage_is_done_in_the_order_in_which_it_is_asked_for() {
    let with = |damage| file().damage(damage).to_bytes();
    assert_eq!(ends(&file().to_bytes()), [0x00, 0x11, 0x22]);
    assert_eq!(ends(&with(Damage::SwapBuffers(0, 2))), [0x22, 0x11, 0x00]);
    assert_eq!(ends(&with(Damage::SwapBuffers(1, 1))), [0x00, 0x11, 0x22]);
    assert_eq!(ends(&with(Damage::RemoveBuffer(1))), [0x00, 0x22]);
    assert_eq!(with(Damage::ZeroBuffer(2))[0xA0..], [0; 0x50]);
    assert_eq!(with(Damage::CutAt(0x51)), file().to_bytes()[..0x51]);
    assert_eq!(with(Damage::CutAt(0x1000)), file().to_bytes(), "longer than it is");
    assert_eq!(with(Damage::AppendZeros(2))[0xF0..], [0, 0]);
    assert_eq!(with(Damage::Append(vec![1, 2]))[0xF0..], [1, 2]);
    let overwritten = with(Damage::Overwrite { buffer: 1, at: 0x4F, bytes: vec![7, 8] });
    assert_eq!((overwritten[0x9F], overwritten[0xA0]), (7, 0x50), "not past the buffer's end");
    let twice = file().damage(Damage::RemoveBuffer(0)).damage(Damage::RemoveBuffer(0)).to_bytes();
    assert_eq!(ends(&twice), [0x22]);
    assert_eq!(ends(&file().without_header().to_bytes()), [0x11, 0x22]);
}

#[test]
fn damage_to_a_buffer_that_is_not_there_is_refused() {
    assert_eq!(
        file().damage(Damage::SwapBuffers(0, 3)).try_to_bytes(),
        Err(WriteError::NoSuchBuffer { index: 3, count: 3 })
    );
}

#[test]
fn a_record_that_fits_into_no_buffer_of_the_session_is_refused() {
    let log_file = LogFileSpec { buffer_size: 0x400, ..LogFileSpec::default() };
    let perf = |len: usize| PerfSpec { payload: vec![0; len], ..PerfSpec::default() };
    // 0x400 without the buffer's header and the record's.
    assert!(TraceSpec::new(log_file.clone()).record(0, perf(0x400 - 0x48 - 0x10)).try_to_file().is_ok());
    assert_eq!(
        TraceSpec::new(log_file).record(0, perf(0x400 - 0x48 - 0x10 + 1)).try_to_file().err(),
        Some(WriteError::BufferFull { need: 0x408, buffer_size: 0x400 })
    );
}

#[test]
fn a_flush_writes_the_buffers_of_all_processors() {
    let log_file = LogFileSpec { buffer_size: 0x400, ..LogFileSpec::default() };
    let start = log_file.time_stamp.get();
    let at = |ticks| PerfSpec { time_stamp: start + ticks, ..PerfSpec::default() };
    let bytes = TraceSpec::new(log_file)
        .flush_every(100)
        .record(1, at(10))
        .record(0, at(20))
        .record(0, at(250))
        .to_bytes();
    let buffers: Vec<_> = bytes
        .chunks_exact(0x400)
        .skip(1)
        .map(header)
        .map(|header| {
            let number = header.sequence_number().expect("modern");
            (header.processor_index(), number, header.time_stamp().get() - start, header.buffer_flags().0)
        })
        .collect();
    // In the order of processors at 100; at 200 there was nothing; the rest at the end, marked as the last.
    assert_eq!(buffers, [(0, 2, 100, 0x20), (1, 1, 100, 0x20), (0, 3, 251, 0x21)]);
}
