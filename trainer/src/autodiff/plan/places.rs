//! A place in the arena for every buffer: two buffers may share numbers when one is done with
//! before the other is first written.

use std::ops::Range;

use super::compile::Compiled;

/// Numbers in a cache line; every place begins with one.
pub(super) const LINE: usize = 16;

/// From the first instruction that writes a buffer to the last that touches it, both included.
type Lifetime = Range<usize>;

/// The places, and the size of the arena.
pub(super) fn assign(compiled: &Compiled) -> (Vec<Range<usize>>, usize) {
    place(&compiled.sizes, &lifetimes(compiled))
}

fn lifetimes(compiled: &Compiled) -> Vec<Lifetime> {
    let end = compiled.instructions.len() + 1;
    let mut lifetimes: Vec<Option<Lifetime>> = vec![None; compiled.sizes.len()];
    for (at, instruction) in compiled.instructions.iter().enumerate() {
        for id in instruction.reads().chain(instruction.output()) {
            lifetimes[id].get_or_insert(at..at).end = at + 1;
        }
    }
    // What is read after a run must not be overwritten.
    for &id in compiled.keep.iter().chain(&compiled.loss) {
        lifetimes[id].get_or_insert(0..end).end = end;
    }
    lifetimes.into_iter().map(|lifetime| lifetime.unwrap_or(0..0)).collect()
}

/// Largest first, each as far to the front as its lifetime allows.
fn place(sizes: &[usize], lifetimes: &[Lifetime]) -> (Vec<Range<usize>>, usize) {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&id| std::cmp::Reverse(sizes[id]));
    let mut places: Vec<Range<usize>> = vec![0..0; sizes.len()];
    let mut placed: Vec<usize> = Vec::new();
    for id in order {
        let mut taken: Vec<Range<usize>> = placed
            .iter()
            .filter(|&&other| overlap(&lifetimes[id], &lifetimes[other]))
            .map(|&other| places[other].clone())
            .collect();
        taken.sort_by_key(|range| range.start);
        let mut start = 0;
        for range in taken {
            if start + sizes[id] <= range.start {
                break;
            }
            start = start.max(range.end.next_multiple_of(LINE));
        }
        places[id] = start..start + sizes[id];
        placed.push(id);
    }
    let size = places.iter().map(|place| place.end).max().unwrap_or(0);
    (places, size)
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_share_places_but_not_at_the_same_time() {
        let sizes = [10, 10, 5, 5, 10];
        let lifetimes = [0..2, 1..3, 1..5, 3..5, 2..6];
        let (places, size) = place(&sizes, &lifetimes);
        for a in 0..sizes.len() {
            for b in 0..a {
                if overlap(&lifetimes[a], &lifetimes[b]) {
                    assert!(!overlap(&places[a], &places[b]), "{a} and {b}");
                }
            }
        }
        assert!(places.iter().all(|place| place.start.is_multiple_of(LINE)), "{places:?}");
        assert_eq!(size, 2 * LINE + 5, "{places:?}");
    }
}
