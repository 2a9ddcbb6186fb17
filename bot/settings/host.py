"""The bot's settings, read once from the environment, `.env` or keywords.

Only this file has the bounds of each field. A value out of bounds becomes one line for the person who runs
the bot (`SettingsError`), which never contains the token.
"""

import re
import socket
import tempfile
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.settings.discord_api import read_api
from bot.settings.shards import MOST, read_served
from bot.settings.values import address_in, secret_in

PREFIX = "PASTICHE_"


# Three base64url parts: the application's id, a timestamp, a signature.
TOKEN_SHAPE = re.compile(r"[\w-]{17,40}\.[\w-]{5,10}\.[\w-]{20,80}", re.ASCII)


class SettingsError(Exception):
    """A setting is missing, malformed or out of bounds; `str()` is one clear line."""


class Settings(BaseSettings):
    """The settings of a host. Keywords override the environment, which overrides `.env`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    discord_token: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("discord_token", "DISCORD_TOKEN"),
        description="The bot's token from the Discord developer portal.",
    )
    discord_token_file: Path | None = Field(
        None,
        validation_alias=AliasChoices("discord_token_file", "DISCORD_TOKEN_FILE"),
        description="A file with the token in it, instead of DISCORD_TOKEN.",
    )
    data_dir: Path = Field(
        Path("var"),
        description="Where everything the bot keeps is stored: database, jobs, corpora, models.",
    )
    database_url: str = Field(
        "",
        validation_alias=AliasChoices("database_url", "DATABASE_URL"),
        description="SQLite or postgresql+psycopg:// URL (default: pastiche.sqlite in the data directory).",
    )
    database_url_file: Path | None = Field(
        None,
        validation_alias=AliasChoices("database_url_file", "DATABASE_URL_FILE"),
        description="A file with the URL in it, instead of DATABASE_URL, as it may hold a password.",
    )
    jobs_database_url: str = Field(
        "",
        description="Where the job queue is kept (default: in DATABASE_URL if that is PostgreSQL, "
        "else jobs.sqlite in the data directory).",
    )
    storage: str = Field(
        "",
        description="Where texts and models are kept: s3://BUCKET/PREFIX?endpoint=https://HOST "
        "(default: the data directory).",
    )
    cache_bytes: int = Field(
        5 * 2**30,
        ge=2**20,
        description="Most bytes of local copies of what lies in an S3-like storage.",
    )
    aws_access_key_id: str = Field(
        "",
        validation_alias=AliasChoices("aws_access_key_id", "AWS_ACCESS_KEY_ID"),
        description="The public part of the key of an S3-like storage.",
    )
    aws_secret_access_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("aws_secret_access_key", "AWS_SECRET_ACCESS_KEY"),
        description="The secret part of the key.",
    )
    aws_session_token: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("aws_session_token", "AWS_SESSION_TOKEN"),
        description="The third part of a key that is valid for some hours.",
    )
    aws_region: str = Field(
        "",
        validation_alias=AliasChoices("aws_region", "AWS_REGION"),
        description="Region of the bucket (default: us-east-1).",
    )
    jobs: Literal["here", "elsewhere"] = Field(
        "here",
        description="here: `run` also trains; elsewhere: only `pastiche worker` processes train.",
    )
    jobs_poll_s: float = Field(1.0, ge=0.1, le=60, description="Seconds between looks at the job queue.")
    name: str = Field(
        "",
        pattern=r"^[\w.-]{0,60}$",
        # The second name is that of earlier versions.
        validation_alias=AliasChoices("PASTICHE_NAME", "PASTICHE_EXECUTOR_ID"),
        description="This process's name among those of one database; keep it the same over restarts "
        "(default: the machine's host name; with SQLite, which has one machine, local).",
    )
    samplers: int = Field(1, ge=1, le=16, description="Sampler processes kept warm.")
    sample_timeout_s: float = Field(30, ge=1, le=600, description="Seconds after which a sample is given up.")
    max_corpus_bytes: int = Field(
        10 * 2**20, ge=1024, le=100 * 2**20, description="Largest text that /train accepts, in bytes."
    )
    max_bundle_bytes: int = Field(
        32 * 2**20,
        ge=1024,
        le=200 * 2**20,
        description="Largest zip of a model that Import accepts, in bytes.",
    )
    training_minutes: float = Field(
        5, ge=0.05, le=1440, description="Minutes a training takes when /train does not say."
    )
    max_training_minutes: float = Field(60, ge=0.05, le=1440, description="Most minutes /train accepts.")
    bases: str = Field(
        "",
        pattern=r"^[a-z0-9._, -]*$",
        description="Pretrained bases that /train offers, by their names in `pastiche base list`, "
        "with commas between them (default: none).",
    )
    training_threads: int = Field(
        0, ge=0, le=256, description="Processor threads a training uses (0: all of them)."
    )
    max_queued_per_guild: int = Field(
        5, ge=1, le=100, description="Trainings a server may have queued or running at a time."
    )
    max_models_per_guild: int = Field(100, ge=1, le=10_000, description="Models a server may have.")
    max_bytes_per_guild: int = Field(
        4 * 2**30, ge=2**20, le=2**50, description="Bytes that a server's texts and models may take."
    )
    min_free_bytes: int = Field(
        512 * 2**20,
        ge=0,
        le=2**50,
        description="Bytes of the disk that stay free: with less, no training and no import is accepted.",
    )
    schedule_minutes: int = Field(
        30, ge=1, le=1440, description="Least minutes between two posts of a schedule."
    )
    max_schedules_per_guild: int = Field(
        25, ge=0, le=25, description="Most schedules a server may have, whatever it chose itself."
    )
    shards: int | None = Field(
        None,
        ge=1,
        le=MOST,
        description="Connections to Discord (shards) over all processes together "
        "(default: what Discord recommends).",
    )
    shard_ids: str = Field(
        "", description="Which of the shards this process serves, such as 0-3 or 0,2 (default: all of them)."
    )
    discord_api: str = Field(
        "",
        validation_alias=AliasChoices("discord_api", "DISCORD_API"),
        description="Address of a proxy in front of Discord's API, which more than ten processes need.",
    )
    health_max_age_s: float = Field(
        60,
        ge=5,
        le=3600,
        description="Seconds without a heartbeat or a connection to Discord, after which `check` fails.",
    )
    metrics: str = Field(
        "",
        description="host:port that serves /metrics, /healthz and /readyz, such as 127.0.0.1:9464 "
        "(default: none).",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severe log lines shown."
    )
    log_format: Literal["console", "json"] = Field("console", description="Log lines for people or machines.")

    @model_validator(mode="before")
    @classmethod
    def _strip(cls, values: Any) -> Any:
        stripped = {k: v.strip() if isinstance(v, str) else v for k, v in values.items()}
        if "executor_id" in stripped:  # the keyword of earlier versions
            stripped.setdefault("name", stripped.pop("executor_id"))
        return stripped

    @field_validator("metrics")
    @classmethod
    def _check_address(cls, value: str) -> str:
        if value and address_in(value) is None:
            raise ValueError("expected host:port, such as 127.0.0.1:9464 or [::]:9464")
        return value

    @model_validator(mode="after")
    def _read_files(self) -> Self:
        if self.discord_token_file is not None:
            token = secret_in(self.discord_token_file, "DISCORD_TOKEN", given=self.discord_token is not None)
            object.__setattr__(self, "discord_token", SecretStr(token))
        if self.database_url_file is not None:
            url = secret_in(self.database_url_file, "DATABASE_URL", given=bool(self.database_url))
            object.__setattr__(self, "database_url", url)
        return self

    @model_validator(mode="after")
    def _complete(self) -> Self:
        data_dir = self.data_dir.expanduser().absolute()
        on_a_server = self.database_url.startswith("postgresql")
        jobs = self.database_url if on_a_server else f"sqlite:///{data_dir / 'jobs.sqlite'}"
        machine = re.sub(r"[^\w.-]", "-", socket.gethostname())[:60] if on_a_server else "local"
        completed = {
            "data_dir": data_dir,
            "database_url": self.database_url or f"sqlite:///{data_dir / 'pastiche.sqlite'}",
            "jobs_database_url": self.jobs_database_url or jobs,
            "name": self.name or machine,
        }
        for name, value in completed.items():
            object.__setattr__(self, name, value)
        if self.training_minutes > self.max_training_minutes:
            raise ValueError(
                f"training_minutes is {self.training_minutes:g}, "
                f"more than max_training_minutes ({self.max_training_minutes:g})"
            )
        read_served(self.shards, self.shard_ids)
        read_api(self.discord_api)
        return self

    @property
    def served_shards(self) -> tuple[int, frozenset[int]]:
        """The number of shards, and those of them that this process serves."""
        return read_served(self.shards, self.shard_ids)

    @property
    def base_names(self) -> tuple[str, ...]:
        """The names in `bases`, in their order."""
        return tuple(dict.fromkeys(self.bases.replace(",", " ").split()))

    @property
    def metrics_address(self) -> tuple[str, int] | None:
        """Host and port of `metrics`; None if nothing is served."""
        return address_in(self.metrics)

    def require_token(self) -> str:
        """Return the token, for the login.

        Raises:
            SettingsError: the token is missing, or has not the form of a bot token.
        """
        token = self.discord_token.get_secret_value() if self.discord_token else ""
        where = "copy it from the Discord developer portal (Bot, Reset Token) into .env or the environment"
        if not token:
            raise SettingsError(f"DISCORD_TOKEN is not set, and DISCORD_TOKEN_FILE neither: {where}")
        if not TOKEN_SHAPE.fullmatch(token):
            raise SettingsError(
                f"DISCORD_TOKEN is not a bot token ({len(token)} characters, "
                f"expected three parts joined by dots): {where}"
            )
        return token

    def prepare_data_dir(self) -> Path:
        """Create the data directory, and check that it can be written to.

        Raises:
            SettingsError: it cannot be created or written to.
        """
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.data_dir):
                pass
        except OSError as error:
            raise SettingsError(
                f"the data directory {self.data_dir} cannot be written to ({error.strerror or error}): "
                f"set {PREFIX}DATA_DIR to a directory that can"
            ) from error
        return self.data_dir
