//! Progress on stderr, only when a person is watching.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// How often a progress line is drawn at most, per second.
const DRAWS_PER_SECOND_MAX: u8 = 5;

/// One line of progress that ends when it is dropped.
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar of so many steps; hidden when stderr is not a terminal.
    pub fn new(steps: u64) -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND_MAX);
        let bar = ProgressBar::with_draw_target(Some(steps), target);
        let template = "{bar:30.cyan/dim} {percent:>3}% {elapsed} left {eta}  {wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Self(bar)
    }

    /// Moves the bar and says how things stand.
    pub fn show(&self, step: u64, message: impl Into<String>) {
        self.0.set_position(step);
        self.0.set_message(message.into());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
