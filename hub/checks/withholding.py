"""A rewritten notebook without some of its outputs: what two people approve of it leaves, and a sentence
stands where the rest was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.checks.confinement import ChildFailed, Limits, run_child
from hub.checks.findings import Finding, Place, Severity
from hub.checks.sentences import finding
from hub.checks.thresholds import Thresholds

SENTENCE = "Output withheld by output checking. / Sortie retenue par le contrôle des sorties.\n"
RULE = "output_withheld"  # of the change that says so
Output = tuple[int, int]  # a cell and one of its outputs, from 0, as in `Place`


class CannotWithhold(Exception):
    """The file has no such output, is no notebook, or the child did not answer. `unknown`: the former two."""

    def __init__(self, *, unknown: bool) -> None:
        super().__init__("unknown" if unknown else "failed")
        self.unknown = unknown


@dataclass(frozen=True, slots=True)
class Withheld:
    """A notebook without some outputs. `outputs`: each with the SHA-256 of what it was, as canonical JSON
    (UTF-8, keys sorted, no blanks)."""

    data: bytes
    outputs: tuple[tuple[Output, str], ...]

    def changes(self, reviewed: str) -> list[Finding]:
        """What was changed of the bytes that were reviewed (their SHA-256), one finding per output."""
        return [
            finding(
                RULE,
                Severity.NOTE,
                Place(cell=cell, output=output),
                evidence={"sha256": sha256, "reviewed": reviewed},
            )
            for (cell, output), sha256 in self.outputs
        ]


def withhold(text: str, outputs: Iterable[Output]) -> Withheld:
    """The notebook (as `canonical_notebooks` writes them) with SENTENCE in the place of these outputs, all
    else as it was. Raises CannotWithhold where it has no such output."""
    try:
        notebook = json.loads(text)
        made = []
        for cell, output in sorted(set(outputs)):
            if cell < 0 or output < 0:
                raise CannotWithhold(unknown=True)
            there = notebook["cells"][cell]["outputs"]
            made.append(((cell, output), _sha256(there[output])))
            there[output] = {
                "output_type": "display_data",
                "data": {"text/plain": SENTENCE},
                "metadata": {},
            }
        written = json.dumps(notebook, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise CannotWithhold(unknown=True) from error
    return Withheld(written.encode(), tuple(made))


def withhold_in_subprocess(file: Path, outputs: Sequence[Output], thresholds: Thresholds) -> Withheld:
    """`withhold` in the confined child. Raises CannotWithhold."""
    request = {
        "action": "withhold",
        "file": str(file.absolute()),
        "outputs": [list(one) for one in outputs],
        "thresholds": thresholds.to_json(),
    }
    try:
        raw = json.loads(run_child(request, Limits(output_bytes=8 * thresholds.max_bytes)))
        if raw is None:
            raise CannotWithhold(unknown=True)
        found = Withheld(
            raw["text"].encode(),
            tuple(((int(cell), int(output)), str(sha256)) for cell, output, sha256 in raw["outputs"]),
        )
    except (ChildFailed, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CannotWithhold(unknown=False) from error
    if [one for one, _ in found.outputs] != sorted(set(outputs)):
        raise CannotWithhold(unknown=False)
    return found


def answer(file: Path, outputs: Sequence[Sequence[int]]) -> str:
    """What the child says: null where there is no such output."""
    try:
        made = withhold(file.read_text(encoding="utf-8"), [(cell, output) for cell, output in outputs])
    except (CannotWithhold, UnicodeDecodeError):
        return "null"
    told = [[cell, output, sha256] for (cell, output), sha256 in made.outputs]
    return json.dumps({"text": made.data.decode(), "outputs": told}, ensure_ascii=True, allow_nan=False)


def _sha256(output: Any) -> str:
    text = json.dumps(output, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
