"""`vitrine source add`: what is registered becomes a public page, and none of its data do."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.actions.ports import Office
from hub.commands.demo import publish_dictionary
from hub.commands.records import register_source
from hub.domain.errors import PermissionDenied, Refused
from tests import factories


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    made = factories.make_office(tmp_path)
    factories.fill(made)
    monkeypatch.setenv("VITRINE_DATA", str(tmp_path))
    (tmp_path / "register.yaml").write_text(factories.DICTIONARY, encoding="utf-8")
    (tmp_path / "rows.csv").write_text(factories.ROWS, encoding="utf-8")
    return made


def add(office: Office, folder: Path, who: str = "bob") -> None:
    register_source(
        office,
        file=folder / "rows.csv",
        dictionary=folder / "register.yaml",
        by=factories.actor(who),
        now=factories.NOW,
    )


def published(folder: Path) -> Path:
    return folder / "catalogue" / "register" / "dictionary.json"


def test_without_permission_nothing_is_published(office: Office, tmp_path: Path) -> None:
    with pytest.raises(PermissionDenied):
        add(office, tmp_path, "ana")
    assert not published(tmp_path).exists()


def test_a_source_that_differs_is_not_published(office: Office, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(factories.ROWS.replace(",2,", ",3,"), encoding="utf-8")
    with pytest.raises(Refused) as refused:
        add(office, tmp_path)
    assert refused.value.code == "source_differs"
    assert not published(tmp_path).exists()


def test_the_published_file_has_no_row_of_the_data(office: Office, tmp_path: Path) -> None:
    add(office, tmp_path)
    written = published(tmp_path).read_text(encoding="utf-8")
    _, *rows = factories.ROWS.splitlines()
    for row in rows:
        number, employer, wage, _, born = row.split(",")
        for value in (number, employer, wage, born):
            assert not value or value not in written
    assert sorted(path.name for path in (tmp_path / "catalogue").rglob("*")) == [
        "dictionary.json",
        "register",
    ]


def test_registering_again_publishes_again(office: Office, tmp_path: Path) -> None:
    add(office, tmp_path)
    first = published(tmp_path).read_bytes()
    published(tmp_path).unlink()
    published(tmp_path).parent.rmdir()
    add(office, tmp_path)
    assert published(tmp_path).read_bytes() == first


def test_a_source_registered_before_there_were_pages_gets_its_page(office: Office, tmp_path: Path) -> None:
    add(office, tmp_path)
    first = published(tmp_path).read_bytes()
    published(tmp_path).unlink()
    publish_dictionary("register")
    assert published(tmp_path).read_bytes() == first
