"""The Hub's REST API: the polite way to start and stop a desk."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import httpx

from hub.domain.errors import Refused


def _unreachable() -> Refused:
    return Refused(
        "hub_unreachable",
        "The desk service does not answer. Please try again in a minute.",
        "Le service des bureaux ne répond pas. Veuillez réessayer dans une minute.",
    )


@dataclass(frozen=True)
class HubDesks:
    """`Desks` through the Hub's API with a service's token. `timeout` in seconds."""

    api_url: str
    token: str
    timeout: float = 15.0

    def _url(self, username: str, project: str) -> str:
        return f"{self.api_url}/users/{quote(username, safe='')}/servers/{quote(project, safe='')}"

    def _call(self, method: str, url: str) -> httpx.Response:
        try:
            return httpx.request(
                method,
                url,
                headers={"Authorization": f"token {self.token}"},
                timeout=self.timeout,
            )
        except httpx.HTTPError as error:
            raise _unreachable() from error

    def start(self, username: str, project: str) -> None:
        answer = self._call("POST", self._url(username, project))
        if answer.status_code in (201, 202):
            return
        if answer.status_code == 400 and "already running" in answer.text:
            return
        if answer.status_code == 400 and "pending" in answer.text:
            return
        if answer.status_code == 404:
            raise Refused(
                "desk_refused",
                "You need to sign in once before a desk can be opened.",
                "Connectez-vous une première fois avant d’ouvrir un bureau.",
            )
        if answer.status_code >= 500:
            raise _unreachable()
        raise Refused("desk_refused", "The desk was refused.", "L’ouverture du bureau a été refusée.")

    def ready(self, username: str, project: str) -> bool:
        answer = self._call("GET", f"{self.api_url}/users/{quote(username, safe='')}")
        if answer.status_code == 404:
            return False
        if answer.status_code != 200:
            raise _unreachable()
        server = answer.json().get("servers", {}).get(project) or {}
        return bool(server.get("ready"))

    def stop(self, username: str, project: str) -> None:
        answer = self._call("DELETE", self._url(username, project))
        if answer.status_code in (202, 204, 404):
            return
        if answer.status_code == 400 and "pending" in answer.text:
            raise Refused(
                "desk_pending", "The desk is still starting or stopping.", "Le bureau est en transition."
            )
        raise _unreachable()
