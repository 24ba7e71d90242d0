"""Doing what was chosen in an element's menu (WS-12, WS-13, WS-14)."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from athena.contract.elements import Element, ElementUpdate, Status
from athena.contract.jobs import Job, JobKind
from athena.errors import AthenaError, Invalid
from athena.portal.actions import ElementAction
from athena.portal.dialogs.cleanup import ask_cleanup
from athena.portal.dialogs.export import ask_export
from athena.portal.dialogs.move import ask_move
from athena.portal.session import PortalSession
from athena.sdk.client import checked

_JOBS = {
    ElementAction.ARCHIVE: JobKind.ARCHIVE,
    ElementAction.RESTORE: JobKind.RESTORE,
    ElementAction.DELETE: JobKind.DELETE,
}
_ASKED: dict[ElementAction, Callable[[PortalSession, Sequence[Element]], None]] = {
    ElementAction.MOVE: ask_move,
    ElementAction.EXPORT: ask_export,
    ElementAction.CLEANUP: ask_cleanup,
}
"""What asks more in the shell's dialog, which also says how it ended."""


def act(
    session: PortalSession,
    element: Element,
    asked: dict[str, Any],
    *,
    done: Callable[[ElementAction], None],
    failed: Callable[[AthenaError], None],
) -> None:
    """Do what was chosen in an element's menu, in a thread; ``done`` or ``failed`` follows on the loop."""
    action = ElementAction(asked["do"])
    if action in _ASKED:
        _ASKED[action](session, [element])
        return
    try:
        work = _work(session, element, action, str(asked["value"]))
    except Invalid as error:
        failed(error)
        return
    session.run(work, lambda _: done(action), failed=failed)


def act_on_many(
    session: PortalSession,
    elements: Sequence[Element],
    action: ElementAction,
    *,
    done: Callable[[Sequence[str]], None],
) -> None:
    """Do something with several elements (WS-11); of jobs ``done`` is told what was refused, in words."""
    if action in _ASKED:
        _ASKED[action](session, elements)
        return
    kind, catalogue = _JOBS[action].value, session.catalogue

    def work() -> list[str]:
        refused = []
        for element in elements:
            try:
                catalogue.start_job(kind, element.id)
            except AthenaError as error:
                refused.append(f"{element.name}: {error.message}")
        return refused

    session.run(work, done)


def _work(session: PortalSession, element: Element, action: ElementAction, value: str) -> Callable[[], Element | Job]:
    catalogue, element_id = session.catalogue, element.id
    if action in _JOBS:
        return lambda: catalogue.start_job(_JOBS[action].value, element_id)
    field = {ElementAction.RENAME: "name", ElementAction.DESCRIBE: "description", ElementAction.STATUS: "status"}[
        action
    ]
    given = Status(value) if field == "status" else value
    change = checked(ElementUpdate, **{field: given, "revision": element.revision})
    return lambda: catalogue.change(element_id, change)


def by_id(elements: tuple[Element, ...], element_id: str) -> Element | None:
    """The one that is meant; None if it went meanwhile."""
    return next((element for element in elements if element.id == UUID(element_id)), None)
