"""Checks and rendering in a process of their own, so that a hostile file can only end that process.

What the child has: read access to one file and the extract, a bounded memory, CPU and clock, no inherited
environment, no network, no second process, no file it may change and, on kernels with Landlock, none it may
read beside its own (`hub.checks.isolation`). What it says is read up to a bound and parsed strictly. Any
doubt is a REVIEW; what could not be rewritten does not leave.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import hub
from hub.checks.cells import SETS_BYTES, load_checked
from hub.checks.findings import Finding, Report, Severity, UnreadableReport, Verdict, verdict_of
from hub.checks.intake import EXTENSIONS, MEDIA_TYPES, UNKNOWN_MEDIA_TYPE, extension_of, refusal_of
from hub.checks.rewriting import Canonical, load_canonical
from hub.checks.sentences import finding
from hub.checks.thresholds import Thresholds

if TYPE_CHECKING:
    from hub.checks.indexes import Sealed
    from hub.documents.outputs import Declaration

VIEW_KINDS = frozenset({"table", "text", "image", "raw", "failed", "notebook"})


@dataclass(frozen=True, slots=True)
class Limits:
    """What one child may use. `wall_seconds` is the clock of the parent; then the whole group is killed."""

    memory_bytes: int = 2 * 2**30
    cpu_seconds: int = 20
    wall_seconds: float = 30.0
    open_files: int = 64
    output_bytes: int = 64 * 2**20
    sets_bytes: int = SETS_BYTES  # of sets of persons, which follow the answer


_BYTES_PER_ROW = (
    420  # of the extract: the columns that one table can concern, sorted once, and what is mapped
)
_RESERVED = 3 * 2**29
_LIST_BYTES = 1 << 20  # before the sets: how many and how long
_SECONDS_PER_ROW = 4e-6
# What the sets of a table need whose cells hold each person a dozen times, two bytes each.
_SETS_PER_ROW = 24


def limits_for(rows: int) -> Limits:
    """What a child may use that judges a file by an extract with so many rows in its largest table: at 25
    million 13 GiB of addresses, most of it mapped from files, and 120 seconds of processor time. Libraries
    that read Parquet reserve addresses of their own, which they do not fill."""
    plain = Limits()
    return Limits(
        memory_bytes=plain.memory_bytes + _RESERVED + _BYTES_PER_ROW * rows,
        cpu_seconds=plain.cpu_seconds + round(_SECONDS_PER_ROW * rows),
        wall_seconds=plain.wall_seconds + 2 * _SECONDS_PER_ROW * rows,
        open_files=512,
        sets_bytes=plain.sets_bytes + _SETS_PER_ROW * rows,
    )


class ChildFailed(Exception):
    """The child did not answer as it should. `how`: timeout, killed, exit, too_much, garbage."""

    def __init__(self, how: str, status: int | None = None) -> None:
        super().__init__(how)
        self.how = how
        self.status = status


def check_in_subprocess(  # noqa: PLR0913  # the door: everything a verdict depends on goes through it
    file: Path,
    *,
    name: str,
    form: Mapping[str, str] | None,
    extract: Path | None,
    thresholds: Thresholds,
    units: Mapping[str, str] | None = None,
    declaration: Declaration | None = None,
    limits: Limits | None = None,
    sets: IO[bytes] | None = None,
    index: Sealed | None = None,
    named: bool = True,
) -> Report:
    """`run_checks` in a child. Never raises for what the file does: death, timeout or garbage is a REVIEW
    with the finding `parser_died`. `sets`: the report has its cells, for the ledger, and their sets of
    persons go to this file (`hub.checks.sets`), so that they need no memory here. Blocks up to
    `limits.wall_seconds`; call it off the event loop."""
    limits = limits or Limits()
    request = {
        "action": "check",
        "file": str(file.absolute()),
        "name": name,
        "named": named,
        "form": dict(form) if form is not None else None,
        "extract": str(extract.absolute()) if extract is not None else None,
        "units": dict(units or {}),
        "declaration": declaration.model_dump_json(by_alias=True) if declaration is not None else None,
        "thresholds": thresholds.to_json(),
        "with_cells": sets is not None,
        "sets_bytes": limits.sets_bytes,
        "index": str(index.directory.absolute()) if index is not None else None,
        "seal": index.seal if index is not None else None,
    }
    try:
        return load_checked(run_child(request, limits, into=sets))
    except UnreadableReport:
        return _died(name, ChildFailed("garbage"))
    except ChildFailed as failure:
        return _died(name, failure)


def rewrite_in_subprocess(
    file: Path, *, name: str, thresholds: Thresholds, limits: Limits | None = None
) -> Canonical:
    """The file in the form in which it may leave, rewritten in a child. Never raises for what the file does:
    death, timeout or garbage is no part and the BLOCK `parser_lost`. Blocks up to `limits.wall_seconds`."""
    request = {
        "action": "rewrite",
        "file": str(file.absolute()),
        "name": name,
        "thresholds": thresholds.to_json(),
    }
    try:
        return load_canonical(run_child(request, limits or Limits(output_bytes=8 * thresholds.max_bytes)))
    except UnreadableReport:
        how = "garbage"
    except ChildFailed as failure:
        how = failure.how
    return Canonical((), (finding("parser_lost", Severity.BLOCK, evidence={"how": how}),))


def render_in_subprocess(
    file: Path,
    *,
    name: str,
    thresholds: Thresholds,
    page: int = 0,
    rows_per_page: int = 200,
    limits: Limits | None = None,
) -> dict[str, Any]:
    """`render` in a child, as JSON values (images in base64). A failure is the view `{"kind": "failed"}`."""
    request = {
        "action": "render",
        "file": str(file.absolute()),
        "name": name,
        "page": page,
        "rows_per_page": rows_per_page,
        "thresholds": thresholds.to_json(),
    }
    try:
        return _rendering(run_child(request, limits or Limits()))
    except ChildFailed as failure:
        return {
            "version": 1,
            "name": name,
            "media_type": _media_type(name),
            "page": 0,
            "pages": 1,
            "view": {"kind": "failed", "reason": failure.how},
        }


def _rendering(answer: bytes) -> dict[str, Any]:
    try:
        raw = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise ChildFailed("garbage") from error
    keys = {"version", "name", "media_type", "page", "pages", "view"}
    if not isinstance(raw, dict) or set(raw) != keys or raw["version"] != 1:
        raise ChildFailed("garbage")
    if not isinstance(raw["view"], dict) or raw["view"].get("kind") not in VIEW_KINDS:
        raise ChildFailed("garbage")
    return raw


def refused_report(name: str, sha256: str, size: int, changes: Sequence[Finding]) -> Report:
    """The report on a file of which nothing can leave: `changes` hold the BLOCK that says why."""
    return Report(Verdict.BLOCK, tuple(changes), _media_type(name), sha256, {"bytes": size})


def add_changes(report: Report, doubts: Sequence[Finding]) -> Report:
    """The report on a rewritten file with what rewriting found in the original. A doubt is never a PASS."""
    if not doubts:
        return report
    blocked = any(one.severity is Severity.BLOCK for one in (*doubts, *report.findings))
    verdict = Verdict.BLOCK if blocked else Verdict.REVIEW
    return replace(report, findings=(*doubts, *report.findings), verdict=verdict)


def advice_on(extension: str) -> Mapping[str, str]:
    """Why files with this extension do not leave and what to submit instead, by language."""
    return finding(refusal_of(extension), Severity.BLOCK, extension=extension[:20] or "—").message


def _died(name: str, failure: ChildFailed) -> Report:
    evidence = {"how": failure.how, "status": failure.status}
    findings = (finding("parser_died", Severity.REVIEW, evidence=evidence),)
    return Report(verdict_of(findings), findings, _media_type(name), None, {})


def _media_type(name: str) -> str:
    kind = EXTENSIONS.get(extension_of(name))
    return MEDIA_TYPES[kind] if kind is not None else UNKNOWN_MEDIA_TYPE


def run_child(
    request: Mapping[str, Any],
    limits: Limits,
    *,
    module: str = "hub.checks",
    into: IO[bytes] | None = None,
    reading: IO[bytes] | None = None,
) -> bytes:
    """The child's answer to `request`. Raises `ChildFailed`.

    1. The request goes through a memory file, the limits as an argument: the child applies them before it
    reads anything. 2. It leads its own process group. 3. Reading stops at the bound or the deadline; then
    the group is killed. 4. Only exit status 0 counts.

    `into`: a file for what follows the first line of the answer, at most `limits.sets_bytes` and what its
    list takes; it is written as it comes. `reading`: an open file that the child inherits, as `fd` of the
    request.
    """
    deadline = time.monotonic() + limits.wall_seconds
    package = Path(hub.__file__).resolve().parent.parent
    environment = {
        "PYTHONPATH": str(package),
        "LANG": "C.UTF-8",
        "POLARS_MAX_THREADS": "2",
        "OPENBLAS_NUM_THREADS": "1",  # pieces are small: threads would only wait for each other
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    memory = os.memfd_create("checks-request", os.MFD_CLOEXEC)
    passed = () if reading is None else (reading.fileno(),)
    asked = {**request, "fd": passed[0]} if passed else request
    try:
        with os.fdopen(memory, "r+b", closefd=False) as stream:
            stream.write(json.dumps(asked).encode())
            stream.flush()
            stream.seek(0)
        child = subprocess.Popen(
            [sys.executable, "-s", "-P", "-m", module, json.dumps(asdict(limits))],
            stdin=memory,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
            start_new_session=True,
            close_fds=True,
            pass_fds=passed,
        )
    except OSError as error:
        raise ChildFailed("exit") from error
    finally:
        os.close(memory)
    try:
        answer = _read(child, deadline, limits, into)
        _await_end(child, deadline)
    finally:
        status = _kill(child)
    if status != 0:
        raise ChildFailed("killed" if status < 0 else "exit", status)
    return answer


def _read(child: subprocess.Popen[bytes], deadline: float, limits: Limits, into: IO[bytes] | None) -> bytes:
    assert child.stdout is not None  # noqa: S101  (mypy: a pipe was asked for)
    stream: IO[bytes] = child.stdout
    answer = bytearray()
    left = limits.sets_bytes + _LIST_BYTES
    ended = False  # the first line
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise ChildFailed("timeout")
            piece = os.read(stream.fileno(), 1 << 16)
            if not piece:
                if into is not None:
                    into.flush()  # another child may read it
                return bytes(answer)
            if into is not None and not ended:
                line, mark, piece = piece.partition(b"\n")
                ended = bool(mark)
                answer += line
            elif into is None:
                answer += piece
            if into is not None and ended:
                into.write(piece)
                left -= len(piece)
            if len(answer) > limits.output_bytes or left < 0:
                raise ChildFailed("too_much")


def _await_end(child: subprocess.Popen[bytes], deadline: float) -> None:
    """Wait for the end without collecting the child: until then nobody else can get its group number."""
    while os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        if time.monotonic() > deadline:
            raise ChildFailed("timeout")
        time.sleep(0.002)


def _kill(child: subprocess.Popen[bytes]) -> int:
    """End what is left of the group, collect the child and answer its status."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    if child.stdout is not None:
        child.stdout.close()
    return child.wait()
