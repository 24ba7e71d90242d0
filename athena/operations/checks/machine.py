"""The machine: Python and packages, memory, ports, file watches, open files, kernels."""

import importlib.util
import os
import resource
import socket
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, entry_points, requires, version
from pathlib import Path

import psutil
from packaging.requirements import Requirement

from athena.operations.findings import Finding, error, fine, warning
from athena.sdk.instance import find_instance
from athena.settings import Settings

DISTRIBUTION = "athena-cryoem"
PYTHON = (3, 11)
LOW_MEMORY_BYTES = 1 << 30
WORKER_BYTES = 3 << 29
"""What a worker needs for a movie of usual size."""
FEW_WATCHES = 65_536
FEW_WATCH_INSTANCES = 128
FEW_OPEN_FILES = 1024
INOTIFY = Path("/proc/sys/fs/inotify")


def check_python(_settings: Settings) -> Iterator[Finding]:
    """Python and every package that Athena needs are there in a version it can use."""
    if sys.version_info < PYTHON:
        yield error("python", f"Python {sys.version.split()[0]} is too old.", "Install Python 3.11 or newer.")
    unmet = [found for wanted in requires(DISTRIBUTION) or () if (found := _unmet(Requirement(wanted)))]
    if unmet:
        yield error("packages", f"Not as needed: {', '.join(unmet)}.", "Run 'make install' (or pip install) again.")
    else:
        yield fine("packages", f"Python {sys.version.split()[0]}, Athena {version(DISTRIBUTION)}, all packages fit.")


def _unmet(wanted: Requirement) -> str:
    """What is wrong with a requirement; empty when it is met or not for this machine."""
    if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
        return ""
    try:
        found = version(wanted.name)
    except PackageNotFoundError:
        return f"{wanted.name} is missing"
    return "" if wanted.specifier.contains(found, prereleases=True) else f"{wanted} (there is {found})"


def check_memory(settings: Settings) -> Iterator[Finding]:
    """There is memory for the workers that are to run."""
    memory = psutil.virtual_memory()
    workers = settings.workers or os.cpu_count() or 1
    said = f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB are free, for {workers} workers"
    if memory.available < LOW_MEMORY_BYTES:
        yield error("memory", f"{said}.", "Close other programs, or movies will fail.")
    elif settings.dask == "local" and workers * WORKER_BYTES > memory.total:
        fit = max(1, int(memory.total // WORKER_BYTES))
        yield warning("memory", f"{said}: too many for large movies.", f"Set ATHENA_WORKERS={fit}.")
    else:
        yield fine("memory", f"{said}.")


def check_ports(settings: Settings) -> Iterator[Finding]:
    """The ports are free, or this instance has them."""
    if find_instance(settings) is not None:
        yield fine("ports", "This instance runs and has its ports.")
        return
    ports = {"API": settings.api_port, "portal": settings.portal_port, "JupyterLab": settings.notebook_port}
    if settings.auth == "hub":
        ports |= {"hub": settings.hub_port, "hub's API": settings.hub_internal_port}
    taken = [f"{port} ({name})" for name, port in ports.items() if port and not _is_free(port, settings.host)]
    if taken:
        advice = "'athena up' takes others instead. For fixed addresses end the other program, or set ATHENA_*_PORT."
        yield warning("ports", f"Another program has {', '.join(taken)}.", advice)
    else:
        yield fine("ports", f"{', '.join(str(port) for port in ports.values())} are free.")


def _is_free(port: int, host: str) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def check_watches(_settings: Settings) -> Iterator[Finding]:
    """The system lets a program watch as many folders as a session has."""
    if not INOTIFY.exists():
        yield fine("file watches", "This system sets no limit.")
        return
    few = [
        f"{name} is {limit}"
        for name, least in (("max_user_watches", FEW_WATCHES), ("max_user_instances", FEW_WATCH_INSTANCES))
        if (limit := int((INOTIFY / name).read_text())) < least
    ]
    if few:
        advice = (
            f"As root: sysctl fs.inotify.max_user_watches={8 * FEW_WATCHES} fs.inotify.max_user_instances=512. "
            "Until then large sessions are found by polling, later."
        )
        yield warning("file watches", f"{' and '.join(few)}.", advice)
    else:
        yield fine("file watches", "The limits of inotify are high enough.")


def check_open_files(_settings: Settings) -> Iterator[Finding]:
    """A process may open as many files as a busy runner does."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < FEW_OPEN_FILES:
        yield warning("open files", f"A process may open {soft} files.", f"Raise it: ulimit -n {4 * FEW_OPEN_FILES}.")
    else:
        yield fine("open files", f"A process may open {soft} files.")


def check_kernels(_settings: Settings) -> Iterator[Finding]:
    """The compiled kernels of the installed steps are cached."""
    packages = {entry.module.partition(".")[0] for entry in entry_points(group="athena.warm_up")}
    stale = sorted(name for package in packages for name in _uncompiled(package))
    if stale:
        shown = ", ".join(stale[:3]) + (" …" if len(stale) > 3 else "")
        advice = "Run 'make install', or wait: the first movie compiles them, which takes about a minute."
        yield warning("kernels", f"Not compiled since they last changed: {shown}.", advice)
    else:
        yield fine("kernels", "The compiled kernels are cached.")


def _uncompiled(package: str) -> Iterator[str]:
    """Modules of a package with cached kernels that are older than their source, or not there."""
    found = importlib.util.find_spec(package)
    for folder in (found.submodule_search_locations or ()) if found is not None else ():
        for source in Path(folder).rglob("*.py"):
            # the simulator's kernels are compiled when it is first used
            if "simulate" in source.parts or "cache=True" not in source.read_text(errors="replace"):
                continue
            caches = [*_cache_folder(source).rglob(f"{source.stem}.*.nbi")]
            if not caches or max(cache.stat().st_mtime for cache in caches) < source.stat().st_mtime:
                yield source.stem


def _cache_folder(source: Path) -> Path:
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    return Path(chosen) if chosen else source.parent / "__pycache__"
