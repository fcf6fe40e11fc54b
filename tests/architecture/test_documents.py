"""What the documents promise is there: generated pages, named tests, no words of a machine."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from hub.commands import docs
from tests.conftest import ROOT


@pytest.mark.parametrize("path", docs.pages(ROOT), ids=lambda path: path.name)
def test_generated_pages_are_what_the_code_says(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == docs.pages(ROOT)[path]()


def _test_names() -> set[str]:
    names: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names |= {
            f"{path.relative_to(ROOT).as_posix()}::{node.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
        }
    for path in (ROOT / "extensions").glob("*/src/__tests__/*.ts*"):
        names.add(path.relative_to(ROOT).as_posix())
    return names


def named_tests() -> list[str]:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    return re.findall(r"`((?:tests|extensions)/[^`]+)`", text)


def test_security_names_tests() -> None:
    assert len(named_tests()) >= 20


@pytest.mark.parametrize("name", named_tests() if (ROOT / "docs" / "security.md").exists() else [])
def test_a_test_that_security_names_exists(name: str) -> None:
    assert name in _test_names()


def test_every_dependency_has_its_reason() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").lower()
    for file in ("requirements/hub.in", "requirements/dev.in", "images/desk/requirements.in"):
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
            name = re.split(r"[\[=<>~!; #]", line.strip())[0].lower()
            if name and not name.startswith("-"):
                assert f"`{name}`" in text, f"{name} of {file}: no line in docs/architecture.md §6"


def test_the_project_speaks_of_itself_alone() -> None:
    """No path of a developer's machine in any tracked file."""
    done = subprocess.run(
        [
            "git",
            "-C",
            str(ROOT),
            "grep",
            "-nIE",
            r"(^|[^a-zA-Z_.])/(root|home)/[a-z.]+",
            "--",
            ".",
            ":!*.lock",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in done.stdout.splitlines() if "/home/researcher" not in line] == []
