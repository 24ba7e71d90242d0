"""The connected storages: their use, and for administrators where they lie and what they are (ST-02, AD-01)."""

from typing import Any

import param

from athena.contract.storages import Storage
from athena.portal.components.answering import Answering


def storage_item(storage: Storage) -> dict[str, Any]:
    """A storage as components take it; sizes in bytes."""
    use = storage.use
    return {
        "id": str(storage.id),
        "name": storage.name,
        "role": storage.role.value,
        "chosen": storage.chosen,
        "state": use.state.value,
        "message": use.message,
        "checked": use.checked.isoformat() if use.checked else "",
        "used": use.used_bytes,
        "total": use.total_bytes,
        "free": use.free_bytes,
        "quota": use.quota_bytes,
        "files": use.file_count,
        "url": storage.url,
        "options": storage.options or {},
        "secrets": list(storage.secrets or ()),
    }


class StorageBoard(Answering):
    """It asks ``check``, ``choose``, ``remove`` (id), ``change`` (id, values) and ``add`` (values)."""

    storages = param.List(default=[], item_type=dict, doc="As storage_item gives them.")
    manage = param.Boolean(default=False, doc="Whether the visitor may connect and change them.")
