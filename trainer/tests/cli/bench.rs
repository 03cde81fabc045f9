//! `trainer bench`.

use crate::{fail, json, succeed};

#[test]
fn costs_are_measured() {
    let temporary = tempfile::tempdir().unwrap();
    let arguments = ["bench", "--only", "td3", "--seconds", "0.01", "--json"];
    let report = json(&succeed(temporary.path(), &arguments));
    let rows = report["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 6, "three sizes, two minibatches");
    let number = |row: usize, key: &str| rows[row][key].as_f64().unwrap();
    for row in 0..rows.len() {
        assert_eq!(number(row, "allocations_per_update"), 0.0);
        let share = number(row, "share_of_peak");
        // Of the largest products, half to two thirds are left out.
        assert!(share > 0.0 && share < 3.0, "{share}");
        let computed = number(row, "computed_share_of_peak");
        assert!(computed > 0.0 && computed < share && computed < 1.1, "{computed} of {share}");
        assert!(number(row, "run_seconds_per_1000") > 0.0);
    }
    // Critics of 4, actors of 3 inputs. An update of both critics has 3 forward passes for the target, 2
    // forward and 2 backward of two layers each and 2 for the weights; every second one has the
    // actor's: one critic forward and backward to its action, and the actor's own.
    let [critic, actor] = [4 * 64 + 64 * 64 + 64, 3 * 64 + 64 * 64 + 64];
    let (inner, biases) = (64 * 64 + 64, 64 + 64 + 1);
    let critics = actor + 2 * critic + 2 * (2 * critic + inner + biases);
    let actors = actor + critic + (inner + 64) + (actor + inner + biases);
    let expected = 100.0 * (critics as f64 + 0.5 * actors as f64);
    assert_eq!(number(0, "multiplications"), expected);
}

#[test]
fn mistakes_get_one_sentence() {
    let temporary = tempfile::tempdir().unwrap();
    for (arguments, part) in [
        (&["bench", "--only", "slides-td3"][..], "possible values: dqn, ddpg, td3, sac"),
        (&["bench", "--seconds", "-1"], "--seconds must be from 0 to 3600"),
        (&["bench", "--seconds", "nan"], "a number must be finite"),
        (&["bench", "--threads", "0"], "--threads"),
    ] {
        let error = fail(temporary.path(), arguments, 2);
        assert!(error.contains(part), "{error}");
    }
}
