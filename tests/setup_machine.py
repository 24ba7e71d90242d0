"""Install what the tests use beyond Python: Debian's Chromium, Firefox and LDAP server, where that is allowed."""

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


def slapd() -> str | None:
    """Path of OpenLDAP's server on this machine, if any; it is often not on an ordinary user's path."""
    return shutil.which("slapd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/usr/local/libexec")


def firefox() -> str | None:
    """Path of a Firefox on this machine, if any; Debian's is the one with extended support."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


def main() -> int:
    """Install what is missing and may be installed; say plainly what happens otherwise."""
    wanted = []
    if found := chromium():
        print(f"browser tests use {found}")
    else:
        wanted.append(("browser", ["chromium", "fonts-liberation"]))
    if found := firefox():
        print(f"tests of another browser use {found}")
    else:
        wanted.append(("other browser's", ["firefox-esr"]))
    if found := slapd():
        print(f"directory tests use {found}")
    else:
        wanted.append(("directory", ["slapd"]))
    if not wanted:
        return 0
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        for tests, packages in wanted:
            print(f"{packages[0]} cannot be installed without root and apt: the {tests} tests will be skipped")
        return 0
    _run(["apt-get", "update"])
    for tests, packages in wanted:
        if "slapd" in packages:
            # the tests run one of their own: the machine's is neither set up nor started
            _run(["debconf-set-selections"], told="slapd slapd/no_configuration boolean true\n")
        failed = _run(["apt-get", "install", "-y", "--no-install-recommends", *packages])
        if failed:
            print(f"{packages[0]} could not be installed; the {tests} tests will be skipped:\n{failed}")
        else:
            print(f"{tests} tests use {packages[0]}, now installed")
    return 0


def _run(command: list[str], *, told: str = "") -> str:
    """Run a command; the end of what it complained of if it failed, else nothing."""
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, input=told, capture_output=True, text=True, check=False, env=quiet)
    except OSError as error:
        return str(error)
    return (done.stderr or done.stdout)[-800:] if done.returncode else ""


if __name__ == "__main__":
    sys.exit(main())
