"""People over HTTP: every operation as every role, tokens of scripts, the log-in's answers."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from athena.contract.elements import Element
from athena.contract.licences import Licence, LicensedFeature
from athena.contract.people import Account, AccountPage, PlatformRole, Principal, PrincipalKind, TokenScope
from athena.contract.tokens import Token, TokenMade
from athena.db import base
from athena.db.base import Base
from athena.db.engine import Database
from athena.db.health import ServiceRow
from athena.db.people import BUILTIN_ADMIN, TokenRow
from athena.domain.licences import new_key_pair, sign_licence
from athena.domain.roles import PlatformAction, may
from athena.errors import Unauthorized
from athena.server.auth.gate import Gate
from athena.server.auth.local import LocalAuth
from athena.server.run import serving
from athena.services import licences, users
from athena.services.tokens import MAX_TOKENS, SHOWN, TOKEN_PREFIX
from athena.settings import Settings
from tests.server.conftest import Api
from tests.server.test_walk import OPEN, PEOPLE, ask, operations

MakeUser = Callable[..., Principal]
only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SERVICES_ALONE = {"check_password", "check_admission"}
OWN = {"change_password", "list_tokens", "create_token", "revoke_token", "list_features"}
"""Operations on oneself, for everybody."""
NEEDS: dict[str, PlatformAction] = {
    "list_users": PlatformAction.SEE_USERS,
    "get_user": PlatformAction.SEE_USERS,
    "add_user": PlatformAction.MANAGE_USERS,
    "update_user": PlatformAction.MANAGE_USERS,
    "remove_user": PlatformAction.MANAGE_USERS,
    "reset_password": PlatformAction.MANAGE_USERS,
    "find_people": PlatformAction.MANAGE_USERS,
    "assign_role": PlatformAction.APPOINT_ADMINS,  # the walk names customer-admin
    "unassign_role": PlatformAction.APPOINT_ADMINS,
    "give_seat": PlatformAction.MANAGE_LICENCES,
    "take_seat": PlatformAction.MANAGE_LICENCES,
    "get_licence": PlatformAction.MANAGE_LICENCES,
    "install_licence": PlatformAction.MANAGE_LICENCES,
}


@only_sqlite
@pytest.mark.feature("AD-05", "AD-06")
def test_every_operation_as_every_role(api: Api, make_user: MakeUser) -> None:
    assert set(NEEDS) | OWN | SERVICES_ALONE == PEOPLE
    make_user("keeper", roles=(PlatformRole.CUSTOMER_ADMIN,))
    walk = [one for one in operations(api) if one[0] in NEEDS or one[0] in SERVICES_ALONE]
    for role in (None, *PlatformRole):
        roles = (role,) if role else ()
        client = api.client(make_user(f"with {role}", roles=roles))
        for name, method, path in walk:
            there, nowhere = make_user(f"{role} {name}"), uuid.uuid4()
            allowed = name in NEEDS and may(NEEDS[name], roles)
            answers = [
                ask(client, name, method, path, folder=nowhere, run=nowhere, user=user)
                for user in (there.user_id, nowhere)
            ]
            for answer in answers:
                assert (answer.status_code == 403) is not allowed, f"{role}: {method} {path}: {answer.text}"
            if not allowed:  # the same word for who is there and who is not
                assert answers[0].text == answers[1].text
            elif "{user_id}" in path:
                assert answers[1].status_code == 404, f"{role}: {method} {path}: {answers[1].text}"


@pytest.mark.feature("BY-07")
def test_a_reading_token_changes_nothing_on_any_route(
    api: Api,
    make_user: MakeUser,
    make_folder: Callable[..., Element],
    make_run: Callable[..., Element],
    database: Database,
) -> None:
    alice = make_user(roles=(PlatformRole.CUSTOMER_ADMIN,))
    bob = make_user()
    folder, run = make_folder(alice), make_run(alice)
    hers = api.client(alice)
    text = TokenMade.model_validate(hers.post("/tokens", json={"name": "reader"}).json()).text
    reader = api.with_token(text)
    assert reader.get("/me").json()["username"] == "alice"

    def content() -> list[list[tuple[object, ...]]]:
        """All rows of the database but for when somebody was seen, and the heartbeats of the server itself."""
        tables = [table for table in Base.metadata.sorted_tables if table.name != ServiceRow.__tablename__]
        with database.engine.connect() as connection:
            return [
                sorted(
                    tuple(str(v) for k, v in row._mapping.items() if k not in {"last_used", "last_seen"})
                    for row in connection.execute(table.select())
                )
                for table in tables
            ]

    before, walked = content(), 0
    for name, method, path in operations(api):
        if method in {"get", "head"} or name in OPEN:
            continue
        answer = ask(reader, name, method, path, folder=folder.id, run=run.id, user=bob.user_id)
        assert answer.status_code == 403, f"{method} {path}: {answer.status_code}"
        assert "only reads" in answer.text, f"{method} {path}: {answer.text}"
        walked += 1
    assert walked >= 16
    assert content() == before
    assert reader.get(f"/elements/{folder.id}").status_code == 200
    # it has none of its person's platform roles either
    assert reader.get("/users").status_code == 403


@pytest.mark.feature("BY-07")
def test_scopes_reach_as_far_as_they_say(api: Api, make_user: MakeUser, make_folder: Callable[..., Element]) -> None:
    alice, bob = make_user(roles=(PlatformRole.CUSTOMER_ADMIN,)), make_user()
    his = make_folder(bob)
    hers = api.client(alice)
    made = {
        scope: TokenMade.model_validate(hers.post("/tokens", json={"name": scope, "scope": scope}).json())
        for scope in TokenScope
    }
    writer, admin = (api.with_token(made[scope].text) for scope in (TokenScope.WRITE, TokenScope.ADMIN))
    assert writer.post("/elements", json={"kind": "folder", "name": "By script"}).status_code == 201
    assert writer.get(f"/elements/{his.id}").status_code == 404
    assert admin.get(f"/elements/{his.id}").status_code == 200
    assert (writer.get("/users").status_code, admin.get("/users").status_code) == (403, 200)
    # none makes tokens, which would outlive or outreach it, nor changes its person's password
    for client in (writer, admin):
        refused = client.post("/tokens", json={"name": "more", "scope": "admin"})
        assert (refused.status_code, "may not make tokens" in refused.text) == (403, True)
        assert client.put("/me/password", json={"current": "x", "password": "y" * 8}).status_code == 403


@pytest.mark.feature("BY-07")
def test_tokens_are_named_expiring_and_revocable(
    api: Api, make_user: MakeUser, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = make_user(), make_user()
    hers, his = api.client(alice), api.client(bob)
    made = TokenMade.model_validate(hers.post("/tokens", json={"name": " beam time ", "days": 2}).json())
    assert (made.token.name, made.token.scope, made.token.last_used) == ("beam time", TokenScope.READ, None)
    assert made.text.startswith(TOKEN_PREFIX)
    assert made.text[:SHOWN] == made.token.start
    assert made.token.expires == made.token.created + timedelta(days=2)
    with database.session() as session:
        kept = session.query(TokenRow).filter(TokenRow.id == made.token.id).one()
        assert made.text not in {str(value) for value in vars(kept).values()}
    assert made.text not in repr(made)
    for body, status in (
        ({"name": "beam time"}, 409),
        ({"name": ""}, 422),
        ({"name": "a\nb"}, 422),
        ({"name": "x", "days": 0}, 422),
        ({"name": "x", "scope": "root"}, 422),
        ({"name": "x", "kind": "service"}, 422),
    ):
        assert hers.post("/tokens", json=body).status_code == status, body
    script = api.with_token(made.text)
    assert script.get("/me").json()["username"] == "alice"
    (listed,) = [Token.model_validate(one) for one in hers.get("/tokens").json()]
    assert listed.last_used is not None
    assert listed.model_copy(update={"last_used": None}) == made.token
    # others neither see nor revoke it
    assert his.get("/tokens").json() == []
    stranger, nothing = his.delete(f"/tokens/{made.token.id}"), his.delete(f"/tokens/{uuid.uuid4()}")
    assert stranger.status_code == nothing.status_code == 404
    later = datetime.now(UTC) + timedelta(days=2)
    with monkeypatch.context() as patch:
        patch.setattr(base, "now", lambda: later)
        assert script.get("/me").status_code == 401
    assert script.get("/me").status_code == 200
    assert hers.delete(f"/tokens/{made.token.id}").status_code == 204
    assert script.get("/me").status_code == 401
    assert hers.delete(f"/tokens/{made.token.id}").status_code == 404
    hers.post("/tokens", json={"name": "beam time", "days": None}).raise_for_status()
    with database.session() as session:
        for number in range(MAX_TOKENS - 1):
            users.issue_token(session, alice.user_id, str(number), kind=PrincipalKind.TOKEN)
    assert hers.post("/tokens", json={"name": "one too many"}).status_code == 409


@only_sqlite
@pytest.mark.feature("BY-07", "AD-05")
def test_a_reset_password_voids_the_tokens_somebody_else_may_have(api: Api, make_user: MakeUser) -> None:
    admin, bob = make_user(roles=(PlatformRole.CUSTOMER_ADMIN,)), make_user()
    text = api.client(bob).post("/tokens", json={"name": "script"}).json()["text"]
    reset = api.client(admin).put(f"/users/{bob.user_id}/password", json={"password": "a new one"})
    assert reset.status_code == 204
    assert api.with_token(text).get("/me").status_code == 401


@only_sqlite
@pytest.mark.feature("AD-06", "AD-07")
def test_a_person_from_added_to_removed(api: Api, make_user: MakeUser) -> None:
    make_user("alice")
    client = api.client(make_user("carol", roles=(PlatformRole.CUSTOMER_ADMIN,)))
    new = {"username": "dora", "password": "long enough", "first_name": "Dora", "email": "dora@example.org"}
    added = client.post("/users", json=new)
    assert added.status_code == 201
    assert "long enough" not in added.text
    dora = Account.model_validate(added.json()["account"])
    place = f"/users/{dora.id}"
    assert client.put(f"{place}/roles/user-manager").json()["roles"] == ["user-manager"]
    assert client.delete(f"{place}/roles/user-manager").json()["roles"] == []
    assert client.put(f"{place}/roles/king").status_code == 422
    assert client.patch(place, json={"last_name": "Mixed"}).json()["display_name"] == "Dora Mixed"
    assert client.patch(place, json={"roles": ["admin"]}).status_code == 422
    page = AccountPage.model_validate(client.get("/users", params={"search": "mixed"}).json())
    assert [one.username for one in page.items] == ["dora"]
    assert client.put(f"{place}/licence").status_code == 204  # none is needed, so none is missing
    assert client.get(place).json()["licensed"]
    assert client.delete(f"{place}/licence").status_code == 204
    assert client.delete(place, params={"heir": "nobody"}).status_code == 404
    assert client.delete(place).status_code == 204
    assert client.get(place).status_code == 404


@only_sqlite
@pytest.mark.feature("HB-01")
def test_waiting_is_said_in_the_answer(api: Api, make_user: MakeUser, database: Database) -> None:
    service = make_user("front door")
    with database.session() as session:
        token = users.issue_token(session, service.user_id, "test", kind=PrincipalKind.SERVICE)
    client = api.with_token(token)
    body = {"username": "alice", "password": "wrong", "peer": "192.0.2.1"}
    assert [client.post("/auth/password", json=body).status_code for _ in range(5)] == [401] * 5
    answer = client.post("/auth/password", json=body)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
    assert 200 < int(answer.headers["retry-after"]) <= 300
    assert client.get("/auth/admission", params={"username": "front door"}).status_code == 200
    assert client.get("/auth/admission", params={"username": "alice"}).status_code == 404


@pytest.fixture
def gate(settings: Settings, database: Database) -> tuple[Gate, list[float], list[str]]:
    """A gate, its clock (the number in the list), and what it asked of a provider that knows no token."""
    clock, asked = [0.0], []

    class Nobody(LocalAuth):
        def authenticate(self, token: str) -> Principal:
            asked.append(token)
            raise Unauthorized("The token is not valid.")

    return Gate(settings, database, Nobody(settings, database), clock=lambda: clock[0]), clock, asked


@only_sqlite
@pytest.mark.feature("BY-07", "HB-01")
def test_the_gate_asks_for_tokens_where_they_were_made(
    gate: tuple[Gate, list[float], list[str]], database: Database, make_user: MakeUser
) -> None:
    (way_in, clock, asked), alice = gate, make_user()
    with database.session() as session:
        script = users.issue_token(
            session, alice.user_id, "script", kind=PrincipalKind.TOKEN, prefix=TOKEN_PREFIX, scope=TokenScope.READ
        )
        local = users.issue_token(session, alice.user_id, "local")
        posing = users.issue_token(session, alice.user_id, "posing", prefix=TOKEN_PREFIX)

    def last_used() -> datetime | None:
        with database.session() as session:
            row = session.query(TokenRow).filter(TokenRow.name == "script").one()
            return row.last_used

    principal = way_in.authenticate(script)
    assert (principal.username, principal.kind, principal.scope) == ("alice", PrincipalKind.TOKEN, TokenScope.READ)
    assert asked == []  # no hub learns of Athena's own tokens
    for other in (local, posing, TOKEN_PREFIX, f"{TOKEN_PREFIX}\ud800"):
        with pytest.raises(Unauthorized):
            way_in.authenticate(other)
    assert asked == [local]
    # the last use is written once in five minutes
    first = last_used()
    clock[0] += 299
    way_in.authenticate(script)
    assert last_used() == first
    clock[0] += 1
    way_in.authenticate(script)
    assert last_used() != first


@only_sqlite
@pytest.mark.feature("WS-02", "AD-04", "AD-08")
def test_templates_are_offered_by_the_licence(
    settings: Settings, database_url: str, database: Database, make_user: MakeUser, make_folder: Callable[..., Element]
) -> None:
    alice, (private, public) = make_user("alice"), new_key_pair()
    folder = make_folder(alice)
    chosen = Settings(
        home=settings.home,
        database_url=database_url,
        api_port=0,
        log_level="WARNING",
        vendor_key=public,
        licensed=True,
    )
    with database.session() as session:
        root = users.principal_for(session, BUILTIN_ADMIN)
        features = tuple(LicensedFeature(name=name) for name in ("platform", "quality-monitor"))
        licence = Licence(
            id=uuid.uuid4(),
            platform_id=licences.get_platform_id(session, root),
            issued=datetime.now(UTC),
            features=features,
        )
        licences.install_licence(session, root, sign_licence(licence, private), settings=chosen)
        token = users.issue_token(session, alice.user_id, "test")
    headers = {"Authorization": f"Bearer {token}"}
    with serving(chosen) as url, httpx.Client(base_url=f"{url}/api", headers=headers, timeout=30) as client:
        refused = client.get("/me")
        assert (refused.status_code, refused.json()["code"]) == (403, "login_refused")
        with database.session() as session:
            licences.give_seat(session, root, alice.user_id, settings=chosen)
        assert client.get("/licence/features").json() == ["platform", "quality-monitor"]
        offered = {one["name"] for one in client.get("/templates").json()}
        assert offered == {"free", "spa", "spa_quality_monitor"}
        for template, status in (("tomo_live", 422), ("spa_quality_monitor", 201)):
            new = {"kind": "workflow", "name": template, "parent_id": str(folder.id), "template": template}
            answer = client.post("/elements", json=new)
            assert answer.status_code == status, answer.text
            assert ("licence" in answer.text) is (status == 422)
        for type_, status in (("tomo_run", 422), ("epu_run", 200)):
            path = {"path": f"{type_}/Workflow/Imaging/Run", "dataset_type": type_}
            assert client.post("/paths", json=path).status_code == status, type_
        # of the path that was refused nothing was made
        assert {one["name"] for one in client.get("/elements").json()["items"]} == {folder.name, "epu_run"}
