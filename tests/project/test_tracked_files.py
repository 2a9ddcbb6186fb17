"""What must stand in no file of the project: a registry's host, a path of one machine, a secret."""

import re

import pytest

# Joined here, so that this file may be looked at like the others.
REGISTRY_HOSTS = [
    ".".join(parts)
    for parts in (
        ("py" + "pi", "org"),
        ("python" + "hosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("deb", "debian", "org"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("quay", "io"),
        ("huggingface", "co"),
    )
]

MACHINE_PATHS = re.compile(r"(?<![\w.$}])/(?:home/\w+|Users/\w+|root|work|opt/pypi|opt/wheels)/", re.ASCII)

SECRETS = {
    "Discord token": re.compile(r"\b[MNO][\w-]{23,25}\.[\w-]{6}\.[\w-]{27,40}\b", re.ASCII),
    "Discord webhook": re.compile(r"discord(?:app)?\.com/api/webhooks/\d{17,20}/[\w-]{60,}", re.ASCII),
    "private key": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\n"),
    "AWS key": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "GitHub token": re.compile(r"\b(?:gh[pousr]_\w{36}|github_pat_\w{50,})", re.ASCII),
}


def found(project_files: dict[str, str], pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match.group()[:40]}"
        for name, text in project_files.items()
        for match in pattern.finditer(text)
    ]


@pytest.mark.parametrize("host", REGISTRY_HOSTS)
def test_no_file_names_a_registry(project_files: dict[str, str], host: str) -> None:
    assert found(project_files, re.compile(rf"\b{re.escape(host)}\b")) == []


def test_no_file_names_a_place_on_one_machine(project_files: dict[str, str]) -> None:
    assert found(project_files, MACHINE_PATHS) == []


@pytest.mark.parametrize("kind", SECRETS)
def test_no_file_holds_a_secret(project_files: dict[str, str], kind: str) -> None:
    assert found(project_files, SECRETS[kind]) == []


def test_what_holds_secrets_and_data_is_ignored(project_files: dict[str, str]) -> None:
    kept_out = [name for name in project_files if name == ".env" or name.startswith(("var/", ".venv/"))]
    assert kept_out == []
