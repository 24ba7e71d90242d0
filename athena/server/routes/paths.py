"""Elements by the path of their names: ``Folder/Workflow/Step/Run name``."""

from typing import Annotated

from fastapi import APIRouter, Query

from athena.contract.elements import Element, PathCreate
from athena.server.caller import CallerDep
from athena.services import licences, paths

router = APIRouter(prefix="/paths", tags=["elements"])


@router.get("")
def find_path(caller: CallerDep, path: Annotated[str, Query(min_length=1, max_length=2000)]) -> Element:
    """Give the element at a path."""
    with caller.reading() as session:
        return paths.find_path(session, caller.principal, path)


@router.post("")
def ensure_path(caller: CallerDep, new: PathCreate) -> Element:
    """Give the element at a path, with whatever was missing on the way created."""
    with caller.writing() as session:
        features = licences.licensed_features(session, settings=caller.settings)
        return paths.ensure_path(session, caller.principal, new.path, dataset_type=new.dataset_type, features=features)
