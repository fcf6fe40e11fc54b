"""Whether a desk's JupyterLab listens, asked without trusting what the desk put into its directory."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path


def answers(path: Path, base_url: str, timeout: float = 1.0) -> bool:
    """Whether the unix socket at `path` answers `GET <base_url>api/status` with a 2xx.

    The last part of the path is the researcher's: it is opened without following links, must be a
    socket, and is reached through that very handle, so it cannot point anywhere else.
    """
    try:
        handle = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if not stat.S_ISSOCK(os.fstat(handle).st_mode):
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(timeout)
            client.connect(f"/proc/self/fd/{handle}")
            request = f"GET {base_url}api/status HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n\r\n"
            client.sendall(request.encode("ascii"))
            return client.recv(16).startswith(b"HTTP/1.1 2")
    except OSError:
        return False
    finally:
        os.close(handle)
