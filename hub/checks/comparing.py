"""Comparisons of released or waiting files, made in the confined child. Never raises for what a file does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hub.checks.confinement import ChildFailed, Limits, run_child
from hub.checks.thresholds import Thresholds

KINDS = frozenset({"same", "table", "text", "image", "other"})
CHANGES = frozenset({"same", "changed", "added", "removed"})
_LIMITS = Limits(output_bytes=8 * 2**20)


def compare_in_subprocess(
    older: Path, older_name: str, newer: Path, newer_name: str, thresholds: Thresholds
) -> dict[str, Any]:
    """`hub.checks.differences_of_files.compare` in a child; `{"kind": "failed"}` where it cannot be made."""
    request = {
        "action": "compare",
        "file": str(newer.absolute()),
        "name": newer_name,
        "older": str(older.absolute()),
        "older_name": older_name,
        "thresholds": thresholds.to_json(),
    }
    try:
        return _comparison(json.loads(run_child(request, _LIMITS)))
    except (ChildFailed, ValueError, TypeError, KeyError, RecursionError):
        return {"kind": "failed"}


def relate_in_subprocess(
    file: Path, name: str, others: Sequence[tuple[Path, str]], thresholds: Thresholds
) -> list[tuple[float, float]]:
    """How far each of `others` is the same table: shares of columns and of labels in common, all 0 where the
    child fails."""
    request = {
        "action": "relate",
        "file": str(file.absolute()),
        "name": name,
        "others": [[str(path.absolute()), other] for path, other in others],
        "thresholds": thresholds.to_json(),
    }
    try:
        raw = json.loads(run_child(request, _LIMITS))
        found = [(float(one["columns"]), float(one["labels"])) for one in raw]
    except (ChildFailed, ValueError, TypeError, KeyError, RecursionError):
        return [(0.0, 0.0)] * len(others)
    return found if len(found) == len(others) else [(0.0, 0.0)] * len(others)


def _comparison(raw: Any) -> dict[str, Any]:
    """The child's answer, its closed sets looked at; ValueError on anything else."""
    if not isinstance(raw, dict) or raw.get("kind") not in KINDS:
        raise ValueError("kind")
    entries = raw.get("rows" if raw["kind"] == "table" else "lines", [])
    if raw["kind"] in ("table", "text") and not isinstance(entries, list):
        raise ValueError("entries")
    if any(entry["change"] not in CHANGES for entry in entries):
        raise ValueError("change")
    return raw
