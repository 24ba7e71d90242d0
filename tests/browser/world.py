"""A workspace worth looking at: runs in every state, names of every length, jobs, samples, files, and people.

What the product would only come to after hours (a job that failed, a folder nobody looks at, an archived dataset) is
written to the database as the services leave it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
from PIL import Image
from sqlalchemy import select

from athena.contract.elements import (
    DatasetCreate,
    DatasetType,
    Element,
    ElementPage,
    FolderCreate,
    MetadataEntry,
    StepCreate,
    Template,
    WorkflowCreate,
)
from athena.contract.filters import FilterRule, Operator
from athena.contract.jobs import JobKind, JobState
from athena.contract.metadata import MetadataWrite
from athena.contract.named_filters import NamedFilter, NamedFilterCreate, NamedFilterUpdate
from athena.contract.notes import Note, NoteLinkWrite, NoteWrite
from athena.contract.people import Role, UserCreate
from athena.contract.runs import Run, SourceCreate, SourceState
from athena.contract.samples import Sample, SampleCreate
from athena.contract.sharing import GrantChange
from athena.db.elements import ElementRow
from athena.db.engine import Database
from athena.db.jobs import JobRow
from athena.db.people import UserRow
from athena.formats.mrc import write_mrc
from athena.sdk.connection import Athena
from athena_pipelines.simulate.session import EpuSimulator
from tests.browser.instance import Instance, login_of, make_run, wait_for
from tests.browser.played import Player

LONG = "Nanobody-stabilised GABA-A receptor in MSP2N2 nanodiscs with alprazolam and bicuculline, second purification"
LONG_AGO = datetime(2024, 12, 28, 22, 48, tzinfo=UTC)
"""A time that takes many letters."""
FAILURE = "The movie cannot be read: it ends after 12 of 40 frames. Copy it again."


ALICE = {"LOGNAME": "alice"}
"""Of the environment: whose machine the instance is on."""


@dataclass
class World:
    """Fills an instance.

    Parameters
    ----------
    many : micrographs of the full run.
    movies : simulated movies that a runner processes into the first run; 0: made-up ones, at once.
    size : edge of micrographs and movies, px.
    """

    instance: Instance
    folder: Path
    many: int = 60
    movies: int = 0
    size: int = 256

    def fill(self) -> dict[str, object]:
        """Make it; returns what is in it by the names that scenes use, and the log-in links of people."""
        client = self.instance.client
        real = make_run(client, folder="Apoferritin", workflow="SPA-QM 12", run="Grid 3")
        step = client.get(f"/elements/{real.id}", Element).parent_id
        workflow = client.get(f"/elements/{step}", Element).parent_id
        top = client.get(f"/elements/{workflow}", Element).parent_id
        assert step is not None
        assert workflow is not None
        made: dict[str, object] = {"run": real.id, "step": step, "workflow": workflow, "folder": top}
        self._play(real)
        made |= self._runs(step)
        self._people()
        self._say(workflow, step)
        made["sample"] = self._samples(step)
        made |= self._bring(workflow)
        self._jobs(real, made)
        for opened in (workflow, step, top):
            client.post(f"/elements/{opened}/opened", None, None)
        if self.movies:
            self.instance.start("runner")
            wait_for(
                lambda: self._completed(real.id) >= self.movies, what=f"{self.movies} processed movies", seconds=600
            )
        return made | {f"login {name}": login_of(self.instance, name) for name in ("bob", "carol")}

    def _completed(self, run_id: UUID) -> int:
        return self.instance.client.get(f"/runs/{run_id}", Run).counts.completed

    def _player(self, run: Element, number: int = 0) -> Player:
        return Player(self.instance.settings, run.id, size=(self.size, self.size), number=number)

    def _play(self, run: Element) -> None:
        """Fill the first run."""
        if self.movies:
            session = EpuSimulator(
                self.folder / "session", movies=self.movies, size=(self.size, self.size), frames=24, interval_s=0
            ).run()
            self.instance.client.put(f"/runs/{run.id}/source", SourceCreate(path=str(session), follow=True), Run)
            return
        player = self._player(run)
        player.attach(message="4 movies found, all whole.")
        player.complete(player.register(4))
        player.close()

    def _runs(self, step: UUID) -> dict[str, object]:
        """Runs that are full, few, stale, empty, with branches, with long names."""
        client = self.instance.client
        full = make_run(client, folder="Membrane proteins", workflow="SPA-QM 14", run="Grid 4")
        player = self._player(full)
        player.attach(message=f"{self.many} movies found, all whole.", state=SourceState.COMPLETED)
        indices = player.register(self.many)
        player.complete(indices[:12])  # the first of the explorer
        player.complete(indices[12:-21], images=False)
        player.complete(indices[-21:-9])  # the first of the gallery
        player.fail(indices[-9:-6], FAILURE)
        player.close()
        sharp = FilterRule(metric="ctf_resolution_angstrom", operator=Operator.AT_MOST, value=3.4)
        thin = FilterRule(metric="iciness", operator=Operator.BELOW, value=1.1)
        filters = f"/runs/{full.id}/filters"
        client.post(filters, NamedFilterCreate(name="sharp", rules=(sharp,)), NamedFilter)
        sharper = sharp.model_copy(update={"value": 3.1})
        kept = client.post(filters, NamedFilterCreate(name="good", rules=(sharper, thin)), NamedFilter)
        for change in (
            NamedFilterUpdate(rules=(sharper,)),
            NamedFilterUpdate(name=f"good for {LONG}"[:100], rules=(sharp, thin)),
        ):
            client.patch(f"{filters}/{kept.id}", change, NamedFilter)

        few = self._dataset(step, "Grid 5, three movies")
        player = self._player(few)
        player.attach(message="3 movies found, all whole.", state=SourceState.COMPLETED)
        player.complete(player.register(3))
        player.close()

        stale = self._dataset(step, "Grid 6, left alone")
        player = self._player(stale)
        problems = tuple(f"movie {number}: its metadata file is missing." for number in (7, 12, 13))
        player.attach(message="12 movies found, 3 without metadata.", problems=problems)
        indices = player.register(12)
        player.complete(indices[:9])
        player.fail(indices[9:10], FAILURE)
        player.leave_to_another(scanned=datetime.now(UTC) - timedelta(minutes=47))
        player.close()

        branched = self._dataset(step, "Grid 7, two branches")
        player = self._player(branched)
        player.attach(message="12 movies found, all whole.", state=SourceState.COMPLETED)
        player.complete(player.register(12))
        player.close()
        player = self._player(branched, 1)
        player.begin_branch("fine patches", {"patches_x": 9, "patches_y": 9})
        player.complete(list(range(8)))
        player.close()

        none = self._dataset(step, "Grid 8, no session yet")
        deleted = self._dataset(step, "Grid 1, being deleted")
        archived = self._dataset(step, "Grid 2, archived")
        self._set_states({deleted.id: "deleting", archived.id: "archived", few.id: "active"})
        long = make_run(client, folder=LONG, workflow=f"SPA-QM of {LONG}", run=f"Grid 12 of {LONG}")
        player = self._player(long)
        player.attach(message="40 movies found, all whole.", state=SourceState.COMPLETED)
        player.complete(player.register(6))
        player.close()
        above = client.get(f"/elements/{client.get(f'/elements/{long.parent_id}', Element).parent_id}", Element)
        empty = client.post("/elements", FolderCreate(name="Ribosome, in vitro translation"), Element)
        return {
            "full": full.id,
            "failed": self.many - 9,
            "waiting": self.many - 1,
            "few": few.id,
            "stale": stale.id,
            "branched": branched.id,
            "none": none.id,
            "archived": archived.id,
            "long": long.id,
            "long_folder": above.parent_id,
            "empty": empty.id,
        }

    def _dataset(self, step: UUID, name: str) -> Element:
        wanted = DatasetCreate(name=name, parent_id=step, type=DatasetType.EPU_RUN)
        return self.instance.client.post("/elements", wanted, Element)

    def _set_states(self, states: dict[UUID, str]) -> None:
        database = Database(self.instance.settings.resolved_database_url)
        with database.session() as session:
            for element_id, state in states.items():
                row = session.get_one(ElementRow, element_id)
                row.state, row.updated = state, LONG_AGO
        database.dispose()

    def _people(self) -> None:
        """Bob, who may see something, and Carol, who may not; each has a password."""
        for name in ("bob", "carol"):
            wanted = UserCreate(
                username=name,
                password=f"password of {name}",
                email=f"{name}@example.org",
                first_name=name.title(),
            )
            self.instance.client.post("/users", wanted, None)

    def _say(self, workflow: UUID, step: UUID) -> None:
        """Say something about elements, and share them."""
        client = self.instance.client
        link = NoteLinkWrite(url="https://doi.org/10.1038/s41586-020-2829-0", title="Apoferritin at 1.25 Å")
        for element in (workflow, step):
            for entry in (
                MetadataWrite(name="Buffer", type="string", value="20 mM HEPES, 150 mM NaCl"),
                MetadataWrite(name="Concentration", type="double", value=0.0032, quantity="density", unit="g/cm³"),
                MetadataWrite(name="Grids frozen", type="integer", value=12),
                MetadataWrite(name="Glow discharged", type="boolean", value=True),
            ):
                client.put(f"/elements/{element}/metadata", entry, MetadataEntry)
            for text in (
                "Grids 1–3 have **thin ice** in the centre; grid 4 is dry.",
                "Defocus range changed to 0.8–1.6 µm.",
            ):
                client.post(f"/elements/{element}/notes", NoteWrite(text=text, links=(link,)), Note)
        client.put(f"/elements/{workflow}/permissions/grant", GrantChange(name="bob", role=Role.VIEWER), None)

    def _samples(self, step: UUID) -> UUID:
        """Samples in a cassette, one of which a step was made of."""
        client = self.instance.client
        concentration = MetadataWrite(name="Concentration", type="double", value=4.0, quantity="density", unit="kg/m³")
        wanted = (
            SampleCreate(
                name="Apoferritin 12",
                type="Grid",
                description="Mouse heavy chain, UltrAuFoil R1.2/1.3, blotted 3 s at 4 °C.",
                barcode="A-17",
                cassette="C3",
                slot=4,
                metadata=(concentration,),
            ),
            SampleCreate(name="Apoferritin 13", type="Grid", barcode="A-18", cassette="C3", slot=5),
            SampleCreate(name=LONG, type="Purified protein", description="From the second peak."),
        )
        first, *_ = (client.post("/samples", sample, Sample) for sample in wanted)
        client.put(f"/samples/{first.id}/elements/{step}", None, None)
        return first.id

    def _bring(self, workflow: UUID) -> dict[str, object]:
        """A free dataset with a file for every viewer, and one without any."""
        client, folder, rng = self.instance.client, self.folder / "brought", np.random.default_rng(7)
        (folder / "day 2" / "raw").mkdir(parents=True)
        for number in range(40):
            (folder / "day 2" / "raw" / f"position_{number}.mdoc").write_text(f"[ZValue = {number}]\n")
        z, y, x = np.meshgrid(*(np.linspace(-1, 1, edge) for edge in (60, 200, 300)), indexing="ij")
        shell = np.exp(-(((np.sqrt(z**2 + y**2 + x**2) - 0.6) / 0.08) ** 2))
        volume = (shell + rng.normal(0, 0.4, shell.shape)).astype("f4")
        write_mrc(folder / "vesicle.mrc", volume, pixel_size_angstrom=8.4)
        shade = np.clip(120 + 40 * shell[30] + rng.normal(0, 12, shell[30].shape), 0, 255)
        Image.fromarray(shade.astype(np.uint8)).resize((900, 600)).save(folder / "atlas.png")
        (folder / "notes.md").write_text(
            "# Day 2\n\n**Good ice** on [squares 3–7](https://example.org); square 9 is dry.\n\n- 4.2 e⁻/px/s\n"
        )
        rows = "\n".join(f"position_{n},{rng.normal():.3f},{rng.normal():.3f}" for n in range(400))
        (folder / "positions.csv").write_text(f"name,x_um,y_um\n{rows}\n")
        (folder / "log.txt").write_text("".join(f"09:{n:02d}:00 square {n}: autofocus −1.2 µm\n" for n in range(40)))
        (folder / "raw.dm4").write_bytes(b"dm4")
        step = client.post("/elements", StepCreate(name="Negative stain", parent_id=self._free_workflow()), Element)
        dataset = Athena(client).element(step.id).create_dataset("Negative stain, May", type=DatasetType.FREE)
        dataset.upload(list(folder.iterdir()), progress=False)
        empty = Athena(client).element(step.id).create_dataset("Negative stain, June", type=DatasetType.FREE)
        return {"files": dataset.id, "no_files": empty.id} | {file.name: file.id for file in dataset.files}

    def _free_workflow(self) -> UUID:
        client = self.instance.client
        (folder,) = (
            one for one in client.get("/elements", ElementPage).items if one.name.startswith("Membrane proteins")
        )
        wanted = WorkflowCreate(name="Screening in May", parent_id=folder.id, template=Template.FREE)
        return client.post("/elements", wanted, Element).id

    def _jobs(self, run: Element, made: dict[str, object]) -> None:
        """Jobs as they are after a day: one runs, one waits, one failed, some are over."""
        begun = datetime.now(UTC) - timedelta(hours=2)
        database = Database(self.instance.settings.resolved_database_url)
        with database.session() as session:
            initiator = session.scalars(select(UserRow.id).where(UserRow.username == ALICE["LOGNAME"])).one()

            def add(kind: JobKind, state: JobState, minutes: int, **more: object) -> None:
                created = begun + timedelta(minutes=minutes)
                ended = state in (JobState.FINISHED, JobState.FAILED, JobState.CANCELLED)
                given = {"element_id": run.id, "subject": run.name, "initiator_id": initiator, "created": created}
                given["started"] = None if state is JobState.PENDING else created
                given["finished"] = created + timedelta(minutes=7) if ended else None
                session.add(JobRow(kind=kind.value, state=state.value, **given | more))

            # a runner that is started here leaves it as it is
            lease = {"lease_owner": "a runner elsewhere", "lease_until": datetime.now(UTC) + timedelta(days=1)}
            add(JobKind.LIVE_EXPORT, JobState.RUNNING, 90, done=318, total=1204, unit="files", **lease)
            later = datetime.now(UTC) + timedelta(days=1)
            few = {"element_id": made["few"], "subject": "Grid 5, three movies", "not_before": later}
            add(JobKind.ARCHIVE, JobState.PENDING, 110, **few)
            add(JobKind.DELETE, JobState.FINISHED, 20, done=12, total=12, unit="files")
            add(JobKind.REINDEX, JobState.CANCELLED, 30, element_id=None, subject="")
            told = {
                "message": "The export storage is full: 12 GB are missing.",
                "item": "FoilHole_7714003_Data_7708110.mrc",
            }
            add(JobKind.EXPORT, JobState.FAILED, 60, done=402, total=1204, unit="files", attempts=3, **told)
        database.dispose()
