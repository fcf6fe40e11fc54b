#!/usr/bin/env python3
"""Passwords for the people of the demo, made once: printed, and kept in `secrets/demo-logins.txt` (0600).

The hub gets only their scrypt hashes (`secrets/for/hub/demo-passwords.json`). Run with the project's Python.
Does nothing when the hashes are there, even if the readable file has been removed.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
from pathlib import Path

import prepare_data

PEOPLE: dict[str, str] = {
    "ana": "researcher",
    "bob": "admin",
    "chloe": "checker",
    "denis": "checker",
    "eve": "auditor",
}
"""Who signs in to the demo, and the role `vitrine demo load` gives them."""

HASHES = "demo-passwords.json"
LOGINS = "demo-logins.txt"


def make_logins(folder: Path, uid: int, owner: int) -> dict[str, str] | None:
    """Make the passwords and answer them; None when they were made before. `folder` is `secrets/`."""
    target = folder / "for" / "hub" / HASHES
    if target.exists():
        return None
    from hub.signin import hash_password

    passwords = {username: secrets.token_urlsafe(12) for username in PEOPLE}
    lines = [f"{username}\t{passwords[username]}\t{role}" for username, role in PEOPLE.items()]
    prepare_data.write_secret(folder / LOGINS, "\n".join(lines), 0o600)
    os.chown(folder / LOGINS, owner, -1)
    hashes = {username: hash_password(password) for username, password in passwords.items()}
    # Last: until it is there, the next run starts again.
    prepare_data.write_secret(target, json.dumps(hashes, indent=1), 0o400, uid)
    return passwords


def main(arguments: list[str]) -> int:
    """Exit 0; prints the logins only in the run that makes them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="the data directory, prepared by prepare_data.py")
    parser.add_argument("--uid", type=int, default=prepare_data.SERVICES_UID, help="who the services run as")
    parser.add_argument("--owner", type=int, default=os.getuid(), help="who keeps the readable file")
    options = parser.parse_args(arguments)
    made = make_logins(options.data / "secrets", options.uid, options.owner)
    for username, password in (made or {}).items():
        print(f"  {username:<8} {password}   {PEOPLE[username]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
