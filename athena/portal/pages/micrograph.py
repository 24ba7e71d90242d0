"""A micrograph: the image in the centre, metadata, motion and CTF beside it (EQ-11, EQ-06)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import panel as pn

from athena.contract.acquisitions import Acquisition, AcquisitionState
from athena.contract.elements import Crumb, Element
from athena.contract.events import Event
from athena.contract.neighbours import Neighbours
from athena.contract.processing import GainSense
from athena.contract.runs import Run
from athena.contract.visits import VisitedAcquisition
from athena.domain.readable import count
from athena.portal.branches import branch_links, other_branch
from athena.portal.components.facts import Facts
from athena.portal.components.micrograph_header import MicrographHeader
from athena.portal.components.side_tabs import SideTabs
from athena.portal.components.widget_frame import WidgetFrame
from athena.portal.flags import warnings_of
from athena.portal.marks import drift_limit
from athena.portal.pages.listing import crumb_items
from athena.portal.place import MICROGRAPH_TABS, Place
from athena.portal.session import PortalSession, View
from athena.portal.shown import NEWEST, Listed, where_words
from athena.portal.theme import Scheme
from athena.zarrio.layout import METRICS

SIDE_PX = 440
UNGROUPED_DIGITS = 4
HEADLINE = ("defocus_um", "ctf_resolution_angstrom", "astigmatism_nm", "drift_total_angstrom")
"""Figures shown in the header."""
TAB_LABELS = {"metadata": "Metadata", "motion": "Motion", "ctf": "CTF"}
SPECTRUM = "fft"
"""Of the address: what stands in the centre; without, the image."""
_SENSES = {GainSense.MULTIPLY: "multiplied by it", GainSense.DIVIDE: "divided by it", GainSense.AUTO: "not measured"}
_NOT_SHOWN = frozenset({"acquired_unix_s"})


@dataclass(frozen=True)
class MicrographPage:
    """One acquisition of a run, with its numbers."""

    place: Place
    run: Run
    acquisition: Acquisition
    metrics: dict[str, float]
    crumbs: list[dict[str, str]]
    neighbours: Neighbours
    branch: str | None = None
    """Branch of results that is shown; None: the default one."""

    @property
    def element(self) -> Element:
        """The run it belongs to."""
        return self.run.element

    @property
    def title(self) -> str:
        """Name of the page."""
        return self.acquisition.name

    @property
    def tab(self) -> str:
        """Chosen tab of the side panel."""
        return self.place.tab if self.place.tab in MICROGRAPH_TABS else MICROGRAPH_TABS[0]

    @property
    def spectrum(self) -> bool:
        """Whether the power spectrum stands in the centre, not the image."""
        return self.place.option("view") == SPECTRUM

    def view(self, session: PortalSession) -> View:
        """Show it."""
        return MicrographView(self, session)


def micrograph_page(place: Place, run: Run, seen: VisitedAcquisition, way: Sequence[Crumb]) -> MicrographPage:
    """An acquisition of a run as it was read, with its numbers."""
    name = seen.acquisition.name
    crumbs = [*crumb_items(way), {"kind": "Micrograph", "name": name, "search": place.search}]
    branch = other_branch(run, place.branch)
    return MicrographPage(place, run, seen.acquisition, seen.metrics, crumbs, seen.neighbours, branch)


def figure_text(name: str, value: float) -> str:
    """A metric as people read it: fixed decimals."""
    return grouped(f"{value:.{METRICS[name].digits}f}")


def grouped(number: str) -> str:
    """Digits as everywhere: a real minus sign, and thin spaces between the thousands of more than four."""
    whole, point, rest = number.partition(".")
    if len(whole.lstrip("-")) > UNGROUPED_DIGITS:
        whole = count(int(whole))
    return f"{whole}{point}{rest}".replace("-", "−")


def fact_items(page: MicrographPage) -> list[dict[str, Any]]:
    """All that is known of an acquisition, in groups."""
    shot, facts = page.acquisition, []

    def add(group: str, name: str, value: object, unit: str = "", kind: str = "string") -> None:
        if value not in (None, ""):
            facts.append({"group": group, "name": name, "value": value, "unit": unit, "type": kind})

    for metric in page.run.user_metrics:
        if metric.name in page.metrics:
            add("Own metrics", metric.label, f"{page.metrics[metric.name]:.{metric.digits}f}", metric.unit)
    for name, value in page.metrics.items():
        if name in METRICS and name not in _NOT_SHOWN:
            add("Results", METRICS[name].label, figure_text(name, value), METRICS[name].unit)
    add("Acquisition", "Name", shot.name)
    add("Acquisition", "Acquired", shot.acquired and shot.acquired.isoformat(), kind="date")
    add("Acquisition", "Registered", shot.registered.isoformat(), kind="date")
    add("Acquisition", "Processed", shot.processed and shot.processed.isoformat(), kind="date")
    add("Acquisition", "Movie", shot.movie)
    add("Acquisition", "Grid square", shot.grid_square_id)
    add("Acquisition", "Foil hole", shot.foil_hole_id)
    optics = shot.optics
    add("Microscope", "Microscope", optics.microscope)
    add("Microscope", "Camera", optics.camera)
    add("Microscope", "Voltage", optics.voltage_kv, "kV")
    add("Microscope", "Spherical aberration", optics.spherical_aberration_mm, "mm")
    add(
        "Microscope",
        "Magnification",
        optics.nominal_magnification and grouped(f"{optics.nominal_magnification:.0f}"),
        "×",
    )
    add("Microscope", "Pixel size", optics.pixel_size_angstrom, "Å")
    add("Microscope", "Dose", optics.total_dose_e_per_A2, "e⁻/Å²")
    add("Microscope", "Frames", optics.frame_count)
    add("Microscope", "Exposure", optics.exposure_time_s, "s")
    add("Microscope", "Target defocus", optics.target_defocus_um, "µm")
    add("Microscope", "Energy slit", optics.energy_slit_ev, "eV")
    for doubt in optics.doubts:
        said = f" The metadata says “{doubt.said}”." if doubt.said else ""
        add("In doubt", doubt.name.replace("_", " ").capitalize(), f"{doubt.reason}{said}")
    source = page.run.source
    if source is not None and source.gain_reference:
        add("Gain reference", "File", PurePath(source.gain_reference).name)
        used = "gain_does_not_fit" not in shot.flags
        if shot.state is AcquisitionState.COMPLETED:
            add("Gain reference", "Applied", used, kind="boolean")
        if used and source.gain_orientation is not None and source.gain_sense is not None:
            add("Gain reference", "Lies", source.gain_orientation.value.replace("_", " "))
            add("Gain reference", "Counts are", _SENSES[source.gain_sense])
    if shot.stage is not None:
        add("Stage", "x", round(shot.stage.x_um, 3), "µm")
        add("Stage", "y", round(shot.stage.y_um, 3), "µm")
        add("Stage", "z", round(shot.stage.z_um, 3), "µm")
        add("Stage", "α", round(shot.stage.alpha_deg, 2), "°")
    return facts


class MicrographView:
    """A micrograph on the screen; the viewer stays while one steps through the run."""

    def __init__(self, loaded: MicrographPage, session: PortalSession) -> None:
        self._session = session
        self._loaded = loaded
        self._header = MicrographHeader(sizing_mode="stretch_width", margin=0)
        self._tabs = SideTabs(sizing_mode="stretch_width", margin=0)
        self._centre = pn.Column(sizing_mode="stretch_both", margin=0, styles={"min-height": "0"})
        self._viewers: dict[str, WidgetFrame] = {}
        self._parts: dict[str, pn.viewable.Viewable] = {}
        self._panel = pn.Column(sizing_mode="stretch_both", margin=0, scroll="y-auto", styles={"min-height": "0"})
        side = pn.Column(
            self._tabs,
            self._panel,
            width=SIDE_PX,
            sizing_mode="stretch_height",
            margin=0,
            styles={"border-left": "1px solid var(--athena-line)", "background": "var(--athena-surface)"},
        )
        self.root: pn.viewable.Viewable = pn.Column(
            self._header,
            pn.Row(self._centre, side, sizing_mode="stretch_both", margin=0, styles={"min-height": "0"}),
            sizing_mode="stretch_both",
            margin=0,
            styles={"min-height": "0"},
        )
        self._fill()

    def _frame(self, name: str, *remembered: str, **own: Any) -> WidgetFrame:
        return WidgetFrame(
            module=f"widgets/{name}.js",
            traits={
                "run_id": str(self._loaded.run.element.id),
                "branch": self._loaded.branch or "",
                "source_kind": "http",
                "base_url": self._session.base_url,
                "version": self._loaded.run.version,
                "theme": self._session.shell.browser.theme,
                "index": self._loaded.acquisition.index,
            }
            | own,
            remembered=[*remembered],
            sizing_mode="stretch_both",
            margin=0,
        )

    def _fill(self) -> None:
        page, place = self._loaded, self._loaded.place
        index, tab, beside, listed = page.acquisition.index, page.place.tab, page.neighbours, Listed.of(place)
        view = place.option("view")

        def like_this(tab: str, index: int) -> str:
            return listed.on(place.at(tab=tab, index=index)).having(view=view).search

        def neighbour(other: int | None) -> str:
            return "" if other is None else like_this(tab, other)

        self._header.param.update(
            title=page.acquisition.name,
            state=page.acquisition.state.value,
            error=page.acquisition.error,
            warnings=warnings_of(page.acquisition),
            figures=[
                {
                    "label": METRICS[name].label,
                    "value": figure_text(name, page.metrics[name]),
                    "unit": METRICS[name].unit,
                }
                for name in HEADLINE
                if name in page.metrics
            ],
            views=[
                {"name": name, "label": label, "search": place.having(view=name).search, "chosen": name == view}
                for name, label in (("", "Image"), (SPECTRUM, "FFT"))
            ],
            where=where_words(beside),
            back=listed.on(place.at()).search,
            previous=neighbour(beside.previous),
            following=neighbour(beside.following),
            branches=branch_links(page.run, place, page.branch),
        )
        self._tabs.tabs = [
            {
                "name": name,
                "label": label,
                "search": like_this(name, index),
                "chosen": name == page.tab,
            }
            for name, label in TAB_LABELS.items()
        ]
        for frame in self._frames():
            frame.give(index=index, version=page.run.version)
        self._show_centre("spectrum_fit" if page.spectrum else "micrograph")
        self._show_panel(page.tab)

    def _frames(self) -> Iterator[WidgetFrame]:
        yield from self._viewers.values()
        yield from (part for part in self._parts.values() if isinstance(part, WidgetFrame))

    def _show_centre(self, content: str) -> None:
        if content not in self._viewers:
            self._viewers[content] = self._frame("image_viewer", content=content)
            self._centre.append(self._viewers[content])
        for name, viewer in self._viewers.items():
            viewer.visible = name == content

    def _show_panel(self, tab: str) -> None:
        part = self._parts.get(tab)
        if part is None:
            part = self._side_part(tab)
            self._parts[tab] = part
            self._panel.append(part)
        if isinstance(part, Facts):
            part.facts = fact_items(self._loaded)
        for other in self._panel.objects:
            other.visible = other is part

    def _side_part(self, tab: str) -> Facts | WidgetFrame:
        if tab == "metadata":
            return Facts(sizing_mode="stretch_width", margin=0)
        if tab == "ctf":
            return self._frame("ctf_fit")
        return self._frame("motion_traces", "scale", drift_limit_angstrom=drift_limit(self._loaded.run))

    def concerns(self, event: Event) -> bool:
        """What happens to this acquisition, or to the run as a whole; at the newest one, what comes after it too."""
        page = self._loaded
        newest_first = Listed.of(page.place).order == NEWEST
        newer = page.neighbours.previous if newest_first else page.neighbours.following
        mine = newer is None or event.index in (None, page.acquisition.index)
        return event.element_id == page.run.element.id and mine

    def update(self, data: Any) -> bool:
        """Show a newer reading, another tab, or another acquisition of the same run."""
        if not isinstance(data, MicrographPage) or data.run.element.id != self._loaded.run.element.id:
            return False
        if data.branch != self._loaded.branch:
            return False
        self._loaded = data
        self._fill()
        return True

    def said(self, place: Place) -> None:
        """Nothing here leads on by what the address says."""

    def stays_under(self, place: Place) -> bool:
        """It is quick to make again."""
        return False

    def shows(self, place: Place) -> bool:
        """It is never kept, so nobody asks for it again."""
        return False

    def scheme(self, scheme: Scheme) -> None:
        """Dark or light."""
        for frame in self._frames():
            frame.give(theme=scheme)

    def tick(self) -> None:
        """Nothing here grows old by itself."""
