"""The scratch directory: built tools, zones, servers' directories, raw figures. All of it can be deleted."""

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
CHECKOUT = HERE.parent.parent
TOOLS = ("floor", "blast", "wait", "sweep", "pulse")


class Scratch:
    """Where everything is below one directory."""

    def __init__(self, root):
        self.root = Path(root).resolve()
        self.tools = self.root / "tools"
        self.zones = self.root / "zones"
        self.servers = self.root / "servers"
        self.raw = self.root / "raw"
        try:
            for folder in (self.tools, self.zones, self.servers, self.raw):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            sys.exit(f"{self.root} cannot be used for data and servers: {error.strerror}; name another directory with --scratch")

    def take(self):
        """Ends the program when another run uses the directory; otherwise nobody else does until this one ends."""
        self.lock = open(self.root / "lock", "w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"another run uses {self.root}: wait for it, or name another directory with --scratch")

    def tool(self, name):
        """The path of a program of `tools/`."""
        return str(self.tools / name)

    def build_tools(self):
        """Compiles what is older than its source."""
        header = HERE / "tools" / "query.h"
        for name in TOOLS:
            source, program = HERE / "tools" / f"{name}.c", self.tools / name
            newest = max(source.stat().st_mtime, header.stat().st_mtime)
            if not program.exists() or program.stat().st_mtime < newest:
                subprocess.run(["gcc", "-O2", "-Wall", "-o", program, source], check=True)

    def forget_servers(self):
        """Removes what servers of an earlier run have left."""
        shutil.rmtree(self.servers)
        self.servers.mkdir()

    def list_of(self, zones):
        """The file with the names of a set's zones."""
        return self.zones / f"{zones}.list"

    def questions_of(self, zones):
        return self.zones / f"{zones}.questions"
