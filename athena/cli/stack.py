"""Which processes make up an instance on one machine, and how they are started and found ready."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx

from athena.cli.supervisor import Service, Supervisor, free_port
from athena.settings import Settings

ATHENA = (sys.executable, "-m", "athena")
PORTAL_READY_SECONDS = 120.0


@dataclass(frozen=True)
class Addresses:
    """Where the parts of a running instance listen."""

    host: str
    api_port: int
    portal_port: int
    notebook_port: int

    @classmethod
    def choose(cls, settings: Settings) -> "Addresses":
        """The configured ports, or free ones where another program has them."""
        ports = [free_port(p, settings.host) for p in (settings.api_port, settings.portal_port, settings.notebook_port)]
        return cls(settings.host, *ports)

    @property
    def api(self) -> str:
        """Base address of the API."""
        return f"http://{self.host}:{self.api_port}"

    @property
    def portal(self) -> str:
        """Base address of the portal."""
        return f"http://{self.host}:{self.portal_port}"

    @property
    def notebook(self) -> str:
        """Base address of JupyterLab."""
        return f"http://{self.host}:{self.notebook_port}"

    def environment(self, settings: Settings) -> dict[str, str]:
        """Variables every process of the instance is started with."""
        return {
            "ATHENA_HOME": str(settings.home),
            "ATHENA_HOST": self.host,
            "ATHENA_API_PORT": str(self.api_port),
            "ATHENA_PORTAL_PORT": str(self.portal_port),
            "ATHENA_NOTEBOOK_PORT": str(self.notebook_port),
            "ATHENA_URL": self.api,
            # one movie a core: a library's own threads would only get in each other's way
            **{
                name: os.environ.get(name, "1")
                for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
            },
            # as athena.cli.process.keep_to_one_thread
            "NUMPY_MADVISE_HUGEPAGE": os.environ.get("NUMPY_MADVISE_HUGEPAGE", "0"),
        }


def answers(url: str) -> bool:
    """Whether something answers at ``url`` without a server error."""
    try:
        return httpx.get(url, timeout=2.0, follow_redirects=False).status_code < 500
    except httpx.HTTPError:
        return False


def start_core(
    supervisor: Supervisor,
    settings: Settings,
    addresses: Addresses,
    *,
    portal: bool,
    runner: bool = True,
    notebook: bool = False,
) -> None:
    """Start API, portal and runner; returns when API and portal answer. ``notebook``: JupyterLab will run too."""
    env = addresses.environment(settings)
    supervisor.start(Service("api", [*ATHENA, "api"], env, ready=lambda: answers(f"{addresses.api}/api/health")))
    if runner:
        supervisor.start(Service("runner", [*ATHENA, "runner"], env))
    if portal:
        supervisor.start(
            Service(
                "portal",
                [*ATHENA, "portal"],
                {**env, "ATHENA_LAB_URL": addresses.notebook} if notebook else env,
                ready=lambda: answers(f"{addresses.portal}/login"),
                ready_seconds=PORTAL_READY_SECONDS,
            )
        )


def notebook_service(settings: Settings, addresses: Addresses, folder: Path, token: str) -> Service:
    """JupyterLab on ``folder``; its kernels find the instance through the environment."""
    argv = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        f"--ServerApp.ip={addresses.host}",
        f"--ServerApp.port={addresses.notebook_port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={folder}",
        "--ServerApp.allow_root=True",
        "--ServerApp.jpserver_extensions={'athena.portal.lab': True}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.news_url=None",
    ]
    # the token travels in the environment: a command line is open to every user of the machine
    return Service("notebook", argv, {**addresses.environment(settings), "ATHENA_TOKEN": token, "JUPYTER_TOKEN": token})
