"""R's way to this package: `python -m vitrine.bridge`, one call, as JSON on standard input.

    {"call": "columns", "path": …, "columns": […]}     the binary stream of vitrine.columns
    {"call": "tables"}                                 [{"name", "path", "columns"}]
    {"call": "table", …} | {"call": "regression", …}   {"columns", "rows", "counts" | "observations", "estimates"}

Exit status 3: a sentence for the researcher on standard error, and nothing was written.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from .words import BadArgument, NotDeclarable

REFUSED = 3


def main() -> int:
    """Answer one call; returns the exit status."""
    asked = json.loads(sys.stdin.buffer.read())
    try:
        return _answer(asked)
    except (NotDeclarable, BadArgument, LookupError, OSError) as error:
        text = f"{error.args[0]}" if error.args else type(error).__name__
        sys.stderr.write(text + "\n")
        return REFUSED


def _answer(asked: dict[str, Any]) -> int:
    call = asked.pop("call")
    if call == "columns":
        from .columns import write_columns

        write_columns(Path(asked["path"]), asked.get("columns"), sys.stdout.buffer)
        return 0
    answers = {"tables": _tables, "table": _table, "regression": _regression}
    sys.stdout.write(json.dumps(answers[call](asked), ensure_ascii=False, allow_nan=False))
    return 0


def _tables(_: dict[str, Any]) -> Any:
    from .extracts import extract_tables

    return [
        {"name": each.name, "path": str(each.path), "columns": list(each.columns)}
        for each in extract_tables().values()
    ]


def _table(asked: dict[str, Any]) -> Any:
    from .tables import remake, table

    groups = asked.pop("groups", None)
    made = table(asked.pop("table"), **asked)
    if groups:
        made = remake(made, groups=groups)
    return {
        "columns": list(made.frame.columns),
        "rows": made.frame.to_numpy().tolist(),
        "counts": [int(count) for count in made.counts],
        "small": made.small(),
    }


def _regression(asked: dict[str, Any]) -> Any:
    from .extracts import find_table
    from .filters import normalise
    from .regressions import COLUMNS, fit_and_write

    behind = find_table(asked.pop("table"))
    file, estimates = asked.pop("file"), asked.pop("estimates")
    where = normalise(asked.pop("where", None))
    output = {
        "kind": "regression",
        "table": behind.name,
        **asked,
        "columns": dict(COLUMNS),
        **({"where": where} if where is not None else {}),
    }
    made = fit_and_write(output, behind, None, file=file, estimates=estimates)
    return {
        "columns": list(made.frame.columns),
        "rows": made.frame.to_numpy().tolist(),
        "observations": made.observations,
    }


if __name__ == "__main__":
    sys.exit(main())
