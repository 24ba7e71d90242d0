"""Ending with the process that started this one, so that a hub that is killed leaves nothing behind on its ports."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""Of Linux's prctl(2); stays in force over exec."""


def end_with_parent() -> None:
    """Have the kernel send this process SIGTERM when its parent ends; does nothing where there is no Linux."""
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it ended before the kernel knew
        sys.exit(1)


if __name__ == "__main__":
    # python -m hub_config.parent COMMAND …: become the command, ending with the parent
    end_with_parent()
    os.execvp(sys.argv[1], sys.argv[1:])
