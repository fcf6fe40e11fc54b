"""People, projects, sources and the audit log, from the server's command line."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from hub import extraction
from hub.actions import audits, extracts, people, projects
from hub.actions.ports import Office
from hub.bootstrap import audit_key, build_catalogue, build_units
from hub.commands import context
from hub.documents import parse, read
from hub.documents.classes import load_schemes
from hub.documents.dictionaries import Dictionary
from hub.documents.projects import ProjectDocument
from hub.domain.errors import Refused
from hub.domain.lifecycle import PersonState
from hub.domain.permissions import OFFICE, Actor, Permission, Role, require
from hub.domain.records import Source

As = Annotated[str | None, typer.Option("--as", help=context.AS_HELP)]

person = typer.Typer(help="People of the office and of the projects.", no_args_is_help=True)
project = typer.Typer(help="Projects.", no_args_is_help=True)
source = typer.Typer(help="Registered sources.", no_args_is_help=True)
audit = typer.Typer(help="The audit log.", no_args_is_help=True)


def parse_role(word: str) -> Role:
    """The role of this name; Refused `unknown_role` otherwise."""
    try:
        return Role(word)
    except ValueError:
        known = ", ".join(role.value for role in Role)
        raise Refused(
            "unknown_role",
            f"unknown role '{word}': {known}",
            f"rôle inconnu « {word} » : {known}",
            field="role",
        ) from None


@person.command("add")
def add_person(
    username: str,
    name: Annotated[str, typer.Option()],
    email: Annotated[str, typer.Option()],
    role: Annotated[list[str], typer.Option(help="researcher, admin, checker or auditor; may be repeated.")],
    by: As = None,
) -> None:
    """Add a person with their roles."""
    with context.sentences():
        office = context.office()
        roles = frozenset(parse_role(word) for word in role)
        people.add_person(
            office,
            username=username,
            name=name,
            email=email,
            roles=roles,
            by=context.actor(office, by),
            now=context.now(),
        )
        context.say(f"{username}: {', '.join(sorted(roles))}")


def _set_state(username: str, state: PersonState, by: str | None) -> None:
    with context.sentences():
        office = context.office()
        people.set_person_state(
            office, username=username, state=state, by=context.actor(office, by), now=context.now()
        )
        context.say(f"{username}: {state.value}")


@person.command("suspend")
def suspend_person(username: str, by: As = None) -> None:
    """Suspend a person: their desks close at once."""
    _set_state(username, PersonState.SUSPENDED, by)


@person.command("readmit")
def readmit_person(username: str, by: As = None) -> None:
    """Lift a person's suspension."""
    _set_state(username, PersonState.ACTIVE, by)


@project.command("create")
def create_project(file: Annotated[str, typer.Argument(help="YAML file, or - ")], by: As = None) -> None:
    """Provision a project from a YAML file: people, extract, tier, start and end."""
    with context.sentences():
        office = context.office()
        text, name = context.document_text(file)
        document = parse(ProjectDocument, text, name=name)
        made = projects.create_project(
            office, new=projects.project_of(document), by=context.actor(office, by), now=context.now()
        )
        context.say(
            f"{made.slug}: {made.state.value}, {made.starts_at:%Y-%m-%d} – {made.ends_at:%Y-%m-%d %H:%M} UTC"
        )


@project.command("list")
def list_projects() -> None:
    """All projects with state, end and extract."""
    with context.sentences(), context.office().units.read() as unit:
        for found in unit.projects.find():
            versions = [f"{e.id} {e.state.value}" for e in unit.extracts.find(project=found.slug)]
            context.say(
                f"{found.slug}\t{found.state.value}\t{found.ends_at:%Y-%m-%d %H:%M}\t{', '.join(versions)}"
            )


@project.command("suspend")
def suspend_project(slug: str, by: As = None) -> None:
    """Suspend a project: its desks close at once."""
    with context.sentences():
        office = context.office()
        projects.suspend_project(office, slug=slug, by=context.actor(office, by), now=context.now())
        context.say(f"{slug}: SUSPENDED")


@project.command("resume")
def resume_project(slug: str, by: As = None) -> None:
    """Lift a project's suspension."""
    with context.sentences():
        office = context.office()
        projects.resume_project(office, slug=slug, by=context.actor(office, by), now=context.now())
        context.say(f"{slug}: ACTIVE")


@project.command("end")
def end_project(slug: str, by: As = None) -> None:
    """End a project now, for good."""
    with context.sentences():
        office = context.office()
        projects.end_project(office, slug=slug, by=context.actor(office, by), now=context.now())
        context.say(f"{slug}: EXPIRED")


def register_source(
    office: Office, *, file: Path, dictionary: Path, by: Actor, now: datetime, replace: bool = False
) -> Source:
    """Check a file against its dictionary, move it into the warehouse, record it, publish the dictionary.

    Again with the same file and dictionary: the dictionary is published again, nothing else changes. With
    `replace` it becomes the new edition of a source that is registered already; a second call finishes what
    was cut after the warehouse had it.
    """
    text, shown = context.document_text(str(dictionary))
    parsed = parse(Dictionary, text, name=shown)
    require(office.rules.roles, by, Permission.SOURCE_REGISTER, OFFICE)
    settings = context.settings()
    record = extraction.register(
        file,
        parsed,
        warehouse=settings.data / "warehouse",
        now=now,
        schemes=load_schemes(settings.policies),
        replace=replace,
    )
    made = Source(
        name=record.name,
        title=parsed.title.fr,
        rows=record.rows,
        columns=len(record.columns),
        sha256=record.file_sha256,
        dictionary_sha256=record.dictionary_sha256,
        registered_at=now,
        registered_by=by.audit_name,
        variables={
            name: {
                "fr": variable.label.fr,
                "en": variable.label.en,
                "deliverable": variable.deliverable,
                "levels": [level.value for level in variable.offered],
            }
            for name, variable in parsed.variables.items()
        },
        open=parsed.access == "open",
    )
    extracts.note_source(office, source=made, by=by, now=now)
    build_catalogue(context.settings()).publish(parsed)
    return made


def _registered(
    file: Path, dictionary: Path, warehouse: Path | None, by: str | None, *, replace: bool
) -> None:
    """Register or replace, with the office or only into `warehouse`, and say what."""
    with context.sentences():
        if warehouse is not None:
            record = extraction.register(
                file,
                dictionary,
                warehouse=warehouse,
                now=context.now(),
                schemes=load_schemes(context.settings().policies),
                replace=replace,
            )
            context.say(f"{record.name}: {record.rows} × {len(record.columns)}, sha256 {record.file_sha256}")
            return
        office = context.office()
        made = register_source(
            office,
            file=file,
            dictionary=dictionary,
            by=context.actor(office, by),
            now=context.now(),
            replace=replace,
        )
        context.say(f"{made.name}: {made.rows} × {made.columns}, sha256 {made.sha256}")


DictionaryFile = Annotated[Path, typer.Option(help="The data dictionary, YAML.")]
OnlyInto = Annotated[Path | None, typer.Option(help="Only into this folder of sources, without the office.")]


@source.command("add")
def add_source(file: Path, dictionary: DictionaryFile, warehouse: OnlyInto = None, by: As = None) -> None:
    """Register a source file (CSV, Parquet, Stata), or a folder of Parquet files, after checking it against
    its dictionary.

    The dictionary becomes a public page of the portal; no data do.
    """
    _registered(file, dictionary, warehouse, by, replace=False)


@source.command("replace")
def replace_source(file: Path, dictionary: DictionaryFile, warehouse: OnlyInto = None, by: As = None) -> None:
    """Give a registered source a new edition: corrected data, more months. Checked as in `add`.

    Until the last step, and after any error, the source is what it was. Extracts that were made stay as they
    are; `extract refresh` makes their next version from the new edition.
    """
    _registered(file, dictionary, warehouse, by, replace=True)


@source.command("check")
def check_source(file: Path, dictionary: DictionaryFile) -> None:
    """Compare a file or folder with its dictionary: a line per difference, with its first row, no value.

    Nothing is registered. Exits with 1 where there is a difference.
    """
    with context.sentences():
        rows, differences = extraction.check_file(file, read(Dictionary, dictionary))
        for difference in differences:
            context.say(f"{difference.message(context.language())} [{difference.code}]")
        if differences:
            raise typer.Exit(1)
        context.say(f"OK: {rows} rows are as the dictionary says")


@audit.command("verify")
def verify_audit() -> None:
    """Verify the chain of the audit log; names the first entry that does not hold and exits with 1."""
    with context.sentences():
        settings = context.settings()
        count, fault = audits.verify_chain(build_units(settings), audit_key(settings))
        if fault is not None:
            context.say(f"BROKEN: {fault.sentence} [{fault.code}]; {count} entries before it hold")
            raise typer.Exit(1)
        context.say(f"OK: {count} entries, none missing, changed or reordered")


@audit.command("show")
def show_audit(
    newest: Annotated[int, typer.Option(help="How many of the newest entries.")] = 50,
) -> None:
    """The newest entries, one JSON object a line."""
    with context.sentences(), context.office().units.read() as unit:
        for entry in unit.events(newest=newest):
            context.say(
                json.dumps(
                    {
                        "seq": entry.seq,
                        "at": entry.at.isoformat(),
                        "actor": entry.actor,
                        "action": entry.action,
                        "object": entry.object,
                        "details": entry.details,
                    },
                    ensure_ascii=False,
                )
            )
