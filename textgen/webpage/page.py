"""Puts a page together: its model, its scripts with their hashes, and what it says about itself."""

from __future__ import annotations

import base64
import hashlib
import html
from dataclasses import dataclass
from importlib import resources
from string import Template

from textgen.bundle import Bundle
from textgen.webpage.payload import payload_of

ENGINE = (
    "columns",
    "experts",
    "chains",
    "words",
    "product",
    "network",
    "drawing",
    "prompt",
    "writer",
    "model",
)
"""The scripts that read the model and write with it, in the order in which they build on each other."""

_CODE_LICENCE = "the page's own code: MIT, the Pastiche authors"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page says about its model beside what the bundle knows.

    Attributes:
        title: the heading, and the title of the window.
        licence: of the texts that the model learned from, as the person who exports it states it.
        origin: where these texts come from.
        made_by: the program that makes the page, with its version.
    """

    title: str
    licence: str | None = None
    origin: str | None = None
    made_by: str = "textgen"


def page_of(bundle: Bundle, shown: Shown) -> bytes:
    """Return a page in UTF-8.

    Args:
        bundle: the model, of the level char and the cell linear.
        shown: what it says about the model.

    Raises:
        BundleError: a page cannot hold a model of this kind.
    """
    model = base64.b64encode(payload_of(bundle)).decode()
    engine = "\n".join(_static(f"{name}.js") for name in ENGINE)
    page, style = _static("page.js"), _static("page.css")
    scripts = " ".join(f"'sha256-{_hash(script)}'" for script in (engine, page))
    policy = (
        f"default-src 'none'; script-src {scripts} 'wasm-unsafe-eval'; style-src 'sha256-{_hash(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    facts = "\n".join(
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(fact)}</dd>"
        for name, fact in _facts(bundle, shown).items()
    )
    filled = Template(_static("page.html")).substitute(
        policy=policy,
        version=html.escape(shown.made_by),
        title=html.escape(shown.title),
        style=style,
        sampled=" --no-novel" if bundle.manifest.items else "",
        facts=facts,
        model=model,
        engine=engine,
        page=page,
    )
    return filled.encode()


def _facts(bundle: Bundle, shown: Shown) -> dict[str, str]:
    manifest = bundle.manifest
    licence = shown.licence or "not stated by whoever made this page"
    return {
        "Licence of the text": f"{licence}; {_CODE_LICENCE}",
        "Origin": shown.origin or "not stated",
        "Trained": f"{manifest.created_at[:10]} with textgen {manifest.textgen_version}",
        "Corpus": f"{manifest.characters:,} characters, SHA-256 {manifest.corpus_sha256}",
        "Network": f"{manifest.parameters:,} parameters and what was counted; "
        f"validation loss {manifest.validation_loss:.3f} nats a character",
    }


def _static(name: str) -> str:
    return resources.files(__package__).joinpath("static", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
