#!/usr/bin/env python3
"""Make the data directory: folders with their owners, and the secrets. Run as root by `make demo`, `make up`.

Folders (docs/architecture.md §2) belong to uid 990, which every service but the hub runs as. Secrets are
made once in `secrets/`, mode 0600, of the person who runs the set-up, and never overwritten. Each service
sees only its own folder `secrets/for/<service>/` (0700, files 0400, uid 990), which holds copies of the ones
it needs. The copies are compared and renewed at every run: replacing a file in `secrets/` and running again
changes it everywhere.

Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import sys
from pathlib import Path

SERVICES_UID = 990
MARKER = ".vitrine-data"
MARKER_TEXT = "This folder belongs to Vitrine. `make clean-demo` removes its data only where this file is.\n"

FOLDERS: dict[str, int] = {
    "audit": 0o700,
    "catalogue": 0o700,
    "maps": 0o700,
    "db": 0o700,
    "documents": 0o700,
    "documents/objects": 0o700,
    "documents/staging": 0o700,
    "extracts": 0o755,  # below it, a desk (uid 1000) reads the one extract that is mounted into it
    "homes": 0o755,
    "hub": 0o700,
    "indexes": 0o700,
    "ledger": 0o700,
    "ledger/cells": 0o700,
    "ledger/units": 0o700,
    "meters": 0o700,
    "run": 0o755,
    "sessions": 0o700,
    "shared": 0o755,
    "vault": 0o700,
    "vault/objects": 0o700,
    "vault/staging": 0o700,
    "warehouse": 0o700,
}

READERS: dict[str, tuple[str, ...]] = {
    "audit.key": ("hub", "portal", "sweeper"),
    "db.password": ("db", "hub", "portal", "sweeper"),
    "gate.token": ("gate", "portal"),
    "hub.cookie": ("hub",),
    "master.key": ("sweeper",),
    "portal.token": ("hub", "portal"),
    "proxy.token": ("hub", "proxy"),
    "release.key": ("portal",),
    "sweeper.token": ("hub", "sweeper"),
}
"""Which service reads which secret. Each is 32 random bytes in hexadecimal."""

SERVICES = sorted({service for readers in READERS.values() for service in readers})
SECRET = re.compile(r"[0-9a-f]{64}")


class BadSecret(Exception):
    """A secret file that is there and is not 64 hexadecimal digits."""


def write_secret(path: Path, value: str, mode: int, uid: int | None = None) -> None:
    """Write `path` aside and rename it. It is never readable by others, not even while it is written."""
    aside = path.with_name(f".{path.name}.new")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(value + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    aside.chmod(mode)
    if uid is not None:
        os.chown(aside, uid, uid)
    aside.replace(path)


def own_secret(path: Path) -> tuple[str, bool]:
    """The value of a secret and whether it was made now. Raises BadSecret rather than replace a bad one."""
    if not path.exists():
        write_secret(path, secrets.token_hex(32), 0o600)
        return path.read_text(encoding="ascii").strip(), True
    path.chmod(0o600)
    value = path.read_text(encoding="ascii", errors="replace").strip()
    if not SECRET.fullmatch(value):
        raise BadSecret(f"{path} is not 64 hexadecimal digits. Restore it, or remove it to get a new one.")
    return value, False


def prepare_folders(data: Path, uid: int) -> None:
    """The folders of `FOLDERS`, owned by `uid`; existing ones get their mode back, their content is left."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    data.chmod(0o700)
    marker = data / MARKER
    if not marker.exists():
        marker.write_text(MARKER_TEXT, encoding="ascii")
    for name, mode in FOLDERS.items():
        folder = data / name
        folder.mkdir(exist_ok=True)
        folder.chmod(mode)
        os.chown(folder, uid, uid)


def prepare_secrets(folder: Path, uid: int, owner: int) -> list[str]:
    """Make what is missing, hand out the copies, and answer the names of the secrets made now."""
    folder.mkdir(exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    os.chown(folder, owner, -1)
    copies = folder / "for"
    copies.mkdir(exist_ok=True, mode=0o700)
    os.chown(copies, owner, -1)
    for service in SERVICES:
        own = copies / service
        own.mkdir(exist_ok=True, mode=0o700)
        own.chmod(0o700)
        os.chown(own, uid, uid)
        for left in own.iterdir():
            # demo_logins.py keeps the hashes of the demo's passwords here.
            if service not in READERS.get(left.name, ()) and not left.name.startswith("demo-"):
                left.unlink()
    made = []
    for name, readers in READERS.items():
        value, is_new = own_secret(folder / name)
        os.chown(folder / name, owner, -1)
        if is_new:
            made.append(name)
        for service in readers:
            copy = copies / service / name
            if not copy.exists() or copy.read_text(encoding="ascii", errors="replace").strip() != value:
                write_secret(copy, value, 0o400, uid)
            copy.chmod(0o400)
            os.chown(copy, uid, uid)
    return made


def main(arguments: list[str]) -> int:
    """Exit 0 when everything is in place, 1 with a sentence when it cannot be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="the data directory, made if missing")
    parser.add_argument("--uid", type=int, default=SERVICES_UID, help="who the services run as")
    parser.add_argument("--owner", type=int, default=os.getuid(), help="who keeps the originals")
    options = parser.parse_args(arguments)
    try:
        prepare_folders(options.data, options.uid)
        os.chown(options.data, options.owner, -1)
        made = prepare_secrets(options.data / "secrets", options.uid, options.owner)
    except BadSecret as error:
        print(f"vitrine: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"vitrine: cannot prepare {options.data}: {error}", file=sys.stderr)
        return 1
    if made:
        print(f"Made {len(made)} secrets in {options.data / 'secrets'}: {', '.join(made)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
