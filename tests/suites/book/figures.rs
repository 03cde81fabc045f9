//! Figures that pages restate are those of the code.

use firmware_example::control::MAX_INPUTS;
use firmware_example::station::TRIAL;
use policy_core::link::MAX_OBSERVATION;
use trainer::config::RunConfig;
use trainer::eval::Starts;
use trainer::run::CHECKPOINT_EVERY;
use trainer::statistics::FEW;
use trainer::{envs, export, recording, run};

use super::pages;

/// Figures of the code that the pages restate: another one in the code makes them wrong.
#[test]
fn figures_are_those_of_the_code() {
    let environment = |name: &str| envs::make(&envs::defaults(name).unwrap()).unwrap();
    let starts = |name: &str| Starts::builtin(&envs::defaults(name).unwrap()).unwrap();
    let (pendulum, inverted) = (environment("pendulum"), environment("inverted-pendulum"));
    let (pendulum, inverted) = (pendulum.spec(), inverted.spec());
    let near = |name: &str| envs::find(name).unwrap().goal.near;
    let steps = |preset| RunConfig::resolve(Some(preset), None, &[]).unwrap().training.steps;
    let thousands = |number: usize| format!("{} {:03}", number / 1000, number % 1000);
    let words = ["none", "one", "two", "three", "four", "five", "six", "seven", "eight"];
    let best_known = starts("pendulum").best_known_mean().unwrap();
    let first = thousands(steps("sac"));
    let (least, most) = (thousands(steps("sac-still")), thousands(steps("td3-still")));
    let (period, every) = (pendulum.period, CHECKPOINT_EVERY.as_secs());
    let (count, drawn) =
        (starts("pendulum").states.len(), starts("inverted-pendulum").states.len());
    let layers = sac_bytes(&[]);
    let wide = sac_bytes(&["hidden=[128, 128]"]);
    for (folder, page, figure) in [
        (".", "README.md", format!("({least} to {most} steps of {period} s, as")),
        (".", "README.md", format!("the mean over {count} fixed starts")),
        (
            ".",
            "README.md",
            format!("{} observations with the action bits", thousands(recording::ROWS)),
        ),
        (".", "README.md", format!("one every {every} s and one at Ctrl-C")),
        (".", "README.md", format!("best known mean {best_known:.1}")),
        (".", "README.md", format!("on trial for {TRIAL} control periods")),
        (
            ".",
            "README.md",
            format!(
                "control loop takes up to {MAX_INPUTS} entries of an observation, the link {MAX_OBSERVATION}"
            ),
        ),
        ("docs", "exporting.md", format!("on trial for {TRIAL} control periods")),
        ("docs", "exporting.md", format!("{} examples by which a", words[export::EXAMPLES])),
        ("docs", "first-run.md", format!("{first} steps of {period} s on the pendulum")),
        ("docs", "first-run.md", format!("from {count} fixed starts")),
        ("docs", "first-run.md", format!("an episode of {} steps", pendulum.horizon)),
        ("docs", "first-run.md", format!("best known from the same starts: {best_known:.2}")),
        ("docs", "resuming.md", format!("saves all of its state every {every} s")),
        ("docs", "reading-results.md", format!("mean return over {count} fixed starts")),
        ("docs", "reading-results.md", format!("stands, {} at most", inverted.horizon)),
        (
            "docs",
            "reading-results.md",
            format!(
                "at most {} rad throughout rest ({} rad",
                near("pendulum"),
                near("inverted-pendulum")
            ),
        ),
        ("docs", "reading-results.md", format!("N = {} s / Δt", trainer::control::REST)),
        (
            "docs",
            "RESULTS.md",
            format!("the number of {drawn} episodes that last all {} steps", inverted.horizon),
        ),
        ("docs", "comparing.md", format!("Below {} seeds an interval means little", words[FEW])),
        ("docs", "settings.md", format!("are {} bytes for SAC on the pendulum", thousands(layers))),
        ("docs", "settings.md", format!("two of 128 are {}", thousands(wide))),
    ] {
        let page_text = &pages(folder)[page];
        let text = page_text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(&figure), "{page} does not say {figure:?}");
    }
}

/// The size of SAC's policy for the pendulum.
fn sac_bytes(set: &[&str]) -> usize {
    let set: Vec<String> = set.iter().map(ToString::to_string).collect();
    let config = RunConfig::resolve(Some("sac"), None, &set).unwrap();
    let run::Start { environments, agent } = run::start(&config).unwrap();
    let fingerprint = envs::fingerprint(&config.environment).unwrap();
    let spec = environments.spec();
    export::export(&agent.policy(), spec, fingerprint).unwrap().bytes().len()
}
