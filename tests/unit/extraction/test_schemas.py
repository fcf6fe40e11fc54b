"""`vitrine source check` by pandera and registration by its own pass find the same in broken files."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from hub.__main__ import app
from hub.documents import parse
from hub.documents.dictionaries import Dictionary
from hub.extraction import check_file, register
from hub.extraction.conformity import row_differences
from hub.extraction.files import open_file
from hub.extraction.registrations import SourceDiffers
from hub.extraction.schemas import schema_row_differences
from tests.unit.extraction import registers
from tests.unit.extraction.conftest import DICTIONARY, NOW, ROWS

TOY = parse(Dictionary, DICTIONARY, name="toy.yaml")
WRONG = ["", "x", "-1", "1e400", "3.5", "2024", "1990-13-01", "true", " 1", "9" * 20, "NaN"]


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        (0, "x", "wrong_type"),
        (1, "2024", "outside_domain"),
        (1, "", "missing_value"),
        (3, "3", "outside_domain"),
        (4, "-1", "outside_domain"),
        (4, "inf", "wrong_type"),
        (5, "1990-02-30", "wrong_type"),
        (6, "yes", "wrong_type"),
    ],
)
def test_the_first_row_of_a_difference_is_named(tmp_path: Path, column: int, value: str, code: str) -> None:
    lines = [line.split(",") for line in ROWS]
    for row in (3, 5):
        lines[row][column] = value
    path = tmp_path / "toy.csv"
    path.write_text("\n".join(",".join(line) for line in lines) + "\n", encoding="utf-8")
    _, (difference,) = check_file(path, TOY)
    assert (difference.code, difference.column, difference.row) == (code, ROWS[0].split(",")[column], 3)
    assert value not in difference.en.split() or not value
    if code == "wrong_type":  # in words of each language
        assert difference.en.split()[-1] in ("integer", "float", "date", "boolean")
        assert difference.fr.split()[-1] in ("entier", "décimal", "date", "non")
    with pytest.raises(SourceDiffers) as refused:
        register(path, TOY, warehouse=tmp_path / "w", now=NOW)
    assert refused.value.differences == (difference,)


@given(st.integers(0, 2**32))
def test_both_find_the_same_in_any_broken_file(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # data, not secrets
    lines = [line.split(",") for line in ROWS] + [ROWS[1].split(",") for _ in range(3)]
    for _ in range(chance.randint(1, 6)):
        lines[chance.randint(1, len(lines) - 1)][chance.randint(0, 6)] = chance.choice(WRONG)
    path = tmp_path_factory.mktemp("broken") / "toy.csv"
    path.write_text("\n".join(",".join(line) for line in lines) + "\n", encoding="utf-8")
    with open_file(path, "csv").table(path.parent) as table:
        assert schema_row_differences(table, TOY) == row_differences(table, TOY)


def test_a_good_file_and_a_good_folder_have_no_difference(csv: Path, tmp_path: Path) -> None:
    assert check_file(csv, TOY) == (5, [])
    folder = tmp_path / "persons"
    folder.mkdir()
    for number, part in enumerate(registers.persons().iter_slices(500)):
        part.write_parquet(folder / f"{number}.parquet")
    persons = parse(Dictionary, registers.PERSONS, name="p.yaml")
    assert check_file(folder, persons) == (1200, [])
    registers.persons()[-1:].write_parquet(folder / "9.parquet")
    _, (difference,) = check_file(folder, persons)
    assert (difference.code, difference.file, difference.row) == ("duplicate_key", "9.parquet", 1)


def test_the_command_says_what_differs_and_never_a_value(csv: Path, tmp_path: Path) -> None:
    (tmp_path / "toy.yaml").write_text(DICTIONARY, encoding="utf-8")
    arguments = ["source", "check", str(csv), "--dictionary", str(tmp_path / "toy.yaml")]
    good = CliRunner().invoke(app, arguments)
    assert (good.exit_code, good.stdout.strip()) == (0, "OK: 5 rows are as the dictionary says")
    csv.write_text(csv.read_text().replace("31.25", "-77.125").replace("9,2025", "9,1066"))
    bad = CliRunner().invoke(app, arguments, env={"VITRINE_LOCALE": "en"})
    assert bad.exit_code == 1
    assert bad.stdout.splitlines() == [
        "column year, row 3, is outside the value domain [outside_domain]",
        "column wage, row 5, is outside the value domain [outside_domain]",
    ]
    assert "77" not in bad.output
    assert "1066" not in bad.output


def test_a_source_is_added_to_a_folder_without_an_office(csv: Path, tmp_path: Path) -> None:
    (tmp_path / "toy.yaml").write_text(DICTIONARY, encoding="utf-8")
    options = ["--dictionary", str(tmp_path / "toy.yaml"), "--warehouse", str(tmp_path / "w")]
    added = CliRunner().invoke(app, ["source", "add", str(csv), *options])
    assert added.exit_code == 0, added.output
    assert (tmp_path / "w" / "toy" / "source.json").is_file()
