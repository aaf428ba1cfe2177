//! Samples by name, and their table.

use std::collections::BTreeMap;

/// Name → samples.
#[derive(Debug, Default)]
pub(super) struct Figures(BTreeMap<String, Vec<f64>>);

impl Figures {
    pub(super) fn add(&mut self, name: &str, sample: f64) {
        self.0.entry(name.to_owned()).or_default().push(sample);
    }

    #[expect(clippy::print_stdout, reason = "the output")]
    pub(super) fn print(&self) {
        println!("\n{:>8} {:>10} {:>10}  what", "samples", "p50", "p99");
        for (name, samples) in &self.0 {
            println!(
                "{:8} {:10.1} {:10.1}  {name}",
                samples.len(),
                percentile(samples, 50),
                percentile(samples, 99)
            );
        }
    }
}

/// The smallest sample that at least so many per cent do not exceed.
fn percentile(samples: &[f64], percent: usize) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples() {
        let samples: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(
            (percentile(&samples, 50), percentile(&samples, 99)),
            (50.0, 99.0)
        );
        assert_eq!((percentile(&[7.0], 50), percentile(&[7.0], 99)), (7.0, 7.0));
        assert!(percentile(&[], 50).is_nan());
    }
}
