"""The project's own files: locks that install anywhere, scripts that parse, words of make that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from .machines import BASH, ROOT, Machine

LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
PIN = re.compile(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)((?: ; .+?)?) \\$", re.MULTILINE)


def pins(lock: Path) -> dict[tuple[str, str], str]:
    """(name, marker) → version."""
    return {
        (name, marker): version for name, version, marker in PIN.findall(lock.read_text(encoding="utf-8"))
    }


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_names_no_place_and_every_pin_has_a_hash(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    assert " @ " not in text
    assert not re.search(r"^\s*--(index-url|extra-index-url|find-links|trusted-host)", text, re.MULTILINE)
    blocks = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert len(pins(lock)) == len(blocks) > 20
    assert all("--hash=sha256:" in block for block in blocks)


def test_what_is_tested_is_what_is_installed() -> None:
    services, tests = (pins(ROOT / "requirements" / name) for name in ("hub.lock", "dev.lock"))
    assert services
    assert {pin: tests.get(pin) for pin in services} == services


@pytest.mark.parametrize("name", ["hub", "dev"])
def test_every_wish_is_locked(name: str) -> None:
    wishes = (ROOT / "requirements" / f"{name}.in").read_text(encoding="utf-8").splitlines()
    names = {re.split(r"[\[=<># ]", line)[0].lower() for line in wishes if line and line[0].isalpha()}
    assert names
    assert names <= {pin[0] for pin in pins(ROOT / "requirements" / f"{name}.lock")}


def test_the_proxy_lock_names_no_registry() -> None:
    lock = (ROOT / "images" / "hub" / "proxy" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert lock.count('"integrity"') > 20


SHELL = sorted([*(ROOT / "scripts").glob("*.sh"), ROOT / ".ci" / "run", ROOT / "images" / "db" / "entry"])


@pytest.mark.parametrize("script", SHELL, ids=lambda path: path.name)
def test_a_shell_script_parses_and_can_be_run(script: Path) -> None:
    parsed = subprocess.run([BASH, "-n", str(script)], capture_output=True, text=True, check=False)
    assert parsed.returncode == 0, parsed.stderr
    if script.name != "lib.sh":
        assert script.stat().st_mode & 0o111 == 0o111


@pytest.mark.parametrize(
    ("word", "does"),
    [
        ("setup", "scripts/setup.sh"),
        ("demo", "scripts/demo.sh"),
        ("down", "scripts/stack.sh down"),
        ("clean-demo", "scripts/stack.sh remove-data"),
        ("up", "scripts/stack.sh up"),
        ("check", "scripts/check.sh"),
        ("test", "scripts/test.sh"),
        ("journey", "scripts/test.sh -m journey"),
        ("bench-desk-open", "scripts/bench.sh desk-open"),
        ("lock", "scripts/lock.sh"),
    ],
)
def test_the_words_of_make(word: str, does: str) -> None:
    make = shutil.which("make")
    assert make
    said = subprocess.run([make, "-C", str(ROOT), "-n", word], capture_output=True, text=True, check=True)
    assert does in said.stdout


def test_an_unknown_benchmark_is_a_sentence(machine: Machine) -> None:
    ran = machine.run(ROOT / "scripts" / "bench.sh", "no-such")
    assert ran.status == 1
    assert "no benchmark 'no-such'" in ran.output


def test_a_wrong_word_for_the_stack_is_a_sentence(machine: Machine) -> None:
    ran = machine.run(ROOT / "scripts" / "stack.sh", "explode")
    assert ran.status == 1
    assert "up | down | remove-data | wait" in ran.output


def test_data_is_removed_only_where_the_set_up_left_its_mark(machine: Machine) -> None:
    var = machine.folder / "var"
    (var / "precious").mkdir(parents=True)
    ran = machine.run(ROOT / "scripts" / "stack.sh", "remove-data")
    assert "nothing to remove" in ran.output
    assert (var / "precious").exists()


def test_removing_data_says_what_and_keeps_downloads_and_logs(machine: Machine) -> None:
    machine.command("sudo", 'exec "$@"')
    var = machine.folder / "var"
    for name in ("vault", "secrets", "downloads", "log"):
        (var / name).mkdir(parents=True)
    (var / ".vitrine-data").touch()
    ran = machine.run(ROOT / "scripts" / "stack.sh", "remove-data")
    assert ran.status == 0, ran.output
    assert "secrets vault" in ran.output
    assert sorted(path.name for path in var.iterdir()) == ["downloads", "log"]


@pytest.mark.parametrize(("age", "status"), [(0, 0), (100, 1), (None, 1)])
def test_a_beat_is_healthy_while_it_is_fresh(
    load_script: Callable[[str], ModuleType], tmp_path: Path, age: int | None, status: int
) -> None:
    import os
    import time

    beat = tmp_path / "beat"
    if age is not None:
        beat.touch()
        os.utime(beat, (time.time() - age, time.time() - age))
    assert load_script("images/hub/healthy.py").main(["--fresh", str(beat), "30"]) == status


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["--fresh", "a"]])
def test_a_health_check_with_wrong_arguments_is_not_healthy(
    load_script: Callable[[str], ModuleType], arguments: list[str]
) -> None:
    assert load_script("images/hub/healthy.py").main(arguments) == 64
