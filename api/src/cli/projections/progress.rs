//! The bar of a rebuild or verification.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use vigie_projections::Progress;

/// Events or whatever is counted, with rate and time left; hidden when nobody watches.
pub(in crate::cli) fn bar(name: &str, unit: &str) -> ProgressBar {
    let template = format!("{{prefix}} {{bar:30}} {{pos}}/{{len}} {unit}, {{per_sec}}, {{eta}} left");
    let style = ProgressStyle::with_template(&template).expect("the template is made of constants");
    let bar = ProgressBar::new(0).with_style(style).with_prefix(name.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

pub(super) fn show(bar: &ProgressBar) -> impl Fn(Progress) + Send + Sync + use<> {
    let bar = bar.clone();
    move |progress: Progress| {
        bar.set_length(progress.head.unsigned_abs());
        bar.set_position(progress.position.unsigned_abs());
    }
}
