"""A catalogue that remembers what was written about elements."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from athena.contract.elements import Crumb, ElementKind, ElementUpdate, MetadataEntry
from athena.contract.filters import RunFilter, SavedFilter
from athena.contract.jobs import JobAction
from athena.contract.metadata import KnownName, MetadataWrite, Quantity, Unit
from athena.contract.named_filters import FilterVersion, NamedFilter, NamedFilterCreate, NamedFilterUpdate
from athena.contract.notes import Note, NoteLink, NoteWrite
from athena.contract.people import Role
from athena.contract.runs import Run
from athena.contract.samples import Sample
from athena.contract.sharing import Grant, GrantChange, Grantee, GranteeKind, Permissions, PublicChange
from athena.contract.verdicts import VerdictKind
from athena.errors import Conflict, Unavailable

WHEN = datetime(2024, 5, 17, 9, tzinfo=UTC)
LENGTH = Quantity(key="length", label="Length", units=(Unit(symbol="nm", name="nanometre"), Unit(symbol="Å", name="Å")))


class About:
    """The catalogue's questions about metadata, notes and permissions, answered from memory."""

    def __init__(self) -> None:
        self.written: dict[str, MetadataEntry] = {}
        self.said: list[Note] = []
        self.roles: dict[str, Role] = {"alice": Role.OWNER}
        self.public: Role | None = None
        self.inherits = True
        self.asked: list[tuple[UUID | None, Any]] = []
        self.locked: UUID | None = None
        self.started: list[dict[str, Any]] = []
        self.filter = RunFilter()
        self.named: list[NamedFilter] = []
        self.versions: list[FilterVersion] = []
        self.updated = 0

    def run(self, _element: UUID) -> Run:
        """What is read with it is asked of others: here it does not answer."""
        raise Unavailable("Athena does not answer.")

    def change(self, element: UUID, change: ElementUpdate) -> None:
        """Remember it; one name is taken."""
        if change.name == "Taken":
            raise Conflict("There is a “Taken” here already.")
        self.asked.append((element, change.model_dump(exclude_none=True, mode="json")))

    def start_job(self, kind: str, element: UUID, parameters: dict[str, Any] | None = None) -> None:
        """Remember it; one is worked on."""
        if element == self.locked:
            raise Conflict("Somebody works on it.")
        self.asked.append((element, kind))
        self.started.append({"kind": kind, "parameters": parameters})

    def save_filter(self, run: UUID, wanted: RunFilter) -> SavedFilter:
        """Keep it."""
        self.filter = wanted
        return SavedFilter(run_id=run, filter=wanted, matching=0, total=0)

    def add_named_filter(self, _run: UUID, new: NamedFilterCreate) -> NamedFilter:
        """Keep it; one name is taken."""
        if new.name == "taken":
            raise Conflict("There is a filter “taken” already.")
        given = new.model_dump() | {"id": uuid4(), "revision": 1, "creator": "alice", "created": WHEN, "updated": WHEN}
        self.named.append(NamedFilter(**given))
        self._keep(self.named[-1])
        return self.named[-1]

    def _keep(self, one: NamedFilter) -> None:
        kept = {"number": one.revision, "name": one.name, "rules": one.rules, "username": "alice", "time": WHEN}
        self.versions.insert(0, FilterVersion(filter_id=one.id, **kept))

    def filter_versions(self, _run: UUID, filter_id: UUID) -> list[FilterVersion]:
        """What it was."""
        return [one for one in self.versions if one.filter_id == filter_id]

    def change_named_filter(self, _run: UUID, filter_id: UUID, change: NamedFilterUpdate) -> NamedFilter:
        """Change it."""
        (at,) = [at for at, one in enumerate(self.named) if (one.id, one.revision) == (filter_id, change.revision)]
        given = {name: value for name in ("name", "rules") if (value := getattr(change, name)) is not None}
        self.named[at] = self.named[at].model_copy(update=given | {"revision": self.named[at].revision + 1})
        self._keep(self.named[at])
        return self.named[at]

    def remove_named_filter(self, _run: UUID, filter_id: UUID) -> None:
        """Forget it."""
        self.named = [one for one in self.named if one.id != filter_id]

    def update_live_export(self, _run: UUID) -> None:
        """Count."""
        self.updated += 1

    def judge(self, run: UUID, indices: list[int], verdict: VerdictKind | None) -> None:
        """Remember it; one run is worked on."""
        if run == self.locked:
            raise Conflict("Somebody works on it.")
        self.asked.append((run, (indices, verdict)))

    def act_on_job(self, job: UUID, action: JobAction) -> None:
        """Remember it."""
        self.asked.append((job, action.value))

    def remove_ended_jobs(self) -> int:
        """Remember it."""
        self.asked.append((None, "remove-ended"))
        return 1

    def samples_of(self, _element: UUID) -> list[Sample]:
        """None."""
        return []

    def metadata(self, _element: UUID) -> list[MetadataEntry]:
        """What was written."""
        return list(self.written.values())

    def quantities(self) -> list[Quantity]:
        """One is enough."""
        return [LENGTH]

    def set_metadatum(self, _element: UUID, new: MetadataWrite) -> MetadataEntry:
        """Keep it."""
        self.written[new.name] = MetadataEntry(group="Custom", **new.model_dump())
        return self.written[new.name]

    def remove_metadatum(self, _element: UUID, name: str) -> None:
        """Forget it."""
        del self.written[name]

    def metadata_names(self, text: str) -> list[KnownName]:
        """One that begins so."""
        return [KnownName(name=f"{text}ness", type="double", quantity="length", unit="nm")]

    def converted(self, value: float, quantity: str, unit: str, to: str) -> dict[str, Any]:
        """From nanometre to ångström."""
        assert (quantity, unit, to) == ("length", "nm", "Å")
        return {"value": value * 10, "unit": to}

    def notes(self, _element: UUID) -> list[Note]:
        """What was said."""
        return self.said[::-1]

    def add_note(self, element: UUID, new: NoteWrite) -> Note:
        """Keep it."""
        links = tuple(NoteLink(**link.model_dump()) for link in new.links)
        self.said.append(
            Note(
                id=uuid4(),
                element_id=element,
                author="alice",
                text=new.text,
                links=links,
                created=WHEN,
                updated=WHEN,
                editable=True,
            )
        )
        return self.said[-1]

    def delete_note(self, _element: UUID, note: str) -> None:
        """Forget it."""
        self.said = [one for one in self.said if str(one.id) != note]

    def permissions(self, element: UUID) -> Permissions:
        """Who may what."""
        grants = tuple(
            Grant(grantee=Grantee(kind=GranteeKind.USER, id=uuid4(), name=name), role=role)
            for name, role in self.roles.items()
        )
        return Permissions(
            element_id=element,
            source=Crumb(id=element, kind=ElementKind.FOLDER, name="Top"),
            inherits=self.inherits,
            revision=1,
            public=self.public,
            grants=grants,
            my_role=Role.OWNER,
            may_edit=True,
        )

    def grant(self, element: UUID, change: GrantChange) -> Permissions | None:
        """Change a role; without an owner, refuse; without alice, she sees nothing any more."""
        roles = {**self.roles, change.name: change.role}
        kept = {name: role for name, role in roles.items() if role is not None}
        if Role.OWNER not in kept.values():
            raise Conflict("An element has at least one owner.")
        self.roles, self.inherits = kept, False
        return self.permissions(element) if "alice" in kept else None

    def make_public(self, element: UUID, change: PublicChange) -> Permissions | None:
        """Open or close it."""
        self.public, self.inherits = change.role, False
        return self.permissions(element)

    def inherit_again(self, element: UUID) -> Permissions | None:
        """As the one above."""
        self.inherits = True
        return self.permissions(element)

    def grantees(self, text: str) -> list[Grantee]:
        """One that begins so."""
        return [Grantee(kind=GranteeKind.USER, id=uuid4(), name=f"{text}b")]
