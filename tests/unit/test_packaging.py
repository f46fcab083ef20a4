"""What is installed: every file of the packages, the command, and a lock file that names no host."""

import re
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest
from poetry.core.factory import Factory
from poetry.core.masonry.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]
PACKAGES = ["domain", "persistence", "worker", "migrations"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    built = WheelBuilder(Factory().create_poetry(ROOT)).build(tmp_path_factory.mktemp("dist"))
    with zipfile.ZipFile(built) as archive:
        yield archive


def test_the_wheel_holds_every_file_of_the_packages_and_no_other(wheel):
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *PACKAGES],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip

    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}

    assert packed == {name for name in listed if (ROOT / name).is_file()}


def test_the_command_is_vigil(wheel):
    entry_points = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))

    assert wheel.read(entry_points).decode().split() == ["[console_scripts]", "vigil=worker.cli:main"]


def test_the_lock_file_names_no_host():
    assert re.findall(r"https?://|\[package\.source\]", (ROOT / "poetry.lock").read_text()) == []


def test_every_locked_file_has_a_hash():
    packages = tomllib.loads((ROOT / "poetry.lock").read_text())["package"]

    assert all(file["hash"].startswith("sha256:") for package in packages for file in package["files"])


def test_the_image_uses_the_poetry_that_the_makefile_uses():
    makefile = (ROOT / "Makefile").read_text()
    pinned = dict(re.findall(r"^(POETRY|EXPORT)_VERSION := (.+)$", makefile, re.MULTILINE))

    dockerfile = (ROOT / "Dockerfile").read_text()

    assert f"poetry=={pinned['POETRY']} poetry-plugin-export=={pinned['EXPORT']}\n" in dockerfile
