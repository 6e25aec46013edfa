use indicatif::{ProgressBar, ProgressStyle};

/// Shows on standard error how far the import is; nothing where that is no terminal.
pub struct Progress(ProgressBar);

impl Progress {
    /// Of that many octets, if it is known how many there are.
    pub fn new(length: Option<u64>) -> Self {
        let bar = length.map_or_else(ProgressBar::no_length, ProgressBar::new);
        let template = match length {
            Some(_) => "{bar:30} {percent:>3} %  {msg}  {elapsed_precise}, {eta_precise} to go",
            None => "{spinner} {bytes}  {msg}  {elapsed_precise}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// So many octets and lines are done.
    pub fn advance(&self, octets: u64, lines: u64) {
        self.0.set_position(octets);
        self.0.set_message(format!("{lines} lines"));
    }

    /// Says something above the bar.
    pub fn say(&self, line: &str) {
        self.0.suspend(|| eprintln!("{line}"));
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        self.0.finish_and_clear();
    }
}
