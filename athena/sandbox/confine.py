"""Giving up rights, for good: memory, files, network, other processes. Linux; elsewhere only the memory limit holds.

Sources: landlock(7), seccomp(2), prctl(2); numbers from the kernel's uapi headers.
"""

import ctypes
import os
import platform
import resource
import struct
import sys
from pathlib import Path

FILES = "files"
"""Only Python and its libraries can be read, nothing can be written (Landlock, Linux ≥ 5.13)."""
CALLS = "system calls"
"""No sockets, no new processes, no signals to others (seccomp)."""
MEMORY = "memory"

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SIGKILL = 9
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_RIGHTS_BY_ABI = {1: 1 << 13, 2: 1 << 14, 3: 1 << 15, 4: 1 << 15}
"""One more than all file rights that a version of Landlock knows; later ones: 1 << 16."""
_TCP, _SCOPES = 0b11, 0b11

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_FORBIDDEN = {
    # socket, connect, accept, sendto, sendmsg, bind, listen, socketpair, clone, fork, vfork, execve, kill, ptrace,
    # mount, tkill, tgkill, unshare, execveat, process_vm_readv, process_vm_writev, io_uring_setup, pidfd_send_signal,
    # pidfd_open, pidfd_getfd, clone3, bpf, setns, open_by_handle_at, keyctl, shmget, shmat; setrlimit and prlimit64, by
    # which root could take its limits back; rt_sigqueueinfo, rt_tgsigqueueinfo; and what Landlock leaves open: chmod,
    # fchmod, chown, fchown, lchown, utime, utimes, futimesat, fchownat, fchmodat, utimensat, fchmodat2, (l|f)setxattr,
    # (l|f)removexattr, setxattrat, removexattrat, file_setattr
    "x86_64": (
        *(41, 42, 43, 44, 46, 49, 50, 53, 56, 57, 58, 59, 62, 101, 165, 200, 234, 272, 322, 310, 311, 425, 424),
        *(434, 438, 435, 321, 308, 304, 250, 29, 30, 160, 302, 129, 297),
        *(90, 91, 92, 93, 94, 132, 235, 261, 260, 268, 280, 452, 188, 189, 190, 197, 198, 199, 463, 466, 469),
    ),
    "aarch64": (
        *(198, 203, 202, 206, 211, 200, 201, 199, 220, 221, 129, 117, 40, 130, 131, 97, 281, 270, 271, 425, 424),
        *(434, 438, 435, 280, 268, 265, 219, 194, 196, 164, 261, 138, 240),
        *(52, 53, 54, 55, 88, 452, 5, 6, 7, 14, 15, 16, 463, 466, 469),
    ),
}
_EPERM = 1


def confine(*, memory_bytes: int) -> list[str]:
    """Give up what can be given up here; what is in force now."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    in_force = []
    try:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        in_force.append(MEMORY)
    except (OSError, ValueError):  # macOS has the name, but not the limit
        pass
    if sys.platform != "linux":
        return in_force
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return in_force
    if _restrict_files(libc):
        in_force.append(FILES)
    if _restrict_calls(libc):
        in_force.append(CALLS)
    return in_force


def _restrict_files(libc: ctypes.CDLL) -> bool:
    """Landlock: reading below Python's own folders, and nothing else."""
    abi = libc.syscall(_CREATE_RULESET, None, 0, 1)
    if abi < 1:
        return False
    rights = _RIGHTS_BY_ABI.get(abi, 1 << 16) - 1
    attributes = struct.pack("=QQQ", rights, _TCP, _SCOPES)[: 8 if abi < 4 else 16 if abi < 6 else 24]
    ruleset = libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return False
    for folder in _readable():
        handle = os.open(folder, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack("=Qi", _READ_FILE | _READ_DIR if Path(folder).is_dir() else _READ_FILE, handle)
        libc.syscall(_ADD_RULE, ruleset, 1, rule, 0)
        os.close(handle)
    done = bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    os.close(ruleset)
    return done


def _readable() -> list[str]:
    libraries = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    wanted = [sys.prefix + "/lib", sys.base_prefix + "/lib", *libraries, str(Path(os.__file__).parent)]
    wanted += ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/usr/share/zoneinfo"]
    return [path for path in dict.fromkeys(wanted) if Path(path).exists()]


def _restrict_calls(libc: ctypes.CDLL) -> bool:
    """Seccomp: the calls of ``_FORBIDDEN`` fail with EPERM, those of another architecture end the process."""
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        return False
    forbidden = _FORBIDDEN[machine]
    load, equal, at_least, answer = 0x20, 0x15, 0x35, 0x06
    lines = [
        (load, 0, 0, 4),
        (equal, 1, 0, _ARCHITECTURES[machine]),
        (answer, 0, 0, 0x80000000),
        (load, 0, 0, 0),
        (at_least, len(forbidden) + 1, 0, 0x40000000),
        *((equal, len(forbidden) - at, 0, number) for at, number in enumerate(forbidden)),
        (answer, 0, 0, 0x7FFF0000),
        (answer, 0, 0, 0x00050000 | _EPERM),
    ]
    program = b"".join(struct.pack("=HBBI", *line) for line in lines)
    buffer = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    wanted = Program(len(lines), ctypes.cast(buffer, ctypes.c_void_p))
    return bool(libc.prctl(_PR_SET_SECCOMP, 2, ctypes.byref(wanted), 0, 0) == 0)
