"""The ONNX form: made by train, checked, and used only when it is the same model."""

from __future__ import annotations

import json
import shutil
import threading
import time
from typing import TYPE_CHECKING

import algorithm
import numpy as np
import pytest
from patience import PATIENCE_SECONDS
from sagemaker_contract.acceleration import budget as budgets
from sagemaker_contract.acceleration.budget import Budget, OutOfTimeError
from sagemaker_contract.acceleration.check import NotTheSameError, checked, file_hashes, same, write_sample
from sagemaker_contract.acceleration.convert import onnx_from_sklearn
from sagemaker_contract.acceleration.session import OnnxModel
from sagemaker_contract.acceleration.stored import Accelerated, NotUsableError, read_accelerated, read_sample
from sagemaker_contract.errors import InputError, ModelError
from serving_benchmark.drain import Client
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Job, StartServer, Trained

RECORD = "5.1,3.5,1.4,0.2"


@pytest.fixture
def model(trained: Trained, tmp_path: Path) -> Path:
    """A copy of the trained model, to be spoilt."""
    return shutil.copytree(trained.job.model.parent, tmp_path / "ml" / "model")


def random_flowers(rows: int) -> np.ndarray:
    return np.random.default_rng(7).uniform(0, 8, (rows, 4))


def predict_of(directory: Path) -> Callable[[np.ndarray], list[object]]:
    model = algorithm.load(directory)
    return lambda records: algorithm.predict(model, records)


def accelerated(directory: Path) -> Accelerated:
    return read_accelerated(directory, read_sample(directory), predict_of(directory))


def test_train_says_what_it_compared(trained: Trained) -> None:
    assert "serving: ONNX gives the same predictions on 30 held-out and 20000 random records" in trained.outcome.stdout


def test_labels_are_the_forest_s_on_200_000_random_records(trained: Trained) -> None:
    directory = trained.job.model.parent
    records = random_flowers(200_000)
    answers = accelerated(directory).model.predict_like(predict_of(directory), records)
    assert answers == algorithm.load(directory).predict(records).tolist()


def test_close_calls_are_few(trained: Trained) -> None:
    directory = trained.job.model.parent
    asked = []

    def predict(records: np.ndarray) -> list[object]:
        asked.extend(records)
        return predict_of(directory)(records)

    accelerated(directory).model.predict_like(predict, random_flowers(20_000))
    assert 0 < len(asked) < 400


def test_probabilities_are_the_forest_s_within_the_tolerance(trained: Trained) -> None:
    directory = trained.job.model.parent
    records = random_flowers(200_000)
    onnx = OnnxModel((directory / "serving" / "model.onnx").read_bytes(), "probabilities")
    difference = np.abs(np.array(onnx.predict(records)) - algorithm.load(directory).predict_proba(records))
    assert difference.max() < 1e-6


@pytest.mark.parametrize("regression", [LogisticRegression(max_iter=1000), LinearRegression()])
def test_linear_models_compute_in_64_bits(regression: LogisticRegression | LinearRegression) -> None:
    iris = load_iris()
    fitted = regression.fit(iris.data, iris.target)
    content = onnx_from_sklearn(fitted)
    assert content is not None
    records = random_flowers(20_000)
    assert np.allclose(OnnxModel(content).predict(records), fitted.predict(records), rtol=1e-12, atol=1e-12)


def test_server_says_that_onnx_answers(start_server: StartServer, trained: Trained) -> None:
    server = start_server(trained.job.base).wait_until_ready()
    assert any(message.startswith("predictions come from ONNX up to ") for message in server.messages)
    assert server.invoke(RECORD).body == "setosa\n"


def test_switch_turns_it_off(start_server: StartServer, trained: Trained) -> None:
    server = start_server(trained.job.base, SERVE_ACCELERATION="off").wait_until_ready()
    assert "predictions come from the algorithm's predict: SERVE_ACCELERATION is off" in server.messages
    assert server.invoke(RECORD).body == "setosa\n"


FEW_TREES = {"n_estimators": "5"}
# It takes its time, so that a busy machine changes no order.
PRINTS_WHEN_IMPORTED = "\nimport time\n\ntime.sleep(5)\nprint('the algorithm is imported', flush=True)\n"


def test_checked_onnx_answers_before_the_algorithm_is_imported(
    start_server: StartServer, job: Job, iris: list[str], edited_container: Callable[[str], Path]
) -> None:
    container = edited_container(PRINTS_WHEN_IMPORTED)
    job.program = container / "train"
    assert job.channel("train", iris="\n".join(iris)).config("hyperparameters", FEW_TREES).run().code == 0
    server = start_server(job.base, container).wait_until_ready()
    server.wait_for_log("the algorithm is imported")
    log = server.log.read_text()
    assert log.index("ready on port") < log.index("the algorithm is imported")
    plain = start_server(job.base, container, SERVE_ACCELERATION="off").wait_until_ready()
    log = plain.log.read_text()
    assert log.index("the algorithm is imported") < log.index("ready on port")


def test_algorithm_that_cannot_be_imported_any_more_ends_the_server(
    start_server: StartServer, job: Job, iris: list[str], edited_container: Callable[[str], Path], tmp_path: Path
) -> None:
    missing = tmp_path / "missing"
    container = edited_container(f"\nopen({str(missing)!r}).close()\n")
    missing.touch()
    job.program = container / "train"
    assert job.channel("train", iris="\n".join(iris)).config("hyperparameters", FEW_TREES).run().code == 0
    missing.unlink()
    server = start_server(job.base, container, SAGEMAKER_MODEL_SERVER_WORKERS="2")
    assert server.wait() == 1
    assert any(message.startswith("cannot import the algorithm: FileNotFoundError") for message in server.messages)


def test_no_request_is_lost_when_the_early_worker_hands_over(start_server: StartServer, trained: Trained) -> None:
    server = start_server(trained.job.base, SAGEMAKER_MODEL_SERVER_WORKERS="2").wait_until_ready()
    ended = threading.Event()
    clients = [Client(server.port, RECORD.encode(), ended, keep_alive=number % 2 == 0) for number in range(8)]
    for client in clients:
        client.start()
    server.wait_for_log("the early worker ended with 0")
    assert server.ping() == 200
    ended.set()
    for client in clients:
        client.join()
        assert set(client.outcomes) == {"200"}
    metrics = server.request("GET", "/metrics").body
    assert "serve_workers_ready 2\n" in metrics
    assert "serve_worker_restarts_total 0\n" in metrics


def test_algorithm_with_hooks_is_trained_without_onnx(
    job: Job, iris: list[str], edited_container: Callable[[str], Path]
) -> None:
    job.program = edited_container("\ndef model_fn(model_dir):\n    return load(Path(model_dir))\n") / "train"
    outcome = job.channel("train", iris="\n".join(iris)).config("hyperparameters", FEW_TREES).run()
    assert "serving: serve calls the functions of sagemaker-inference; no ONNX" in outcome.stdout
    assert not (job.base / "model" / "serving" / "model.onnx").exists()


def test_large_batch_is_answered_by_the_algorithm(start_server: StartServer, trained: Trained) -> None:
    server = start_server(trained.job.base).wait_until_ready()
    records = random_flowers(30_000)
    body = "\n".join(",".join(map(str, row)) for row in records.tolist())
    expected = algorithm.load(trained.job.model.parent).predict(records).tolist()
    assert server.invoke(body).body.splitlines() == expected


def spoil_model(model: Path) -> None:
    with (model / "model.joblib").open("ab") as stream:
        stream.write(b"\0")


def spoil_onnx(model: Path) -> None:
    (model / "serving" / "model.onnx").write_bytes(b"no model")


def spoil_check(model: Path) -> None:
    (model / "serving" / "check.json").write_text("{")


def remove_check(model: Path) -> None:
    (model / "serving" / "check.json").unlink()


def change_algorithm(model: Path) -> None:
    check = model / "serving" / "check.json"
    check.write_text(json.dumps({**json.loads(check.read_text()), "algorithm": "another"}))


def change_answers(model: Path) -> None:
    check = model / "serving" / "check.json"
    check.write_text(check.read_text().replace('"setosa"', '"rose"'))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (spoil_model, "the model's files have changed since the ONNX model was verified"),
        (spoil_onnx, "InvalidProtobuf: "),
        (spoil_check, "JSONDecodeError: "),
        (remove_check, "there is no verified ONNX model"),
        (change_algorithm, "algorithm.py has changed since the ONNX model was verified"),
        (change_answers, "on this machine ONNX predicts differently from when it was verified"),
    ],
)
def test_doubtful_onnx_is_not_used(model: Path, spoil: Callable[[Path], None], reason: str) -> None:
    sample, predict = read_sample(model), predict_of(model)
    assert read_accelerated(model, sample, predict)
    spoil(model)
    with pytest.raises(NotUsableError, match=f"^{reason}"):
        read_accelerated(model, sample, predict)


def test_corrupt_model_beside_a_good_onnx_is_found(start_server: StartServer, model: Path) -> None:
    (model / "model.joblib").write_bytes(b"no model")
    server = start_server(model.parent)
    assert server.wait() == 1
    # Not the last one: another worker, that is about to be stopped, may still say something.
    assert any(message.startswith("cannot load the model in ") for message in server.messages)


def test_corrupt_sample_is_found(model: Path) -> None:
    (model / "serving" / "sample.json").write_text('{"columns": 4}')
    with pytest.raises(ModelError, match=r"^serving/sample.json of the model is corrupt"):
        read_sample(model)


def test_value_beyond_32_bits_is_refused(trained: Trained) -> None:
    onnx = OnnxModel((trained.job.model.parent / "serving" / "model.onnx").read_bytes())
    with pytest.raises(InputError, match="too large for the model"):
        onnx.predict(np.array([[1.0, 2.0, 3.0, 1e39]]))


def test_one_different_answer_keeps_onnx_out(trained: Trained, tmp_path: Path) -> None:
    forest = algorithm.load(trained.job.model.parent)
    content = onnx_from_sklearn(forest)
    assert content is not None

    def other(records: np.ndarray) -> list[object]:
        answers = forest.predict(records).tolist()
        return [*answers[:-1], "rose"]

    with pytest.raises(NotTheSameError, match=r"its predictions on 230 .* differ from those of predict"):
        checked(tmp_path, content, other, load_iris().data[:30], Budget(1000))


class Scarce(Budget):
    """A budget whose share for the comparison is used after some turns; the rest suffices for some measurements."""

    def __init__(self, turns: int, measurements: int = 1) -> None:
        super().__init__(0)
        self.left = {0.75: turns, 0.9: measurements}

    def is_used(self, share: float = 1.0) -> bool:
        self.left[share] -= 1
        return self.left[share] < 0


@pytest.mark.parametrize(
    ("turns", "compared"),
    [(2, "30 held-out and 600 random records (as many as the time allows);"), (1000, "30 held-out and 20000 random")],
)
def test_comparison_ends_with_its_budget_and_says_so(trained: Trained, turns: int, compared: str) -> None:
    directory = trained.job.model.parent
    content = (directory / "serving" / "model.onnx").read_bytes()
    found = checked(directory, content, predict_of(directory), load_iris().data[:30], Scarce(turns))
    assert f"the same predictions on {compared}" in found.said
    assert found.check["compared"]["held_out"] == 30


@pytest.mark.parametrize("budget", [Scarce(0), Scarce(1000, 0)])
def test_comparison_without_time_for_a_few_records_is_none(trained: Trained, budget: Budget) -> None:
    directory = trained.job.model.parent
    content = (directory / "serving" / "model.onnx").read_bytes()
    with pytest.raises(OutOfTimeError):
        checked(directory, content, predict_of(directory), load_iris().data[:30], budget)


def test_budget_is_a_tenth_of_the_training_and_always_some_seconds() -> None:
    assert (Budget(67.0).seconds, Budget(1.0).seconds) == (pytest.approx(6.7), 5.0)


def test_work_is_abandoned_by_its_own_time_not_by_that_of_a_busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "MIN_SECONDS", 0.1)
    monkeypatch.setattr(budgets, "_WAITS", 10_000)
    ended, latest = threading.Event(), time.monotonic() + PATIENCE_SECONDS

    def compute() -> None:
        while not ended.is_set() and time.monotonic() < latest:
            pass

    with pytest.raises(OutOfTimeError):
        Budget(0).run(compute)
    ended.set()
    assert Budget(0).run(lambda: threading.Event().wait(0.3)) is False
    monkeypatch.setattr(budgets, "_WAITS", 2)
    with pytest.raises(OutOfTimeError):
        Budget(0).run(lambda: threading.Event().wait(PATIENCE_SECONDS))


def test_endless_conversion_costs_its_budget_and_not_the_job(
    job: Job, iris: list[str], edited_container: Callable[[str], Path]
) -> None:
    endless = "    while True:\n        pass\n"
    shorter = "from sagemaker_contract.acceleration import budget\nbudget.SHARE, budget.MIN_SECONDS = 0, 0.5\n"
    job.program = edited_container(f"\n{shorter}def to_onnx(model):\n{endless}") / "train"
    outcome = job.channel("train", iris="\n".join(iris)).config("hyperparameters", FEW_TREES).run()
    assert outcome.code == 0, outcome.stderr
    assert "serving: converts the model to ONNX and compares it, in at most 0.5 s of processor time" in outcome.stdout
    assert (
        "serving: ONNX is not used: to convert and compare it takes more than 0.5 s of processor time" in outcome.stdout
    )


def test_changed_predict_is_trained_without_onnx(
    job: Job, iris: list[str], edited_container: Callable[[str], Path]
) -> None:
    job.program = (
        edited_container("\n_predict = predict\ndef predict(*a):\n    return [*_predict(*a)][::-1]\n") / "train"
    )
    outcome = job.channel("train", iris="\n".join(iris)).run()
    assert outcome.code == 0
    assert "serving: ONNX is not used: its predictions on " in outcome.stdout
    assert " held-out and random records differ from those of predict" in outcome.stdout
    assert not (job.base / "model" / "serving" / "model.onnx").exists()


def test_failing_conversion_does_not_fail_the_job(
    job: Job, iris: list[str], edited_container: Callable[[str], Path]
) -> None:
    job.program = edited_container("\ndef to_onnx(model):\n    raise RuntimeError('no converter')\n") / "train"
    outcome = job.channel("train", iris="\n".join(iris)).run()
    assert outcome.code == 0
    assert "serving: ONNX is not used: RuntimeError: no converter" in outcome.stdout


def test_hashes_leave_our_own_files_out(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"1")
    before = file_hashes(tmp_path)
    write_sample(tmp_path, np.ones((3, 2)))
    assert list(before) == ["model.bin"]
    assert file_hashes(tmp_path) == before


@pytest.mark.parametrize(
    ("given", "wanted", "agree"),
    [
        (["a", "b"], ["a", "b"], True),
        (["a", "b"], ["a", "c"], False),
        ([1, 2], [1, 3], False),
        ([1.0, 2.0], [1.0 + 1e-7, 2.0], True),
        ([1.0, 2.0], [1.001, 2.0], False),
        ([[0.1, 0.9]], [[0.1, 0.9]], True),
        ([[0.1, 0.9]], [0.1], False),
        (["1.0"], [1.0], False),
        ([1.0], [1.0, 2.0], False),
    ],
)
def test_answers_agree(given: list[object], wanted: list[object], agree: bool) -> None:
    assert same(given, wanted) is agree


@pytest.mark.parametrize(("spoil", "altered"), [(True, 1), (False, 0)], ids=["altered", "as trained"])
def test_model_that_was_altered_is_a_warning_and_a_metric(
    start_server: StartServer, trained: Trained, tmp_path: Path, spoil: bool, altered: int
) -> None:
    model = shutil.copytree(trained.job.model.parent, tmp_path / "model")
    if spoil:
        with (model / "model.joblib").open("ab") as file:
            file.write(b"\0")
    server = start_server(tmp_path).wait_until_ready()
    warnings = [line for line in server.lines if line["level"] == "WARNING"]
    assert bool(warnings) == spoil
    assert all("the model is not the one that train wrote" in line["message"] for line in warnings)
    assert f"\nserve_altered_model {altered}\n" in server.request("GET", "/metrics").body
