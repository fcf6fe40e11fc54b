"""A result's file and its declaration beside it: `table.csv` and `table.csv.spec.json`."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .words import BadArgument

SUFFIX = ".spec.json"


TEXTS = (".txt", ".tex")


def result_path(file: str | os.PathLike[str], suffixes: Sequence[str] = (".csv",)) -> Path:
    """Where a result goes. BadArgument `file` unless it ends as it may and its folder is there."""
    path = Path(file)
    if path.suffix.lower() not in suffixes or not path.parent.is_dir():
        ends = ", ".join(suffixes)
        raise BadArgument(
            "file",
            fr=f"un nom en {ends}, dans un dossier qui existe",
            en=f"a name ending in {ends}, in a folder that exists",
        )
    return path


def write_result(
    path: Path, header: Sequence[str], rows: Sequence[Sequence[str]], output: dict[str, Any] | None
) -> None:
    """Write the file and its declaration; without `output` the file alone, and an older declaration goes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_text(path, text.getvalue(), output)


def write_text(path: Path, text: str, output: dict[str, Any] | None) -> None:
    """The same of a text that another program made."""
    spec = path.with_name(path.name + SUFFIX)
    # The old declaration goes first: at no moment does it lie beside a file it does not describe.
    spec.unlink(missing_ok=True)
    _replace(path, text)
    if output is not None:
        declaration = {"version": 1, "file": path.name, "output": output}
        _replace(spec, json.dumps(declaration, ensure_ascii=False, allow_nan=False, indent=1) + "\n")


def _replace(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


def column_decimals(values: Sequence[float], digits: int = 6) -> int:
    """Decimals of a whole column: so many that its largest number has `digits` significant ones, at most ten;
    none where all numbers are whole."""
    known = [abs(value) for value in values if value is not None and math.isfinite(value)]
    if not known or max(known) == 0 or all(value == round(value) for value in known):
        return 0
    return min(max(digits - 1 - math.floor(math.log10(max(known))), 0), 10)


def number_text(value: float, *, digits: int = 6) -> str:
    """A number with `digits` significant digits, but never less than its whole part nor more than ten
    decimals, and no exponent; "" for none."""
    if value is None or math.isnan(value):
        return ""
    if value == 0:
        return "0"
    places = min(max(digits - 1 - math.floor(math.log10(abs(value))), 0), 10)
    rounded = round(value, places)
    text = f"{rounded:.{places}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
