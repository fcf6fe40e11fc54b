"""What comes over a socket or from a child: uploads, answers of a process that a file has taken over,
comparisons of two files, and what lies beside an extract. Each ends with an answer or its own refusal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.actions.ports import Arrival, ArrivingFile
from hub.checks import Severity, UnreadableReport, Verdict, dump_report, load_report
from hub.checks.canonical import take_in
from hub.checks.cells import load_checked
from hub.checks.differences_of_files import compare, relate
from hub.checks.engine import run_checks
from hub.checks.extracts import UnreadableExtract
from hub.checks.intake import CONVERTED
from hub.checks.panels import open_panels
from hub.checks.rewriting import dump_canonical, load_canonical
from hub.domain.errors import Refused
from hub.portal.uploads import SubmissionReader
from tests import factories
from tests.attacks.test_checks_fuzz import JSON, archive, workbook
from tests.attacks.test_parsers_fuzz import MANY, SOME, changed
from tests.unit.checks.samples import FULL_FORM, THRESHOLDS, make_frame, notebook, pdf, png


@pytest.fixture(scope="module")
def small_extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("extract")
    make_frame(300).write_parquet(directory / "a.parquet")
    return directory


# Uploads.
HEADS = (
    b'form-data; name="form"',
    b'form-data; name="file"; filename="a.csv"',
    b'form-data; name="file"; filename="b.csv"',
    b'form-data; name="declaration"; filename="a.csv"',
    b'form-data; name="file"; filename="../a.csv"',
    b"form-data; name=\"file\"; filename*=UTF-8''%ff.csv",
    b"form-data",
    b'attachment; name="x"',
    b"\xff",
    b"",
)
FORM = json.dumps(factories.FORM).encode()
BODIES = (
    FORM,
    b"{}",
    b"[[[",
    b'{"what": 3}',
    b"a,n\nx,20\n",
    b"\xff\x00",
    b"",
    b"--x",
    b"--x--",
    b"\r\n--x\r\n",
)


@MANY
@given(
    sections=st.lists(st.tuples(st.sampled_from(HEADS), st.sampled_from(BODIES)), max_size=5),
    begun=st.booleans(),
    cut=st.integers(0, 1_200),
    piece=st.integers(1, 60),
)
def test_uploads_end_with_what_came_or_a_refusal(
    tmp_path: Path, sections: list[tuple[bytes, bytes]], *, begun: bool, cut: int, piece: int
) -> None:
    office, arrival = factories_office(tmp_path), _Arrival()
    if begun:
        sections = [(HEADS[0], FORM), *sections]
    body = b"".join(
        b"--x\r\nContent-Disposition: " + head + b"\r\n\r\n" + content + b"\r\n" for head, content in sections
    )
    body = (body + b"--x--\r\n")[: cut if cut < 1_000 else None]
    reader = SubmissionReader(office, arrival, "multipart/form-data; boundary=x")
    try:
        for at in range(0, len(body), piece):
            reader.feed(body[at : at + piece])
        received = reader.finish()
    except Refused:
        return
    assert received.files
    assert received.form["what"]
    assert all("/" not in name and name.endswith(".csv") for name, _ in received.files)
    assert set(received.declarations) <= {name for name, _ in received.files}


_OFFICES: dict[str, Any] = {}


def factories_office(folder: Path) -> Any:
    """One office for all examples of a test: its rules are what is asked for."""
    if str(folder) not in _OFFICES:
        _OFFICES[str(folder)] = factories.make_office(folder)
    return _OFFICES[str(folder)]


class _File(ArrivingFile):
    size = 0

    def write(self, chunk: bytes) -> None:
        self.size += len(chunk)


class _Arrival(Arrival):
    """Files that are counted and not kept."""

    def open(self, position: int) -> _File:
        assert position >= 0
        return _File()


# What a child answers: one that a file has taken over may say anything.
def answers() -> dict[str, Any]:
    made = take_in(archive(("t.csv", b"a,n\nx,20\n"), ("p.png", png())), "t.zip", THRESHOLDS)
    answer: dict[str, Any] = json.loads(dump_canonical(made))
    return answer


ANSWERS = answers()
ODD = (
    st.none()
    | st.integers(-9, 9)
    | st.text(max_size=4)
    | st.lists(st.none(), max_size=2)
    | st.just({})
    | st.sampled_from(
        ["pdf", "page", "workbook", "t.pdf", "t.csv", "../t.csv", "", "BLOCK", "PASS", "AAAA", "%"]
    )
)


@MANY
@given(changes=st.lists(st.tuples(st.integers(0, 200), ODD), min_size=1, max_size=3))
def test_a_false_rewriting_is_refused_or_of_kinds_that_leave(changes: list[tuple[int, Any]]) -> None:
    try:
        made = load_canonical(json.dumps(changed(ANSWERS, changes)).encode())
    except UnreadableReport:
        return
    assert made.parts or any(one.severity is Severity.BLOCK for one in made.changes)
    assert all(part.kind not in CONVERTED and part.name for part in made.parts)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, small_extract: Path) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("file") / "object"
    file.write_bytes(b"sex,n\nF,3\nM,150\n")
    report = run_checks(file, name="t.csv", form=FULL_FORM, extract=small_extract, thresholds=THRESHOLDS)
    answer: dict[str, Any] = json.loads(dump_report(report))
    return answer


@MANY
@given(changes=st.lists(st.tuples(st.integers(0, 200), ODD), min_size=1, max_size=3))
def test_a_false_report_is_refused_or_whole(told: dict[str, Any], changes: list[tuple[int, Any]]) -> None:
    text = json.dumps(changed(told, changes))
    for load in (load_report, lambda one: load_checked(one.encode())):
        try:
            report = load(text)
        except UnreadableReport:
            continue
        assert report.verdict in Verdict
        blocked = any(one.severity is Severity.BLOCK for one in report.findings)
        assert not (blocked and report.verdict is Verdict.PASS)


# Two files beside each other.
FILES: list[tuple[str, bytes]] = [
    ("t.csv", b"a,n\nx,20\ny,30\n"),
    ("t.txt", b"a text\n"),
    ("t.ipynb", notebook().encode()),
    ("t.png", png()),
    ("t.json", b'{"a": [1, 2]}'),
    ("t.xlsx", workbook()),
    ("t.pdf", pdf("Table")),
    ("t.tex", b"a & 3 \\\\\n"),
]
SIDE = st.tuples(st.sampled_from(FILES), st.integers(0, 300), st.binary(max_size=3))


@MANY
@given(older=SIDE, newer=SIDE)
def test_any_two_files_are_compared(tmp_path: Path, older: Any, newer: Any) -> None:
    names, paths = [], []
    for at, ((name, good), place, instead) in enumerate((older, newer)):
        paths.append(tmp_path / f"object{at}")
        paths[-1].write_bytes(good[: place % len(good)] + instead + good[place % len(good) + 1 :])
        names.append(name)
    found = compare(paths[0], names[0], paths[1], names[1], THRESHOLDS)
    assert json.loads(json.dumps(found, allow_nan=False))["kind"] in (
        "same",
        "table",
        "text",
        "image",
        "other",
    )
    shares = relate(paths[1], names[1], [(paths[0], names[0])], THRESHOLDS)
    assert all(0 <= share <= 1 for one in shares for share in one.values())


# What lies beside an extract that `vitrine check` is shown.
@SOME
@given(manifest=JSON | st.binary(max_size=50), codebook=JSON | st.binary(max_size=50))
def test_an_extract_with_anything_beside_it_opens_or_is_unreadable(
    tmp_path: Path, manifest: Any, codebook: Any
) -> None:
    pl.DataFrame({"pid": [1, 2], "wage": [3.0, None]}).write_parquet(tmp_path / "a.parquet")
    for name, content in (("manifest.json", manifest), ("codebook.json", codebook)):
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        (tmp_path / name).write_bytes(raw)
    try:
        _, panels = open_panels(tmp_path, {})
    except UnreadableExtract:
        return
    assert len(panels) == 1
