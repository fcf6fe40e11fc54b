"""The child of `hub.checks.confinement`: limits first, then one request from stdin, one answer on stdout."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub.checks.indexes import Sealed
    from hub.checks.thresholds import Thresholds
    from hub.documents.outputs import Declaration

from hub.checks.isolation import leave_files, leave_network


def main(argv: list[str]) -> int:
    """Apply the limits in `argv`, answer the request on standard input. Any error ends the process."""
    limits = json.loads(argv[1])
    network = _confine(limits)
    # What a library prints must not mix with the answer.
    answer_to = os.dup(1)
    os.dup2(2, 1)
    request = json.loads(sys.stdin.buffer.read())
    files = leave_files(_paths(request))
    answer = _answer(request, {"network": network, "files": files})
    with os.fdopen(answer_to, "wb") as stream:
        for piece in [answer.encode()] if isinstance(answer, str) else answer:
            stream.write(piece)
    return 0


def _confine(limits: dict[str, Any]) -> str:
    """1. No core that would hold data. 2. No file may grow. 3. Few descriptors. 4. CPU, then memory.
    5. An alarm, should the parent be gone before its own clock ends. 6. No network, no process, no change of
    files: answers how the network was left."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits["open_files"],) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (limits["cpu_seconds"],) * 2)
    resource.setrlimit(resource.RLIMIT_AS, (limits["memory_bytes"],) * 2)
    signal.setitimer(signal.ITIMER_REAL, limits["wall_seconds"] + 2)
    return leave_network()


def _paths(request: dict[str, Any]) -> list[Path]:
    """What the request names: the file, the extract, and whatever else it is about."""
    named = [value for value in request.values() if isinstance(value, str) and value.startswith("/")]
    others = [path for path, _ in request.get("others", ())]
    tables = [table["numbers"] for table in request.get("tables", {}).values()]
    return [Path(path) for path in (*named, *others, *tables)]


def _answer(request: dict[str, Any], confined: dict[str, str]) -> str | Iterable[bytes | memoryview]:
    """Imports come after the limits: the libraries that read hostile bytes are inside them."""
    if request["action"] in ("number", "place", "differ"):
        from hub.checks import placing

        return placing.answer(request)
    from hub.checks.thresholds import Thresholds

    thresholds = Thresholds.from_json(request["thresholds"])
    file = Path(request["file"])
    if request["action"] == "withhold":
        from hub.checks import withholding

        return withholding.answer(file, request["outputs"])
    if request["action"] == "check":
        from hub.checks.cells import dump_checked
        from hub.checks.engine import run_checks

        extract = Path(request["extract"]) if request["extract"] is not None else None
        report = run_checks(
            file,
            name=request["name"],
            form=request["form"],
            extract=extract,
            thresholds=thresholds,
            units=request["units"],
            declaration=_declaration(request["declaration"]),
            with_units=request["with_cells"],
            index=_index(request),
            named=request["named"],
        )
        report = replace(report, summary={**report.summary, **confined})
        return dump_checked(report, with_cells=request["with_cells"], most=request["sets_bytes"])
    if request["action"] == "rewrite":
        from hub.checks.canonical import take_in_file
        from hub.checks.rewriting import dump_canonical

        return dump_canonical(take_in_file(file, request["name"], thresholds))
    if request["action"] == "render":
        from hub.checks.renderings import render

        rendering = render(
            file,
            name=request["name"],
            thresholds=thresholds,
            page=request["page"],
            rows_per_page=request["rows_per_page"],
        )
        return json.dumps(rendering.to_json(), ensure_ascii=True, allow_nan=False)
    if request["action"] == "page":
        from hub.checks.reading import draw

        return json.dumps(draw(file.read_bytes(), request["page"], thresholds.max_pixels), allow_nan=False)
    if request["action"] in ("compare", "relate"):
        return _compare(request, file, thresholds)
    raise ValueError("unknown action")


def _compare(request: dict[str, Any], file: Path, thresholds: Thresholds) -> str:
    from hub.checks.differences_of_files import compare, relate

    told: object
    if request["action"] == "compare":
        older = Path(request["older"])
        told = compare(older, request["older_name"], file, request["name"], thresholds)
    else:
        others = [(Path(path), name) for path, name in request["others"]]
        told = relate(file, request["name"], others, thresholds)
    return json.dumps(told, ensure_ascii=True, allow_nan=False)


def _index(request: dict[str, Any]) -> Sealed | None:
    from hub.checks.indexes import Sealed

    return Sealed(Path(request["index"]), request["seal"]) if request["index"] is not None else None


def _declaration(text: str | None) -> Declaration | None:
    if text is None:
        return None
    from hub.documents.outputs import Declaration

    return Declaration.model_validate_json(text, by_alias=True, by_name=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
