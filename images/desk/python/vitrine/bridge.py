"""R's way to this package, and that of the form's buttons: `python -m vitrine.bridge`, one call, as JSON on
standard input.

    {"call": "columns", "path": …, "columns": […]}     the binary stream of vitrine.columns
    {"call": "tables"}                                 [{"name", "path", "columns"}]
    {"call": "mend", "file", "remedy", "below"}        {"file"}: a new file beside the one named
    {"call": "table", …} | {"call": "regression", …}   {"columns", "rows", …}

`seen` is R's summary of the data it has (vitrine.extracts.Summary).

Exit status 3: a sentence for the researcher on standard error, and nothing was written.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from .words import BadArgument, NotDeclarable, say

REFUSED = 3


def main() -> int:
    """Answer one call; returns the exit status."""
    asked = json.loads(sys.stdin.buffer.read())
    try:
        return _answer(asked)
    except KeyError as error:
        text = say("no_column", name=error.args[0])
    except OSError as error:
        text = say("no_file", name=error.filename or "")
    except (NotDeclarable, BadArgument, LookupError) as error:
        text = str(error)
    sys.stderr.write(text + "\n")
    return REFUSED


def _answer(asked: dict[str, Any]) -> int:
    call = asked.pop("call")
    if call == "columns":
        from .columns import write_columns

        write_columns(Path(asked["path"]), asked.get("columns"), sys.stdout.buffer)
        return 0
    answers = {"tables": _tables, "table": _table, "regression": _regression, "mend": _mend}
    sys.stdout.write(json.dumps(answers[call](asked), ensure_ascii=False, allow_nan=False))
    return 0


def _tables(_: dict[str, Any]) -> Any:
    from .extracts import extract_tables

    return [
        {"name": each.name, "path": str(each.path), "columns": list(each.columns)}
        for each in extract_tables().values()
    ]


def _mend(asked: dict[str, Any]) -> Any:
    from .mendings import mend

    return {"file": Path(mend(asked["file"], asked["remedy"], below=int(asked.get("below") or 10)).file).name}


def _seen(asked: dict[str, Any]) -> Any:
    from .extracts import Summary

    seen = asked.pop("seen", None)
    return Summary(seen["rows"], dict(seen["columns"] or {})) if seen is not None else None


def _table(asked: dict[str, Any]) -> Any:
    from .tables import table

    made = table(_seen(asked), **asked)
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

    behind, seen = find_table(asked.pop("table")), _seen(asked)
    file, estimates = asked.pop("file"), asked.pop("estimates")
    where = normalise(asked.pop("where", None))
    output = {
        "kind": "regression",
        "table": behind.name,
        **asked,
        "columns": dict(COLUMNS),
        **({"where": where} if where is not None else {}),
    }
    made = fit_and_write(output, behind, seen, file=file, estimates=estimates)
    return {
        "columns": list(made.frame.columns),
        "rows": made.frame.to_numpy().tolist(),
        "observations": made.observations,
    }


if __name__ == "__main__":
    sys.exit(main())
