"""The process of a local AWS gets SIGKILL: its functions, jobs and servers end too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from descendants import alive, descendants
from local_aws.tiny_container import wait_until

if TYPE_CHECKING:
    import pytest

# A server in service, a training that sleeps and a function that sleeps.
ACCOUNT = """
import sys, time
from pathlib import Path
from local_aws.endpoint_models import BUCKET, models_of_an_account
from local_aws.tiny_container import make_role, wait_until
from local_aws.tiny_pipeline import make_function
with models_of_an_account(Path(sys.argv[1])) as models:
    aws = models.aws
    models.serving("one")
    role = make_role(aws, "training", "sagemaker.amazonaws.com")
    aws.client("s3").put_object(Bucket=BUCKET, Key="set/train/train.csv", Body=b"a,1")
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/set/train"}
    models.sagemaker.create_training_job(
        TrainingJobName="sleeps",
        AlgorithmSpecification={"TrainingImage": models.image, "TrainingInputMode": "File"},
        RoleArn=role,
        InputDataConfig=[{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/models/"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        HyperParameters={"sleep": "600"},
    )
    started = Path(sys.argv[1]) / "started"
    code = f"import time\\ndef handler(event, context):\\n    open({str(started)!r}, 'w')\\n    time.sleep(600)\\n"
    make_function(aws, "sleeps", code, Timeout=700)
    aws.client("lambda").invoke(FunctionName="sleeps", InvocationType="Event")
    described = lambda: models.sagemaker.describe_training_job(TrainingJobName="sleeps")
    wait_until(lambda: started.exists() and described()["SecondaryStatus"] == "Training")
    print("all run", flush=True)
    time.sleep(600)
"""


def test_nothing_outlives_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    words = [sys.executable, "-c", ACCOUNT, str(tmp_path / "container")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any("all run" in line for line in process.stdout)
        started = descendants(process.pid)
        assert any("lambda_/bootstrap.py" in command for command in started.values())
        process.kill()
        assert wait_until(lambda: not alive(started))
