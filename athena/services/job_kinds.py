"""The job kinds of this installation, found through entry points."""

import logging
from functools import cache
from importlib.metadata import entry_points

from pydantic import ValidationError

from athena.contract.base import Wire
from athena.domain.job_kinds import GROUP, JobSpec
from athena.errors import Invalid

log = logging.getLogger(__name__)


@cache
def load_kind(name: str) -> JobSpec:
    """Job kind of this name.

    Raises
    ------
    Invalid : no installed package offers it, or what is offered is no job kind.
    """
    for entry in entry_points(group=GROUP, name=name):
        spec = entry.load()
        if not isinstance(spec, JobSpec) or spec.name != name:
            raise Invalid(f"{entry.value} is not the job kind “{name}”.", hint="The package that offers it is faulty.")
        return spec
    known = ", ".join(sorted(entry_points(group=GROUP).names))
    raise Invalid(f"There is no job kind “{name}”.", hint=f"Known: {known}.")


def installed_kinds() -> dict[str, JobSpec]:
    """Every kind by name; one that cannot be loaded is left out, with its reason in the log."""
    found: dict[str, JobSpec] = {}
    for name in sorted(entry_points(group=GROUP).names):
        try:
            found[name] = load_kind(name)
        except Exception as error:  # noqa: BLE001 - a faulty package must not keep the other kinds from work
            log.error("job kind %s cannot be used: %s", name, error)
    return found


def label_of(name: str) -> str:
    """Kind as people name it; the bare name if the package that offered it is gone."""
    try:
        return load_kind(name).label
    except Exception:  # noqa: BLE001 - a faulty package must not hide everyone's jobs; its own error is raised at use
        return name.replace("_", " ").capitalize()


def check_parameters(spec: JobSpec, given: object) -> Wire:
    """Parameters as the kind's model takes them; Invalid, in words, when it refuses them."""
    try:
        return spec.parameters.model_validate(given)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in one['loc']) or 'parameters'}: {one['msg']}" for one in error.errors()[:5]
        )
        raise Invalid(f"{spec.label}: {wrong}.") from error
