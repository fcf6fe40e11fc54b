"""What people read in French has typographic apostrophes: messages, pages and policies."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

# l’accès, n’existe, qu’il, aujourd’hui, with a straight apostrophe. English has none of these.
ELISION = re.compile(
    r"(?<![\w’'])(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|aujourd)'(?=[a-zàâäéèêëîïôöùûüœ«]|$)",
    re.IGNORECASE,
)
SOURCES = sorted((ROOT / "hub").rglob("*.py"))
TEXTS = [
    ROOT / "hub" / "portal" / "locales" / "fr.yaml",
    *sorted((ROOT / "policies").rglob("*.yaml")),
]


def literals(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of each string that is neither a docstring nor a pattern."""
    left_out: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            left_out.add(id(node.value))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re."):
            left_out |= {id(each) for each in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in left_out:
            yield node.lineno, node.value


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('x = Refused("a", "It is.", "L\'accès est coupé.")', 1),
        ('x = f"{n} ne peut pas l\'être"', 1),
        ('x = ("Contactez l\'" "unité.")', 1),  # the parser joins them
        ('x = "contactez l\'unité"', 1),
        ('x = "l’accès"', 0),
        ("x = \"the person's file, don't\"", 0),
        ('x = re.compile("d\'[a-z]")', 0),
        ('"""L\'accès."""', 0),
    ],
)
def test_what_counts(code: str, found: int) -> None:
    seen = [text for _, text in literals(ast.parse(code)) if ELISION.search(text)]
    assert len(seen) == found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_sentences_in_the_code(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [(line, text) for line, text in literals(tree) if ELISION.search(text)] == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pages_and_policies(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [
        (number, line)
        for number, line in enumerate(lines, start=1)
        if not line.lstrip().startswith("#") and ELISION.search(line)
    ] == []
