"""What the form's buttons do: a table mended by the desk's own package `vitrine`, as a new file beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from .app import Places, Refused

REMEDIES = ("suppress", "round", "merge", "drop_extremes")
REFUSED = 3  # of vitrine.bridge: a sentence for the person
SECONDS = 120


class NotMended(Exception):
    """The package refused; the text is its sentence for the person."""


def mend(places: Places, path: str, remedy: str, *, below: int, language: str) -> str:
    """The path, from the home, of the new file that `remedy` makes of `path` (from the home too).

    Refused as for a submission, and `bad_request` for an unknown remedy; NotMended with vitrine's sentence
    where the table has no declaration or the remedy does not apply; Refused `mending_failed` otherwise.
    """
    if remedy not in REMEDIES:
        raise Refused("bad_request", field="remedy")
    (chosen,) = places.choose([path])
    asked = {"call": "mend", "file": str(chosen.path), "remedy": remedy, "below": below}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "vitrine.bridge"],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            cwd=chosen.path.parent,
            env={**os.environ, "VITRINE_LOCALE": language},
            check=False,
        )
        if done.returncode == REFUSED:
            raise NotMended(done.stderr.strip())
        if done.returncode != 0:
            raise Refused("mending_failed", chosen.name)
        name = str(json.loads(done.stdout)["file"])
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError) as error:
        raise Refused("mending_failed", chosen.name) from error
    return str(Path(path).with_name(name))
