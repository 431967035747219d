"""Where the Terraform AWS provider comes from when its registry cannot be reached."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.user_cache import user_cache

if TYPE_CHECKING:
    from collections.abc import Iterator

# Under this name, a rehearsal marks the providers of the cache as in use.
PROVIDERS = "terraform-plugins"
_PROVIDER = Path("registry.terraform.io", "hashicorp", "aws")


def cache_dir() -> Path:
    """Return the folder where downloaded providers are kept between rehearsals."""
    chosen = os.environ.get("TF_PLUGIN_CACHE_DIR")
    return Path(chosen) if chosen else own_cache_dir()


def own_cache_dir() -> Path:
    """Return the folder that is used for it unless ``TF_PLUGIN_CACHE_DIR`` names another."""
    return user_cache() / "mlops-constructs" / "terraform-plugins"


def find_mirror(version: str) -> Path | None:
    """Return the filesystem mirror that contains this version of the AWS provider for this machine, or None.

    Args:
        version: Exact version, such as ``5.100.0``.
    """
    wanted = _PROVIDER / version / _platform()
    return next((mirror for mirror in _candidates() if (mirror / wanted).is_dir()), None)


def searched_places() -> str:
    """Say where `find_mirror` looks, for a message."""
    prefixes = ", ".join(str(prefix) for prefix in _prefixes())
    return f"{cache_dir()}, Terraform's implied mirror folders, and one or two levels below {prefixes}"


def _candidates() -> Iterator[Path]:
    yield cache_dir()
    home = Path.home()
    # https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
    yield home / ".terraform.d" / "plugins"
    yield home / ".local" / "share" / "terraform" / "plugins"
    yield home / "Library" / "Application Support" / "io.terraform" / "plugins"
    for prefix in _prefixes():
        yield prefix / "terraform" / "plugins"
        for pattern in ("*", "*/*"):
            yield from (match.parents[2] for match in sorted(prefix.glob(f"{pattern}/{_PROVIDER.as_posix()}")))


def _prefixes() -> list[Path]:
    return [
        Path(place) for place in ("/usr/local/share", "/usr/share", "/usr/local/lib", "/usr/lib", "/opt", "/var/lib")
    ]


def _platform() -> str:
    system = {"win32": "windows"}.get(sys.platform, sys.platform)
    machine = platform.machine().lower()
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
    return f"{system}_{architecture}"
