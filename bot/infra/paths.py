"""The paths in the data directory; each guild has a folder of its own."""

from dataclasses import dataclass
from pathlib import Path

UPLOAD = ".upload-"
GUILDS, CORPORA, MODELS, JOBS = "guilds", "corpora", "models", "jobs"
TRAINED = "model"
"""The bundle that an attempt of a training makes."""


def relative(path: Path) -> str:
    """Return the path of a guild's text or bundle relative to the data directory, as a row holds it.

    The data directory may be moved. A path outside a guild's folder is returned unchanged.
    """
    parts = path.parts[-4:]
    ours = len(parts) == 4 and parts[0] == GUILDS and parts[2] in (CORPORA, MODELS)
    return "/".join(parts) if ours else str(path)


@dataclass(frozen=True)
class Layout:
    """Paths below one data directory."""

    data_dir: Path

    def located(self, stored: str) -> Path:
        """Return the path of a file of a row; a path that `relative` left unchanged is absolute."""
        return self.data_dir / stored

    def heartbeat_of(self, kind: str, name: str) -> Path:
        """The heartbeat of a running process: a `bot` or a `worker`, with the name that the host gave it."""
        return self.data_dir / f"heartbeat-{kind}{name and '-'}{name}.json"

    def heartbeats(self) -> list[Path]:
        """The heartbeats of all processes that run here, or were killed."""
        return list(self.data_dir.glob("heartbeat-*.json"))

    @property
    def tree_hash(self) -> Path:
        """Hash of the command tree that Discord was last given."""
        return self.data_dir / "command-tree.sha256"

    @property
    def home(self) -> Path:
        """The home folder of child processes, with their caches and temporary files."""
        return self.data_dir / "home"

    def lock(self, name: str) -> Path:
        """The lock of the only running process of that name."""
        return self.data_dir / f"{name}.lock"

    @property
    def tables_lock(self) -> Path:
        """The lock that processes of this data directory share; whoever changes tables holds it alone."""
        return self.data_dir / "tables.lock"

    def guild(self, guild_id: int) -> Path:
        """All that a guild has on disk."""
        return self.data_dir / GUILDS / str(guild_id)

    def corpus(self, guild_id: int, sha256: str) -> Path:
        """A guild's uploaded text, named by its content."""
        return self.guild(guild_id) / CORPORA / f"{sha256}.txt"

    def upload(self, guild_id: int, name: str) -> Path:
        """The copy of an uploaded text until a row names the text."""
        return self.guild(guild_id) / CORPORA / f"{UPLOAD}{name}"

    def bundle(self, guild_id: int, job_id: str) -> Path:
        """The bundle that a job makes, once it is published."""
        return self.guild(guild_id) / MODELS / job_id

    def training(self, guild_id: int, job_id: str) -> Path:
        """All that a job needs and leaves until it ends; each of its attempts has a folder in it."""
        return self.guild(guild_id) / JOBS / job_id

    def attempt(self, guild_id: int, job_id: str, attempt: int) -> Path:
        """The folder in which an attempt of a job trains."""
        return self.training(guild_id, job_id) / str(attempt)

    def trained(self, guild_id: int, job_id: str, attempt: int) -> Path:
        """The bundle that an attempt makes, in the attempt's own folder.

        Attempt 0 is a job of a version that knew no attempts, and so trained where it published.
        """
        if not attempt:
            return self.bundle(guild_id, job_id)
        return self.attempt(guild_id, job_id, attempt) / TRAINED
