"""JupyterLab in a desk. Courtesy, not protection: whoever sits here runs code as this very user.

What is refused here spares honest people a dead end; what must hold is held by the gate. The file is
owned by root and `start-desk` points JUPYTER_CONFIG_DIR at its folder, so ~/.jupyter is not read.
"""

import os
from pathlib import Path
from typing import Any

from traitlets.config import get_config

c: Any = get_config()
home = Path.home()
state = home / ".jupyter-desk"

# Where: a socket that only the gate's side of the mount can reach; there is no network to listen on.
c.ServerApp.sock = "/run/desk/lab.sock"
c.ServerApp.sock_mode = "0666"  # the gate is another user; the folder is this desk's own
c.ServerApp.base_url = os.environ["VITRINE_BASE_URL"]
c.ServerApp.root_dir = str(home)
c.ServerApp.open_browser = False
c.ServerApp.use_redirect_file = False
c.ServerApp.quit_button = False

# Who: the gate has authenticated the person, checked XSRF and origin, and stripped the cookies. A
# second sign-in here would protect nothing: the researcher owns this process.
c.IdentityProvider.token = ""
c.ServerApp.disable_check_xsrf = True
c.ServerApp.allow_origin = "*"
c.ServerApp.allow_remote_access = True
c.ServerApp.trust_xheaders = True

# What: services and extensions are named in desk_lab.py.
c.ContentsManager.files_handler_class = None
c.ServerApp.terminals_enabled = True  # `submit` is used there
c.ServerApp.terminado_settings = {"shell_command": ["/bin/bash"]}

# Lab: nothing to install, nothing to fetch, nothing to report.
c.LabApp.extension_manager = "readonly"
c.LabApp.lock_all_plugins = True
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.collaborative = False
c.LabApp.labextensions_path = ["/opt/desk/share/jupyter/labextensions"]
c.LabApp.extra_labextensions_path = []
language = "en" if os.environ.get("VITRINE_LOCALE", "fr-FR").lower().startswith("en") else "fr"
c.LabApp.app_settings_dir = f"/opt/desk/share/jupyter/lab/settings-{language}"

# What a person may keep: layout, preferences and the trust marks of notebooks, under the home.
c.LabApp.user_settings_dir = str(state / "settings")
c.LabApp.workspaces_dir = str(state / "workspaces")
c.NotebookNotary.data_dir = str(state / "trust")
