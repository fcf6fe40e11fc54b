import os

from hub.deployment import configure

configure(c, os.environ)  # noqa: F821  # JupyterHub provides `c`
