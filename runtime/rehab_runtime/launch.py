"""Start a server so that it never outlives its parent, and never runs as root.

Run as a script, without imports beyond the standard library, so that it costs little:
    python -I -S launch.py SIGNAL UID GID COMMAND …
SIGNAL is sent to the server when the parent dies. UID 0 keeps the user. PostgreSQL refuses to run
as root; under another user it keeps the right to read and pass folders (CAP_DAC_READ_SEARCH),
because a checkout below a private folder is out of that user's reach otherwise.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_READ_SEARCH = 2
CAPABILITY_VERSION_3 = 0x20080522


def drop_root(libc: ctypes.CDLL, uid: int, gid: int) -> None:
    libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    mask = 1 << CAP_DAC_READ_SEARCH
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    libc.capset(header, data)
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0)


def main() -> None:
    signal, uid, gid = (int(value) for value in sys.argv[1:4])
    command = sys.argv[4:]
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if uid:
            drop_root(libc, uid, gid)
        libc.prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0)
    elif uid:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    os.umask(0o077)
    os.execv(command[0], command)  # noqa: S606 - the command is one of our own servers


if __name__ == "__main__":
    main()
