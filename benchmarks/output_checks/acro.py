"""ACRO beside our checks: in a venv of its own under var/bench/, asked the same queries on the same rows."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.output_checks.queries import Query

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements" / "acro.lock"
_INSTALLED = "installed.lock"
_SECONDS = 3_600


def python_of_acro(var: Path) -> Path | None:
    """The Python of a venv with ACRO as locked, made if need be; None, with a sentence, where that fails."""
    home = var / "acro"
    python = home / "bin" / "python"
    mark = home / _INSTALLED
    if mark.is_file() and mark.read_bytes() == LOCK.read_bytes():
        return python
    var.mkdir(parents=True, exist_ok=True)
    steps = (
        [sys.executable, "-m", "venv", "--clear", str(home)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes",
         "--only-binary", ":all:", "--requirement", str(LOCK)],
    )  # fmt: skip
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            reason = said[-1][:200] if said else f"exit {done.returncode}"
            print(f"ACRO IS NOT COMPARED: it could not be installed ({reason}).")
            return None
    mark.write_bytes(LOCK.read_bytes())
    return python


@dataclass
class Comparison:
    """What both say of each kind, file by file."""

    ours: dict[tuple[str, bool], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    theirs: dict[tuple[str, bool], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    checks: dict[tuple[str, bool], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _asked: list[tuple[tuple[str, bool], Query, str]] = field(default_factory=list)

    def add(self, kind: str, query: Query, verdict: str, *, unsafe: bool) -> None:
        """A query that we have judged."""
        self._asked.append(((kind, unsafe), query, verdict))

    def ask(self, python: Path) -> None:
        """Ask ACRO all of them, in one process. What it cannot make counts for neither side."""
        with tempfile.TemporaryDirectory() as scratch:
            lines = []
            for at, (_, query, _) in enumerate(self._asked):
                path = Path(scratch) / f"{at}.csv"
                query.frame.to_csv(path, index=False)
                asked = {"function": query.function, "arguments": dict(query.arguments)}
                lines.append(json.dumps({"id": at, "rows": str(path), **asked}))
            done = subprocess.run(
                [str(python), "-P", str(Path(__file__).with_name("acro_side.py"))],
                input="\n".join(lines), capture_output=True, text=True, cwd=scratch, timeout=_SECONDS,
                check=False,
            )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"ACRO's process ended with {done.returncode}: {done.stderr[-500:]}")
        for line in done.stdout.splitlines():
            answer = json.loads(line)
            key, _, verdict = self._asked[answer["id"]]
            self.ours[key][verdict] += 1
            self.theirs[key][str(answer.get("status", "error"))] += 1
            for check, status in answer.get("checks", {}).items():
                self.checks[key][f"{check} {status}"] += status != "pass"
            if "error" in answer:
                print(f"ACRO made no {key[0]}: {answer['error']}", file=sys.stderr)

    def summary(self) -> Mapping[str, int]:
        """How many of the files that both judged ACRO let pass."""
        found = {"acro_unsafe_passed": 0, "acro_unsafe": 0, "acro_safe_passed": 0, "acro_safe": 0}
        for (_, unsafe), statuses in self.theirs.items():
            word = "acro_unsafe" if unsafe else "acro_safe"
            found[word] += statuses.total() - statuses["error"]
            found[f"{word}_passed"] += statuses["pass"]
        return found

    def table(self) -> str:
        """One line per kind: our verdicts, ACRO's statuses, and which of its checks were not passed."""
        lines = [f"{'as ACRO makes it':36}{'':8}{'PASS':>6}{'REVIEW':>8}{'BLOCK':>7} | ACRO pass review fail"]
        for key in sorted(self.theirs, key=lambda one: (one[1], one[0])):
            ours, theirs = self.ours[key], self.theirs[key]
            raised = ", ".join(f"{name} {n}" for name, n in sorted(self.checks[key].items()) if n)
            lines.append(
                f"{key[0].removeprefix('acro: '):36}{'unsafe' if key[1] else 'safe':8}{ours['PASS']:6}"
                f"{ours['REVIEW']:8}{ours['BLOCK']:7} | {theirs['pass']:9}{theirs['review']:7}"
                f"{theirs['fail']:5}  {raised}"
            )
        return "\n".join(lines)


NOT_COMPARED: Mapping[str, None] = dict.fromkeys(
    ("acro_unsafe_passed", "acro_unsafe", "acro_safe_passed", "acro_safe")
)
