"""Reads the address of an S3-like storage, such as `s3://bucket/prefix?endpoint=https://…`."""

import os
import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from bot.settings import Settings, SettingsError

ACCEPTED = "use s3://BUCKET/PREFIX, or s3://BUCKET/PREFIX?endpoint=https://HOST for one outside Amazon"
DEFAULT_REGION = "us-east-1"

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"(?:[\w.-]{1,100}/){0,8}[\w.-]{0,100}", re.ASCII)
_OPTIONS = {"endpoint", "region"}
_SECRETS = re.compile(r"key|secret|token|password|credential|signature", re.IGNORECASE)
# With one of these, obstore asks the platform for passing credentials.
_ROLES = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


@dataclass(frozen=True)
class Address:
    """An S3-like storage.

    Attributes:
        bucket: name of the bucket.
        prefix: what every key begins with; may be empty.
        endpoint: URL of the server; None: Amazon's.
        region: of the bucket.
    """

    bucket: str
    prefix: str
    endpoint: str | None
    region: str

    @property
    def shown(self) -> str:
        """The address for messages; it never contains credentials."""
        where = f" at {self.endpoint}" if self.endpoint else ""
        return f"s3://{self.bucket}/{self.prefix}{where}"


def read_address(settings: Settings) -> Address:
    """Return the address of the storage that the settings name.

    Raises:
        SettingsError: it is malformed, contains credentials, or there are no credentials. The text repeats
            nothing that could be one.
    """
    url = urlsplit(settings.storage)
    if url.scheme != "s3":
        raise SettingsError(f"PASTICHE_STORAGE is no address of a storage: {ACCEPTED}")
    options = {name: values[-1] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
    endpoint = options.get("endpoint") or os.environ.get("AWS_ENDPOINT_URL") or None
    if "@" in url.netloc or any(map(_SECRETS.search, options)) or (endpoint and "@" in endpoint):
        raise SettingsError(
            "PASTICHE_STORAGE contains credentials: put them into AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, because addresses are shown in logs"
        )
    unknown = sorted(options.keys() - _OPTIONS)
    if unknown:
        raise SettingsError(f"PASTICHE_STORAGE has the unknown option {unknown[0][:40]!r}: {ACCEPTED}")
    prefix = url.path.strip("/")
    if not _BUCKET.fullmatch(url.netloc):
        raise SettingsError(f"PASTICHE_STORAGE names no bucket: {ACCEPTED}")
    if not _PREFIX.fullmatch(prefix) or ".." in prefix.split("/"):
        raise SettingsError(
            "PASTICHE_STORAGE has a prefix with other characters than letters, digits, dots, dashes and "
            "underscores between its slashes"
        )
    if endpoint and urlsplit(endpoint).scheme not in {"http", "https"}:
        raise SettingsError("the endpoint in PASTICHE_STORAGE does not begin with https:// or http://")
    _require_credentials(settings)
    region = options.get("region") or settings.aws_region or DEFAULT_REGION
    return Address(url.netloc, prefix, endpoint.rstrip("/") if endpoint else None, region)


def _require_credentials(settings: Settings) -> None:
    """Check that there are credentials: without any, obstore asks a server that most networks do not have."""
    if settings.aws_access_key_id and settings.aws_secret_access_key:
        return
    if settings.aws_access_key_id or not any(os.environ.get(name) for name in _ROLES):
        lacking = "AWS_SECRET_ACCESS_KEY" if settings.aws_access_key_id else "AWS_ACCESS_KEY_ID"
        raise SettingsError(f"PASTICHE_STORAGE is set, and {lacking} is not: set both parts of the key")
