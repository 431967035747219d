"""``mlops train`` and ``mlops serve``: run a container's programs on local folders as SageMaker does."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import MlopsError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

# A folder with this file was created by this command before, and may be overwritten.
_MARKER = ".mlops-local"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe both commands."""
    train = commands.add_parser(
        "train",
        help="train on local files with the container's program",
        description="Create a training job's folders as SageMaker does, and run the container's `train` with them.",
    )
    _add_common(train)
    train.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="PATH",
        help="folder with a folder or CSV file per channel, or one file for the channel train",
    )
    train.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="hyperparameters", help="a hyperparameter"
    )
    train.set_defaults(run=run_train)
    serve = commands.add_parser(
        "serve",
        help="serve requests on this machine with the container's program",
        description="Run the container's `serve` with a model that `mlops train` created.",
    )
    _add_common(serve)
    serve.add_argument("--port", type=int, default=8080, help="loopback port (default: 8080)")
    serve.set_defaults(run=run_serve)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--container", type=Path, default=Path("container"), metavar="FOLDER", help="folder with train and serve"
    )
    parser.add_argument("--output", type=Path, default=Path("ml"), metavar="FOLDER", help="folder used as /opt/ml")
    parser.add_argument(
        "--python",
        metavar="PROGRAM",
        help="Python that runs the programs (default: a virtual environment with requirements.txt)",
    )


def run_train(options: argparse.Namespace) -> int:
    """Train; return the program's exit code."""
    base: Path = options.output.resolve()
    _lay_out(base, options.data, _hyperparameters(options.hyperparameters))
    code = _run(options, "train", {"SAGEMAKER_BASE_DIR": str(base)})
    failure = base / "output" / "failure"
    if code and failure.is_file():
        raise MlopsError(f"the job failed: {failure.read_text(encoding='utf-8')}")
    if code == 0:
        print(f"The model is in {base / 'model'}. Next: mlops serve --output {options.output}")
    return code


def run_serve(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C; return the program's exit code."""
    if not 1 <= options.port <= 65535:
        raise MlopsError(f"--port must be 1 to 65535, got {options.port}")
    base = options.output.resolve()
    if not (base / "model").is_dir():
        raise MlopsError(f"there is no model in {base / 'model'}: run `mlops train` first, or give --output")
    print(f"http://127.0.0.1:{options.port}/invocations (stop with Ctrl-C)", flush=True)
    settings = {
        "SAGEMAKER_BASE_DIR": str(base),
        "SAGEMAKER_BIND_TO_HOST": "127.0.0.1",
        "SAGEMAKER_BIND_TO_PORT": str(options.port),
    }
    return _run(options, "serve", settings)


def _hyperparameters(given: Sequence[str]) -> dict[str, str]:
    """SageMaker passes every value as text."""
    bad = [pair for pair in given if not pair.partition("=")[0] or "=" not in pair]
    if bad:
        raise MlopsError(f"--set must be NAME=VALUE, got {', '.join(bad)}")
    return {name: value for name, _, value in (pair.partition("=") for pair in given)}


def _lay_out(base: Path, data: Path, hyperparameters: Mapping[str, str]) -> None:
    """Create what a training job finds in /opt/ml; keep the checkpoints of an interrupted run."""
    channels = _channels(data)
    marker = base / _MARKER
    if base.exists() and any(base.iterdir()) and not marker.exists():
        raise MlopsError(
            f"{base} contains other files, and training would delete some: give a new folder with --output"
        )
    for old in ("input", "model", "output"):
        shutil.rmtree(base / old, ignore_errors=True)
    for folder in ("input/config", "model", "output/data", "checkpoints"):
        (base / folder).mkdir(parents=True, exist_ok=True)
    for name, source in channels.items():
        target = base / "input" / "data" / name
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            target.mkdir(parents=True)
            shutil.copy2(source, target)
    marker.touch()
    files = {
        "hyperparameters": hyperparameters,
        "inputdataconfig": {name: {"TrainingInputMode": "File"} for name in channels},
        "resourceconfig": {"current_host": "algo-1", "hosts": ["algo-1"]},
    }
    for name, content in files.items():
        (base / "input" / "config" / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def _channels(data: Path) -> dict[str, Path]:
    """Name and source of each channel: one file is ``train``; in a folder, each entry is a channel."""
    if data.is_file():
        return {"train": data}
    if not data.is_dir():
        raise MlopsError(f"{data} does not exist; --data must be a file, or a folder with train.csv or train/")
    entries = {entry.stem if entry.is_file() else entry.name: entry for entry in sorted(data.iterdir())}
    if "train" not in entries:
        raise MlopsError(f"{data} has no train.csv and no folder train/; it has {', '.join(entries) or 'nothing'}")
    return {name: entries[name] for name in ("train", "validation") if name in entries}


def _run(options: argparse.Namespace, program: str, settings: Mapping[str, str]) -> int:
    """Run a program to its end; Ctrl-C and SIGTERM are passed to it, so that it can shut down."""
    container: Path = options.container.resolve()
    if not (container / program).is_file():
        raise MlopsError(f"there is no program {program} in {container}: run `mlops init`, or give --container")
    python = options.python or str(_environment(container))
    path = os.pathsep.join([str(Path(python).parent), os.environ.get("PATH", os.defpath)])
    environment = {**os.environ, **settings, "PATH": path, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [python, str(container / program)], cwd=container, env=environment, start_new_session=True
    )
    try:
        return process.wait()
    except KeyboardInterrupt:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        return process.wait()


def _environment(container: Path) -> Path:
    """The Python of a virtual environment with the container's requirements, the one that a rehearsal makes."""
    from ..local_aws.containers.environments import environment_for
    from ..local_aws.processes import ChildProcesses

    return environment_for(container, ChildProcesses(), print) / "bin" / "python"
