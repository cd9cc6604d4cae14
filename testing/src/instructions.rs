//! Instructions that a program takes, or a part of it, as valgrind's callgrind counts them: what one thread does by itself
//! takes the same whatever else the machine does.

use std::collections::HashMap;
use std::process::Command;

/// What callgrind has counted in one run of the program that asks.
pub struct Counted(String);

impl Counted {
    /// Runs the program that asks once more, with these arguments. With `within`, a pattern of callgrind's such as
    /// `*measured*`, only what is done in such functions, and below them, is counted; without, all that any thread does.
    ///
    /// # Panics
    /// Without valgrind, and when the program fails.
    pub fn in_a_run_with(arguments: &[&str], within: Option<&str>) -> Self {
        let directory = tempfile::tempdir().expect("there is room for temporary files");
        let file = directory.path().join("callgrind.out");
        let mut valgrind = Command::new("valgrind");
        valgrind.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", file.display()));
        if let Some(within) = within {
            valgrind.arg("--collect-atstart=no").arg(format!("--toggle-collect={within}"));
        }
        let program = std::env::current_exe().expect("who counts is a program");
        let run = valgrind.arg(program).args(arguments).output();
        let run = run.expect("instructions are counted by valgrind, which is a package of that name");
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        Self(std::fs::read_to_string(file).expect("callgrind has written what it counted"))
    }

    pub fn total(&self) -> u64 {
        let total = self.0.lines().find_map(|line| line.strip_prefix("summary: "));
        total.and_then(|total| total.trim().parse().ok()).expect("callgrind sums up what it has counted")
    }

    /// Of functions whose names have `part` in them, without what they call.
    pub fn of_functions(&self, part: &str) -> u64 {
        let mut names = HashMap::new();
        let (mut is_in, mut is_of_callee, mut sum) = (false, false, 0);
        for line in self.0.lines() {
            let function = line.strip_prefix("fn=").or(line.strip_prefix("cfn="));
            if let Some(function) = function {
                // A name is said once, behind its number: of a function, or of one that it calls.
                let (number, name) = function.split_once(' ').unwrap_or((function, ""));
                let has_part = *names.entry(number).or_insert_with(|| name.contains(part));
                is_in = if line.starts_with("fn=") { has_part } else { is_in };
            } else if line.starts_with("calls=") {
                is_of_callee = true;
            } else if line.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '*')) {
                let count = line
                    .split(' ')
                    .nth(1)
                    .map_or(0, |count| count.parse::<u64>().expect("callgrind counts in numbers"));
                sum += if is_in && !is_of_callee { count } else { 0 };
                is_of_callee = false;
            }
        }
        sum
    }
}
