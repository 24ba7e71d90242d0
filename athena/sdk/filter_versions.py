"""Versions of a named filter: what it was, and when (BY-09)."""

from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

from athena.contract.filters import FilterRule
from athena.contract.named_filters import FilterVersion
from athena.contract.user_metrics import UserMetric
from athena.errors import NotFound
from athena.sdk import html
from athena.sdk.client import Client
from athena.sdk.filters import rule_words

PAGE = 1000


class NamedRules(tuple[FilterRule, ...]):
    """Rules of a named filter, for whatever takes rules; they know which version they are, and its others."""

    version: int
    versions: "FilterVersions"

    def __new__(cls, rules: Iterable[FilterRule], version: int, versions: "FilterVersions") -> "NamedRules":
        """Rules, as those of a version."""
        made = super().__new__(cls, rules)
        made.version, made.versions = version, versions
        return made

    def __reduce__(self) -> tuple[type[tuple[FilterRule, ...]], tuple[tuple[FilterRule, ...]]]:
        # a copy is rules alone: the connection cannot be copied
        return tuple, (tuple(self),)


class FilterVersions(Mapping[int, NamedRules]):
    """What a named filter was, by number, oldest first; read at once. None goes, also where the filter does.

    ``run.filters["good"].versions[3]`` are the rules of the third, for whatever takes rules:
    ``run.filters["good"] = run.filters["good"].versions[3]`` uses them again, as the newest.
    """

    def __init__(self, client: Client, run_id: UUID, filter_id: UUID) -> None:
        self._client = client
        self._run_id = run_id
        self._path = f"/api/runs/{run_id}/filters/{filter_id}/versions"

    @property
    def models(self) -> list[FilterVersion]:
        """All that the API says of them, newest first."""
        found: list[FilterVersion] = []
        while True:
            asked = {"limit": PAGE} | ({"before": found[-1].number} if found else {})
            page = self._client.get(self._path, list[FilterVersion], params=asked)
            found += page
            if len(page) < PAGE:
                return found

    def __getitem__(self, number: int) -> NamedRules:
        """Rules of a version.

        Raises
        ------
        KeyError : there is no such version.
        """
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number < 2**31:
            raise KeyError(number)
        try:
            return self._rules(self._client.get(f"{self._path}/{number}", FilterVersion))
        except NotFound as error:
            raise KeyError(number) from error

    def __iter__(self) -> Iterator[int]:
        return iter([one.number for one in reversed(self.models)])

    def __len__(self) -> int:
        return len(self.models)

    def __repr__(self) -> str:
        return "\n".join(
            f"{one.number}: {words} ({one.name}, {one.username or 'not known'}, {one.time:%Y-%m-%d %H:%M} UTC)"
            for one, words in self._worded()
        )

    def _repr_html_(self) -> str:
        rows = [
            (
                html.text(str(one.number)),
                html.text(one.name),
                html.text(words),
                html.text(one.username, "mute"),
                html.text(f"{one.time:%Y-%m-%d %H:%M}", "mute"),
            )
            for one, words in self._worded()
        ]
        return html.page(html.table(("Version", "Name", "Rules", "By", "Since (UTC)"), rows))

    def _worded(self) -> Iterator[tuple[FilterVersion, str]]:
        """Versions with their rules in words."""
        own = self._client.get(f"/api/runs/{self._run_id}/metrics", list[UserMetric])
        return ((one, "; ".join(rule_words(rule, own) for rule in one.rules)) for one in self.models)

    def _rules(self, model: FilterVersion) -> NamedRules:
        return NamedRules(model.rules, model.number, self)
