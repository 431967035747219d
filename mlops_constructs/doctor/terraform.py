"""Terraform, and the AWS provider that it needs."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from importlib.util import find_spec
from pathlib import Path

from .. import _cdk
from ..rehearsal.provider_mirror import find_mirror
from .finding import Finding

_SECONDS = 20
_OLDEST = (1, 5)
_REGISTRY = "registry.terraform.io"


def examine_terraform() -> Finding:
    """Find ``terraform`` or ``tofu`` on PATH, and check its version."""
    thing = "Terraform"
    install = "Install Terraform 1.5 or newer, https://developer.hashicorp.com/terraform/install."
    program = shutil.which("terraform") or shutil.which("tofu")
    if program is None:
        return Finding(thing, "broken", "neither terraform nor tofu is on PATH", install)
    try:
        done = subprocess.run(
            [program, "version", "-json"],
            env={**os.environ, "CHECKPOINT_DISABLE": "1"},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        version = str(json.loads(done.stdout)["terraform_version"])
        found = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError) as error:
        return Finding(thing, "broken", f"the version of {program} could not be read: {error}", install)
    if found < _OLDEST:
        return Finding(thing, "broken", f"{version} ({program}) is too old", install)
    return Finding(thing, "good", f"{version} ({program})")


def examine_provider() -> Finding:
    """Look for the provider version of the bindings: in mirrors, then in the registry."""
    thing = "AWS provider"
    version = provider_version()
    if version is None:
        return Finding(
            thing,
            "broken",
            f"{_cdk.AWS} does not name its provider version",
            f"pip install --force-reinstall {_cdk.AWS}",
        )
    mirror = find_mirror(version)
    if mirror is not None:
        return Finding(thing, "good", f"{version} in {mirror}")
    try:
        socket.create_connection((_REGISTRY, 443), timeout=5).close()
    except OSError as error:
        remedy = "Connect to the network, or set TF_PLUGIN_CACHE_DIR to a folder that contains it."
        return Finding(
            thing, "broken", f"{version} is in no mirror, and {_REGISTRY} cannot be reached: {error}", remedy
        )
    return Finding(thing, "good", f"{version} from {_REGISTRY}")


def provider_version() -> str | None:
    """Return the version of the AWS provider that the bindings are generated from, as in their documentation links."""
    spec = find_spec(_cdk.AWS)
    if spec is None or spec.origin is None:
        return None
    source = Path(spec.origin).parent / "provider" / "__init__.py"
    match = re.search(r"hashicorp/aws/([\d.]+)/docs", source.read_text(encoding="utf-8")[:2000])
    return None if match is None else match[1]
