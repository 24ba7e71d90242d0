"""Files of steps and datasets as objects."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import overload
from uuid import UUID

from athena.contract import files as wire
from athena.contract.elements import Element
from athena.errors import NotFound
from athena.sdk import html
from athena.sdk.client import Client, checked
from athena.sdk.progress import byte_bar, size_words
from athena.sdk.saving import place_in, save_file
from athena.sdk.uploading import find_sources, upload

PAGE = 1000
"""Files asked for at once."""
_BUFFER = 1 << 20


class File:
    """A file of a step or dataset, as it was when last read."""

    def __init__(self, client: Client, model: wire.File) -> None:
        self._client = client
        self._model = model

    @property
    def model(self) -> wire.File:
        """All that the API said of it."""
        return self._model

    @property
    def client(self) -> Client:
        """The client it was read with."""
        return self._client

    @property
    def id(self) -> UUID:
        """Identifier, which never changes."""
        return self._model.id

    @property
    def name(self) -> str:
        """Name, with slashes where it came from an uploaded folder."""
        return self._model.name

    @property
    def size(self) -> int:
        """Bytes."""
        return self._model.size

    @property
    def sha256(self) -> str:
        """SHA-256 in hexadecimal."""
        return self._model.sha256

    def download(self, to: str | Path = ".", *, progress: bool = True) -> Path:
        """Save it in a folder (or, where ``to`` is no folder, under that path); gives the path.

        A download that broke off is taken up, and the content is verified.
        """
        target = Path(to).expanduser()
        if target.is_dir():
            target = place_in(target, self.name.rsplit("/", 1)[-1])
        with byte_bar(self.size, self.name, shown=progress) as advance:
            return save_file(self._client, self._model, target, advance)

    def read(self, start: int = 0, stop: int | None = None) -> bytes:
        """Bytes ``start`` to ``stop`` (not included; None: the end)."""
        end = self.size if stop is None else min(stop, self.size)
        if start >= end:
            return b""
        headers = {"Range": f"bytes={start}-{end - 1}"}
        status, _, body = self._client.exchange("GET", f"{self._place}/content", headers)
        if status == 404:
            raise NotFound(f"The file {self.name!r} is no longer there.")
        return body

    def open(self) -> io.BufferedReader:
        """Read-only binary file, for any library that takes one; asks for the bytes it needs, a megabyte at least."""
        return io.BufferedReader(_Remote(self), _BUFFER)

    def rename(self, name: str) -> "File":
        """Give it another name."""
        self._model = self._client.patch(self._place, checked(wire.FileUpdate, name=name), wire.File)
        return self

    def delete(self) -> None:
        """Delete it."""
        self._client.send("DELETE", self._place, headers={})

    @property
    def _place(self) -> str:
        return f"/api/elements/{self._model.element_id}/files/{self.id}"

    def __repr__(self) -> str:
        return f"<File {self.name!r} {size_words(self.size)}>"

    def _repr_html_(self) -> str:
        return Files(self._client, [self._model])._repr_html_()


class Files(Sequence[File]):
    """Files in order of their names; indexed by position or by name."""

    def __init__(self, client: Client, models: Iterable[wire.File]) -> None:
        self._client = client
        self._files = tuple(File(client, model) for model in models)

    @overload
    def __getitem__(self, key: int | str) -> File: ...
    @overload
    def __getitem__(self, key: slice) -> "Files": ...
    def __getitem__(self, key: int | str | slice) -> "File | Files":
        if isinstance(key, int):
            return self._files[key]
        if isinstance(key, slice):
            return Files(self._client, [file.model for file in self._files[key]])
        for file in self._files:
            if file.name == key:
                return file
        names = ", ".join(file.name for file in self._files[:10])
        more = ", …" if len(self) > 10 else ""
        raise NotFound(f"There is no file {key!r}.", hint=f"There are: {names}{more}." if names else "There are none.")

    def __len__(self) -> int:
        return len(self._files)

    @property
    def size(self) -> int:
        """Bytes of all together."""
        return sum(file.size for file in self._files)

    def folder(self, path: str) -> "Files":
        """Those that lie in a folder, at any depth: ``dataset.files.folder("day 2/raw")``."""
        within = f"{path.strip('/')}/"
        return Files(self._client, [file.model for file in self._files if file.name.startswith(within)])

    def download(self, to: str | Path = ".", *, progress: bool = True) -> list[Path]:
        """Save all of them below a folder, under their names; gives the paths."""
        folder = Path(to)
        label = f"{len(self)} files"
        with byte_bar(self.size, label, shown=progress) as advance:
            return [save_file(self._client, file.model, place_in(folder, file.name), advance) for file in self._files]

    def _ipython_key_completions_(self) -> list[str]:
        return [file.name for file in self._files]

    def __repr__(self) -> str:
        return f"[{', '.join(map(repr, self._files))}]"

    def _repr_html_(self) -> str:
        rows = [
            (
                html.text(file.name),
                html.text(size_words(file.size)),
                html.text(file.model.creator, "mute"),
                html.text(f"{file.model.created:%Y-%m-%d %H:%M}", "mute"),
            )
            for file in self._files
        ]
        total = html.text(f"{len(self)} files · {size_words(self.size)}", "mute")
        return html.page(html.table(("Name", "Size", "By", "Uploaded (UTC)"), rows), total)


class HoldsFiles:
    """What steps and datasets can do with files."""

    _client: Client
    _model: Element

    @property
    def files(self) -> Files:
        """Its files by name, as they are now."""
        found: list[wire.File] = []
        total = 1
        while len(found) < total:
            params = {"offset": len(found), "limit": PAGE}
            page = self._client.get(f"/api/elements/{self._model.id}/files", wire.FilePage, params=params)
            found += page.items
            total = page.total if page.items else 0
        return Files(self._client, found)

    @property
    def uploads(self) -> list[wire.Upload]:
        """Your uploads to it that are not finished: ``upload`` goes on with them, ``cancel_uploads`` ends them."""
        return self._client.get(f"/api/elements/{self._model.id}/uploads", list[wire.Upload])

    def upload(self, paths: str | Path | Iterable[str | Path], *, progress: bool = True) -> Files:
        """Upload files and folders of this machine; gives them as they are in Athena.

        Up to four at once, in chunks with checksums. What broke off is taken up by itself while this call lasts, and
        by calling it again with the same files later. Files that are there already with the same content are left.

        Raises
        ------
        Invalid : a path is not there, a name cannot be stored, or it is a run, which its acquisition fills.
        Conflict : there is another file of the same name.
        TooLarge : there is no room.
        """
        return Files(self._client, upload(self._client, self._model.id, find_sources(paths), progress=progress))

    def cancel_uploads(self) -> int:
        """Cancel your unfinished uploads to it; nothing is left of them. Gives how many there were."""
        unfinished = self.uploads
        for one in unfinished:
            place = f"/api/elements/{self._model.id}/uploads/{one.id}"
            self._client.send("DELETE", place, headers={"Tus-Resumable": "1.0.0"})
        return len(unfinished)


class _Remote(io.RawIOBase):
    """A file of Athena as Python's files are."""

    def __init__(self, file: File) -> None:
        super().__init__()
        self._file = file
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """Where it is."""
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer from where it is."""
        body = self._file.read(self._at, self._at + len(buffer))
        buffer[: len(body)] = body
        self._at += len(body)
        return len(body)
