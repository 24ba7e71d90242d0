"""The files of a step or dataset, to be put into its page: a folder of them, or one that is open (WS-07, WS-15)."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import panel as pn

from athena.contract.elements import DatasetType, Element, ElementKind, State
from athena.contract.files import File, FilePage, FileSort, FileUpdate
from athena.domain.zarr_folders import zarr_folder
from athena.errors import AthenaError, Invalid, NotFound
from athena.portal.catalogue import Catalogue
from athena.portal.components.file_list import FileList, file_item, folder_item
from athena.portal.components.file_viewer import FileViewer
from athena.portal.components.widget_frame import WidgetFrame
from athena.portal.file_kinds import Viewer, describe_kind
from athena.portal.panels.side import may_write
from athena.portal.place import Place
from athena.portal.reading_files import TEXT_BYTES, Reading, read_table, read_text
from athena.portal.session import PortalSession
from athena.portal.theme import Scheme
from athena.sdk.client import checked


@dataclass(frozen=True)
class FolderPage:
    """What lies in the folder that an address names: its folders, and the first of its files."""

    page: FilePage


@dataclass(frozen=True)
class OpenFile:
    """A file that an address names, with as much of it as is shown as text; ``problem`` says why nothing is."""

    file: File
    reading: Reading
    problem: str = ""


Shown = FolderPage | OpenFile


class FileSide:
    """Shows the files of an element and does what is asked of them. Lives on the session's loop."""

    def __init__(self, session: PortalSession) -> None:
        self._session = session
        self._element: Element | None = None
        self._place = Place()
        self._reading = 0
        self._list = FileList(self._ask, sizing_mode="stretch_width")
        self._viewer = FileViewer(sizing_mode="stretch_width", visible=False)
        self._image: WidgetFrame | None = None
        self._below = pn.Column(
            sizing_mode="stretch_both", margin=0, visible=False, styles={"flex": "1 0 420px", "min-height": "420px"}
        )
        self.parts: tuple[pn.viewable.Viewable, ...] = (self._list, self._viewer, self._below)

    def show(self, element: Element, place: Place, shown: Shown) -> None:
        """Show a reading of an element's files."""
        self._element, self._place = element, place
        self._reading += 1
        self._list.visible, self._viewer.visible = isinstance(shown, FolderPage), isinstance(shown, OpenFile)
        is_image = isinstance(shown, OpenFile) and describe_kind(shown.file.name)[1] is Viewer.IMAGE
        self._below.visible = is_image
        if isinstance(shown, OpenFile) and is_image:
            self._show_image(f"elements/{element.id}/files/{shown.file.id}")
        if isinstance(shown, FolderPage):
            self._viewer.file = {}
            self._show_folder(element, place, shown.page)
        else:
            self._show_file(element, place, shown)

    def _show_file(self, element: Element, place: Place, shown: OpenFile) -> None:
        file, reading = shown.file, shown.reading
        zarr = zarr_folder(file.name)
        folder = (zarr or file.name).rpartition("/")[0]
        address = f"elements/{element.id}/files/{file.id}/content"
        if zarr:
            address = "zip?" + urlencode({"elements": str(element.id), "folder": zarr})
        self._viewer.param.update(
            file=file_item(file) | {"folder": folder, "sha256": file.sha256, "storage": file.storage},
            address=f"{self._session.base_url}{address}",
            back=place.having(file="", dir=folder).search,
            text=reading.text,
            html=reading.html,
            tables=reading.tables,
            cut=reading.cut,
            problem=shown.problem,
        )

    def _show_image(self, file: str) -> None:
        if self._image is not None:
            self._image.give(file=file)
            return
        traits = {"file": file, "source_kind": "http", "base_url": self._session.base_url}
        self._image = WidgetFrame(
            module="widgets/image_viewer.js",
            traits=traits | {"theme": self._session.shell.browser.theme},
            sizing_mode="stretch_both",
            margin=0,
        )
        self._below.append(self._image)

    def scheme(self, scheme: Scheme) -> None:
        """Dark or light was chosen."""
        if self._image is not None:
            self._image.give(theme=scheme)

    def _show_folder(self, element: Element, place: Place, page: FilePage) -> None:
        self._list.param.update(
            element=str(element.id),
            element_name=element.name,
            address=f"{self._session.base_url}elements/{element.id}",
            zip_address=f"{self._session.base_url}zip",
            may_write=may_write(element) and _takes_files(element),
            base=place.having(dir="", file="", sort="", desc="").search,
            listing={
                "key": self._reading,
                "dir": place.option("dir"),
                "sort": _sort(place).value,
                "descending": bool(place.option("desc")),
                "folders": [folder_item(one) for one in page.folders],
                "files": [file_item(file) for file in page.items],
                "total": page.total,
                "bytes": page.total_bytes + sum(one.size for one in page.folders),
            },
        )

    def _ask(self, asked: dict[str, Any]) -> None:
        element = self._element
        if element is None:
            return
        catalogue = self._session.catalogue
        match asked["do"]:
            case "page":
                self._read_on(element, int(asked["key"]), int(asked["offset"]))
            case "rename":
                try:
                    change = checked(FileUpdate, name=asked["name"])
                except Invalid as error:
                    self._refused(error)
                    return
                file_id = UUID(asked["id"])
                self._session.run(
                    lambda: catalogue.rename_file(element.id, file_id, change), self._done, failed=self._refused
                )
            case "delete":
                files, folders = [UUID(one) for one in asked["files"]], [str(one) for one in asked["folders"]]
                self._list.busy = True
                self._session.run(
                    lambda: catalogue.delete_files(element.id, files, folders), self._done, failed=self._refused
                )

    def _read_on(self, element: Element, key: int, offset: int) -> None:
        """Read more files of the folder that is shown; what comes after another reading is of no use."""
        if key != self._reading:
            return
        place = self._place

        def show(page: FilePage) -> None:
            if key == self._reading:
                self._list.page = {"key": key, "offset": offset, "files": [file_item(file) for file in page.items]}

        self._session.run(
            lambda: _read_folder(self._session.catalogue, element.id, place, offset=offset), show, failed=self._refused
        )

    def _done(self, _: File | int) -> None:
        self._list.param.update(problem="", busy=False)
        self._session.refresh()

    def _refused(self, error: AthenaError) -> None:
        self._list.param.update(problem="", busy=False)
        self._list.problem = str(error)


def read_files(catalogue: Catalogue, place: Place) -> Shown | None:
    """Read the folder of an element that a place names, or the file. Raises NotFound."""
    if place.element is None:
        return None
    if place.option("file"):
        return _read_file(catalogue, place.element, place.option("file"))
    return FolderPage(_read_folder(catalogue, place.element, place))


def _read_file(catalogue: Catalogue, element_id: UUID, named: str) -> OpenFile:
    try:
        file = catalogue.file(element_id, UUID(named))
    except ValueError as error:
        raise NotFound("This address names no file.", hint="Start again from Home.") from error
    _, viewer = describe_kind(file.name)
    if viewer not in (Viewer.TEXT, Viewer.TABLE):
        return OpenFile(file, Reading())
    read = read_text if viewer is Viewer.TEXT else read_table
    try:
        return OpenFile(file, read(file.name, catalogue.beginning(file, TEXT_BYTES), size=file.size))
    except Invalid as error:
        return OpenFile(file, Reading(), problem=str(error))


def _read_folder(catalogue: Catalogue, element_id: UUID, place: Place, *, offset: int = 0) -> FilePage:
    return catalogue.files(
        element_id, place.option("dir"), offset=offset, sort=_sort(place), descending=bool(place.option("desc"))
    )


def _sort(place: Place) -> FileSort:
    wanted = place.option("sort")
    return FileSort(wanted) if wanted in set(FileSort) else FileSort.NAME


def _takes_files(element: Element) -> bool:
    """Whether people put files into an element (WS-05, WS-16)."""
    if element.state is not State.ACTIVE:
        return False
    return element.kind is ElementKind.STEP or element.type == DatasetType.FREE
