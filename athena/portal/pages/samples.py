"""Samples: the list of them, and one with all that came of it (WS-22)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import panel as pn

from athena.contract.elements import MetadataEntry
from athena.contract.events import Event, EventKind
from athena.contract.metadata import MetadataWrite
from athena.contract.people import PlatformRole
from athena.contract.samples import Sample, SampleCreate, SamplePage, SampleUpdate
from athena.contract.search import Placed
from athena.errors import AthenaError, Invalid, NotFound
from athena.portal.catalogue import Catalogue
from athena.portal.components.metadata_editor import MetadataEditor
from athena.portal.components.sample_board import SampleBoard
from athena.portal.components.sample_list import sample_item
from athena.portal.components.search_board import hit_item
from athena.portal.pages.plain import PlainPage, PlainView, attempt, frame
from athena.portal.place import Place
from athena.portal.sample_words import wanted
from athena.portal.session import PortalSession, View
from athena.sdk.client import checked

SHOWN = 200
_ADMINS = frozenset({PlatformRole.ADMIN, PlatformRole.CUSTOMER_ADMIN})
"""Who deletes samples that others registered."""


@dataclass(frozen=True)
class Samples(PlainPage):
    """Samples that hold what was typed; or one, and what came of it."""

    place: Place
    page: SamplePage
    sample: Sample | None = None
    products: Sequence[Placed] = ()
    mine: bool = False

    @property
    def title(self) -> str:
        """Name of the page."""
        return self.sample.name if self.sample else "Samples"

    def view(self, session: PortalSession) -> View:
        """Show it."""
        return SamplesView(self, session)


class SamplesView(PlainView):
    """The list, or one sample with its metadata."""

    def __init__(self, loaded: Samples, session: PortalSession) -> None:
        self._session = session
        self._sample = loaded.sample
        self._board = SampleBoard(self._ask, sizing_mode="stretch_width")
        self._metadata = MetadataEditor(
            self._ask_metadata,
            sizing_mode="stretch_width",
            waiting=False,
            # it has a border of its own, for panels
            styles={"max-width": "1312px", "margin": "-16px 0 0 -16px"},
        )
        parts: list[pn.viewable.Viewable] = [self._board, *([self._metadata] if loaded.sample else [])]
        self.root = frame("Samples", *parts)
        if loaded.sample is not None and loaded.sample.editable:
            session.run(session.catalogue.quantities, self._know)
        self.update(loaded)

    def _know(self, quantities: Sequence[Any]) -> None:
        self._metadata.quantities = [quantity.model_dump(mode="json") for quantity in quantities]

    def concerns(self, event: Event) -> bool:
        """Links come and go, and what is linked has other names or another status."""
        if event.kind in (EventKind.SAMPLE_CHANGED, EventKind.ACCESS_CHANGED):
            return True
        return self._sample is not None and event.kind in (EventKind.ELEMENT_UPDATED, EventKind.ELEMENT_DELETED)

    def update(self, data: Any) -> bool:
        """Show a newer reading of the same."""
        here, there = self._sample, data.sample if isinstance(data, Samples) else None
        if not isinstance(data, Samples) or (here and here.id) != (there and there.id):
            return False
        self._sample = there
        self._board.param.update(
            text=data.place.option("q"),
            samples=[sample_item(one) for one in data.page.items],
            total=data.page.total,
            sample=sample_item(there) | {"mine": data.mine} if there else {},
            products=[hit_item(one) for one in data.products],
        )
        if there is not None:
            self._metadata.param.update(
                entries=[entry.model_dump(mode="json") for entry in there.metadata],
                may_write=there.editable,
                file_name=there.name,
            )
        return True

    def _ask(self, asked: dict[str, Any]) -> None:
        session, catalogue, sample = self._session, self._session.catalogue, self._sample
        match asked["do"]:
            case "look":
                session.go(Place(page="samples").having(q=str(asked["text"])))
            case "register":
                attempt(
                    session,
                    self._board,
                    lambda: catalogue.create_sample(wanted(SampleCreate, asked["values"])),
                    then=lambda made: session.go(place_of(made.id)),
                )
            case "change" if sample is not None:
                attempt(
                    session,
                    self._board,
                    lambda: catalogue.update_sample(sample.id, wanted(SampleUpdate, asked["values"])),
                )
            case "delete" if sample is not None:
                attempt(
                    session,
                    self._board,
                    lambda: catalogue.delete_sample(sample.id),
                    then=lambda _: session.go(Place(page="samples")),
                )
            case "unlink" if sample is not None:
                attempt(session, self._board, lambda: catalogue.unlink_sample(sample.id, UUID(asked["id"])))

    def _ask_metadata(self, asked: dict[str, Any]) -> None:
        sample, catalogue, editor = self._sample, self._session.catalogue, self._metadata
        if sample is None:
            return
        does = asked.pop("do")
        if does == "convert":
            self._session.run(
                lambda: catalogue.converted(**asked), lambda a: editor.param.update(converted=a), failed=self._refused
            )
        elif does == "names":
            self._session.run(
                lambda: catalogue.metadata_names(asked["text"]),
                lambda found: editor.param.update(names=[name.model_dump(mode="json") for name in found]),
                failed=self._refused,
            )
        else:
            try:
                change = SampleUpdate(metadata=changed(sample.metadata, asked, remove=does == "remove"))
            except Invalid as error:
                self._refused(error)
                return
            self._session.run(lambda: catalogue.update_sample(sample.id, change), self._written, failed=self._refused)

    def _written(self, _: Sample) -> None:
        self._metadata.param.update(done=self._metadata.done + 1, problem="")
        self._session.refresh()

    def _refused(self, error: AthenaError) -> None:
        # the same words twice are said twice
        self._metadata.problem = ""
        self._metadata.problem = str(error)


def changed(entries: Sequence[MetadataEntry], asked: dict[str, Any], *, remove: bool) -> tuple[MetadataWrite, ...]:
    """All metadata of a sample with one of them set or removed. Raises Invalid."""
    name = str(asked["name"]).strip()
    others = (entry.model_dump(exclude={"group"}) for entry in entries if entry.name != name)
    kept = [checked(MetadataWrite, **entry) for entry in others]
    return tuple(kept) if remove else (*kept, checked(MetadataWrite, **asked))


def place_of(sample_id: UUID) -> Place:
    """Where a sample is shown."""
    return Place(page="samples").having(id=str(sample_id))


def read_samples(catalogue: Catalogue, place: Place) -> Samples:
    """Read the samples, or the one that the address names. Raises NotFound."""
    named = place.option("id")
    if not named:
        return Samples(place, catalogue.samples(place.option("q"), limit=SHOWN))
    try:
        sample_id = UUID(named)
    except ValueError as error:
        raise NotFound("This address names no sample.", hint="Start again from Samples.") from error
    sample, me = catalogue.sample(sample_id), catalogue.me()
    mine = sample.creator == me.username or not me.roles.isdisjoint(_ADMINS)
    return Samples(place, SamplePage(items=(), total=0), sample, catalogue.sample_products(sample_id), mine)
