"""The vault: nothing half-stored, and nothing handed out that is not what was frozen."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from hub.adapters.vaults import FileVault
from hub.domain.errors import NotFound


@pytest.fixture
def vault(tmp_path: Path) -> FileVault:
    made = FileVault(tmp_path)
    made.clear_staging()
    return made


@pytest.mark.parametrize(
    "name", ["", "../../etc/passwd", "A" * 64, "g" * 64, "a" * 63, "a" * 65, "a" * 63 + "/"]
)
def test_a_name_that_is_no_hash_is_nothing(vault: FileVault, name: str) -> None:
    with pytest.raises(NotFound):
        vault.read(name)


def test_what_is_not_frozen_leaves_nothing(vault: FileVault, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), vault.receive() as arrival:  # noqa: PT012  # the block is the arrival
        arrival.open(0).write(b"half")
        raise RuntimeError("cut")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_same_bytes_are_stored_once(vault: FileVault, tmp_path: Path) -> None:
    for _ in range(2):
        with vault.receive() as arrival:
            file = arrival.open(0)
            file.write(b"abc")
            file.write(b"def")
            sha256 = arrival.freeze(file)
    assert sha256 == hashlib.sha256(b"abcdef").hexdigest()
    assert vault.read(sha256) == b"abcdef"
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1
    assert vault.path(sha256).stat().st_mode & 0o777 == 0o440


def test_killed_while_receiving_leaves_only_staging_which_the_next_start_clears(
    vault: FileVault, tmp_path: Path
) -> None:
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from hub.adapters.vaults import FileVault\n"
        "with FileVault(Path(sys.argv[1])).receive() as arrival:\n"
        "    file = arrival.open(0)\n"
        "    file.write(b'x' * 100000)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert done.returncode == -9
    assert list((tmp_path / "objects").iterdir()) == []
    assert len(list((tmp_path / "staging").iterdir())) == 1
    vault.clear_staging()
    assert list((tmp_path / "staging").iterdir()) == []
