"""The demo: five people, one real source, one project. Run inside the stack by `make demo`."""

from __future__ import annotations

import dataclasses
import time
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from hub import extraction
from hub.actions import people, projects
from hub.actions.extracts import get_extract
from hub.actions.ports import Office
from hub.bootstrap import build_catalogue
from hub.commands import context
from hub.commands.records import register_source
from hub.documents import parse
from hub.documents.projects import ProjectDocument
from hub.domain.errors import Refused
from hub.domain.lifecycle import ExtractState
from hub.domain.permissions import Role

EXAMPLE = Path("/opt/vitrine/examples/cps")

demo = typer.Typer(help="The demo.", no_args_is_help=True)

PEOPLE = (
    ("ana", "Ana Müller", Role.RESEARCHER),
    ("bob", "Bob Weber", Role.ADMIN),
    ("chloe", "Chloé Martin", Role.CHECKER),
    ("denis", "Denis Hoffmann", Role.CHECKER),
    ("eve", "Eve Schmit", Role.AUDITOR),
)


def _add_people(office: Office) -> None:
    """The demo's people who are not there yet."""
    by = context.actor(office, None)
    with office.units.read() as unit:
        known = {person.username for person in unit.people.find()}
    for username, name, role in PEOPLE:
        if username not in known:
            people.add_person(
                office,
                username=username,
                name=name,
                email=f"{username}@example.org",
                roles=frozenset({role}),
                by=by,
                now=context.now(),
            )
            context.say(f"{username}: {role.value}")


def _add_source(office: Office, downloads: Path) -> None:
    """The CPS tax units, unless they are registered; their dictionary is public in any case."""
    with office.units.read() as unit:
        registered = unit.sources.get("cps") is not None
    if registered:
        publish_dictionary("cps")
        return
    source = register_source(
        office,
        file=downloads / "cps.csv.gz",
        dictionary=EXAMPLE / "dictionary.yaml",
        by=context.actor(office, "bob"),
        now=context.now(),
    )
    context.say(f"source {source.name}: {source.rows} × {source.columns}")


def publish_dictionary(source: str) -> None:
    """Make the dictionary of a registered source public, unless it is."""
    settings = context.settings()
    catalogue = build_catalogue(settings)
    if source not in catalogue.names():
        catalogue.publish(extraction.load_dictionary(settings.data / "warehouse", source))


def _add_project(office: Office, days: int) -> None:
    """The demo's project unless it is there; it runs from now for so many days."""
    when = context.now()
    text, name = context.document_text(str(EXAMPLE / "project.yaml"))
    new = projects.project_of(parse(ProjectDocument, text, name=name))
    with office.units.read() as unit:
        if unit.projects.get(new.slug) is not None:
            return
    made = projects.create_project(
        office,
        new=dataclasses.replace(new, starts_at=when, ends_at=when + timedelta(days=days)),
        by=context.actor(office, "bob"),
        now=when,
    )
    context.say(f"project {made.slug}: {made.title}")


def _wait_for_extract(office: Office, extract_id: str) -> None:
    """Show how far the extraction worker is, until the extract is sealed; its refusal ends the command."""
    shown = ""
    while True:
        with office.units.read() as unit:
            extract = get_extract(unit, extract_id)
        line = f"extract {extract_id}: {extract.state.value} {extract.step or ''} {extract.progress:.0%}"
        if line != shown:
            shown = line
            context.say(line)
        if extract.state is ExtractState.SEALED:
            return
        if extract.state is ExtractState.FAILED:
            raise Refused("extract_failed", extract.error or "the extraction failed")
        time.sleep(0.3)


@demo.command("load")
def load(
    downloads: Annotated[Path, typer.Option(help="Folder with cps.csv.gz.")],
    days: Annotated[int, typer.Option(help="Days until the project's end.")] = 90,
) -> None:
    """Load the demo: people, source, project, extract. What is there already stays as it is."""
    with context.sentences():
        office = context.office()
        _add_people(office)
        _add_source(office, downloads)
        _add_project(office, days)
        _wait_for_extract(office, "cps-wages/v1")
