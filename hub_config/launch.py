"""What to start for ``athena up --hub``: one JupyterHub, which starts everything else."""

import contextlib
import json
import os
import secrets
import sys
from pathlib import Path

from athena.settings import Settings

CONFIG_FILE = Path(__file__).with_name("jupyterhub_config.py")


def hub_command(settings: Settings, *, portal: bool = True, runner: bool = True) -> tuple[list[str], dict[str, str]]:
    """Command and environment of the hub of an instance.

    The hub keeps its state in ``<home>/hub``; it starts the proxy, the API, the portal and the runner, and stops them
    with itself. Secrets are made on the first start and stay.

    Parameters
    ----------
    settings : of the instance.
    portal, runner : whether the hub starts them; a runner may as well live on another machine.
    """
    folder = settings.home / "hub"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTERHUB_", "ATHENA_"))}
    environment = {
        **inherited,
        **instance_environment(settings),
        "CONFIGPROXY_AUTH_TOKEN": _secret(folder / "proxy_token"),
        "JPY_COOKIE_SECRET": _secret(folder / "cookie_secret"),
        "HUB_LOGIN_TOKEN": _secret(folder / "login_token"),
        "HUB_STARTS": " ".join(["api", *(["portal"] if portal else []), *(["runner"] if runner else [])]),
    }
    return [sys.executable, "-m", "jupyterhub", "--config", str(CONFIG_FILE)], environment


def instance_environment(settings: Settings) -> dict[str, str]:
    """Settings in force as ``ATHENA_*`` variables, so that whatever the hub starts has the same ones."""
    values = settings.model_dump(mode="json", exclude={"token", "url", "api_prefix", "auth"})
    environment = {
        f"ATHENA_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
        if value not in (None, "")
    }
    return {**environment, "ATHENA_AUTH": "hub"}


def _secret(path: Path) -> str:
    """Secret kept in a file only its owner may read; made when there is none."""
    with contextlib.suppress(FileExistsError):
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(secrets.token_hex(32))
    return path.read_text()
