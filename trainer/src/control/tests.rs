//! Courses whose figures are known in closed form, and what holds for all.

use std::f64::consts::{FRAC_PI_2, TAU};

use proptest::prelude::*;

use super::*;
use crate::eval::{Starts, evaluate};
use crate::interface::channel;

/// 10 s of the pendulum: T = 200, N = 40.
const PERIODS: usize = 200;
const PERIOD: f64 = 0.05;
const REST_BEGINS: usize = PERIODS - 40;
const WITHIN: f64 = PI / 90.0;

fn spec(name: &str) -> Spec {
    envs::make(&envs::defaults(name).unwrap()).unwrap().spec().clone()
}

/// An angle, or a torque, of each step.
type Signal<'a> = &'a dyn Fn(usize) -> f64;

/// The figures of episodes with these angles and torques, and whether they were terminated.
fn control(courses: &[(Signal<'_>, Signal<'_>, bool)]) -> Control {
    let mut gauge = Gauge::new(&spec("pendulum"), courses.len()).unwrap();
    // Side by side, as a batch runs them.
    for t in 0..PERIODS {
        for (start, (angle, torque, _)) in courses.iter().enumerate() {
            gauge.acts(start, &[angle(t), 0.0], &[torque(t) as f32]);
        }
    }
    for (start, (angle, _, terminated)) in courses.iter().enumerate() {
        gauge.ends(start, &[angle(PERIODS), 0.0], *terminated);
    }
    gauge.control()
}

fn of(angle: impl Fn(usize) -> f64) -> Control {
    control(&[(&angle, &|_| 0.0, false)])
}

fn only(spread: Spread) -> f64 {
    assert_eq!(spread.median, spread.worst, "of one start");
    spread.median.expect("it reaches the goal")
}

fn close(found: f64, known: f64) {
    assert!((found - known).abs() < 1e-7, "{found} is not {known}");
}

/// θ = −0.17 rad with 0.85 N·m for ever: what a policy does that a return does not tell from one that stands straight.
#[test]
fn a_lean_is_reached_and_never_settled() {
    // From hanging down, straight up in 4 s.
    let angle = |t: usize| if t < 80 { PI - (PI - 0.17) * t as f64 / 80.0 } else { 0.17 };
    let found = control(&[(&angle, &|_| -0.85, false)]);
    assert_eq!((found.starts, found.reached, found.settled), (1, 1, 0));
    close(only(found.rest_error), 0.17);
    close(only(found.effort), 0.85);
    assert_eq!(only(found.chatter), 0.0);
    assert_eq!(only(found.overshoot), 0.0, "it never came so far");
    assert_eq!(found.settling_time, Spread { median: None, worst: None });
    // The same from the other side goes beyond the goal, and stays there.
    let beyond = |t: usize| if t < 80 { PI - (PI + 0.17) * t as f64 / 80.0 } else { -0.17 };
    close(only(of(beyond).overshoot), 0.17);
}

#[test]
fn chatter_is_of_changes_and_not_of_size() {
    let upright = |_: usize| 0.0;
    for (torque, effort, chatter) in [
        // ±u changes by 2u each time; 39 changes, of which one more goes down: σ² = (2u)² (1 − 1/39²).
        (
            (&|t: usize| if t.is_multiple_of(2) { 0.5 } else { -0.5 }) as Signal<'_>,
            0.5,
            (1.0 - 1.0 / (39.0 * 39.0_f64)).sqrt(),
        ),
        (&|_| 1.5, 1.5, 0.0),
        // A straight line from 0 to 39/64 over rest.
        (&|t: usize| (t.max(REST_BEGINS) - REST_BEGINS) as f64 / 64.0, 19.5 / 64.0, 0.0),
        // One step in the middle of rest: one of 39 changes is 1.
        (
            &|t: usize| if t < PERIODS - 20 { 0.0 } else { 1.0 },
            0.5,
            (1.0 / 39.0 - 1.0 / (39.0 * 39.0_f64)).sqrt(),
        ),
        // Whatever comes before rest does not count.
        (&|t: usize| if t < REST_BEGINS { (t % 3) as f64 } else { 0.25 }, 0.25, 0.0),
    ] {
        let found = control(&[(&upright, torque, false)]);
        close(only(found.effort), effort);
        close(only(found.chatter), chatter);
    }
}

/// e^(−t/τ): within 2° after τ ln(e₀ / 2°).
#[test]
fn a_decay_settles_when_its_formula_does() {
    let decay = |t: usize| 3.0 * libm::exp(-(t as f64) * PERIOD);
    let exact = libm::log(3.0 / WITHIN);
    let found = of(decay);
    let time = only(found.settling_time);
    assert!(exact <= time && time < exact + PERIOD, "{time} s is not the period after {exact}");
    let sum: f64 = (REST_BEGINS..=PERIODS).map(decay).sum();
    close(only(found.rest_error), sum / 41.0);
    assert_eq!((found.settled, only(found.overshoot)), (1, 0.0));
}

/// e^(−t) cos 3t goes farthest beyond at the first extremum, where tan 3t = −1/3.
#[test]
fn a_damped_swing_overshoots_by_its_first_extremum() {
    let swing = |time: f64| libm::exp(-time) * libm::cos(3.0 * time);
    let farthest = (PI - libm::atan(1.0 / 3.0)) / 3.0;
    let found = only(of(|t| swing(t as f64 * PERIOD)).overshoot);
    // Between two samples it is flat: at most ½ e″ (Δt/2)², and e″ is below 10.
    assert!((found + swing(farthest)).abs() < 5.0 * 0.025 * 0.025, "{found}");
    assert!(found <= -swing(farthest));
    let mirrored = only(of(|t| -swing(t as f64 * PERIOD)).overshoot);
    assert_eq!(found, mirrored);
}

#[test]
fn overshoot_knows_sides_turns_and_starts_at_the_goal() {
    let then = |first: Vec<f64>| of(move |t| first.get(t).copied().unwrap_or(0.0));
    for (angles, overshoot) in [
        // Past hanging, where an angle changes its sign, there is no goal.
        (vec![PI - 0.1, -PI + 0.1, -2.0, -1.0, -0.1, 0.0, 0.125], 0.125),
        // The same, not wrapped: 3.24 is −3.04.
        (vec![PI - 0.1, PI + 0.1, TAU - 2.0, TAU - 1.0, TAU, TAU + 0.125, TAU], 0.125),
        // Over the goal in one step, not within 2° anywhere.
        (vec![1.0, 0.5, -0.25, -0.0625, 0.0], 0.25),
        // Back to where it came from is not beyond.
        (vec![1.0, 0.5, 0.01, 0.75, 0.0], 0.0),
        // Once over and round: from the other side it comes again.
        (vec![1.0, 0.0, -1.0, -2.0, -3.0, 3.0, 2.0, 1.0, 0.0], 3.0),
        // In the band at first: both sides lie before it.
        (vec![0.01, 0.25, -0.125, 0.0], 0.25),
        (vec![0.0, 0.0], 0.0),
    ] {
        close(only(then(angles.clone()).overshoot), overshoot);
        let mirrored = angles.iter().map(|x| -x).collect();
        close(only(then(mirrored).overshoot), overshoot);
    }
}

#[test]
fn only_what_stays_near_has_reached_the_goal() {
    let upright = |_: usize| 0.0;
    let hanging = |_: usize| PI;
    let turning = |t: usize| 0.4 * t as f64;
    let falls = |t: usize| if t < PERIODS { 0.0 } else { 0.51 };
    let late = |t: usize| if t < REST_BEGINS { 1.0 } else { 0.0 };
    let too_late = |t: usize| if t <= REST_BEGINS { 1.0 } else { 0.0 };
    let swings = |t: usize| 0.4 * libm::sin(t as f64);
    let no_number = |t: usize| if t < 190 { 0.0 } else { f64::NAN };
    let still = |_: usize| 0.0;
    let broken = |t: usize| if t < 190 { 0.0 } else { f64::NAN };
    for (angle, torque, terminated, reached) in [
        (&upright as Signal<'_>, &still as Signal<'_>, false, 1),
        (&upright, &still, true, 0),
        (&hanging, &still, false, 0),
        (&turning, &still, false, 0),
        (&falls, &still, false, 0),
        (&late, &still, false, 1),
        (&too_late, &still, false, 0),
        (&swings, &still, false, 1),
        (&no_number, &still, false, 0),
        (&upright, &broken, false, 0),
    ] {
        let found = control(&[(angle, torque, terminated)]);
        assert_eq!(found.reached, reached);
        assert_eq!(found.rest_error.median.is_some(), reached == 1);
    }
    // Within 2° now and then, and at the very end, is not settled.
    let at_last = |t: usize| if t < PERIODS - 5 { 0.25 } else { 0.0 };
    assert_eq!(of(at_last).settled, 0);
    assert_eq!(only(of(late).settling_time), REST_BEGINS as f64 * PERIOD);
}

#[test]
fn medians_are_over_those_that_reach_and_never_is_longest() {
    let lean = |angle: f64| move |_: usize| angle;
    let [straight, slight, lying] = [lean(0.0), lean(0.125), lean(FRAC_PI_2)];
    let still = |_: usize| 0.0;
    let courses = |all: &[Signal<'_>]| -> Control {
        control(&all.iter().map(|angle| (*angle, &still as _, false)).collect::<Vec<_>>())
    };
    let found = courses(&[&slight, &straight, &lying, &straight]);
    assert_eq!((found.starts, found.reached, found.settled), (4, 3, 2));
    assert_eq!(found.rest_error, Spread { median: Some(0.0), worst: Some(0.125) });
    assert_eq!(found.settling_time, Spread { median: Some(0.0), worst: None });
    let even = courses(&[&slight, &straight]);
    assert_eq!(even.rest_error, Spread { median: Some(0.0625), worst: Some(0.125) });
    assert_eq!(even.settling_time, Spread { median: None, worst: None });
    let none = courses(&[&lying]);
    assert_eq!((none.reached, none.rest_error), (0, Spread { median: None, worst: None }));
    assert_eq!(line(Some(&none)), "upright from 0 of 1 start");
    assert_eq!(rows(Some(&none)).map(|row| row.median), ["–"; 5]);
}

/// What is shorter than rest, or of another machine, cannot be said; of two entries of an action, the louder one counts.
#[test]
fn what_cannot_be_said_is_none() {
    let mut other = spec("pendulum");
    other.horizon = 39;
    assert!(Gauge::new(&other, 1).is_none());
    other.horizon = 40;
    other.action.push(channel("brake", "N", -1.0, 1.0));
    let mut gauge = Gauge::new(&other, 1).unwrap();
    for t in 0..40_usize {
        gauge.acts(0, &[0.1, 0.0], &[0.5, if t < 20 { -0.75 } else { 0.75 }]);
    }
    gauge.ends(0, &[0.1, 0.0], false);
    let found = gauge.control();
    assert_eq!((found.reached, found.action_unit.as_str()), (1, ""));
    close(only(found.effort), 0.75);
    close(only(found.chatter), 1.5 * (1.0 / 39.0 - 1.0 / (39.0 * 39.0_f64)).sqrt());
    other.period = 1.0;
    assert!(Gauge::new(&other, 1).is_none(), "two periods show no chatter");
    other.name = "unknown";
    assert!(Gauge::new(&other, 1).is_none() && Recent::new(&other).is_none());
}

#[test]
fn words_say_what_there_is() {
    let mut found = of(|t| if t < 40 { 1.0 } else { 0.0125 });
    assert_eq!(
        line(Some(&found)),
        "upright from 1 of 1 start: 0.013 rad off at rest (worst 0.013), chatter 0.000 N·m, settled after 2.00 s"
    );
    assert_eq!(
        found.scope(),
        "upright from 1 of 1 start, settled from 1 of them (θ within 0.035 rad of 0)"
    );
    found.reached = 3;
    assert!(line(Some(&found)).ends_with("settled after 2.00 s, but never from 2"));
    found.settling_time.median = None;
    assert!(line(Some(&found)).ends_with("settled from 1"));
    found.settled = 0;
    assert!(line(Some(&found)).ends_with("never settled"));
    found.action_unit = "100 N".into();
    found.chatter.median = Some(0.000_4);
    assert!(line(Some(&found)).contains("chatter 0.0004 × 100 N"));
    assert_eq!(line(None), "at the goal: –");
    assert_eq!(rows(None).map(|row| row.worst), ["–"; 5]);
}

/// What a session sees of its last two seconds is what an evaluation says of an episode that ends there.
#[test]
fn the_last_two_seconds_of_a_session_are_those_of_an_episode() {
    let angle = |t: usize| 0.1 + 0.05 * libm::sin(t as f64);
    let torque = |t: usize| libm::cos(0.3 * t as f64);
    let found = control(&[(&angle, &torque, false)]);
    let mut recent = Recent::new(&spec("pendulum")).unwrap();
    for t in 0..=PERIODS {
        assert_eq!(recent.rest().is_some(), t >= 41, "{t}");
        recent.see(&[angle(t), 0.0], &[torque(t) as f32]);
    }
    let rest = recent.rest().unwrap();
    close(rest.error, only(found.rest_error));
    close(rest.effort, only(found.effort));
    close(rest.chatter, only(found.chatter));
    recent.clear();
    assert_eq!(recent.rest(), None);
}

/// Through the evaluation itself: an untrained pole falls, and its episodes end.
#[test]
fn an_evaluation_measures_what_it_runs() {
    use crate::policy::AnyPolicy;
    for (name, falls) in [("inverted-pendulum", true), ("pendulum", false)] {
        let set = format!("environment.name={name}");
        let config = crate::config::RunConfig::resolve(Some("sac"), None, &[set]).unwrap();
        let crate::run::Start { environments, agent } = crate::run::start(&config).unwrap();
        let blob = crate::export::export(&agent.policy(), environments.spec(), 0).unwrap();
        let policy = AnyPolicy::from_bytes(blob.bytes()).unwrap();
        let table = envs::defaults(name).unwrap();
        let mut starts = Starts::builtin(&table).unwrap();
        starts.states.truncate(5);
        let evaluation =
            evaluate(&policy, &mut *starts.environments(&table).unwrap(), &starts).unwrap();
        let control = evaluation.control.unwrap();
        assert_eq!((control.starts, control.reached), (5, 0), "{name}");
        assert_eq!(evaluation.full_episodes == 0, falls);
        let text = serde_json::to_string(&control).unwrap();
        assert_eq!(serde_json::from_str::<Control>(&text).unwrap(), control);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// No figure is ever negative or no number, whatever happens; and mirrored courses have the same ones.
    #[test]
    fn figures_are_never_nonsense(
        angles in prop::collection::vec(prop_oneof![-0.6..0.6, -10.0..10.0, Just(f64::NAN), Just(0.0)], PERIODS + 1),
        near in prop::collection::vec(-0.5..0.5, 41),
        torques in prop::collection::vec(-2.0_f64..2.0, PERIODS),
        reaches: bool,
    ) {
        let angle = |sign: f64| {
            let (angles, near) = (&angles, &near);
            move |t: usize| sign * if reaches && t >= REST_BEGINS { near[t - REST_BEGINS] } else { angles[t] }
        };
        let torque = |sign: f64| { let torques = &torques; move |t: usize| sign * torques[t] };
        let found = control(&[(&angle(1.0), &torque(1.0), false)]);
        prop_assert!(!reaches || found.reached == 1);
        let spreads = [found.rest_error, found.effort, found.chatter, found.overshoot];
        for spread in spreads {
            prop_assert_eq!(spread.median.is_some(), found.reached == 1);
            prop_assert!(spread.worst.is_none_or(|x| x >= 0.0 && x.is_finite()));
        }
        prop_assert_eq!(found.settling_time.median.is_some(), found.settled == 1);
        prop_assert!(found.settling_time.median.is_none_or(|time| time <= REST_BEGINS as f64 * PERIOD));
        if found.reached == 1 {
            prop_assert!(only(found.rest_error) <= 0.5 && only(found.effort) <= 2.0 && only(found.overshoot) <= PI);
            // Whoever has settled is within 2° on average.
            prop_assert!(found.settled == 0 || only(found.rest_error) <= WITHIN);
        }
        let mirrored = control(&[(&angle(-1.0), &torque(-1.0), false)]);
        prop_assert_eq!(found.reached, mirrored.reached);
        if found.reached == 1 && angles.iter().all(|x: &f64| x.is_finite()) {
            prop_assert!((only(found.overshoot) - only(mirrored.overshoot)).abs() < 1e-9);
            prop_assert!((only(found.chatter) - only(mirrored.chatter)).abs() < 1e-9);
        }
    }

    /// Waiting at the goal for longer changes nothing of what comes before.
    #[test]
    fn settling_is_where_the_last_excursion_ends(last in 0..PERIODS - 41, off in 0.04..3.0) {
        let found = of(|t| if t <= last { off } else { 0.01 });
        prop_assert!((only(found.settling_time) - (last + 1) as f64 * PERIOD).abs() < 1e-12);
        prop_assert!((only(found.rest_error) - 0.01).abs() < 1e-12);
    }
}
