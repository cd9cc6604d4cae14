//! Python with the packages of `testing/python/requirements.txt`, which `./test` installs.

use std::path::PathBuf;
use std::process::Command;

/// Debian's own, whatever else the caller's shell finds under that name.
const PYTHON: &str = "/usr/bin/python3";

/// Python that runs this program; arguments for it may follow.
///
/// # Panics
/// When the packages are not there.
pub fn program(text: &str) -> Command {
    let packages: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "target", "python-packages"].iter().collect();
    // Copied there when all is installed.
    let list = packages.join("requirements.txt");
    assert!(list.exists(), "there is no {}: ./test installs what the tests need", list.display());
    let mut command = Command::new(PYTHON);
    command.env("PYTHONPATH", packages).args(["-c", text]);
    command
}
