"""Start JupyterLab with exactly the services and extensions a desk needs.

Two things have no configuration option in jupyter-server: the list of core services is a class
attribute, and extensions switched off in a config file come back from jupyter_server_config.d. Both
are settled here; all else is in /etc/jupyter/jupyter_server_config.py.
"""

from __future__ import annotations

from jupyter_server.serverapp import ServerApp

# Terminals because `submit` is used there; no language servers, no notebook_shim.
EXTENSIONS = {"jupyterlab": True, "jupyter_server_terminals": True, "vitrine_output_check": True}


class DeskServer(ServerApp):
    """No files, nbconvert, view (they hand files out), config, security, shutdown (nobody calls them)."""

    default_services = ("api", "contents", "events", "kernels", "kernelspecs", "sessions")

    def migrate_config(self) -> None:
        """Nothing: from the second start on, when ~/.ipython is there, this would write into /etc/jupyter,
        which is read-only, and the desk would not open again."""


def main() -> None:
    """Serve until the process is ended. The command line carries no option."""
    server = DeskServer.instance(jpserver_extensions=dict(EXTENSIONS))
    server.initialize(argv=[], starter_extension="lab", find_extensions=False)
    server.start()


if __name__ == "__main__":
    main()
