use super::*;

fn resolve(assignments: &[&str]) -> Result<RunConfig, ConfigError> {
    let assignments: Vec<String> = assignments.iter().map(ToString::to_string).collect();
    RunConfig::resolve(Some("sac"), None, &assignments)
}

fn message(assignment: &str) -> String {
    resolve(&[assignment]).unwrap_err().to_string()
}

#[test]
fn later_settings_win() {
    let file = "preset = \"sac\"\n[training]\nsteps = 5\nseed = 9\n[agent]\ngamma = 0.5";
    let set = ["steps=7".into(), "agent.tau=1".into()];
    let config = RunConfig::resolve(None, Some(("mine.toml", file)), &set).unwrap();
    assert_eq!((config.training.steps, config.training.seed), (7, 9));
    assert_eq!(config.agent["gamma"].as_float(), Some(0.5));
    assert_eq!(config.agent["tau"].as_float(), Some(1.0), "a whole number where a float is");
    assert_eq!(resolve(&["steps=1e4"]).unwrap().training.steps, 10_000);
}

/// Taken in all their forms, by `--set` and from a file.
#[test]
fn numbers_are_taken_as_people_write_them() {
    let set =
        ["gamma=.99", "tau=1.", "seed=007", "steps=1e5", "batch_size=+1_00", "hidden=[64, 1e2]"];
    let lines = "preset = \"sac\"\nagent.gamma = .99 # .5\nagent.tau = 1.\ntraining.seed = 007\n\
                 training.steps = 1e5\ntraining.batch_size = +1_00\nagent.hidden = [64.,\n 1e2]\n";
    let of_file = RunConfig::resolve(None, Some(("a.toml", lines)), &[]).unwrap();
    for config in [resolve(&set).unwrap(), of_file] {
        assert_eq!(config.agent["gamma"].as_float(), Some(0.99));
        assert_eq!(config.agent["tau"].as_float(), Some(1.0));
        let training = &config.training;
        assert_eq!((training.seed, training.steps, training.batch_size), (7, 100_000, 100));
        assert_eq!(config.agent["hidden"], Value::from(vec![64, 100]));
    }
    assert_eq!(resolve(&["seed=1e18"]).unwrap().training.seed, 1_000_000_000_000_000_000);
    let seed = resolve(&["seed=9007199254740993.0"]).unwrap().training.seed;
    assert_eq!(seed, 9_007_199_254_740_993, "no float holds it");
    assert_eq!(resolve(&["steps=1.5e3"]).unwrap().training.steps, 1500);
}

#[test]
fn numbers_that_are_refused_are_told_with_the_right_form() {
    for (assignment, words) in [
        (
            "steps=1,000",
            "`training.steps` must be a whole number such as 10000, not \"1,000\": a number has no comma",
        ),
        ("gamma=0,99", "such as 0.5, not \"0,99\": a number has no comma in it"),
        ("gamma=inf", "a number must be finite"),
        ("max_gradient_norm=nan", "a number must be finite"),
        ("seed=0x10", "decimal digits: 16, not 0x10"),
        ("seed=−5", "the sign of a number is a hyphen"),
        ("hidden=[1,064]", "such as [64, 64], not \"[1,064]\": a number has no comma"),
        ("hidden=[0x40, 64]", "decimal digits"),
        ("seed=1e30", "not 1000000000000000000000000000000.0: it is too large"),
        ("seed=9223372036854775808", "it is too large"),
        ("seed=-5.0", "must be a whole number from 0, not -5.0"),
    ] {
        let error = message(assignment);
        assert!(error.contains(words), "{assignment}: {error}");
    }
    for (file, words) in [
        ("preset = \"sac\"\n\n[training]\nsteps = 1,000", "a.toml, line 4: "),
        ("preset = \"sac\"\nagent.hidden = [64,\n007,\n−5]", "a.toml, line 4: "),
        ("preset = \"sac\"\n[training]\nsteps = 1,000", "(at `1,000`: a number has no comma in it"),
        ("preset = \"sac\"\nagent.max_gradient_norm = inf", "a number must be finite"),
    ] {
        let error = RunConfig::resolve(None, Some(("a.toml", file)), &[]).unwrap_err();
        assert!(error.to_string().contains(words), "{file}: {error}");
    }
}

#[test]
fn short_keys_are_unambiguous() {
    for (name, _) in presets::ALL {
        let mut table = presets::table(name).unwrap();
        table.remove(VARIANTS);
        let leaves = settings::leaves(&table);
        let mut keys: Vec<&str> = leaves.iter().map(|(path, _)| last_part(path)).collect();
        keys.sort_unstable();
        assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "{name}: {keys:?}");
    }
}

/// Another environment brings its own settings and the preset's for it; both can be set.
#[test]
fn environments_change_with_their_settings() {
    let set = ["reset_noise_scale=0.2", "environment.name=inverted-pendulum", "gamma=0.5"];
    let config = resolve(&set).unwrap();
    assert_eq!(envs::name(&config.environment), "inverted-pendulum");
    assert_eq!(config.environment["reset_noise_scale"].as_float(), Some(0.2));
    assert_eq!((config.training.steps, config.agent["gamma"].as_float()), (30_000, Some(0.5)));
    let file = toml::to_string(&config).unwrap();
    let set = ["environment.name=pendulum".into()];
    let back = RunConfig::resolve(None, Some(("config.toml", &file)), &set).unwrap();
    assert_eq!(envs::name(&back.environment), "pendulum");
    let unchanged = resolve(&["name=inverted-pendulum", "environment.name=pendulum"]).unwrap();
    assert_eq!(unchanged, resolve(&[]).unwrap());
}

#[test]
fn a_resolved_run_resolves_to_itself() {
    let config = resolve(&["gamma=0.9", "hidden=[8]", "activation=tanh"]).unwrap();
    let text = toml::to_string(&config).unwrap();
    let again = RunConfig::resolve(None, Some(("config.toml", &text)), &[]).unwrap();
    assert_eq!(config, again);
}

#[test]
fn mistakes_are_named() {
    assert!(message("gama=1").starts_with("there is no setting `gama` (did you mean `gamma`?)"));
    assert!(message("agent.gama=1").contains("did you mean `agent.gamma`?"));
    assert!(message("agent.seed=1").contains("did you mean `training.seed`?"));
    assert_eq!(message("gamma=high"), "`agent.gamma` must be a number such as 0.5, not \"high\"");
    assert_eq!(
        message("steps=1.5"),
        "`training.steps` must be a whole number such as 10000, not 1.5"
    );
    assert_eq!(message("seed=-1"), "`training.seed` must be a whole number from 0, not -1");
    assert_eq!(message("hidden=64"), "`agent.hidden` must be a list, such as [64, 64], not 64");
    assert_eq!(message("batch_size=0"), "`training.batch_size` must be 1 to 65536, not 0");
    assert!(message("gamma").contains("not of the form key=value"));
    let error = RunConfig::resolve(Some("tdd3"), None, &[]).unwrap_err().to_string();
    assert!(error.starts_with("there is no preset `tdd3` (did you mean `td3`?)"), "{error}");
    let error = RunConfig::resolve(None, Some(("a.toml", "x = 1\ny = ")), &[]).unwrap_err();
    assert!(error.to_string().starts_with("a.toml, line 2: "), "{error}");
    for (file, start) in [
        ("preset = 5", "`preset` must be the name of a preset, not "),
        ("preset = \"sac\"\n[agnet]\n", "there is no table `agnet` (did you mean `agent`?)"),
    ] {
        let error = RunConfig::resolve(None, Some(("a.toml", file)), &[]).unwrap_err();
        assert!(error.to_string().starts_with(start), "{error}");
    }
    let unknown = message("environment.name=pendlum");
    assert!(unknown.contains("did you mean `pendulum`?"), "{unknown}");
    assert!(message("environment=pendulum").contains("such as environment.KEY=VALUE"));
    assert!(environment("pendulum", &["name=x".into()]).is_err());
    let error = RunConfig::resolve(None, None, &[]).unwrap_err().to_string();
    assert!(error.starts_with("no preset is named"), "{error}");
}
