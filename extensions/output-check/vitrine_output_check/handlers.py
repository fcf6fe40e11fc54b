"""The thin server part: routes under `vitrine/`, each relayed to the desk's submit.sock.

The browser cannot reach the socket; this process can. Nothing is decided here that the gate does not
decide again. Status and body of the gate's answers pass through unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tornado.ioloop import IOLoop
from tornado.web import RequestHandler, authenticated

from .app import FORM_FIELDS, Places, Refused, choose_language, printable, refusal_of
from .mendings import NotMended, mend
from .submit_client import FileChanged, GateLost, GateUnreachable, Reply, SubmitClient

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

    _Base = RequestHandler
else:
    _Base = object  # jupyter-server's handler is put under the calls by routes()

Rule = tuple[str, type[RequestHandler], dict[str, Any]]


def setup(server_app: ServerApp) -> None:
    """Add the routes to a running server; its `root_dir` is the home files are submitted from."""
    from jupyter_server.base.handlers import APIHandler

    web_app = server_app.web_app
    rules = routes(web_app.settings["base_url"], APIHandler, Places(Path(server_app.root_dir)))
    web_app.add_handlers(".*$", list(rules))


def routes(base_url: str, base: type[RequestHandler], places: Places) -> list[Rule]:
    """The rules, with handlers built on `base`, which brings the server's authentication."""
    prefix = base_url.rstrip("/") + "/vitrine"
    calls: list[tuple[str, type[Relay]]] = [
        (r"/session", SessionCalls),
        (r"/submissions", SubmissionsCalls),
        (r"/submissions/([A-Za-z0-9_-]{1,64})/withdraw", WithdrawalCalls),
        (r"/prechecks", PrecheckCalls),
        (r"/mendings", MendingCalls),
    ]
    return [
        (prefix + path, type(each.__name__, (each, base), {}), {"places": places}) for path, each in calls
    ]


def read_request(body: bytes) -> tuple[list[str], dict[str, Any]]:
    """`paths` and the gate's `form` from a POST's JSON. Refused `bad_request`, naming the field."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused("bad_request") from error
    if not isinstance(given, dict):
        raise Refused("bad_request")
    paths, form = given.get("paths"), given.get("form")
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise Refused("bad_request", field="paths")
    if not isinstance(form, dict):
        raise Refused("bad_request", field="form")
    for key, value in form.items():
        wanted: tuple[type, ...] = (str, type(None)) if key == "supersedes" else (str,)
        if key not in {*FORM_FIELDS, "supersedes"} or not isinstance(value, wanted):
            raise Refused("bad_request", field=f"form.{key}")
    texts = {field: form.get(field, "") for field in FORM_FIELDS}
    return paths, {**texts, "supersedes": form.get("supersedes")}


def read_mending(body: bytes) -> tuple[str, str, int]:
    """`path`, `remedy`, `below` (10 unless told) of a POST's JSON. Refused `bad_request` names the field."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused("bad_request") from error
    if not isinstance(given, dict):
        raise Refused("bad_request")
    path, remedy, below = given.get("path"), given.get("remedy"), given.get("below", 10)
    for field, fits in (
        ("path", isinstance(path, str)),
        ("remedy", isinstance(remedy, str)),
        ("below", type(below) is int and 1 <= below <= 1000),
    ):
        if not fits:
            raise Refused("bad_request", field=field)
    return path, remedy, below


class Relay(_Base):
    """Runs one call in a thread and writes what came back."""

    def initialize(self, places: Places) -> None:
        """Take the rule's argument: where this desk's files are."""
        self.places = places

    async def relay(self, call: Callable[[SubmitClient], Reply]) -> None:
        """Answer with the gate's answer, or with the reason why there is none."""
        client = SubmitClient(self.request.headers.get("Accept-Language", "fr"))
        try:
            reply = await IOLoop.current().run_in_executor(None, call, client)
        except (GateUnreachable, GateLost, FileChanged) as error:
            self.refuse(refusal_of(error))
        else:
            self.answer(reply.status, reply.body)

    def refuse(self, refusal: Refused) -> None:
        """Answer with a refusal, in the reader's language."""
        language = choose_language(self.request.headers.get("Accept-Language", "fr"))
        self.answer(refusal.status, json.dumps(refusal.body(language), ensure_ascii=False).encode())

    def answer(self, status: int, body: bytes) -> None:
        """Write a status and its JSON."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(body)


class SessionCalls(Relay):
    """`vitrine/session`"""

    @authenticated
    async def get(self) -> None:
        """This desk's project, person, end and limits."""
        await self.relay(SubmitClient.session)


class SubmissionsCalls(Relay):
    """`vitrine/submissions`"""

    @authenticated
    async def get(self) -> None:
        """The researcher's submissions."""
        await self.relay(SubmitClient.submissions)

    @authenticated
    async def post(self) -> None:
        """Submit the files named by `paths`, with the `form`."""
        try:
            paths, form = read_request(self.request.body)
            files = self.places.choose(paths)
        except Refused as refusal:
            self.refuse(refusal)
        else:
            await self.relay(lambda client: client.submit(form, files))


class WithdrawalCalls(Relay):
    """`vitrine/submissions/<id>/withdraw`"""

    @authenticated
    async def post(self, submission: str) -> None:
        """Take a submission back."""
        await self.relay(lambda client: client.withdraw(submission))


class PrecheckCalls(Relay):
    """`vitrine/prechecks`"""

    @authenticated
    async def post(self) -> None:
        """Have the files named by `paths` looked over; the `form` may still be empty."""
        try:
            paths, form = read_request(self.request.body)
            files = self.places.choose(paths)
        except Refused as refusal:
            self.refuse(refusal)
        else:
            await self.relay(lambda client: client.precheck(form, files))


class MendingCalls(Relay):
    """`vitrine/mendings`: nothing of it leaves the desk."""

    @authenticated
    async def post(self) -> None:
        """Mend the table at `path` by `remedy`; answers the new file's path."""
        language = choose_language(self.request.headers.get("Accept-Language", "fr"))
        try:
            path, remedy, below = read_mending(self.request.body)
            work = IOLoop.current().run_in_executor(
                None, lambda: mend(self.places, path, remedy, below=below, language=language)
            )
            body = {"path": await work}
        except Refused as refusal:
            self.refuse(refusal)
        except NotMended as refusal:
            error = {"code": "not_mended", "message": printable(str(refusal)), "field": "path"}
            self.answer(422, json.dumps({"error": error}, ensure_ascii=False).encode())
        else:
            self.answer(201, json.dumps(body, ensure_ascii=False).encode())
