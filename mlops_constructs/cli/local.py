"""``mlops train`` and ``mlops serve``: run a container's programs on local folders as SageMaker does."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ..deployed.data_files import DATA_HELP, find_data
from ..errors import MlopsError
from ..local_aws.scratch import scratch_folder, sweep
from ..local_aws.user_cache import cache_folder
from ._local_script import add_script, add_source, script_image, script_of, written

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

    from ..config.script import ScriptAlgorithm
    from ..deployed.data_files import DataFile
    from ..local_aws.containers.host import ContainerRuntime
    from ..local_aws.containers.images import Image
    from ..local_aws.containers.running import Container

# A folder with this file was created by this command before, and may be overwritten.
_MARKER = ".mlops-local"
# As SageMaker: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StopTrainingJob.html
_GRACE_SECONDS = 120.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe both commands."""
    train = commands.add_parser(
        "train",
        help="train on local files with the container's program",
        description="Create a training job's folders as SageMaker does, and run the container's `train` with them.",
    )
    _add_common(train)
    train.add_argument("--data", nargs="+", required=True, metavar="PATH", help=DATA_HELP)
    train.add_argument(
        "--contract", type=Path, metavar="FILE", help="data contract of the data, whose columns the program is told"
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
        "--container", type=Path, default=Path("container"), metavar="FOLDER", help="folder with the Dockerfile"
    )
    parser.add_argument("--output", type=Path, default=Path("ml"), metavar="FOLDER", help="folder used as /opt/ml")
    parser.add_argument(
        "--python",
        metavar="PROGRAM",
        help="Python with the packages, for the programs (default: an environment with what the Dockerfile installs)",
    )
    parser.add_argument("--no-docker", action="store_true", help="do not use a Docker engine")
    add_script(parser)


def run_train(options: argparse.Namespace) -> int:
    """Train; return the program's exit code."""
    # Only a contract needs it, and it imports boto3.
    from ._data_check import contract_variables

    base, script = options.output.resolve(), script_of(options)
    data, hyperparameters = find_data(options.data), _hyperparameters(options.hyperparameters)
    contract = options.contract or data.contract
    columns = {} if contract is None else contract_variables(contract)
    _check_output(base)
    with _runtime(options, script) as (runtime, image):
        _forget_checkpoints(base, image)
        _lay_out(base, data.channels, hyperparameters if script is None else written(hyperparameters))
        if script is not None:
            add_source(base, script)
        variables = {"TRAINING_JOB_NAME": "mlops-train", "TRAINING_JOB_ARN": "", **columns}
        code = _finish(runtime.train(image, base, variables, _print))
    failure = base / "output" / "failure"
    if code and failure.is_file():
        raise MlopsError(f"the job failed: {failure.read_text(encoding='utf-8', errors='replace')}")
    if code == 0:
        # The next run is another one: only an interrupted run is continued.
        (base / _MARKER).write_text("")
        also = "" if script is None else " and the same --script, --framework and --framework-version"
        print(f"The model is in {base / 'model'}. Next: mlops serve --output {options.output}{also}")
    return code


def run_serve(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C; return the program's exit code."""
    if not 1 <= options.port <= 65535:
        raise MlopsError(f"--port must be 1 to 65535, got {options.port}")
    base = options.output.resolve()
    if not (base / "model").is_dir():
        raise MlopsError(f"there is no model in {base / 'model'}: run `mlops train` first, or give --output")
    from ..local_aws.containers.forwarding import ForwardedPort

    script = script_of(options)
    variables = {} if script is None else script.serving_environment
    with _runtime(options, script) as (runtime, image), scratch_folder("mlops-serve-") as served:
        # SageMaker gives a server its model, and nothing else of the training job.
        shutil.copytree(base / "model", served / "model", copy_function=_link)
        container = runtime.serve(image, served, variables, _print)
        try:
            with ForwardedPort(options.port, container.connect_when_ready):
                print(f"http://127.0.0.1:{options.port}/invocations (stop with Ctrl-C)", flush=True)
                return _finish(container)
        except OSError as error:
            container.stop(0)
            raise MlopsError(f"cannot listen on 127.0.0.1 port {options.port}: {error.strerror}") from None


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


def _print(line: str) -> None:
    print(line, flush=True)


@contextlib.contextmanager
def _runtime(options: argparse.Namespace, script: ScriptAlgorithm | None) -> Iterator[tuple[ContainerRuntime, Image]]:
    """The image of the container's folder, or what replaces a script's, and what runs it, as in a rehearsal."""
    from ..local_aws.containers.host import ContainerHost
    from ..local_aws.containers.site import LocalSite

    cache_folder()
    sweep()
    python = None if options.python is None else _folder_of(options.python)
    with scratch_folder("mlops-local-") as workdir:
        site = LocalSite(workdir)
        try:
            host = ContainerHost(site, docker=not options.no_docker and python is None, python=python)
            if script is None:
                yield host.runtime, host.runtime.build(options.container.resolve(), _print)
            else:
                yield host.runtime, script_image(script, host.runtime, workdir)
        finally:
            site.processes.close()


def _folder_of(program: str) -> Path:
    """The folder of a Python environment, by its program."""
    found = shutil.which(program)
    if found is None:
        raise MlopsError(f"--python {program}: there is no such program")
    return Path(found).absolute().parent.parent


def _finish(container: Container) -> int:
    """Wait for the end; Ctrl-C ends the program as SageMaker does, with time to save what it has."""
    try:
        return container.finish(_GRACE_SECONDS)
    except KeyboardInterrupt:
        return container.exit_code() or 0


def _hyperparameters(given: Sequence[str]) -> dict[str, str]:
    """SageMaker passes every value as text."""
    bad = [pair for pair in given if not pair.partition("=")[0] or "=" not in pair]
    if bad:
        raise MlopsError(f"--set must be NAME=VALUE, got {', '.join(bad)}")
    return {name: value for name, _, value in (pair.partition("=") for pair in given)}


def _forget_checkpoints(base: Path, image: Image) -> None:
    """Keep the checkpoints of an interrupted run of the same code only."""
    base.mkdir(parents=True, exist_ok=True)
    marker = base / _MARKER
    if not marker.exists() or marker.read_text() != image.digest:
        shutil.rmtree(base / "checkpoints", ignore_errors=True)
    marker.write_text(image.digest)


def _check_output(base: Path) -> None:
    if base.exists() and any(base.iterdir()) and not (base / _MARKER).exists():
        raise MlopsError(
            f"{base} contains other files, and training would delete some: give a new folder with --output"
        )


def _lay_out(base: Path, channels: Mapping[str, Sequence[DataFile]], hyperparameters: Mapping[str, str]) -> None:
    """Create what a training job finds in /opt/ml; keep the checkpoints of an interrupted run."""
    for old in ("input", "model", "output"):
        shutil.rmtree(base / old, ignore_errors=True)
    for folder in ("input/config", "model", "output/data", "checkpoints"):
        (base / folder).mkdir(parents=True, exist_ok=True)
    for name, found in channels.items():
        for file in found:
            target = base / "input" / "data" / name / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file.path, target)
    files = {
        "hyperparameters": hyperparameters,
        "inputdataconfig": {name: {"TrainingInputMode": "File"} for name in channels},
        "resourceconfig": {"current_host": "algo-1", "hosts": ["algo-1"]},
    }
    for name, content in files.items():
        (base / "input" / "config" / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
