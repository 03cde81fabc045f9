//! From a packet to bytes and back.

use cobs::{CobsEncoder, DecodeResult, DecoderState};
use heapless::Vec;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{MAX_FRAME, MAX_PACKET, Packet};
use crate::format::CRC;

/// The bytes of a packet as they go over the line.
#[derive(Debug, Clone)]
pub struct Frame {
    bytes: [u8; MAX_FRAME],
    length: usize,
}

/// Why bytes are no packet, or a packet does not become bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum FrameError {
    /// The packet has more than [`MAX_PACKET`] bytes.
    #[error("a packet is longer than the {MAX_PACKET} bytes that it may have")]
    TooLong,
    /// What lies between two zero bytes is not encoded as it should be: bytes were lost or added.
    #[error("a frame has lost or gained bytes")]
    Torn,
    /// The checksum does not fit.
    #[error("a frame's checksum is wrong: its bytes were altered")]
    Checksum,
    /// The bytes arrived as they were sent, but mean nothing here.
    #[error("a frame holds no message of protocol version {version}", version = super::VERSION)]
    Unknown,
}

impl Frame {
    /// An empty frame, to be filled.
    pub const fn new() -> Self {
        Frame { bytes: [0; MAX_FRAME], length: 0 }
    }

    /// Fills the frame with a packet.
    ///
    /// # Errors
    ///
    /// If the packet is too long; the frame is then empty.
    pub fn fill<Body: Serialize>(&mut self, packet: &Packet<Body>) -> Result<(), FrameError> {
        self.length = self.encode(packet).ok_or(FrameError::TooLong)?;
        Ok(())
    }

    fn encode<Body: Serialize>(&mut self, packet: &Packet<Body>) -> Option<usize> {
        self.length = 0;
        let mut plain = [0; MAX_PACKET - 4];
        let plain = postcard::to_slice(packet, &mut plain).ok()?;
        let (first, rest) = self.bytes.split_first_mut()?;
        *first = 0;
        let mut encoder = CobsEncoder::new(rest);
        encoder.push(plain).ok()?;
        encoder.push(&CRC.checksum(plain).to_le_bytes()).ok()?;
        let end = encoder.finalize();
        *rest.get_mut(end)? = 0;
        Some(end + 2)
    }

    /// The bytes to send.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl Default for Frame {
    fn default() -> Self {
        Self::new()
    }
}

/// Finds packets in what comes over the line, byte by byte.
#[derive(Debug)]
pub struct Decoder {
    state: DecoderState,
    plain: Vec<u8, MAX_PACKET>,
    /// More bytes came than fit: nothing counts until the next zero.
    too_long: bool,
    /// The bytes of a packet have been given out; the next byte begins another one.
    is_done: bool,
}

impl Decoder {
    /// A decoder that has seen nothing yet.
    pub const fn new() -> Self {
        Decoder { state: DecoderState::Idle, plain: Vec::new(), too_long: false, is_done: false }
    }

    /// Takes a byte. Where it ends a frame: the bytes of its packet, to be [`read`], or why it has none.
    pub fn push(&mut self, byte: u8) -> Option<Result<&[u8], FrameError>> {
        if self.is_done {
            self.plain.clear();
            (self.too_long, self.is_done) = (false, false);
        }
        match self.state.feed(byte) {
            Ok(DecodeResult::NoData) => return None,
            Ok(DecodeResult::DataContinue(byte)) => {
                self.too_long |= self.plain.push(byte).is_err();
                return None;
            }
            // Both come with a zero byte only.
            Ok(DecodeResult::DataComplete) => self.is_done = true,
            Err(_) => {
                self.is_done = true;
                return Some(Err(FrameError::Torn));
            }
        }
        if self.too_long {
            return Some(Err(FrameError::TooLong));
        }
        let Some((plain, checksum)) = self.plain.split_last_chunk() else {
            return Some(Err(FrameError::Torn));
        };
        if u32::from_le_bytes(*checksum) != CRC.checksum(plain) {
            return Some(Err(FrameError::Checksum));
        }
        Some(Ok(plain))
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

/// The packet that the bytes are.
///
/// # Errors
///
/// [`FrameError::Unknown`], where they are no such packet, or something follows it.
pub fn read<'a, Body: Deserialize<'a>>(plain: &'a [u8]) -> Result<Packet<Body>, FrameError> {
    match postcard::take_from_bytes(plain) {
        Ok((packet, [])) => Ok(packet),
        _ => Err(FrameError::Unknown),
    }
}

/// Session and sequence number of a packet, whatever its body is.
///
/// # Errors
///
/// [`FrameError::Unknown`], where there are none.
pub fn address(plain: &[u8]) -> Result<(u16, u32), FrameError> {
    postcard::take_from_bytes(plain).map(|(address, _)| address).map_err(|_| FrameError::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{Request, message::Floats};
    use std::vec::Vec;

    fn bytes(packet: &Packet<Request<'_>>) -> Vec<u8> {
        let mut frame = Frame::new();
        frame.fill(packet).unwrap();
        frame.bytes().to_vec()
    }

    /// Every frame in it: the sequence number of its packet, or the error.
    fn sequences(bytes: &[u8]) -> Vec<Result<u32, FrameError>> {
        let mut decoder = Decoder::new();
        let mut found = Vec::new();
        for byte in bytes {
            if let Some(frame) = decoder.push(*byte) {
                found.push(frame.and_then(|plain| Ok(read::<Request<'_>>(plain)?.sequence)));
            }
        }
        found
    }

    fn packet(sequence: u32) -> Packet<Request<'static>> {
        Packet { session: 7, sequence, body: Request::Status }
    }

    /// The example of `LINK.md`, whose checksum is that of `zlib.crc32(bytes([7, 1, 2]))` in Python.
    #[test]
    fn the_bytes_of_a_question_are_pinned() {
        assert_eq!(bytes(&packet(1)), [0, 8, 7, 1, 2, 0xFA, 0x9F, 0x1B, 0x0D, 0]);
    }

    #[test]
    fn the_longest_observation_comes_back() {
        let observation: Vec<f32> = (0..super::super::MAX_OBSERVATION).map(|i| i as f32).collect();
        let body = Request::Act { observation: Floats::new(&observation) };
        let sent = bytes(&Packet { session: u16::MAX, sequence: u32::MAX, body });
        let mut decoder = Decoder::new();
        let plain = sent.iter().find_map(|byte| decoder.push(*byte).map(|f| f.unwrap().to_vec()));
        let plain = plain.unwrap();
        let Request::Act { observation: found } = read(&plain).unwrap().body else { panic!() };
        let mut read = [0.0; 200];
        assert_eq!(found.read(&mut read).unwrap(), observation);
        assert!(found.read(&mut [0.0; 127]).is_none());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let bytes = [1; MAX_PACKET];
        let body = Request::Chunk { offset: 0, bytes: &bytes };
        let mut frame = Frame::new();
        frame.fill(&packet(1)).unwrap();
        let refused = frame.fill(&Packet { session: 0, sequence: 0, body });
        assert_eq!((refused, frame.bytes()), (Err(FrameError::TooLong), &[][..]));
    }

    #[test]
    fn noise_costs_the_frames_that_it_hits() {
        let [one, two, three] = [1, 2, 3].map(|sequence| bytes(&packet(sequence)));
        let noise = [3, 0x55, 0xFF, 9];
        let stream: Vec<u8> = [&one[..], &noise, &two, &two[..5], &three].concat();
        let found = sequences(&stream);
        assert_eq!(found.iter().filter_map(|f| f.ok()).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(found.len(), 5);
        // Endless bytes without a zero end with the first one.
        let stream = [&[1; 3 * MAX_PACKET], &one[..]].concat();
        assert_eq!(sequences(&stream), [Err(FrameError::TooLong), Ok(1)]);
        let stream = [&[0xFF; 3 * MAX_PACKET], &one[..]].concat();
        assert_eq!(*sequences(&stream).last().unwrap(), Ok(1));
    }

    #[test]
    fn every_single_damage_is_noticed() {
        let (one, two) = (bytes(&packet(1)), bytes(&packet(2)));
        for at in 0..one.len() {
            for change in 1..=255 {
                let mut hit = one.clone();
                hit[at] ^= change;
                let found = sequences(&[hit, two.clone()].concat());
                let good: Vec<u32> = found.into_iter().filter_map(Result::ok).collect();
                // Without the zero at its front a frame is whole where another one has just ended.
                let harmless: &[u32] = if at == 0 { &[1, 2] } else { &[2] };
                assert!(good == [2] || good == harmless, "byte {at} ^ {change}: {good:?}");
            }
        }
    }
}
