//! Whatever comes over the line: no panic, and what is read is written as it came.

#![no_main]

use libfuzzer_sys::fuzz_target;
use policy_core::{
    link::{Decoder, Frame, Packet, Reply, Request, frame},
    update::{MANIFEST, Manifest},
};

/// A packet that was read comes back from its own frame.
macro_rules! round_trip {
    ($body:ident, $plain:expr) => {
        if let Ok(packet) = frame::read::<$body<'_>>($plain) {
            let address = (packet.session, packet.sequence);
            assert_eq!(frame::address($plain), Ok(address));
            let mut first = Frame::new();
            if first.fill(&packet).is_ok() {
                let again = plain(&first);
                let read: Packet<$body<'_>> = frame::read(&again).expect("it was just written");
                // Numbers can be spelt longer than they are written, so that only what was written is compared.
                let mut second = Frame::new();
                second.fill(&read).expect("it has fit before");
                assert_eq!(second.bytes(), first.bytes());
            }
        }
    };
}

/// The bytes of the packet in it.
fn plain(frame: &Frame) -> Vec<u8> {
    let mut decoder = Decoder::new();
    let mut found = frame.bytes().iter().filter_map(|byte| Some(decoder.push(*byte)?.map(<[u8]>::to_vec)));
    found.next().expect("a frame has an end").expect("it was just written")
}

fuzz_target!(|bytes: &[u8]| {
    let mut decoder = Decoder::new();
    for byte in bytes {
        if let Some(Ok(plain)) = decoder.push(*byte) {
            round_trip!(Request, plain);
            round_trip!(Reply, plain);
        }
    }
    // As if they had come in a frame with the right checksum.
    round_trip!(Request, bytes);
    round_trip!(Reply, bytes);
    if let Ok(manifest) = Manifest::from_bytes(bytes) {
        assert_eq!(manifest.to_bytes().as_slice(), bytes);
        assert_eq!(bytes.len(), MANIFEST);
    }
});
