"""The three programs that are compared: main.py, and the same resources in plain Python and plain JavaScript."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth_benchmark.document import JAVASCRIPT_FILE, PYTHON_FILE, comparable
from synth_benchmark.errors import BenchmarkError
from synth_benchmark.processes import CACHE, ROOT, environment, node, run, seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

OURS, PLAIN_PYTHON, PLAIN_JAVASCRIPT = "main.py", "plain Python", "plain JavaScript"
BENCHMARKS = Path(__file__).resolve().parents[1]
# Kept from one benchmark to the next, so that "warm" is the state of a machine in daily use.
JSII_CACHE = CACHE / "jsii"


@dataclass(frozen=True)
class Programs:
    """Runs the programs.

    Attributes:
        work: Folder for all files that they write.
    """

    work: Path

    def seconds(self, name: str, jsii_cache: Path = JSII_CACHE) -> float:
        """Run a program; return the seconds of the whole process."""
        command = [*self._command(name)]
        output = self._output(name)
        shutil.rmtree(output, ignore_errors=True)
        environ = self._environment(name, jsii_cache)
        # The container folder of main.py is relative to the checkout.
        return seconds(command, environ, ROOT)

    def document(self, name: str) -> dict[str, Any]:
        """Return the stack that a program synthesized last, without cdktf's own metadata."""
        (file,) = (self._output(name) / "stacks").glob("*/cdk.tf.json")
        return comparable(json.loads(file.read_text(encoding="utf-8")))

    def resources(self) -> int:
        """Return the number of resources of main.py."""
        return sum(map(len, self.document(OURS)["resource"].values()))

    @cached_property
    def generated(self) -> Path:
        """The folder of the two plain programs, generated from the synthesized stack of main.py.

        Raises:
            BenchmarkError: if main.py fails, or its stack has something that the generator does not know.
        """
        folder = self.work / "generated"
        folder.mkdir()
        self.seconds(OURS)
        (document,) = (self._output(OURS) / "stacks").glob("*/cdk.tf.json")
        command = [sys.executable, "-m", "synth_benchmark.generate", document, folder]
        run(command, environment(self.work, PYTHONPATH=str(BENCHMARKS)))
        return folder

    def _command(self, name: str) -> list[str | Path]:
        if name == OURS:
            return [sys.executable, ROOT / "main.py"]
        if name == PLAIN_PYTHON:
            return [sys.executable, self.generated / PYTHON_FILE]
        return [node(), self.generated / JAVASCRIPT_FILE]

    def _environment(self, name: str, jsii_cache: Path) -> Mapping[str, str]:
        more = {"CDKTF_OUTDIR": str(self._output(name)), "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(jsii_cache)}
        if name == PLAIN_JAVASCRIPT:
            more["NODE_PATH"] = str(npm_packages())
        return environment(self.work, **more)

    def _output(self, name: str) -> Path:
        return self.work / f"{name.replace(' ', '-')}.out"


def npm_packages() -> Path:
    """Return the node_modules folder of the plain JavaScript program; install it if it does not exist.

    Raises:
        BenchmarkError: if there is no npm, or it cannot install the packages.
    """
    wanted = {
        "cdktf": version("cdktf"),
        "@cdktf/provider-aws": version("cdktf-cdktf-provider-aws"),
        "constructs": version("constructs"),
    }
    folder = CACHE / f"npm-{'-'.join(wanted.values())}"
    done = folder / "installed"
    if not done.exists():
        npm = shutil.which("npm")
        if npm is None:
            raise BenchmarkError("npm is missing")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        print(f"installing {', '.join(wanted)} from npm, once", file=sys.stderr, flush=True)
        packages = [f"{name}@{number}" for name, number in wanted.items()]
        try:
            run([npm, "install", "--no-audit", "--no-fund", "--no-save", *packages], environment(folder), folder)
        except BenchmarkError as error:
            raise BenchmarkError(f"npm cannot install {', '.join(packages)}: {_reason(str(error))}") from None
        done.touch()
    return folder / "node_modules"


def _reason(text: str) -> str:
    """Return the first line of npm's output, which has the reason; the last line names a log file."""
    return text.strip().splitlines()[1] if "\n" in text else text
