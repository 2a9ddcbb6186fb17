"""The manifests: valid for every supported Kubernetes, with probes, limits and secrets where they belong."""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

FOLDER = Path(__file__).parents[3] / "deploy" / "kubernetes"
# The oldest has the label that numbers a StatefulSet's pods.
VERSIONS = ("1.28", "1.31", "1.35")


def documents() -> list[dict[str, Any]]:
    return [each for path in sorted(FOLDER.glob("*.yaml")) for each in yaml.safe_load_all(path.read_text())]


def kind(name: str) -> dict[str, Any]:
    (found,) = [each for each in documents() if each["kind"] == name]
    return found


def pods() -> list[dict[str, Any]]:
    return [kind("StatefulSet")["spec"]["template"], kind("ScaledJob")["spec"]["jobTargetRef"]["template"]]


def container(pod: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod["spec"]["containers"]
    return dict(only)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_document_is_valid(version: str) -> None:
    for each in documents():
        if each["kind"] == "TriggerAuthentication":  # KEDA's own, of which no schema is at hand
            continue
        if each["kind"] == "ScaledJob":
            each = {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "metadata": each["metadata"],
                "spec": each["spec"]["jobTargetRef"],
            }
        kubernetes_validate.validate(each, version, strict=True)


@pytest.mark.parametrize("pod", pods(), ids=["shard", "worker"])
def test_a_pod_can_do_no_more_than_it_needs(pod: dict[str, Any]) -> None:
    spec, only = pod["spec"], container(pod)
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"memory", "ephemeral-storage"} <= set(only["resources"]["limits"])
    assert {"cpu", "memory"} <= set(only["resources"]["requests"])
    assert not [volume for volume in spec["volumes"] if "hostPath" in volume]


@pytest.mark.parametrize("pod", pods(), ids=["shard", "worker"])
def test_the_probes_ask_the_pages_on_the_port_that_is_served(pod: dict[str, Any]) -> None:
    only, settings = container(pod), kind("ConfigMap")["data"]
    (port,) = only["ports"]
    assert settings["PASTICHE_METRICS"].rpartition(":")[2] == str(port["containerPort"])
    assert only["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": port["name"]}
    assert only["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": port["name"]}
    # A part may take three seconds to be counted as away.
    assert only["readinessProbe"]["timeoutSeconds"] > 3


@pytest.mark.parametrize("pod", pods(), ids=["shard", "worker"])
def test_secrets_are_files_or_references(pod: dict[str, Any]) -> None:
    only = container(pod)
    keys = set(kind("Secret")["stringData"])
    (mount,) = [each for each in only["volumeMounts"] if each["name"] == "secrets"]
    (volume,) = [each["secret"] for each in pod["spec"]["volumes"] if each["name"] == "secrets"]
    mounted = {item["path"] for item in volume["items"]}
    assert {item["key"] for item in volume["items"]} <= keys
    given = {each["name"]: each for each in only["env"]}
    assert not {"DISCORD_TOKEN", "DATABASE_URL"} & set(given)
    for name, variable in given.items():
        if name.endswith("_FILE"):
            folder, _, file = variable["value"].rpartition("/")
            assert folder == mount["mountPath"]
            assert file in mounted
        elif name.startswith("AWS_"):
            assert variable["valueFrom"]["secretKeyRef"]["key"] in keys


def test_a_worker_gets_no_token_and_takes_one_training() -> None:
    _, worker = pods()
    assert "token" not in yaml.safe_dump(worker["spec"]["volumes"])
    assert container(worker)["args"] == ["worker", "--once"]
    assert worker["spec"]["restartPolicy"] == "Never"
    scaled = kind("ScaledJob")["spec"]
    assert scaled["minReplicaCount"] == 0
    assert scaled["jobTargetRef"]["backoffLimit"] == 0
    assert (
        scaled["triggers"][0]["authenticationRef"]["name"]
        == kind("TriggerAuthentication")["metadata"]["name"]
    )


def test_the_query_counts_the_trainings_that_wait(tmp_path: Path) -> None:
    import sqlalchemy as sa

    import migrations
    from models import Database, training_jobs
    from tests.support.rows import new_job

    url = f"sqlite:///{tmp_path}/pastiche.sqlite"
    migrations.upgrade(url)
    (trigger,) = kind("ScaledJob")["spec"]["triggers"]
    with Database(url).write() as session:
        waiting, running = new_job(session, 1), new_job(session, 1)
        training_jobs.start(session, 1, running.id, "turn")
        assert waiting.id != running.id
        assert session.scalar(sa.text(trigger["metadata"]["query"])) == 1


def test_there_are_as_many_shards_as_pods_and_they_leave_one_by_one() -> None:
    shards = kind("StatefulSet")
    assert kind("ConfigMap")["data"]["PASTICHE_SHARDS"] == str(shards["spec"]["replicas"])
    labels = shards["spec"]["template"]["metadata"]["labels"]
    budget = kind("PodDisruptionBudget")["spec"]
    assert budget["selector"]["matchLabels"] == labels
    assert budget["maxUnavailable"] == 1
    assert kind("Service")["spec"]["selector"] == labels
    assert kind("Service")["metadata"]["name"] == shards["spec"]["serviceName"]
