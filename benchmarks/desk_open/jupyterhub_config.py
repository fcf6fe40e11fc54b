"""A JupyterHub with DockerSpawner as its documentation says, for `make bench-desk_open`."""

import os
from typing import Any

c: Any = get_config()  # type: ignore[name-defined]  # noqa: F821  # JupyterHub provides it

c.JupyterHub.bind_url = "http://:8000"
c.JupyterHub.hub_ip = "0.0.0.0"  # noqa: S104  # inside a container, on a network of its own
c.JupyterHub.hub_connect_ip = os.environ["BENCH_HUB"]
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = os.environ["BENCH_PASSWORD"]
c.Authenticator.allow_all = True

c.JupyterHub.spawner_class = "dockerspawner.DockerSpawner"
c.DockerSpawner.image = os.environ["BENCH_IMAGE"]
c.DockerSpawner.network_name = os.environ["BENCH_NETWORK"]
c.DockerSpawner.use_internal_ip = True
c.DockerSpawner.remove = True
c.DockerSpawner.prefix = os.environ["BENCH_PREFIX"]
c.DockerSpawner.mem_limit = int(os.environ["BENCH_MEMORY"])
c.DockerSpawner.cpu_limit = float(os.environ["BENCH_CPUS"])
