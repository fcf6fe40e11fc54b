"""Telling the Hub that a server is in use, so that it does not take the desk for idle.

Only real traffic counts (pages, changes, WebSocket messages), not JupyterLab's own polling and pings.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from urllib.parse import quote

from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest

from hub.gate.desks import Desk
from hub.gate.journal import Journal
from hub.gate.sessions import Session

POST_EVERY = 60.0  # seconds


class ActivityPosts:
    """At most one post a minute for each session."""

    def __init__(self, hub_api_url: str, journal: Journal) -> None:
        self._hub_api_url = hub_api_url.rstrip("/")
        self._journal = journal
        self._posted_at: dict[str, float] = {}
        self._under_way: set[asyncio.Task[None]] = set()

    def tend(self, session: Session, desk: Desk, now: float) -> None:
        """Post if there was traffic since the last post and a minute has passed (`now` in epoch seconds)."""
        last = self._posted_at.get(session.sid, 0.0)
        if desk.active_at is None or desk.active_at <= last or now - last < POST_EVERY:
            return
        self._posted_at[session.sid] = now
        post = asyncio.ensure_future(self._post(session, desk.active_at))
        self._under_way.add(post)
        post.add_done_callback(self._under_way.discard)

    def forget(self, sid: str) -> None:
        self._posted_at.pop(sid, None)

    async def _post(self, session: Session, active_at: float) -> None:
        at = datetime.fromtimestamp(active_at, UTC).isoformat()
        name = session.hub_env.get("JUPYTERHUB_SERVER_NAME", "")
        request = HTTPRequest(
            f"{self._hub_api_url}/users/{quote(session.username, safe='')}/activity",
            method="POST",
            headers={
                "Authorization": f"token {session.hub_env['JUPYTERHUB_API_TOKEN']}",
                "Content-Type": "application/json",
            },
            body=json.dumps({"last_activity": at, "servers": {name: {"last_activity": at}}}),
            request_timeout=10,
            connect_timeout=5,
        )
        try:
            await AsyncHTTPClient().fetch(request)
        except HTTPError as error:
            self._journal.write("fault", session=session.sid, kind="activity", status=error.code)
        except OSError as error:
            self._journal.write("fault", session=session.sid, kind="activity", reason=type(error).__name__)
