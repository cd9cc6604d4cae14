"""The Debian packages that a run needs: what is missing is installed as root without starting any service, and otherwise the
line that does it is printed."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

# Servers; kzonesign signs, dnsperf is the load over TCP, gcc compiles tools/, unshare and ip make the network of a run.
NEEDED = ("bind9 nsd knot knot-dnsutils knot-dnssecutils pdns-server pdns-backend-lmdb dnsperf gcc libc6-dev "
          "util-linux iproute2 procps").split()
# Debian asks this file whether a service may start (101: no).
POLICY = Path("/usr/sbin/policy-rc.d")


def provide():
    """Returns when all packages are here; ends the program with a sentence if they cannot be."""
    if not shutil.which("dpkg-query"):
        sys.exit("the servers that are measured come from Debian's packages: this is no Debian")
    missing = _missing()
    if not missing:
        return
    if os.geteuid() != 0:
        sys.exit("these packages are needed and not here. As root:\n"
                 f"  apt-get install --no-install-recommends {' '.join(missing)}\n"
                 "(no service of theirs needs to run; benches/peers/run as root installs them without starting any)")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _no_service_starts():
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=environment)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], check=False, env=environment)
    if missing := _missing():
        sys.exit(f"these packages could not be installed, for what apt-get says above: {' '.join(missing)}")


def _missing():
    return [name for name in NEEDED if not _is_installed(name)]


def _is_installed(name):
    status = subprocess.run(["dpkg-query", "--show", "--showformat=${db:Status-Status}", name], capture_output=True, text=True,
                            check=False).stdout
    return status == "installed"


@contextmanager
def _no_service_starts():
    """What stood in the policy's place stands there again afterwards."""
    kept = POLICY.with_name("policy-rc.d.kept-by-benches")
    if POLICY.exists():
        POLICY.rename(kept)
    try:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
        yield
    finally:
        POLICY.unlink(missing_ok=True)
        if kept.exists():
            kept.rename(POLICY)
