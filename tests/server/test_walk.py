"""Every route of the contract, walked with no token, with a bad one, and with a stranger's."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from athena.contract.base import Problem
from athena.contract.elements import Element
from athena.db.engine import Database
from athena.db.jobs import JobRow
from athena.db.named_filters import NamedFilterRow
from athena.db.notes import NoteRow
from athena.db.samples import SampleLinkRow, SampleRow
from athena.db.user_metrics import UserMetricRow
from athena.server.app import create_app
from athena.services.filter_versions import keep_version
from tests.conftest import add_session
from tests.server.conftest import Api

OPEN = {"get_health"}
ADMINS_ONLY = {"list_services", "report_service"}
"""Operations that others are refused, whatever they name."""
PEOPLE = {
    *("change_password", "check_password", "check_admission", "list_users", "add_user", "get_user", "update_user"),
    *("remove_user", "reset_password", "assign_role", "unassign_role", "give_seat", "take_seat", "find_people"),
    *("list_tokens", "create_token", "revoke_token", "get_licence", "install_licence", "list_features"),
}
"""Operations about people, whom tests/server/test_people.py asks as everybody."""
NAMES_NOTHING = {
    "get_health",
    "get_me",
    "list_events",
    "list_jobs",
    "list_templates",
    "find_grantees",
    "list_groups",
    "create_group",
    "update_group",
    "delete_group",
    *PEOPLE,
    *(
        "list_samples",
        "create_sample",
        "find",
        "list_recent",
        "list_live_runs",
        "list_metadata_names",
        "list_quantities",
        "convert",
    ),
    *ADMINS_ONLY,
    "list_plugins",
    *("list_storages", "add_storage", "update_storage", "remove_storage", "check_storage"),
    *("list_job_kinds", "remove_ended_jobs", "cancel_jobs_of_kind"),
}
"""Operations whose request names neither an element nor a run."""

BODIES: dict[str, dict[str, Any]] = {
    "check_password": {"username": "alice", "password": "wrong"},
    "change_password": {"current": "wonderland", "password": "looking glass"},
    "add_user": {"username": "dora", "password": "long enough"},
    "update_user": {"first_name": "Robert", "active": False},
    "reset_password": {"password": "taken over"},
    "create_token": {"name": "script"},
    "install_licence": {"key": "athena1.e30.AAAA"},
    "create_element": {"kind": "folder", "name": "Mine", "parent_id": "FOLDER"},
    "report_service": {
        "id": "00000000-0000-0000-0000-000000000001",
        "kind": "portal",
        "version": "1",
        "host": "machine",
        "pid": 1,
        "started": "2026-01-01T00:00:00Z",
        "period_s": 10,
    },
    "update_element": {"name": "Stolen"},
    "ensure_path": {"path": "Folder/Workflow/Imaging/Run"},
    "attach_source": {"path": "/", "adapter": "epu"},
    "set_parameters": {"parameters": {"voltage_kv": 300}},
    "add_storage": {"name": "Mine", "url": "home:mine", "role": "export"},
    "update_storage": {"name": "Stolen"},
    "rename_file": {"name": "stolen.mrc"},
    "save_run_filter": {"rules": []},
    "add_named_filter": {"name": "Stolen", "rules": [{"metric": "defocus_um", "operator": "<", "value": 2}]},
    "update_named_filter": {"name": "Stolen"},
    "accept_hand_over": {"sha256": "0" * 64},
    "set_criteria": {"rules": []},
    "put_user_metric": {"source": "def mine(micrograph):\n    return 1.0\n"},
    "give_verdict": {"indices": [0], "verdict": "rejected"},
    "start_job": {"kind": "delete", "element_id": "FOLDER"},
    "move_element": {"parent_id": None},
    "place_element": {"before_id": None},
    "replace_permissions": {"grants": [{"name": "bob", "role": "owner"}]},
    "set_grant": {"name": "bob", "role": "owner"},
    "set_public": {"role": "viewer"},
    "create_group": {"name": "Mine"},
    "update_group": {"name": "Mine"},
    "add_metadatum": {"name": "Stolen", "type": "boolean", "value": True},
    "set_metadatum": {"name": "Stolen", "type": "boolean", "value": True},
    "import_metadata": {"metadata": []},
    "add_note": {"text": "Stolen"},
    "change_note": {"text": "Stolen"},
    "create_sample": {"name": "Stolen"},
    "update_sample": {"name": "Stolen"},
}
QUERIES = {
    "list_elements": {"parent_id": "FOLDER"},
    "find_path": {"path": "Folder/Workflow/Imaging/Run"},
    "get_columns": {"columns": "defocus_um"},
    "get_curves": {"indices": "0"},
    "get_zip": {"elements": "FOLDER"},
    "get_table": {"columns": "defocus_um"},
    "list_events": {"after": "0"},
    "find_grantees": {"text": "b"},
    "find_people": {"text": "ali"},
    "check_admission": {"username": "alice"},
    "remove_user": {"heir": "carol"},
    "remove_metadatum": {"name": "Stolen"},
    "convert": {"value": "1", "unit": "m", "to": "mm"},
}
FILLED = {
    "quantity": "length",
    "role": "customer-admin",
    "group_id": "00000000-0000-0000-0000-000000000000",
    "index": "0",
    "level": "0",
    "x": "0",
    "y": "0",
    "key": "zarr.json",
    "name": "original",
    "metric": "mine",
    "file": "exposures.cs",
    "number": "1",
}
FILLED |= {"file_id": str(uuid.uuid4()), "upload_id": str(uuid.uuid4())}
OF_A_FILE = {
    "get_file",
    "get_file_content",
    "get_file_image_info",
    "get_file_tile",
    "get_volume_info",
    "get_volume_plane",
    "get_volume_texture",
    "head_file_content",
    "list_uploads",
    "get_upload_offset",
    "offer_hand_over",
}
"""Operations on what the run of this walk has not: files of people, and uploads."""
FILLED["kind"] = "delete"
FILLED["storage_id"] = str(uuid.uuid4())


def operations(api: Api) -> Iterator[tuple[str, str, str]]:
    """(operation, method, path template) of every route of the contract."""
    for path, item in create_app(api.settings).openapi()["paths"].items():
        for method, operation in item.items():
            yield operation["operationId"], method, path


def ask(
    client: httpx.Client,
    name: str,
    method: str,
    path: str,
    *,
    folder: object,
    run: object,
    user: object = uuid.UUID(int=0),
) -> httpx.Response:
    """Send the request of an operation that names this folder, run and user (who also stands for a token)."""
    values = FILLED | dict.fromkeys(("element_id", "run_id", "job_id", "note_id", "sample_id", "filter_id"), str(run))
    values |= {"user_id": str(user), "token_id": str(user)}
    place = path.removeprefix("/api").format(**values)
    body = {key: str(folder) if value == "FOLDER" else value for key, value in BODIES.get(name, {}).items()}
    query = {key: str(folder) if value == "FOLDER" else value for key, value in QUERIES.get(name, {}).items()}
    return client.request(method, place, params=query, json=body or None)


@pytest.mark.feature("SH-06")
def test_every_route_wants_a_token(api: Api) -> None:
    bad = api.with_token("0" * 43)
    walked = 0
    for name, method, path in operations(api):
        if name in OPEN:
            continue
        for client in (api.anonymous, bad):
            answer = ask(client, name, method, path, folder=uuid.uuid4(), run=uuid.uuid4())
            assert answer.status_code == 401, f"{method} {path}"
            assert answer.headers["www-authenticate"] == "Bearer"
            if method != "head":
                assert Problem.model_validate_json(answer.content).code == "unauthorized"
        walked += 1
    assert walked >= 49


@pytest.mark.feature("SH-06", "JB-02")
def test_for_a_stranger_nothing_is_there(
    api: Api,
    make_user: Callable[..., Any],
    make_workflow: Callable[..., Element],
    make_folder: Callable[..., Element],
    make_run: Callable[..., Element],
    write_arrays: Callable[[Api, Element], None],
    database: Database,
    tmp_path: Path,
) -> None:
    alice, bob = make_user("alice"), make_user("bob")
    folder = make_folder(alice)
    workflow = make_workflow(alice, folder=folder)
    run = make_run(alice, workflow=workflow, acquisitions=1)
    write_arrays(api, run)
    with database.session() as session:
        # under the same id, by which the walk names everything
        session.add(SampleRow(id=run.id, name="Folder sample", creator_id=alice.user_id))
        session.add(NoteRow(id=run.id, element_id=run.id, author_id=alice.user_id, text="Folder note"))
        session.add(UserMetricRow(run_id=run.id, name="mine", label="Folder", source="", sha256=""))
        row = NamedFilterRow(id=run.id, workflow_id=workflow.id, name="Folder filter", rules=[])
        session.add(row)
        session.flush()
        keep_version(session, alice, row, time=row.updated)
        session.add(SampleLinkRow(sample_id=run.id, element_id=run.id))
    hers, his = api.client(alice), api.client(bob)
    hers.put(f"/elements/{run.id}/metadata", json={"name": "Folder", "type": "integer", "value": 1}).raise_for_status()
    hers.post(f"/elements/{folder.id}/opened").raise_for_status()
    hers.put(f"/runs/{run.id}/source", json={"path": str(tmp_path)}).raise_for_status()
    add_session(database, run, tmp_path)
    with database.session() as session:  # an ended job of hers, which for the walk has the run's own id
        session.add(JobRow(id=run.id, kind="delete", state="finished", initiator_id=alice.user_id))
    before = hers.get("/elements", params={"parent_id": str(folder.id)}).json()

    for name, method, path in operations(api):
        if method in {"get", "head"} and name not in {"get_health", *PEOPLE, *ADMINS_ONLY, *OF_A_FILE}:
            answer = ask(hers, name, method, path, folder=folder.id, run=run.id)
            assert answer.status_code == 200, f"alice: {method} {path}: {answer.text}"
        if name in NAMES_NOTHING or name == "ensure_path":
            continue
        answer = ask(his, name, method, path, folder=folder.id, run=run.id)
        assert answer.status_code == 404, f"bob: {method} {path}: {answer.status_code}"
        # and he cannot tell it from something that never was
        nothing = uuid.uuid4()
        absent = ask(his, name, method, path, folder=nothing, run=nothing)
        hidden = answer.text.replace(str(run.id), "ID").replace(str(folder.id), "ID")
        assert hidden == absent.text.replace(str(nothing), "ID"), f"{method} {path}"

    for place in (
        *("/elements", "/events?after=0", "/jobs", "/samples", "/recent", "/metadata/names", "/search"),
        *("/search?text=folder", "/search?where=folder%20%3D%201"),
    ):
        assert his.get(place).status_code == 200
        assert str(run.id) not in his.get(place).text
        assert "Folder" not in his.get(place).text
    assert his.get("/events", params={"after": 0}).json()["events"] == []
    (job,) = his.get("/jobs").json()
    assert (job["element_name"], job["element_id"], job["message"]) == ("Private entity", None, "")
    assert his.post("/auth/password", json=BODIES["check_password"]).status_code == 403
    # the same path is a place of his own
    his_run = his.post("/paths", json=BODIES["ensure_path"]).json()
    assert his_run["id"] != str(run.id)
    assert hers.get("/elements", params={"parent_id": str(folder.id)}).json() == before


def test_a_token_dies_with_its_user(api: Api, make_user: Callable[..., Any], database: Database) -> None:
    from athena.db.people import UserRow

    bob = make_user("bob")
    his = api.client(bob)
    assert his.get("/me").json()["username"] == "bob"
    with database.session() as session:
        session.delete(session.get_one(UserRow, bob.user_id))
    assert his.get("/me").status_code == 401
