"""Submit for output check: a JupyterLab extension, its server part, and the command `submit`."""

from __future__ import annotations

from typing import TYPE_CHECKING

try:
    from ._version import __version__
except ImportError:  # a checkout that was not built: hatchling writes _version.py
    __version__ = "0+unbuilt"

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

__all__ = ["__version__"]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where JupyterLab finds the prebuilt front end."""
    return [{"src": "labextension", "dest": "vitrine-output-check"}]


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Which module jupyter-server loads."""
    return [{"module": "vitrine_output_check"}]


def _load_jupyter_server_extension(server_app: ServerApp) -> None:
    """Add the routes under `vitrine/` to the server."""
    from .handlers import setup

    setup(server_app)
