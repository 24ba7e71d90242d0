"""One router a noun, all below ``/api``."""

from fastapi import APIRouter

from athena.server.routes import (
    acquisitions,
    cleanup,
    elements,
    events,
    exports,
    files,
    health,
    images,
    jobs,
    paths,
    people,
    run_filters,
    runs,
    storages,
    uploads,
    zarr,
    zips,
)

ROUTERS: tuple[APIRouter, ...] = tuple(
    module.router
    for module in (
        health,
        people,
        elements,
        paths,
        runs,
        acquisitions,
        images,
        zarr,
        events,
        jobs,
        storages,
        files,
        uploads,
        zips,
        exports,
        run_filters,
        cleanup,
    )
)
