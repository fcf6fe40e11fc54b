"""The extraction worker: makes planned extracts, one after another, in a process of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from hub import extraction
from hub.actions import extracts
from hub.actions.ports import Office
from hub.documents.classes import ClassSchemes
from hub.documents.policies import AreaLimits
from hub.domain.errors import Refused
from hub.domain.permissions import Actor
from hub.domain.records import Extract, Project
from hub.extraction.maps import read_map
from hub.extraction.registers import write_register

WORKER = Actor("extraction", system=True)
PAUSE = 1.0
log = logging.getLogger("vitrine.extraction")


@dataclass(frozen=True)
class Rooms:
    """Where extraction reads and writes, by which class schemes and limits for undelivered areas;
    `master_key` never leaves this process. `ledger`: where the numbers of units go (registers)."""

    warehouse: Path
    extracts: Path
    master_key: bytes
    schemes: ClassSchemes = field(default_factory=dict)
    areas: AreaLimits | None = None
    maps: Path | None = None
    ledger: Path | None = None


def work(office: Office, rooms: Rooms, *, rounds: int | None = None) -> None:
    """Make every planned extract, then wait for more (or stop after `rounds`)."""
    extracts.resume_interrupted(office, by=WORKER, now=datetime.now(UTC))
    done = 0
    while rounds is None or done < rounds:
        with office.units.read() as unit:
            planned = extracts.next_planned(unit)
        if planned is not None:
            make(office, rooms, planned.id)
        done += 1
        if rounds is None and planned is None:
            time.sleep(PAUSE)


def make(office: Office, rooms: Rooms, extract_id: str) -> None:
    """Make one extract; a refusal is recorded with its sentence, for the admin to read."""
    extract, project = extracts.begin_extract(office, extract_id=extract_id, by=WORKER, now=datetime.now(UTC))
    try:
        manifest = _manifest(office, rooms, extract, project)
        _register(rooms, extract, project)
    except Refused as refused:
        log.error("%s failed: %s", extract_id, refused.code)
        sentence = f"{refused.fr} / {refused.en}"
        extracts.fail_extract(
            office,
            extract_id=extract_id,
            code=refused.code,
            sentence=sentence,
            by=WORKER,
            now=datetime.now(UTC),
        )
        return
    extracts.seal_extract(office, extract_id=extract_id, manifest=manifest, by=WORKER, now=datetime.now(UTC))
    log.info("%s sealed", extract_id)


def _manifest(office: Office, rooms: Rooms, extract: Extract, project: Project) -> Mapping[str, object]:
    """Extract, or take what an earlier run had sealed when it was cut before saying so."""
    into = rooms.extracts / extract.id
    if into.exists():
        return extraction.verify_extract(into).model_dump(mode="json")
    plan = extraction.plan_extract(
        extraction.read_specification(extract.plan, warehouse=rooms.warehouse),
        project=project.slug,
        policy_fingerprint=office.rules.fingerprint,
        warehouse=rooms.warehouse,
        schemes=rooms.schemes,
        areas=rooms.areas,
        tag=project.tag,
    )
    into.parent.mkdir(parents=True, exist_ok=True)
    made = extraction.extract(
        plan,
        warehouse=rooms.warehouse,
        schemes=rooms.schemes,
        areas=rooms.areas,
        master_key=rooms.master_key,
        into=into,
        maps=None if rooms.maps is None else rooms.maps / f"{extract.id}.map",
        now=datetime.now(UTC),
        progress=lambda step, share: office.units.note_progress(
            extract.id, step=step, share=share, now=datetime.now(UTC)
        ),
    )
    return made.model_dump(mode="json")


def _register(rooms: Rooms, extract: Extract, project: Project) -> None:
    """Number the units that the project's map names, for the ledger; after an interruption once more."""
    if rooms.maps is None or rooms.ledger is None:
        return
    path = rooms.maps / f"{extract.id}.map"
    _, units = read_map(path, project=project.slug, master_key=rooms.master_key)
    write_register(units, extract=extract.id, master_key=rooms.master_key, into=rooms.ledger)
