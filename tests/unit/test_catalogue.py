"""The public catalogue: names that lead elsewhere, damaged files, and what is never written."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.adapters.catalogue import FileCatalogue
from hub.domain.errors import IntegrityError, NotFound, Refused
from tests import factories


@pytest.fixture
def catalogue(tmp_path: Path) -> FileCatalogue:
    made = FileCatalogue(tmp_path / "catalogue")
    made.publish(factories.dictionary())
    return made


def file_of(folder: Path) -> Path:
    return folder / "catalogue" / "register" / "dictionary.json"


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../catalogue/register",
        "register/",
        "./register",
        "/register",
        "Register",
        "register\n",
        "register\x00",
        "other",
        "é",
        "a" * 300,
    ],
)
def test_a_name_that_is_none_leads_nowhere(catalogue: FileCatalogue, name: str) -> None:
    with pytest.raises(NotFound) as refused:
        catalogue.read(name)
    assert refused.value.code == "unknown_source"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe",
        factories.dictionary().to_json()[:-5],
        factories.dictionary().model_copy(update={"name": "other"}).to_json(),
        factories.dictionary().to_json().replace(b'"licence"', b'"license"'),
    ],
)
def test_a_damaged_file_is_never_shown(catalogue: FileCatalogue, tmp_path: Path, content: bytes) -> None:
    file_of(tmp_path).write_bytes(content)
    with pytest.raises(IntegrityError) as refused:
        catalogue.read("register")
    assert refused.value.code == "dictionary_damaged"
    assert "register" in refused.value.en
    assert str(tmp_path) not in refused.value.en + refused.value.fr


def test_a_folder_in_place_of_the_file_is_refused(catalogue: FileCatalogue, tmp_path: Path) -> None:
    file_of(tmp_path).unlink()
    file_of(tmp_path).mkdir()
    assert catalogue.names() == []
    with pytest.raises(IntegrityError):
        catalogue.read("register")


def test_publishing_where_nothing_can_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "catalogue").write_text("a file")
    with pytest.raises(Refused) as refused:
        FileCatalogue(tmp_path / "catalogue").publish(factories.dictionary())
    assert refused.value.code == "not_published"


def test_a_failed_replacement_leaves_the_old_page_and_no_litter(
    catalogue: FileCatalogue, tmp_path: Path
) -> None:
    target = file_of(tmp_path)
    target.unlink()
    target.mkdir()
    (target / "kept").write_text("")
    with pytest.raises(Refused):
        catalogue.publish(factories.dictionary())
    assert [path.name for path in target.parent.iterdir()] == ["dictionary.json"]


def test_only_what_is_public_is_written(catalogue: FileCatalogue, tmp_path: Path) -> None:
    written = file_of(tmp_path).read_bytes()
    assert written == factories.dictionary().public.to_json()
    for secret in (b"7411", b"9422", b"BE-0417", "Secrète".encode(), b'"rows":3'):
        assert secret not in written
    assert file_of(tmp_path).stat().st_mode & 0o777 == 0o640


def test_a_file_that_says_more_than_is_public_is_answered_without_it(
    catalogue: FileCatalogue, tmp_path: Path
) -> None:
    file_of(tmp_path).write_bytes(factories.dictionary().to_json())
    read = catalogue.read("register")
    assert read == factories.dictionary().public
    assert (read.file.rows, read.variables["employer"].codes) == (None, None)


def test_what_is_published_again_is_read_again(catalogue: FileCatalogue) -> None:
    assert catalogue.read("register").licence == "Restricted"
    catalogue.publish(factories.dictionary().model_copy(update={"licence": "CC-BY-4.0"}))
    assert catalogue.read("register").licence == "CC-BY-4.0"
    assert catalogue.names() == ["register"]


def test_nothing_is_published_before_the_first(tmp_path: Path) -> None:
    assert FileCatalogue(tmp_path / "none").names() == []
