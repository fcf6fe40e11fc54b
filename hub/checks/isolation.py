"""The child that reads hostile files gives up what it does not need: network, new processes, changing files.

A seccomp filter and a Landlock domain need no privilege, hold for every thread started afterwards and cannot
be taken off. Where the kernel (or the container's own filter) lacks one of them the report says so.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_FILTER = 2
_CLONE_NEWNET = 0x40000000
_CLONE_NEWUSER = 0x10000000
_CLONE_THREAD = 0x00010000
_WRITING = 0o3 | 0o100 | 0o1000  # O_WRONLY | O_RDWR, O_CREAT, O_TRUNC
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_REFUSE = 0x00050000 | errno.EPERM
_ABSENT = 0x00050000 | errno.ENOSYS
_X32 = 0x40000000

_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446  # the same on every machine
_LANDLOCKED = (1 << 13) - 1  # every kind of access of its first version
_READING_FILE = 1 | 4  # execute (libraries are mapped), read
_READING = _READING_FILE | 8  # and list
_PROGRAM = tuple(
    Path(path)
    for path in (
        "/usr", "/lib", "/lib64", "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys",
        "/dev/null", "/dev/urandom", "/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/etc/mime.types",
    )
)  # fmt: skip

# A system call's number on x86_64 and on aarch64; None where it does not exist.
_CALLS: dict[str, tuple[int | None, int | None]] = {
    # network
    "socket": (41, 198), "connect": (42, 203), "accept": (43, 202), "sendto": (44, 206),
    "sendmsg": (46, 211), "bind": (49, 200), "listen": (50, 201), "socketpair": (53, 199),
    "accept4": (288, 242), "sendmmsg": (307, 269),
    # other processes
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424), "kcmp": (312, 272),
    # the kernel
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "bpf": (321, 280),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218), "userfaultfd": (323, 282),
    "perf_event_open": (298, 241), "io_uring_setup": (425, 425), "chroot": (161, 51), "pivot_root": (155, 41),
    "open_by_handle_at": (304, 265), "fsopen": (430, 430), "open_tree": (428, 428), "move_mount": (429, 429),
    # files
    "creat": (85, None), "truncate": (76, 45), "ftruncate": (77, 46), "rename": (82, None),
    "renameat": (264, 38), "renameat2": (316, 276), "unlink": (87, None), "unlinkat": (263, 35),
    "rmdir": (84, None), "mkdir": (83, None), "mkdirat": (258, 34), "link": (86, None), "linkat": (265, 37),
    "symlink": (88, None), "symlinkat": (266, 36), "mknod": (133, None), "mknodat": (259, 33),
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "utimensat": (280, 88),
    "fallocate": (285, 47),
}  # fmt: skip
# Calls that the libraries find missing and do without.
_MISSING: dict[str, tuple[int, int]] = {"clone3": (435, 435), "openat2": (437, 437)}
# (call numbers, argument, mask): refused where the argument has a bit of the mask.
_OPENING: tuple[tuple[tuple[int | None, int | None], int], ...] = (((2, None), 1), ((257, 56), 2))
_CLONE = (56, 220)
_PRLIMIT = (302, 261)


class _Machine(NamedTuple):
    column: int
    audit: int


_MACHINES = {"x86_64": _Machine(0, 0xC000003E), "aarch64": _Machine(1, 0xC00000B7)}


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def leave_files(paths: Iterable[Path]) -> str:
    """From now on read only the program itself and `paths`: "own". Where Landlock is absent: "all".

    Raises OSError when the kernel has it and yet refuses: then nothing hostile may be read here.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    handled = ctypes.c_uint64(_LANDLOCKED)
    domain = libc.syscall(_LANDLOCK_CREATE, ctypes.byref(handled), 8, 0)
    if domain < 0:
        return "all"
    try:
        for path in (*_PROGRAM, Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[1], *paths):
            _allow_reading(libc, domain, path)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if libc.syscall(_LANDLOCK_RESTRICT, domain, 0) != 0:
            raise OSError(ctypes.get_errno(), "landlock_restrict_self")
    finally:
        os.close(domain)
    return "own"


def _allow_reading(libc: ctypes.CDLL, domain: int, path: Path) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # absent, or out of reach anyway
        return
    try:
        allowed = _READING if path.is_dir() else _READING_FILE
        rule = struct.pack("=Qi", allowed, handle)
        if libc.syscall(_LANDLOCK_ADD, domain, 1, ctypes.create_string_buffer(rule, len(rule)), 0) != 0:
            raise OSError(ctypes.get_errno(), "landlock_add_rule")
    finally:
        os.close(handle)


def leave_network() -> str:
    """Cut this process off and answer how: "namespace" and "filter" joined by "+", or "open" when the
    kernel allows neither. Call it before any thread is started.

    1. A network namespace of its own, where the process may make one. 2. The filter. 3. Without a filter, a
    user namespace for the network namespace.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    spaced = libc.unshare(_CLONE_NEWNET) == 0  # (1)
    filtered = _install(libc)  # (2)
    if not spaced and not filtered:
        spaced = libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0  # (3)
    return "+".join([*(["namespace"] if spaced else []), *(["filter"] if filtered else [])]) or "open"


def _install(libc: ctypes.CDLL) -> bool:
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        return False
    code = program(machine)
    buffer = ctypes.create_string_buffer(code, len(code))
    made = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(_PR_SET_SECCOMP, _FILTER, ctypes.byref(made), 0, 0) == 0)


def program(machine: _Machine) -> bytes:
    """The filter as BPF. Everything not named passes: the libraries decide what they need to compute."""
    code = [_load(4), _op(0x15, 1, 0, machine.audit), _end(_KILL), _load(0)]
    if machine.column == 0:
        code += [_op(0x35, 0, 1, _X32), _end(_REFUSE)]  # numbers of the x32 interface
    for numbers in _CALLS.values():
        code += _answer(numbers[machine.column], _REFUSE)
    for absent in _MISSING.values():
        code += _answer(absent[machine.column], _ABSENT)
    for numbers, argument in _OPENING:
        code += _where(numbers[machine.column], argument, [_op(0x45, 0, 1, _WRITING), _end(_REFUSE)])
    # A thread is a clone that shares it all; anything else is a process.
    code += _where(_CLONE[machine.column], 0, [_op(0x45, 1, 0, _CLONE_THREAD), _end(_REFUSE)])
    # Limits of itself only.
    code += _where(_PRLIMIT[machine.column], 0, [_op(0x15, 1, 0, 0), _end(_REFUSE)])
    return b"".join([*code, _end(_ALLOW)])


def _op(code: int, yes: int, no: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def _load(offset: int) -> bytes:
    return _op(0x20, 0, 0, offset)


def _skip_unless(value: int, yes: int, no: int) -> bytes:
    return _op(0x15, yes, no, value)


def _end(action: int) -> bytes:
    return _op(0x06, 0, 0, action)


def _answer(number: int | None, action: int) -> list[bytes]:
    return [] if number is None else [_skip_unless(number, 0, 1), _end(action)]


def _where(number: int | None, argument: int, then: Sequence[bytes]) -> list[bytes]:
    """Look at the low half of an argument of one call; then read the call's number again for what follows."""
    if number is None:
        return []
    inside = [_load(16 + 8 * argument), *then, _load(0)]
    return [_skip_unless(number, 0, len(inside)), *inside]
