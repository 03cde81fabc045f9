//! What files say, and what is wrong with others.

use super::*;

const HEAD: &str = "presets = [\"sac\"]\nseeds = [1]\n";

fn read(rest: &str) -> SweepFile {
    SweepFile::read("sweep.toml", &format!("{HEAD}{rest}")).unwrap()
}

#[test]
fn grids_have_every_combination() {
    let file = read("[grid]\ngamma = [0.98, 0.99]\nagent.hidden = [[8], [4, 4]]\n");
    assert_eq!(file.keys(), ["agent.hidden", "gamma"]);
    assert_eq!(file.combinations(), Some(4));
    let shown = |i| {
        let settings = file.combination(i).into_iter();
        settings.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(shown(0), "agent.hidden=[8] gamma=0.98");
    assert_eq!(shown(1), "agent.hidden=[8] gamma=0.99");
    assert_eq!(shown(3), "agent.hidden=[4, 4] gamma=0.99");
    assert_eq!(read("").combinations(), Some(1));
}

#[test]
fn draws_keep_to_their_ranges() {
    let rest = "[random]\ntrials = 300\nseed = 7\nbatch_size = { low = 2, high = 4 }\n\
                gamma = { low = 0.999, high = 0.9999 }\nhidden = { choice = [[8], [4, 4]] }\n\
                tau = { low = 1e-4, high = 1e-2, scale = \"log\" }\n";
    let file = read(rest);
    let more = read(&rest.replace("300", "301"));
    let mut batches = [0; 3];
    let mut small = 0;
    for i in 0..300 {
        let settings = file.combination(i);
        assert_eq!(settings, more.combination(i), "more draws leave the first as they are");
        let [(_, batch), (_, gamma), (_, hidden), (_, tau)] = &settings[..] else { panic!() };
        batches[batch.as_integer().unwrap() as usize - 2] += 1;
        assert!((0.999..=0.9999).contains(&gamma.as_float().unwrap()));
        assert!(gamma.to_string().len() <= "0.9991234".len(), "{gamma}");
        assert!(hidden.is_array());
        let tau = tau.as_float().unwrap();
        assert!((1e-4..=1e-2).contains(&tau));
        assert!(format!("{tau:e}").len() <= "1.234e-4".len(), "{tau:e}");
        small += u32::from(tau < 1e-3);
    }
    assert!(batches.iter().all(|&count| (70..130).contains(&count)), "{batches:?}");
    assert!((120..180).contains(&small), "half of them: {small}");
    assert_ne!(file.combination(0), file.combination(1));
    // Pinned: a directory of trials is found again by what was drawn.
    let shown: Vec<String> =
        file.combination(0).iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(shown, PINNED);
}

const PINNED: [&str; 4] = ["batch_size=4", "gamma=0.9998592", "hidden=[8]", "tau=0.001455"];

/// In files as for `--set`: whole is what is whole by its value, where the setting is.
#[test]
fn numbers_are_taken_as_people_write_them() {
    let file = SweepFile::read(
        "s.toml",
        "presets = [\"sac\"]\nseeds = [1e2, 007, 3.]\n[random]\ntrials = 2_0.\nseed = 5e0\n\
         batch_size = { low = 1e1, high = 012. }\ngamma = { low = .9, high = 1. }\n",
    )
    .unwrap();
    assert_eq!(file.seeds, [100, 7, 3]);
    let Varied::Random { trials, seed, spaces } = &file.varied else { panic!("draws") };
    assert_eq!((*trials, *seed), (20, 5));
    let range = |low, high, whole| Space::Range { low, high, log: false, whole };
    assert_eq!(spaces[0], ("batch_size".into(), range(10.0, 12.0, true)));
    assert_eq!(spaces[1], ("gamma".into(), range(0.9, 1.0, false)));
    let counted =
        "presets = [\"sac\"]\nseeds = { first = 1e2, count = 2. }\n[grid]\ntau = [.5, 1.]\n";
    let file = SweepFile::read("s.toml", counted).unwrap();
    assert_eq!(file.seeds, [100, 101]);
    let error =
        SweepFile::read("s.toml", &format!("{HEAD}[grid]\n\ntau = [.5, 0.5.5]")).unwrap_err();
    assert!(error.to_string().starts_with("s.toml, line 5: "), "{error}");
}

#[test]
fn seeds_can_be_counted() {
    let of = |seeds: &str| {
        SweepFile::read("s.toml", &format!("presets = [\"sac\"]\nseeds = {seeds}\n"))
            .map(|file| file.seeds)
            .map_err(|error| error.to_string())
    };
    assert_eq!(of("{ first = 101, count = 3 }"), Ok(vec![101, 102, 103]));
    assert_eq!(of("[3, 1]"), Ok(vec![3, 1]));
    for (seeds, part) in [
        ("[]", "`seeds` must be a list of whole numbers"),
        ("[-1]", "not [-1]"),
        ("[1, 2, 1]", "without repetition, not 1 twice"),
        ("{ first = 1, cuont = 2 }", "did you mean `count`?"),
        ("{ first = 1 }", "or { first = 101, count = 3 }"),
        ("{ first = 1, count = 100_000 }", "at most 10000"),
        ("{ first = 9223372036854775807, count = 2 }", "below 2⁶³"),
        ("\"three\"", "a list of whole numbers"),
    ] {
        let error = of(seeds).unwrap_err();
        assert!(error.contains(part), "{seeds}: {error}");
    }
}

#[test]
fn mistakes_are_named() {
    for (rest, part) in [
        ("[gird]\n", "there is no key of a sweep `gird` (did you mean `grid`?)"),
        ("[grid]\n", "`grid` must be a table of settings and their values"),
        ("[grid]\ngamma = []\n", "`grid.gamma` must be a list of values"),
        ("[grid]\ngamma = 0.9\n", "not 0.9"),
        ("[grid]\ngamma = [0.9, 0.9]\n", "`grid.gamma` must be without repetition"),
        ("[grid]\nseed = [1, 2]\n", "`seed` must be left to `seeds`"),
        ("[grid]\ngamma = [0.9]\n[settings]\nagent.gamma = 1\n", "`gamma` must be in one place"),
        (
            "[grid]\ngamma = [0.9]\n[random]\ntrials = 1\ntau = { choice = [1] }\n",
            "`random` must be left out where there is `grid`",
        ),
        ("[random]\ntau = { choice = [1] }\n", "`random.trials` must be a whole number from 1"),
        ("[random]\ntrials = 0\n", "`random.trials` must be a whole number from 1 to 10000"),
        ("[random]\ntrials = 3\n", "`random` must be a table with settings to draw"),
        ("[random]\ntrials = 3\ntau = [1]\n", "`random.tau` must be { low"),
        ("[random]\ntrials = 3\ntau = { low = 1, hihg = 2 }\n", "did you mean `high`?"),
        ("[random]\ntrials = 3\ntau = { low = 1 }\n", "`random.tau` must be { low"),
        ("[random]\ntrials = 3\ntau = { low = 2, high = 1 }\n", "less than its high"),
        (
            "[random]\ntrials = 3\ntau = { low = 0, high = 1, scale = \"log\" }\n",
            "`random.tau.low` must be above 0, not 0: its scale is \"log\"",
        ),
        ("[random]\ntrials = 3\ntau = { low = 1, high = 2, scale = \"ln\" }\n", "\"linear\" or"),
        ("[random]\ntrials = 3\ntau = { choice = [], low = 1 }\n", "`random.tau` must be"),
        ("settings = 5\n", "`settings` must be a table, not 5"),
    ] {
        let error = SweepFile::read("s.toml", &format!("{HEAD}{rest}")).unwrap_err().to_string();
        assert!(error.contains(part), "{rest}: {error}");
    }
    for (text, part) in [
        ("seeds = [1]\n", "`presets` must be a list of presets"),
        ("presets = [\"tdd3\"]\n", "did you mean `td3`?"),
        ("presets = [\"sac\", \"sac\"]\nseeds = [1]\n", "without repetition"),
        ("presets = \"sac\"\n", "not \"sac\""),
        ("presets = [\"sac\"]\n", "`seeds` must be a list"),
        ("presets = [\n[", "s.toml, line "),
    ] {
        let error = SweepFile::read("s.toml", text).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}
