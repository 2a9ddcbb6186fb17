"""A text that was copied together with its code: the two are told apart."""

from __future__ import annotations

from textgen.errors import SettingsError
from textgen.receipts.code import PREFIX, Receipt, find_code


def parted(text: str, code: str | None = None) -> tuple[str, Receipt]:
    """Return a text and its receipt.

    Args:
        text: without ``code``, it ends with a line that holds the code; the rest of that line is not looked
            at, because a footer tells more than a code. A text of one line ends with the code itself.
        code: the code, or a text that holds it, if it does not stand in ``text``.

    Raises:
        SettingsError: there is no code, or it is damaged.
    """
    if code is not None:
        inside = find_code(code)
        return text, Receipt.from_code(inside[0] if inside else code)
    found = find_code(text)
    if found is None:
        raise SettingsError(
            f"there is no code in the text; it begins with {PREFIX} and stands in the last line",
            advice=("give --code CODE",),
        )
    receipt = Receipt.from_code(found[0])
    before = text[: found.start()]
    line = before.rfind("\n")
    return (before[:line] if line >= 0 else before.removesuffix(" ")), receipt
