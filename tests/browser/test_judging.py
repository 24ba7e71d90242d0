"""A run is judged and handed on from its page: criteria, parameters, failed ones, executed reports, a live export."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from athena.contract.criteria import RunCriteria
from athena.contract.filters import FilterRule
from athena.contract.jobs import Job, JobState
from athena.contract.runs import Run
from tests.browser.conftest import Play, Watch
from tests.browser.instance import Instance, make_run
from tests.names import own

pytestmark = pytest.mark.browser

KERNEL_MS = 150_000
"""How long a kernel may take to start and execute a report on a machine that does other work as well."""


@pytest.mark.feature("EQ-12", "AC-04", "BY-06")
def test_criteria_parameters_and_failed_ones_are_changed_on_the_processing_tab(
    page: Page, instance: Instance, watch: Watch, play: Play
) -> None:
    run = make_run(instance.client, folder="Processing")
    player = play(run.id, size=(256, 256))
    player.attach(message="9 movies found.")
    indices = player.register(9)
    player.complete(indices[:6], images=False)
    player.fail(indices[6:8], "The movie cannot be read: it ends after 12 of 40 frames.")
    hook = page.locator
    page.goto(f"{instance.portal}/?e={run.id}&tab=processing")

    rules = hook("[data-athena=processing-criteria] [data-athena=rule]")
    expect(rules).to_have_count(3)
    for _ in range(2):
        rules.last.locator("[data-athena=rule-remove]").click()
    rules.first.locator("[data-athena=rule-metric]").select_option("defocus_um")
    rules.first.locator("[data-athena=rule-operator]").select_option("between")
    rules.first.locator("[data-athena=rule-value]").fill("0.7")
    rules.first.locator("[data-athena=rule-upper]").fill("1.3")
    hook("[data-athena=criteria-save]").click()
    # six micrographs at about 0.8, 1.15, 1.5, 1.85, 2.2 and again 0.8 µm
    expect(hook("[data-athena=complying]")).to_contain_text("3 of 6")
    expect(hook("[data-athena=complying]")).to_contain_text("Set for this run")
    kept = instance.client.get(f"/runs/{run.id}/criteria", RunCriteria)
    assert kept.rules == (FilterRule(metric="defocus_um", operator="between", value=0.7, upper=1.3),)
    hook("[data-athena=criteria-reset]").click()
    expect(hook("[data-athena=complying]")).to_contain_text("As the instance sets them")

    hook("[data-athena=parameter-patches_x]").fill("7")
    hook("[data-athena=parameters-save]").click()
    expect(hook("[data-athena=processing-problem]")).to_contain_text("another patches_x")
    hook("[data-athena=parameter-patches_x]").fill("")
    hook("[data-athena=parameter-patches_y]").fill("5")
    hook("[data-athena=parameters-save]").click()
    expect(hook("[data-athena=processing-problem]")).to_be_hidden()
    expect(hook("[data-athena=branch][data-name=original]")).to_contain_text("patches_y = 5")
    assert instance.client.get(f"/runs/{run.id}", Run).parameters == {"patches_y": 5}

    expect(hook("[data-athena=processing-failed]")).to_contain_text("2 could not be processed")
    hook("[data-athena=retry-failed]").click()
    expect(hook("[data-athena=processing-failed]")).to_contain_text("None.")
    counts = instance.client.get(f"/runs/{run.id}", Run).counts
    assert (counts.error, counts.registered) == (0, 3)
    watch.check()


@pytest.mark.slow
@pytest.mark.feature("EQ-10", "NB-04", "NB-06")
def test_a_report_is_saved_as_an_executed_notebook_in_three_forms(
    page: Page, instance: Instance, watch: Watch, play: Play, tmp_path: Path
) -> None:
    folder = own("Executed reports")
    run = make_run(instance.client, folder=folder)
    player = play(run.id, size=(256, 256))
    player.complete(player.register(6), images=False)
    page.goto(f"{instance.portal}/?e={run.id}&tab=report")
    expect(page.locator("[data-athena=report]")).to_be_visible()
    files = {}
    for form in ("html", "printed", "notebook"):
        with page.expect_download(timeout=KERNEL_MS) as saved:
            page.locator(f"[data-athena=report-{form}]").click()
        files[saved.value.suggested_filename] = saved.value.path().read_bytes()
        expect(page.locator("[data-athena=report-problem]")).to_have_count(0)
    name = "Grid 3 quality report"
    assert set(files) == {f"{name}.html", f"{name}, executed notebook.pdf", f"{name}.ipynb"}
    digest = json.loads(instance.client.get_bytes(f"/runs/{run.id}/report"))["data_hash"]
    assert digest in files[f"{name}.html"].decode()
    assert '<script src="http' not in files[f"{name}.html"].decode()
    notebook = json.loads(files[f"{name}.ipynb"])
    assert all(cell["execution_count"] for cell in notebook["cells"] if cell["cell_type"] == "code")
    (tmp_path / "report.pdf").write_bytes(files[f"{name}, executed notebook.pdf"])
    pages = [one.extract_text() for one in PdfReader(tmp_path / "report.pdf").pages]
    assert digest in pages[-1]
    assert instance.token not in "".join(pages) + files[f"{name}.html"].decode() + json.dumps(notebook)

    # the same from a terminal
    target = tmp_path / "told.pdf"
    path = f"{folder}/SPA-QM 12/Imaging/Grid 3"
    told = subprocess.run(
        [sys.executable, "-m", "athena", "report", path, "--to", str(target)],
        env={**os.environ, "ATHENA_URL": instance.api, "ATHENA_TOKEN": instance.token},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert f"Saved {target}" in told.stdout
    assert "6 images are too few" in told.stdout
    assert digest in PdfReader(target).pages[0].extract_text()
    watch.check()


@pytest.mark.feature("EX-03", "EQ-08", "AC-04")
def test_a_live_export_goes_on_with_the_filter_on_the_screen(
    page: Page, instance: Instance, watch: Watch, play: Play
) -> None:
    run = make_run(instance.client, folder="Live exports")
    resolution = play(run.id, size=(256, 256)).measure(200)["ctf_resolution_angstrom"]
    page.goto(f"{instance.portal}/?e={run.id}&tab=dataviz")
    matching = page.locator("[data-athena=filter-count]")
    expect(matching).to_have_attribute("data-kept", "200")
    page.locator("[data-athena=export-menu]").click()
    page.locator("[data-athena=live-export]").click()
    page.get_by_label("Folder in the export storage").fill("as it comes")
    page.get_by_role("dialog").get_by_role("button", name="Start", exact=True).click()
    shown = page.locator("[data-athena=export-job]")
    expect(shown).to_have_attribute("data-state", "pending")
    (job,) = [job for job in instance.client.get("/jobs", list[Job]) if job.element_id == run.id]

    page.locator("[data-athena=rule-add]").click()
    page.locator("[data-athena=rule-metric]").select_option("ctf_resolution_angstrom")
    page.locator("[data-athena=rule-value]").fill("3.4")
    page.locator("[data-athena=rule-add-go]").click()
    expect(matching).to_have_attribute("data-kept", str(int((resolution <= 3.4).sum())))
    page.locator("[data-athena=export-menu]").click()
    expect(page.locator("[data-athena=live-export]")).to_have_count(0)
    page.locator("[data-athena=update-live-export]").click()
    expect(page.locator("[data-athena=filter-bar]")).to_contain_text("goes on with this filter")
    expect(page.locator("[data-athena=filter-changed]")).to_have_count(0)
    rules = instance.job_parameters(job.id)["filter"]["rules"]
    assert [(rule["metric"], rule["operator"], rule["value"]) for rule in rules] == [
        ("ctf_resolution_angstrom", "<=", 3.4)
    ]

    instance.client.post(f"/jobs/{job.id}/cancel", None, Job)
    expect(shown).to_have_attribute("data-state", JobState.CANCELLED.value)
    page.locator("[data-athena=export-menu]").click()
    expect(page.locator("[data-athena=live-export]")).to_be_visible()
    watch.check()
