"""Configuration: one typed object, from defaults, then `sanpo.toml`, then `SANPO_*`; each value remembers its source."""

import os
import re
import tomllib
from dataclasses import MISSING, dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, get_args, get_origin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sanpo.ground.errors import DomainError, Kind


class SettingIsInvalid(DomainError):
    """A setting has a value that cannot be used. Fields: setting, source, given, accepted."""

    code = "ground.setting_is_invalid"
    kind = Kind.INVALID


class SettingIsUnknown(DomainError):
    """`sanpo.toml` names a setting that does not exist. Fields: setting, source."""

    code = "ground.setting_is_unknown"
    kind = Kind.INVALID


SECRET = {"secret": True}
_SPARK = re.compile(r"sc://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}(/;use_ssl=true)?")
"""A Spark Connect address. A token has no place in it: the client takes it from the environment, where it is not printed."""


@dataclass(frozen=True)
class Settings:
    """Every setting with its default; the environment's name is `SANPO_` plus the name in capitals."""

    mode: Literal["production", "demo", "test"] = field(
        default="production", metadata={"help": "demo listens on loopback only and prints sign-in links"}
    )
    home: Path = field(default=Path.home() / ".sanpo", metadata={"help": "folder of the embedded database, lake, keys"})
    city_name_ja: str = field(default="三方市", metadata={"help": "the city's name in Japanese"})
    city_name_en: str = field(default="Sanpo City", metadata={"help": "the city's name in English"})
    jurisdiction: str = field(default="JP", metadata={"help": "ISO 3166 code named in consent records"})
    timezone: str = field(default="Asia/Tokyo", metadata={"help": "IANA zone of local days and hours"})
    host: str = field(default="127.0.0.1", metadata={"help": "address to listen on"})
    port: int = field(default=8000, metadata={"help": "port to listen on"})
    origin: str = field(default="http://127.0.0.1:8000", metadata={"help": "address that residents see, for passkeys"})
    http_workers: int = field(default=2, metadata={"help": "HTTP worker processes"})
    http_threads: int = field(default=8, metadata={"help": "actions under way at once in one worker"})
    database_url: str = field(
        default="", metadata={"help": "PostgreSQL >= 15 as the application's role; empty: embedded", **SECRET}
    )
    database_owner_url: str = field(default="", metadata={"help": "the same database as its owner", **SECRET})
    lake_url: str = field(default="", metadata={"help": "directory or object store of the lake; empty: home/lake"})
    lake_removal_hours: int = field(
        default=24, metadata={"help": "hours until files of erased or expired rows are gone from the lake's disk"}
    )
    master_secret: str = field(
        default="", metadata={"help": "at least 32 characters; all keys derive from it", **SECRET}
    )
    journal_origin: str = field(
        default="sanpo.example/journal", metadata={"help": "name of the journal in checkpoints"}
    )
    minimum_subjects: int = field(
        default=10, metadata={"help": "fewest residents in a released cell; rules may ask more"}
    )
    question_timeout_ms: int = field(default=60_000, metadata={"help": "longest run of one question"})
    question_memory_mb: int = field(default=2048, metadata={"help": "memory of one worker's questions"})
    question_spill_mb: int = field(
        default=16_384, metadata={"help": "disk that one worker's questions may use when memory does not do (0: none)"}
    )
    question_threads: int = field(default=2, metadata={"help": "engine threads for one question"})
    engine: str = field(
        default="duckdb",
        metadata={"help": "who answers questions: duckdb, or a Spark Connect server such as sc://host:15002"},
    )
    question_slots: int = field(default=2, metadata={"help": "questions at once in one worker"})
    question_queue: int = field(default=1, metadata={"help": "questions that may wait for a place in one worker"})
    question_wait_ms: int = field(default=2_000, metadata={"help": "longest wait for a place"})
    question_most_rows: int = field(default=2_000_000_000, metadata={"help": "most rows that one question may read"})
    webhook_private_hosts: bool = field(default=False, metadata={"help": "allow webhooks to private addresses"})
    broker_open: bool = field(
        default=False,
        metadata={"help": "entities without a token: whoever reaches the port may write them; loopback only"},
    )
    broker_contexts: str = field(
        default="", metadata={"help": "JSON file {url: path} of JSON-LD contexts that are not fetched"}
    )
    broker_allow_hosts: str = field(
        default="", metadata={"help": "private hosts, with commas, that contexts and notifications may reach"}
    )
    broker_mappings: str = field(
        default="",
        metadata={"help": "folder of mapping files (*.toml): MQTT topics to listen at, and HTTP doors for lines"},
    )
    broker_dead_hours: int = field(
        default=168,
        metadata={"help": "hours until a dead notification, which can be replayed, ends; its number is kept"},
    )
    broker_event_minutes: int = field(
        default=60, metadata={"help": "minutes for which server-sent events are kept for who was cut off"}
    )
    broker_recent_days: int = field(
        default=30, metadata={"help": "days of history in PostgreSQL; what is older lies in the lake"}
    )
    log_level: Literal["debug", "info", "warning"] = field(default="info", metadata={"help": "least level logged"})

    @property
    def demo(self) -> bool:
        return self.mode != "production"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def city_name(self, lang: str) -> str:
        return self.city_name_ja if lang == "ja" else self.city_name_en

    @property
    def lake_grace(self) -> timedelta:
        """How long a question may still read files that were taken out: the last hour is for the duty that removes them."""
        return timedelta(hours=max(0, self.lake_removal_hours - 1))

    @property
    def lake(self) -> str:
        return self.lake_url or str(self.home / "lake")


@dataclass(frozen=True)
class Sourced:
    """One setting as `sanpo config` prints it; a secret's value is never here."""

    name: str
    value: str
    source: str
    help: str


def load_settings(
    overrides: dict[str, Any] | None = None, *, folder: Path | None = None
) -> tuple[Settings, list[Sourced]]:
    """The settings and where each came from. Raises `SettingIsInvalid` or `SettingIsUnknown`."""
    file = Path(os.environ.get("SANPO_CONFIG", (folder or Path.cwd()) / "sanpo.toml"))
    from_file = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    known = {f.name for f in fields(Settings)}
    for name in from_file:
        if name not in known and not isinstance(from_file[name], dict):
            raise SettingIsUnknown(setting=name, source=str(file))
    values: dict[str, Any] = {}
    shown: list[Sourced] = []
    for f in fields(Settings):
        raw, source = _lookup(f.name, overrides or {}, from_file, str(file))
        if raw is not MISSING:
            values[f.name] = _typed(f.name, f.type, raw, source)
        value = values.get(f.name, f.default)
        secret = f.metadata.get("secret") and value
        shown.append(Sourced(f.name, "(hidden)" if secret else str(value), source, f.metadata["help"]))
    settings = Settings(**values)
    _check(settings)
    return settings, shown


def _lookup(name: str, overrides: dict[str, Any], from_file: dict[str, Any], file: str) -> tuple[Any, str]:
    variable = f"SANPO_{name.upper()}"
    if name in overrides:
        return overrides[name], "command line"
    if variable in os.environ:
        return os.environ[variable], variable
    if name in from_file:
        return from_file[name], file
    return MISSING, "default"


def _typed(name: str, kind: Any, raw: Any, source: str) -> Any:
    if get_origin(kind) is Literal:
        if raw in get_args(kind):
            return raw
        raise SettingIsInvalid(setting=name, source=source, given=str(raw), accepted=" | ".join(get_args(kind)))
    if kind is bool and str(raw).lower() in ("1", "true", "yes", "0", "false", "no"):
        return str(raw).lower() in ("1", "true", "yes")
    try:
        return Path(raw).expanduser().absolute() if kind is Path else kind(raw)
    except (ValueError, TypeError):
        accepted = getattr(kind, "__name__", str(kind))
        raise SettingIsInvalid(setting=name, source=source, given=str(raw), accepted=accepted) from None


def _check(settings: Settings) -> None:
    try:
        ZoneInfo(settings.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise SettingIsInvalid(
            setting="timezone", source="", given=settings.timezone, accepted="an IANA zone such as Asia/Tokyo"
        ) from None
    if settings.engine != "duckdb" and not _SPARK.fullmatch(settings.engine):
        raise SettingIsInvalid(
            setting="engine",
            source="",
            given=settings.engine,
            accepted="duckdb, sc://host:port, sc://host:port/;use_ssl=true",
        )
    if settings.lake_removal_hours < 0:
        raise SettingIsInvalid(
            setting="lake_removal_hours", source="", given=str(settings.lake_removal_hours), accepted="0 or more"
        )
    if settings.broker_recent_days < 1:
        raise SettingIsInvalid(
            setting="broker_recent_days", source="", given=str(settings.broker_recent_days), accepted="1 or more"
        )
    if settings.mode == "demo" and settings.host not in ("127.0.0.1", "localhost", "::1"):
        raise SettingIsInvalid(
            setting="host", source="", given=settings.host, accepted="127.0.0.1 (a demo listens on loopback only)"
        )
    if settings.broker_open and settings.host not in ("127.0.0.1", "localhost", "::1"):
        raise SettingIsInvalid(
            setting="host", source="", given=settings.host, accepted="127.0.0.1 (broker_open is for loopback only)"
        )
    if settings.mode == "production" and 0 < len(settings.master_secret) < 32:
        raise SettingIsInvalid(setting="master_secret", source="", given="(hidden)", accepted="32 characters or more")
