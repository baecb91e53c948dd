"""Settings: environment (`TURNUP_*`, nested with `__`), then `.env` and `turnup.toml` in the home folder, then defaults.

Without any setting the embedded lab is used: its NetBox, its devices, its clock, credentials that it made itself.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, DotEnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from engine import failpoints
from engine.drift.policy import DriftPolicy
from engine.errors import SettingsInvalid
from engine.suggest import unknown

PREFIX = "TURNUP_"
PACKAGE = Path(__file__).resolve().parent


def share(name: str) -> Path:
    """A folder that comes with the program: installed with the package, or in a checkout beside it."""
    installed = PACKAGE / "share" / name
    return installed if installed.is_dir() else PACKAGE.parent / name


class Part(BaseModel):
    """Base of the nested settings: unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NetBoxSettings(Part):
    """The resource inventory."""

    url: str | None = Field(default=None, description="address of NetBox; without it the embedded lab's is used")
    token: SecretStr | None = Field(default=None, description="API token, version 1 or 2")
    timeout: float = Field(default=30.0, gt=0, description="seconds until an answer must have come")
    ca_file: Path | None = Field(default=None, description="PEM file of the authorities that its certificate is checked against")
    insecure: bool = Field(default=False, description="do not check its certificate")


class LabSettings(Part):
    """The embedded lab: stand-ins of every outside system, in processes of their own."""

    embedded: bool | None = Field(default=None, description="use the lab's devices and systems; default: when no NetBox is named")
    time_scale: float | None = Field(default=None, gt=0, description="lab seconds a real second while a parcel is on the road")
    pace: float | None = Field(default=None, gt=0, description="lab seconds a real second otherwise")
    profile: str | None = Field(
        default=None,
        description="how much is seeded: example, two-exchanges, bench or capacity; default: what the lab was made with, else example",
    )


class TargetSettings(Part):
    """How a target is reached: by its name, its platform, or `*` for all others."""

    username: str | None = Field(default=None, description="login by SSH or HTTP basic authentication")
    password: SecretStr | None = Field(default=None, description="its password; without one SSH uses the agent and the user's own keys")
    hostname: str | None = Field(default=None, description="address to use in place of the inventory's")
    port: int | None = Field(default=None, gt=0, le=65535, description="port to use in place of the inventory's; NETCONF's own is 830")
    url: SecretStr | None = Field(default=None, description="URL of a system; of FreeRADIUS' database as SQLAlchemy writes it")
    urls: dict[str, SecretStr] = Field(default_factory=dict, description="URLs by name, e.g. dhcp4 and dhcp6 of Kea")
    api_key: SecretStr | None = Field(default=None, description="sent as X-API-KEY to HTTP systems")
    known_hosts: Path | None = Field(
        default=None, description="OpenSSH known_hosts file by which SSH host keys are checked; default: the user's own"
    )
    ca_file: Path | None = Field(default=None, description="PEM file of the authorities that HTTPS certificates are checked against")
    insecure: bool = Field(default=False, description="do not check host keys and certificates")
    timeout: float = Field(default=10.0, gt=0, description="seconds to connect and to wait for an answer")


class HostSettings(Part):
    """A system that is no equipment and so not in NetBox."""

    platform: str = Field(description="folder of its templates")
    hostname: str | None = Field(default=None, description="address, where no URL says it")
    port: int | None = Field(default=None, gt=0, le=65535, description="port, where no URL says it")


class WebhookSettings(Part):
    """The listener that the carrier tells of deliveries."""

    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int | None = Field(default=None, gt=0, le=65535, description="default: a free one, the same each time")
    url: str | None = Field(
        default=None,
        description="URL under which the carrier reaches the listener, if another: `.../webhooks/logistics?shipment={externalId}`",
    )
    secret: SecretStr | None = Field(default=None, description="with which the carrier signs")


class WorkingSettings(Part):
    """How the lanes are worked (engine.batch.WorkerSettings says more). Seconds."""

    threads: int = Field(default=16, gt=0, description="targets that are worked at the same time")
    lease: float = Field(default=30.0, gt=0, description="seconds after which the lanes of a dead process are taken over")
    push_timeout: float = Field(default=60.0, gt=0, description="seconds for one transaction on a target")
    sweep: float = Field(default=1.0, gt=0, description="seconds between two looks for lanes with work")
    batch_targets: int = Field(default=50, gt=0, description="steps of one target in one transaction; 1: each order by itself")
    batch_systems: int = Field(default=20, gt=0, description="orders that are decomposed, or reserved in NetBox, together")
    netbox_lanes: int = Field(default=4, gt=0, description="exchanges whose resources NetBox is asked for at once, by all workers together")
    pause: float = Field(default=10.0, gt=0, description="seconds for which a target that does not answer is left alone at most")
    watch: float = Field(default=2.0, gt=0, description="seconds between two looks for changes of NetBox, while orders wait for a resource")
    patience: float = Field(default=300.0, gt=0, description="seconds after which the next order in line asks again, whatever was heard")


class QuarantineSettings(Part):
    """How long nobody gets what was given back, by kind of resource. Seconds of the time that orders live in."""

    olt_port: float = Field(default=0, ge=0, description="ports of OLTs")
    stock: float = Field(default=0, ge=0, description="routers that came back")
    vlan: float = Field(default=0, ge=0, description="VLANs")
    ipv4: float = Field(default=86400, ge=0, description="IPv4 addresses: whoever had one may be known by it for a while")
    ipv6_prefix: float = Field(default=86400, ge=0, description="IPv6 prefixes: likewise")

    @property
    def by_kind(self) -> dict[str, timedelta]:
        """As the order layer takes it."""
        return {name.replace("_", "-"): timedelta(seconds=seconds) for name, seconds in self.model_dump().items()}


def _hosts(value: Any) -> Any:
    """Those that the settings name, beside the ones of the worked example."""
    return {**_EXTRA_HOSTS, **value} if isinstance(value, Mapping) else value


_EXTRA_HOSTS: Mapping[str, Mapping[str, str]] = {"cloudwifi": {"platform": "openwifi"}, "logistics": {"platform": "logistics"}}


class Settings(BaseSettings):
    """All settings; `load` reads them."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True)
    sources: ClassVar[tuple[Path, ...]] = ()
    """Files that are read beside the environment, the first wins."""

    home: Path = Field(default=Path(".turnup"), description="folder of all state: database, secret key, lab, log")
    database_url: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_URL", "TURNUP_DATABASE_URL", "database_url"),
        description="SQLAlchemy URL; default: SQLite in the home folder",
    )
    catalogue: Path = Field(
        default_factory=lambda: share("catalog"), description="folder of the catalogue's YAML files; default: that of the installation"
    )
    templates: Path = Field(
        default_factory=lambda: share("templates"), description="folder of the Jinja templates; default: that of the installation"
    )
    secret_key_file: Path | None = Field(default=None, description="key that seals secrets; default: made in the home folder")
    netbox: NetBoxSettings = NetBoxSettings()
    lab: LabSettings = LabSettings()
    targets: dict[str, TargetSettings] = Field(default_factory=dict, description="access by target, by platform, or `*`")
    hosts: Annotated[dict[str, HostSettings], BeforeValidator(_hosts)] = Field(
        default_factory=lambda: _hosts({}), validate_default=True, description="targets that NetBox does not have"
    )
    webhook: WebhookSettings = WebhookSettings()
    worker: WorkingSettings = WorkingSettings()
    quarantine: QuarantineSettings = QuarantineSettings()
    drift: dict[str, DriftPolicy] = Field(
        default_factory=dict,
        description="what is done about changes of others, by target, by platform, or `*`: refuse (the default), overwrite, adopt, report",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the file depends on the home folder: see `load`
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - not used
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What was said last to what was said first; files only where they exist."""
        files = [
            DotEnvSettingsSource(settings_cls, env_file=path) if path.name == ".env" else TomlConfigSettingsSource(settings_cls, path)
            for path in cls.sources
        ]
        return (init_settings, env_settings, *files)

    def make_home(self) -> None:
        """Make the home folder if need be, readable by its owner only: it holds names and addresses. Raises SettingsInvalid."""
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsInvalid(f"the home folder {self.home} cannot be used: {error.strerror}") from error

    @property
    def embedded(self) -> bool:
        """Whether devices and systems are those of the embedded lab."""
        return self.netbox.url is None if self.lab.embedded is None else self.lab.embedded

    @property
    def database(self) -> str:
        """URL of the database."""
        return self.database_url.get_secret_value() if self.database_url else f"sqlite:///{self.home / 'turnup.db'}"

    @property
    def key_file(self) -> Path:
        """The key that seals what is secret in the database."""
        return self.secret_key_file or self.home / "secret.key"

    @property
    def lab_folder(self) -> Path:
        """Where the embedded lab lives."""
        return self.home / "lab"

    @property
    def worker_lock(self) -> Path:
        """Held by the process that works the lanes."""
        return self.home / "worker.lock"


def load(home: Path | None = None) -> Settings:
    """The settings for this home folder (default: TURNUP_HOME, else `.turnup`). Raises SettingsInvalid, naming each wrong setting."""
    folder = (home or Path(os.environ.get(f"{PREFIX}HOME") or ".turnup")).expanduser().absolute()
    files = [path for path in (folder / ".env", folder / "turnup.toml") if path.is_file()]
    _known_names(os.environ)

    class Here(Settings):
        sources = tuple(files)

    try:
        return Here(home=folder)
    except ValidationError as error:
        found = "; ".join(_problem(problem["loc"], problem["type"], problem["msg"]) for problem in error.errors())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        found = f"{folder / 'turnup.toml'}: {error}"
    raise SettingsInvalid(found)


def _known_names(names: Iterable[str]) -> None:
    """pydantic-settings passes over variables that it does not know: a misspelt one would have no effect and no one would be told."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {failpoints.ARMED_BY, failpoints.ALLOWED_BY}
    for name in names:
        if name.upper().startswith(PREFIX) and name.upper().split("__")[0] not in known:
            raise SettingsInvalid(unknown("setting", name, known) + "; parts are joined by two underscores, e.g. TURNUP_NETBOX__URL")


def _problem(where: tuple[int | str, ...], kind: str, message: str) -> str:
    path = [str(part) for part in where]
    if kind == "extra_forbidden":
        return f"{'.'.join(path[:-1]) or 'settings'}: " + unknown("setting", path[-1], _fields(path[:-1]))
    return f"{'.'.join(path)}: {message}"


def _fields(path: list[str]) -> list[str]:
    nested: dict[str, type[BaseModel]] = {"targets": TargetSettings, "hosts": HostSettings}
    if not path:
        return sorted(Settings.model_fields)
    annotation = nested.get(path[0]) or Settings.model_fields[path[0]].annotation
    return sorted(annotation.model_fields) if isinstance(annotation, type) and issubclass(annotation, BaseModel) else []
