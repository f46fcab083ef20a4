"""Prometheus as a local process, from the system's own binary, with the rules that deploy/ ships."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from deploy.local.configuration import CHECKOUT
from deploy.local.errors import ServiceUnavailableError
from deploy.local.processes import LocalProcess
from deploy.local.workspace import Program, Workspace

RULES = CHECKOUT / "deploy" / "prometheus" / "rules" / "*.yml"


class LocalPrometheus(LocalProcess):
    """A Prometheus that scrapes *targets* (`host:port`) as the job `vigil`, often, and keeps nothing afterwards."""

    name = "Prometheus"

    def __init__(
        self, workspace: Workspace, binary: Path, targets: Sequence[str], *, seconds: float = 1.0
    ) -> None:
        super().__init__(workspace, workspace.folder / "prometheus")
        self._binary = binary
        self._targets = tuple(targets)
        self._interval = f"{int(seconds * 1000)}ms"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def prepare(self) -> None:
        self.folder.mkdir()
        # JSON is YAML.
        self._configuration.write_text(json.dumps(self._settings(), indent=2))

    def program(self) -> Program:
        arguments = [
            str(self._binary),
            f"--config.file={self._configuration}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address={self.address}",
        ]
        return Program(arguments=arguments, log=self.log_path, folder=self.folder)

    def answers(self) -> bool:
        try:
            with urlopen(f"{self.url}/-/ready", timeout=2) as response:  # noqa: S310  our own, on this machine
                return bool(response.status == 200)  # noqa: PLR2004
        except (URLError, OSError):
            return False

    @property
    def _configuration(self) -> Path:
        return self.folder / "prometheus.yml"

    def _settings(self) -> dict[str, object]:
        return {
            "global": {
                "scrape_interval": self._interval,
                "scrape_timeout": self._interval,
                "evaluation_interval": self._interval,
            },
            "rule_files": [str(RULES)],
            "scrape_configs": [{"job_name": "vigil", "static_configs": [{"targets": list(self._targets)}]}],
        }


def find_prometheus() -> Path:
    """Return the system's binary. Raises ServiceUnavailableError if there is none."""
    found = shutil.which("prometheus")
    if found is None:
        raise ServiceUnavailableError(
            "Prometheus", ["local processes: no prometheus in PATH"], otherwise="it (Debian: prometheus)"
        )
    return Path(found)


@contextmanager
def prometheus(targets: Sequence[str], *, seconds: float = 1.0) -> Iterator[LocalPrometheus]:
    """Lend a Prometheus that scrapes *targets* every *seconds*; it ends with the block, its data with it."""
    binary = find_prometheus()
    with Workspace() as workspace:
        server = LocalPrometheus(workspace, binary, targets, seconds=seconds)
        server.start()
        yield server
