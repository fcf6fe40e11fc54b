"""The services: each is one process of docker-compose.yml, built here from the settings."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from hub.commands import context

database = typer.Typer(help="The database.", no_args_is_help=True)


def _log() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")


@database.command("upgrade")
def upgrade_database() -> None:
    """Bring the database to the newest schema."""
    from hub.adapters import schema
    from hub.adapters.units import open_engine

    with context.sentences():
        schema.upgrade(open_engine(context.settings().database_url))
        context.say("database: up to date")


def sweeper(
    alive: Annotated[Path, typer.Option(help="File touched after each good round.")] = Path(
        "/tmp/sweeper.alive"  # noqa: S108  # the service's own tmpfs
    ),
) -> None:
    """Run the clock: end what is over, twice a second, and keep the extraction worker running."""
    from hub.sweeper import loop

    _log()
    with context.sentences():
        settings = context.settings()
        house = context.office(hub_token=settings.secret("sweeper.token"))
        loop.run(house, worker=loop.Worker(loop.worker_command()), alive=alive)


def gate() -> None:
    """Run the gate."""
    from hub.gate.app import serve
    from hub.gate.config import GateSettings

    _log()
    with context.sentences():
        settings = context.settings()
        serve(
            GateSettings(
                sessions=settings.data / "sessions",
                run=settings.data / "run",
                meters=settings.data / "meters",
                hub_api_url=settings.hub_api_url,
                portal_url=settings.portal_url,
                gate_token=settings.secret("gate.token"),
                public_url=settings.public_url,
            )
        )
