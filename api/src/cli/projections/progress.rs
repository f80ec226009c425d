//! The bar of a rebuild or verification.

use std::sync::Once;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use vigie_projections::Progress;

use crate::cli::rate::with_rate;

/// Events or whatever is counted, with rate and time left; hidden when nobody watches.
pub(in crate::cli) fn bar(name: &str, unit: &str) -> ProgressBar {
    let template = format!("{{prefix}} {{bar:30}} {{pos}}/{{len}} {unit}, {{rate}}, {{eta}} left");
    let style = ProgressStyle::with_template(&template).expect("the template is made of constants");
    let bar = ProgressBar::new(0).with_style(with_rate(style)).with_prefix(name.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

pub(super) fn show(bar: &ProgressBar) -> impl Fn(Progress) + Send + Sync + use<> {
    let (bar, begun) = (bar.clone(), Once::new());
    move |progress: Progress| {
        bar.set_length(progress.head.unsigned_abs());
        bar.set_position(progress.position.unsigned_abs());
        // What was done before it was broken off was not done now.
        begun.call_once(|| bar.reset_eta());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_broken_off_begins_where_it_was_and_its_rate_counts_from_there() {
        let bar = ProgressBar::hidden();
        let told = show(&bar);
        told(Progress { position: 400_000, head: 1_000_000 });
        assert_eq!((bar.position(), bar.length()), (400_000, Some(1_000_000)));
        assert!(bar.per_sec() < 1.0, "{}", bar.per_sec());
    }
}
