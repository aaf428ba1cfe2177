//! Fuzz tests of the decoders.

use proptest::prelude::*;

use crate::nri::{
    decode::{PLUGIN, request},
    mux::{self, Conn},
    trunk::Demux,
    ttrpc::{Kind, Message},
};

fn message() -> impl Strategy<Value = (Conn, Message)> {
    let conn = prop_oneof![Just(Conn::Plugin), Just(Conn::Runtime)];
    let kind = prop_oneof![
        Just(Kind::Request),
        Just(Kind::Response),
        (3_u8..).prop_map(Kind::Other)
    ];
    (
        conn,
        any::<u32>(),
        kind,
        prop::collection::vec(any::<u8>(), 0..9_000),
    )
        .prop_map(|(conn, stream, kind, payload)| {
            (
                conn,
                Message {
                    stream,
                    kind,
                    payload: payload.into(),
                },
            )
        })
}

fn fed(wire: &[u8], split: usize) -> Vec<(Conn, Message)> {
    let mut demux = Demux::default();
    for part in wire.chunks(split) {
        if demux.feed(part).is_err() {
            break;
        }
    }
    std::iter::from_fn(|| demux.next()).collect()
}

proptest! {
    #[test]
    fn messages_are_decoded_however_they_are_split(
        sent in prop::collection::vec(message(), 0..5),
        split in 1_usize..5_000,
    ) {
        let wire: Vec<u8> = sent.iter().flat_map(|(conn, message)| mux::frames(*conn, &message.encoded())).collect();
        prop_assert_eq!(fed(&wire, split), sent);
    }

    #[test]
    fn no_bytes_panic_the_decoder(wire in prop::collection::vec(any::<u8>(), 0..300), split in 1_usize..100) {
        fed(&wire, split);
        // With plausible lengths, so that some frames are decoded.
        let near: Vec<u8> = wire.chunks(8).flat_map(|part| [&[0, 0, 0, 1, 0, 0, 0, part.len() as u8], part].concat()).collect();
        fed(&near, split);
    }

    #[test]
    fn no_payload_panics_the_decoder(payload in prop::collection::vec(any::<u8>(), 0..200), method in 0_usize..7) {
        let methods = ["Configure", "Synchronize", "CreateContainer", "RunPodSandbox", "StateChange", "Shutdown", "?"];
        let _ = request(PLUGIN, methods[method], &payload);
    }
}
