"""Storages: where files lie, and how full they are."""

from uuid import UUID

from fastapi import APIRouter

from athena.contract.storages import Storage, StorageCreate, StorageUpdate
from athena.server.caller import CallerDep
from athena.services import storage_checks, storages

router = APIRouter(prefix="/storages", tags=["storages"])


@router.get("")
def list_storages(caller: CallerDep) -> tuple[Storage, ...]:
    """List the connected storages with their use, as it was when they were last looked at."""
    with caller.reading() as session:
        return storages.list_storages(session, caller.principal)


@router.post("", status_code=201)
def add_storage(caller: CallerDep, new: StorageCreate) -> Storage:
    """Connect a storage, if it answers."""
    storages.open_wanted(caller.principal, new, caller.settings).check()
    with caller.writing() as session:
        added = storages.add_storage(session, caller.principal, new, settings=caller.settings)
    return _looked_at(caller, added.id)


@router.patch("/{storage_id}")
def update_storage(caller: CallerDep, storage_id: UUID, change: StorageUpdate) -> Storage:
    """Rename a storage, renew its options, set its quota, or choose it for new files of its role."""
    with caller.writing() as session:
        return storages.update_storage(session, caller.principal, storage_id, change, settings=caller.settings)


@router.delete("/{storage_id}", status_code=204)
def remove_storage(caller: CallerDep, storage_id: UUID) -> None:
    """Disconnect a storage that is not in use."""
    with caller.writing() as session:
        storages.remove_storage(session, caller.principal, storage_id)


@router.post("/{storage_id}/check")
def check_storage(caller: CallerDep, storage_id: UUID) -> Storage:
    """Look at a storage now."""
    with caller.writing() as session:
        storages.require_checkable(session, caller.principal, storage_id)
    return _looked_at(caller, storage_id)


def _looked_at(caller: CallerDep, storage_id: UUID) -> Storage:
    # no transaction is open while the storage is asked: it may be slow
    storage_checks.check_storage(caller.server.database, storage_id, caller.settings)
    with caller.reading() as session:
        return storages.get_storage(session, caller.principal, storage_id)
