//! Power that fails.

use std::println;

use super::*;
use crate::update::model::{TEARS, Tear};

/// Power fails during each operation of an update, in five ways, with each history; then the board must run the old or the
/// new policy, and take the next update.
fn cut_everywhere<const WRITE: usize>() {
    let (mut cases, mut old, mut new) = (0, 0, 0);
    for (before, flash) in histories::<WRITE>() {
        let next = update(before + 1);
        let whole = flash.restart();
        install(&mut boot(&whole).0, &next).unwrap();
        let operations = whole.operations();
        for operation in 0..operations {
            for tear in TEARS {
                let flash = flash.cut(operation, tear);
                let (mut updater, running) = boot(&flash);
                assert_eq!(running, before);
                assert_eq!(install(&mut updater, &next), Err(UpdateRefusal::Flash));
                let flash = flash.restart();
                let (mut updater, after) = boot(&flash);
                // Only the last write makes it the new one; all of it does, and a part that has the whole mark.
                let is_last = operation + 1 == operations;
                let is_whole = is_last && tear == Tear::Everything;
                assert!(
                    after == before && !is_whole || after == before + 1 && is_last,
                    "{before}: operation {operation}, {tear:?}: runs {after}"
                );
                if after == before {
                    old += 1;
                } else {
                    new += 1;
                }
                install(&mut updater, &update(after + 1)).unwrap();
                assert_eq!(boot(&flash).1, after + 1);
                cases += 1;
            }
        }
    }
    println!(
        "writes of {WRITE} bytes: power cut {cases} times; afterwards {old} boards ran the policy of before, {new} the new \
         one, all took the next update"
    );
    assert!(cases > 100 && new >= 3);
}

#[test]
fn power_may_fail_at_every_write() {
    cut_everywhere::<4>();
    cut_everywhere::<8>();
    cut_everywhere::<256>();
}

#[test]
fn power_that_fails_during_the_trial_brings_back_the_policy_of_before() {
    for (before, flash) in histories::<8>() {
        let (mut updater, _) = boot(&flash);
        send(&mut updater, &update(before + 1)).unwrap();
        let (mut updater, after) = boot(&flash);
        assert_eq!(after, before);
        // It may be sent again.
        install(&mut updater, &update(before + 1)).unwrap();
        assert_eq!(boot(&flash).1, before + 1);
    }
}
