"""The whole bot in a process of its own, with a training and a due slot, on a Discord that outlives it.

    python -m tests.faults.tools.bot_process DATA_DIR BUNDLE NOW FINISH

NOW is what the clock of its schedules shows at the start. It runs until it is killed; with FINISH "yes" it
ends the training by the request to finish, and itself when that and the slot's post are done.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from pathlib import Path

from bot.app import create_bot
from bot.client import Pastiche
from bot.settings import Settings
from models import scheduled_posts, schedules, training_jobs
from tests.faults.tools import trainings
from tests.support.bot import posting_process
from tests.support.bot.posting_process import GUILD
from tests.support.rows import new_corpus, new_job

MODEL = "Hamlet"


async def main(data_dir: Path, bundle: Path, now: str, *, finish: bool) -> None:
    """Serve."""
    settings = Settings(_env_file=None, data_dir=data_dir, jobs_poll_s=0.2, training_threads=1)
    bot = create_bot(settings)
    served = posting_process.serving(bot, bundle, now, check_errors=False)
    async with served as (_schedule_id, channel_id, user_id):
        job_id = _job(bot, bundle, channel_id, user_id)
        print("serves", flush=True)
        while True:
            with contextlib.suppress(Exception):
                await bot.poster.tick()
            if finish:
                with bot.database.write() as session:
                    training_jobs.request_finish(session, GUILD, job_id)
                if _done(bot, job_id):
                    break
            await asyncio.sleep(0.1)


def _job(bot: Pastiche, base: Path, channel_id: int, user_id: int) -> str:
    """Ask for a training that goes on from a base, unless an earlier process did."""
    with bot.database.write() as session:
        for known in (*training_jobs.listing(session, GUILD), *training_jobs.recent(session, GUILD)):
            return known.id
        path = bot.layout.corpus(GUILD, "a" * 64)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = trainings.corpus(30_000)
        path.write_text(text, encoding="utf-8")
        corpus = new_corpus(session, GUILD, text, path=str(path), sha256="a" * 64, uploaded_by=user_id)
        job = new_job(
            session,
            GUILD,
            corpus.id,
            channel_id=channel_id,
            requested_by=user_id,
            model_name=MODEL,
            minutes=60,
            size="tiny",
        )
    shutil.copytree(base, bot.layout.training(GUILD, job.id) / "base")
    bot.queue.enqueue(job)
    return job.id


def _done(bot: Pastiche, job_id: str) -> bool:
    with bot.database.read() as session:
        job = training_jobs.get(session, GUILD, job_id)
        (schedule,) = schedules.listing(session, GUILD)
        posts = scheduled_posts.listing(session, GUILD, schedule.id)
        return job is not None and job.state.is_final and all(post.state.is_final for post in posts)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], finish=sys.argv[4] == "yes"))
