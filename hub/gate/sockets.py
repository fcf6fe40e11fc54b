"""The two unix sockets in a session's run directory, which the researcher may write to.

`run/<sid>/` is made by the hub, owned by the gate and sticky, so its entries cannot be trusted but the
directory can: it is opened once, without following links, and everything goes through that handle.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

LAB = "lab.sock"
SUBMIT = "submit.sock"
_CONNECT_TRIES = 40  # × 50 ms: a full backlog is tried again for 2 s


class UntrustedSocketError(OSError):
    """What is there is not what it must be: a link, another kind of file, or another owner's."""


@contextlib.contextmanager
def _run_folder(run: Path, sid: str) -> Iterator[int]:
    """A handle on `run/<sid>`; raises UntrustedSocketError unless it is a directory of the gate (or root)."""
    handle = os.open(run / sid, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if os.fstat(handle).st_uid not in {os.geteuid(), 0}:
            raise UntrustedSocketError("run directory")
        yield handle
    finally:
        os.close(handle)


async def connect_lab(run: Path, sid: str, desk_uid: int) -> socket.socket:
    """A connected, non-blocking socket to the desk's server.

    1. The run directory is opened without following links; its path lies where no researcher may write.
    2. `lab.sock` is pinned with O_PATH | O_NOFOLLOW, so a link is an error and a later swap has no effect.
    3. The pinned inode must be a socket owned by `desk_uid`.
    4. The connection goes through the pinned inode, not through the name.
    The caller must still treat every byte from it as hostile. Raises OSError (UntrustedSocketError where
    step 1 or 3 fails).
    """
    with _run_folder(run, sid) as folder:
        pinned = os.open(LAB, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)  # 2
        try:
            found = os.fstat(pinned)
            if not stat.S_ISSOCK(found.st_mode) or found.st_uid != desk_uid:  # 3
                raise UntrustedSocketError("lab.sock")
            return await _connect(f"/proc/self/fd/{pinned}")  # 4
        finally:
            os.close(pinned)


async def _connect(address: str) -> socket.socket:
    """Connect without blocking the loop; a unix socket with a full backlog answers EAGAIN at once."""
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stream.settimeout(0)
    try:
        for _ in range(_CONNECT_TRIES):
            try:
                stream.connect(address)
            except BlockingIOError:
                await asyncio.sleep(0.05)
                continue
            return stream
        raise ConnectionRefusedError("the desk's backlog is full")
    except BaseException:
        stream.close()
        raise


def bind_submit(run: Path, sid: str) -> tuple[socket.socket, tuple[int, int]]:
    """Listen on `submit.sock` of a session, whatever lies there already; also its (device, inode).

    The socket is bound under a fresh name and renamed into place. In a sticky directory of the gate the
    researcher can neither rename nor remove it, while the gate can move whatever the researcher put there.
    """
    with _run_folder(run, sid) as folder:
        fresh = f".submit.{secrets.token_hex(8)}"
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0)  # the desk's uid must be able to connect; only desk and gate see the directory
        try:
            listening.bind(f"/proc/self/fd/{folder}/{fresh}")
            listening.listen(64)
            listening.settimeout(0)
            _make_way(folder)
            os.rename(fresh, SUBMIT, src_dir_fd=folder, dst_dir_fd=folder)
            found = os.stat(SUBMIT, dir_fd=folder, follow_symlinks=False)
        except BaseException:
            listening.close()
            with contextlib.suppress(OSError):
                os.unlink(fresh, dir_fd=folder)
            raise
        finally:
            os.umask(mask)
        return listening, (found.st_dev, found.st_ino)


def _make_way(folder: int) -> None:
    """A rename replaces files, links and sockets but not a directory: move that aside."""
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISDIR(os.stat(SUBMIT, dir_fd=folder, follow_symlinks=False).st_mode):
            os.rename(SUBMIT, f".squatted.{secrets.token_hex(8)}", src_dir_fd=folder, dst_dir_fd=folder)


def submit_inode(run: Path, sid: str) -> tuple[int, int] | None:
    """(device, inode) of what now stands at `submit.sock`, or None."""
    try:
        with _run_folder(run, sid) as folder:
            found = os.stat(SUBMIT, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def remove_submit(run: Path, sid: str) -> None:
    """Remove `submit.sock` if it is a socket of the gate; whatever the researcher put there stays."""
    with contextlib.suppress(OSError), _run_folder(run, sid) as folder:
        found = os.stat(SUBMIT, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISSOCK(found.st_mode) and found.st_uid == os.geteuid():
            os.unlink(SUBMIT, dir_fd=folder)
