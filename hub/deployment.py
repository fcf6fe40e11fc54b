"""JupyterHub's configuration: `jupyterhub_config.py` only calls `configure`."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from hub.bootstrap import build_office, build_session_files
from hub.domain.errors import Refused
from hub.settings import RESEARCHER_UID, Settings, load_settings
from hub.signin import DemoAuthenticator
from hub.spawner.desks import DeskHouse, DeskSpawner

# JupyterHub's own `user` role lets people start and share servers. Here a person may only reach their
# own desk; the portal starts it after asking the actions.
USER_SCOPES = [
    "access:servers!user",
    "access:services!service=portal",
    "users:activity!user",
    "read:users:name!user",
    "read:users:groups!user",
]
PORTAL_SCOPES = ["servers", "read:servers", "read:users:name", "list:users"]
SWEEPER_SCOPES = ["delete:servers", "read:servers", "list:users"]


def require_private_address(public_url: str) -> None:
    """Refuse demo sign-in on an address that others can reach."""
    host = urlsplit(public_url).hostname or ""
    try:
        private = ipaddress.ip_address(host).is_loopback
    except ValueError:
        private = host == "localhost"
    if not private:
        raise Refused(
            "demo_in_public",
            "demo sign-in only serves this machine; set VITRINE_PUBLIC_URL to a loopback address",
            "l’authentification de démonstration ne sert que cette machine",
            field="VITRINE_PUBLIC_URL",
        )


def _sign_in(c: Any, settings: Settings) -> None:
    """How people sign in. Nothing is chosen by default."""
    if settings.signin != "demo":
        raise Refused("setting_missing", "VITRINE_SIGNIN must be 'demo'", field="VITRINE_SIGNIN")
    require_private_address(settings.public_url)
    c.JupyterHub.authenticator_class = DemoAuthenticator
    c.DemoAuthenticator.password_file = str(settings.secrets / "demo-passwords.json")
    c.Authenticator.allow_all = True  # the password file is the list
    c.Authenticator.admin_users = set()  # nobody is a Hub admin: that role opens every server


def _roles(c: Any) -> None:
    c.JupyterHub.load_roles = [
        {"name": "user", "scopes": USER_SCOPES},
        {"name": "portal", "scopes": PORTAL_SCOPES, "services": ["portal"]},
        {"name": "sweeper", "scopes": SWEEPER_SCOPES, "services": ["sweeper"]},
    ]


def _services(c: Any, settings: Settings) -> None:
    c.JupyterHub.services = [
        {
            "name": "portal",
            "url": settings.portal_url,
            "api_token": settings.secret("portal.token"),
            "oauth_no_confirm": True,
            "oauth_client_allowed_scopes": [],
            "oauth_redirect_uri": "/services/portal/oauth_callback",
            "display": False,
        },
        {"name": "sweeper", "api_token": settings.secret("sweeper.token"), "display": False},
    ]


def _spawner(c: Any, settings: Settings) -> None:
    office = build_office(settings, hub_token=None)
    DeskSpawner.house = DeskHouse(
        office=office,
        session_files=build_session_files(settings),
        data=settings.data,
        host_data=PurePosixPath(settings.host_data),
        image=settings.desk_image,
        locale=settings.desk_locale,
        gate_url=settings.gate_url,
        researcher_uid=RESEARCHER_UID,
    )
    c.JupyterHub.spawner_class = DeskSpawner
    c.JupyterHub.allow_named_servers = True
    c.Spawner.apply_user_options = lambda spawner, _options: spawner.refuse_unless_allowed()
    c.Spawner.http_timeout = 30
    c.Spawner.start_timeout = 90
    c.Spawner.poll_interval = 5
    c.Spawner.default_url = "/lab"


def configure(c: Any, environ: Mapping[str, str]) -> None:
    """Fill JupyterHub's configuration; a missing setting or secret ends the program with a sentence."""
    try:
        _configure(c, load_settings(environ))
    except Refused as refused:
        sys.exit(f"vitrine: {refused.en}")


def _configure(c: Any, settings: Settings) -> None:
    # aiodns, the default, keeps an address for ten minutes: a restarted gate would not be found.
    aiohttp.connector.DefaultResolver = aiohttp.ThreadedResolver  # type: ignore[attr-defined]
    state = settings.data / "hub"
    c.JupyterHub.bind_url = "http://:8000"
    c.JupyterHub.hub_bind_url = "http://0.0.0.0:8081"
    hub = urlsplit(settings.hub_api_url)
    c.JupyterHub.hub_connect_url = f"{hub.scheme}://{hub.netloc}"
    c.JupyterHub.db_url = f"sqlite:///{state / 'jupyterhub.sqlite'}"
    c.JupyterHub.cookie_secret = bytes.fromhex(settings.secret("hub.cookie"))
    c.JupyterHub.template_paths = [str(Path(__file__).parent / "spawner" / "templates")]
    c.JupyterHub.default_url = "/services/portal/"
    c.JupyterHub.cleanup_servers = False  # a restarted Hub adopts the desks that run
    c.JupyterHub.cleanup_proxy = False
    c.JupyterHub.init_spawners_timeout = 1  # second; a desk that does not answer keeps nobody waiting
    c.JupyterHub.last_activity_interval = 10  # also how soon a restarted proxy gets its routes back
    c.JupyterHub.cookie_max_age_days = 0.5
    c.JupyterHub.oauth_token_expires_in = 12 * 3600
    c.ConfigurableHTTPProxy.should_start = False
    c.ConfigurableHTTPProxy.api_url = settings.proxy_api_url
    c.ConfigurableHTTPProxy.auth_token = settings.secret("proxy.token")
    c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}
    _sign_in(c, settings)
    _roles(c)
    _services(c, settings)
    _spawner(c, settings)
