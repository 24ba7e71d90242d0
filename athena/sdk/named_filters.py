"""Filters that the workflow of a run keeps under names, as a mapping (EQ-08)."""

from collections.abc import Iterable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from athena.contract.filters import SavedFilter
from athena.contract.named_filters import NamedFilter, NamedFilterCreate, NamedFilterUpdate
from athena.contract.user_metrics import UserMetric
from athena.errors import NotFound
from athena.sdk import html
from athena.sdk.client import checked
from athena.sdk.filter_versions import FilterVersions, NamedRules
from athena.sdk.filters import Rule, make_filter, rule_words, save_filter

if TYPE_CHECKING:
    from athena.sdk.elements import Dataset


class NamedFilters(MutableMapping[str, NamedRules]):
    """Named filters of a run's workflow, which all its runs share; read and written at once.

    ``run.filters["good"] = [("defocus_um", "<", 2.5)]`` keeps rules, ``run.filters["good"]`` gives them to whatever
    takes rules, ``run.filters.apply("good")`` saves them as the filter of the run. Upper and lower case are alike.
    ``run.filters["good"].versions`` is what it was.
    """

    def __init__(self, run: "Dataset") -> None:
        self._run = run
        self._client = run.client
        self._path = f"/api/runs/{run.id}/filters"

    @property
    def models(self) -> list[NamedFilter]:
        """All that the API says of them, by name."""
        return self._client.get(self._path, list[NamedFilter])

    def apply(self, name: str) -> SavedFilter:
        """Save a filter for the run, as ``run.save_filter``; NotFound where there is none of that name."""
        return save_filter(self._client, self._run.id, self._find(name).rules)

    def rename(self, old: str, new: str) -> None:
        """Give a filter another name. Raises NotFound, Forbidden; Conflict where the name is taken."""
        found = self._find(old)
        self._change(found, checked(NamedFilterUpdate, name=new, revision=found.revision))

    def __getitem__(self, name: str) -> NamedRules:
        """Rules of a name.

        Raises
        ------
        KeyError : there is no such filter.
        """
        found = self._named(name)
        if found is None:
            raise KeyError(name)
        return self._rules(found)

    def __setitem__(self, name: str, rules: Iterable[Rule]) -> None:
        """Keep rules under a name, in place of those it had.

        Raises
        ------
        Invalid : no rules, or one that means nothing. Forbidden : you may only look at the run.
        """
        wanted, found = make_filter(rules).rules, self._named(name)
        if found is None:
            self._client.post(self._path, checked(NamedFilterCreate, name=name, rules=wanted), NamedFilter)
        else:
            self._change(found, checked(NamedFilterUpdate, rules=wanted, revision=found.revision))

    def __delitem__(self, name: str) -> None:
        found = self._named(name)
        if found is None:
            raise KeyError(name)
        self._client.delete(f"{self._path}/{found.id}")

    def __iter__(self) -> Iterator[str]:
        return iter([one.name for one in self.models])

    def __len__(self) -> int:
        return len(self.models)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._named(name) is not None

    def items(self) -> Any:
        """Names with their rules, in one request."""
        return {one.name: self._rules(one) for one in self.models}.items()

    def values(self) -> Any:
        """Rules, in one request."""
        return {one.name: self._rules(one) for one in self.models}.values()

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def __repr__(self) -> str:
        lines = [f"{one.name}: {words}" for one, words in self._worded()]
        return "\n".join(lines) or f"<no named filters in the workflow of {self._run.name!r}>"

    def _repr_html_(self) -> str:
        rows = [
            (
                html.text(one.name),
                html.text(words),
                html.text(one.creator, "mute"),
                html.text(f"{one.updated:%Y-%m-%d %H:%M}", "mute"),
            )
            for one, words in self._worded()
        ]
        return html.page(html.table(("Filter", "Rules", "By", "Changed (UTC)"), rows))

    def _rules(self, model: NamedFilter) -> NamedRules:
        versions = FilterVersions(self._client, self._run.id, model.id)
        return NamedRules(model.rules, model.revision, versions)

    def _worded(self) -> Iterator[tuple[NamedFilter, str]]:
        """Filters with their rules in words."""
        models = self.models
        own = self._client.get(f"/api/runs/{self._run.id}/metrics", list[UserMetric]) if models else []
        return ((one, "; ".join(rule_words(rule, own) for rule in one.rules)) for one in models)

    def _named(self, name: str) -> NamedFilter | None:
        wanted = name.strip().casefold()
        return next((one for one in self.models if one.name.casefold() == wanted), None)

    def _find(self, name: str) -> NamedFilter:
        found = self._named(name)
        if found is None:
            raise NotFound(
                f"The workflow of “{self._run.name}” keeps no filter “{name}”.",
                hint=f"It keeps: {', '.join(self)}." if len(self) else "Keep one: run.filters[name] = rules.",
            )
        return found

    def _change(self, found: NamedFilter, change: NamedFilterUpdate) -> None:
        self._client.patch(f"{self._path}/{found.id}", change, NamedFilter)
