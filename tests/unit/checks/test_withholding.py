"""A rewritten notebook without some of its outputs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from hub.checks import Severity
from hub.checks.withholding import SENTENCE, CannotWithhold, withhold, withhold_in_subprocess
from tests.unit.checks.samples import THRESHOLDS


def printed(text: str) -> dict[str, object]:
    return {"output_type": "display_data", "data": {"text/plain": text}, "metadata": {}}


def notebook(*outputs: dict[str, object]) -> str:
    code = {"cell_type": "code", "id": "c1", "metadata": {}, "source": "show()", "execution_count": None}
    cells = [
        {"cell_type": "markdown", "id": "c0", "metadata": {}, "source": "# Été"},
        {**code, "outputs": list(outputs)},
    ]
    made = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


THREE = notebook(printed("n = 12"), printed("secret é"), printed("n = 13"))


def test_a_sentence_stands_where_the_output_was_and_all_else_is_as_it_was() -> None:
    made = withhold(THREE, [(1, 1)])
    assert made.data.decode() == notebook(printed("n = 12"), printed(SENTENCE), printed("n = 13"))
    text = json.dumps(printed("secret é"), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert made.outputs == (((1, 1), hashlib.sha256(text.encode()).hexdigest()),)
    (told,) = made.changes("a" * 64)
    assert (told.rule, told.severity, told.place.cell, told.place.output) == (
        "output_withheld",
        Severity.NOTE,
        1,
        1,
    )
    assert told.evidence == {"sha256": made.outputs[0][1], "reviewed": "a" * 64}


def test_none_leaves_a_notebook_as_it_was() -> None:
    assert withhold(THREE, []).data.decode() == THREE


@pytest.mark.parametrize("named", [[(1, 3)], [(0, 0)], [(2, 0)], [(1, -1)], [(-1, 1)], [(1, 0), (7, 0)]])
def test_outputs_that_are_not_there_are_refused(named: list[tuple[int, int]]) -> None:
    with pytest.raises(CannotWithhold) as refused:
        withhold(THREE, named)
    assert refused.value.unknown


@pytest.mark.parametrize("text", ["{", "[]", '{"cells": 3}', '{"cells": [{"outputs": {"0": 1}}]}'])
def test_what_is_no_notebook_has_no_output(text: str) -> None:
    with pytest.raises(CannotWithhold):
        withhold(text, [(0, 0)])


def test_it_is_done_in_a_confined_child(tmp_path: Path) -> None:
    file = tmp_path / "a.ipynb"
    file.write_text(THREE, encoding="utf-8")
    assert withhold_in_subprocess(file, [(1, 2), (1, 0)], THRESHOLDS) == withhold(THREE, [(1, 0), (1, 2)])
    with pytest.raises(CannotWithhold) as refused:
        withhold_in_subprocess(file, [(1, 9)], THRESHOLDS)
    assert refused.value.unknown
    with pytest.raises(CannotWithhold) as failed:
        withhold_in_subprocess(tmp_path / "none.ipynb", [(1, 0)], THRESHOLDS)
    assert not failed.value.unknown
