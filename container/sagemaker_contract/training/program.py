"""The training program: reads the job, and writes model, evaluation and metrics, or the reason for a failure."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any

from sagemaker_contract.acceleration.budget import Budget, end_if_abandoned
from sagemaker_contract.errors import ContractError
from sagemaker_contract.interface import load_algorithm
from sagemaker_contract.paths import Paths
from sagemaker_contract.training.checkpoints import Checkpoints, fingerprint
from sagemaker_contract.training.hyperparameters import parse_hyperparameters
from sagemaker_contract.training.job import read_job
from sagemaker_contract.training.prepare import prepare_serving
from sagemaker_contract.training.run import Run
from sagemaker_contract.training.stopping import Stopped, StopSignal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sized

    from sagemaker_contract.interface import Algorithm
    from sagemaker_contract.training.job import Job

FAILED = 1
STOPPED = 143
_FAILURE_CHARACTERS = 1024


def main() -> int:
    """Run the job; the exit code is 0, 1 after a failure, or 143 (128 + 15, as in a shell) after SIGTERM."""
    code = _end_of_job(Paths.from_env(), StopSignal())
    end_if_abandoned(code)
    return code


def _end_of_job(paths: Paths, stop: StopSignal) -> int:
    try:
        stop.install()
        paths.failure.unlink(missing_ok=True)
        _run(paths, stop)
    except Stopped as stopped:
        stop.ignore()
        _report(paths, str(stopped))
        return STOPPED
    except Exception as error:
        traceback.print_exc()
        _report(paths, str(error) if isinstance(error, ContractError) else f"{type(error).__name__}: {error}")
        return FAILED
    return 0


def _run(paths: Paths, stop: StopSignal) -> None:
    started = time.monotonic()
    job = read_job(paths)
    algorithm = load_algorithm()
    job.check_hosts(uses_all=getattr(algorithm, "USES_ALL_HOSTS", False))
    hyperparameters: Any = parse_hyperparameters(job.hyperparameters, algorithm.Hyperparameters)
    print(f"hyperparameters: {hyperparameters}", flush=True)
    train, validation = algorithm.load_data(job.channels, hyperparameters)
    print(f"training on {len(train)} rows, validating on {len(validation)}", flush=True)
    run = Run(job.hosts, job.current_host, stop.requested, _checkpoints(paths, job, algorithm, hyperparameters))
    with stop.deferred():
        model = algorithm.train(train, hyperparameters, run)
        paths.model.mkdir(parents=True, exist_ok=True)
        algorithm.save(model, paths.model)
        if stop.requested():
            run.save_checkpoint(model, now=True)
            raise Stopped("stopped by SIGTERM; the model trained so far is saved, but not evaluated")
    budget = Budget(time.monotonic() - started)
    evaluation = {
        "metrics": _evaluate(algorithm, model, {"train": train, "validation": validation}),
        "rows": {"train": len(train), "validation": len(validation)},
        "validation_source": "channel" if "validation" in job.channels else "held out of train",
        "hyperparameters": dataclasses.asdict(hyperparameters),
        "seconds": round(time.monotonic() - started, 3),
    }
    paths.evaluation.parent.mkdir(parents=True, exist_ok=True)
    paths.evaluation.write_text(json.dumps(evaluation, indent=2) + "\n", encoding="utf-8")
    prepare_serving(algorithm, model, validation, paths.model, budget)


def _checkpoints(paths: Paths, job: Job, algorithm: Algorithm, hyperparameters: Any) -> Checkpoints | None:
    """The job's checkpoints; SageMaker creates their folder if the job has a CheckpointConfig."""
    if not paths.checkpoints.is_dir():
        return None
    job_print = fingerprint(hyperparameters, job.channels)
    return Checkpoints(paths.checkpoints, job_print, algorithm.save, algorithm.load)


def _evaluate(algorithm: Algorithm, model: Any, tables: Mapping[str, Sized]) -> dict[str, float]:
    """Evaluate the model on each table, and print one line per metric, as the metric definitions expect it."""
    metrics: dict[str, float] = {}
    for name, table in tables.items():
        for metric, value in algorithm.metrics(model, table).items():
            if not math.isfinite(value):
                raise ContractError(f"the metric {name}:{metric} is {value}; it must be a finite number")
            metrics[f"{name}:{metric}"] = value
            print(f"{name}:{metric}={value:.6g};", flush=True)
    return metrics


def _report(paths: Paths, reason: str) -> None:
    """Write the reason to the file that SageMaker reads."""
    print(f"train: {reason}", file=sys.stderr, flush=True)
    text = reason if len(reason) <= _FAILURE_CHARACTERS else reason[: _FAILURE_CHARACTERS - 1] + "…"
    paths.failure.parent.mkdir(parents=True, exist_ok=True)
    paths.failure.write_text(text, encoding="utf-8")
