"""Errors of the storage, each as one line for the person who set it up. No line contains a credential."""

import re

# What S3 calls its errors, in what obstore says: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_KIND = re.compile(r"kind: (Connect|Timeout|Request|Decode|Interrupted)\b")
_FULL = {"507", "XMinioStorageFull", "QuotaExceeded", "XMinioAdminBucketQuotaExceeded", "EntityTooLarge"}
_WRONG_KEY = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "401"}
_FORBIDDEN = {"AccessDenied", "AllAccessDisabled", "MethodNotAllowed", "403", "405"}


class StorageError(OSError):
    """The storage cannot do what was asked; `str()` is one line that says why.

    It is an `OSError`, because whoever uses a file must expect one anyway.

    Attributes:
        passing: whether the same call may succeed later without anybody's help.
    """

    def __init__(self, line: str, *, passing: bool = False) -> None:
        super().__init__(line)
        self.passing = passing


class Damaged(OSError):
    """What is stored is not what a key promises; trying again does not help."""


def explained(place: str, bucket: str, error: Exception) -> StorageError:
    """Return the error in one line: what was found, and what to do.

    Only known words of the server's answer are repeated, because the rest may contain a signed address.

    Args:
        place: what people call the storage, without credentials.
        bucket: name of the bucket.
        error: what obstore raised.
    """
    said = str(error)
    found = {match[1] for pattern in (_CODE, _STATUS, _KIND) if (match := pattern.search(said))}
    code = next(iter(match[1] for match in [_CODE.search(said)] if match), None)
    status = next((each for each in found if each.isdecimal()), None)
    if "NoSuchBucket" in found:
        return StorageError(f"{place}: there is no bucket {bucket}: create it, or name another one")
    if found & _FULL:
        return StorageError(f"{place}: the storage is full ({code or status}): make room", passing=True)
    if found & _WRONG_KEY:
        return StorageError(
            f"{place}: the storage does not accept this AWS_ACCESS_KEY_ID and "
            f"AWS_SECRET_ACCESS_KEY ({code or status})"
        )
    if found & _FORBIDDEN:
        return StorageError(
            f"{place}: the storage refuses ({code or status}): this key must be allowed to list, read, write "
            f"and delete in the bucket {bucket}"
        )
    if "Timeout" in found:
        return StorageError(f"{place}: the storage does not answer in time", passing=True)
    if found & {"Connect", "Request", "Decode", "Interrupted"}:
        return StorageError(f"{place}: the storage cannot be reached: is its address right?", passing=True)
    reason = " ".join(filter(None, (status, code))) or type(error).__name__
    passing = status is None or status.startswith("5") or status == "429"
    return StorageError(f"{place}: the storage failed ({reason})", passing=passing)
