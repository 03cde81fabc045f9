//! `trainer plot` and `trainer report`.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{fail, json, short_run, succeed, trainer};

/// Where a page could load something from, and must not.
const ELSEWHERE: [&str; 6] = ["src=\"http", "href=\"", "url(", "@import", "<script", "<link"];

/// The inline pictures of a page.
fn pictures(page: &str) -> Vec<&str> {
    let from = |at: usize| {
        let end = at + page[at..].find("</svg>").expect("closed") + "</svg>".len();
        &page[at..end]
    };
    page.match_indices("<svg ").map(|(at, _)| from(at)).collect()
}

fn is_svg(text: &str) {
    let document = roxmltree::Document::parse(text).expect("well-formed");
    assert_eq!(document.root_element().tag_name().name(), "svg");
    assert!(text.len() < 300_000, "{} bytes", text.len());
}

#[test]
fn a_run_gets_its_pictures() {
    let scratch = tempfile::tempdir().unwrap();
    short_run(scratch.path(), "run", &[]);
    let files = succeed(scratch.path(), &["plot", "run"]);
    let names =
        ["learning_curves", "losses", "phase_portrait", "policy_map", "value_map", "returns"];
    let expected: String = names.iter().map(|name| format!("run/{name}.svg\n")).collect();
    assert_eq!(files, expected);
    for file in files.lines() {
        is_svg(&fs::read_to_string(scratch.path().join(file)).unwrap());
    }
    let map = fs::read_to_string(scratch.path().join("run/policy_map.svg")).unwrap();
    assert!(map.contains("torque [N·m]") && map.contains("θ [rad]"));
    // Elsewhere, as JSON, and of a policy alone, which has no critics.
    let listed = json(&succeed(scratch.path(), &["plot", "run", "--out", "a/b", "--json"]));
    assert_eq!(listed["files"].as_array().unwrap().len(), 6);
    let files = succeed(scratch.path(), &["plot", "--policy", "run/policy.bin", "--out", "alone"]);
    assert_eq!(files.lines().count(), 3, "{files}");
}

/// As where somebody copied a single file.
#[test]
fn files_of_different_runs_are_told() {
    let scratch = tempfile::tempdir().unwrap();
    short_run(scratch.path(), "run", &[]);
    short_run(scratch.path(), "other", &["--seed", "2"]);
    let copy = |file: &str| {
        let [from, to] = ["other", "run"].map(|run| scratch.path().join(run).join(file));
        fs::copy(from, to).unwrap();
    };
    copy("agent.bin");
    let output = trainer(scratch.path(), &["plot", "run"]);
    assert!(output.status.success());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("agent.bin is of another run than summary.json"), "{told}");
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 5);
    copy("policy.bin");
    for command in ["plot", "report"] {
        let error = fail(scratch.path(), &[command, "run"], 1);
        assert!(error.contains("run/policy.bin is not the policy of the summary.json"), "{error}");
    }
}

#[test]
fn seeds_are_one_curve() {
    let scratch = tempfile::tempdir().unwrap();
    let seeds = ["train", "--preset", "td3", "--steps", "300", "--seeds", "3", "--out", "many"];
    succeed(scratch.path(), &seeds);
    short_run(scratch.path(), "other", &[]);
    let output = trainer(scratch.path(), &["plot", "many", "other", "--out", "out"]);
    assert_eq!(output.stdout, b"out/learning_curves.svg\n");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.starts_with("warning: returns of some are of episodes that iterations cut off"),
        "{told}"
    );
    // A directory of seeds may have a run of its own, too.
    for file in ["summary.json", "config.toml", "metrics.csv"] {
        let [from, to] = ["other", "many"].map(|run| scratch.path().join(run).join(file));
        fs::copy(from, to).unwrap();
    }
    let output = trainer(scratch.path(), &["plot", "many", "other", "--out", "own"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("many/seed-* names them"), "{told}");
    assert!(
        told.contains("other has the seed and the settings of many, and is left out"),
        "{told}"
    );
    fs::remove_file(scratch.path().join("many/summary.json")).unwrap();
    let svg = fs::read_to_string(scratch.path().join("out/learning_curves.svg")).unwrap();
    is_svg(&svg);
    let twice = ["plot", "many", "many/seed-2", "./many", "other", "--out", "twice"];
    succeed(scratch.path(), &twice);
    let same = fs::read_to_string(scratch.path().join("twice/learning_curves.svg")).unwrap();
    assert!(same == svg, "runs that are named twice are drawn once");
    for text in
        ["td3, episodes cut off, 3 seeds", "sac: mean of 10", "with its 95 % bootstrap interval"]
    {
        assert!(svg.contains(text), "{text}");
    }
}

#[test]
fn environments_are_not_mixed() {
    let scratch = tempfile::tempdir().unwrap();
    short_run(scratch.path(), "run", &[]);
    let train = ["train", "--preset", "sac", "--steps", "300"];
    let other = ["--set", "name=inverted-pendulum", "--out", "other"];
    succeed(scratch.path(), &[&train[..], &other].concat());
    let fails = |arguments: &[&str], what: &str| {
        let error = fail(scratch.path(), arguments, 1);
        assert!(error.contains(what), "{arguments:?}: {error}");
    };
    fails(&["plot", "run", "other"], "run is on pendulum, but other is on inverted-pendulum");
    let policy = ["plot", "run", "--policy", "other/policy.bin"];
    fails(&policy, "other/policy.bin is for `inverted-pendulum`, but run is on pendulum: draw");
    let wider = ["--set", "name=inverted-pendulum", "--set", "reset_noise_scale=0.2"];
    succeed(scratch.path(), &[&train[..], &wider, &["--out", "wider"]].concat());
    fails(&["plot", "other", "wider"], "but wider is on inverted-pendulum, reset_noise_scale=0.2");
    let policy = ["plot", "wider", "--policy", "other/policy.bin"];
    fails(&policy, "other/policy.bin was trained on `inverted-pendulum` with other settings");
}

#[test]
fn a_run_leaves_a_page_of_its_own() {
    let scratch = tempfile::tempdir().unwrap();
    short_run(scratch.path(), "run", &[]);
    let path = scratch.path().join("run/report.html");
    let page = fs::read_to_string(&path).unwrap();
    assert!(page.len() < 1_500_000, "{} bytes", page.len());
    for elsewhere in ELSEWHERE {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
    for section in ["figures", "training", "behaviour", "cost", "settings", "identity"] {
        assert!(page.contains(&format!("<section id=\"{section}\"")), "{section}");
    }
    for picture in ["learning_curves", "phase_portrait", "policy_map", "value_map", "returns"] {
        assert!(page.contains(&format!("<figure id=\"{picture}\"")), "{picture}");
    }
    assert!(page.contains("Cortex-M4F") && page.contains("agent.gamma"));
    let svgs = pictures(&page);
    assert!(svgs.len() > 8, "{}", svgs.len());
    svgs.into_iter().for_each(is_svg);
    assert!(page.contains("src=\"data:image/gif;base64,R0lGODlhQAF"), "a film 320 wide");
    // Made again it is the same, and a film beside it is in it.
    assert_eq!(succeed(scratch.path(), &["report", "run"]), "run/report.html\n");
    assert_eq!(fs::read_to_string(&path).unwrap(), page);
    let film = ["record", "run/policy.bin", "--steps", "3"];
    succeed(scratch.path(), &film);
    let own = STANDARD.encode(fs::read(scratch.path().join("run/episode.gif")).unwrap());
    succeed(scratch.path(), &["report", "run"]);
    let with_film = fs::read_to_string(&path).unwrap();
    assert!(with_film.contains(&format!("src=\"data:image/gif;base64,{own}\"")));
    // One of another policy is not.
    short_run(scratch.path(), "other", &["--seed", "9"]);
    succeed(scratch.path(), &["record", "other/policy.bin", "--out", "run/episode.gif"]);
    succeed(scratch.path(), &["report", "run"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), page);
}

/// Names that files bring along are text, wherever they stand.
#[test]
fn names_are_escaped() {
    let scratch = tempfile::tempdir().unwrap();
    short_run(scratch.path(), "run", &[]);
    for file in ["summary.json", "config.toml"] {
        let path = scratch.path().join("run").join(file);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("\"sac\"", "\"<script>alert(1)</script>&\"")).unwrap();
    }
    succeed(scratch.path(), &["report", "run"]);
    let page = fs::read_to_string(scratch.path().join("run/report.html")).unwrap();
    assert!(!page.contains("<script"), "a name is not escaped");
    assert!(page.contains("alert(1)"));
    pictures(&page).into_iter().for_each(is_svg);
}

#[test]
fn mistakes_are_named() {
    let scratch = tempfile::tempdir().unwrap();
    let fails = |arguments: &[&str], status: i32, what: &str| {
        let error = fail(scratch.path(), arguments, status);
        assert!(error.contains(what), "{arguments:?}: {error}");
    };
    fails(&["plot"], 2, "RUN");
    fails(&["report"], 2, "RUN");
    fs::create_dir(scratch.path().join("empty")).unwrap();
    for command in ["plot", "report"] {
        fails(&[command, "nowhere"], 1, "there is no directory nowhere");
        fails(&[command, "empty"], 1, "empty holds no finished run, as it has no summary.json");
    }
    short_run(scratch.path(), "run", &[]);
    for command in ["plot", "report"] {
        fails(&[command, "empty"], 1, "by `trainer train --resume --out empty`");
        fails(&[command, "."], 1, ". is no run itself: name the runs in it, such as ./run");
    }
    let damage = |file: &str, text: &str, what: &str| {
        let path = scratch.path().join("run").join(file);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, text).unwrap();
        for command in ["plot", "report"] {
            fails(&[command, "run"], 1, what);
        }
        fs::write(&path, whole).unwrap();
    };
    damage("summary.json", "{", "run/summary.json is damaged");
    damage("config.toml", "steps = 1", "it has no table [environment]");
    damage("config.toml", "[environment]\nname = \"moon\"", "there is no environment `moon`");
    damage("metrics.csv", "step,return\n1,x\n", "line 2, `return`: `x` is no number");
    let rows = fs::read_to_string(scratch.path().join("run/metrics.csv")).unwrap();
    let (all_but_one, _) = rows.trim_end().rsplit_once('\n').unwrap();
    damage("metrics.csv", all_but_one, "episodes, but summary.json tells of ");
    damage("policy.bin", "PLCY", "policy");
    let path = scratch.path().join("run/config.toml");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, "preset = \n").unwrap();
    fails(&["compare", "run"], 1, "run/config.toml is not what a run writes: ");
    fs::write(&path, whole).unwrap();
    fs::remove_file(scratch.path().join("run/metrics.csv")).unwrap();
    fails(&["plot", "run"], 1, "cannot read run/metrics.csv");
    fs::write(scratch.path().join("file"), "").unwrap();
    unwritable(scratch.path());
}

fn unwritable(directory: &Path) {
    let error = fail(directory, &["plot", "--policy", "run/policy.bin", "--out", "file"], 1);
    assert!(error.contains("cannot write file"), "{error}");
    let error =
        fail(directory, &["record", "run/policy.bin", "--steps", "2", "--out", "file/f.gif"], 1);
    assert!(error.ends_with("; choose another file with --out\n"), "{error}");
}
