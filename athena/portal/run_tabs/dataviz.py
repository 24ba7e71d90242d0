"""The numbers of a run as charts (EQ-07)."""

from panel.viewable import Viewable

from athena.portal.place import Place
from athena.portal.plots.dataviz import Dataviz, charted_metrics
from athena.portal.run_tabs.reading import RunReading, nothing_yet
from athena.portal.session import PortalSession
from athena.portal.theme import Scheme


class DatavizTab:
    """Charts of every metric of a run."""

    def __init__(self, session: PortalSession) -> None:
        self._session = session
        self._reading: RunReading | None = None
        self._nothing = nothing_yet()
        self._charts: Dataviz | None = None

    def show(self, reading: RunReading) -> Viewable:
        """Show the numbers there are."""
        self._reading = reading
        if not reading.run.counts.completed:
            self._nothing.param.update(
                sentence="No micrograph is processed yet. Charts appear here with the first result.", command=""
            )
            return self._nothing
        metrics = charted_metrics(reading.run.user_metrics)
        if self._charts is None or self._charts.metrics != metrics:
            self._charts = Dataviz(metrics, scheme=self._session.shell.browser.theme, opened=self._open)
        if reading.table is not None:
            self._charts.fill(reading.table)
        return self._charts.root

    def scheme(self, scheme: Scheme) -> None:
        """Dark or light."""
        if self._charts is not None:
            self._charts.scheme(scheme)

    def _open(self, index: int) -> None:
        if self._reading is not None:
            self._session.go(Place(self._reading.element.id, index=index))
