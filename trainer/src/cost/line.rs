//! Lines through points by least squares of relative errors.

/// The x with the least Σᵢ ((aᵢ · x − yᵢ) / yᵢ)² over points (aᵢ, yᵢ), from the normal equations
///
/// ```text
/// AᵀA x = Aᵀ1        with the rows aᵢ / yᵢ
/// ```
///
/// `None` where there are fewer points than terms, a y is not positive, or the terms depend on one another.
pub(super) fn fit(points: &[(Vec<f64>, f64)]) -> Option<Vec<f64>> {
    let terms = points.first()?.0.len();
    if points.len() < terms || points.iter().any(|(_, y)| *y <= 0.0) {
        return None;
    }
    // A column's largest entry becomes 1: so a pivot that is nearly zero is one of any unit.
    let largest = |term: usize| points.iter().map(|(a, y)| (a[term] / y).abs()).fold(0.0, f64::max);
    let scales: Vec<f64> = (0..terms).map(largest).collect();
    if scales.contains(&0.0) {
        return None;
    }
    let mut equations = vec![vec![0.0; terms + 1]; terms];
    for (a, y) in points {
        let row: Vec<f64> = a.iter().zip(&scales).map(|(a, scale)| a / y / scale).collect();
        for (equation, left) in equations.iter_mut().zip(&row) {
            for (sum, right) in equation.iter_mut().zip(row.iter().chain([&1.0])) {
                *sum += left * right;
            }
        }
    }
    let solution = solve(equations)?;
    Some(solution.iter().zip(&scales).map(|(x, scale)| x / scale).collect())
}

/// Gauss's elimination with the largest pivot of each column, on equations `[n, n + 1]`.
fn solve(mut equations: Vec<Vec<f64>>) -> Option<Vec<f64>> {
    let n = equations.len();
    for column in 0..n {
        let pivot = (column..n)
            .max_by(|a, b| equations[*a][column].abs().total_cmp(&equations[*b][column].abs()))?;
        equations.swap(column, pivot);
        if equations[column][column].abs() < 1e-12 {
            return None;
        }
        let above = equations[column].clone();
        for equation in &mut equations[column + 1..] {
            let factor = equation[column] / above[column];
            equation.iter_mut().zip(&above).for_each(|(x, above)| *x -= factor * above);
        }
    }
    let mut x = vec![0.0; n];
    for row in (0..n).rev() {
        let known = dot(&equations[row][row + 1..n], &x[row + 1..]);
        x[row] = (equations[row][n] - known) / equations[row][row];
    }
    Some(x)
}

/// a · b
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// y = 7 + 2 u + 300 v
    #[test]
    fn a_line_is_found() {
        let y = |u: f64, v: f64| (vec![1.0, u, v], 7.0 + 2.0 * u + 300.0 * v);
        let line = fit(&[y(0.0, 1.0), y(1.0, 0.0), y(5.0, 2.0), y(1e4, 3.0)]).unwrap();
        for (found, value) in line.iter().zip([7.0, 2.0, 300.0]) {
            assert!((found / value - 1.0).abs() < 1e-6, "{line:?}");
        }
    }

    /// One term through 1 and 2: Σ ((x − y) / y)² is least at Σ 1/y / Σ 1/y² = 1.5 / 1.25.
    #[test]
    fn errors_are_relative() {
        let line = fit(&[(vec![1.0], 1.0), (vec![1.0], 2.0)]).unwrap();
        assert!((line[0] - 1.2).abs() < 1e-12);
    }

    #[test]
    fn what_makes_no_line_is_refused() {
        assert_eq!(fit(&[]), None);
        assert_eq!(fit(&[(vec![1.0, 2.0], 1.0)]), None, "fewer points than terms");
        assert_eq!(fit(&[(vec![1.0], 0.0)]), None);
        let same = [(vec![1.0, 2.0], 1.0), (vec![2.0, 4.0], 3.0), (vec![3.0, 6.0], 4.0)];
        assert_eq!(fit(&same), None, "terms that depend on one another");
    }
}
