"""The address of Discord's API, if a proxy stands in front of it."""

from urllib.parse import urlsplit

PATH = "/api/v10"
"""What discord.py speaks; a proxy forwards paths as they are."""


def read_api(url: str) -> str:
    """Return the address that paths of the API are appended to; "" for Discord's own.

    Args:
        url: such as "http://proxy:8080", with or without `/api` or `/api/v10`.

    Raises:
        ValueError: the text is one line for the host.
    """
    if not url:
        return ""
    named = "no address" if "@" in url else repr(url)  # which may hold a password
    refusal = ValueError(f"DISCORD_API is {named}: write one such as http://proxy:8080")
    try:
        parts = urlsplit(url)
        port = parts.port  # of which a wrong one is found only when it is asked for
    except ValueError:
        raise refusal from None
    path = parts.path.rstrip("/")
    extra = parts.query or parts.fragment or parts.username or parts.password
    if parts.scheme not in ("http", "https") or not parts.hostname or extra or port == 0 or not url.isascii():
        raise refusal
    if path not in ("", "/api", PATH):
        raise refusal
    return f"{parts.scheme}://{parts.netloc}{PATH}"
