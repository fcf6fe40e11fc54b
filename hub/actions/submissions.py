"""Submissions: from the desk's socket to the vault, and back when returned."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import PurePosixPath

from hub.actions.ledgers import note_sets
from hub.actions.people import actor_for
from hub.actions.ports import Office, Unit
from hub.actions.projects import get_project
from hub.checks import Verdict, advice_on
from hub.domain import lifecycle
from hub.domain.access import require_open
from hub.domain.errors import Conflict, NotFound, PermissionDenied, Refused
from hub.domain.lifecycle import SessionState, SubmissionState
from hub.domain.permissions import Actor, Permission, Subject, require
from hub.domain.records import Project, Session, StagedFile, Submission, SubmittedFile

FORM_FIELDS = ("what", "population", "variables", "counts", "purpose", "note")
MAX_FIELD = 4000
MAX_PARTS = 40  # files of one submission once archives, workbooks and PDFs are taken apart


def subject_of(unit: Unit, submission: Submission) -> Subject:
    """The submission as a subject of permissions: its project's members and its author."""
    project = get_project(unit, submission.project)
    return Subject(submission.id, project.members, submission.author)


def get_submission(unit: Unit, submission_id: str) -> Submission:
    """The submission; raises NotFound `unknown_submission`."""
    submission = unit.submissions.get(submission_id)
    if submission is None:
        raise NotFound("unknown_submission", "There is no such submission.", "Cette soumission n’existe pas.")
    return submission


def gravest_verdict(files: Sequence[StagedFile]) -> Verdict:
    """The worst verdict of the files; a word that is none of the known is a REVIEW."""
    words = {str(file.report.get("verdict")) for file in files}
    if Verdict.BLOCK in words:
        return Verdict.BLOCK
    return Verdict.PASS if words == {Verdict.PASS.value} else Verdict.REVIEW


def session_actor(office: Office, *, session_id: str, now: datetime) -> tuple[Session, Project, Actor]:
    """Who stands behind a desk's socket, if the desk is still open to them; raises the reason otherwise."""
    with office.units.read() as unit:
        session = unit.sessions.get(session_id)
        if session is None or session.state is SessionState.ENDED:
            raise PermissionDenied("stopped", "This desk was closed.", "Ce bureau a été fermé.")
        project = get_project(unit, session.project)
        require_open(unit.people.get(session.username), project, now)
        return session, project, actor_for(unit, session.username)


def parse_form(raw: object, *, draft: bool = False) -> tuple[dict[str, str], str | None]:
    """The form's fields (all strings, stripped) and the id of the submission it supersedes.

    Raises Refused `bad_form` naming the field: unknown field, wrong type, too long; `missing` for an empty
    `what`, which a draft may have.
    """
    if not isinstance(raw, Mapping):
        raise Refused("bad_form", "The form is missing.", "Le formulaire manque.", field="form")
    for name in raw:
        if name not in (*FORM_FIELDS, "supersedes"):
            raise Refused(
                "bad_form", "Unknown field in the form.", "Champ inconnu dans le formulaire.", field="form"
            )
    form: dict[str, str] = {}
    for name in FORM_FIELDS:
        value = raw.get(name) or ""
        if not isinstance(value, str) or len(value) > MAX_FIELD:
            raise Refused(
                "bad_form",
                f"This field is text of at most {MAX_FIELD} characters.",
                f"Ce champ est un texte d’au plus {MAX_FIELD} caractères.",
                field=name,
            )
        form[name] = value.strip()
    if not form["what"] and not draft:
        raise Refused("missing", "Say what it is.", "Dites de quoi il s’agit.", field="what")
    supersedes = raw.get("supersedes") or None
    if supersedes is not None and not isinstance(supersedes, str):
        raise Refused("bad_form", "Unknown submission.", "Soumission inconnue.", field="supersedes")
    return form, supersedes


def check_file_name(office: Office, name: str) -> str:
    """The name if it is a plain, listed one; raises Refused `bad_name` or `unlisted_type`."""
    if (
        not name
        or len(name) > 200
        or name.startswith(".")
        or name != name.strip()
        or any(c in '/\\:*?"<>|' or ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in _INVISIBLE for c in name)
    ):
        raise Refused(
            "bad_name",
            "A file name is a plain name without folders or special characters.",
            "Un nom de fichier est un nom simple, sans dossier ni caractère spécial.",
            field="files",
        )
    ending = PurePosixPath(name).suffix.lower()
    if ending not in office.rules.submissions.types:
        listed = ", ".join(office.rules.submissions.types)
        advice = advice_on(ending)
        raise Refused(
            "unlisted_type",
            f"Files of type '{ending or 'none'}' cannot be submitted; these can: {listed}. {advice['en']}",
            f"Les fichiers de type « {ending or 'sans extension'} » ne peuvent être soumis ; "
            f"types admis : {listed}. {advice['fr']}",
            field="files",
        )
    return name


_INVISIBLE = (
    "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)


def _supersede(unit: Unit, older_id: str, by: Actor, project: str) -> Submission:
    older = get_submission(unit, older_id)
    if older.author != by.username or older.project != project:
        raise NotFound(
            "unknown_submission",
            "There is no such submission.",
            "Cette soumission n’existe pas.",
            field="supersedes",
        )
    if older.state is not SubmissionState.RETURNED or older.superseded_by is not None:
        raise Conflict(
            "not_returned",
            "Only a returned submission can be submitted again, and only once.",
            "Seule une soumission renvoyée peut être soumise à nouveau, et une seule fois.",
            field="supersedes",
        )
    return older


def _refuse_repeat(unit: Unit, by: Actor, project: str, files: Sequence[StagedFile]) -> None:
    """The same bytes under the same names, still waiting: the answer to a retry after a lost reply."""
    wanted = {(f.name, f.sha256) for f in files}
    for waiting in unit.submissions.find(author=by.username, project=project):
        if waiting.state in (SubmissionState.SUBMITTED, SubmissionState.UNDER_REVIEW):
            have = {(f.name, f.sha256) for f in unit.files.find(submission=waiting.id)}
            if have == wanted:
                raise Conflict(
                    "already_submitted",
                    f"These files are already waiting as submission {waiting.number}.",
                    f"Ces fichiers attendent déjà sous le numéro {waiting.number}.",
                    field="files",
                )


def submit(
    office: Office,
    *,
    session_id: str,
    form: Mapping[str, str],
    supersedes: str | None,
    files: Sequence[StagedFile],
    now: datetime,
) -> Submission:
    """Store a submission whose bytes are frozen in the vault already.

    Raises PermissionDenied if the desk is closed, Refused for no or too many files, Conflict
    `already_submitted` or `not_returned`. The caller must have checked names and sizes on arrival.
    """
    session, project, by = session_actor(office, session_id=session_id, now=now)
    require(office.rules.roles, by, Permission.SUBMISSION_CREATE, project.subject)
    if not 0 < len({file.name for file in files}) <= office.rules.submissions.max_files:
        raise Refused(
            "file_count", "Submit at least one file.", "Soumettez au moins un fichier.", field="files"
        )
    if len(files) > MAX_PARTS:
        raise Refused(
            "too_many_parts",
            f"The sheets, pages and archives of this submission make {len(files)} files; {MAX_PARTS} can be "
            "checked at once. Submit them in several submissions.",
            f"Les feuilles, pages et archives de cette soumission donnent {len(files)} fichiers ; "
            f"{MAX_PARTS} peuvent être contrôlés à la fois. Répartissez-les en plusieurs soumissions.",
            field="files",
        )
    with office.units.write() as unit:
        _refuse_repeat(unit, by, project.slug, files)
        older = _supersede(unit, supersedes, by, project.slug) if supersedes else None
        number = max((s.number for s in unit.submissions.find()), default=0) + 1
        submission = Submission(
            id="o" + os.urandom(10).hex(),
            number=number,
            project=project.slug,
            author=by.username,
            session=session.id,
            state=SubmissionState.SUBMITTED,
            form=dict(form),
            submitted_at=now,
            supersedes=older.id if older else None,
            verdict=gravest_verdict(files).value,
        )
        unit.submissions.add(submission)
        if older:
            unit.submissions.save(dataclasses.replace(older, superseded_by=submission.id))
        for position, file in enumerate(files):
            unit.files.add(
                SubmittedFile(
                    f"{submission.id}/{position}",
                    submission.id,
                    position,
                    file.name,
                    file.size,
                    file.sha256,
                    file.media_type,
                    file.report,
                    file.canonical_name,
                    file.canonical_size,
                    file.canonical_sha256,
                    file.changes,
                )
            )
            shown = file.canonical_name or file.name
            note_sets(unit, submission, position=position, name=shown, sets=file.sets)
        unit.record(
            by=by,
            action="submission.submitted",
            object=f"submission:{submission.id}",
            now=now,
            details={
                "number": number,
                "project": project.slug,
                "session": session.id,
                "files": [
                    {"sha256": f.sha256, "size": f.size, "canonical": f.canonical_sha256} for f in files
                ],
                "policies": office.rules.fingerprint,
            },
        )
    return submission


def withdraw(office: Office, *, submission_id: str, by: Actor, now: datetime) -> Submission:
    """Take one's own submission back before it is decided."""
    with office.units.write() as unit:
        submission = get_submission(unit, submission_id)
        require(office.rules.roles, by, Permission.SUBMISSION_WITHDRAW, subject_of(unit, submission))
        state = lifecycle.move(lifecycle.SUBMISSION, submission.state, SubmissionState.WITHDRAWN)
        withdrawn = dataclasses.replace(submission, state=state, decided_at=now)
        unit.submissions.save(withdrawn)
        unit.record(by=by, action="submission.withdrawn", object=f"submission:{submission_id}", now=now)
    return withdrawn
