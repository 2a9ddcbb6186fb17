"""Asks the models of a server how likely each of them wrote a text, all within one time limit."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from bot.errors import SampleRefused, SamplerUnavailable
from bot.generation.pool import SamplerPool
from bot.generation.sampler_protocol import Likelihood, LikelihoodRequest
from bot.i18n import _
from models import GuildSettings, TextModel, guilds, text_models
from textgen.files.bases import LLAMA

MOST_MODELS = 25
"""Models that are asked; where a server has more, the newest ones."""

TOGETHER_S = 20.0
"""Seconds for all models together. Whoever has not answered by then is left out, which the answer says."""


def candidates(session: Session, guild_id: int) -> tuple[GuildSettings, list[TextModel]]:
    """Return a guild's settings, and its models: any of them may have written a text."""
    return guilds.settings_of(session, guild_id), list(text_models.listing(session, guild_id))


@dataclass(frozen=True)
class Opinion:
    """What a model says of a text."""

    model: TextModel
    likelihood: Likelihood


@dataclass(frozen=True)
class Opinions:
    """What the models of a server say of a text.

    Attributes:
        ranking: one or more, the likeliest author first.
        late: those that did not answer in time, or cannot be read at this moment.
        unmeasured: those that cannot be compared: nothing says what their own texts cost.
        older: number of models that were not asked because the server has so many.
    """

    ranking: tuple[Opinion, ...]
    late: tuple[TextModel, ...] = ()
    unmeasured: tuple[TextModel, ...] = ()
    older: int = 0

    @property
    def likelihoods(self) -> list[Likelihood]:
        """What the ranking rests on."""
        return [each.likelihood for each in self.ranking]


def likelihood_request(model: TextModel, text: str) -> LikelihoodRequest:
    """The request that asks a model about a text."""
    return LikelihoodRequest(
        Path(model.bundle_path), text, guild_id=model.guild_id, pretrained=model.cell == LLAMA
    )


async def ask(models: Sequence[TextModel], text: str, pool: SamplerPool) -> Opinions:
    """Ask models about a text.

    Args:
        models: of one server, one or more.
        text: what one of them may have written.
        pool: the samplers.

    Raises:
        SampleRefused: no model can say anything of this text.
        SamplerUnavailable: no model answered.
    """
    newest = sorted(models, key=lambda model: (model.updated_at, model.id), reverse=True)[:MOST_MODELS]
    asked = [asyncio.create_task(pool.likelihood(likelihood_request(model, text))) for model in newest]
    try:
        await asyncio.wait(asked, timeout=TOGETHER_S)
    finally:
        for each in asked:
            each.cancel()
    found = await asyncio.gather(*asked, return_exceptions=True)
    ranking, late, unmeasured = [], [], []
    refusals = []
    for model, told in zip(newest, found, strict=True):
        if isinstance(told, Likelihood):
            ranking.append(Opinion(model, told))
        elif isinstance(told, SampleRefused) and not told.passing:
            refusals.append(told)
            unmeasured.append(model)
        elif isinstance(told, SampleRefused | SamplerUnavailable | asyncio.CancelledError):
            late.append(model)
        else:
            raise told
    if not ranking:
        raise refusals[0] if refusals else _nobody_answered()
    ranking.sort(key=lambda each: (each.likelihood.excess_per_word, each.model.id))
    return Opinions(tuple(ranking), tuple(late), tuple(unmeasured), len(models) - len(newest))


def _nobody_answered() -> SamplerUnavailable:
    return SamplerUnavailable(
        _("No model answered within {seconds:g} s. Please try again later.").format(seconds=TOGETHER_S)
    )
