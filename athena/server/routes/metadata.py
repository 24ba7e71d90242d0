"""Typed metadata of elements, and the catalogue of quantities."""

from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query, Response

from athena.contract.elements import MetadataEntry
from athena.contract.metadata import (
    Converted,
    KnownName,
    MetadataFile,
    MetadataFormat,
    MetadataImport,
    MetadataName,
    MetadataWrite,
    Quantity,
)
from athena.domain.metadata_files import MEDIA_TYPES, file_name, write_file
from athena.server.caller import CallerDep
from athena.services import elements, metadata

router = APIRouter(tags=["metadata"])

Filter = Annotated[str, Query(alias="filter", max_length=200, description="Keeps entries that hold these words.")]
Typed = Annotated[str, Query(max_length=200, description="What was typed so far.")]
_FILE: dict[int | str, dict[str, object]] = {
    200: {
        "content": {media.split(";")[0]: {} for media in MEDIA_TYPES.values()},
        "description": "The file; Content-Disposition names it.",
    }
}


@router.get("/elements/{element_id}/metadata")
def list_metadata(caller: CallerDep, element_id: UUID, *, filter_text: Filter = "") -> tuple[MetadataEntry, ...]:
    """Give the metadata of an element: General, Custom, then what acquisitions brought."""
    with caller.reading() as session:
        return metadata.list_metadata(session, caller.principal, element_id, filter_text=filter_text)


@router.post("/elements/{element_id}/metadata", status_code=201)
def add_metadatum(caller: CallerDep, element_id: UUID, new: MetadataWrite) -> MetadataEntry:
    """Add a metadatum to the group Custom; 409 where the name is taken."""
    with caller.writing() as session:
        return metadata.add_metadatum(session, caller.principal, element_id, new)


@router.put("/elements/{element_id}/metadata")
def set_metadatum(caller: CallerDep, element_id: UUID, new: MetadataWrite) -> MetadataEntry:
    """Add a metadatum to the group Custom, or replace the one of this name."""
    with caller.writing() as session:
        return metadata.set_metadatum(session, caller.principal, element_id, new)


@router.delete("/elements/{element_id}/metadata", status_code=204)
def remove_metadatum(caller: CallerDep, element_id: UUID, name: Annotated[MetadataName, Query()]) -> None:
    """Remove a metadatum of the group Custom."""
    with caller.writing() as session:
        metadata.remove_metadatum(session, caller.principal, element_id, name)


@router.get("/elements/{element_id}/metadata/file", response_class=Response, responses=_FILE)
def export_metadata(
    caller: CallerDep,
    element_id: UUID,
    *,
    format: MetadataFormat = MetadataFormat.JSON,
    name: Annotated[str, Query(max_length=200, description="Of the file; left out: the element's.")] = "",
    filter_text: Filter = "",
) -> Response:
    """Give the metadata of an element as a file."""
    with caller.reading() as session:
        entries = metadata.list_metadata(session, caller.principal, element_id, filter_text=filter_text)
        element = elements.get_element(session, caller.principal, element_id).name
    body = write_file(element, entries, format)
    return Response(body, media_type=MEDIA_TYPES[format], headers=_attachment(file_name(name or element, format)))


@router.post("/elements/{element_id}/metadata/file")
def import_metadata(caller: CallerDep, element_id: UUID, file: MetadataFile) -> MetadataImport:
    """Take over the Custom entries of an export as JSON; all or none."""
    with caller.writing() as session:
        return metadata.import_metadata(session, caller.principal, element_id, file)


@router.get("/metadata/names")
def list_metadata_names(caller: CallerDep, text: Typed = "") -> tuple[KnownName, ...]:
    """Give names already used on elements the caller may see, for completion."""
    with caller.reading() as session:
        return metadata.known_names(session, caller.principal, text)


@router.get("/quantities")
def list_quantities(caller: CallerDep, text: Typed = "") -> tuple[Quantity, ...]:
    """Give the physical quantities with their units; searched by name, unit or symbol."""
    return metadata.list_quantities(caller.principal, text=text)


@router.get("/quantities/{quantity}/converted")
def convert(
    caller: CallerDep,
    quantity: str,
    value: Annotated[float, Query(allow_inf_nan=False)],
    unit: Annotated[str, Query(max_length=40)],
    to: Annotated[str, Query(max_length=40)],
) -> Converted:
    """Give a value in another unit of its quantity."""
    return metadata.convert(caller.principal, value, quantity, unit=unit, to=to)


def _attachment(name: str) -> dict[str, str]:
    """Header that names a download; everything but plain characters is encoded, so no name can add a header."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in " ._-()") else "_" for c in name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return {"Content-Disposition": disposition, "Cache-Control": "no-store"}
