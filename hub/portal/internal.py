"""The gate's door (docs/architecture.md §5): what comes out of a desk's submit.sock ends here.

The session in the address was named by the gate, from the socket; the gate shows its token with each call.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from hub.actions import prechecks, reviews, sessions, submissions
from hub.actions.ports import Arrival, Unit
from hub.checks import check_in_subprocess
from hub.domain.errors import Conflict, PermissionDenied, Refused
from hub.domain.permissions import Actor, Permission, require
from hub.domain.records import Submission, SubmittedFile
from hub.domain.reviews import decided
from hub.portal import languages
from hub.portal.intake import Intake, released_as
from hub.portal.permissions import GATE, Routes
from hub.portal.ports import Portal
from hub.portal.uploads import FORM_BYTES, Received, SubmissionReader

log = logging.getLogger("vitrine.portal")
_BASE = "/internal/sessions/{sid}"
_DRAIN_SECONDS = 20.0
CHECKS_AT_ONCE = 2  # submissions that are checked at the same time; each takes a core
PRECHECKS_AT_ONCE = 1  # of these, at the most so many for files that are not submitted yet
PRECHECKS_OF_A_DESK = 3  # at the same time, waiting ones included
_UNBOUNDED = 2**50  # the reader counts for itself and says what is wrong; the framework would only hang up


def register(routes: Routes) -> None:
    door = _Door(routes.portal)
    routes.add("GET", _BASE, GATE, door.tell_session)
    routes.add("GET", f"{_BASE}/submissions", GATE, door.list_submissions)
    routes.add("POST", f"{_BASE}/submissions", GATE, door.receive, max_body_size=_UNBOUNDED)
    routes.add("POST", f"{_BASE}/prechecks", GATE, door.precheck, max_body_size=_UNBOUNDED)
    routes.add("POST", f"{_BASE}/submissions/{{id}}/withdraw", GATE, door.withdraw)


def submission_json(unit: Unit, submission: Submission, *, by: Actor) -> dict[str, Any]:
    """A submission as its author sees it; comments without names, and only after the round is over."""
    page = reviews.view_submission(unit, submission, by=by)
    votes = page.votes if decided(submission) else ()
    return {
        "id": submission.id,
        "number": submission.number,
        "project": submission.project,
        "what": str(submission.form.get("what", "")),
        "state": submission.state.value,
        "submitted_at": submission.submitted_at.isoformat(),
        "supersedes": submission.supersedes,
        "superseded_by": submission.superseded_by,
        "files": _originals(page.files),
        "comments": [
            {"text": v.comment, "at": v.voted_at.isoformat(), "decision": v.decision.value}
            for v in votes
            if v.comment
        ],
    }


def advice_json(advice: prechecks.Advice, language: str) -> dict[str, Any]:
    """One thing to mend, in the reader's language."""
    french = language == "fr"
    return {
        "rule": advice.rule,
        "message": advice.fr if french else advice.en,
        "remedies": [
            {
                "text": each.fr if french else each.en,
                "python": each.python,
                "r": each.r,
                "act": each.act,
            }
            for each in advice.remedies
        ],
    }


def _originals(files: Sequence[SubmittedFile]) -> list[dict[str, Any]]:
    """The files as they were submitted, once each, with what they become."""
    told: dict[str, dict[str, Any]] = {}
    for file in files:
        one = told.setdefault(
            file.name, {"name": file.name, "size": file.size, "sha256": file.sha256, "released_as": []}
        )
        if file.canonical_sha256 is not None:
            one["released_as"].append(released_as(file))
    return list(told.values())


class _Door:
    """The calls of a desk."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._office = portal.office
        self._checking = CapacityLimiter(CHECKS_AT_ONCE)
        self._asking = CapacityLimiter(PRECHECKS_AT_ONCE)
        self._asked: Counter[str] = Counter()  # session → prechecks under way

    def tell_session(self, sid: str) -> dict[str, Any]:
        """Who and what the desk is, until when, and what may be submitted."""
        now = self._portal.clock()
        session, project, _ = submissions.session_actor(self._office, session_id=sid, now=now)
        with self._office.units.read() as unit:
            person = unit.people.get(session.username)
        rules = self._office.rules.submissions
        return {
            "project": {"slug": project.slug, "title": project.title},
            "person": {"username": session.username, "name": person.name if person else session.username},
            "tier": project.tier,
            "ends_at": min(project.ends_at, session.ends_at).isoformat(),
            "now": now.isoformat(),
            "limits": {
                "max_bytes": rules.max_bytes,
                "max_files": rules.max_files,
                "types": list(rules.types),
            },
            "portal_url": f"{self._portal.prefix}/",
        }

    def list_submissions(self, sid: str) -> dict[str, Any]:
        """The person's submissions of the project, newest first."""
        _, project, by = submissions.session_actor(self._office, session_id=sid, now=self._portal.clock())
        require(self._office.rules.roles, by, Permission.SUBMISSION_CREATE, project.subject)
        with self._office.units.read() as unit:
            mine = unit.submissions.find(project=project.slug, author=by.username)
            return {"submissions": [submission_json(unit, s, by=by) for s in reversed(mine)]}

    def withdraw(self, sid: str, id: str) -> dict[str, Any]:
        """Take a submission of this project back."""
        now = self._portal.clock()
        _, project, by = submissions.session_actor(self._office, session_id=sid, now=now)
        with self._office.units.read() as unit:
            if submissions.get_submission(unit, id).project != project.slug:
                raise PermissionDenied(
                    "not_yours", "This belongs to another project.", "Ceci appartient à un autre projet."
                )
        withdrawn = submissions.withdraw(self._office, submission_id=id, by=by, now=now)
        with self._office.units.read() as unit:
            return submission_json(unit, withdrawn, by=by)

    async def receive(self, sid: str, request: Request) -> Response:
        """1. The desk is open and its person may submit. 2. The body arrives, counted and hashed.
        3. Complete: frozen, rewritten and checked, a few submissions at a time. 4. Stored in one transaction,
        which asks (1) again."""
        await run_in_threadpool(self._require_open, sid)
        with await run_in_threadpool(self._portal.vault.receive) as arrival:
            received = await self._read(request, arrival)
            # Who waits for the checks of others holds no thread: the pages stay quick.
            told = await to_thread.run_sync(self._store, sid, arrival, received, limiter=self._checking)
        return JSONResponse(told, 201)

    async def precheck(self, sid: str, request: Request) -> Response:
        """1. The desk is open and has prechecks left, and not too many under way. 2. The body arrives as for
        a submission. 3. Prechecks wait for each other, so at most one of them stands before a submission.
        4. It is checked without the extract, if (1) still holds. 5. Recorded, which asks (1) again.
        6. Answered; the bytes are gone."""
        language = languages.choose(request)
        await run_in_threadpool(self._require_prechecks, sid)
        with self._under_way(sid), await run_in_threadpool(self._portal.vault.receive) as arrival:
            received = await self._read(request, arrival, draft=True)
            async with self._asking:
                told = await to_thread.run_sync(
                    self._look_over, sid, arrival, received, language, limiter=self._checking
                )
        return JSONResponse(told)

    @contextmanager
    def _under_way(self, sid: str) -> Iterator[None]:
        if self._asked[sid] >= PRECHECKS_OF_A_DESK:
            raise Conflict(
                "too_many_prechecks",
                "Other files of this desk are being looked over. Wait for the answer.",
                "D’autres fichiers de ce bureau sont en cours d’examen. Attendez la réponse.",
                field="files",
            )
        self._asked[sid] += 1
        try:
            yield
        finally:
            self._asked[sid] -= 1
            self._asked += Counter()  # drops what is at nought

    def _require_prechecks(self, sid: str, wanted: int = 1) -> None:
        prechecks.require_allowed(self._office, session_id=sid, wanted=wanted, now=self._portal.clock())

    def _look_over(self, sid: str, arrival: Arrival, received: Received, language: str) -> dict[str, Any]:
        self._require_prechecks(sid, len(received.files))  # what waited may have been overtaken by others
        checked = []
        for name, file in received.files:
            path, sha256 = arrival.settle(file)
            report = check_in_subprocess(
                path, name=name, form=received.form, extract=None, thresholds=self._portal.thresholds
            )
            checked.append(prechecks.CheckedFile(sha256, file.size, report))
        left = prechecks.note(self._office, session_id=sid, files=checked, now=self._portal.clock())
        limit = self._portal.thresholds.min_units
        return {
            "left": left,
            "files": [
                {
                    "name": name,
                    "declared": name in received.declarations,
                    "findings": [
                        advice_json(advice, language)
                        for advice in prechecks.advise(
                            one.report, limit=limit, declaration=received.declarations.get(name)
                        )
                    ],
                }
                for (name, _), one in zip(received.files, checked, strict=True)
            ],
        }

    def _require_open(self, sid: str) -> None:
        _, project, by = submissions.session_actor(self._office, session_id=sid, now=self._portal.clock())
        require(self._office.rules.roles, by, Permission.SUBMISSION_CREATE, project.subject)

    async def _read(self, request: Request, arrival: Arrival, *, draft: bool = False) -> Received:
        async with aclosing(request.stream()) as stream:
            try:
                content_type = request.headers.get("content-type", "")
                reader = SubmissionReader(self._office, arrival, content_type, draft=draft)
                async for chunk in stream:
                    if chunk:
                        await run_in_threadpool(reader.feed, chunk)
                return reader.finish()
            except ClientDisconnect:
                raise Conflict("cut_short", "The upload was cut off.", "L’envoi a été interrompu.") from None
            except Refused:
                await self._drain(stream)
                raise

    async def _drain(self, stream: AsyncIterator[bytes]) -> None:
        """Let the sender finish (within reason), or it never reads why it was refused."""
        left = 2 * self._office.rules.submissions.max_bytes + FORM_BYTES
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                async for chunk in stream:
                    left -= len(chunk)
                    if left < 0:
                        return
        except (ClientDisconnect, TimeoutError):
            return

    def _store(self, sid: str, arrival: Arrival, received: Received) -> dict[str, Any]:
        extract = None
        with self._office.units.read() as unit:
            session = unit.sessions.get(sid)
            if session is not None:
                extract = sessions.sealed_extract(unit, session.project)
        frozen = [(name, file.size, arrival.freeze(file)) for name, file in received.files]
        intake = Intake(self._portal, arrival, received.form, extract, received.declarations)
        staged = [one for original in frozen for one in intake.take(*original)]
        submission = submissions.submit(
            self._office,
            session_id=sid,
            form=received.form,
            supersedes=received.supersedes,
            files=staged,
            now=self._portal.clock(),
        )
        with self._office.units.read() as unit:
            return submission_json(unit, submission, by=Actor(submission.author))
