"""Signing in through the Hub: OAuth with state and PKCE, by JupyterHub's own HubOAuth.

The Hub says who somebody is; what they may do is the office's records' business alone.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import urlencode

import aiohttp
from jupyterhub.httpclient import JupyterHubHTTPClient
from jupyterhub.services.auth import HubOAuth
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from tornado.web import HTTPError

from hub.domain.errors import PermissionDenied, Refused
from hub.portal.ports import PREFIX, SignedIn

COOKIE = "vitrine-portal"
STATE_COOKIE = "vitrine-portal-state"
CACHE_SECONDS = 10
STATE_SECONDS = 600


def _failed() -> PermissionDenied:
    return PermissionDenied(
        "signin_failed",
        "Signing in did not work. Please try again.",
        "La connexion n’a pas abouti. Veuillez réessayer.",
    )


def _unreachable() -> Refused:
    return Refused(
        "hub_unreachable",
        "The sign-in service does not answer. Please try again in a minute.",
        "Le service de connexion ne répond pas. Veuillez réessayer dans une minute.",
    )


class HubSignIn:
    """`SignIn` by the Hub. `api_token` and `client_id` are those of the portal as a Hub service.

    A token that the Hub revoked ends here within CACHE_SECONDS.
    """

    def __init__(
        self,
        *,
        api_url: str,
        api_token: str,
        client_id: str,
        service: str,
        public_url: str,
        prefix: str = PREFIX,
    ) -> None:
        self._scopes = {f"access:services!service={service}", "access:services"}
        self._secure = public_url.startswith("https:")
        self._prefix = prefix
        # aiodns, the default, keeps an address for ten minutes: a restarted hub would not be found.
        aiohttp.connector.DefaultResolver = aiohttp.ThreadedResolver  # type: ignore[attr-defined]
        self._auth: Any = HubOAuth(
            api_url=api_url,
            api_token=api_token,
            oauth_client_id=client_id,
            base_url=f"{prefix}/",
            oauth_redirect_uri=f"{prefix}/oauth_callback",
            oauth_authorization_url="/hub/api/oauth2/authorize",
            oauth_token_url=f"{api_url}/oauth2/token",
            cache_max_age=CACHE_SECONDS,
            hub_host="",
        )

    async def visitor(self, request: Request) -> SignedIn | None:
        """By the Authorization header if there is one (then the cookie does not count), else the cookie."""
        header = request.headers.get("authorization")
        if header is not None:
            scheme, _, token = header.partition(" ")
            if scheme.lower() not in ("token", "bearer") or not token.strip():
                return None
            username = await self._username(token.strip(), session="")
            return None if username is None else SignedIn(username, None)
        token = request.cookies.get(COOKIE, "")
        if not token:
            return None
        username = await self._username(token, session=request.cookies.get("jupyterhub-session-id", ""))
        return None if username is None else SignedIn(username, form_token_of(token))

    async def _username(self, token: str, *, session: str) -> str | None:
        """The user whose token this is, if it was given for this service; None otherwise."""
        try:
            model = await self._auth.user_for_token(token, session_id=session, sync=False)
        except HTTPError as error:
            raise _unreachable() from error
        if not isinstance(model, dict) or model.get("kind", "user") != "user":
            return None
        if not self._scopes & set(model.get("scopes", ())):
            return None
        name = model.get("name")
        return name if isinstance(name, str) and name else None

    def begin(self, request: Request) -> Response:
        """(1) A state known to this browser only, in a cookie; (2) a PKCE challenge; then to the Hub."""
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        verifier, challenge, method = self._auth.generate_pkce_code_challenge()
        state = self._auth.generate_state(target, code_verifier=verifier)
        query = {
            "client_id": self._auth.oauth_client_id,
            "redirect_uri": self._auth.oauth_redirect_uri,
            "response_type": "code",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": method,
        }
        response = RedirectResponse(f"{self._auth.oauth_authorization_url}?{urlencode(query)}", 302)
        self._set_cookie(response, _state_cookie(state), state, STATE_SECONDS)
        return response

    async def complete(self, request: Request) -> Response:
        """(1) The state is the one this browser holds, once. (2) The code is exchanged with the PKCE
        verifier. (3) The token is one for this service. Only then is it kept, in an HttpOnly cookie."""
        state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
        held = request.cookies.get(_state_cookie(state), "")
        if not state or not code or not hmac.compare_digest(held.encode(), state.encode()):  # (1)
            raise _failed()
        verifier = self._auth.get_code_verifier(state)
        target = self._auth.get_next_url(state)
        self._auth.clear_oauth_state(state)
        if not verifier or not str(target).startswith(f"{self._prefix}/"):
            raise _failed()
        try:
            token = await self._auth.token_for_code(code, code_verifier=verifier, sync=False)  # (2)
        except (HTTPError, KeyError) as error:
            raise _failed() from error
        if (
            await self._username(token, session=request.cookies.get("jupyterhub-session-id", "")) is None
        ):  # (3)
            raise _failed()
        response = RedirectResponse(target, 302)
        self._set_cookie(response, COOKIE, token, None)
        response.delete_cookie(_state_cookie(state), path=self._prefix)
        return response

    async def close(self) -> None:
        """Close the connections to the Hub of this event loop."""
        await JupyterHubHTTPClient.loop_instance().close()

    def _set_cookie(self, response: Response, name: str, value: str, seconds: int | None) -> None:
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path=self._prefix,
            httponly=True,
            samesite="lax",
            secure=self._secure,
        )


def _state_cookie(state: str) -> str:
    """Each attempt has a cookie of its own, so that two tabs can sign in at once."""
    return f"{STATE_COOKIE}-{hashlib.sha256(state.encode()).hexdigest()[:12]}"


def form_token_of(session_token: str) -> str:
    """What forms of this session must carry. Only who holds the session's token can compute it."""
    return hmac.new(session_token.encode(), b"vitrine portal forms", hashlib.sha256).hexdigest()
