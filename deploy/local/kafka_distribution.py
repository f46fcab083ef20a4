"""Apache Kafka from Maven Central, fetched once and kept."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from deploy.local.configuration import LOCAL_FOLDER, POM, kafka_version
from deploy.local.errors import SourceUnavailableError
from deploy.local.workspace import exclusive

Say = Callable[[str], None]

_OLDEST_JAVA = 17  # Kafka 4 runs on nothing older
_FETCH_SECONDS = 540


def java() -> str:
    """Return the path of a Java that can run the broker."""
    path = shutil.which("java")
    if path is None:
        raise SourceUnavailableError("local processes: no java in PATH")
    answer = subprocess.run([path, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', answer)
    if found is None or int(found[1]) < _OLDEST_JAVA:
        raise SourceUnavailableError(f"local processes: {path} is not Java {_OLDEST_JAVA} or later")
    return path


def jars(say: Say) -> Path:
    """Return the folder of Kafka's jars, fetching them if they are not there yet."""
    folder = LOCAL_FOLDER / f"kafka-{kafka_version()}"
    if folder.exists():
        return folder
    maven = shutil.which("mvn")
    if maven is None:
        raise SourceUnavailableError("local processes: no mvn in PATH to fetch Kafka with")
    with exclusive(LOCAL_FOLDER / "kafka.lock", waiting=lambda: say("another process is fetching Kafka")):
        if not folder.exists():
            say(f"fetching Apache Kafka {kafka_version()} from Maven Central (about 45 MB, once)")
            _fetch(maven, folder)
    return folder


def _fetch(maven: str, folder: Path) -> None:
    """Fetch beside *folder* and rename, so that it is either whole or not there."""
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    command = [
        *(maven, "--batch-mode", "--quiet", "--file", str(POM), "dependency:copy-dependencies"),
        f"-DoutputDirectory={partial / 'jars'}",
        f"-Dmaven.repo.local={partial / 'repository'}",  # leaves nothing in the home folder
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_FETCH_SECONDS)
    if done.returncode != 0:
        raise SourceUnavailableError(f"local processes: mvn could not fetch Kafka: {_gist(done.stdout)}")
    (partial / "jars").rename(folder)
    shutil.rmtree(partial)


def _gist(output: str) -> str:
    errors = [line for line in output.splitlines() if "ERROR" in line]
    return (errors or ["it gave no reason"])[0][:400]
