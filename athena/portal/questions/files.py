"""What the portal asks of Athena about files: a part of the catalogue."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from athena.contract.files import File, FilePage, FileSort, FileUpdate, VolumeList
from athena.errors import NotFound
from athena.portal.questions.base import Questions
from athena.sdk import files as sdk_files
from athena.sdk.client import Query

FILES_SHOWN = 500
"""Files asked for at once."""


class FileQuestions(Questions):
    """Files of elements as one user sees them."""

    def files(
        self,
        element_id: UUID,
        folder: str,
        *,
        offset: int = 0,
        limit: int = FILES_SHOWN,
        sort: FileSort = FileSort.NAME,
        descending: bool = False,
    ) -> FilePage:
        """Files and folders that lie in a folder of an element; the empty one is the top."""
        asked: Query = {
            "folder": folder,
            "offset": offset,
            "limit": limit,
            "sort": sort.value,
            "descending": descending,
        }
        return self._client.get(f"/api/elements/{element_id}/files", FilePage, params=asked)

    def volumes(self, element_id: UUID, folder: str) -> VolumeList:
        """What of a folder of an element can be looked at as a volume."""
        return self._client.get(f"/api/elements/{element_id}/volumes", VolumeList, params={"folder": folder})

    def file(self, element_id: UUID, file_id: UUID) -> File:
        """One file of an element."""
        return self._client.get(f"/api/elements/{element_id}/files/{file_id}", File)

    def beginning(self, file: File, count: int) -> bytes:
        """First bytes of a file."""
        return sdk_files.File(self._client, file).read(0, count)

    def rename_file(self, element_id: UUID, file_id: UUID, change: FileUpdate) -> File:
        """Give a file another name."""
        return self._client.patch(f"/api/elements/{element_id}/files/{file_id}", change, File)

    def delete_files(self, element_id: UUID, files: Iterable[UUID], folders: Iterable[str]) -> int:
        """Delete files, and all that lies in folders; how many there were. What went meanwhile is no error."""
        wanted = [*files]
        for folder in folders:
            wanted += [file.id for file in self._below(element_id, folder)]
        for file_id in wanted:
            try:
                self._client.delete(f"/api/elements/{element_id}/files/{file_id}")
            except NotFound:
                continue
        return len(wanted)

    def _below(self, element_id: UUID, folder: str) -> Iterator[File]:
        page = self.files(element_id, folder)
        yield from page.items
        offset = len(page.items)
        while page.items and offset < page.total:
            page = self.files(element_id, folder, offset=offset)
            yield from page.items
            offset += len(page.items)
        for one in page.folders:
            yield from self._below(element_id, f"{folder}/{one.name}" if folder else one.name)
