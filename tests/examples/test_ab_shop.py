"""The application of examples/ab_test, which the documents quote, against an endpoint with two variants."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cli.ab_world import ENDPOINT, NAME, World, ab_world
from local_aws.tiny_pipeline import ARTIFACTS

from mlops_constructs.deployed.outcomes import read
from mlops_constructs.local_aws.credentials import ACCESS_KEY_ID, SECRET_ACCESS_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.servers

ROOT = Path(__file__).resolve().parents[2]
specification = importlib.util.spec_from_file_location("shop", ROOT / "examples" / "ab_test" / "shop.py")
assert specification is not None
assert specification.loader is not None
shop = importlib.util.module_from_spec(specification)
specification.loader.exec_module(shop)
USERS = [f"user {number}" for number in range(40)]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with ab_world(tmp_path_factory.mktemp("container")) as world, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
        patch.setenv("AWS_ENDPOINT_URL", world.aws.url)
        world.reset()
        yield world


class Runtime:
    """The client of the endpoint; what was sent and who responded is written down."""

    def __init__(self, world: World) -> None:
        self._client = world.aws.client("sagemaker-runtime")
        self.sent: list[tuple[dict[str, Any], str]] = []

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._client.invoke_endpoint(**request)
        self.sent.append((request, answer["InvokedProductionVariant"]))
        return answer


def test_the_outcomes_of_its_requests_are_what_the_command_uploads(world: World, tmp_path: Path) -> None:
    runtime, path = Runtime(world), tmp_path / "outcomes.csv"
    answers = [shop.predict(runtime, ENDPOINT, "1,2") for _ in range(3)]
    assert all(prediction for prediction, _ in answers)
    assert [request["InferenceId"] for request, _ in runtime.sent] == [name for _, name in answers]
    shop.write_outcomes(path, [(name, "good") for _, name in answers])
    assert [(one.inference_id, one.data, one.problem) for one in read(path)] == [
        (name, "good", "") for _, name in answers
    ]


def test_users_stay_at_their_variant_and_their_ids_name_them(world: World) -> None:
    world.write(world.record(share=0.5))
    served = []
    for _ in range(2):
        runtime = Runtime(world)
        one = shop.StickyShop(runtime, NAME, ARTIFACTS)
        ids = [one.predict(user, "1,2")[1] for user in USERS]
        assert len({name.partition(".")[0] for name in ids}) == len(USERS)
        served.append([variant for _, variant in runtime.sent])
    assert served[0] == served[1]
    assert set(served[0]) == {"primary", "secondary"}


def test_a_variant_that_is_gone_is_no_error_for_its_users(world: World) -> None:
    record = world.record(share=0.999)
    assert record.challenger is not None
    gone = {**record.to_json(), "challenger": {**record.to_json()["challenger"], "slot": "tertiary"}}
    world.s3.put_object(Bucket=ARTIFACTS, Key=f"ab/{NAME}/record.json", Body=json.dumps(gone).encode())
    runtime = Runtime(world)
    one = shop.StickyShop(runtime, NAME, ARTIFACTS)
    assert all(one.predict(user, "1,2")[0] for user in USERS[:5])
    assert {variant for _, variant in runtime.sent} <= {"primary", "secondary"}
