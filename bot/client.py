"""The Discord client of the bot: it owns the services, and starts and ends them.

`bot.app` puts it together with the commands; what commands and buttons get as `interaction.client` is this.
"""

import asyncio
import contextlib
import importlib
from collections.abc import Callable, Sequence
from typing import IO, Any

import discord
import structlog
from discord import app_commands
from discord.ext import commands

from bot.generation.limits import Admission, Cooldowns
from bot.generation.pool import SamplerPool
from bot.generation.usage import GenerationCounter
from bot.guilds.member_names import Names
from bot.guilds.presence import Presence
from bot.guilds.word_lists import GuildWords
from bot.i18n.translator import CatalogueTranslator
from bot.infra.children.untrusted_input import ChildPool
from bot.infra.discord.command_sync import keep_synced
from bot.infra.discord.connection import ask_gateway
from bot.infra.discord.gateway import Gateway
from bot.infra.discord.identifying import IdentifyGate
from bot.infra.discord.shard_claims import ShardClaims
from bot.infra.health import Heartbeat
from bot.infra.hosts.sign_of_life import BOT, Superseded, own_name
from bot.infra.steady_clock import SteadyClock
from bot.infra.storage import starting
from bot.infra.storage.opening import open_storage
from bot.infra.upgrading import cannot_start, upgraded
from bot.infra.watching.metrics import Metrics
from bot.scheduling.poster import Poster
from bot.settings import Settings, SettingsError
from bot.training.bases import Bases
from bot.training.jobs.queue import JobQueue
from bot.training.jobs.worker import JobWorker
from bot.training.trainer import workspace
from bot.training.uploads import attachments, intake
from models import Database, ServedShards, TrainingJob

log = structlog.stdlib.get_logger(__name__)

# A shard of many may have to wait until it may identify itself.
SHARD_CONNECTS_WITHIN_S = 900.0


class Pastiche(commands.AutoShardedBot):
    """The Discord client with what its commands need.

    Args:
        settings: of the host.
        command_modules: names of the modules of commands; the function `setup` of each adds them.
        tree: the class of the command tree.
        post_buttons: what stands below a scheduled post, by its schedule's id.

    Attributes:
        settings: what the host set.
        served: the guilds that this process looks after.
        layout: paths of the data directory.
        storage: texts, bundles and checkpoints.
        metrics: what a monitoring system is told.
        database: guilds, corpora, models, jobs.
        names: of members.
        words: that each server hides.
        pool: the warm samplers.
        admission: counts the open requests for texts of each server.
        cooldowns: of people who ask for texts.
        intake: reads uploaded texts.
        checks: looks through bundles that come from elsewhere, one after the other.
        bases: pretrained models that `/train` offers.
        curves: draws loss curves, one after the other.
        pages: writes models as web pages, one after the other.
        generations: what the models wrote.
        queue: where trainings are put.
        clock: the present moment, which no jump of the host's clock moves at once.
        stopped_by: why this process must end, if another one has its name or its servers.
        presence: which servers it is in.
        poster: of the schedules.
        gateway: whether Discord is connected now.
        heartbeat: the event loop's lag and the sign of life.
        download: fetches what people upload.
        superseded: called from a thread if a later process has taken this one's name, so that this one must
            end.
    """

    def __init__(
        self,
        settings: Settings,
        command_modules: Sequence[str],
        tree: type[app_commands.CommandTree[Any]],
        post_buttons: Callable[[int], discord.ui.View],
    ) -> None:
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # it never speaks
        intents = discord.Intents.none()
        intents.guilds = True
        self.metrics = Metrics()
        self.served = ServedShards(*settings.served_shards)
        super().__init__(
            http_trace=self.metrics.discord_trace(),
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=tree,
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            chunk_guilds_at_startup=False,
            shard_count=self.served.count,
            shard_ids=sorted(self.served.ids),
            shard_connect_timeout=SHARD_CONNECTS_WITHIN_S,
        )
        self.settings = settings
        self._commands = command_modules
        self.storage = open_storage(settings)
        self.layout = self.storage.layout
        self.database = Database(settings.database_url, self.metrics.transaction)
        self.names = Names(self)
        self.words = GuildWords()
        self.pool = SamplerPool(
            settings.samplers,
            timeout_s=settings.sample_timeout_s,
            storage=self.storage,
            home=self.layout.home,
            metrics=self.metrics,
        )
        self.admission = Admission()
        self.cooldowns = Cooldowns()
        self.intake = ChildPool("intake", intake.AT_ONCE)
        self.checks = ChildPool("check", 1)
        self.curves = ChildPool("curve", 1)
        self.pages = ChildPool("page", 1)
        self.bases = Bases(settings.base_names)
        self.generations = GenerationCounter(self.database)
        self.queue = JobQueue(settings, self.database)
        self.gateway = Gateway(self)
        self.stopped_by: SettingsError | Superseded | None = None
        self._closing: asyncio.Task[None] | None = None
        self._asks_discord = False
        self._identifying = IdentifyGate(settings.database_url, self._max_concurrency)
        self._claims = ShardClaims(settings.database_url, self._stop_for)
        self.heartbeat = Heartbeat(
            self.layout.heartbeat_of(BOT, own_name(settings, BOT)),
            self.is_ready,
            self._end_processes,
            connected_at=self.gateway.seen_at,
        )
        self.download: attachments.Download = attachments.from_discord
        self._syncing: asyncio.Task[None] | None = None
        self._claim: IO[str] | None = None
        self.clock = SteadyClock()
        self.presence = Presence(
            self, self.database, self._clear_training, self.names, self.clock, self.served
        )
        self.poster = Poster(
            self, self.database, self.pool, post_buttons, self.clock, self.metrics, self.served
        )
        self.superseded: Callable[[Superseded], None] = lambda reason: log.error(str(reason))
        self._worker = JobWorker(
            settings,
            self.database,
            self.queue,
            kind=BOT,
            trains=settings.jobs == "here",
            superseded=lambda reason: self.superseded(reason),
            metrics=self.metrics,
        )

    async def setup_hook(self) -> None:
        """Start the services, load the commands, and tell Discord of them if they changed.

        Raises:
            SettingsError: the host must put something right first.
            DatabaseError: the database cannot be used.
        """
        try:
            await self._set_up()
        except OSError as error:
            raise cannot_start(error) from error

    def connect_as_recommended(self) -> None:
        """Ask Discord at the login how to connect; if the host names no number of shards, Discord does."""
        self._asks_discord = True

    async def _set_up(self) -> None:
        if self._asks_discord:
            recommended, _at_once = await ask_gateway(self)
            if self.settings.shards is None:
                self.shard_count, self.shard_ids = recommended, list(range(recommended))
        await asyncio.to_thread(self._start_services)
        self.heartbeat.start(asyncio.get_running_loop())
        await self.tree.set_translator(CatalogueTranslator())
        await self.add_commands()
        if 0 in self.served.ids:  # the commands are the application's, so one process is enough
            self._syncing = asyncio.create_task(keep_synced(self.tree, self.layout.tree_hash))

    async def add_commands(self) -> None:
        """Add the commands of each module.

        They are no extensions of discord.py, which runs a module's code again for each bot, and looks through
        all loaded modules when the bot ends.
        """
        for name in self._commands:
            await importlib.import_module(name).setup(self)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait until Discord takes another IDENTIFY."""
        del initial  # of this process; others may identify themselves at the same time
        await self._identifying.wait(self.application_id or 0, shard_id or 0)

    async def _max_concurrency(self) -> int:
        return (await ask_gateway(self))[1]

    async def on_ready(self) -> None:
        """Log that all shards are connected."""
        log.info("connected", user=str(self.user), guilds=len(self.guilds), shards=len(self.shards))

    async def on_shard_ready(self, shard_id: int) -> None:
        """Note that a shard is connected."""
        self.gateway.established(shard_id)

    async def on_shard_resumed(self, shard_id: int) -> None:
        """Note that a lost connection goes on."""
        self.gateway.established(shard_id)

    async def on_shard_disconnect(self, shard_id: int) -> None:
        """Note that the connection is lost; discord.py makes a new one."""
        self.gateway.lost(shard_id)

    async def close(self) -> None:
        """Leave Discord, then end the services; a running training keeps its checkpoint."""
        if self._syncing is not None:
            self._syncing.cancel()
        await self.poster.close()
        loop: object = self.loop
        if isinstance(loop, asyncio.AbstractEventLoop):
            await super().close()
        else:  # never logged in: what `AutoShardedClient.close` ends was never made
            await discord.Client.close(self)
        await asyncio.to_thread(self._stop_services)

    async def __aexit__(self, *error: Any) -> None:
        """Close, or wait for the end of `close`: discord.py waits for its own part of it alone."""
        await super().__aexit__(*error)
        if self._closing is not None:
            await self._closing

    def _clear_training(self, job: TrainingJob) -> None:
        workspace.clear(self.storage, job.guild_id, job.id)

    def _stop_for(self, reason: SettingsError) -> None:
        """Close, from any thread, because another process serves the same servers."""

        def close() -> None:
            self.stopped_by = reason
            self._closing = asyncio.create_task(self.close())

        with contextlib.suppress(RuntimeError):  # of a loop that is closed already
            self.loop.call_soon_threadsafe(close)

    def _start_services(self) -> None:
        self.settings.prepare_data_dir()
        self._worker.claim()
        self._claim = upgraded(self.settings)
        starting.prepare(self.storage, self.database)
        self._claims.claim(self.application_id or 0, self.shard_count or 1, self.shard_ids or self.served.ids)
        with self.database.read() as session:
            self.words.load(session, self.served)
        self._worker.start()
        self.pool.start()
        self.bases.look()

    def _stop_services(self) -> None:
        self.heartbeat.stop()
        self._end_processes()
        self.queue.close()
        self.database.dispose()
        if self._claim is not None:
            self._claim.close()

    def _end_processes(self) -> None:
        for children in (self.intake, self.checks, self.curves, self.pages):
            children.close()
        self.pool.close()
        self._worker.stop()
        self._claims.release()


Interaction = discord.Interaction[Pastiche]
