"""DeskSpawner: what JupyterHub calls to open, watch and close a desk.

The Hub only ever gets the gate's address: nothing of the desk is reachable but through it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Protocol, TypeVar

import requests.exceptions
from docker.errors import APIError, DockerException
from dockerspawner import DockerSpawner
from tornado import web

from hub.actions import sessions
from hub.actions.people import actor_for
from hub.actions.ports import Office
from hub.actions.sessions import Grant
from hub.domain.access import Closed
from hub.domain.errors import Refused
from hub.domain.permissions import Actor
from hub.spawner import sockets
from hub.spawner.container import ContainerSpec, Layout, differences, spec

T = TypeVar("T")

SPAWNER = Actor("spawner", system=True)
HUB_VARIABLES = (
    "JUPYTERHUB_API_TOKEN",
    "JUPYTERHUB_CLIENT_ID",
    "JUPYTERHUB_OAUTH_ACCESS_SCOPES",
    "JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES",
    "JUPYTERHUB_OAUTH_CALLBACK_URL",
    "JUPYTERHUB_OAUTH_SCOPES",
    "JUPYTERHUB_SERVICE_PREFIX",
    "JUPYTERHUB_BASE_URL",
    "JUPYTERHUB_HOST",
    "JUPYTERHUB_USER",
    "JUPYTERHUB_SERVER_NAME",
)


class OpenSessions(Protocol):
    """Session files as the spawner needs them."""

    def open(self, session: str, content: dict[str, object], ends_at: datetime) -> None: ...

    def forget(self, session: str) -> None: ...


@dataclass(frozen=True)
class DeskHouse:
    """What the spawner works with; set once by the deployment."""

    office: Office
    session_files: OpenSessions
    data: Path
    host_data: PurePosixPath
    image: str
    locale: str
    gate_url: str
    researcher_uid: int


def _engine_gone() -> web.HTTPError:
    return web.HTTPError(
        503,
        "Le moteur des bureaux ne répond pas ; l’administration est prévenue. / "
        "The desk engine does not answer; the administrators have been told.",
    )


class DeskSpawner(DockerSpawner):
    """One container per researcher × project; the server's name is the project."""

    house: ClassVar[DeskHouse]

    session_id: str = ""
    last_grant: Grant | None = None

    def _act(self, action: Callable[..., T], **arguments: Any) -> asyncio.Future[T]:
        """Run an action in a thread: it may wait for the database."""
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(
            None, lambda: action(self.house.office, now=datetime.now(UTC), **arguments)
        )

    def _actor(self) -> Actor:
        with self.house.office.units.read() as unit:
            return actor_for(unit, self.user.name)

    async def refuse_unless_allowed(self) -> None:
        """Answer 403 with the reason before anything is made; the grant asks again."""
        try:
            await self._act(sessions.check_desk, slug=self.name, by=self._actor())
        except Refused as refused:
            raise web.HTTPError(403, f"{refused.fr} / {refused.en}", reason=refused.code) from refused

    async def start(self) -> str:
        """Grant, create, inspect, compare, start, wait until JupyterLab answers; return the gate's address.

        1. The grant: who, which project, until when, checked now. 2. Directories and the session file,
        so that the gate knows the desk before it runs. 3. Create. 4. Inspect and compare; any
        difference destroys the container and is audited. 5. Start. 6. Wait. 7. Note it in the audit log.
        """
        try:
            grant = await self._act(sessions.grant_session, slug=self.name, by=self._actor())  # (1)
        except Refused as refused:
            raise web.HTTPError(403, f"{refused.fr} / {refused.en}", reason=refused.code) from refused
        self.session_id, self.last_grant = grant.session.id, grant
        try:
            return await self._open(grant)
        except (DockerException, requests.exceptions.RequestException, OSError, TimeoutError) as error:
            self.log.error("desk %s could not be opened: %s", grant.session.id, type(error).__name__)
            await self._give_up(grant, error)
            raise _engine_gone() from error

    async def _open(self, grant: Grant) -> str:
        await asyncio.to_thread(self._prepare, grant)  # (2)
        wanted = spec(grant, Layout(self.house.host_data, self.house.image, self.house.locale))
        await self._create_equal(grant, wanted)  # (3) (4)
        await self.docker("start", self.container_id)  # (5)
        await self._wait_until_answering(grant)  # (6)
        await self._act(  # (7)
            sessions.start_session, session_id=grant.session.id, container=self.container_id[:12], by=SPAWNER
        )
        return self.house.gate_url + self.server.base_url if self.server else self.house.gate_url

    def _prepare(self, grant: Grant) -> None:
        house, username, slug = self.house, grant.person.username, grant.project.slug
        home = house.data / "homes" / username / slug
        shared = house.data / "shared" / slug
        for folder in (home, shared):
            folder.mkdir(parents=True, exist_ok=True)
            os.chown(folder, house.researcher_uid, house.researcher_uid)
        environment = self.get_env()
        content: dict[str, object] = {
            "username": username,
            "person": grant.person.name,
            "project": slug,
            "title": grant.project.title,
            "tier": grant.tier.name,
            "prefix": f"/user/{username}/{slug}/",
            "bytes_out_limit": grant.tier.bytes_out_limit,
            "hub_env": {name: environment[name] for name in HUB_VARIABLES if name in environment},
        }
        house.session_files.open(grant.session.id, content, grant.session.ends_at)

    async def _create_equal(self, grant: Grant, wanted: ContainerSpec) -> None:
        if await self._named(wanted.name) is not None:
            await self.docker("remove_container", wanted.name, force=True)
        host_config = self.client.create_host_config(**wanted.host_arguments())
        made = await self.docker("create_container", host_config=host_config, **wanted.create_arguments())
        self.object_id = made["Id"]
        found = differences(wanted, await self.docker("inspect_container", self.object_id))
        if found:
            await self.docker("remove_container", self.object_id, force=True)
            self.object_id = ""
            await self._act(
                sessions.refuse_container, session_id=grant.session.id, differences=found, by=SPAWNER
            )
            self.log.error("desk %s was not made as granted: %s", grant.session.id, ", ".join(found))
            raise _engine_gone()

    async def _named(self, name: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = await self.docker("inspect_container", name)
        except APIError as error:
            if error.response is not None and error.response.status_code == 404:
                return None
            raise
        return found

    async def _wait_until_answering(self, grant: Grant) -> None:
        path = self.house.data / "run" / grant.session.id / "lab.sock"
        base_url = f"/user/{grant.person.username}/{grant.project.slug}/"
        end = time.monotonic() + self.start_timeout - 5
        checks = 0
        while not await asyncio.to_thread(sockets.answers, path, base_url):
            checks += 1
            if time.monotonic() > end:
                raise TimeoutError("JupyterLab did not answer")
            if checks % 40 == 0 and await self.poll() is not None:
                raise TimeoutError("the desk ended while it started")
            await asyncio.sleep(0.025)

    async def _give_up(self, grant: Grant, error: Exception) -> None:
        """Leave nothing behind of a desk that could not be opened; the admin sees the cause."""
        try:
            if self.object_id:
                await self.docker("remove_container", self.object_id, force=True)
        except (DockerException, requests.exceptions.RequestException):
            self.log.warning("desk %s: its container could not be removed now", grant.session.id)
        self.object_id = ""
        await self._act(
            sessions.end_session,
            session_id=grant.session.id,
            reason=Closed.START_FAILED.value,
            by=SPAWNER,
            details={"cause": type(error).__name__, "message": _public_cause(error)},
        )

    async def poll(self) -> int | str | None:
        """None while the container runs. An engine that does not answer says nothing about the desk."""
        if not self.object_id:
            return 0
        try:
            made = await self._named(self.object_id)
        except (DockerException, requests.exceptions.RequestException):
            self.log.warning("the engine does not answer; desk %s is taken as it was", self.session_id)
            return None
        if made is None:
            return 0
        if made["State"]["Running"]:
            return None
        if self.pending != "spawn":  # a start that failed is cleared away by `start`, with its cause
            # The desk ended by itself, at its deadline: JupyterHub will not call `stop` any more.
            await self._clear_away()
        return f"ExitCode={made['State']['ExitCode']}"

    async def stop(self, now: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002  # JupyterHub's signature
        """Remove the container; the session ends even where the container is gone already."""
        if self.object_id:
            try:
                await self.docker("stop", self.object_id, timeout=2)
            except APIError as error:
                if error.response is None or error.response.status_code != 404:
                    raise
        await self._clear_away()

    async def _clear_away(self) -> None:
        """Remove the container and what it ran in, and end the session in the records. Idempotent."""
        if self.object_id:
            try:
                await self.docker("remove_container", self.object_id, force=True)
            except APIError as error:
                if error.response is None or error.response.status_code not in (404, 409):
                    raise
        self.object_id = ""
        if self.session_id:
            # The Hub gives up on a desk that the gate does not lead to: then it never was open.
            failed = self.pending == "spawn"
            await self._act(
                sessions.end_session,
                session_id=self.session_id,
                reason=(Closed.START_FAILED if failed else Closed.STOPPED).value,
                by=SPAWNER,
                details={"message": "the gate did not lead to the desk"} if failed else None,
            )
            await asyncio.to_thread(self.house.session_files.forget, self.session_id)
        self.clear_state()

    def get_state(self) -> dict[str, Any]:
        state: dict[str, Any] = super().get_state()
        if self.session_id:
            state["session_id"] = self.session_id
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)
        self.session_id = state.get("session_id", "")

    def clear_state(self) -> None:
        super().clear_state()
        self.session_id = ""


def _public_cause(error: Exception) -> str:
    """What the admin reads in the audit log: the engine's own sentence, without paths of the data."""
    if isinstance(error, APIError):
        return "image missing" if "No such image" in str(error) else "the engine refused"
    return "the engine does not answer" if not isinstance(error, TimeoutError) else str(error)
