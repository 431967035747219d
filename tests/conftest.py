"""Shared by all tests: which tier each belongs to, and that no test reaches a real account."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import signal
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import settings
from synthesized_programs import SHARED

from mlops_constructs._jsii_node import use_packaged_node

if TYPE_CHECKING:
    import pytest

# moto and botocore's models are some 400,000 objects: at the default thresholds, a third of the time of the local AWS
# goes into looking through them.
gc.set_threshold(50_000, 10, 10)

# How long an example takes tells how busy the machine is.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

# Tests import cdktf in any order; jsii starts Node at the first.
use_packaged_node()

# boto3 in a test must never reach a real account.
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_EC2_METADATA_DISABLED="true",
)
for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
    os.environ.pop(name, None)

# A shell starts what runs in its background with SIGINT ignored, and nohup with SIGHUP; so would be every program that
# a test interrupts.
for number, default in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, default)

if SHARED not in os.environ:
    # The workers, which this process starts, have it too.
    os.environ[SHARED] = tempfile.mkdtemp(prefix="mlops-tests-")
    atexit.register(shutil.rmtree, os.environ[SHARED], ignore_errors=True)

HERE = Path(__file__).parent
TIERS = ("fast", "servers", "terraform")
# What the tests of a folder need unless they are marked otherwise.
FOLDERS = {
    "benchmarks": "servers",
    "container": "servers",
    "local_aws": "servers",
    "rehearsal": "servers",
    "wheel": "servers",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let one tier be chosen."""
    parser.addoption(
        "--tier",
        choices=TIERS,
        help="fast: no Terraform, no servers; servers: what takes seconds, the local AWS included; terraform: deploys",
    )


@cache
def default_tier(path: Path) -> str:
    """Give the tier of an unmarked test of a file; one that starts a local AWS is not fast in any folder."""
    if "LocalAws(" in path.read_text(encoding="utf-8"):
        return "servers"
    return FOLDERS.get(path.relative_to(HERE).parts[0], "fast")


def tier_of(item: pytest.Item) -> str:
    """Give the tier of a test: that of its marker, or of its folder."""
    return next((tier for tier in ("terraform", "servers") if item.get_closest_marker(tier)), default_tier(item.path))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not import files that have no test of the tier: what they import costs more than the fast tests."""
    wanted = config.getoption("tier")
    if wanted is None or not collection_path.name.startswith("test_"):
        return None
    text = collection_path.read_text(encoding="utf-8")
    marked = {tier for tier in ("terraform", "servers") if f"pytest.mark.{tier}" in text}
    return None if wanted in {default_tier(collection_path), *marked} else True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tier that is asked for; begin with what runs Terraform, so that nothing waits for it at the end."""
    wanted = config.getoption("tier")
    if wanted is not None:
        config.hook.pytest_deselected(items=[item for item in items if tier_of(item) != wanted])
        items[:] = [item for item in items if tier_of(item) == wanted]
    slow = {item.path for item in items if item.get_closest_marker("terraform")}
    items.sort(key=lambda item: item.path not in slow)
