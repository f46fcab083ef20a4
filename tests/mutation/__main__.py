"""Whether the domain's fast tests notice slips: `make mutants` tries a seeded sample and lists what they miss.

VIGIL_MUTATION_SEED and VIGIL_MUTATION_SAMPLE choose another sample or another size, VIGIL_MUTATION_JOBS how many
run at once. Exit code 1 below 80 % killed.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.mutation.mutants import Mutant, mutants_of

ROOT = Path(__file__).parents[2]
SEED = int(os.environ.get("VIGIL_MUTATION_SEED", "20260601"))
SAMPLE = int(os.environ.get("VIGIL_MUTATION_SAMPLE", "100"))
JOBS = int(os.environ.get("VIGIL_MUTATION_JOBS", "2"))
WANTED = 80  # percent
TIMEOUT_S = 180  # a mutant that never ends is noticed too
LAST = ("test_wording.py", "test_determinism.py")  # slow ones are asked when the others have missed it


def main() -> int:
    every = [mutant for path in sorted((ROOT / "domain").glob("*.py")) for mutant in mutants_of(path)]
    sample = random.Random(SEED).sample(every, min(SAMPLE, len(every)))
    say(f"{len(sample)} of {len(every)} mutants, seed {SEED}")
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(JOBS) as pool:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(JOBS):
            trees.put(_copy(Path(folder) / str(number)))
        if not _passes(Path(folder) / "0"):
            sys.exit("the tests fail without any mutant")
        survived = list(pool.map(lambda mutant: _survives(mutant, trees), sample))
    return _report(sample, survived)


def _copy(tree: Path) -> Path:
    shutil.copytree(ROOT / "domain", tree / "domain", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(
        ROOT / "tests/unit/domain", tree / "tests/unit/domain", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("tests/builders.py", "tests/strategies.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tree / name)
    return tree


def _survives(mutant: Mutant, trees: "SimpleQueue[Path]") -> bool:
    tree = trees.get()
    module = tree / "domain" / mutant.module
    original = module.read_text()
    try:
        module.write_text(mutant.source)
        return _passes(tree)
    finally:
        module.write_text(original)
        trees.put(tree)


def _passes(tree: Path) -> bool:
    tests = sorted(
        (tree / "tests/unit/domain").glob("test_*.py"), key=lambda path: (LAST.count(path.name), path.name)
    )
    command = [
        sys.executable,
        "-B",
        "-m",
        "pytest",
        "-qx",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
        "--no-header",
    ]
    environment = os.environ | {"VIGIL_EXAMPLES": "25", "VIGIL_SHRINK": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ran = subprocess.run(
            [*command, *map(str, tests)],
            cwd=tree,
            env=environment,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return ran.returncode == 0


def _report(sample: list[Mutant], survived: list[bool]) -> int:
    tried = Counter(mutant.module for mutant in sample)
    missed = Counter(mutant.module for mutant, lives in zip(sample, survived, strict=True) if lives)
    for module in sorted(tried):
        say(f"  {module:24} {tried[module]:4} tried {tried[module] - missed[module]:4} killed")
    percent = 100 * (len(sample) - sum(survived)) / len(sample)
    say(f"killed {len(sample) - sum(survived)} of {len(sample)}: {percent:.0f} %")
    for mutant, lives in sorted(
        zip(sample, survived, strict=True), key=lambda each: (each[0].module, each[0].line)
    ):
        if lives:
            say(
                f"survivor domain/{mutant.module}:{mutant.line}: {_short(mutant.before)}  ->  {_short(mutant.after)}"
            )
    return int(percent < WANTED)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _short(text: str) -> str:
    return " ".join(text.split())[:110]


if __name__ == "__main__":
    sys.exit(main())
