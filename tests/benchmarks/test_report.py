"""The page of benchmarks: sections are replaced one by one."""

from pathlib import Path

import pytest

from tests.benchmarks import report


@pytest.mark.feature("EQ-01")
def test_a_section_takes_the_place_of_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "performance.md"
    monkeypatch.setattr(report, "PAGE", page)
    for title, text in (("A movie", "old"), ("An EER movie", "eer"), ("Live", "live"), ("A movie", "new")):
        report.write_section(title, [text])
    assert page.read_text() == f"{report.HEAD}\n## A movie\n\nnew\n\n## An EER movie\n\neer\n\n## Live\n\nlive\n"
