"""The files of a step or dataset, to be put into its page: a folder of them, or one that is open (WS-07, WS-15)."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import panel as pn

from athena.contract.elements import DatasetType, Element, ElementKind, State
from athena.contract.files import File, FilePage, FileSort, FileUpdate, VolumeItem
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

SOLID, SECTIONS = "3d", "sections"
"""Of an address: how a volume is looked at; left out, a zarr folder as the first, a file as the other."""
_SOLID = ("mrc", "mrcs", "map", "rec", "st", "ali", "tif", "tiff")


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


@dataclass(frozen=True)
class OpenVolume:
    """A volume that an address names, or the first of its folder; ``others``: all that the folder has, with this one.

    ``shown`` : None where there is none.
    """

    shown: VolumeItem | None
    others: tuple[VolumeItem, ...]


Shown = FolderPage | OpenFile | OpenVolume


class FileSide:
    """Shows the files of an element and does what is asked of them. Lives on the session's loop."""

    def __init__(self, session: PortalSession) -> None:
        self._session = session
        self._element: Element | None = None
        self._place = Place()
        self._reading = 0
        self._list = FileList(self._ask, sizing_mode="stretch_width")
        self._viewer = FileViewer(sizing_mode="stretch_width", visible=False)
        self._frames: dict[Viewer, WidgetFrame] = {}
        self._deep = ""  # id of the file that turned out to be a volume
        self._below = pn.Column(
            sizing_mode="stretch_both", margin=0, visible=False, styles={"flex": "1 0 420px", "min-height": "420px"}
        )
        self.parts: tuple[pn.viewable.Viewable, ...] = (self._list, self._viewer, self._below)

    def show(self, element: Element, place: Place, shown: Shown) -> None:
        """Show a reading of an element's files."""
        self._element, self._place = element, place
        self._reading += 1
        self._list.visible = isinstance(shown, FolderPage)
        self._viewer.visible = not self._list.visible
        match shown:
            case FolderPage():
                self._show_in(None)
                self._viewer.param.update(file={}, other={})
                self._show_folder(element, place, shown.page)
            case OpenVolume():
                self._show_volume(element, place, shown)
            case OpenFile():
                is_image = describe_kind(shown.file.name)[1] in (Viewer.IMAGE, Viewer.VOLUME)
                self._show_in(Viewer.IMAGE if is_image else None, file=_place_of(element, shown.file))
                self._show_file(element, place, shown)

    def _show_file(self, element: Element, place: Place, shown: OpenFile) -> None:
        file, reading = shown.file, shown.reading
        folder = _folder_of(file)
        self._viewer.param.update(
            file=file_item(file) | {"folder": folder, "sha256": file.sha256, "storage": file.storage},
            address=f"{self._session.base_url}{_download(element, file)}",
            back=place.having(file="", dir=folder, view="").search,
            choices=[],
            other=self._as_volume if str(file.id) == self._deep else {},
            text=reading.text,
            html=reading.html,
            tables=reading.tables,
            cut=reading.cut,
            problem=shown.problem,
        )

    def _show_volume(self, element: Element, place: Place, shown: OpenVolume) -> None:
        item = shown.shown
        if item is None:
            self._show_in(None)
            problem = (
                "Nothing here has three dimensions. Put a volume (MRC, TIFF, zarr) or images of one size here. "
                "Movies are looked at frame by frame: open them by their names."
            )
            self._viewer.param.update(
                file={"id": "none", "name": "3D", "viewer": "volume"},
                address="",
                back=place.having(view="").search,
                choices=[],
                other={},
                problem=problem,
            )
            return
        self._show_in(Viewer.VOLUME, volume=_place_of(element, item.file), stack=item.stack)
        sections = place.having(view=SECTIONS, file=str(item.file.id)).search
        file = file_item(item.file) | {"name": item.name, "viewer": "volume", "folder": _folder_of(item.file)}
        self._viewer.param.update(
            file=file | ({"kind": "Stack", "size": None} if item.stack else {}),
            address="" if item.stack else f"{self._session.base_url}{_download(element, item.file)}",
            back=place.having(file="", view="", stack="", dir=_folder_of(item.file)).search,
            choices=[
                {"label": one.name, "search": _solid(place, one).search, "here": one.file.id == item.file.id}
                for one in shown.others
            ],
            other={} if item.stack else {"label": "Sections", "search": sections},
            text="",
            html="",
            tables=[],
            cut=False,
            problem="",
        )

    def _show_in(self, viewer: Viewer | None, **traits: Any) -> None:
        """Show a widget below, and no other; None: none of them."""
        self._below.visible = viewer is not None
        for other, frame in self._frames.items():
            frame.visible = other is viewer
            if other is Viewer.VOLUME and other is not viewer:
                frame.give(volume="")  # it holds memory of the graphics card, and may be playing
        if viewer is None:
            return
        if viewer in self._frames:
            self._frames[viewer].give(**traits)
            return
        shared = {"source_kind": "http", "base_url": self._session.base_url, "theme": self._session.shell.browser.theme}
        frame = self._frames[viewer] = WidgetFrame(
            module=f"widgets/{viewer.value}_viewer.js",
            traits=shared | traits,
            heard={"depth": self._depth_told} if viewer is Viewer.IMAGE else {},
            sizing_mode="stretch_both",
            margin=0,
        )
        self._below.append(frame)

    def _depth_told(self, depth: Any) -> None:
        """A file has turned out to be a volume: it can be looked at as one."""
        if isinstance(depth, int) and depth > 1 and self._viewer.file.get("viewer") in ("image", "volume"):
            self._deep = self._viewer.file["id"]
            self._viewer.other = self._as_volume

    @property
    def _as_volume(self) -> dict[str, str]:
        """The other way to look at the file that is open."""
        return {"label": "3D", "search": self._place.having(view=SOLID).search}

    def scheme(self, scheme: Scheme) -> None:
        """Dark or light was chosen."""
        for frame in self._frames.values():
            frame.give(theme=scheme)

    def _show_folder(self, element: Element, place: Place, page: FilePage) -> None:
        self._list.param.update(
            element=str(element.id),
            element_name=element.name,
            address=f"{self._session.base_url}elements/{element.id}",
            zip_address=f"{self._session.base_url}zip",
            may_write=may_write(element) and _takes_files(element),
            base=place.having(dir="", file="", sort="", desc="", view="", stack="").search,
            solid=place.having(view=SOLID).search if _may_be_solid(page) else "",
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
    view = place.option("view")
    if place.option("stack") or (view == SOLID and not place.option("file")):
        return _read_volumes(catalogue, place.element, place)
    if place.option("file"):
        return _read_file(catalogue, place.element, place.option("file"), view)
    return FolderPage(_read_folder(catalogue, place.element, place))


def _read_file(catalogue: Catalogue, element_id: UUID, named: str, view: str) -> OpenFile | OpenVolume:
    try:
        file = catalogue.file(element_id, UUID(named))
    except ValueError as error:
        raise NotFound("This address names no file.", hint="Start again from Home.") from error
    _, viewer = describe_kind(file.name)
    if viewer in (Viewer.IMAGE, Viewer.VOLUME) and (view or (viewer is Viewer.VOLUME and SOLID)) == SOLID:
        found = catalogue.volumes(element_id, _folder_of(file)).items
        here = next((one for one in found if one.file.id == file.id and not one.stack), None)
        name = (zarr_folder(file.name) or file.name).rsplit("/", 1)[-1]
        return OpenVolume(here or VolumeItem(file=file, name=name), found if here else ())
    if viewer not in (Viewer.TEXT, Viewer.TABLE):
        return OpenFile(file, Reading())
    read = read_text if viewer is Viewer.TEXT else read_table
    try:
        return OpenFile(file, read(file.name, catalogue.beginning(file, TEXT_BYTES), size=file.size))
    except Invalid as error:
        return OpenFile(file, Reading(), problem=str(error))


def _read_volumes(catalogue: Catalogue, element_id: UUID, place: Place) -> OpenVolume:
    """The volume of a folder that an address names; the first where it names none that is there."""
    found = catalogue.volumes(element_id, place.option("dir")).items
    wanted = (place.option("file"), bool(place.option("stack")))
    named = (one for one in found if (str(one.file.id), one.stack) == wanted)
    return OpenVolume(next(named, found[0] if found else None), found)


def _solid(place: Place, item: VolumeItem) -> Place:
    """Where a volume of a folder is looked at; a stack is named by its first image."""
    stack = "1" if item.stack else ""
    return place.having(view=SOLID, file=str(item.file.id), stack=stack, dir=_folder_of(item.file))


def _may_be_solid(page: FilePage) -> bool:
    """Whether something of a folder may have three dimensions, by the names."""
    if any(folder.volume for folder in page.folders):
        return True
    endings = {file.name.rsplit(".", 1)[-1].lower() for file in page.items if "." in file.name}
    return any(ending in endings for ending in _SOLID)


def _place_of(element: Element, file: File) -> str:
    return f"elements/{element.id}/files/{file.id}"


def _folder_of(file: File) -> str:
    return (zarr_folder(file.name) or file.name).rpartition("/")[0]


def _download(element: Element, file: File) -> str:
    """Where a file is downloaded; a zarr as a zip of its folder."""
    zarr = zarr_folder(file.name)
    if zarr:
        return "zip?" + urlencode({"elements": str(element.id), "folder": zarr})
    return f"{_place_of(element, file)}/content"


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
