//! Buffers from another machine: length-prefixed over TCP, with credit by completion and a reconnect in the middle.
//!
//! ```text
//! collector -> host    on connecting, the next buffer it wants (u32), then a byte for each buffer it has room for
//! host -> collector    number (u32), length (u32), bytes; a length of 0 is the end of the trace
//! ```
//!
//! A buffer costs the host one credit, and the collector grants one for each free buffer of its pool, which completion
//! fills. So the pool bounds what is on the way, queued and held. After a reconnect the header buffer is sent again.

use core::net::SocketAddr;
use core::ops::ControlFlow;
use core::time::Duration;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use etweir::buffer::{BufferHeader, Layout};
use etweir::stream::{Completed, Feeder, Options};

use support::Failure;

mod support;

/// One more than the session may hold for order, so that there is always one that comes back.
const POOL: usize = 5;
/// The longest buffer that is taken from the network.
const MAX_LEN: usize = 64 * 1024;
const PATIENCE: Option<Duration> = Some(Duration::from_secs(10));

fn main() -> Result<(), Failure> {
    run().map(drop)
}

/// Connections, buffers and events, those of the header that was sent twice included.
pub(crate) fn run() -> Result<(u32, u64, u64), Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let (pool, free) = channel();
    for _ in 0..POOL {
        pool.send(vec![0; MAX_LEN])?;
    }
    let (feeder, processor) = etweir::stream(Options::default().max_held_buffers(POOL - 1))
        .on_event(|_, _| ControlFlow::Continue(()))
        .on_complete(pool, |done: Completed<Vec<u8>>, pool| {
            let _ = pool.send(done.buffer);
        })
        .build();
    let host = thread::spawn(move || send(address));
    let collector = thread::spawn(move || collect(&listener, &feeder, &free));
    let stats = processor.run()?.stats;
    let connections = collector.join().map_err(|_| "the collector panicked")??;
    host.join().map_err(|_| "the host panicked")??;
    let (buffers, events) = (stats.buffers_retired, stats.events_delivered);
    println!("{connections} connections, {buffers} buffers in a pool of {POOL}, {events} events");
    Ok((connections, buffers, events))
}

/// The collector: every connection goes on where the last one was cut. Returns how many there were.
fn collect(
    listener: &TcpListener,
    feeder: &Feeder<Vec<u8>>,
    free: &Receiver<Vec<u8>>,
) -> Result<u32, Failure> {
    let (mut next, mut connections, mut room) = (0_u32, 0, Vec::new());
    loop {
        let (mut peer, _) = listener.accept()?;
        peer.set_read_timeout(PATIENCE)?;
        connections += 1;
        peer.write_all(&next.to_le_bytes())?;
        // A new connection knows of no credit yet.
        let mut granted = 0;
        loop {
            match receive(&mut peer, next, &mut room, &mut granted, free) {
                Ok(Some((number, buffer))) => {
                    feeder.add(buffer)?;
                    next = next.max(number + 1);
                }
                Ok(None) => return Ok(connections),
                // The host connects again. What was not received whole is not counted, and its buffer is still there.
                Err(_) => break,
            }
        }
    }
}

/// Grants a credit for every free buffer without one, and fills one of them; `None` at the end of the trace.
fn receive(
    peer: &mut TcpStream,
    next: u32,
    room: &mut Vec<Vec<u8>>,
    granted: &mut usize,
    free: &Receiver<Vec<u8>>,
) -> io::Result<Option<(u32, Vec<u8>)>> {
    room.extend(free.try_iter());
    if room.is_empty() {
        // Waits for the session to give one back.
        room.extend(free.recv());
    }
    peer.write_all(&vec![1; room.len() - *granted])?;
    *granted = room.len();
    let (number, len) = (number(peer)?, usize::try_from(number(peer)?).unwrap_or(usize::MAX));
    if number > next || len > MAX_LEN {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let Some(buffer) = room.last_mut().filter(|_| len > 0) else { return Ok(None) };
    buffer.resize(len, 0);
    peer.read_exact(buffer)?;
    *granted -= 1;
    Ok(room.pop().map(|buffer| (number, buffer)))
}

/// The host: its first connection breaks half-way.
fn send(address: SocketAddr) -> Result<(), Failure> {
    let buffers = support::buffers()?;
    for until in [buffers.len() / 2, buffers.len()] {
        let mut peer = TcpStream::connect(address)?;
        peer.set_read_timeout(PATIENCE)?;
        let wanted = usize::try_from(number(&mut peer)?)?;
        let header = (wanted > 0).then_some(0);
        for number in header.into_iter().chain(wanted..until) {
            peer.read_exact(&mut [0])?;
            // What lies behind the filled bytes is of no use to anybody.
            let buffer = buffers.get(number).ok_or("no such buffer")?;
            let filled = BufferHeader::parse(buffer, Layout::Modern)?.filled_bytes();
            let bytes = buffer.get(..usize::try_from(filled)?).ok_or("no such length")?;
            peer.write_all(&u32::try_from(number)?.to_le_bytes())?;
            peer.write_all(&filled.to_le_bytes())?;
            peer.write_all(bytes)?;
        }
        if until == buffers.len() {
            peer.write_all(&[0; 8])?;
            // Credits that nobody needs any more, until the collector hangs up.
            io::copy(&mut peer, &mut io::sink())?;
        }
    }
    Ok(())
}

fn number(peer: &mut TcpStream) -> io::Result<u32> {
    let mut bytes = [0; 4];
    peer.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}
