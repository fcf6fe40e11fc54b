"""What the codebook and the manifest beside an extract say of its tables: units, labels, titles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hub.checks.extracts import Part

_HOUSEHOLD = re.compile(r"house|menage|ménage|famil|^hh|^hid", re.IGNORECASE)
_EMPLOYER = re.compile(r"employ|firm|entrepr|company|etab|^eid|^fid", re.IGNORECASE)


def table_of(codebook: Mapping[str, Any], file: str) -> dict[str, Any]:
    """The description of one table; a codebook of version 1 describes the only one."""
    tables = codebook.get("tables")
    if isinstance(tables, list):
        return next((one for one in tables if isinstance(one, dict) and one.get("file") == file), {})
    return dict(codebook)


def _columns_of(described: Mapping[str, Any]) -> list[dict[str, Any]]:
    columns = described.get("columns")
    return [c for c in columns if isinstance(c, dict) and "name" in c] if isinstance(columns, list) else []


def units_of(
    part: Part, given: Mapping[str, str], described: Mapping[str, Any], manifest: Mapping[str, Any]
) -> dict[str, str]:
    units = {kind: column for kind, column in given.items() if column in part.schema}
    named: dict[str, Any] = (
        dict(described.get("units") or {}) if isinstance(described.get("units"), dict) else {}
    )
    for one in _columns_of(described):
        if one.get("role") == "pseudonym" and isinstance(one.get("unit_type"), str):
            named.setdefault(one["unit_type"], one["name"])
    pseudonyms = manifest.get("pseudonyms")
    if isinstance(pseudonyms, dict) and isinstance(pseudonyms.get("columns"), dict):
        for kind, said in pseudonyms["columns"].items():
            named.setdefault(kind, said)
    for kind, said in named.items():
        if said in part.schema and said not in units.values():
            units.setdefault(kind, said)
    for column in part.identifiers:  # recognised by their check digit
        if column not in units.values():
            kind = (
                "household" if _HOUSEHOLD.search(column)
                else "employer" if _EMPLOYER.search(column) else "person"
            )  # fmt: skip
            units.setdefault(kind if kind not in units else column, column)
    return units


def labels_of(described: Mapping[str, Any]) -> dict[str, dict[Any, tuple[str, ...]]]:
    found: dict[str, dict[Any, tuple[str, ...]]] = {}
    for column in _columns_of(described):
        codes = column.get("codes")
        for code in codes if isinstance(codes, list) else []:
            label = code.get("label") if isinstance(code, dict) else None
            if isinstance(label, dict):
                texts = tuple(text for text in label.values() if isinstance(text, str))
                found.setdefault(column["name"], {})[code.get("value")] = texts
    return found


def titles_of(described: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    found = {}
    for column in _columns_of(described):
        label = column.get("label")
        if isinstance(label, dict):
            found[column["name"]] = tuple(text for text in label.values() if isinstance(text, str))
    return found
