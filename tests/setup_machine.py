"""Install what the tests use beyond Python packages: Debian's Chromium for the browser tests, where that is allowed."""

import os
import shutil
import subprocess
import sys

CHROMIUM_ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""How the tests start it: without a screen, and without asking anybody on the network for anything."""


def chromium() -> str | None:
    """Path of a Chromium or Chrome on this machine, if any."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    return None


def main() -> int:
    """Install Chromium if it is missing and this user may; say plainly what happens otherwise."""
    if found := chromium():
        print(f"browser tests use {found}")
        return 0
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print("no Chromium here and it cannot be installed without root and apt: the browser tests will be skipped")
        return 0
    steps = (
        ["apt-get", "update"],
        ["apt-get", "install", "-y", "--no-install-recommends", "chromium", "fonts-liberation"],
    )
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{' '.join(step)} failed; the browser tests will be skipped:\n{done.stderr[-800:]}")
            return 0
    print(f"browser tests use {chromium()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
