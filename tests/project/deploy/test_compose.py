"""The compose files of the three stages, as far as they can be checked without a container engine."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
FILES = ("compose.yaml", "deploy/compose/stage-2.yaml", "deploy/compose/stage-3.yaml")
# What the compose specification knows, as far as it is used here: a word that is misspelt is none of these.
TOP = {"name", "services", "volumes"}
SERVICE = {
    *("build", "cap_drop", "command", "depends_on", "deploy", "entrypoint", "env_file", "environment"),
    *("healthcheck", "image", "init", "logging", "mem_limit", "pids_limit", "profiles", "read_only"),
    *("restart", "security_opt", "stop_grace_period", "tmpfs", "user", "volumes"),
}
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}


def read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / name).read_text())
    return {key: value for key, value in content.items() if not key.startswith("x-")}


def services(*names: str) -> list[Any]:
    return [
        pytest.param(name, service, id=f"{Path(name).stem}-{key}")
        for name in names
        for key, service in read(name)["services"].items()
    ]


def is_ours(service: dict[str, Any]) -> bool:
    return str(service["image"]).startswith("pastiche:")


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_the_form_of_the_specification(name: str) -> None:
    content = read(name)
    assert set(content) <= TOP
    for key, service in content["services"].items():
        assert set(service) <= SERVICE, key
        for other, how in (service.get("depends_on") or {}).items():
            assert other in content["services"], key
            assert how["condition"] in CONDITIONS, key
            if how["condition"] == "service_healthy":
                assert "healthcheck" in content["services"][other], key
        named = {volume.partition(":")[0] for volume in service["volumes"]}
        assert named <= set(content["volumes"]), key


@pytest.mark.parametrize(("name", "service"), services(*FILES))
def test_no_container_can_do_more_than_it_needs(name: str, service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert not service.get("privileged")
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert 0 < service["pids_limit"] < 10_000
    places = {place.partition(":")[0]: place for place in service["tmpfs"]}
    assert "/tmp" in places
    for place in places.values():
        assert {"noexec", "nosuid", "nodev"} <= set(place.partition(":")[2].split(",")), place
    # Nothing of the host is seen, and no port is opened on it.
    assert not [volume for volume in service["volumes"] if volume.startswith((".", "/", "~"))]
    assert not {"ports", "network_mode", "pid"} & set(service)


@pytest.mark.parametrize(("name", "service"), services(*FILES[1:]))
def test_logs_are_rotated_and_images_are_fixed(name: str, service: dict[str, Any]) -> None:
    assert service["logging"]["options"]["max-size"]
    tag = service["image"].partition(":")[2]
    assert tag
    assert tag != "latest"


@pytest.mark.parametrize(("name", "service"), services(*FILES[1:]))
def test_a_process_of_ours_is_built_here_and_reads_the_settings(name: str, service: dict[str, Any]) -> None:
    if not is_ours(service):
        assert "env_file" not in service, "the token is for our processes alone"
        return
    folder = (ROOT / name).parent
    assert (folder / service["build"]["context"]).resolve() == ROOT
    assert f"AS {service['build']['target']}\n" in (ROOT / "Dockerfile").read_text()
    assert (folder / service["env_file"]).resolve() == ROOT / ".env"
    trains = service.get("command") == ["worker"]
    assert (service["build"]["target"] == "cpu") is trains
    # An empty variable counts as none, and takes the place of the one in .env.
    assert (service["environment"].get("DISCORD_TOKEN") == "") is trains
    assert service["environment"]["PASTICHE_JOBS"] == "elsewhere"


@pytest.mark.parametrize("name", FILES[1:])
def test_every_process_has_a_name_of_its_own(name: str) -> None:
    ours = {key: service for key, service in read(name)["services"].items() if is_ours(service)}
    assert {key: service["environment"]["PASTICHE_NAME"] for key, service in ours.items()} == {
        key: key for key in ours
    }
    assert sum(service.get("command") == ["worker"] for service in ours.values()) == 2


def test_at_stage_3_every_shard_is_served_once_and_no_folder_is_shared() -> None:
    ours = [service for service in read(FILES[2])["services"].values() if is_ours(service)]
    shards = [service["environment"] for service in ours if "PASTICHE_SHARDS" in service["environment"]]
    assert {shard["PASTICHE_SHARDS"] for shard in shards} == {str(len(shards))}
    assert sorted(shard["PASTICHE_SHARD_IDS"] for shard in shards) == [str(n) for n in range(len(shards))]
    volumes = [volume for service in ours for volume in service["volumes"]]
    assert len(set(volumes)) == len(volumes) == len(ours)
