"""Meters: counted before passing, kept over restarts, closed when in doubt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.gate.meters import Meter, MeterBook
from hub.gate.refusals import GateRefused


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"version": 2, "bytes_out": 1}',
        '{"version": 1}',
        '{"version": 1, "bytes_out": -1}',
        '{"version": 1, "bytes_out": true}',
        '{"version": 1, "bytes_out": "1"}',
    ],
)
def test_an_unreadable_file_closes(tmp_path: Path, text: str) -> None:
    file = tmp_path / "s1.json"
    file.write_text(text)
    meter = Meter(file, "s1")
    assert meter.closed(10**9) == "meter_failed"
    with pytest.raises(GateRefused) as caught:
        meter.admit(1, 10**9)
    assert caught.value.code == "meter_failed"
    meter.save(now=True)
    assert file.read_text() == text


def test_a_folder_that_cannot_be_written_closes_until_it_can(tmp_path: Path) -> None:
    meter = Meter(tmp_path / "missing" / "s1.json", "s1")
    meter.admit(5, 100)
    with pytest.raises(GateRefused):
        meter.admit(5, 100)
    (tmp_path / "missing").mkdir()
    meter.save(now=True)
    meter.admit(5, 100)
    assert meter.bytes_out == 10


def test_what_would_exceed_the_limit_does_not_pass(tmp_path: Path) -> None:
    meter = Meter(tmp_path / "s1.json", "s1")
    meter.admit(90, 100)
    with pytest.raises(GateRefused) as caught:
        meter.admit(11, 100)
    assert caught.value.code == "bytes_limit"
    with pytest.raises(GateRefused):
        meter.admit(1, 100)
    assert meter.closed(100) == "bytes_limit"
    assert meter.closed(200) is None


def test_the_count_goes_on(tmp_path: Path) -> None:
    book = MeterBook(tmp_path)
    book.of("s1").admit(60, 100)
    book.of("s1").admit(1, 100)
    book.save(now=True)
    assert json.loads((tmp_path / "s1.json").read_text())["bytes_out"] == 61
    again = MeterBook(tmp_path).of("s1")
    assert again.bytes_out == 61
    with pytest.raises(GateRefused):
        again.admit(40, 100)


def test_written_at_most_once_a_second_and_at_the_close(tmp_path: Path) -> None:
    book = MeterBook(tmp_path)
    for _ in range(50):
        book.of("s1").admit(1, 100)
    assert json.loads((tmp_path / "s1.json").read_text())["bytes_out"] == 1
    book.close("s1")
    assert json.loads((tmp_path / "s1.json").read_text())["bytes_out"] == 50
    assert [path.name for path in tmp_path.iterdir()] == ["s1.json"]
