"""An app whose stack has a data bucket of its own, which the pipeline is handed: `python lake_app.py CONTAINER`."""

from __future__ import annotations

import sys
from dataclasses import replace

from mlops_constructs import (
    Algorithm,
    Approval,
    Column,
    DataContract,
    Dataset,
    Endpoint,
    EndpointLimits,
    MLOpsPipeline,
    Profile,
    Requests,
    SmokeTest,
    TrainingLimits,
)
from mlops_constructs.provider import AwsProvider, s3_bucket, s3_bucket_versioning

from cdktf import App, TerraformStack  # isort: skip

CONTRACT = DataContract(
    columns=[
        Column(name="species", allowed_values=["setosa", "versicolor", "virginica"]),
        *(
            Column(name=name, type="number", min_value=0, max_value=10)
            for name in ("sepal_length", "sepal_width", "petal_length", "petal_width")
        ),
    ],
    min_rows=6,
    min_class_share=0.1,
)
# How fast a busy machine answers is not what is tested.
PATIENT = SmokeTest(max_latency_ms=60_000)

app = App()
stack = TerraformStack(app, "lake")
AwsProvider(stack, "aws", region="us-east-1")
bucket = s3_bucket.S3Bucket(stack, "lake", bucket="team-lake", force_destroy=True)
versioning = s3_bucket_versioning.S3BucketVersioningA(
    stack,
    "versions",
    bucket=bucket.id,
    versioning_configuration=s3_bucket_versioning.S3BucketVersioningVersioningConfiguration(status="Enabled"),
)
inputs = s3_bucket.S3Bucket(stack, "inputs", bucket="sagemaker-us-east-1-123456789012", force_destroy=True)
MLOpsPipeline(
    stack,
    "lake-iris",
    algorithm=Algorithm.from_directory(sys.argv[1]),
    dataset=Dataset.from_bucket(
        bucket.id,
        requests=Requests(
            training=TrainingLimits(instance_types=["ml.m4.xlarge"], max_runtime_in_seconds=82_800),
            dev=EndpointLimits(instance_types=["ml.t2.large"], min_sampling_percentage=0),
            production=EndpointLimits(max_instance_count=10, autoscaling=True, min_sampling_percentage=20),
        ),
        prefix="training_jobs/",
        objects_prefix="data/",
        manage_notifications=True,
        input_buckets=[inputs.id],
        contract=CONTRACT,
        schedule_expression="rate(1 day)",
    ),
    dev=Endpoint(smoke_test=PATIENT),
    # The instance type that the workshop's zip asks for: production scales automatically, so no release can change it.
    production=replace(Endpoint.for_production(), instance_type="ml.c5.large", smoke_test=PATIENT),
    # A test looks at what a data set has requested for DEV.
    **Profile.team(notebook=None, removal="destroy", approval=Approval(keep_dev_endpoint=True)),
)
app.synth()
