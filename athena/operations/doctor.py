"""``athena doctor``: every check on an instance and its machine, each with reason and advice."""

from collections.abc import Callable, Iterable
from importlib.metadata import version

from athena.operations.checks import catalogue, home, machine, stores
from athena.operations.findings import SEVERITY, Finding, Report, error
from athena.settings import Settings

Check = Callable[[Settings], Iterable[Finding]]

CHECKS: tuple[Check, ...] = (
    machine.check_python,
    machine.check_memory,
    machine.check_ports,
    machine.check_watches,
    machine.check_open_files,
    machine.check_kernels,
    home.check_disk,
    home.check_writing,
    home.check_file_clock,
    home.check_secrets,
    catalogue.check_database,
    catalogue.check_clock,
    catalogue.check_services,
    stores.check_stores,
)


def examine(settings: Settings, *, fix: bool = False) -> Report:
    """Run every check; with ``fix``, put right what can be without any risk: the modes of secret files."""
    findings = tuple(
        home.make_private(finding) if fix and finding.open_to_others else finding
        for check in CHECKS
        for finding in _carried_out(check, settings)
    )
    worst = max((finding.level for finding in findings), key=SEVERITY.__getitem__)
    return Report(version=version("athena-cryoem"), home=str(settings.home), level=worst, findings=findings)


def _carried_out(check: Check, settings: Settings) -> list[Finding]:
    try:
        return list(check(settings))
    except Exception as problem:  # noqa: BLE001 - a sick machine may make anything fail; the other checks go on
        name = check.__name__.removeprefix("check_").replace("_", " ")
        reason = f"The check itself failed: {type(problem).__name__}: {problem}."
        return [error(name, reason, "Look at what it says; the other checks were carried out.")]
