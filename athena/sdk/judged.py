"""Which acquisitions of a run count: its filter, its workflow's named filters, criteria and verdicts by hand."""

from typing import TYPE_CHECKING

from athena.contract.criteria import RunCriteria
from athena.contract.filters import SavedFilter
from athena.contract.verdicts import VerdictKind
from athena.sdk import filters as filtering
from athena.sdk.elements import Dataset
from athena.sdk.named_filters import NamedFilters

if TYPE_CHECKING:
    import pandas as pd


class JudgedRun(Dataset):
    """What of a run is about judging its acquisitions."""

    def saved_filter(self) -> SavedFilter:
        """The filter saved for the run, with how many acquisitions match it."""
        return filtering.get_filter(self._client, self.id)

    def save_filter(self, *rules: filtering.Rule) -> SavedFilter:
        """Save rules that must all match, such as ``("defocus_um", "<", 2.5)``; none: every acquisition matches."""
        return filtering.save_filter(self._client, self.id, rules)

    @property
    def filters(self) -> NamedFilters:
        """Filters that its workflow keeps under names, for all its runs: ``run.filters["good"] = rules``."""
        return NamedFilters(self)

    @property
    def criteria(self) -> RunCriteria:
        """What a good acquisition of the run is, and how many comply."""
        return filtering.get_criteria(self._client, self.id)

    def set_criteria(self, *rules: filtering.Rule) -> RunCriteria:
        """Set what a good acquisition is, such as ``("ctf_resolution_angstrom", "<=", 4)``: all rules must hold."""
        return filtering.set_criteria(self._client, self.id, rules)

    def reset_criteria(self) -> RunCriteria:
        """Go back to the criteria of the instance."""
        return filtering.reset_criteria(self._client, self.id)

    @property
    def verdicts(self) -> "pd.DataFrame":
        """Acquisitions accepted or rejected by hand: verdict, user name and time, by index."""
        import pandas as pd

        found = filtering.get_verdicts(self._client, self.id).verdicts
        columns = {name: [getattr(one, name) for one in found] for name in ("verdict", "username", "time")}
        return pd.DataFrame(columns, index=pd.Index([one.index for one in found], name="acquisition", dtype=int))

    def accept(self, *indices: int) -> None:
        """Accept acquisitions by hand: they match every filter, whatever its rules say."""
        filtering.give_verdict(self._client, self.id, indices, VerdictKind.ACCEPTED)

    def reject(self, *indices: int) -> None:
        """Reject acquisitions by hand: they match no filter."""
        filtering.give_verdict(self._client, self.id, indices, VerdictKind.REJECTED)

    def clear_verdicts(self, *indices: int) -> None:
        """Take back what was said of acquisitions, so that the rules decide."""
        filtering.give_verdict(self._client, self.id, indices, None)
