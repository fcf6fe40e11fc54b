"""`vitrine source add`: what is registered becomes a public page, and none of its data do."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.actions import extracts
from hub.actions.ports import Office
from hub.commands.demo import publish_dictionary
from hub.commands.records import register_source, source
from hub.domain.errors import PermissionDenied, Refused
from hub.extraction import load_source
from tests import factories


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    made = factories.make_office(tmp_path)
    factories.fill(made)
    monkeypatch.setenv("VITRINE_DATA", str(tmp_path))
    (tmp_path / "register.yaml").write_text(factories.DICTIONARY, encoding="utf-8")
    (tmp_path / "rows.csv").write_text(factories.ROWS, encoding="utf-8")
    return made


def add(office: Office, folder: Path, who: str = "bob", *, replace: bool = False) -> None:
    register_source(
        office,
        file=folder / "rows.csv",
        dictionary=folder / "register.yaml",
        by=factories.actor(who),
        now=factories.NOW,
        replace=replace,
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


def corrected(folder: Path) -> None:
    """One wage of the file, and the dictionary's title."""
    (folder / "rows.csv").write_text(factories.ROWS.replace("3123.75", "3124.75"), encoding="utf-8")
    text = factories.DICTIONARY.replace("title: {", "version: second\ntitle: {", 1)
    (folder / "register.yaml").write_text(text, encoding="utf-8")


def actions(office: Office) -> list[str]:
    with office.units.read() as unit:
        return [event.action for event in unit.events(object="source:register")]


def test_without_permission_or_without_saying_so_nothing_is_replaced(office: Office, tmp_path: Path) -> None:
    add(office, tmp_path)
    first = published(tmp_path).read_bytes()
    corrected(tmp_path)
    with pytest.raises(PermissionDenied):
        add(office, tmp_path, "ana", replace=True)
    with pytest.raises(Refused) as refused:
        add(office, tmp_path)
    assert refused.value.code == "source_exists"
    assert (published(tmp_path).read_bytes(), actions(office)) == (first, ["source.registered"])


def test_a_new_edition_is_recorded_with_what_was_before_and_published(office: Office, tmp_path: Path) -> None:
    add(office, tmp_path)
    with office.units.read() as unit:
        first = unit.sources.get("register")
    corrected(tmp_path)
    add(office, tmp_path, replace=True)
    with office.units.read() as unit:
        second = unit.sources.get("register")
        (event,) = [e for e in unit.events(object="source:register") if e.action == "source.replaced"]
    assert first is not None
    assert second is not None
    assert second.sha256 != first.sha256
    assert event.details["before"] == {
        "sha256": first.sha256,
        "dictionary_sha256": first.dictionary_sha256,
        "rows": first.rows,
    }
    assert b"second" in published(tmp_path).read_bytes()


def test_what_was_cut_after_the_warehouse_had_it_is_finished(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(office, tmp_path)
    corrected(tmp_path)
    with monkeypatch.context() as cut:
        cut.setattr(
            extracts, "note_source", lambda *_given, **_named: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        with pytest.raises(KeyboardInterrupt):
            add(office, tmp_path, replace=True)
    add(office, tmp_path, replace=True)
    assert actions(office) == ["source.registered", "source.replaced"]
    assert b"second" in published(tmp_path).read_bytes()


def test_the_command_replaces_in_a_folder_alone(office: Office, tmp_path: Path) -> None:
    given = [str(tmp_path / "rows.csv"), "--dictionary", str(tmp_path / "register.yaml")]
    folder = tmp_path / "sources"
    folder.mkdir()
    run = CliRunner()
    refused = run.invoke(source, ["replace", *given, "--warehouse", str(folder)])
    assert refused.exit_code != 0
    assert run.invoke(source, ["add", *given, "--warehouse", str(folder)]).exit_code == 0
    corrected(tmp_path)
    done = run.invoke(source, ["replace", *given, "--warehouse", str(folder)])
    assert (done.exit_code, len(load_source(folder, "register").earlier or ())) == (0, 1)
    assert actions(office) == []
