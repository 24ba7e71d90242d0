"""Files from Python: upload, list, read, download; storages."""

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from athena.contract import files as wire
from athena.contract.files import HandOver
from athena.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from athena.sdk import handing_over, saving, uploading
from athena.sdk.client import Client
from athena.sdk.connection import Athena
from athena.sdk.elements import Dataset
from athena.sdk.runs import Run
from athena.storages.partials import Appender
from tests.sdk.conftest import Running


@pytest.fixture
def dataset(athena: Athena) -> Dataset:
    folder = athena.create_folder(f"Folder {os.urandom(4).hex()}")
    made = folder.create_workflow("Screening", template="free").create_step("Screens").create_dataset("Grids")
    assert isinstance(made, Dataset)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    top = tmp_path / "grid 1"
    (top / "raw").mkdir(parents=True)
    (top / "raw" / "a.mrc").write_bytes(os.urandom(3_000_000))
    (top / "notes.txt").write_text("good ice")
    (top / "empty").touch()
    return top


@pytest.mark.feature("WS-16", "WS-15")
def test_a_folder_goes_up_and_comes_down_as_it_was(dataset: Dataset, folder: Path, tmp_path: Path) -> None:
    files = dataset.upload([folder, folder / "notes.txt"], progress=False)
    names = ["grid 1/empty", "grid 1/notes.txt", "grid 1/raw/a.mrc", "notes.txt"]
    assert sorted(file.name for file in files) == [file.name for file in dataset.files] == names
    movie = dataset.files["grid 1/raw/a.mrc"]
    assert movie.sha256 == hashlib.sha256((folder / "raw" / "a.mrc").read_bytes()).hexdigest()
    assert [file.name for file in dataset.files.folder("grid 1/raw")] == ["grid 1/raw/a.mrc"]
    saved = dataset.files.download(tmp_path / "down", progress=False)
    assert len(saved) == 4
    for path in folder.rglob("*"):
        if path.is_file():
            assert (tmp_path / "down" / path.relative_to(folder.parent)).read_bytes() == path.read_bytes()
    again = dataset.upload(folder, progress=False)  # all there already
    assert {file.id for file in again} <= {file.id for file in files}
    archive = dataset.download(tmp_path, progress=False)
    with zipfile.ZipFile(archive) as opened:
        assert opened.read("Grids/grid 1/notes.txt") == b"good ice"
        assert len(opened.namelist()) == 4
    assert not list(tmp_path.rglob("*.part"))
    assert "notes.txt" in dataset.files._repr_html_()
    assert "3.0 MB" in repr(movie)


def test_a_file_is_read_where_it_is_needed(dataset: Dataset, tmp_path: Path) -> None:
    values = np.arange(1_000_000, dtype=np.float32)
    np.save(tmp_path / "values.npy", values)
    (file,) = dataset.upload(tmp_path / "values.npy", progress=False)
    with file.open() as opened:
        assert np.array_equal(np.load(opened), values)
        assert opened.seek(-4, os.SEEK_END) == file.size - 4
        assert np.frombuffer(opened.read(), np.float32) == values[-1]
    assert file.read(128, 132) == values[:1].tobytes()
    assert file.read(file.size + 5) == b""
    assert file.rename("renamed.npy").name == "renamed.npy"
    file.delete()
    with pytest.raises(NotFound):
        file.read(0, 1)
    with pytest.raises(NotFound, match="none"):
        dataset.files["renamed.npy"]


@pytest.mark.feature("WS-05", "WS-16")
def test_what_cannot_be_uploaded_is_told_and_nothing_is_left(
    dataset: Dataset, new_run: Callable[[], Run], tmp_path: Path
) -> None:
    file = tmp_path / "a.mrc"
    file.write_bytes(b"first")
    dataset.upload(str(file), progress=False)
    file.write_bytes(b"other")
    with pytest.raises(Conflict, match=r"a\.mrc"):
        dataset.upload(file, progress=False)
    with pytest.raises(Invalid, match="acquisition"):
        new_run().upload(file, progress=False)
    with pytest.raises(Invalid, match="no file or folder"):
        dataset.upload(tmp_path / "missing", progress=False)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.mrc").touch()
    with pytest.raises(Invalid, match="both"):
        dataset.upload([file, tmp_path / "folder" / "a.mrc"], progress=False)
    (tmp_path / "folder" / "bad:name").touch()
    with pytest.raises(Invalid, match="bad:name"):
        dataset.upload(tmp_path / "folder", progress=False)
    assert [one.name for one in dataset.files] == ["a.mrc"]
    assert dataset.uploads == []


@pytest.mark.feature("WS-16")
def test_an_interrupted_upload_is_taken_up_by_the_next_call(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(5_000_000)
    file = tmp_path / "a.mrc"
    file.write_bytes(content)
    monkeypatch.setattr(uploading, "CHUNK", 1_000_000)
    monkeypatch.setattr(handing_over, "LEAST", 1 << 62)  # as from another machine
    plain, sent = uploading._pieces, list[int]()

    def interrupted(chunk: bytes) -> Iterator[bytes]:
        if len(sent) == 3:
            raise KeyboardInterrupt
        sent.append(len(chunk))
        yield from plain(chunk)

    with monkeypatch.context() as patch:
        patch.setattr(uploading, "_pieces", interrupted)
        with pytest.raises(KeyboardInterrupt):
            dataset.upload(file, progress=False)
    (open_one,) = dataset.uploads
    assert open_one.offset == 3_000_000
    (done,) = dataset.upload(file, progress=True)
    assert (done.id, done.sha256) == (open_one.id, hashlib.sha256(content).hexdigest())

    # the file has changed since: what was sent of the old one is not mixed with the new
    other = tmp_path / "b.mrc"
    other.write_bytes(content)
    sent.clear()
    with monkeypatch.context() as patch:
        patch.setattr(uploading, "_pieces", interrupted)
        with pytest.raises(KeyboardInterrupt):
            dataset.upload(other, progress=False)
    other.write_bytes(content[::-1])
    (done,) = dataset.upload(other, progress=False)
    assert done.sha256 == hashlib.sha256(content[::-1]).hexdigest()
    assert [one.name for one in dataset.files] == ["a.mrc", "b.mrc"]

    third = tmp_path / "c.mrc"
    third.write_bytes(content)
    sent.clear()
    with monkeypatch.context() as patch:
        patch.setattr(uploading, "_pieces", interrupted)
        with pytest.raises(KeyboardInterrupt):
            dataset.upload(third, progress=False)
    assert dataset.cancel_uploads() == 1
    assert dataset.uploads == []


@pytest.mark.feature("WS-16")
def test_a_large_file_is_handed_over_on_this_machine(
    dataset: Dataset, running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(_chunk: bytes) -> Iterator[bytes]:
        raise AssertionError("sent")

    content = os.urandom(3_000_000)
    file = tmp_path / "a.mrc"
    file.write_bytes(content)
    with monkeypatch.context() as patch:
        patch.setattr(uploading, "_pieces", never)
        patch.setattr(handing_over, "BLOCK", 1 << 20)
        (done,) = dataset.upload(file, progress=False)
    assert (done.size, done.sha256) == (3_000_000, hashlib.sha256(content).hexdigest())
    assert done.read(2_999_990) == content[-10:]
    assert dataset.uploads == []

    # the disk breaks in the middle: nothing half is taken for the file, and it is sent the usual way next time
    other = tmp_path / "b.mrc"
    other.write_bytes(content)
    copy = handing_over._copy_block

    def breaks(source: int, target: int, at: int) -> int:
        if at:
            raise OSError(5, "Input/output error")
        return copy(source, target, at)

    with monkeypatch.context() as patch:
        patch.setattr(handing_over, "BLOCK", 1 << 20)
        patch.setattr(handing_over, "_copy_block", breaks)
        with pytest.raises(OSError, match="Input/output"):
            dataset.upload(other, progress=False)
    (open_one,) = dataset.uploads
    assert open_one.offset == 0
    (done,) = dataset.upload(other, progress=False)
    assert (done.id, done.sha256) == (open_one.id, hashlib.sha256(content).hexdigest())


@pytest.mark.feature("WS-16")
def test_a_script_s_token_is_told_no_place(athena: Athena, dataset: Dataset, running: Running, tmp_path: Path) -> None:
    secret = athena.tokens.create("script", scope="write").text
    file = tmp_path / "a.mrc"
    file.write_bytes(os.urandom(2_000_000))
    with Athena(Client(running.instance.api_url, secret)) as script:
        begun = script.client.send(
            "POST",
            f"/api/elements/{dataset.id}/uploads",
            headers={"Tus-Resumable": "1.0.0", "Upload-Length": "10", "Upload-Metadata": "filename YQ=="},
        )
        with pytest.raises(Forbidden, match="owns this instance"):
            script.client.get(f"/api/elements/{dataset.id}/{begun['location']}/hand-over", HandOver)
        theirs = script.element(dataset.id)
        assert isinstance(theirs, Dataset)
        (done,) = theirs.upload(file, progress=False)
        assert done.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.feature("WS-16")
def test_a_chunk_damaged_on_the_way_is_sent_again(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.mrc"
    file.write_bytes(b"x" * 100_000)
    plain, damaged = uploading._pieces, list[int]()

    def damage(chunk: bytes) -> Iterator[bytes]:
        for piece in plain(chunk):
            yield piece if damaged else bytes(len(piece))
        damaged.append(1)

    monkeypatch.setattr(uploading, "_pieces", damage)
    (done,) = dataset.upload(file, progress=False)
    assert done.read() == b"x" * 100_000
    assert len(damaged) == 2


@pytest.mark.feature("WS-16")
def test_a_storage_without_room_is_told_after_patience(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise Unavailable("The storage failed: No space left on device.")

    file = tmp_path / "a.mrc"
    file.write_bytes(b"x" * 100_000)
    monkeypatch.setattr(saving, "PATIENCE_S", 0.5)
    with monkeypatch.context() as patch:
        patch.setattr(Appender, "write", full)
        with pytest.raises(Unavailable, match="No space left"):
            dataset.upload(file, progress=False)
    assert list(dataset.files) == []
    (done,) = dataset.upload(file, progress=False)  # and goes on once there is room
    assert done.size == 100_000


@pytest.mark.feature("WS-15")
def test_a_download_is_taken_up_and_verified(dataset: Dataset, tmp_path: Path, running: Running) -> None:
    content = os.urandom(2_000_000)
    (tmp_path / "a.mrc").write_bytes(content)
    (file,) = dataset.upload(tmp_path / "a.mrc", progress=False)
    partial = tmp_path / f"b.mrc.{file.id.hex[:8]}.part"
    partial.write_bytes(content[:1_500_000])
    assert file.download(tmp_path / "b.mrc", progress=False).read_bytes() == content
    assert not partial.exists()
    partial.write_bytes(b"something else")
    with pytest.raises(Conflict, match="SHA-256"):
        file.download(tmp_path / "b.mrc", progress=False)
    assert (tmp_path / "b.mrc").read_bytes() == content
    assert not partial.exists()


def test_a_server_that_lies_about_names_writes_nowhere_else(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "a.mrc").write_bytes(b"x")
    (file,) = dataset.upload(tmp_path / "a.mrc", progress=False)
    lying = file.model.model_copy(update={"name": "../../evil"})
    assert isinstance(lying, wire.File)
    with pytest.raises(Invalid):
        saving.place_in(tmp_path / "down", lying.name)


@pytest.mark.feature("ST-02")
def test_storages_are_shown(athena: Athena) -> None:
    assert [storage.role.value for storage in athena.storages] == ["primary", "export", "archive"]
    assert athena.storages["Primary"].chosen
    assert "Primary" in athena.storages._repr_html_()
    with pytest.raises(NotFound, match="Archive"):
        athena.storages["Cold"]
