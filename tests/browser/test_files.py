"""Files of a free dataset in a browser: looked through, downloaded, renamed, deleted."""

import hashlib
import io
import os
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select

from athena.db.elements import FileRow
from athena.db.engine import Database
from athena.db.storages import StorageRow
from athena.formats.mrc import write_mrc
from athena.sdk.connection import Athena
from athena.sdk.elements import Dataset
from tests.browser.conftest import Watch
from tests.browser.instance import Instance, wait_for

pytestmark = pytest.mark.browser


def make_dataset(instance: Instance, name: str) -> Dataset:
    """A free dataset, through the SDK."""
    folder = Athena(instance.client).create_folder(f"Folder of {name}")
    made = folder.create_workflow("Screening", template="free").create_step("Screens").create_dataset(name)
    assert isinstance(made, Dataset)
    return made


def write(folder: Path, files: dict[str, bytes]) -> Path:
    """Files below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@pytest.mark.feature("WS-11", "WS-12", "WS-13", "WS-15")
def test_look_through_download_rename_and_delete(page: Page, instance: Instance, watch: Watch, tmp_path: Path) -> None:
    dataset = make_dataset(instance, "Atlases")
    page.goto(f"{instance.portal}/?e={dataset.id}")
    expect(page.locator("[data-athena=empty]")).to_contain_text("No file")
    here = write(tmp_path / "day 2", {"raw/a.mrc": b"a" * 3000, "raw/b.mrc": b"b", "notes.txt": b"good ice"})
    plain = write(tmp_path / "plain", {"list 9.csv": b"x,y\n", "list 10.csv": b"x,y\n1,2\n"})
    dataset.upload([here, *plain.iterdir()], progress=False)

    rows = page.locator("[data-athena=folder], [data-athena=file]")
    expect(rows).to_have_count(3)  # without a reload
    assert [row.get_attribute("data-name") for row in rows.all()] == ["day 2", "list 9.csv", "list 10.csv"]
    expect(page.locator("[data-athena=files-total]")).to_contain_text("5 files")
    expect(rows.first).to_contain_text("3 files")
    page.locator("[data-athena=sort-size]").click()
    expect(page).to_have_url(re.compile("sort=size"))
    expect(rows.nth(1)).to_have_attribute("data-name", "list 10.csv")

    rows.first.get_by_role("link").click()
    page.locator("[data-athena=folder][data-name=raw]").get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"dir=day\+2%2Fraw"))
    page.reload()
    expect(rows).to_have_count(2)
    with page.expect_download() as download:
        page.locator("[data-athena=file][data-name='a.mrc'] [data-athena=file-actions]").click()
        page.locator("[data-athena=file-download]").click()
    assert (download.value.suggested_filename, download.value.path().stat().st_size) == ("a.mrc", 3000)
    page.go_back()
    page.locator("[data-athena=file][data-name='notes.txt'] [data-athena=file-pick]").check()
    page.locator("[data-athena=folder][data-name=raw] [data-athena=file-pick]").check()
    with page.expect_download() as download:
        page.locator("[data-athena=files-download]").click()
    with zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes())) as packed:
        assert sorted(packed.namelist()) == ["notes.txt", "raw/a.mrc", "raw/b.mrc"]

    page.locator("[data-athena=folder-top]").click()
    page.locator("[data-athena=file][data-name='list 9.csv'] [data-athena=file-actions]").click()
    page.locator("[data-athena=file-rename]").click()
    page.locator("[data-athena=file-name]").fill("list 10.csv")
    page.locator("[data-athena=file-dialog-go]").click()
    expect(page.get_by_role("alert").filter(has_text="already")).to_be_visible()
    page.locator("[data-athena=file][data-name='list 9.csv'] [data-athena=file-actions]").click()
    page.locator("[data-athena=file-rename]").click()
    page.locator("[data-athena=file-name]").fill("day 2/first.csv")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("4 files")

    page.locator("[data-athena=folder][data-name='day 2'] [data-athena=file-pick]").check()
    page.locator("[data-athena=files-delete]").click()
    dialog = page.locator("[data-athena=file-dialog]")
    expect(dialog).to_contain_text("“day 2”")
    expect(dialog).to_contain_text("4 files")
    page.locator("[data-athena=file-dialog-go]").click()
    expect(rows).to_have_count(1)
    assert [file.name for file in dataset.files] == ["list 10.csv"]
    watch.check()


@pytest.mark.feature("WS-15")
def test_thousands_of_files_are_drawn_as_they_are_scrolled_to(page: Page, instance: Instance, watch: Watch) -> None:
    dataset = make_dataset(instance, "Many")
    with Database(instance.settings.resolved_database_url).session() as session:
        storage = session.scalars(select(StorageRow.id).where(StorageRow.role == "primary")).first()
        for number in range(1200):
            names = {"name": f"micrograph {number}.mrc", "key": f"{dataset.id.hex}/{number}", "size": 1000 * number}
            session.add(FileRow(element_id=dataset.id, storage_id=storage, **names))
    page.goto(f"{instance.portal}/?e={dataset.id}")
    rows = page.locator("[data-athena=file]")
    expect(page.locator("[data-athena=files-total]")).to_contain_text("1\u202f200 files")
    assert rows.count() < 60
    page.locator("[data-athena=files] .scroll").evaluate("scroll => { scroll.scrollTop = scroll.scrollHeight }")
    expect(page.locator("[data-athena=file][data-name='micrograph 1199.mrc']")).to_be_visible()
    assert rows.count() < 60
    watch.check()


@pytest.mark.feature("WS-16")
def test_upload_several_go_on_elsewhere_and_cancel(
    page: Page, instance: Instance, watch: Watch, tmp_path: Path
) -> None:
    dataset = make_dataset(instance, "Brought")
    page.goto(f"{instance.portal}/?e={dataset.id}")
    large = os.urandom(20 << 20)
    here = write(tmp_path / "here", {"large é.mrc": large, "empty.txt": b"", "notes.md": b"good ice"})
    with page.expect_file_chooser() as chooser:
        page.locator("[data-athena=upload-files]").click()
    chooser.value.set_files(sorted(here.iterdir()))
    page.locator("[data-athena=home]").click()  # uploads do not mind
    expect(page.locator("[data-athena=tool-uploads]")).to_be_visible()
    expect(page.locator("[data-athena=upload][data-state=done]")).to_have_count(3)
    expect(page.locator("[data-athena=badge-uploads]")).to_have_count(0)
    assert {file.name: file.sha256 for file in dataset.files} == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in here.iterdir()
    }
    page.locator("[data-athena=uploads-clear]").click()
    expect(page.locator("[data-athena=tool-uploads]")).to_have_count(0)

    page.go_back()
    rows = page.locator("[data-athena=folder], [data-athena=file]")
    expect(rows).to_have_count(3)
    with page.expect_file_chooser() as chooser:
        page.locator("[data-athena=upload-folder]").click()
    chooser.value.set_files(write(tmp_path / "day 3", {"raw/a.mrc": b"a", "b.txt": b"b", ".DS_Store": b""}))
    expect(rows.first).to_have_attribute("data-name", "day 3")
    expect(rows.first).to_contain_text("2 files")

    # a name that is taken is refused with the reason
    with page.expect_file_chooser() as chooser:
        page.locator("[data-athena=upload-files]").click()
    chooser.value.set_files(here / "notes.md")
    failed = page.locator("[data-athena=upload][data-state=failed]")
    expect(failed).to_contain_text("has a file 'notes.md' already")
    expect(page.locator("[data-athena=badge-uploads]")).to_have_text("1")
    failed.locator("[data-athena=upload-cancel]").click()
    expect(failed).to_have_count(0)

    # the connection is held up in the middle, then the upload is cancelled: nothing stays
    held: list[Route] = []
    page.route(
        "**/uploads/*", lambda route: held.append(route) if route.request.method == "PATCH" else route.continue_()
    )
    sparse = tmp_path / "huge.mrc"
    sparse.write_bytes(large)
    with page.expect_file_chooser() as chooser:
        page.locator("[data-athena=upload-files]").click()
    chooser.value.set_files(sparse)
    going = page.locator("[data-athena=upload][data-name='huge.mrc']")
    expect(going).to_have_attribute("data-state", "sending")
    wait_for(lambda: len(dataset.uploads) == 1 and bool(held or page.wait_for_timeout(50)), what="a chunk on its way")
    going.locator("[data-athena=upload-cancel]").click()
    expect(going).to_have_count(0)
    wait_for(lambda: not page.wait_for_timeout(50) and not dataset.uploads, what="the upload ended", seconds=20)
    page.unroute("**/uploads/*")
    assert "huge.mrc" not in [file.name for file in dataset.files]
    assert watch.outside == []
    assert all("409" in error for error in watch.errors), watch.errors


@pytest.mark.feature("WS-16")
def test_dropped_files_go_on_after_the_server_was_away(
    page: Page, instance: Instance, tmp_path: Path, watch: Watch
) -> None:
    dataset = make_dataset(instance, "Dropped")
    page.goto(f"{instance.portal}/?e={dataset.id}")
    expect(page.locator("[data-athena=upload-files]")).to_be_visible()
    broken: list[str] = []

    def break_once(route: Route) -> None:
        if route.request.method == "PATCH" and len(broken) < 2:
            broken.append(route.request.headers["upload-offset"])
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/uploads/*", break_once)
    page.evaluate(
        """() => {
          const bytes = new Uint8Array(9 << 20).map((_, at) => at * at % 251)
          const carried = new DataTransfer()
          carried.items.add(new File([bytes], "dropped.bin"))
          for (const type of ["dragenter", "dragover", "drop"])
            document.dispatchEvent(new DragEvent(type, { dataTransfer: carried, bubbles: true, cancelable: true }))
        }"""
    )
    expect(page.locator("[data-athena=upload][data-state=done]")).to_have_count(1)
    assert broken == ["0", "0"]
    (file,) = dataset.files
    assert file.read(stop=3) == bytes([0, 1, 4])
    assert file.size == 9 << 20
    assert watch.outside == []


@pytest.mark.feature("WS-07", "WS-15")
def test_files_open_in_the_viewer_that_fits_by_address_too(
    page: Page, instance: Instance, watch: Watch, tmp_path: Path
) -> None:
    dataset = make_dataset(instance, "To look at")
    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(picture, "png")
    rows = b"".join(b"p%d,%d\n" % (number, number * number) for number in range(3000))
    contents = {
        "sub/notes.md": b"# Day 2\n\n**good** <b>ice</b>",
        "positions.csv": b"name,x\n" + rows,
        "red.png": picture.getvalue(),
        "damaged.png": b"not a picture",
        "paper.pdf": b"%PDF-1.4\n%%EOF",
        "data.h5": b"\x89HDF",
        "binary.txt": b"MZ\0\0",
    }
    here = write(tmp_path / "here", contents)
    dataset.upload(list(here.iterdir()), progress=False)
    page.goto(f"{instance.portal}/?e={dataset.id}")
    page.locator("[data-athena=folder][data-name=sub]").get_by_role("link").click()
    page.locator("[data-athena=file][data-name='notes.md']").get_by_role("link").click()
    expect(page.locator("[data-athena=prose] strong")).to_have_text("good")
    expect(page.locator("[data-athena=prose] b")).to_have_count(0)
    page.locator("[data-athena=file-source]").click()
    expect(page.locator("[data-athena=text]")).to_contain_text("**good**")
    expect(page).to_have_url(re.compile("file="))
    page.reload()
    expect(page.locator("[data-athena=open-file-name]")).to_have_text("notes.md")
    page.locator("[data-athena=file-back]").click()
    expect(page.locator("[data-athena=file][data-name='notes.md']")).to_be_visible()

    def shown(name: str) -> None:
        page.goto(f"{instance.portal}/?e={dataset.id}&file={dataset.files[name].id}")
        expect(page.locator("[data-athena=open-file-name]")).to_have_text(name)

    shown("positions.csv")
    table = page.locator("[data-athena=table]")
    expect(table.get_by_role("row")).not_to_have_count(0)
    assert table.get_by_role("row").count() < 100
    table.evaluate("scroll => { scroll.scrollTop = scroll.scrollHeight }")
    expect(table).to_contain_text("8994001")
    shown("red.png")
    expect(page.locator("[data-athena=picture]")).to_have_js_property("naturalWidth", 40)
    for name, words in {"data.h5": "no viewer", "binary.txt": "no text", "damaged.png": "damaged"}.items():
        shown(name)
        expect(page.locator("[data-athena=not-shown]")).to_contain_text(words)
    page.goto(f"{instance.portal}/?e={dataset.id}&file=nonsense")
    expect(page.locator("[data-athena=error]")).to_contain_text("Nothing here")
    watch.check()
    shown("paper.pdf")
    expect(page.locator("[data-athena=pdf], [data-athena=not-shown]")).to_have_count(1)
    with page.expect_download() as download:
        page.locator("[data-athena=open-file-download]").click()
    assert download.value.path().read_bytes() == contents["paper.pdf"]
    # Chromium's own viewer of PDF is an extension with an origin of its own
    assert {address.split(":", 1)[0] for address in watch.outside} <= {"chrome-extension", "chrome"}


@pytest.mark.feature("WS-06", "WS-07")
def test_a_volume_is_looked_through_section_by_section(
    page: Page, instance: Instance, watch: Watch, tmp_path: Path
) -> None:
    dataset = make_dataset(instance, "Volumes")
    volume = np.random.default_rng(2).normal(size=(24, 60, 90)).astype(np.float32)
    write_mrc(tmp_path / "volume.mrc", volume, pixel_size_angstrom=3.2)
    (tmp_path / "cut.mrc").write_bytes((tmp_path / "volume.mrc").read_bytes()[:5000])
    dataset.upload(list(tmp_path.iterdir()), progress=False)
    page.goto(f"{instance.portal}/?e={dataset.id}")
    page.locator("[data-athena=file][data-name='volume.mrc']").get_by_role("link").click()
    expect(page.locator("[data-athena=viewer] canvas").first).to_be_visible()
    words = page.locator("[data-athena=section-words]")
    expect(words).to_have_text("13 of 24")
    with page.expect_response(re.compile(r"tiles/0/0_0.png\?axis=z&section=20")) as answer:
        page.locator("[data-athena=section]").fill("20")
    assert answer.value.ok
    expect(words).to_have_text("21 of 24")
    with page.expect_response(re.compile(r"tiles/0/0_0.png\?axis=x&section=45")) as answer:
        page.locator("[data-athena=plane-x]").click()
    assert answer.value.ok
    expect(words).to_have_text("46 of 90")
    watch.check()
    page.goto(f"{instance.portal}/?e={dataset.id}&file={dataset.files['cut.mrc'].id}")
    expect(page.locator("[data-athena=viewer]")).to_contain_text("cut.mrc is truncated")
