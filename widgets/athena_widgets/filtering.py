"""The filter that is saved for a run, as views take it."""

from typing import Any, Protocol, runtime_checkable

from athena.contract.filters import SavedFilter


@runtime_checkable
class FilteredRun(Protocol):
    """A run that a filter may be saved for."""

    def saved_filter(self) -> SavedFilter:
        """The filter saved for it."""
        ...


def saved_rules(run: object) -> list[dict[str, Any]]:
    """Rules of the filter saved for a run; none for what has no filter."""
    if not isinstance(run, FilteredRun):
        return []
    return [rule.model_dump(mode="json") for rule in run.saved_filter().filter.rules]
