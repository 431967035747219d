"""The environment variables of a build's commands, and the programs on their PATH."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.codebuild import docker_shim

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.codebuild.build import Build

_FROM_THE_USER = ("LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "https_proxy")


def shell_environment(directory: Path, aws: Path) -> dict[str, str]:
    """The variables of every build; its own programs, `aws` among them, and home folder are in `directory`."""
    programs, home = directory / "bin", directory / "home"
    home.mkdir()
    _write_programs(programs, aws)
    inherited = {name: os.environ[name] for name in _FROM_THE_USER if name in os.environ}
    return {
        **inherited,
        "HOME": str(home),  # neither the user's AWS profiles nor the user's docker logins
        "PATH": os.pathsep.join([str(programs), os.environ.get("PATH", os.defpath)]),
        "NO_PROXY": "127.0.0.1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
    }


def build_variables(account: Account, build: Build, source: Path, credentials: Mapping[str, Any]) -> dict[str, str]:
    """The variables that CodeBuild sets for a build, including the credentials of its role."""
    return {
        "AWS_ENDPOINT_URL": account.url,
        "AWS_REGION": account.region,
        "AWS_DEFAULT_REGION": account.region,
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
        "CODEBUILD_CI": "true",
        "CODEBUILD_BUILD_ARN": build.arn,
        "CODEBUILD_BUILD_ID": build.id,
        "CODEBUILD_BUILD_IMAGE": str(build.environment.get("image", "")),
        "CODEBUILD_BUILD_NUMBER": str(build.number),
        "CODEBUILD_INITIATOR": "local-aws",
        "CODEBUILD_LOG_PATH": build.log_stream,
        "CODEBUILD_RESOLVED_SOURCE_VERSION": build.source_version,
        "CODEBUILD_SOURCE_VERSION": build.source_version,
        "CODEBUILD_SRC_DIR": str(source),
        "CODEBUILD_START_TIME": str(int(build.started.timestamp() * 1000)),
    }


def _write_programs(folder: Path, aws: Path) -> None:
    """Write the build's own `docker`, and an `aws` that runs the AWS CLI."""
    folder.mkdir()
    shim = f"exec {shlex.quote(sys.executable)} {shlex.quote(str(Path(docker_shim.__file__)))}"
    calls = {"docker": f'{shim} "$@"', "aws": f'exec {shlex.quote(str(aws))} "$@"'}
    for name, call in calls.items():
        program = folder / name
        program.write_text(f"#!/bin/sh\n{call}\n", encoding="utf-8")
        program.chmod(0o755)
