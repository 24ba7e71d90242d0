"""The files of an element, folder by folder (WS-15, WS-16)."""

from typing import Any

import param

from athena.contract.files import File, FileFolder
from athena.domain.zarr_folders import zarr_folder
from athena.portal.components.asking import Asking
from athena.portal.file_kinds import ZARR_VOLUME, describe_kind


def file_item(file: File) -> dict[str, Any]:
    """A file as the list takes it."""
    kind, viewer = describe_kind(file.name)
    zarr = zarr_folder(file.name)
    return {
        "id": str(file.id),
        "name": zarr or file.name,
        # the size of a zarr is that of its folder, of which this is one file
        "size": None if zarr else file.size,
        "kind": kind,
        "viewer": viewer.value,
        "created": file.created.isoformat(),
        "creator": file.creator,
    }


def folder_item(folder: FileFolder) -> dict[str, Any]:
    """A folder as the list takes it; one that is a volume opens as that."""
    return folder.model_dump(mode="json") | {"kind": ZARR_VOLUME if folder.volume else "Folder"}


class FileList(Asking):
    """One folder of files: thousands of them are drawn as they are scrolled to.

    It asks ``page`` (key, offset) for files not sent yet, ``rename`` (id, name) and ``delete`` (files, folders).
    """

    element = param.String(default="", doc="Id of the element they are of.")
    element_name = param.String(default="")
    address = param.String(default="", doc="Of the element in the API, as the browser reaches it.")
    zip_address = param.String(default="", doc="Of the API's zips.")
    base = param.String(default="", doc="Address of the page without folder, file and order.")
    may_write = param.Boolean(default=False)
    listing = param.Dict(
        default={}, doc="{key, dir, sort, descending, folders, files, total, bytes}; files: the first ones."
    )
    solid = param.String(default="", doc="Address of the folder in three dimensions; empty: nothing in it has them.")
    page = param.Dict(default={}, doc="More files: {key, offset, files}; those of another key are of no use.")
    busy = param.Boolean(default=False, doc="Whether a deletion is under way.")
    problem = param.String(default="", doc="Why the last thing asked was not done.")
