"""A table mended from its declaration: refusals first, then a new file that is as its declaration says."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import vitrine
from vitrine import bridge
from vitrine.mendings import REMEDIES, mend, written

from tests.unit.desk.test_tables import declared, printed

BANDS = [15, 25, 35, 45, 55, 80]


def names() -> set[str]:
    return {path.name for path in Path.cwd().iterdir()}


@pytest.fixture
def table() -> str:
    """Counts and extremes by band of age and region; one region is small."""
    measures = [
        {"stat": "count", "column": "n"},
        {"stat": "mean", "of": "wage"},
        {"stat": "max", "of": "wage"},
    ]
    vitrine.table("people", ["age", "region"], measures=measures, breaks={"age": BANDS}, file="t.csv")
    return "t.csv"


@pytest.mark.parametrize("remedy", REMEDIES)
def test_without_a_declaration_nothing_is_mended(table: str, remedy: str) -> None:
    Path("t.csv.spec.json").unlink()
    with pytest.raises(vitrine.BadArgument) as refusal:
        mend(table, remedy)
    assert refusal.value.name == "file"
    assert names() == {"t.csv"}


@pytest.mark.parametrize(
    "content",
    ["", "{", "[" * 90_000, "[]", '{"output": {"kind": "regression"}}', '{"output": 3}', "x" * 70_000],
)
def test_what_is_no_declaration_of_it_is_refused(table: str, content: str) -> None:
    Path("t.csv.spec.json").write_text(content, encoding="utf-8")
    with pytest.raises(vitrine.BadArgument):
        mend(table, "suppress")
    assert names() == {"t.csv", "t.csv.spec.json"}


@pytest.mark.parametrize(
    ("remedy", "name"),
    [("merge", "breaks"), ("drop_extremes", "table"), ("round", "table"), ("delete", "remedy")],
)
def test_a_remedy_that_does_not_apply_leaves_nothing(remedy: str, name: str) -> None:
    vitrine.table("people", "region", "mean", "wage", file="t.csv")
    with pytest.raises(vitrine.BadArgument) as refusal:
        mend("t.csv", remedy)
    assert refusal.value.name == name
    assert names() == {"t.csv", "t.csv.spec.json"}


def test_each_remedy_writes_a_new_declared_file_and_leaves_the_old(table: str) -> None:
    before = {path.name: path.read_bytes() for path in Path.cwd().iterdir()}
    made = {remedy: mend(table, remedy).file for remedy in REMEDIES}
    assert [Path(file).name for file in made.values()] == [
        "t-suppressed.csv", "t-rounded.csv", "t-wider.csv", "t-no-extremes.csv",
    ]  # fmt: skip
    assert {name: Path(name).read_bytes() for name in before} == before
    outputs = {remedy: declared(file).output.model_dump(mode="json") for remedy, file in made.items()}
    assert "" in set(printed(made["suppress"])["n"])
    assert all(int(n) % 5 == 0 for n in printed(made["round"])["n"])
    assert outputs["round"]["rounding"] == 5
    assert outputs["merge"]["by"][0]["breaks"] == [15, 35, 55, 80]
    assert "max_wage" not in printed(made["drop_extremes"]).columns
    again = mend(table, "round")
    assert Path(again.file).name == "t-rounded-2.csv"


def test_what_was_hidden_stays_hidden(table: str) -> None:
    hidden = mend(table, "suppress").file
    shown = printed(mend(hidden, "drop_extremes").file)
    assert list(shown["n"] == "") == list(printed(hidden)["n"] == "")


def test_a_table_is_taken_up_again_and_mended_by_hand(table: str) -> None:
    taken = written(table, into="again.csv")
    pd.testing.assert_frame_equal(printed("again.csv"), printed(table))
    assert vitrine.drop_extremes(taken).file.endswith("again.csv")
    with pytest.raises(vitrine.BadArgument):
        written(table, into="again.csv")


def test_the_bridge_answers_with_the_new_name_or_a_sentence(
    table: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def call(**asked: Any) -> int:
        text = io.TextIOWrapper(io.BytesIO(json.dumps({"call": "mend", **asked}).encode()))
        monkeypatch.setattr(sys, "stdin", text)
        return bridge.main()

    assert call(file=str(Path(table).resolve()), remedy="suppress", below=10) == 0
    assert json.loads(capsys.readouterr().out) == {"file": "t-suppressed.csv"}
    assert call(file="absent.csv", remedy="suppress") == bridge.REFUSED
    assert "declaration" in capsys.readouterr().err
