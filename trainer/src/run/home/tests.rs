use super::*;

fn put(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// What is said of a directory with these files; `None` where it may be used.
fn said(files: &[(&str, &str)], wanted: Use) -> Option<String> {
    let temporary = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, text)| put(temporary.path(), name, text));
    let error = check(temporary.path(), wanted).err()?;
    let shown = temporary.path().display().to_string();
    Some(error.to_string().replace(&shown, "DIR"))
}

const FRESH: Use = Use::Run(Begin::Fresh);
const RESUME: Use = Use::Run(Begin::Resume);

#[test]
fn directories_of_nobody_are_free() {
    let temporary = tempfile::tempdir().unwrap();
    for wanted in [FRESH, Use::Run(Begin::Restart), RESUME, Use::Sweep] {
        check(&temporary.path().join("none"), wanted).unwrap();
        check(temporary.path(), wanted).unwrap();
    }
}

/// Example: a person's checkpoint and config.toml.
#[test]
fn what_a_person_wrote_is_refused() {
    let foreign = "was not written by this program";
    for (files, name, words) in [
        (&[("checkpoints/e9.ckpt", "weights")][..], "checkpoints/e9.ckpt", foreign),
        (&[("config.toml", "my = 1\n")], "config.toml", "is not as a finished run wrote it"),
        (&[("notes.txt", "mine")], "notes.txt", foreign),
        (&[(".gitkeep", "")], ".gitkeep", foreign),
        (&[("data/log.csv", "t\n")], "data", foreign),
        (&[("summary.json", "{}")], "summary.json", "is not as"),
        (&[("policy.bin", "PLCY")], "policy.bin", "is not as"),
        (&[("metrics.csv.part", "a,b\n")], "metrics.csv.part", foreign),
        (
            &[("checkpoints/step-000000000100.bin", "mine")],
            "checkpoints/step-000000000100.bin",
            foreign,
        ),
        (&[("checkpoints/step-5.bin", "PLCK")], "checkpoints/step-5.bin", foreign),
        (&[("checkpoints", "a file")], "checkpoints", foreign),
        (&[("seed-1", "a file")], "seed-1", foreign),
        (&[("events/mine.csv", "t\n")], "events", foreign),
    ] {
        let said = said(files, FRESH).expect(name);
        assert!(said.starts_with(&format!("DIR/{name} {words}")), "{said}");
        assert!(said.contains("choose another directory with --out"), "{said}");
    }
}

#[test]
fn a_run_that_goes_on_minds_only_what_it_would_replace() {
    for harmless in ["notes.txt", "checkpoints/e9.ckpt", "data/log.csv"] {
        assert_eq!(said(&[(harmless, "mine")], RESUME), None);
    }
    for replaced in ["config.toml", "report.html", "checkpoints/step-000000000100.bin"] {
        said(&[(replaced, "mine")], RESUME).expect(replaced);
    }
}

#[test]
fn what_commands_leave_is_known() {
    let files = [
        (".lock", ""),
        (".writing-a1B2c3", "half"),
        ("metrics.csv.part", "step,episode,return,length,updates,q1_loss\n"),
        ("episode.gif", "GIF89a"),
        ("phase_portrait.svg", "<svg"),
        ("int8/policy.bin", "PLCY"),
        ("policy.signed", "PLUP"),
        ("events.out.tfevents.1700000000.host.trainer", ""),
        ("events/20260102-030405-678/events.out.tfevents.1767323045.desk.trainer", ""),
        ("seed-4/summary.json", "{}"),
        ("checkpoints/.writing-a1B2c3", "half"),
        ("checkpoints/step-000000000100.bin", "PLCK"),
        ("checkpoints/step-000000000200.bin", ""),
    ];
    assert_eq!(said(&files, FRESH), None);
    assert_eq!(said(&[("metrics.csv.part", "step,epi")], FRESH), None, "it was cut off");
}

#[test]
fn runs_and_sweeps_keep_apart() {
    let said_of = |name: &str, wanted| said(&[(name, "")], wanted);
    let sweep = said_of("sweep.csv", FRESH).unwrap();
    assert!(sweep.starts_with("DIR is the directory of a sweep: "), "{sweep}");
    assert_eq!(said_of("sweep.csv", Use::Sweep), None);
    for name in ["summary.json", "checkpoints/x", "config.toml", "seed-3/summary.json"] {
        let run = said_of(name, Use::Sweep).unwrap();
        assert!(run.starts_with("DIR is the directory of a run, or of seeds: "), "{run}");
    }
    assert_eq!(said_of("sac/seed-1/summary.json", Use::Sweep), None);
    for name in ["notes.txt", "src/main.rs"] {
        let foreign = said_of(name, Use::Sweep).unwrap();
        assert!(foreign.contains("was not written by this program"), "{foreign}");
    }

    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    for name in ["sweep.csv", "sac/seed-1/summary.json", "other/summary.json"] {
        put(directory, name, "");
    }
    for (name, is_of_sweep) in [
        ("sac", true),
        ("other/../sac", true),
        ("sac/seed-1", true),
        ("other", false),
        ("new", false),
        ("new/seed-1", false),
    ] {
        let found = check_no_trial(&directory.join(name));
        assert_eq!(matches!(found, Err(RunError::Trial { .. })), is_of_sweep, "{name}");
    }
}

#[test]
fn one_command_at_a_time_has_a_directory() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path().join("new/run");
    let home = Home::take(&directory).unwrap();
    assert!(matches!(Home::take(&directory), Err(RunError::Busy { .. })));
    drop(home);
    drop(Home::take(&directory).unwrap());
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 0, "nothing stays");
}

#[cfg(unix)]
#[test]
fn links_are_no_files_of_a_run() {
    let temporary = tempfile::tempdir().unwrap();
    put(temporary.path(), "elsewhere", "mine");
    let run = temporary.path().join("run");
    fs::create_dir(&run).unwrap();
    for name in ["policy.bin", "metrics.csv.part", "checkpoints"] {
        std::os::unix::fs::symlink("../elsewhere", run.join(name)).unwrap();
        for wanted in [FRESH, RESUME] {
            check(&run, wanted).expect_err(name);
        }
        fs::remove_file(run.join(name)).unwrap();
    }
}
