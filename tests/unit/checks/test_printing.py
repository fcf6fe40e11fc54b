"""Numbers with more digits than anybody reads."""

from __future__ import annotations

import pytest

from hub.checks.findings import Severity
from hub.checks.printing import find_unrounded
from hub.checks.tables import Table


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("31200.512345", True),
        ("0.30000000000000004", True),
        ("-12,3456789", True),
        ("31200.51", False),
        ("1234567.89", False),
        ("0.00012", False),
        ("123456789012", False),
        ("v1.2345678", False),
        ("", False),
        ("NaN", False),
    ],
)
def test_which_numbers_are_unrounded(cell: str, found: bool) -> None:
    findings = find_unrounded(Table(["group", "mean"], [["a", cell], ["b", "12"]]))
    assert [(one.rule, one.severity, one.evidence) for one in findings] == (
        [("unrounded", Severity.NOTE, {"cells": 1})] if found else []
    )
