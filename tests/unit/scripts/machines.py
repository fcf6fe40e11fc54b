"""A machine for the scripts: its PATH holds what the test put there and nothing else."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BASH = shutil.which("bash") or "/bin/bash"
PLAIN_TOOLS = """
    awk bash basename cat chmod cp cut date dirname env find grep head id mkdir mktemp mv rm sed setsid sh
    sha256sum sleep sort tail timeout touch tr wc xargs
""".split()  # noqa: SIM905  (thirty quoted words read worse)


@dataclass(frozen=True)
class Ran:
    """How a script ended: exit status, both outputs, and the calls of the stand-in commands, in order."""

    status: int
    output: str
    calls: list[str]


@dataclass
class Machine:
    """A machine whose commands are chosen: real text tools, and stand-ins that note how they were called."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def command(self, name: str, body: str = "exit 0") -> None:
        """Put a stand-in on PATH; `body` is shell, run after the call is written down."""
        path = self.folder / "bin" / name
        path.unlink(missing_ok=True)
        path.write_text(f'#!{BASH}\necho "{name} $*" >> "{self.folder}/calls"\n{body}\n', encoding="utf-8")
        path.chmod(0o755)

    def run(self, *arguments: str | Path, **environment: str) -> Ran:
        """Run bash with these arguments; only PATH, HOME and the given variables are set."""
        calls = self.folder / "calls"
        calls.unlink(missing_ok=True)
        base = {
            "PATH": str(self.folder / "bin"),
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "VITRINE_HOST_DATA": str(self.folder / "var"),
            "VITRINE_SBIN": str(self.folder / "sbin"),
        }
        ended = subprocess.run(
            [BASH, *map(str, arguments)],
            env={**base, **self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        written = calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []
        return Ran(ended.returncode, ended.stdout, written)
