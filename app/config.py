"""Settings: read once from the environment, each with a default and a line of meaning."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class SettingMissing(SystemExit):
    """Stops the start and names the setting that is missing."""

    def __init__(self, name: str, meaning: str):
        super().__init__(f"{name} is not set. {meaning}")


@dataclass(frozen=True)
class Setting:
    """One setting: its name in the environment, its default (None: must be given) and what it means."""

    name: str
    default: str | None
    meaning: str


SETTINGS = (
    Setting("SLIPWAY_DATA", "var", "Directory that holds all state of one installation."),
    Setting("SECRET_KEY", None, "Signs form tokens. Any long random string; changing it voids open forms."),
    Setting("SLIPWAY_SEAL_KEY", None, "Encrypts secret answers until the cloud has them. 32 bytes, URL-safe base64."),
    Setting("PUBLIC_URL", "http://localhost:8000", "Address people type; the identity provider sends them back to it."),
    Setting("DATABASE_URL", "", "SQLAlchemy URL. Empty: SQLite in SLIPWAY_DATA."),
    Setting("DATABASE_POOL", "10", "Connections each process may hold open."),
    Setting("CELERY_BROKER_URL", "", "Broker for wake-ups: redis://…, amqp://…. Empty: files in SLIPWAY_DATA."),
    Setting("CATALOG_DIR", "catalog", "Directory of the shipped catalog, loaded by `./slipway catalog load`."),
    Setting("OIDC_ISSUER", None, "Issuer of the identity provider, exactly as its discovery document names it."),
    Setting("OIDC_CLIENT_ID", "slipway", "Client id the provider gave the portal."),
    Setting("OIDC_CLIENT_SECRET", None, "Client secret the provider gave the portal."),
    Setting("OIDC_NAME", "single sign-on", "What the sign-in button calls the provider."),
    Setting("OIDC_SCOPES", "openid profile email groups", "Scopes asked for at sign-in."),
    Setting("OIDC_GROUPS_CLAIM", "groups", "Claim that lists a person's groups; teams name the group they follow."),
    Setting("SESSION_IDLE_MINUTES", "480", "A session ends after this long without a request."),
    Setting("SESSION_HOURS", "24", "A session ends this long after sign-in, whatever happens."),
    Setting("AWS_ENDPOINT_URL", "", "Where the AWS clients connect. Empty: AWS itself. boto3 reads it too."),
    Setting("AWS_EXTERNAL_ID", "", "External id sent when a launch role is assumed. Empty: none."),
    Setting("AWS_CALLS_PER_SECOND", "20", "CloudFormation calls of a process per account and region. 0: no limit."),
    Setting("LOOKUP_SECONDS", "60", "How long a list read from an account (VPCs, subnets…) is kept."),
    Setting("FOLLOW_SECONDS", "1.0", "Pause between two looks at a moving stack."),
    Setting("RECONCILE_SECONDS", "60", "Pause between two comparisons of all stacks with the cloud. 0: never."),
    Setting("RETENTION_SECONDS", "3600", "Pause between two rounds that remove what is too old. 0: never."),
    Setting("JOB_DAYS", "400", "How long finished jobs are kept; the newest of each stack stays for ever."),
    Setting("EVENT_DAYS", "90", "How long events of finished jobs are kept; those of each stack's newest job stay."),
    Setting("TICK_SECONDS", "1.0", "Pause between two searches for runnable jobs when no wake-up arrives."),
    Setting("LEASE_SECONDS", "30", "A worker that says nothing for this long loses its job to another."),
    Setting("JOB_HOURS", "12", "A job that has not ended by then is stopped and marked."),
    Setting("WORKER_THREADS", "4", "Jobs one worker process advances at the same time."),
    Setting("WEB_PROCESSES", "2", "Web server processes."),
    Setting("WEB_THREADS", "4", "Requests each web process answers at the same time."),
    Setting("LOG_LEVEL", "INFO", "Least severe line that is logged: DEBUG, INFO, WARNING, ERROR."),
    Setting("LOG_FORMAT", "json", "json: one object a line; text: for reading at a terminal."),
)


@dataclass(frozen=True)
class Config:
    """The settings of this process, with the derived ones worked out."""

    values: Mapping[str, str]
    data: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", (ROOT / self.values["SLIPWAY_DATA"]).resolve())

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    def number(self, name: str) -> float:
        """Return a setting as a number; stop the start when it is none."""
        try:
            return float(self[name])
        except ValueError:
            raise SystemExit(f"{name} must be a number, not {self[name]!r}.") from None

    @property
    def database_url(self) -> str:
        return self["DATABASE_URL"] or _sqlite_in(self.data)

    @property
    def broker_url(self) -> str:
        return self["CELERY_BROKER_URL"] or "filesystem://"

    @property
    def catalog_dir(self) -> Path:
        return (ROOT / self["CATALOG_DIR"]).resolve()

    @property
    def is_https(self) -> bool:
        return self["PUBLIC_URL"].startswith("https://")


def read_config(environ: Mapping[str, str] | None = None) -> Config:
    """Read every setting; raise SettingMissing for the first one that has no default and no value."""
    environ = os.environ if environ is None else environ
    values = {}
    for setting in SETTINGS:
        value = environ.get(setting.name) or setting.default
        if value is None:
            raise SettingMissing(setting.name, setting.meaning)
        values[setting.name] = value
    return Config(values)


def _sqlite_in(data: Path) -> str:
    return f"sqlite:///{data / 'slipway.db'}"


def read_database_url(environ: Mapping[str, str]) -> str:
    """Return only the database's address: migrations need no secrets."""
    return environ.get("DATABASE_URL") or _sqlite_in((ROOT / environ.get("SLIPWAY_DATA", "var")).resolve())
