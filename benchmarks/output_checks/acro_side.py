"""Runs with ACRO's own Python, not ours: queries as JSON lines on stdin → what ACRO says, as JSON lines.

Each query is made in a session of its own; the answer has its status and its checks, as ACRO records them
before anybody could change them.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from typing import Any

import acro
import matplotlib as mpl
import pandas as pd
from patsy import PatsyError

# How ACRO, pandas and statsmodels say that they cannot make what was asked: that is an answer too.
FAILURES = (ArithmeticError, AttributeError, LookupError, PatsyError, RuntimeError, TypeError, ValueError)
mpl.use("Agg")
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)


def ask(session: Any, query: dict[str, Any]) -> None:
    """Make one query."""
    frame = pd.read_csv(query["rows"])
    told = query["arguments"]
    if query["function"] == "crosstab":
        values = frame[told["values"]] if told["values"] is not None else None
        session.crosstab(frame[told["index"]], frame[told["columns"]], values=values, aggfunc=told["aggfunc"])
    elif query["function"] == "pivot_table":
        session.pivot_table(frame, **told)
    elif query["function"] == "hist":
        session.hist(frame, told["column"], bins=told["bins"])
    elif query["function"] == "logit":
        session.logitr(told["formula"], frame)
    else:
        session.olsr(told["formula"], frame)


def main() -> None:
    """One answer per line: {"id", "status", "checks"} or {"id", "error"}."""
    out = sys.stdout
    sys.stdout = sys.stderr  # ACRO prints
    for line in sys.stdin:
        query = json.loads(line)
        session = acro.ACRO()
        try:
            ask(session, query)
            record = session.results.get_index(-1)
            answer = {"status": record.status, "checks": record.fair.get("check_status", {})}
        except FAILURES as error:
            answer = {"error": f"{type(error).__name__}: {error}"[:300]}
        out.write(json.dumps({"id": query["id"], **answer}) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
