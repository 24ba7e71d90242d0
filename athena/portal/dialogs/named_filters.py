"""Filters that a workflow keeps under names: keeping rules, what they were, changing and forgetting them (EQ-08)."""

from collections.abc import Callable, Sequence
from typing import Any

from athena.contract.filters import FilterRule
from athena.contract.named_filters import FilterVersion, NamedFilter, NamedFilterCreate, NamedFilterUpdate
from athena.contract.runs import Run
from athena.errors import Invalid
from athena.portal.session import PortalSession
from athena.sdk.client import checked
from athena.sdk.filters import rule_words

_NAME = {"name": "name", "label": "Name", "maxlength": 100, "required": True, "placeholder": "good ice"}


def ask_name(session: PortalSession, run: Run, rules: Sequence[FilterRule]) -> None:
    """Ask under which name rules are to be kept, and keep them."""
    catalogue, run_id = session.catalogue, run.element.id

    def submit(values: dict[str, Any]) -> None:
        try:
            new = checked(NamedFilterCreate, name=values["name"], rules=tuple(rules))
        except Invalid as error:
            session.shell.dialog.refuse(str(error))
            return
        _do(session, lambda: catalogue.add_named_filter(run_id, new))

    form = {
        "label": "Save the filter under a name",
        "action": "Save",
        "text": "It can then be chosen in every run of this workflow.",
        "lines": _lines(run, rules),
        "fields": [_NAME],
    }
    session.shell.dialog.ask(form, submit)


def ask_change(session: PortalSession, run: Run, one: NamedFilter, rules: Sequence[FilterRule]) -> None:
    """Ask for another name of a filter, and whether it takes the rules that are looked through now."""
    catalogue, run_id = session.catalogue, run.element.id
    others = bool(rules) and frozenset(rules) != frozenset(one.rules)
    taken = "; ".join(_lines(run, rules))
    replace = {"name": "replace", "label": "Take the rules on the charts", "type": "checkbox", "hint": f"Now: {taken}"}

    def submit(values: dict[str, Any]) -> None:
        given = {"rules": tuple(rules)} if values.get("replace") else {}
        try:
            change = checked(NamedFilterUpdate, name=values["name"], revision=one.revision, **given)
        except Invalid as error:
            session.shell.dialog.refuse(str(error))
            return
        _do(session, lambda: catalogue.change_named_filter(run_id, one.id, change))

    form = {
        "label": f"Change the filter “{one.name}”",
        "action": "Save",
        "text": "Runs keep the rules that were applied to them.",
        "lines": _lines(run, one.rules),
        "fields": [_NAME | {"value": one.name}, *([replace] if others else [])],
    }
    session.shell.dialog.ask(form, submit)


def show_history(session: PortalSession, run: Run, one: NamedFilter, *, may_write: bool) -> None:
    """Show what a filter was, and let it be that again: as its newest version."""
    catalogue, run_id, dialog = session.catalogue, run.element.id, session.shell.dialog
    found: dict[str, FilterVersion] = {}

    def submit(values: dict[str, Any]) -> None:
        version = found.get(str(values.get("version")))
        if version is None:
            dialog.refuse("Choose a version first.")
            return
        change = NamedFilterUpdate(rules=version.rules, revision=one.revision)
        _do(session, lambda: catalogue.change_named_filter(run_id, one.id, change))

    def show(versions: list[FilterVersion]) -> None:
        found.update({str(version.number): version for version in versions})
        form = {
            "label": f"Versions of the filter “{one.name}”",
            "action": "Use this again" if may_write and len(versions) > 1 else "",
            "text": "What is used again becomes the newest version. Runs keep the rules that were applied to them.",
            "choices": {"name": "version", "items": [_choice(run, one, version) for version in versions]},
        }
        dialog.ask(form, submit)

    session.run(lambda: catalogue.filter_versions(run_id, one.id), show)


def _choice(run: Run, one: NamedFilter, version: FilterVersion) -> dict[str, Any]:
    """A version as a line of the dialog; the present one can be looked at and not be chosen."""
    return {
        "value": str(version.number),
        "label": f"Version {version.number}" + ("" if version.name == one.name else f", as “{version.name}”"),
        "by": version.username,
        "time": version.time.isoformat(),
        "lines": _lines(run, version.rules),
        "now": version.number == one.revision,
        "off": frozenset(version.rules) == frozenset(one.rules),
    }


def ask_removal(session: PortalSession, run: Run, one: NamedFilter) -> None:
    """Ask whether a filter is to be forgotten."""
    catalogue, run_id = session.catalogue, run.element.id
    form = {
        "label": f"Delete the filter “{one.name}”",
        "action": "Delete",
        "danger": True,
        "text": "It goes from the menu of all runs of this workflow. Runs keep the rules that were applied to them.",
        "lines": _lines(run, one.rules),
    }
    session.shell.dialog.ask(form, lambda _: _do(session, lambda: catalogue.remove_named_filter(run_id, one.id)))


def _lines(run: Run, rules: Sequence[FilterRule]) -> list[str]:
    return [rule_words(rule, run.user_metrics) for rule in rules]


def _do(session: PortalSession, work: Callable[[], object]) -> None:
    dialog = session.shell.dialog

    def done(_: object) -> None:
        dialog.close()
        session.refresh()

    session.run(work, done, failed=lambda error: dialog.refuse(str(error)))
