//! `sign --board`.

use std::fs;

use crate::{fail, succeed};

const POLICY: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/sample/int8/policy.bin");

#[test]
fn a_policy_is_signed_for_a_board_that_has_room_for_it() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    succeed(directory, &["keygen"]);
    let with = |board: &'static str| {
        [
            "sign",
            POLICY,
            "--key",
            "update.key",
            "--version",
            "2",
            "--out",
            "p.signed",
            "--board",
            board,
        ]
    };
    let length = fs::metadata(POLICY).unwrap().len();
    let text = succeed(directory, &with("nucleo-f401re"));
    let room = format!("; its {length} bytes fit nucleo-f401re's slot of 130560\n");
    assert!(text.ends_with(&room), "{text}");
    fs::remove_file(directory.join("p.signed")).unwrap();

    let none = fail(directory, &with("esp32c3"), 1);
    let sentence = "is not for esp32c3, and was not signed: this board keeps no updates: build its firmware around the \
                    policy (POLICY=…)";
    assert!(none.contains(sentence), "{none}");
    let unknown = fail(directory, &with("pico3"), 2);
    let sentence = "there is no board `pico3`: choose from: microbit-v2, pico, pico2, nucleo-f401re, esp32c3, qemu-m0, \
                    qemu-m4, qemu-rv32";
    assert!(unknown.contains(sentence), "{unknown}");
    assert!(!directory.join("p.signed").exists());
}

/// A network of 450-450 in `f32` has 820 KB: too much for every slot but those of the Pico 2 and of the emulator.
#[test]
fn a_policy_larger_than_the_slot_is_not_signed() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    succeed(directory, &["keygen"]);
    let set = ["--set", "hidden=[450, 450]", "--out", "wide"];
    succeed(
        directory,
        &[&["train", "--preset", "td3", "--steps", "60", "--quiet"][..], &set].concat(),
    );
    let bytes = fs::metadata(directory.join("wide/policy.bin")).unwrap().len();
    let with = |board: &'static str| {
        ["sign", "wide/policy.bin", "--key", "update.key", "--version", "2", "--board", board]
    };
    for (board, room) in [("microbit-v2", 130_560), ("nucleo-f401re", 130_560), ("pico", 654_848)] {
        let error = fail(directory, &with(board), 1);
        let sentence = format!(
            "wide/policy.bin is not for {board}, and was not signed: the policy has {bytes} bytes, a slot of this board has \
             room for {room}: take a smaller network, or fewer bits (`trainer quantize`)"
        );
        assert!(error.contains(&sentence), "{error}");
        assert!(!directory.join("wide/policy.signed").exists());
    }
    succeed(directory, &with("pico2"));
    assert!(directory.join("wide/policy.signed").exists());
}
