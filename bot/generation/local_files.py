"""Puts the files of a sampler request on this host, and keeps them there until its texts are written."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

from bot.errors import SampleRefused, SamplerUnavailable
from bot.generation.sampler_protocol import ModelRequest, SamplerRequest
from bot.i18n import _
from bot.infra.storage.errors import Damaged, StorageError
from bot.infra.storage.storage import Storage

log = structlog.stdlib.get_logger(__name__)

AT_ONCE = 8


class LocalFiles:
    """Turns the keys of requests into paths.

    Args:
        storage: has the files; None: requests contain paths already.
    """

    def __init__(self, storage: Storage | None) -> None:
        self._storage = storage
        # Threads of their own: a storage that answers late must not keep others from working.
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="storage")

    @contextlib.asynccontextmanager
    async def of(self, request: ModelRequest) -> AsyncIterator[ModelRequest]:
        """Yield the request with paths of files that stay there until the end.

        Raises:
            SampleRefused: the bundle is damaged or gone.
            SamplerUnavailable: the storage cannot be used at this moment.
        """
        if self._storage is None:
            yield request
        elif not self._storage.is_remote:
            folder = self._storage.layout.data_dir
            yield request.located(lambda bundle, corpus: (folder / bundle, corpus and folder / corpus))
        else:
            leases = contextlib.ExitStack()
            leased = functools.partial(_leased, self._storage, leases)
            leasing = self._threads.submit(lambda: request.located(leased))
            try:
                located = await asyncio.wrap_future(leasing)
                if isinstance(request, SamplerRequest) and request.original:
                    _require_corpora(request, located)
                yield located
            finally:
                # The thread may still be at work if the request was cancelled.
                leasing.add_done_callback(lambda _done: self._release(leases))

    def close(self) -> None:
        """Wait for nobody; whoever still waits for a file is cancelled."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _release(self, leases: contextlib.ExitStack) -> None:
        with contextlib.suppress(RuntimeError):  # the bot ends, and its locks with it
            self._threads.submit(leases.close)


def _leased(
    storage: Storage, leases: contextlib.ExitStack, bundle: Path, corpus: Path | None
) -> tuple[Path, Path | None]:
    try:
        found = leases.enter_context(storage.lease(str(bundle)))
    except StorageError as error:
        log.warning("a model's files cannot be reached", bundle=str(bundle), reason=str(error))
        raise SamplerUnavailable(
            _("The files of this model cannot be reached at this moment. Please try again later.")
        ) from None
    except (FileNotFoundError, Damaged) as error:
        log.error("a model cannot be sampled", bundle=str(bundle), reason=str(error))
        raise damaged() from None
    if corpus is not None:
        # Without the text nothing can be compared with it, as where it is gone from the disk.
        with contextlib.suppress(OSError):
            return found, leases.enter_context(storage.lease(str(corpus)))
    return found, None


def _require_corpora(request: SamplerRequest, located: ModelRequest) -> None:
    """Refuse to write without the corpora that a text is to be kept from."""
    found = located if isinstance(located, SamplerRequest) else request
    pairs = [(request.corpus, found.corpus)]
    if request.blended is not None and found.blended is not None:
        pairs.append((request.blended.corpus, found.blended.corpus))
    if any(wanted is not None and there is None for wanted, there in pairs):
        raise SamplerUnavailable(
            _("The text of this model cannot be reached at this moment. Please try again later.")
        )


def damaged() -> SampleRefused:
    """Return the error for a model whose files are not what they should be."""
    return SampleRefused(
        _("This model is damaged or gone. The person who hosts this bot finds details in its log."),
        passing=True,
    )
