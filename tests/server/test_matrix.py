"""Every route asked by everybody: what is answered follows the table of ``athena.domain.permissions``.

A new route fails here until ``MATRIX`` says what it needs; those about people are in ``test_people``.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

import httpx
import pytest

from athena.contract.elements import DatasetCreate, DatasetType, Element, FolderCreate, Template, WorkflowCreate
from athena.contract.groups import GroupCreate
from athena.contract.metadata import MetadataWrite
from athena.contract.notes import NoteWrite
from athena.contract.people import Action, PlatformRole, Principal, Role
from athena.contract.samples import SampleCreate
from athena.contract.sharing import GrantChange
from athena.contract.storages import StorageRole
from athena.db.elements import FileRow
from athena.db.engine import Database
from athena.db.jobs import JobRow
from athena.db.named_filters import NamedFilterRow
from athena.db.storages import StorageRow
from athena.db.user_metrics import UserMetricRow
from athena.domain.permissions import can
from athena.domain.roles import PlatformAction, may
from athena.services import elements, groups, metadata, notes, samples, sharing
from athena.services.filter_versions import keep_version
from athena.services.guard import may_manage_users
from athena.services.storage_access import chosen_row, open_row
from tests.conftest import add_acquisitions, add_session
from tests.server.conftest import Api
from tests.server.test_walk import BODIES, FILLED, PEOPLE, QUERIES, operations


class Need(Enum):
    """What a route needs that names no element."""

    NOTHING = auto()
    A_USER = auto()
    USER_MANAGER = auto()
    INITIATOR = auto()
    """Who started the job, here the owner; administrators any."""
    ADMIN = auto()


MATRIX: dict[str, Need | Action] = {
    "get_health": Need.NOTHING,
    "list_services": Need.ADMIN,
    "report_service": Need.ADMIN,
    "list_plugins": Need.A_USER,
    "get_me": Need.A_USER,
    "list_groups": Need.A_USER,
    "create_group": Need.USER_MANAGER,
    "update_group": Need.USER_MANAGER,
    "delete_group": Need.USER_MANAGER,
    "find_grantees": Need.A_USER,
    "list_templates": Need.A_USER,
    "list_events": Need.A_USER,
    "list_jobs": Need.A_USER,
    "list_job_kinds": Need.A_USER,
    "get_job": Need.A_USER,  # an open one
    "start_job": Action.DELETE,  # a deletion
    "cancel_job": Need.INITIATOR,
    "retry_job": Need.INITIATOR,
    "remove_job": Need.INITIATOR,
    "remove_ended_jobs": Need.A_USER,
    "cancel_jobs_of_kind": Need.ADMIN,
    "update_live_export": Action.WRITE,
    "get_run_filter": Action.VIEW,
    "save_run_filter": Action.WRITE,
    "list_named_filters": Action.VIEW,
    "list_filter_versions": Action.VIEW,
    "get_filter_version": Action.VIEW,
    "add_named_filter": Action.WRITE,
    "update_named_filter": Action.WRITE,
    "remove_named_filter": Action.WRITE,
    "get_criteria": Action.VIEW,
    "get_report": Action.VIEW,
    "get_movie": Action.VIEW,
    "get_micrograph": Action.VIEW,
    "set_criteria": Action.WRITE,
    "reset_criteria": Action.WRITE,
    "get_verdicts": Action.VIEW,
    "give_verdict": Action.WRITE,
    "get_cleanup_sizes": Action.DELETE,
    "ensure_path": Need.A_USER,
    "list_elements": Action.VIEW,
    "create_element": Action.WRITE,
    "get_element": Action.VIEW,
    "update_element": Action.WRITE,
    "get_breadcrumb": Action.VIEW,
    "mark_opened": Action.VIEW,
    "list_metadata": Action.VIEW,
    "add_metadatum": Action.WRITE,
    "set_metadatum": Action.WRITE,
    "remove_metadatum": Action.WRITE,
    "export_metadata": Action.VIEW,
    "import_metadata": Action.WRITE,
    "list_metadata_names": Need.A_USER,
    "list_quantities": Need.A_USER,
    "convert": Need.A_USER,
    "list_notes": Action.VIEW,
    "add_note": Action.WRITE,
    "change_note": Action.SHARE,  # that of an owner
    "delete_note": Action.SHARE,
    "list_samples": Need.A_USER,
    "create_sample": Need.A_USER,
    "get_sample": Action.VIEW,
    "update_sample": Action.WRITE,
    "delete_sample": Action.SHARE,  # who registered it
    "list_products": Action.VIEW,
    "link_sample": Action.WRITE,
    "unlink_sample": Action.WRITE,
    "list_element_samples": Action.VIEW,
    "find": Need.A_USER,
    "list_recent": Need.A_USER,
    "list_live_runs": Need.A_USER,
    "move_element": Action.MOVE,
    "place_element": Action.WRITE,
    "get_permissions": Action.VIEW,
    "replace_permissions": Action.SHARE,
    "set_grant": Action.SHARE,
    "set_public": Action.SHARE,
    "inherit_again": Action.SHARE,
    "list_audit": Action.AUDIT,
    "find_path": Action.VIEW,
    "get_run": Action.VIEW,
    "attach_source": Action.WRITE,
    "set_parameters": Action.WRITE,
    "retry_failed": Action.WRITE,
    "get_grid": Action.VIEW,
    "list_user_metrics": Action.VIEW,
    "list_metric_failures": Action.VIEW,
    "put_user_metric": Action.WRITE,
    "remove_user_metric": Action.WRITE,
    "list_branches": Action.VIEW,
    "compare_branches": Action.VIEW,
    "promote_branch": Action.WRITE,
    "get_table": Action.VIEW,
    **dict.fromkeys(
        ("get_corrected_micrographs_star", "get_micrographs_ctf_star", "get_motion_star", "get_cryosparc_file"),
        Action.VIEW,
    ),
    "get_columns": Action.VIEW,
    "get_curves": Action.VIEW,
    "list_acquisitions": Action.VIEW,
    "list_shown": Action.VIEW,
    "visit_element": Action.VIEW,
    "get_acquisition": Action.VIEW,
    "get_neighbours": Action.VIEW,
    "get_thumbnail": Action.VIEW,
    "get_spectrum": Action.VIEW,
    "get_image_info": Action.VIEW,
    "get_tile": Action.VIEW,
    "get_key": Action.VIEW,
    "head_key": Action.VIEW,
    "list_files": Action.VIEW,
    "get_file": Action.VIEW,
    "get_file_content": Action.VIEW,
    "get_file_image_info": Action.VIEW,
    "get_file_tile": Action.VIEW,
    **dict.fromkeys(("list_volumes", "get_volume_info", "get_volume_plane", "get_volume_texture"), Action.VIEW),
    "head_file_content": Action.VIEW,
    "rename_file": Action.WRITE,
    "delete_file": Action.WRITE,
    "get_zip": Action.VIEW,
    "get_upload_capabilities": Action.WRITE,
    "list_uploads": Action.WRITE,
    "begin_upload": Action.WRITE,
    "get_upload_offset": Action.WRITE,
    "append_to_upload": Action.WRITE,
    "offer_hand_over": Action.WRITE,
    "accept_hand_over": Action.WRITE,
    "cancel_upload": Action.WRITE,
    "list_storages": Need.A_USER,
    "add_storage": Need.ADMIN,
    "update_storage": Need.ADMIN,
    "remove_storage": Need.ADMIN,
    "check_storage": Need.ADMIN,
}
"""What each route needs, by operation."""

# the filter behind the answers is compared with the table on both databases elsewhere
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

NOTHING_CHANGED = {"get", "head"}
ALLOWED = {200, 201, 204, 409, 422}
"""Answers to those who may: done, or refused for what it would do to this element."""


@dataclass(frozen=True)
class Asker:
    """Somebody who asks; ``principal`` None: without a token. ``role``: on the elements that are asked for."""

    name: str
    client: httpx.Client
    principal: Principal | None
    role: Role | None = None

    def refusal(self, need: Need | Action) -> int | None:
        """Status of the refusal it must get; None: it may."""
        if need is Need.NOTHING:
            return None
        if self.principal is None:
            return 401
        if isinstance(need, Action):
            role = Role.OWNER if self.principal.is_admin else self.role
            return None if can(need, role) else 403 if role else 404
        if need in (Need.INITIATOR, Need.ADMIN):
            started = need is Need.INITIATOR and self.role is Role.OWNER
            return None if started or self.principal.is_admin else 403
        return 403 if need is Need.USER_MANAGER and not may_manage_users(self.principal) else None


@dataclass(frozen=True)
class Place:
    """What is asked for."""

    folder: Element
    inner: Element
    workflow: Element
    run: Element


@pytest.fixture
def askers(api: Api, make_user: Callable[..., Principal]) -> list[Asker]:
    """Everybody, weakest first, so that what the strong may change the weak have already been refused."""
    found = [Asker("anonymous", api.anonymous, None)]
    people = [(make_user("bob"), None)]
    strong = [held for held in PlatformRole if may(PlatformAction.OPEN_EVERY_ELEMENT, [held])]
    people += [(make_user(held.value, roles=(held,)), None) for held in PlatformRole if held not in strong]
    people += [(make_user(role.value), role) for role in Role]
    people += [(make_user(held.value, roles=(held,)), None) for held in strong]
    return found + [Asker(user.username, api.client(user), user, role) for user, role in people]


@pytest.fixture
def make_place(database: Database, askers: list[Asker]) -> Callable[[], Place]:
    """``make_place()`` makes Folder/Workflow/Imaging/Run, shared with whoever has a role."""
    held = {asker.role: asker.principal for asker in askers if asker.role and asker.principal}

    def make() -> Place:
        owner = held[Role.OWNER]
        with database.session() as session:
            folder = elements.create_element(session, owner, FolderCreate(name="Folder"))
            for role, user in held.items():
                sharing.set_grant(session, owner, folder.id, GrantChange(name=user.username, role=role))
            inner = elements.create_element(session, owner, FolderCreate(name="Inner", parent_id=folder.id))
            wanted = WorkflowCreate(name="Workflow", parent_id=folder.id, template=Template.SPA_QUALITY_MONITOR)
            workflow = elements.create_element(session, owner, wanted)
            run = DatasetCreate(name="Run", parent_id=workflow.steps[4].id, type=DatasetType.EPU_RUN)
            return Place(folder, inner, workflow, elements.create_element(session, owner, run))

    return make


def send(
    asker: Asker, operation: tuple[str, str, str], place: Place, *, group: str, held: dict[str, str]
) -> httpx.Response:
    name, method, path = operation
    values = {**FILLED, "element_id": str(place.inner.id), "run_id": str(place.run.id), "group_id": group, **held}
    body, query = (
        {key: str(place.folder.id) if value == "FOLDER" else value for key, value in table.get(name, {}).items()}
        for table in (BODIES, QUERIES)
    )
    if name.endswith("_group"):
        body = {"name": f"Group of {asker.name}"} if body else {}
    return asker.client.request(method, path.removeprefix("/api").format(**values), params=query, json=body or None)


def in_order(api: Api) -> Iterator[tuple[str, str, str]]:
    """Operations on elements, reading ones first; last the one that gives each asker a tree of its own, named alike."""
    others = [one for one in operations(api) if one[0] not in PEOPLE]
    yield from sorted(others, key=lambda one: (one[0] == "ensure_path", one[1] not in NOTHING_CHANGED, one))


def test_every_route_says_what_it_needs(api: Api) -> None:
    assert {name for name, _, _ in operations(api)} == set(MATRIX) | PEOPLE


@pytest.mark.feature("SH-02", "SH-05", "SH-06", "AD-05")
def test_everybody_gets_what_the_table_says(
    api: Api,
    database: Database,
    askers: list[Asker],
    make_place: Callable[[], Place],
    write_arrays: Callable[[Api, Element], None],
    tmp_path: Path,
) -> None:
    place = make_place()
    add_acquisitions(database, place.run, count=1)
    add_session(database, place.run, tmp_path / "session")
    write_arrays(api, place.run)
    wrong = []
    for operation in in_order(api):
        name, method, _ = operation
        # what changes something does so to a place of its own
        asked = place if method in NOTHING_CHANGED else make_place()
        if name == "give_verdict":
            add_acquisitions(database, asked.run)
        for asker in askers:
            group = make_group(database, askers, f"{name} {asker.name}") if name.endswith("_group") else ""
            held = make_held(database, askers, operation, asked) | make_stored(api, database, operation, asked)
            answer = send(asker, operation, asked, group=group, held=held)
            refusal = asker.refusal(MATRIX[name])
            fine = answer.status_code == refusal if refusal else answer.status_code in ALLOWED
            if not fine:
                wrong.append(f"{asker.name}: {name}: {answer.status_code}, not {refusal or 'allowed'}: {answer.text}")
    assert not wrong, "\n".join(wrong)


def make_held(database: Database, askers: list[Asker], operation: tuple[str, str, str], place: Place) -> dict[str, str]:
    """What the operation changes besides elements: a note, sample, metric or metadatum of the owner's."""
    name, _, path = operation
    (owner,) = [asker.principal for asker in askers if asker.role is Role.OWNER and asker.principal]
    with database.session() as session:
        if "{metric}" in path:
            session.merge(UserMetricRow(run_id=place.run.id, name="mine", label="Mine", source="", sha256=""))
        if "{filter_id}" in path:
            rules = BODIES["add_named_filter"]["rules"]
            row = NamedFilterRow(workflow_id=place.workflow.id, name=uuid.uuid4().hex, rules=rules)
            session.add(row)
            session.flush()
            keep_version(session, owner, row, time=row.updated)
            return {"filter_id": str(row.id)}
        if "{note_id}" in path:
            return {"note_id": str(notes.add_note(session, owner, place.inner.id, NoteWrite(text="Note")).id)}
        if "{sample_id}" in path:
            sample = samples.create_sample(session, owner, SampleCreate(name="Sample"))
            samples.link_sample(session, owner, sample.id, place.run.id)
            return {"sample_id": str(sample.id), "element_id": str(place.run.id)}
        if "{job_id}" in path:
            row = JobRow(kind="delete", state="running", element_id=place.run.id, initiator_id=owner.user_id)
            session.add(row)
            session.flush()
            return {"job_id": str(row.id)}
        if name == "remove_metadatum":
            stolen = MetadataWrite.model_validate(BODIES["set_metadatum"])
            metadata.set_metadatum(session, owner, place.inner.id, stolen)
    return {}


def make_stored(api: Api, database: Database, operation: tuple[str, str, str], place: Place) -> dict[str, str]:
    """What the operation needs besides elements: a file, or a storage that nothing lies on."""
    mark = uuid.uuid4()
    with database.session() as session:
        if "{file_id}" in operation[2]:
            storage = chosen_row(session, StorageRole.PRIMARY)
            open_row(storage, api.settings).put(mark.hex, b"content")
            file = FileRow(id=mark, element_id=place.inner.id, storage_id=storage.id, key=mark.hex, name=mark.hex)
            session.add(file)
            return {"file_id": str(mark)}
        if "{storage_id}" in operation[2]:
            session.add(StorageRow(id=mark, name=mark.hex, url=f"home:{mark.hex}", role=StorageRole.EXPORT.value))
            return {"storage_id": str(mark)}
    return {}


def make_group(database: Database, askers: list[Asker], name: str) -> str:
    admin = next(asker.principal for asker in askers if asker.principal and may_manage_users(asker.principal))
    with database.session() as session:
        return str(groups.create_group(session, admin, GroupCreate(name=name)).id)
