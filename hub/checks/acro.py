"""What ACRO wrote about its outputs, read as claims: which check failed in which cell. Its overall status is
not read: ACRO counts rows of the researcher's own data frame, and the researcher can set the status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hub.checks.findings import Finding, Severity
from hub.checks.sentences import finding

MAX_CLAIMS = 1_000
_FINE = frozenset({"", "ok"})


def is_acro(value: Any) -> bool:
    """Whether a JSON value has the form of ACRO's `results.json`."""
    if not isinstance(value, dict) or not isinstance(value.get("results"), dict) or "version" not in value:
        return False
    records = value["results"].values()
    return bool(records) and all(isinstance(one, dict) and {"uid", "status"} <= set(one) for one in records)


def find_acro_claims(value: Mapping[str, Any]) -> Iterator[Finding]:
    """REVIEW `acro_claim` for each cell that a check of ACRO did not pass, at most 1,000; for one record
    without such cells nothing, since that proves nothing."""
    told = 0
    for uid, record in value["results"].items():
        for claim in _claims(str(uid), record):
            if told == MAX_CLAIMS:
                return
            told += 1
            yield finding(
                "acro_claim",
                Severity.REVIEW,
                output=claim["output"],
                check=claim["check"],
                evidence=claim,
            )


def _claims(uid: str, record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    seen: set[tuple[str, str, str]] = set()
    for file in _list(record.get("files")):
        sdc = _dict(_dict(file).get("sdc"))
        name = str(_dict(file).get("name", uid))[:80]
        for check, cells in _dict(sdc.get("cells")).items():
            for cell in _list(cells):
                if isinstance(cell, list) and len(cell) == 2 and all(type(at) is int for at in cell):
                    yield {"output": name, "check": str(check)[:40], "row": cell[0], "column": cell[1]}
                    seen.add((name, str(cell[0]), str(cell[1])))
    if seen:
        return  # `outcome` says the same by labels
    for column, rows in _dict(record.get("outcome")).items():
        for row, verdict in _dict(rows).items():
            for check in str(verdict).split(";"):
                if check.strip().casefold() not in _FINE:
                    yield {
                        "output": uid[:80],
                        "check": check.strip()[:40],
                        "row": str(row)[:80],
                        "column": str(column)[:80],
                    }


def _dict(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
