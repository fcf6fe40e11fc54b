"""Who asks: the Hub's own OAuth client, one per session, built from the session file's `hub_env`.

A browser signs in with OAuth and PKCE; the answer is kept in a cookie of that server's prefix. Only that
cookie counts: no token in a URL or header, so nobody can hand a desk on by copying a string. The Hub's
scopes must allow the server *and* the name must be the session's own, so a share opens nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from jupyterhub.services.auth import HubOAuth
from tornado.web import HTTPError, RequestHandler

from hub.gate.config import GateSettings
from hub.gate.refusals import GateRefused
from hub.gate.sessions import Session

CACHE_SECONDS = 20
HUB_SECONDS = 15.0

UserModel = Mapping[str, Any]
_Asked = dict[str, "asyncio.Task[UserModel | None]"]


class DeskOAuth(HubOAuth):
    """HubOAuth that accepts its own cookie only and asks the Hub once for simultaneous requests."""

    def get_token(
        self,
        handler: RequestHandler,
        in_cookie: bool = True,  # noqa: FBT001, FBT002 - HubAuth's signature
    ) -> str | None:
        return self._get_token_cookie(handler) if in_cookie else None

    async def _check_hub_authorization(
        self,
        url: str,
        api_token: str,
        cache_key: str | None = None,
        use_cache: bool = True,  # noqa: FBT001, FBT002 - HubAuth's signature
    ) -> UserModel | None:
        if not use_cache or cache_key is None or cache_key in self.cache:
            known: UserModel | None = await super()._check_hub_authorization(
                url, api_token, cache_key, use_cache
            )
            return known
        asked: _Asked = self.__dict__.setdefault("_asked", {})
        if cache_key not in asked:
            question = asyncio.ensure_future(super()._check_hub_authorization(url, api_token, cache_key))
            asked[cache_key] = question
            question.add_done_callback(lambda done: _forget(asked, cache_key, done))
        return await asyncio.shield(asked[cache_key])


def _forget(asked: _Asked, key: str, done: asyncio.Task[UserModel | None]) -> None:
    """Take an answered question off the list; its error is looked at here if nobody waits any more."""
    asked.pop(key, None)
    if not done.cancelled():
        done.exception()


class Identities:
    """The OAuth client of each session; kept while its `hub_env` stays (it holds pending sign-ins)."""

    def __init__(self, settings: GateSettings) -> None:
        self._settings = settings
        self._known: dict[str, tuple[Mapping[str, str], DeskOAuth]] = {}

    def of(self, session: Session) -> DeskOAuth:
        held = self._known.get(session.sid)
        if held is not None and held[0] == session.hub_env:
            return held[1]
        auth = self._build(session)
        self._known[session.sid] = (session.hub_env, auth)
        return auth

    def forget(self, sid: str) -> None:
        self._known.pop(sid, None)

    def _build(self, session: Session) -> DeskOAuth:
        """Everything is given: HubOAuth would otherwise read defaults from the gate's own environment."""
        env = session.hub_env
        cookies: dict[str, object] = {"expires_days": None, "samesite": "Lax"}
        if self._settings.public_url.startswith("https://"):
            cookies["secure"] = True
        return DeskOAuth(
            hub_host="",
            base_url=session.prefix,
            hub_prefix=env.get("JUPYTERHUB_BASE_URL", "/").rstrip("/") + "/hub/",
            api_url=self._settings.hub_api_url,
            api_token=env["JUPYTERHUB_API_TOKEN"],
            oauth_client_id=env["JUPYTERHUB_CLIENT_ID"],
            oauth_redirect_uri=session.prefix + "oauth_callback",
            access_scopes=set(json.loads(env["JUPYTERHUB_OAUTH_ACCESS_SCOPES"])),
            cookie_options=cookies,
            cookie_host_prefix_enabled=False,
            cache_max_age=CACHE_SECONDS,
            allow_token_in_url=False,
            allow_websocket_cookie_auth=True,
            keyfile="",
            certfile="",
            client_ca="",
        )


async def identify(handler: RequestHandler, auth: DeskOAuth, session: Session) -> UserModel | None:
    """The person behind a request, or None if nobody is signed in.

    1. The cookie's token is put to the Hub (answers are kept for 20 s); XSRF as HubOAuth demands.
    2. The answer must hold one of the server's access scopes.
    3. It must be a user, and the session's own user.
    Raises GateRefused `not_yours` for anybody else and `hub_unreachable` when the Hub does not answer.
    """
    try:
        model: UserModel | None = await asyncio.wait_for(auth.get_user(handler, sync=False), HUB_SECONDS)  # 1
    except (HTTPError, TimeoutError):
        raise GateRefused("hub_unreachable") from None
    if model is None:
        return None
    if not auth.check_scopes(auth.access_scopes, model):  # 2
        raise GateRefused("not_yours")
    if model.get("kind") != "user" or model.get("name") != session.username:  # 3
        raise GateRefused("not_yours")
    return model
