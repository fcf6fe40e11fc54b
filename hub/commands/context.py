"""What every command shares: settings, the actor, and refusals as sentences."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import typer

from hub.actions.people import actor_for
from hub.actions.ports import Office
from hub.bootstrap import build_office
from hub.documents import base
from hub.domain.errors import Refused
from hub.domain.permissions import Actor
from hub.settings import Settings, load_settings

AS_HELP = "Act as this person of the office, with their permissions; without it, as the server's operator."


def language() -> str:
    """The operator's language, from VITRINE_LOCALE or LANG."""
    return os.environ.get("VITRINE_LOCALE") or os.environ.get("LANG") or "en"


@contextmanager
def sentences() -> Iterator[None]:
    """Turn a refusal into one sentence on standard error and exit code 2."""
    try:
        yield
    except Refused as refused:
        typer.echo(f"vitrine: {refused.message(language())} [{refused.code}]", err=True)
        raise typer.Exit(2) from None


def settings() -> Settings:
    """The settings of this process."""
    return load_settings(os.environ)


def office(hub_token: str | None = None) -> Office:
    """The office of this process."""
    return build_office(settings(), hub_token=hub_token)


def actor(house: Office, username: str | None) -> Actor:
    """Who acts: a person of the office, or the operator of the server (audited as `system:cli-…`)."""
    if username is None:
        return Actor(f"cli-{getpass.getuser()}", system=True)
    with house.units.read() as unit:
        return actor_for(unit, username)


def now() -> datetime:
    """This moment, aware UTC."""
    return datetime.now(UTC)


def document_text(file: str) -> tuple[str, str]:
    """Text and shown name of a document: a path, or `-` for standard input (VITRINE_STDIN_NAME names it)."""
    if file == "-":
        return sys.stdin.read(), os.environ.get("VITRINE_STDIN_NAME") or "standard input"
    path = Path(file)
    return base.read_text(path, name=path.name), path.name


def say(sentence: str) -> None:
    """A line for the operator."""
    typer.echo(sentence)
