//! Rates on progress bars, for people: whole numbers, with their thousands apart.

use indicatif::{HumanCount, ProgressState, ProgressStyle};

/// A style whose template may hold `{rate}`: how many a second.
pub(super) fn with_rate(style: ProgressStyle) -> ProgressStyle {
    style.with_key("rate", |state: &ProgressState, to: &mut dyn std::fmt::Write| {
        // A bar has no way to say that it cannot be written.
        let _ = to.write_str(&told(state.per_sec()));
    })
}

/// `1,235/s`; below ten with one decimal.
pub(super) fn told(per_second: f64) -> String {
    if per_second < 9.95 {
        return format!("{per_second:.1}/s");
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is shown, not counted with")]
    let whole = per_second.round() as u64;
    format!("{}/s", HumanCount(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_told_in_whole_numbers_and_a_slow_one_with_a_decimal() {
        for (rate, text) in
            [(0.0, "0.0/s"), (0.06, "0.1/s"), (9.96, "10/s"), (1234.5678, "1,235/s"), (2e6, "2,000,000/s")]
        {
            assert_eq!(told(rate), text);
        }
    }
}
