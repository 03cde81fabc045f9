//! Which observations are outside, and what is said of them.

use super::*;

fn entry(name: &str, unit: &str, middle: f64, half: f64) -> Entry {
    let (name, unit) = (name.into(), unit.into());
    Entry { name, unit, middle, half, farthest: None, outside: 0 }
}

fn watch(entries: Vec<Entry>) -> Watch {
    Watch { entries, observations: 0, outside: 0 }
}

#[test]
fn entries_that_leave_their_range_are_named() {
    let mut ranges = watch(vec![entry("position", "m", 0.0, 0.094), entry("cos θ", "", 1.0, 2.0)]);
    for o in [[0.0, -1.0], [0.094, 3.0], [-0.094, f32::NAN]] {
        ranges.see(&o);
    }
    assert_eq!((ranges.outside(), ranges.warning()), (0, None));
    for o in [[0.1, 0.0], [-0.57, 0.0], [0.2, -1.5], [0.0, f32::INFINITY]] {
        ranges.see(&o);
    }
    assert_eq!(ranges.outside(), 4);
    let warning = ranges.warning().unwrap();
    for part in [
        ": position is -0.5700 m, its range ends at -0.09400 m, left by 3 of 7 observations; ",
        "cos θ is inf, its range ends at 3.000, left by 2 of 7 observations; quantize it",
    ] {
        assert!(warning.contains(part), "{warning}");
    }
}

/// Without integers there are no ranges, and their observations are counted only.
#[test]
fn policies_without_ranges_are_never_outside() {
    let mut ranges = watch(Vec::new());
    ranges.see(&[1e30]);
    assert_eq!((ranges.outside(), ranges.warning()), (0, None));
}

#[test]
fn numbers_have_few_digits() {
    for (x, text) in [
        (0.0, "0"),
        (-0.046_912, "-0.04691"),
        (12_345.6, "12346"),
        (8.0, "8.000"),
        (1e-30, "1.000e-30"),
        (-2.5e12, "-2.500e12"),
        (f64::INFINITY, "inf"),
    ] {
        assert_eq!(short(x), text);
    }
}
