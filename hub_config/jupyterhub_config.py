"""JupyterHub for one machine, as ``athena up --hub`` starts it.

Everything comes from the environment that ``hub_config.launch`` makes. A larger site writes a file of its own and keeps
the two things that matter: the authenticator, and the services with their scopes.
"""

import os
import sys

from athena.settings import Settings
from hub_config.authenticator import AthenaAuthenticator

c = get_config()  # type: ignore[name-defined]  # noqa: F821 - JupyterHub gives it to its configuration file

settings = Settings()
folder = settings.home / "hub"
api_url = f"http://127.0.0.1:{settings.api_port}"
login_token = os.environ["HUB_LOGIN_TOKEN"]

START_SECONDS = 120
"""How long a part may take to answer: a first start migrates the database, on a machine that may be busy."""

# the hub itself and its proxy
c.JupyterHub.bind_url = f"http://{settings.host}:{settings.hub_port}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{settings.hub_internal_port}"
c.JupyterHub.db_url = f"sqlite:///{folder / 'jupyterhub.sqlite'}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{settings.hub_proxy_port}"
c.ConfigurableHTTPProxy.command = [sys.executable, "-m", "hub_config.proxy"]
c.ConfigurableHTTPProxy.pid_file = str(folder / "proxy.pid")

# people: Athena's own
c.JupyterHub.authenticator_class = AthenaAuthenticator
# no notebook server, and no hub, for who has lost account or licence meanwhile, whoever asks and however
c.Authenticator.refresh_pre_spawn = c.Authenticator.auth_refresh_strict = True
c.Authenticator.allow_all = True  # whoever the authenticator lets pass is a user of Athena
c.AthenaAuthenticator.api_url = api_url
c.AthenaAuthenticator.service_token = login_token

# Notebook servers: processes of this machine's user, each person with a folder of their own. People are kept apart by
# Athena's permissions, not by the operating system; a site that needs that uses a spawner of containers or accounts.
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(settings.home / "users" / "{username}")
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.args = [
    "--ServerApp.jpserver_extensions={'athena.portal.lab': True}",  # opens the portal's pages as notebooks
    *(["--allow-root"] if os.geteuid() == 0 else []),
]
c.Spawner.default_url = "/lab"
c.Spawner.environment = {"ATHENA_URL": api_url}
c.Spawner.start_timeout = c.Spawner.http_timeout = START_SECONDS

# Athena's parts, started and restarted by the hub; they listen on this machine only, the proxy is the way in
instance = {name: value for name, value in os.environ.items() if name.startswith("ATHENA_")}
instance |= {"ATHENA_HOST": "127.0.0.1"}
part = [sys.executable, "-m", "hub_config.parent", sys.executable, "-m", "athena"]
services = {
    "api": {
        "name": "athena-api",
        "url": api_url,
        "command": [*part, "api"],
        "environment": {**instance, "ATHENA_API_PREFIX": "/services/athena-api"},
        "timeout": START_SECONDS,
        "display": False,
    },
    "portal": {
        "name": "athena-portal",
        "url": f"http://127.0.0.1:{settings.portal_port}",
        "command": [*part, "portal"],
        "environment": {**instance, "ATHENA_URL": api_url},
        "timeout": START_SECONDS,
        "oauth_no_confirm": True,
        # the portal acts at the API as the person who logged in
        "oauth_client_allowed_scopes": ["access:services"],
    },
    "runner": {"name": "athena-runner", "command": [*part, "runner"], "environment": instance},
}
starts = os.environ["HUB_STARTS"].split()
c.JupyterHub.services = [
    *(services[name] for name in starts),
    # the hub itself, when it asks Athena's API about a password
    {"name": "athena-login", "api_token": login_token},
]
if "portal" in starts:
    c.JupyterHub.default_url = "/services/athena-portal/"
c.JupyterHub.load_roles = [
    {"name": "user", "scopes": ["self", "access:services"]},
    # what the token of a notebook server may do: report activity, and speak to Athena as its user
    {"name": "server", "scopes": ["users:activity!user", "access:servers!server", "access:services"]},
]
