"""scripts/prepare_data.py and demo_logins.py: secrets are made once, and each service sees only its own."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

import pytest

Load = Callable[[str], ModuleType]


@pytest.fixture
def prepare(load_script: Load) -> ModuleType:
    return load_script("scripts/prepare_data.py")


@pytest.fixture
def data(prepare: ModuleType, tmp_path: Path, account: Mapping[str, int]) -> Path:
    """A prepared data directory."""
    folder = tmp_path / "var"
    assert prepare.main(as_arguments(folder, account)) == 0
    return folder


def as_arguments(folder: Path, account: Mapping[str, int]) -> list[str]:
    return [str(folder), "--uid", str(account["uid"]), "--owner", str(account["owner"])]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("content", ["", "hunter2", "a" * 63, "A" * 64, "0" * 65])
def test_a_bad_secret_is_refused_and_left_alone(
    prepare: ModuleType,
    data: Path,
    account: Mapping[str, int],
    content: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bad = data / "secrets" / "master.key"
    bad.write_text(content, encoding="ascii")
    assert prepare.main(as_arguments(data, account)) == 1
    assert bad.read_text(encoding="ascii") == content
    said = capsys.readouterr().err
    assert "master.key" in said
    assert not content or content not in said


def test_secrets_are_never_overwritten(prepare: ModuleType, data: Path, account: Mapping[str, int]) -> None:
    before = {
        path.name: path.read_text(encoding="ascii") for path in (data / "secrets").iterdir() if path.is_file()
    }
    assert prepare.main(as_arguments(data, account)) == 0
    after = {
        path.name: path.read_text(encoding="ascii") for path in (data / "secrets").iterdir() if path.is_file()
    }
    assert after == before


def test_secrets_differ_and_hold_32_bytes(prepare: ModuleType, data: Path) -> None:
    values = [(data / "secrets" / name).read_text(encoding="ascii").strip() for name in prepare.READERS]
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in values)
    assert len(set(values)) == len(values)


def test_no_secret_is_readable_by_others(data: Path) -> None:
    for path in [data / "secrets", *(data / "secrets").rglob("*")]:
        assert mode(path) & 0o077 == 0, path


@pytest.mark.parametrize("service", ["db", "gate", "hub", "portal", "proxy", "sweeper"])
def test_a_service_sees_its_secrets_and_no_other(prepare: ModuleType, data: Path, service: str) -> None:
    own = data / "secrets" / "for" / service
    expected = {name for name, readers in prepare.READERS.items() if service in readers}
    assert {path.name for path in own.iterdir()} == expected
    assert expected
    for path in own.iterdir():
        assert path.read_bytes() == (data / "secrets" / path.name).read_bytes()


@pytest.mark.parametrize(
    ("name", "readers"),
    [
        ("master.key", {"sweeper"}),  # makes pseudonyms
        ("hub.cookie", {"hub"}),
        ("db.password", {"db", "hub", "portal", "sweeper"}),  # the gate has no database
    ],
)
def test_who_reads_the_strongest_secrets(prepare: ModuleType, name: str, readers: set[str]) -> None:
    assert set(prepare.READERS[name]) == readers


def test_a_replaced_secret_reaches_its_readers(
    prepare: ModuleType, data: Path, account: Mapping[str, int]
) -> None:
    (data / "secrets" / "proxy.token").write_text("5" * 64, encoding="ascii")
    assert prepare.main(as_arguments(data, account)) == 0
    for service in ("hub", "proxy"):
        assert (data / "secrets" / "for" / service / "proxy.token").read_text(
            encoding="ascii"
        ).strip() == "5" * 64


def test_a_copy_that_is_no_longer_for_a_service_goes(
    prepare: ModuleType, data: Path, account: Mapping[str, int]
) -> None:
    stray = data / "secrets" / "for" / "gate" / "master.key"
    stray.write_text("0" * 64, encoding="ascii")
    assert prepare.main(as_arguments(data, account)) == 0
    assert not stray.exists()


def test_modes_come_back(prepare: ModuleType, data: Path, account: Mapping[str, int]) -> None:
    (data / "vault").chmod(0o777)
    (data / "secrets" / "audit.key").chmod(0o644)
    assert prepare.main(as_arguments(data, account)) == 0
    assert mode(data / "vault") == 0o700
    assert mode(data / "secrets" / "audit.key") == 0o600


def test_a_folder_that_cannot_be_made_is_a_sentence(
    prepare: ModuleType, tmp_path: Path, account: Mapping[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert prepare.main(as_arguments(tmp_path / "file" / "var", account)) == 1
    assert "cannot prepare" in capsys.readouterr().err


def test_demo_logins_are_made_once_and_only_their_hashes_reach_the_hub(
    load_script: Load, data: Path, account: Mapping[str, int]
) -> None:
    logins = load_script("scripts/demo_logins.py")
    made = logins.make_logins(data / "secrets", **account)
    assert set(made) == {"ana", "bob", "chloe", "denis", "eve"}
    readable = data / "secrets" / "demo-logins.txt"
    assert mode(readable) == 0o600
    assert {line.split("\t")[0]: line.split("\t")[1] for line in readable.read_text().splitlines()} == made
    hashes = data / "secrets" / "for" / "hub" / "demo-passwords.json"
    assert mode(hashes) == 0o400
    assert not any(password in hashes.read_text() for password in made.values())
    assert logins.make_logins(data / "secrets", **account) is None


async def sign_in(hashes: Path, username: str, password: str) -> str | None:
    from hub.signin import DemoAuthenticator

    authenticator = DemoAuthenticator(password_file=str(hashes))
    answer = await authenticator.authenticate(None, {"username": username, "password": password})
    return answer if answer is None else str(answer)


def test_a_demo_login_opens_the_hub_and_another_persons_does_not(
    load_script: Load, data: Path, account: Mapping[str, int]
) -> None:
    import asyncio

    made = load_script("scripts/demo_logins.py").make_logins(data / "secrets", **account)
    hashes = data / "secrets" / "for" / "hub" / "demo-passwords.json"
    assert asyncio.run(sign_in(hashes, "ana", made["bob"])) is None
    assert asyncio.run(sign_in(hashes, "mallory", made["ana"])) is None
    assert asyncio.run(sign_in(hashes, "ana", made["ana"])) == "ana"


def test_renewing_the_secrets_keeps_the_demo_logins(
    load_script: Load, prepare: ModuleType, data: Path, account: Mapping[str, int]
) -> None:
    load_script("scripts/demo_logins.py").make_logins(data / "secrets", **account)
    assert prepare.main(as_arguments(data, account)) == 0
    assert (data / "secrets" / "for" / "hub" / "demo-passwords.json").exists()
