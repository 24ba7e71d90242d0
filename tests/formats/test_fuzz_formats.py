"""A few hundred damaged files of each kind; ``make fuzz-formats`` reads as many thousands."""

import pytest

from tests.formats.fuzz_run import run
from tests.formats.fuzz_seeds import KINDS

EXAMPLES, SEED = 300, 2


@pytest.mark.feature("AC-01", "AC-03", "EQ-01")
@pytest.mark.timeout(120)
def test_no_file_harms_the_process_that_reads_it() -> None:
    report = run(range(EXAMPLES), seed=SEED, jobs=1)
    assert not report.failures, report.text(SEED)
    assert sum(report.outcomes.values()) == EXAMPLES
    for kind in KINDS:  # it is a test only where both happen
        assert report.outcomes[kind, "read"], report.text(SEED)
        assert report.outcomes[kind, "refused"], report.text(SEED)
