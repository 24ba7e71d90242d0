"""Numbers of a run in the compact form that galleries and charts pull."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from athena.contract.runs import AcquisitionCurves, RunTable
from athena.errors import Invalid
from athena.server.caller import CallerDep
from athena.services import acquisitions, guard
from athena.zarrio import layout, reader

router = APIRouter(prefix="/runs/{run_id}", tags=["runs"])
