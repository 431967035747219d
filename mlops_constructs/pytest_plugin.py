"""A pytest plugin: your stack is deployed to the local AWS once a session, and your tests release and inject faults.

Fixtures: ``rehearsal_settings`` (override it in your conftest.py), ``rehearsal``, ``local_aws`` and ``faults``. What
they need is imported when a test asks for one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .local_aws.faults.faults import Faults
    from .local_aws.local_aws import LocalAws
    from .rehearsal.rehearsed import RehearsedPipeline

_FAULTS = pytest.StashKey["Faults"]()


@dataclass(frozen=True, kw_only=True)
class RehearsalSettings:
    """What the fixtures rehearse, as the options of ``mlops rehearse`` have it.

    Attributes:
        app: Command that synthesizes the stack; None takes that of cdktf.json.
        stack: Needed only when the app has several.
        pipeline: Needed only when the stack has several.
        data: What ``release`` uploads; None is the iris data.
        golden: Golden records.
        contract: Data contract.
        docker: Use a Docker engine when one responds.
        iam: Enforce IAM policies.
        images: Container folders to run instead of images that are not built here, ``URI=FOLDER``.
        repositories: Folders to read instead of repositories behind a connection, ``OWNER/REPOSITORY=FOLDER``.
        seed: Of the faults.
    """

    app: str | None = None
    stack: str | None = None
    pipeline: str | None = None
    data: Sequence[str] | None = None
    golden: Path | None = None
    contract: Path | None = None
    docker: bool = True
    iam: bool = True
    images: Sequence[str] = ()
    repositories: Sequence[str] = ()
    seed: int = 0


@pytest.fixture(scope="session")
def rehearsal_settings() -> RehearsalSettings:
    """Return what is rehearsed: the app of cdktf.json, with the iris data."""
    return RehearsalSettings()


@pytest.fixture(scope="session")
def rehearsal(rehearsal_settings: RehearsalSettings) -> Iterator[RehearsedPipeline]:
    """Deploy the stack to a local AWS, and build its image: once for all tests."""
    from ._payload import payload
    from .cli.synth import synthesize
    from .local_aws.scratch import scratch_folder
    from .rehearsal.data import RehearsalData
    from .rehearsal.rehearsed import rehearsed_pipeline
    from .rehearsal.stand_ins import StandIns

    settings = rehearsal_settings
    stand_ins = StandIns.parse(settings.images, settings.repositories, container=payload("container"))
    if settings.data is None:
        data = RehearsalData.iris()
    else:
        data = RehearsalData.find(settings.data, golden=settings.golden, contract=settings.contract)
    with scratch_folder("mlops-synth-") as output:
        stack = synthesize(settings.app, output, settings.stack)
        with rehearsed_pipeline(
            stack, data, pipeline=settings.pipeline, docker=settings.docker, iam=settings.iam, stand_ins=stand_ins
        ) as pipeline:
            yield pipeline


@pytest.fixture(scope="session")
def local_aws(rehearsal: RehearsedPipeline) -> LocalAws:
    """Return the local AWS that contains the stack; ``local_aws.client("s3")`` is a boto3 client of it."""
    return rehearsal.aws


@pytest.fixture
def faults(
    rehearsal: RehearsedPipeline, rehearsal_settings: RehearsalSettings, request: pytest.FixtureRequest
) -> Iterator[Faults]:
    """Inject faults until the test ends; the test fails when one of them has not happened."""
    from .local_aws.faults.faults import Faults
    from .local_aws.faults.known import Known

    with Faults(rehearsal.aws, rehearsal_settings.seed, Known.of(rehearsal.aws)) as faults:
        request.node.stash[_FAULTS] = faults
        yield faults


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Any:
    """Fail a test whose fault has not happened: it has tested nothing."""
    result = yield
    injected = item.stash.get(_FAULTS, None)
    missed = [] if injected is None else injected.never_fired
    if missed:
        lines = "".join(f"\n  {fault.text}" + (f": {fault.problem}" if fault.problem else "") for fault in missed)
        pytest.fail(f"these faults have not happened, so the test says nothing about them:{lines}", pytrace=False)
    return result
