"""Settings: environment variables and secret files, read once. No default secret exists.

| variable | meaning | default |
|---|---|---|
| VITRINE_DATA | data directory (docs/architecture.md §2) | ./var |
| VITRINE_HOST_DATA | the same directory as the Docker engine sees it | VITRINE_DATA |
| VITRINE_DATABASE_URL | SQLAlchemy URL | SQLite in VITRINE_DATA |
| VITRINE_DATABASE_PASSWORD_FILE | file with the database password | none |
| VITRINE_POLICIES | directory of the policies | ./policies |
| VITRINE_SECRETS | directory of the secret files this process may read | VITRINE_DATA/secrets |
| VITRINE_SIGNIN | how people sign in: `demo` | none: the hub refuses to start |
| VITRINE_PUBLIC_URL | address people open | http://127.0.0.1:8000 |
| VITRINE_HUB_API_URL, VITRINE_PROXY_API_URL | addresses of hub and proxy | compose's |
| VITRINE_GATE_URL, VITRINE_PORTAL_URL | addresses of gate and portal | compose's |
| VITRINE_DESK_IMAGE | image of a desk | vitrine-desk |
| VITRINE_DESK_LOCALE | language of a desk: `fr-FR` or `en` | fr-FR |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url

from hub.domain.errors import Refused

CONTROL_UID = 990
RESEARCHER_UID = 1000


@dataclass(frozen=True)
class Settings:
    """Where things are. Raises Refused `setting_missing` naming what is missing, when it is used."""

    data: Path
    host_data: Path
    database_url: URL
    policies: Path
    secrets: Path
    signin: str
    public_url: str
    hub_api_url: str
    proxy_api_url: str
    gate_url: str
    portal_url: str
    desk_image: str
    desk_locale: str

    def secret(self, name: str) -> str:
        """The content of a secret file, stripped; Refused `secret_missing` if absent or empty."""
        try:
            value = (self.secrets / name).read_text(encoding="utf-8").strip()
        except OSError:
            value = ""
        if not value:
            raise Refused("secret_missing", f"the secret '{name}' is missing: run the set-up", field=name)
        return value


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from an environment."""
    data = Path(environ.get("VITRINE_DATA", "var")).absolute()
    url = make_url(environ.get("VITRINE_DATABASE_URL") or f"sqlite:///{data / 'vitrine.db'}")
    if password_file := environ.get("VITRINE_DATABASE_PASSWORD_FILE"):
        try:
            url = url.set(password=Path(password_file).read_text(encoding="utf-8").strip())
        except OSError as error:
            raise Refused(
                "secret_missing",
                "the file named by VITRINE_DATABASE_PASSWORD_FILE cannot be read",
                field="VITRINE_DATABASE_PASSWORD_FILE",
            ) from error
    return Settings(
        data=data,
        host_data=Path(environ.get("VITRINE_HOST_DATA") or data),
        database_url=url,
        policies=Path(environ.get("VITRINE_POLICIES", "policies")).absolute(),
        secrets=Path(environ.get("VITRINE_SECRETS") or data / "secrets"),
        signin=environ.get("VITRINE_SIGNIN", ""),
        public_url=environ.get("VITRINE_PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/"),
        hub_api_url=environ.get("VITRINE_HUB_API_URL", "http://hub:8081/hub/api"),
        proxy_api_url=environ.get("VITRINE_PROXY_API_URL", "http://proxy:8001"),
        gate_url=environ.get("VITRINE_GATE_URL", "http://gate:8888"),
        portal_url=environ.get("VITRINE_PORTAL_URL", "http://portal:8080"),
        desk_image=environ.get("VITRINE_DESK_IMAGE", "vitrine-desk"),
        desk_locale=environ.get("VITRINE_DESK_LOCALE", "fr-FR"),
    )
