"""JupyterHub for one machine, as ``athena up --hub`` starts it.

Everything comes from the ``ATHENA_*`` environment (``hub_config.launch``); a larger site writes its own file and keeps
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
login_token = os.environ["ATHENA_HUB_LOGIN_TOKEN"]

# the hub itself and its proxy
c.JupyterHub.bind_url = f"http://{settings.host}:{settings.hub_port}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{settings.hub_internal_port}"
c.JupyterHub.db_url = f"sqlite:///{folder / 'jupyterhub.sqlite'}"
c.JupyterHub.pid_file = str(folder / "jupyterhub.pid")
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{settings.hub_proxy_port}"
c.ConfigurableHTTPProxy.command = [sys.executable, "-m", "hub_config.proxy"]
c.ConfigurableHTTPProxy.pid_file = str(folder / "proxy.pid")
c.JupyterHub.default_url = "/services/athena-portal/"

# people: Athena's own
c.JupyterHub.authenticator_class = AthenaAuthenticator
c.Authenticator.allow_all = True  # whoever the authenticator lets pass is a user of Athena
c.AthenaAuthenticator.api_url = api_url
c.AthenaAuthenticator.service_token = login_token

# notebook servers: processes of this machine's user, each person with a folder of their own
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(settings.home / "users" / "{username}")
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.environment = {"ATHENA_URL": api_url}
c.Spawner.default_url = "/lab"

# Athena's parts, started and restarted by the hub
part = [sys.executable, "-m", "athena"]
c.JupyterHub.services = [
    {
        "name": "athena-api",
        "url": api_url,
        "command": [*part, "api"],
        "environment": {"ATHENA_API_PREFIX": "/services/athena-api"},
        "display": False,
    },
    {
        "name": "athena-portal",
        "url": f"http://127.0.0.1:{settings.portal_port}",
        "command": [*part, "portal"],
        "environment": {"ATHENA_URL": api_url},
        "oauth_no_confirm": True,
        "oauth_client_allowed_scopes": ["access:services"],
    },
    {"name": "athena-runner", "command": [*part, "runner"]},
    {"name": "athena-login", "api_token": login_token},
]
c.JupyterHub.load_roles = [
    {"name": "user", "scopes": ["self", "access:services"]},
    # what the token of a notebook server may do: report activity, and speak to Athena as its user
    {"name": "server", "scopes": ["users:activity!user", "access:servers!server", "access:services"]},
]
