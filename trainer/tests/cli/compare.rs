//! `trainer compare`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{fail, json, short_run, succeed, trainer};

/// Six seeds of each of two settings, one of which hardly learns.
fn two_groups(directory: &Path) {
    let train = ["train", "--preset", "sac", "--steps", "700", "--seeds", "6", "--out"];
    succeed(directory, &[&train[..], &["good"]].concat());
    let slow = ["--set", "critic_learning_rate=1e-6", "--set", "actor_learning_rate=1e-6"];
    succeed(directory, &[&train[..], &["slow"], &slow].concat());
}

fn warnings(directory: &Path, arguments: &[&str]) -> String {
    let output = trainer(directory, arguments);
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn groups_are_compared() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    two_groups(directory);
    let compare = ["compare", "good", "slow", "--picture", "picture.svg"];
    let report = json(&succeed(directory, &[&compare[..], &["--json"]].concat()));
    assert_eq!((&report["schema"], &report["starts"]), (&1.into(), &200.into()));
    assert_eq!(report["environment"]["name"], "pendulum");
    assert_eq!(report["warnings"], Value::Array(Vec::new()));
    let good = &report["groups"][0];
    assert_eq!((&good["name"], good["runs"].as_array().unwrap().len()), (&"good".into(), 6));
    let mut means = Vec::new();
    for run in good["runs"].as_array().unwrap() {
        let summary = directory.join(run["directory"].as_str().unwrap()).join("summary.json");
        let summary = json(&fs::read_to_string(summary).unwrap());
        assert_eq!(run["seed"], summary["seed"]);
        assert_eq!(run["mean"], summary["evaluation"]["mean"], "the evaluation is exact");
        assert_eq!(run["returns"].as_array().unwrap().len(), 200);
        means.push(run["mean"].as_f64().unwrap());
    }
    means.sort_by(f64::total_cmp);
    let middle = (0.5 * means[1] + means[2] + means[3] + 0.5 * means[4]) / 3.0;
    let iqm = &good["interquartile_mean"];
    assert!((iqm["value"].as_f64().unwrap() - middle).abs() < 1e-9);
    let [low, high] = [0, 1].map(|end| iqm["interval"][end].as_f64().unwrap());
    assert!(means[0] <= low && low < middle && middle < high && high <= means[5]);
    assert_eq!(good["worst_seed"].as_f64(), Some(means[0]));
    let gap = 100.0 * (report["best_known_mean"].as_f64().unwrap() - middle) / 141.405_523_867;
    assert!((good["gap_percent"]["value"].as_f64().unwrap() - gap).abs() < 1e-6);

    let control = &good["control"];
    assert_eq!((&control["episodes"], &control["goal"]), (&1200.into(), &"upright".into()));
    let reached = |run: &Value| run["control"]["reached"].as_u64().unwrap();
    let runs = good["runs"].as_array().unwrap().iter();
    assert_eq!(control["reached"].as_u64(), Some(runs.map(reached).sum()));

    let against = &report["against_first"][0];
    assert_eq!((&against["name"], &against["over"]), (&"slow".into(), &"seeds".into()));
    let interval = &against["difference"]["interval"];
    let verdict = match (interval[0].as_f64().unwrap(), interval[1].as_f64().unwrap()) {
        (low, _) if low > 0.0 => "better",
        (_, high) if high < 0.0 => "worse",
        _ => "no difference seen",
    };
    assert_eq!(against["verdict"], verdict);
    let chance = against["probability_of_improvement"]["value"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&chance));
    let starts = ["starts_better", "starts_worse"].map(|key| against[key].as_u64().unwrap());
    assert!(starts[0] + starts[1] <= 200, "{against}");

    let text = succeed(directory, &compare);
    assert!(text.starts_with("pendulum: 200 fixed starts, best known mean -141.4"), "{text}");
    assert!(text.contains("\n\nat the goal, medians over the starts:\ngroup  "), "{text}");
    assert!(text.contains("against good:") && text.trim_end().ends_with(verdict), "{text}");
    let picture = fs::read_to_string(directory.join("picture.svg")).unwrap();
    assert!(picture.contains("</svg>") && picture.contains("slow"));

    // The other way round, everything is the other way round; a group alone has no other.
    let back = json(&succeed(directory, &["compare", "slow", "good", "--json"]));
    let value = |report: &Value, key: &str| report["against_first"][0][key]["value"].as_f64();
    let [there, here] = [&report, &back].map(|report| value(report, "difference").unwrap());
    assert!((there + here).abs() < 1e-9);
    assert_eq!(back["groups"][1], report["groups"][0], "an interval depends on its scores alone");
    assert!(!succeed(directory, &["compare", "good"]).contains("verdict"));

    // What a shell makes of good/seed-* slow/seed-*, with files in between, and something twice.
    fs::write(directory.join("notes.txt"), "").unwrap();
    let mut arguments = vec!["compare".to_string(), "notes.txt".into(), "--json".into()];
    let seeds = (1..=6).flat_map(|seed| ["good", "slow"].map(|run| format!("{run}/seed-{seed}")));
    arguments.extend(seeds.chain(["good/seed-3".into()]));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let grouped = json(&succeed(directory, &arguments));
    for key in ["groups", "against_first"] {
        assert_eq!(grouped[key], report[key]);
    }
    let told = warnings(directory, &arguments);
    for part in ["notes.txt is a file, and was passed over", "good/seed-3 is named twice"] {
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn single_runs_are_paired_over_starts() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    short_run(directory, "a", &[]);
    short_run(directory, "b", &["--set", "gamma=0.9"]);
    let arguments = ["compare", "a", "b", "--json"];
    let report = json(&succeed(directory, &arguments));
    let against = &report["against_first"][0];
    assert_eq!(against["over"], "starts");
    assert!(against["probability_of_improvement"].is_null());
    assert!(report["groups"][0]["interquartile_mean"]["interval"].is_null());
    let returns = |group: usize| {
        let returns = report["groups"][group]["runs"][0]["returns"].as_array().unwrap();
        returns.iter().map(|x| x.as_f64().unwrap()).collect::<Vec<_>>()
    };
    let differences: Vec<f64> = returns(1).iter().zip(returns(0)).map(|(b, a)| b - a).collect();
    let mean = differences.iter().sum::<f64>() / 200.0;
    assert!((against["difference"]["value"].as_f64().unwrap() - mean).abs() < 1e-9);
    assert!(warnings(directory, &arguments).starts_with("warning: one seed each: "));

    // The same settings with another seed are no other group; a copy is no other seed.
    short_run(directory, "c", &["--seed", "2"]);
    fs::create_dir(directory.join("copy")).unwrap();
    for file in ["summary.json", "config.toml", "policy.bin"] {
        fs::copy(directory.join("a").join(file), directory.join("copy").join(file)).unwrap();
    }
    let arguments = ["compare", "b", "c", "a", "copy", "--json"];
    let report = json(&succeed(directory, &arguments));
    assert_eq!(report["groups"].as_array().unwrap().len(), 2);
    assert_eq!(report["groups"][1]["name"], "a …");
    let seeds = report["groups"][1]["runs"].as_array().unwrap();
    assert_eq!(
        seeds.iter().map(|run| run["seed"].as_u64()).collect::<Vec<_>>(),
        [Some(1), Some(2)]
    );
    let told = warnings(directory, &arguments);
    assert!(told.contains("copy is the same run as a, of seed 1"), "{told}");
    assert!(told.contains("intervals over fewer than 5 seeds mean little"), "{told}");

    fs::write(directory.join("starts.json"), "[[3.14, 0.0], [0.0, 0.0], [1.0, 1.0]]").unwrap();
    let arguments = ["compare", "a", "b", "--starts", "starts.json", "--json"];
    let own = json(&succeed(directory, &arguments));
    assert_eq!((&own["starts"], &own["best_known_mean"]), (&3.into(), &Value::Null));
}

/// One start, the same start twice, and the same weights under two seeds.
#[test]
fn no_verdict_comes_from_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    short_run(directory, "a", &[]);
    short_run(directory, "b", &["--set", "gamma=0.9"]);
    for (starts, told) in [
        ("[[1.0, 0.5]]", None),
        ("[[1.0, 0.5], [1.0, 0.5, 7.0]]", Some("warning: starts.json: 1 of 2 starts are left out")),
    ] {
        fs::write(directory.join("starts.json"), starts).unwrap();
        let arguments = ["compare", "a", "b", "--starts", "starts.json"];
        let against =
            &json(&succeed(directory, &[&arguments[..], &["--json"]].concat()))["against_first"][0];
        assert!(against["difference"]["value"].as_f64().unwrap() != 0.0);
        assert!(against["difference"]["interval"].is_null(), "{against}");
        assert_eq!(against["verdict"], "no verdict");
        let text = succeed(directory, &arguments);
        assert!(text.starts_with("pendulum: 1 fixed start; intervals of 95 %\n"), "{text}");
        assert!(text.trim_end().ends_with("  no verdict") && !text.contains(" to "), "{text}");
        let warnings = warnings(directory, &arguments);
        assert!(warnings.contains("warning: no verdict on b: there is one start"), "{warnings}");
        assert_eq!(warnings.contains("starts are left out"), told.is_some(), "{warnings}");
        assert!(warnings.contains(told.unwrap_or_default()), "{warnings}");
    }

    // Two seeds whose weights are the same tie from every start.
    fs::create_dir_all(directory.join("twin")).unwrap();
    for file in ["summary.json", "config.toml", "policy.bin"] {
        let text = fs::read(directory.join("a").join(file)).unwrap();
        let text = match file {
            "config.toml" => {
                String::from_utf8(text).unwrap().replace("seed = 1\n", "seed = 2\n").into()
            }
            "summary.json" => {
                String::from_utf8(text).unwrap().replace("\"seed\": 1,", "\"seed\": 2,").into()
            }
            _ => text,
        };
        fs::write(directory.join("twin").join(file), text).unwrap();
    }
    let arguments = ["compare", "b", "a", "twin", "--json"];
    let report = json(&succeed(directory, &arguments));
    assert_eq!(report["groups"][1]["runs"].as_array().unwrap().len(), 2, "{report}");
    assert!(report["groups"][1]["interquartile_mean"]["interval"].is_null());
    assert!(report["groups"][1]["gap_percent"]["interval"].is_null());
}

#[test]
fn mistakes_get_one_sentence() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let failed = |arguments: &[&str]| fail(directory, &[&["compare"], arguments].concat(), 1);
    short_run(directory, "a", &[]);
    short_run(directory, "cart", &["--env", "inverted-pendulum"]);
    assert!(failed(&["a", "nowhere"]).contains("there is no directory nowhere"));
    let file = failed(&["a/policy.bin"]);
    assert!(file.contains("a/policy.bin is a file: name the directory of the run"), "{file}");
    let other = failed(&["a", "cart"]);
    assert!(
        other
            .contains("a is on pendulum, but cart is on inverted-pendulum, reset_noise_scale=0.01"),
        "{other}"
    );
    fs::create_dir_all(directory.join("many/seed-1")).unwrap();
    fs::create_dir_all(directory.join("empty")).unwrap();
    for (run, named) in [("many", "many/seed-1"), ("empty", "empty")] {
        let error = failed(&["a", run]);
        assert!(error.contains(&format!("{named} has no finished run")), "{error}");
    }
    let left = warnings(directory, &["compare", "a", "many", "--finished"]);
    assert!(left.contains("1 did not finish") && left.contains("many/seed-1"), "{left}");
    assert!(failed(&["many", "--finished"]).contains("none of these has a finished run"));

    fs::create_dir(directory.join("b")).unwrap();
    let copy = |file: &str| {
        fs::copy(directory.join("a").join(file), directory.join("b").join(file)).unwrap();
    };
    copy("summary.json");
    assert!(failed(&["b"]).contains("b/config.toml"));
    copy("config.toml");
    assert!(failed(&["b"]).contains("b has a summary.json but no policy.bin"));
    fs::copy(directory.join("cart/policy.bin"), directory.join("b/policy.bin")).unwrap();
    let error = failed(&["b"]);
    assert!(error.contains("b/policy.bin is not the policy of the summary.json"), "{error}");
    copy("policy.bin");
    fs::write(directory.join("b/summary.json"), "{").unwrap();
    assert!(failed(&["b"]).contains("b/summary.json"));
    let usage = fail(directory, &["compare"], 2);
    assert!(usage.contains("<RUN>"), "{usage}");
    let picture = failed(&["a", "--picture", "nowhere/p.svg"]);
    assert!(picture.contains("choose another file with --picture"), "{picture}");
}
