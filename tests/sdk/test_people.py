"""``athena.users``, ``athena.licence`` and ``athena.tokens``, on a real instance of one's own."""

import warnings

import pytest

from athena.contract.people import PlatformRole
from athena.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized
from athena.sdk.client import Client
from athena.sdk.connection import Athena
from tests.sdk.conftest import Running
from tests.sdk.test_html import EVIL, assert_safe


@pytest.mark.feature("AD-06", "AD-07", "AD-08")
def test_people_are_managed_from_a_notebook(athena: Athena, monkeypatch: pytest.MonkeyPatch) -> None:
    people = athena.users
    before = len(people)
    alice = people.add("alice", password="wonderland", email="alice@example.org", first_name="Alice", last_name="L")
    assert (alice.model.display_name, alice.model.email, len(people)) == ("Alice L", "alice@example.org", before + 1)
    typed = ["typed twice", "typed twice", "once so", "once otherwise"]
    monkeypatch.setattr("getpass.getpass", lambda _prompt: typed.pop(0))
    bob = people.add("bob")  # the password is asked for, and in no notebook
    with pytest.raises(Invalid, match="differ"):
        people.add("carol")
    alice.edit(last_name="Liddell")
    assert people["alice"].model.display_name == "Alice Liddell"
    alice.assign("user-manager")
    alice.assign(PlatformRole.ADMIN)
    alice.unassign("admin")
    assert alice.roles == people["alice"].roles == {PlatformRole.USER_MANAGER}
    with pytest.raises(Invalid, match="customer-admin"):
        alice.assign("king")
    alice.give_licence()
    assert alice.licensed
    alice.take_licence()
    assert not alice.licensed
    alice.set_password("looking glass")
    bob.edit(active=False)
    assert people.summary.active_users == people.summary.users - 1
    assert {person.username for person in people.find("EXAMPLE.org")} == {"alice"}
    assert {"alice", "bob"} <= {person.username for person in people}
    with pytest.raises(NotFound):
        people["Alice"]
    with pytest.raises(Conflict, match="No directory"):
        people.find_in_directory("alice")
    bob.remove()
    with pytest.raises(NotFound):
        people["bob"]
    evil = people.add("evil", password="long enough", first_name=EVIL[:90])
    for page in (people._repr_html_(), evil._repr_html_()):
        assert_safe(page)
        assert "<script" not in page
    assert "alice" in repr(people)
    evil.remove(heir="alice")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        people["alice"].remove()


@pytest.mark.feature("AD-04")
def test_where_no_licence_is_needed_it_says_so(athena: Athena) -> None:
    licence = athena.licence
    assert (licence.status.required, licence.features) == (False, None)
    assert str(licence.platform_id) in repr(licence)
    assert "None is needed" in licence._repr_html_()
    assert_safe(licence._repr_html_())
    with pytest.raises(Conflict, match="vendor key"):
        licence.install("athena1.e30.AAAA")


@pytest.mark.feature("BY-07")
def test_tokens_are_made_shown_once_and_revoked(athena: Athena, running: Running) -> None:
    made = athena.tokens.create("beam time", days=3)
    assert made.text not in repr(made)
    assert [token.name for token in athena.tokens] == ["beam time"]
    assert len(athena.tokens) == 1
    page = athena.tokens._repr_html_()
    assert_safe(page)
    assert made.text not in page
    with Athena(Client(running.instance.api_url, made.text)) as script:
        assert script.me == athena.me
        with pytest.raises(Forbidden, match="only reads"):
            script.create_folder("By a script")
        with pytest.raises(Forbidden):
            len(script.users)
        athena.tokens.revoke("beam time")
        with pytest.raises(Unauthorized):
            _ = script.me
    with pytest.raises(NotFound):
        athena.tokens.revoke("beam time")
    with pytest.raises(Invalid, match="scope"):
        athena.tokens.create("x", scope="everything")
