"""The baseline of a candidate: from its training data, and from the predictions of DEV for rows it has not seen."""

from __future__ import annotations

import gzip
import io
import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from lambdas.ab_lake import BUCKET, PIPELINE, START
from lambdas.watched_world import Bucket, Fuse, Served
from watch_traffic import asking
from watch_traffic.making import make_baseline
from watch_traffic.released import Baselines
from watch_traffic.settings import Document, Params, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EXECUTION = "3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17"
PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/iris-1a2b3c/7"
DATASET = f"s3://{BUCKET}/datasets/{PIPELINE}/{EXECUTION}"
SETTINGS = Settings(PIPELINE, BUCKET, f"{PIPELINE}-dev", None, None)
MONITORING: dict[str, Any] = {
    "plan": {"psi_limit": 0.1},
    "predictions": True,
    "quality": {"estimated": True},
}
NOISE = random.Random(3)
ROWS = [("ab"[NOISE.random() < 0.5], f"{NOISE.gauss(0, 1):.3f}", NOISE.choice("rg")) for _ in range(200)]
CSV = "".join(f"{','.join(row)}\n" for row in ROWS).encode()


class Dev(Served):
    """An endpoint with a model."""

    def __init__(self, model: Callable[[list[str]], str]) -> None:
        super().__init__("sagemaker-runtime", Fuse())
        self._model = model
        self.refusal: str | None = None

    def _respond(self, operation: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        assert operation == "InvokeEndpoint"
        if self.refusal is not None:
            return 400, {"Error": {"Code": self.refusal, "Message": "I cannot."}}
        body = request["Body"]
        content = body if isinstance(body, bytes) else body.getvalue()
        lines = ["x"] if request["ContentType"].startswith("image/") else content.decode().splitlines()
        text = self._model(lines).encode()
        return 200, {"Body": StreamingBody(io.BytesIO(text), len(text))}


class Site:
    def __init__(self, model: Callable[[list[str]], str] = lambda lines: "\n".join(line[0] for line in lines)) -> None:
        self.s3, self.dev = Bucket(Fuse()), Dev(model)
        self.channels = ["train"]

    def close(self) -> None:
        self.s3.__exit__()
        self.dev.__exit__()

    def put(self, channel: str, name: str, body: bytes) -> None:
        self.channels = list(dict.fromkeys([*self.channels, channel]))
        self.s3.add(f"datasets/{PIPELINE}/{EXECUTION}/{channel}/{name}", START, body)

    def declare(self, names: list[str], label: str, *, header: bool = False) -> str:
        known = {"names": names, "header": header, "label": label, "label_index": names.index(label)}
        text = json.dumps(known)
        columns = {"MLOPS_COLUMNS": text[:20], "MLOPS_COLUMNS_2": text[20:]}
        key = f"datasets/{PIPELINE}/{EXECUTION}/request.json"
        self.s3.add(key, START, json.dumps({"columns": columns}).encode())
        return f"s3://{BUCKET}/{key}"

    def make(self, request_uri: str = "none", channels: list[str] | None = None, **monitoring: Any) -> str:
        params = Params(DATASET, ",".join(self.channels), request_uri, PACKAGE)
        document = Document({**MONITORING, **monitoring}, channels or ["validation", "test"], "text/csv", 10**8, False)
        return make_baseline(params, SETTINGS, document, self.s3.client, self.dev.client).summary

    def made(self) -> Any:
        return Baselines(self.s3.client, BUCKET, PIPELINE).of(PACKAGE).read()

    def names(self) -> list[str]:
        found = self.made()
        return [feature.name for one in (found.features, found.predictions) if one for feature in one.features]


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


def test_features_have_the_names_of_the_data_contract(site: Site) -> None:
    site.put("train", "a.csv", b"size,kind,colour\n" + "".join(f"{s},{k},{c}\n" for k, s, c in ROWS).encode())
    assert "2 features of 200 rows" in site.make(site.declare(["size", "kind", "colour"], "kind", header=True))
    assert site.names() == ["size", "colour"]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.csv", CSV),
        ("a.csv.gz", gzip.compress(CSV)),
        ("a.tsv", CSV.replace(b",", b"\t")),
        ("a.jsonl", "".join(f"{json.dumps(row)}\n" for row in ROWS).encode()),
        ("a.json", json.dumps(ROWS).encode()),
    ],
)
def test_tables_of_all_kinds_are_read_without_the_label(site: Site, name: str, body: bytes) -> None:
    site.put("train", name, body)
    site.make()
    assert site.names() == ["column_2", "column_3"]
    assert site.made().features.rows == 200


def test_objects_need_a_contract_that_says_which_member_is_the_label(site: Site) -> None:
    objects = "".join(json.dumps(dict(zip(("kind", "size", "colour"), row, strict=True))) + "\n" for row in ROWS)
    site.put("train", "a.jsonl", objects.encode())
    assert "no data contract says which member is the label" in site.make()
    assert site.made().features is None


def test_the_predictions_are_those_for_the_validation_channel(site: Site) -> None:
    site.put("train", "a.csv", CSV)
    site.put("validation", "b.csv", CSV.replace(b"\n", b"\r\n"))
    assert "predictions for 200 rows" in site.make()
    first = site.dev.requests["InvokeEndpoint"][0]
    assert (first["EndpointName"], first["ContentType"]) == (f"{PIPELINE}-dev", "text/csv")
    assert first["InferenceId"].startswith("smoke-test-")


def test_without_a_validation_channel_the_predictions_are_not_watched(site: Site) -> None:
    site.put("train", "a.csv", CSV)
    assert "The predictions are not watched: the data set has no channel validation or test" in site.make()
    assert "InvokeEndpoint" not in site.dev.requests


def test_the_held_out_channel_comes_first(site: Site) -> None:
    for name in ("train", "validation", "held"):
        site.put(name, "a.csv", CSV if name == "held" else CSV[: len(CSV) // 2])
    assert "predictions for 200 rows" in site.make(channels=["held", "validation", "test"])


def test_pictures_are_sent_one_by_one_and_only_their_predictions_are_watched(site: Site) -> None:
    for number in range(50):
        site.put("train", f"{number}.png", b"png")
        site.put("validation", f"{number}.png", b"png")
    summary = site.make()
    assert "predictions for 50 rows" in summary
    assert "The features are not watched: channel train: 0.png is not CSV, TSV or JSON" in summary
    assert {one["ContentType"] for one in site.dev.requests["InvokeEndpoint"]} == {"image/png"}


def test_a_model_that_does_not_read_csv_does_not_stop_the_release(site: Site) -> None:
    site.put("train", "a.csv", CSV)
    site.put("validation", "a.csv", CSV)
    site.dev.refusal = "ModelError"
    assert "The predictions are not watched: channel validation: the model refuses text/csv: I cannot." in site.make()
    assert site.names() == ["column_2", "column_3"]


def test_an_endpoint_that_may_not_be_invoked_is_an_error(site: Site) -> None:
    site.put("train", "a.csv", CSV)
    site.put("validation", "a.csv", CSV)
    site.dev.refusal = "AccessDeniedException"
    with pytest.raises(ClientError):
        site.make()
    assert site.made() is None


def test_a_baseline_that_exists_is_kept(site: Site) -> None:
    site.put("train", "a.csv", CSV)
    site.make()
    before = dict(site.s3.objects)
    assert "made before" in site.make()
    assert site.s3.objects == before


def test_few_rows_are_said_to_be_too_few(site: Site) -> None:
    site.put("train", "a.csv", b"a,1\nb,2\n")
    assert "rows: must be at least 40, got 2" in site.make()


def test_the_files_have_the_forms_of_model_monitor(site: Site) -> None:
    site.put("train", "a.csv", CSV)
    site.make()
    statistics = json.loads(site.s3.text(f"baselines/{PIPELINE}/7/statistics.json"))
    assert (statistics["dataset"]["item_count"], statistics["version"]) == (200, 0.0)
    assert "monitoring_config" in json.loads(site.s3.text(f"baselines/{PIPELINE}/7/constraints.json"))


def test_probabilities_are_calibrated_by_what_was_right() -> None:
    labelled = [(str(int(NOISE.random() < share)), share) for share in (0.1, 0.3, 0.7, 0.9) for _ in range(60)]
    site = Site(lambda lines: "\n".join(lines))
    site.put("train", "a.csv", CSV)
    site.put("validation", "a.csv", "".join(f"{label},{share}\n" for label, share in labelled).encode())
    site.make()
    found = site.made()
    site.close()
    assert found.calibration.expected([0.9] * 10).accuracy > found.calibration.expected([0.7] * 10).accuracy


def test_classes_alone_are_no_probabilities(site: Site) -> None:
    site.put("train", "a.csv", CSV)
    site.put("validation", "a.csv", CSV)
    assert "The accuracy is not estimated: the responses have no probabilities" in site.make()


def test_only_so_many_rows_are_sent(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MAX_ROWS", 90)
    site.put("train", "a.csv", CSV)
    site.put("validation", "a.csv", CSV)
    assert "predictions for 90 rows" in site.make()
