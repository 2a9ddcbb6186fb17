"""The playground's page: SimCord's preview with our additions, which make it behave like a chat.

SimCord's page is made to inspect a bot. A newcomer expects that the newest message is in sight, that no
click is lost, and that the tools of a developer are out of the way. `static/playground.js` does this in the
browser.
The server below is private to SimCord, which is pinned exactly; the tests of the playground cover it.
"""

from pathlib import Path
from typing import ClassVar

import simcord
from aiohttp import web
from simcord.preview import _markdown
from simcord.preview._server import PreviewServer

STATIC = Path(__file__).with_name("static")
OURS = {"/playground.js": "text/javascript", "/playground.css": "text/css"}
HEAD = (
    '<link rel="stylesheet" href="/playground.css"><link rel="icon" href="data:,">'
    '<script type="module" src="/playground.js"></script></head>'
)


class PlaygroundServer(PreviewServer):
    """SimCord's server, whose page also loads `OURS`."""

    _STATIC_FILES: ClassVar[dict[str, str]] = PreviewServer._STATIC_FILES | {path: path[1:] for path in OURS}

    async def _static(self, request: web.Request) -> web.Response:
        if request.path not in ("/", *OURS):
            response: web.Response = await super()._static(request)
            return response
        # SimCord checks which host was asked for, and that must not depend on the file.
        response = await super()._static(request.clone(rel_url="/"))
        if request.path == "/":
            page = str(response.text).replace("</head>", HEAD)
            response.text = page.replace(
                "<title>SimCord Preview</title>", "<title>Pastiche playground</title>"
            )
            return response
        body = (STATIC / request.path[1:]).read_text(encoding="utf-8")
        headers = {name: str(value) for name, value in self._SECURITY_HEADERS.items()}
        return web.Response(text=body, content_type=OURS[request.path], headers=headers)


def improved(page: simcord.Preview, port: int) -> simcord.Preview:
    """Serve a preview that has not been opened yet as the playground's page.

    Args:
        page: what `simcord.Env.preview` returned.
        port: port of the page; 0 takes a free one.
    """
    _show_mentions_in_cards()
    page._server = PlaygroundServer(page, port)
    return page


def _show_mentions_in_cards() -> None:
    """Show people, roles, channels and commands by name in cards, where Discord does so, too.

    SimCord looks the names up for a whole message, but shows them in its plain text alone.
    """
    for field in ("embed_description", "embed_field_value"):
        _markdown._FIELD_POLICIES[field] |= {"mentions": True, "commands": True}
