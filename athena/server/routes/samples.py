"""Samples, and what came of them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from athena.contract.samples import ElementSample, Sample, SampleCreate, SamplePage, SampleUpdate
from athena.contract.search import Placed
from athena.server.caller import CallerDep
from athena.server.limits import Limit, Offset
from athena.services import samples

router = APIRouter(tags=["samples"])


@router.get("/samples")
def list_samples(
    caller: CallerDep,
    *,
    text: Annotated[str, Query(max_length=200, description="Held by the name, type or barcode.")] = "",
    offset: Offset = 0,
    limit: Limit = 100,
) -> SamplePage:
    """List samples by name."""
    with caller.reading() as session:
        return samples.list_samples(session, caller.principal, text=text, offset=offset, limit=limit)


@router.post("/samples", status_code=201)
def create_sample(caller: CallerDep, new: SampleCreate) -> Sample:
    """Register a sample."""
    with caller.writing() as session:
        return samples.create_sample(session, caller.principal, new)


@router.get("/samples/{sample_id}")
def get_sample(caller: CallerDep, sample_id: UUID) -> Sample:
    """Give one sample."""
    with caller.reading() as session:
        return samples.get_sample(session, caller.principal, sample_id)


@router.patch("/samples/{sample_id}")
def update_sample(caller: CallerDep, sample_id: UUID, change: SampleUpdate) -> Sample:
    """Change a sample."""
    with caller.writing() as session:
        return samples.update_sample(session, caller.principal, sample_id, change)


@router.delete("/samples/{sample_id}", status_code=204)
def delete_sample(caller: CallerDep, sample_id: UUID) -> None:
    """Delete a sample that nothing is linked to."""
    with caller.writing() as session:
        samples.delete_sample(session, caller.principal, sample_id)


@router.get("/samples/{sample_id}/elements")
def list_products(caller: CallerDep, sample_id: UUID) -> tuple[Placed, ...]:
    """Give all that came of a sample: linked steps and datasets, and the datasets in the steps."""
    with caller.reading() as session:
        return samples.products_of(session, caller.principal, sample_id)


@router.put("/samples/{sample_id}/elements/{element_id}")
def link_sample(caller: CallerDep, sample_id: UUID, element_id: UUID) -> Sample:
    """Say that a step or dataset was made of a sample."""
    with caller.writing() as session:
        return samples.link_sample(session, caller.principal, sample_id, element_id)


@router.delete("/samples/{sample_id}/elements/{element_id}", status_code=204)
def unlink_sample(caller: CallerDep, sample_id: UUID, element_id: UUID) -> None:
    """Take that back."""
    with caller.writing() as session:
        samples.unlink_sample(session, caller.principal, sample_id, element_id)


@router.get("/elements/{element_id}/samples")
def list_element_samples(caller: CallerDep, element_id: UUID) -> tuple[ElementSample, ...]:
    """Give the samples that an element, or the one it lies in, was made of."""
    with caller.reading() as session:
        return samples.samples_of(session, caller.principal, element_id)
