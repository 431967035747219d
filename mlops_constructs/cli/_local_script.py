"""A script for ``mlops train`` and ``mlops serve``: what AWS's image of its framework would run."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .._payload import payload
from .._script_source import CHANNEL, SOURCE, packed, script_hyperparameters
from ..config import Algorithm
from ..config.framework_images import frameworks
from ..errors import ConfigError, MlopsError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from ..config.script import ScriptAlgorithm
    from ..local_aws.containers.host import ContainerRuntime
    from ..local_aws.containers.images import Image

_OPTIONS = ("source", "framework", "framework_version", "inference_entry_point")
# AWS's images differ by processor; these programs run on this machine's.
_INSTANCE_TYPE = "ml.m5.large"


def add_script(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    group = parser.add_argument_group("a script instead of a container, as in Algorithm.from_script")
    group.add_argument("--script", type=Path, metavar="FILE", help="the script that trains, such as src/train.py")
    group.add_argument("--source", type=Path, metavar="FOLDER", help="its source (default: the script's folder)")
    group.add_argument("--inference-entry-point", metavar="FILE", help="the file with model_fn, relative to the source")
    group.add_argument("--framework", choices=frameworks(), help="framework of AWS's image")
    group.add_argument("--framework-version", metavar="VERSION", help="version of AWS's image, such as 1.9-0")


def script_of(options: argparse.Namespace) -> ScriptAlgorithm | None:
    """Return the script; None for a container.

    Raises:
        MlopsError: when options are missing.
        ConfigError: when the script cannot be deployed either.
    """
    if options.script is None:
        given = [name for name in _OPTIONS if getattr(options, name) is not None]
        if given:
            raise MlopsError(f"--{given[0].replace('_', '-')} is for a script: give --script")
        return None
    if options.framework is None or options.framework_version is None:
        raise MlopsError("--script needs --framework and --framework-version")
    if not options.script.is_file():
        raise MlopsError(f"--script {options.script}: there is no such file")
    source = options.script.parent if options.source is None else options.source
    if not options.script.resolve().is_relative_to(source.resolve()):
        raise MlopsError(f"--script {options.script} must be in --source {source}")
    script = Algorithm.from_script(
        options.script.resolve().relative_to(source.resolve()).as_posix(),
        source=source,
        framework=options.framework,
        version=options.framework_version,
        inference_entry_point=options.inference_entry_point,
    ).script
    assert script is not None
    # What serves on AWS may be another image; here the same one does.
    problems = [one for one in script.problems() if one.field != "inference_version"]
    if problems:
        raise ConfigError("the script", problems)
    return script


def script_image(script: ScriptAlgorithm, runtime: ContainerRuntime, workdir: Path) -> Image:
    """Build what replaces AWS's image, as a rehearsal does."""
    from ..local_aws.ecr.images import ImageUri
    from ..rehearsal.framework_images import framework_of, write_context

    place = script.training_image.place(_INSTANCE_TYPE) if "cpu" in script.training_image.tags else _any(script)
    uri = ImageUri.parse(f"{'0' * 12}.dkr.ecr.us-east-1.amazonaws.com/{place}")
    framework = framework_of(uri)
    assert framework is not None
    folder = Path(tempfile.mkdtemp(dir=workdir)) / "image"
    return runtime.build(
        write_context(uri, framework, payload("container"), folder), lambda line: print(line, flush=True)
    )


def add_source(base: Path, script: ScriptAlgorithm) -> None:
    """Write the channel with the source. Raises MlopsError when the data has one of this name."""
    folder, config = base / "input" / "data" / CHANNEL, base / "input" / "config" / "inputdataconfig.json"
    if folder.exists():
        raise MlopsError(f"the data has a channel {CHANNEL}, which is the name of the script's: rename it")
    folder.mkdir(parents=True)
    (folder / SOURCE).write_bytes(packed(script, _INSTANCE_TYPE).archive)
    channels = {**json.loads(config.read_text()), CHANNEL: {"TrainingInputMode": "File"}}
    config.write_text(json.dumps(channels))


def written(hyperparameters: Mapping[str, str]) -> dict[str, str]:
    """Write hyperparameters as the toolkit reads them; what looks like a number is one."""
    return {**script_hyperparameters({}), **hyperparameters}


def _any(script: ScriptAlgorithm) -> str:
    tags = script.training_image.tags
    return f"{script.training_image.repository}:{next(iter(tags.values()))}"
