"""Settings of one Athena instance: ``ATHENA_*`` variables first, then ``athena.toml`` in the instance's home."""

import os
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from athena.contract.criteria import DEFAULT_CRITERIA
from athena.contract.filters import FilterRule
from athena.zarrio.layout import METRICS


def default_home() -> Path:
    """Folder of the instance: ``ATHENA_HOME``, else ``~/.athena``."""
    return Path(os.environ.get("ATHENA_HOME") or Path.home() / ".athena").expanduser().resolve()


class LdapSettings(BaseModel):
    """The site's directory: table ``[ldap]`` of athena.toml, or ``ATHENA_LDAP`` as JSON.

    In filters ``{text}`` and ``{username}`` stand for what was typed, escaped.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(pattern=r"^ldaps?://[^/\s]+/?$", description="ldap://host:port or ldaps://host:port.")
    base_dn: str = Field(min_length=1, description="Where people are: ou=people,dc=example,dc=org.")
    bind_dn: str = Field("", description="Who looks people up; empty: anonymously.")
    bind_password: str = Field("", repr=False)
    start_tls: bool = Field(False, description="Encrypt an ldap:// connection before anything is said.")
    ca_file: Path | None = Field(None, description="Certificates to trust; empty: the system's.")
    user_filter: str = Field(
        "(&(objectClass=person)({username_attribute}={username}))", description="Finds one person by user name."
    )
    search_filter: str = Field(
        "(&(objectClass=person)(|(mail={text}*)(cn={text}*)({username_attribute}={text}*)))",
        description="Finds people to be added, as their e-mail, name or user name is typed.",
    )
    username_attribute: str = Field("uid", pattern=r"^[A-Za-z][A-Za-z0-9-]*$")
    email_attribute: str = Field("mail", pattern=r"^[A-Za-z][A-Za-z0-9-]*$")
    first_name_attribute: str = Field("givenName", pattern=r"^[A-Za-z][A-Za-z0-9-]*$")
    last_name_attribute: str = Field("sn", pattern=r"^[A-Za-z][A-Za-z0-9-]*$")
    timeout_seconds: float = Field(5.0, gt=0, le=60, description="How long the directory may take to answer.")

    @model_validator(mode="after")
    def _no_password_in_the_clear(self) -> "LdapSettings":
        if self.start_tls and self.url.startswith("ldaps:"):
            raise ValueError("ldaps:// is encrypted already: leave start_tls out")
        return self


class Settings(BaseSettings):
    """Every setting, with its default for an embedded instance on one machine."""

    model_config = SettingsConfigDict(env_prefix="ATHENA_", extra="ignore", frozen=True)

    home: Path = Field(
        default_factory=default_home, description="Folder of this instance: database, data, token, logs."
    )
    database_url: str = Field("", description="SQLAlchemy URL; empty: SQLite in the home.")
    data_dir: Path | None = Field(None, description="Where run stores (<run>.zarr) go; empty: <home>/data.")
    acquisition_roots: tuple[Path, ...] = Field(
        (), description="Folders acquisition sessions may be read from; empty in local mode: any."
    )

    max_upload_bytes: int = Field(0, ge=0, description="Largest file that may be uploaded; 0: as the storage has room.")
    upload_hours: float = Field(48.0, gt=0, description="An upload nobody went on with for that long is given up.")

    host: str = Field("127.0.0.1", description="Address the API and the portal listen on.")
    api_port: int = 8470
    portal_port: int = 8471
    notebook_port: int = 8472
    report_kernels: int = Field(
        2, ge=1, description="Notebooks of reports that a portal process executes at once; a user has one at a time."
    )
    lab_url: str = Field(
        "", description="JupyterLab that opens pages as notebooks, without a hub; empty: none ('athena up' sets it)."
    )
    hub_port: int = Field(8473, description="Where people reach JupyterHub, and all else through its proxy.")
    hub_internal_port: int = Field(8474, description="Where services and notebooks reach the hub itself.")
    hub_proxy_port: int = Field(8475, description="Where the hub tells its proxy what to do.")
    api_prefix: str = Field(
        "", description="Path under which a proxy shows the API without taking it away: /services/athena-api."
    )

    auth: Literal["local", "hub"] = Field("local", description="Who vouches for a token: this instance, or JupyterHub.")
    ldap: LdapSettings | None = Field(None, description="The site's directory of people; empty: none.")
    vendor_key: str = Field("", description="Public key that licence keys are checked with; empty: no licences.")
    licensed: bool = Field(
        False, description="Whether log-in needs a licence without the hub too; behind the hub a vendor key is enough."
    )
    url: str = Field("", description="Address of the API for clients; empty: found from the instance's home.")
    token: str = Field("", description="Token clients use; empty: the local token of the instance's home.")

    dask: str = Field("local", description="'local' for a cluster of this runner's own, or a scheduler address.")
    workers: int = Field(0, ge=0, description="Worker processes of a local cluster; 0: one a core.")
    lease_seconds: float = Field(15.0, gt=0, description="A job whose runner is silent this long is taken over.")
    heartbeat_seconds: float = Field(
        10.0, gt=0, description="How often each service says that it lives; silent three times as long, it is down."
    )
    cleanup_acquisition: bool = Field(
        False, description="Whether a cleanup may delete what lies on acquisition storages, where Athena only reads."
    )
    job_threads: int = Field(
        4, ge=1, description="Exports, deletions and the like that one runner works on at the same time."
    )
    poll_seconds: float = Field(1.0, gt=0, description="How often the runner looks for work and polls folders.")
    stable_seconds: float = Field(
        4.0, ge=0, description="A file is whole when size and time stood still this long (and it parses)."
    )
    settle_seconds: float = Field(
        0.5,
        ge=0,
        description="As stable_seconds, for a movie that proves itself finished: it parses to its written end.",
    )
    user_metrics: Literal["confined", "unconfined", "off"] = Field(
        "confined",
        description="Whether people may add metrics of their own; unconfined: also where the system cannot keep them "
        "from files and network.",
    )
    user_metric_seconds: float = Field(10.0, gt=0, description="Time of a user metric for one micrograph.")
    user_metric_memory_mb: int = Field(2048, ge=256, description="Address space of a user metric's process.")
    criteria: tuple[FilterRule, ...] = Field(
        DEFAULT_CRITERIA, description="Quality criteria of runs that have none of their own: tables [[criteria]]."
    )
    criteria_window: int = Field(25, ge=1, description="How many of the latest acquisitions a run's warning looks at.")
    criteria_share: float = Field(
        0.25,
        ge=0,
        le=1,
        description="A run of whose latest acquisitions a smaller share complies is in Warning.",
    )
    movie_step: str = Field("movie", description="Which entry point of group athena.steps processes a movie.")
    log_level: str = "INFO"
    development: bool = Field(False, description="Whether the portal shows its components at /components.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        toml = TomlConfigSettingsSource(settings_cls, toml_file=default_home() / "athena.toml")
        return init_settings, env_settings, toml

    @model_validator(mode="after")
    def _criteria_are_on_metrics(self) -> "Settings":
        if unknown := [rule.metric for rule in self.criteria if rule.metric not in METRICS]:
            raise ValueError(f"'criteria' name what is no metric: {', '.join(unknown)}. Metrics: {', '.join(METRICS)}")
        return self

    @model_validator(mode="after")
    def _licences_can_be_checked(self) -> "Settings":
        if self.licensed and not self.vendor_key:
            raise ValueError("'licensed' needs 'vendor_key': licences cannot be checked without it")
        return self

    @property
    def licence_required(self) -> bool:
        """Whether people need a licence seat to log in."""
        return bool(self.vendor_key) and (self.licensed or self.auth == "hub")

    @cached_property
    def resolved_database_url(self) -> str:
        """SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{self.home / 'athena.db'}"

    @cached_property
    def resolved_data_dir(self) -> Path:
        """Folder of the run stores in force."""
        return self.data_dir or self.home / "data"

    @property
    def upload_dir(self) -> Path:
        """Where uploads grow that go to a storage which files cannot be renamed into."""
        return self.home / "uploads"

    @property
    def token_file(self) -> Path:
        """Where the local token lies (mode 0600)."""
        return self.home / "token"

    @property
    def instance_file(self) -> Path:
        """Where a running instance says its addresses."""
        return self.home / "instance.json"

    def run_store(self, run_id: str, branch: int = 0) -> Path:
        """Folder of the zarr group of one branch of a run's results."""
        return self.resolved_data_dir / "runs" / (f"{run_id}.branch-{branch}.zarr" if branch else f"{run_id}.zarr")

    def run_defects(self, run_id: str) -> Path:
        """Folder of the files of camera defects that a run was given, each under the SHA-256 of its content."""
        return defects_beside(self.run_store(run_id), run_id)

    def run_stores(self, run_id: str) -> list[Path]:
        """Folders of all zarr groups that a run has, also of those that are being deleted."""
        first = self.run_store(run_id)
        beside = {path.name.partition(".zarr")[0] for path in first.parent.glob(f"{run_id}.branch-*.zarr*")}
        return [first, *(first.with_name(f"{name}.zarr") for name in sorted(beside))]


def defects_beside(store: Path, run_id: str) -> Path:
    """Folder of a run's files of defects, from any of its stores: workers know no settings."""
    return store.with_name(f"{run_id}.defects")
