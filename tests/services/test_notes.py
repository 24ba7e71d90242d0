"""Notes: who writes and changes them, and links that do not tell what may not be known."""

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from athena.contract.elements import Element
from athena.contract.notes import NoteLinkWrite, NoteWrite
from athena.contract.people import Principal, Role
from athena.db.engine import Database
from athena.domain.markdown import to_html
from athena.errors import Forbidden, Invalid, NotFound
from athena.services import notes

MakeUser = Callable[..., Principal]
Make = Callable[..., Element]


@pytest.mark.feature("WS-17", "SH-06")
def test_links_to_what_one_may_not_see_have_no_name(
    database: Database, make_user: MakeUser, make_folder: Make, grant: Callable[..., None]
) -> None:
    alice, bob, carol = make_user(), make_user(), make_user()
    shared, secret = make_folder(alice, "Shared"), make_folder(alice, "Secret")
    grant(shared, bob, Role.COLLABORATOR)
    with database.session() as session:
        new = NoteWrite(text="see there", links=(NoteLinkWrite(element_id=secret.id, title="Secret thing"),))
        note = notes.add_note(session, alice, shared.id, new)
        assert note.links[0].title == "Secret thing"
    with database.session() as session:
        (seen,) = notes.list_notes(session, bob, shared.id)
        assert "Secret" not in seen.model_dump_json()
        assert str(secret.id) not in seen.model_dump_json()
        assert seen.links[0].hidden
        with pytest.raises(NotFound):
            notes.list_notes(session, carol, shared.id)
        with pytest.raises(Invalid, match="no element that you may see"):
            notes.add_note(session, bob, shared.id, NoteWrite(text="x", links=(NoteLinkWrite(element_id=secret.id),)))
    # an owner who may not see a link keeps it when changing the note
    grant(shared, bob, Role.OWNER)
    with database.session() as session:
        notes.change_note(session, bob, shared.id, note.id, NoteWrite(text="changed"))
    with database.session(read_only=True) as session:
        (kept,) = notes.list_notes(session, alice, shared.id)
        assert (kept.text, kept.author, kept.links[0].element_id) == ("changed", alice.username, secret.id)


@pytest.mark.feature("WS-17")
def test_authors_and_owners_change_notes(
    database: Database, make_user: MakeUser, make_folder: Make, grant: Callable[..., None]
) -> None:
    alice, bob, carol = make_user(), make_user(), make_user()
    folder, other = make_folder(alice), make_folder(alice)
    grant(folder, bob, Role.COLLABORATOR)
    grant(folder, carol)
    with database.session() as session:
        hers = notes.add_note(session, alice, folder.id, NoteWrite(text="hers"))
        his = notes.add_note(session, bob, folder.id, NoteWrite(text="his"))
    with database.session() as session:
        assert [(one.text, one.editable) for one in notes.list_notes(session, bob, folder.id)] == [
            ("his", True),
            ("hers", False),
        ]
        for wrong in (
            lambda: notes.add_note(session, carol, folder.id, NoteWrite(text="x")),
            lambda: notes.change_note(session, bob, folder.id, hers.id, NoteWrite(text="x")),
            lambda: notes.delete_note(session, bob, folder.id, hers.id),
            lambda: notes.delete_note(session, carol, folder.id, his.id),
        ):
            with pytest.raises(Forbidden):
                wrong()
        with pytest.raises(NotFound):
            notes.delete_note(session, alice, other.id, his.id)
        assert [one.text for one in notes.list_notes(session, carol, folder.id)] == ["his", "hers"]
        notes.delete_note(session, alice, folder.id, his.id)
        assert [one.text for one in notes.list_notes(session, alice, folder.id)] == ["hers"]


@pytest.mark.feature("WS-17")
@pytest.mark.parametrize(
    "url",
    [
        *("javascript:alert(1)", "ftp://example.org", "//example.org", "http://", "https://user:pw@example.org"),
        *(
            "https://example.org/\n",
            "https://example.org/ x",
            'https://example.org/"',
            "http://[::1",
            "data:text/html,x",
        ),
    ],
)
def test_links_lead_to_the_web_alone(url: str) -> None:
    with pytest.raises(ValidationError):
        NoteLinkWrite(url=url)


@pytest.mark.feature("WS-17")
def test_what_notes_show_does_nothing() -> None:
    shown = to_html(
        "<script>x</script><b>b</b>\n\n![p](https://e.org/p.png) [a](JaVaScRiPt:x) [d](data:text/html,x) "
        "<javascript:x> [ok](https://e.org 'a\"onclick=x') **bold**\n\n<img src=x onerror=y>\n\n"
        "[r][1]\n\n[1]: vbscript:x"
    )
    assert "<script" not in shown
    assert "<img" not in shown
    assert "<b>" not in shown
    assert shown.count("href=") == 2
    assert shown.count('href="https://e.org') == 2  # the picture became a link
    assert 'rel="noopener' in shown
    assert "<strong>bold</strong>" in shown
