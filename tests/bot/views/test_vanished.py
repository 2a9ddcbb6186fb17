"""What somebody else was quicker to delete, and what Discord delivers twice or too late, ends quietly."""

from pathlib import Path

import pytest
import structlog

from models import text_models
from tests.support.bot.world import Place, World, answer, shown

GONE = {"status": 404, "code": 10008, "message": "Unknown Message"}
TOO_LATE = [
    {"status": 404, "code": 10062, "message": "Unknown interaction"},
    {"status": 400, "code": 40060, "message": "Interaction has already been acknowledged"},
]


@pytest.fixture
def stratford(world: World, trained_bundle: Path) -> Place:
    place = world.place()
    world.give_model(place, trained_bundle)
    # Drawn before: a panel has not to wait for it.
    (world.bot.layout.bundle(place.guild.id, "given-Bard") / "loss.png").write_bytes(b"a picture")
    return place


def said(result) -> str:
    return "\n".join(shown(each) for each in (result.response, *result.followups) if each is not None)


async def panel(place: Place):
    return answer(await place.admin.slash(place.channel, "models", model="Bard")).message


async def test_a_second_click_on_delete_is_no_error(world: World, stratford: Place):
    text = answer(await stratford.member.slash(stratford.channel, "generate", seed="to be", length=40))
    world.env.inject_error("DELETE", "/webhooks/*/messages/*", **GONE)
    with structlog.testing.capture_logs() as logs:
        told = said(await stratford.admin.click(text.message, label="Delete"))
    assert "went wrong" not in told
    assert [line for line in logs if line["log_level"] == "error"] == []


@pytest.mark.parametrize("label", ["Make default", "Delete"])
@pytest.mark.parametrize("when", ["acknowledged", "answered"])
async def test_what_a_button_did_is_shown_although_its_message_is_gone(
    world: World, stratford: Place, label: str, when: str
):
    message = await panel(stratford)
    if when == "acknowledged":
        world.env.inject_error("POST", "/interactions/*/*/callback", **GONE)
    else:
        world.env.inject_error("PATCH", "/webhooks/*/messages/*", **GONE)
    told = said(await stratford.admin.click(message, label=label))
    assert "Bard" in told
    assert "went wrong" not in told


async def test_a_form_whose_panel_is_gone_is_carried_out_and_answered(world: World, stratford: Place):
    form = await stratford.admin.click(await panel(stratford), label="Rename")
    world.env.inject_error("POST", "/interactions/*/*/callback", **GONE)
    assert "Late" in said(await stratford.admin.submit_modal(form, {"name": "Late"}))
    with world.bot.database.read() as session:
        assert [model.name for model in text_models.listing(session, stratford.guild.id)] == ["Late"]


@pytest.mark.parametrize("refusal", TOO_LATE, ids=lambda refusal: str(refusal["code"]))
async def test_a_click_that_can_no_longer_be_answered_does_nothing(
    world: World, stratford: Place, refusal: dict
):
    message = await panel(stratford)
    world.env.inject_error("POST", "/interactions/*/*/callback", **refusal)
    with structlog.testing.capture_logs() as logs:
        await stratford.admin.click(message, label="Make default")
    assert [line for line in logs if line["log_level"] == "error"] == []
