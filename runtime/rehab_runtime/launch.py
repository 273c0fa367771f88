"""Start a server so that it never outlives its parent, and never runs as root.

Run as a script, without imports beyond the standard library, so that it costs little:
    python -I -S launch.py SIGNAL[:PARENT] UID GID COMMAND …
SIGNAL is sent to the server when the parent dies (Linux), or rather the thread of the parent that
started it; a PARENT that is gone already is noticed. UID 0 keeps the user. PostgreSQL refuses to
run as root; as another user it keeps the right to pass and read private folders, but only if one
is on the way to the files that the command names.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 1 << 2
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
CAPABILITY_VERSION_3 = 0x20080522


def behind_private_folders(command: list[str]) -> bool:
    for word in command:
        folder = os.path.dirname(word) if word.startswith("/") else "/"
        while folder != "/":
            if not os.stat(folder).st_mode & 0o001:
                return True
            folder = os.path.dirname(folder)
    return False


def keep(libc: ctypes.CDLL, capability: int) -> bool:
    """Keep one capability over the change of user and over exec; the others are given up."""
    mask = 1 << capability
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    kept: bool = libc.capset(header, data) == 0
    return kept and libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0


def give_all_up(libc: ctypes.CDLL) -> None:
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    libc.capset(header, (ctypes.c_uint32 * 6)(0, 0, 0, 0, 0, 0))


def drop_root(libc: ctypes.CDLL, uid: int, gid: int, reach: bool) -> None:
    if reach:
        # a change of user costs no capability then, and access(2), by which PostgreSQL looks for
        # its own programs, heeds those that are kept
        libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    # containers leave root the second one at most
    if reach and not (keep(libc, CAP_DAC_READ_SEARCH) or keep(libc, CAP_DAC_OVERRIDE)):
        give_all_up(libc)


def main() -> None:
    signal, _, parent = sys.argv[1].partition(":")
    uid, gid = int(sys.argv[2]), int(sys.argv[3])
    command = sys.argv[4:]
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if uid:
            drop_root(libc, uid, gid, behind_private_folders(command))
        # after the change of user, which would undo it
        libc.prctl(PR_SET_PDEATHSIG, int(signal), 0, 0, 0)
        if parent and os.getppid() != int(parent):
            sys.exit("the process that started this one is gone")
    elif uid:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    os.umask(0o077)
    os.execv(command[0], command)  # noqa: S606 - the command is one of our own servers


if __name__ == "__main__":
    main()
