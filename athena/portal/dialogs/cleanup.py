"""Cleaning runs up: what would go and how much is said first (EX-04)."""

from collections.abc import Sequence
from typing import Any

from athena.contract.cleanup import CleanupSize
from athena.contract.elements import Element
from athena.contract.jobs import JobKind
from athena.errors import AthenaError
from athena.portal.dialogs.words import heading, refusals
from athena.portal.session import PortalSession
from athena.sdk.progress import size_words


def ask_cleanup(session: PortalSession, runs: Sequence[Element]) -> None:
    """Measure what could go, ask what of it does, and start a job for each run."""
    dialog, catalogue = session.shell.dialog, session.catalogue
    form = {"label": heading("Clean up", runs), "action": "Clean up", "danger": True}

    def submit(values: dict[str, Any]) -> None:
        rules = sorted(name for name, chosen in values.items() if chosen)
        if not rules:
            dialog.refuse("Choose what is to go.")
            return

        def start() -> list[str]:
            reasons = []
            for run in runs:
                try:
                    catalogue.start_job(JobKind.CLEANUP.value, run.id, {"rules": list(rules)})
                except AthenaError as error:
                    reasons.append(f"{run.name}: {error}")
            return reasons

        def started(reasons: list[str]) -> None:
            if reasons:
                dialog.refuse(refusals(reasons, len(runs), "cleaned up"))
            else:
                dialog.close()
            session.refresh()

        session.run(start, started, failed=lambda error: dialog.refuse(str(error)))

    number = dialog.ask(form | {"waiting": "Counting what could go …"}, submit)

    def measured(found: list[CleanupSize]) -> None:
        dialog.fill(number, form | form_of(found, runs))

    session.run(
        lambda: [size for run in runs for size in catalogue.cleanup_sizes(run.id)],
        measured,
        failed=lambda error: dialog.refuse(str(error)),
    )


def form_of(found: Sequence[CleanupSize], runs: Sequence[Element]) -> dict[str, Any]:
    """What can go, a box each, with files and bytes; what may not go says why."""
    fields = []
    for rule in dict.fromkeys(size.rule for size in found):
        sizes = [size for size in found if size.rule is rule]
        files, allowed = sum(size.files for size in sizes), all(size.allowed for size in sizes)
        counted = f"{files} file{'' if files == 1 else 's'}, {size_words(sum(size.bytes for size in sizes))}"
        reason = next((size.reason for size in sizes if not size.allowed), "")
        fields.append(
            {
                "name": rule.value,
                "label": f"{sizes[0].label}: {counted}",
                "type": "checkbox",
                "disabled": not allowed or not files,
                "hint": reason or ("" if files else "Nothing of it is there."),
            }
        )
    return {
        "text": "What is chosen is deleted and cannot be brought back. Thumbnails, spectra, numbers and metadata stay.",
        "fields": fields,
        "typed": runs[0].name if len(runs) == 1 else str(len(runs)),
    }
