"""Storages as people see them and administrators manage them (ST-01, ST-02, AD-01)."""

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from athena.contract.events import EventKind
from athena.contract.people import Principal
from athena.contract.storages import Storage as StorageModel
from athena.contract.storages import StorageCreate, StorageRole, StorageState, StorageUpdate, StorageUse
from athena.db.elements import FileRow
from athena.db.events import append_event
from athena.db.storages import StorageRow, UploadRow
from athena.errors import Conflict, Invalid, NotFound
from athena.services.guard import require_admin
from athena.services.storage_access import open_row
from athena.settings import Settings
from athena.storages import Storage, open_storage

READABLE = frozenset({"endpoint", "region", "bucket", "virtual_hosted_style_request", "skip_signature", "allow_http"})
"""Options that are no secret; any other is, whatever a store comes to call it."""


def list_storages(session: Session, principal: Principal) -> tuple[StorageModel, ...]:
    """Connected storages by role and name; how they are reached is told to administrators alone."""
    order = list(StorageRole)
    rows = session.scalars(select(StorageRow).order_by(StorageRow.name)).all()
    return tuple(_describe(row, principal) for row in sorted(rows, key=lambda row: order.index(StorageRole(row.role))))


def get_storage(session: Session, principal: Principal, storage_id: UUID) -> StorageModel:
    """One storage."""
    return _describe(_get(session, storage_id), principal)


def require_checkable(session: Session, principal: Principal, storage_id: UUID) -> None:
    """Refuse who may not have a storage looked at now: NotFound, Forbidden."""
    require_admin(principal)
    _get(session, storage_id)


def open_wanted(principal: Principal, wanted: StorageCreate, settings: Settings) -> Storage:
    """Storage that is about to be added, for the caller to check before it is. Raises Forbidden, Invalid."""
    require_admin(principal)
    read_only = wanted.role is StorageRole.ACQUISITION
    return open_storage(wanted.url, wanted.options, home=settings.home, read_only=read_only)


def add_storage(session: Session, principal: Principal, wanted: StorageCreate, *, settings: Settings) -> StorageModel:
    """Connect a storage. Raises Forbidden, Invalid, or Conflict where the name or the place is taken."""
    open_wanted(principal, wanted, settings)
    if wanted.chosen and wanted.role is StorageRole.ACQUISITION:
        raise Invalid("Athena writes nothing to an acquisition storage, so none is chosen for new files.")
    taken = session.scalar(select(StorageRow.name).where(StorageRow.url == wanted.url))
    if taken is not None:
        raise Conflict(f"{wanted.url} is connected already, as “{taken}”.")
    row = StorageRow(name=wanted.name, url=wanted.url, role=wanted.role.value, quota_bytes=wanted.quota_bytes)
    row.options, row.secrets = _split(wanted.options)
    session.add(row)
    _flush_named(session, wanted.name)
    if wanted.chosen:
        _choose(session, row)
    append_event(session, EventKind.STORAGE_CHANGED)
    return _describe(row, principal)


def update_storage(
    session: Session, principal: Principal, storage_id: UUID, change: StorageUpdate, *, settings: Settings
) -> StorageModel:
    """Rename a storage, renew its options, set its quota, or choose it for new files of its role.

    Where it lies and its role stay: its files are there. Raises NotFound, Forbidden, Invalid, Conflict.
    """
    require_admin(principal)
    row = _get(session, storage_id)
    if change.name is not None:
        row.name = change.name
    if change.options is not None:
        merged = {name: value for name, value in {**row.options, **row.secrets, **change.options}.items() if value}
        row.options, row.secrets = _split(merged)
        open_row(row, settings)
        row.state, row.message = StorageState.UNKNOWN.value, ""
    if change.quota_bytes is not None:
        row.quota_bytes = change.quota_bytes or None
    _flush_named(session, row.name)
    if change.chosen is not None:
        _set_chosen(session, row, chosen=change.chosen)
    append_event(session, EventKind.STORAGE_CHANGED)
    return _describe(row, principal)


def remove_storage(session: Session, principal: Principal, storage_id: UUID) -> None:
    """Disconnect a storage that holds nothing of Athena's; what else lies there is not touched.

    Raises NotFound, Forbidden, or Conflict where it holds files, is being uploaded to, or is chosen.
    """
    require_admin(principal)
    row = _get(session, storage_id)
    if row.chosen:
        raise Conflict(f"The storage “{row.name}” is chosen for new files.", hint="Choose another one first.")
    for used in (FileRow, UploadRow):
        if session.scalar(select(used.id).where(used.storage_id == storage_id).limit(1)) is not None:
            raise Conflict(f"The storage “{row.name}” is in use.", hint="Delete or move its files first.")
    session.delete(row)
    session.flush()
    append_event(session, EventKind.STORAGE_CHANGED)


def prepare_storages(session: Session, settings: Settings) -> None:
    """Connect what a new instance begins with; nothing happens where there are storages already.

    Acquisition folders of the settings are connected whenever they are missing.
    """
    known = set(session.scalars(select(StorageRow.url)))
    if not known:
        files = "home:data/files" if settings.data_dir is None else (settings.data_dir.resolve() / "files").as_uri()
        defaults = {StorageRole.PRIMARY: files, StorageRole.EXPORT: "home:export", StorageRole.ARCHIVE: "home:archive"}
        for role, url in defaults.items():
            session.add(StorageRow(name=role.value.capitalize(), url=url, role=role.value, chosen=True))
    for root in settings.acquisition_roots:
        folder = root.expanduser().resolve()
        if folder.as_uri() not in known:
            name = f"Acquisition {folder}".replace("/", "∕")[-100:]  # a name has no slash
            session.add(StorageRow(name=name, url=folder.as_uri(), role=StorageRole.ACQUISITION.value))
    session.flush()


def _set_chosen(session: Session, row: StorageRow, *, chosen: bool) -> None:
    if chosen and row.role == StorageRole.ACQUISITION:
        raise Invalid("Athena writes nothing to an acquisition storage, so none is chosen for new files.")
    if chosen:
        _choose(session, row)
    elif row.chosen:
        raise Conflict(f"New files of the role {row.role} have to go somewhere.", hint="Choose another storage.")


def _choose(session: Session, row: StorageRow) -> None:
    """Make a storage the one of its role; the other is let go first, for at no moment may there be two."""
    others = update(StorageRow).where(StorageRow.role == row.role, StorageRow.id != row.id)
    session.execute(others.values(chosen=False))
    row.chosen = True
    session.flush()


def _flush_named(session: Session, name: str) -> None:
    """Write, and tell a taken name."""
    try:
        session.flush()
    except IntegrityError as problem:
        raise Conflict(f"There is a storage “{name}” already.", hint="Use another name.") from problem


def _get(session: Session, storage_id: UUID) -> StorageRow:
    row = session.get(StorageRow, storage_id)
    if row is None:
        raise NotFound(f"There is no storage {storage_id}.")
    return row


def _split(options: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Options that may be shown, and the secret ones."""
    plain = {name for name in options if name in READABLE or name.removeprefix("aws_") in READABLE}
    return (
        {name: value for name, value in options.items() if name in plain},
        {name: value for name, value in options.items() if name not in plain},
    )


def _describe(row: StorageRow, principal: Principal) -> StorageModel:
    open_to_all = StorageModel(
        id=row.id,
        name=row.name,
        role=StorageRole(row.role),
        read_only=row.role == StorageRole.ACQUISITION,
        chosen=row.chosen,
        use=StorageUse(
            state=StorageState(row.state),
            message=row.message if principal.is_admin else "",
            checked=row.checked,
            file_count=row.file_count,
            used_bytes=row.used_bytes,
            total_bytes=row.total_bytes,
            free_bytes=row.free_bytes,
            quota_bytes=row.quota_bytes,
        ),
    )
    if not principal.is_admin:
        return open_to_all
    return open_to_all.model_copy(
        update={"url": row.url, "options": dict(row.options), "secrets": tuple(sorted(row.secrets))}
    )
