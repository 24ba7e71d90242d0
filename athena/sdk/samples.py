"""Samples, and what came of them (WS-22)."""

from collections.abc import Mapping, Sequence
from typing import Any, Self, overload
from uuid import UUID

from athena.contract import samples as wire
from athena.contract.search import Placed
from athena.errors import NotFound
from athena.sdk import html
from athena.sdk.client import Client, Query, checked
from athena.sdk.elements import Element
from athena.sdk.metadata import entry_table, told_as, value_of
from athena.sdk.search import Places

PAGE = 200


class Sample:
    """A sample, as it was when last read."""

    def __init__(self, client: Client, model: wire.Sample) -> None:
        self._client = client
        self._model = model

    @property
    def model(self) -> wire.Sample:
        """All that the API said of it."""
        return self._model

    @property
    def id(self) -> UUID:
        """Identifier, which never changes."""
        return self._model.id

    @property
    def name(self) -> str:
        """Name."""
        return self._model.name

    @property
    def metadata(self) -> dict[str, Any]:
        """Metadata by name; numbers with a unit are pint quantities. ``update(metadata=…)`` replaces them."""
        return {entry.name: value_of(entry) for entry in self._model.metadata}

    @property
    def products(self) -> Places:
        """All that came of it and you may see: steps, datasets, runs."""
        return Places(self._client, self._client.get(f"{self._path}/elements", list[Placed]))

    def update(self, *, metadata: Mapping[str, Any] | None = None, **changes: Any) -> Self:
        """Change name, type, description, barcode, cassette, slot or metadata; what is left out stays."""
        if metadata is not None:
            changes["metadata"] = _metadata(metadata)
        self._model = self._client.patch(self._path, checked(wire.SampleUpdate, **changes), wire.Sample)
        return self

    def link(self, *elements: Element) -> Self:
        """Say that steps or datasets were made of it; whoever sees those then sees the sample."""
        for element in elements:
            self._model = self._client.put(f"{self._path}/elements/{element.id}", None, wire.Sample)
        return self

    def unlink(self, *elements: Element) -> Self:
        """Take that back."""
        for element in elements:
            self._client.delete(f"{self._path}/elements/{element.id}")
        self._model = self._client.get(self._path, wire.Sample)
        return self

    def delete(self) -> None:
        """Delete it; not while anything is linked to it."""
        self._client.delete(self._path)

    @property
    def _path(self) -> str:
        return f"/api/samples/{self._model.id}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sample) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<Sample {self.name!r} {self._model.type}>"

    def _repr_html_(self) -> str:
        known = self._model
        facts = {"barcode": known.barcode, "cassette": known.cassette, "slot": known.slot, "by": known.creator}
        said = [
            f"{html.text(name, 'mute')} {html.text(fact)}" for name, fact in facts.items() if fact not in ("", None)
        ]
        entries = entry_table(list(known.metadata)) if known.metadata else ""
        about = html.text(known.description, "mute") if known.description else ""
        return html.page(html.card(known.name, known.type or "Sample", html.row(*said), about, entries))


class Samples(Sequence[Sample]):
    """Samples you may see, by name, as they were when asked for; indexed by position or by name."""

    def __init__(self, client: Client, text: str = "") -> None:
        self._client = client
        self._samples: list[Sample] = []
        total = 1
        while len(self._samples) < total:
            params: Query = {"text": text, "offset": len(self._samples), "limit": PAGE}
            page = client.get("/api/samples", wire.SamplePage, params=params)
            self._samples += [Sample(client, model) for model in page.items]
            total = page.total if page.items else 0

    def create(self, name: str, *, metadata: Mapping[str, Any] | None = None, **facts: Any) -> Sample:
        """Register a sample, which you alone see until it is linked.

        ``facts`` are type, description, barcode, cassette and slot.
        """
        new = checked(wire.SampleCreate, name=name, metadata=_metadata(metadata or {}), **facts)
        return Sample(self._client, self._client.post("/api/samples", new, wire.Sample))

    def find(self, text: str) -> "Samples":
        """Those whose name, type or barcode holds a text."""
        return Samples(self._client, text)

    def of(self, element: Element) -> list[Sample]:
        """Those that an element, or the step it lies in, was made of."""
        found = self._client.get(f"/api/elements/{element.id}/samples", list[wire.ElementSample])
        return [Sample(self._client, one) for one in found]

    @overload
    def __getitem__(self, key: int | str) -> Sample: ...
    @overload
    def __getitem__(self, key: slice) -> Sequence[Sample]: ...
    def __getitem__(self, key: int | str | slice) -> Sample | Sequence[Sample]:
        if not isinstance(key, str):
            return self._samples[key]
        for sample in self._samples:
            if sample.name == key:
                return sample
        raise NotFound(f"There is no sample {key!r}.", hint="Or nothing made of it is shared with you.")

    def __len__(self) -> int:
        return len(self._samples)

    def _ipython_key_completions_(self) -> list[str]:
        return [sample.name for sample in self._samples]

    def __repr__(self) -> str:
        return f"[{', '.join(map(repr, self._samples))}]"

    def _repr_html_(self) -> str:
        rows = [[html.text(value, style) for value, style in _row(sample.model)] for sample in self._samples]
        return html.page(html.table(("Name", "Type", "Barcode", "Cassette", "Slot", "Made of it", "By"), rows))


def _row(sample: wire.Sample) -> list[tuple[object, str]]:
    slot = "" if sample.slot is None else sample.slot
    muted = (sample.type, sample.barcode, sample.cassette, slot, sample.linked, sample.creator)
    return [(sample.name, ""), *((value, "mute") for value in muted)]


def _metadata(values: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(told_as(name, value) for name, value in values.items())
