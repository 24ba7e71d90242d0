"""One router a noun, all below ``/api``."""

from fastapi import APIRouter

from athena.server.routes import (
    acquisitions,
    audit,
    elements,
    events,
    files,
    groups,
    health,
    images,
    jobs,
    licences,
    metadata,
    notes,
    paths,
    people,
    places,
    runs,
    samples,
    search,
    sharing,
    storages,
    templates,
    tokens,
    uploads,
    users,
    zarr,
    zips,
)

ROUTERS: tuple[APIRouter, ...] = tuple(
    module.router
    for module in (
        health,
        people,
        users,
        tokens,
        licences,
        groups,
        elements,
        places,
        sharing,
        audit,
        templates,
        metadata,
        notes,
        samples,
        search,
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
    )
)
