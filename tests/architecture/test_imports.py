"""A room may only look down (docs/architecture.md §3)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

BELOW: dict[str, set[str]] = {
    "domain": set(),
    "documents": {"domain"},
    "extraction": {"domain", "documents"},
    "checks": {"domain", "documents"},
    "actions": {"domain", "documents", "extraction", "checks"},
}
EDGES = {"adapters", "spawner", "gate", "sweeper", "portal"}
for _edge in EDGES:
    BELOW[_edge] = {"domain", "documents", "extraction", "checks", "actions"}
BELOW["adapters"] |= {"settings"}
BELOW["settings"] = {"domain"}
BELOW["signin"] = set()
BELOW["bootstrap"] = {*BELOW, *EDGES}
BELOW["deployment"] = {*BELOW, "bootstrap"}
BELOW["commands"] = {*BELOW, "bootstrap", "deployment"}
BELOW["__main__"] = {"commands"}
STANDARD_ONLY = {"domain"}
ENGINE_ONLY_IN = {"spawner"}


def room(path: Path) -> str:
    part = path.relative_to(ROOT / "hub").parts[0]
    return part.removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            module = node.module or ""
            if module == "hub":
                yield from (f"hub.{alias.name}" for alias in node.names)
            else:
                yield module


FILES = sorted(
    path
    for path in (ROOT / "hub").rglob("*.py")
    if path.parent != ROOT / "hub" or path.name not in ("__init__.py",)
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_only_looks_down(path: Path) -> None:
    own = room(path)
    allowed = BELOW[own] | {own, "__version__", ""}
    for name in imports(path):
        if name == "hub" or name.startswith("hub."):
            target = name.removeprefix("hub").removeprefix(".").split(".")[0]
            assert target in allowed, f"{own} imports {target}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_engine_is_spoken_to_in_one_room(path: Path) -> None:
    if room(path) not in ENGINE_ONLY_IN:
        heads = {name.split(".")[0] for name in imports(path)}
        assert not heads & {"docker", "dockerspawner"}


@pytest.mark.parametrize("path", [p for p in FILES if room(p) in STANDARD_ONLY], ids=lambda path: path.name)
def test_the_domain_needs_the_standard_library_only(path: Path) -> None:
    import sys

    for name in imports(path):
        head = name.split(".")[0]
        assert head == "hub" or head in sys.stdlib_module_names, name


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_stay_small(path: Path) -> None:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert len(lines) <= 400
