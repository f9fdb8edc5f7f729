//! Carries bytes from one end to the other: later, if the path is slow; not yet, if it is held.

use std::time::Instant;

use rebound_net::{Direction, HostId};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::stage::Stage;

/// Bytes on their way, with what the carrier knows of them.
pub struct Parcel<T> {
    /// When they may arrive.
    pub due: Instant,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What is known of them.
    pub note: T,
}

/// Reads one end until it closes, and sends what it says on its way. `note` looks at the bytes
/// as they come. `first` are bytes that were read before.
pub async fn collect<T>(
    stage: &Stage,
    ends: (HostId, HostId),
    way: Direction,
    from: (Vec<u8>, &TcpStream),
    to: UnboundedSender<Parcel<T>>,
    mut note: impl FnMut(&[u8]) -> T,
) {
    let (mut bytes, from) = from;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        if bytes.is_empty() {
            let Ok(length @ 1..) = read(from, &mut buffer).await else {
                return;
            };
            bytes.extend_from_slice(&buffer[..length]);
        }
        let bytes = std::mem::take(&mut bytes);
        let note = note(&bytes);
        let due = Instant::now() + stage.paths.delay(&stage.plan, ends.0, ends.1, way);
        if to.send(Parcel { due, bytes, note }).is_err() {
            return;
        }
    }
}

/// Waits until a parcel may arrive. Whether it was held up.
pub async fn wait<T>(
    stage: &Stage,
    ends: (HostId, HostId),
    way: Direction,
    parcel: &Parcel<T>,
) -> bool {
    let mut late = false;
    if parcel.due > Instant::now() {
        late = true;
        tokio::time::sleep_until(parcel.due.into()).await;
    }
    if stage.paths.held(ends.0, ends.1, way) {
        late = true;
        stage.paths.clear(ends.0, ends.1, way).await;
    }
    late
}

/// Writes parcels at the other end, each at its time, until there are no more. `arrived` is told
/// of each that has gone on, and whether it was held up.
pub async fn hand_over<T>(
    stage: &Stage,
    ends: (HostId, HostId),
    way: Direction,
    mut from: UnboundedReceiver<Parcel<T>>,
    to: &TcpStream,
    mut arrived: impl FnMut(Parcel<T>, bool),
) {
    while let Some(parcel) = from.recv().await {
        let late = wait(stage, ends, way, &parcel).await;
        if write_all(to, &parcel.bytes).await.is_err() {
            return;
        }
        arrived(parcel, late);
    }
    // The end is heard in its turn too.
    stage.paths.clear(ends.0, ends.1, way).await;
}

/// Reads what is there, once something is; nothing at the end.
pub async fn read(from: &TcpStream, buffer: &mut [u8]) -> std::io::Result<usize> {
    loop {
        from.readable().await?;
        match from.try_read(buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            other => return other,
        }
    }
}

/// Writes all of it.
pub async fn write_all(to: &TcpStream, mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        to.writable().await?;
        match to.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
