"""What SageMaker and Application Auto Scaling refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_aws.refusals.calls import LEFT_OUT, Refusal
from local_aws.refusals.world import OCI_INDEX, OCI_MANIFEST

if TYPE_CHECKING:
    from local_aws.refusals.world import World

V = "ValidationException"
TRAIN, TUNE, PROCESS = (f"sagemaker:Create{kind}Job" for kind in ("Training", "HyperParameterTuning", "Processing"))
_LOCAL_STORAGE = "VolumeKmsKeyId: You can't request a VolumeKmsKeyId when using an instance type with local storage."
_GUARDRAILS = "https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green-canary.html"
_MANIFESTS = "https://github.com/aws/amazon-sagemaker-feedback/issues/180"
_WARM_POOLS = "https://docs.aws.amazon.com/sagemaker/latest/dg/train-warm-pools.html"
_SPOT = "StoppingCondition.MaxWaitTimeInSeconds: It must be equal to or greater than MaxRuntimeInSeconds."
_TAGS = "Tag.Key: Tag keys must be unique per resource."
_RESERVED = "https://docs.aws.amazon.com/general/latest/gr/aws_tagging.html: do not use aws:, it is reserved"
_CLUSTER = "ProcessingResources.ClusterConfig"
_TUNING_RESOURCES = "TrainingJobDefinition.HyperParameterTuningResourceConfig"
_DEPLOY = "DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration"
_ENDPOINT = "sagemaker:CreateEndpoint"
_VARIANT = {"ModelName": "model", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
_ROLE_OF_NOBODY = "arn:aws:iam::123456789012:role/of-nobody"
_KEY_OF_NOBODY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
_ASSUME = "https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html"
_KEYS = "https://docs.aws.amazon.com/sagemaker/latest/dg/encryption-at-rest.html"


def _other_role(world: World) -> str:
    return world.roles["lambda"]


def _oci_image(world: World) -> str:
    return world.push(OCI_MANIFEST)


def _oci_index(world: World) -> str:
    return world.push(OCI_INDEX)


def _missing_image(world: World) -> str:
    return world.image.rpartition(":")[0] + ":never-pushed"


JOBS = [
    *(
        Refusal(f"training-volume-key-{kind}", TRAIN, V, _LOCAL_STORAGE, {"ResourceConfig.InstanceType": f"ml.{kind}"})
        for kind in ("g5.xlarge", "g4dn.xlarge", "p4d.24xlarge", "trn1.2xlarge")
    ),
    Refusal(
        "tuning-volume-key",
        TUNE,
        V,
        _LOCAL_STORAGE,
        {"TrainingJobDefinition.ResourceConfig.InstanceType": "ml.g5.xlarge"},
    ),
    Refusal(
        "tuning-resources-volume-key",
        TUNE,
        V,
        "HyperParameterTuningResourceConfig.VolumeKmsKeyId: you cannot request a VolumeKmsKeyId.",
        {
            "TrainingJobDefinition.ResourceConfig": LEFT_OUT,
            _TUNING_RESOURCES: {
                "InstanceType": "ml.g5.xlarge",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
                "VolumeKmsKeyId": _KEY_OF_NOBODY,
            },
        },
    ),
    Refusal("processing-volume-key", PROCESS, V, _LOCAL_STORAGE, {f"{_CLUSTER}.InstanceType": "ml.g5.xlarge"}),
    Refusal(
        "training-image-and-algorithm",
        TRAIN,
        V,
        "AlgorithmSpecification.AlgorithmName: you can't specify a value for TrainingImage, and vice versa.",
        {"AlgorithmSpecification.AlgorithmName": "algorithm"},
    ),
    Refusal(
        "wait-below-runtime",
        TRAIN,
        V,
        _SPOT,
        {
            "EnableManagedSpotTraining": True,
            "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 59},
        },
    ),
    Refusal("spot-without-wait", TRAIN, V, _SPOT, {"EnableManagedSpotTraining": True}),
    Refusal("wait-without-spot", TRAIN, V, _SPOT, {"StoppingCondition.MaxWaitTimeInSeconds": 60}),
    Refusal(
        "tuning-wait-below-runtime",
        TUNE,
        V,
        _SPOT,
        {
            "TrainingJobDefinition.EnableManagedSpotTraining": True,
            "TrainingJobDefinition.StoppingCondition.MaxWaitTimeInSeconds": 59,
        },
    ),
    Refusal(
        "keep-alive-with-spot",
        TRAIN,
        V,
        _WARM_POOLS,
        {
            "EnableManagedSpotTraining": True,
            "StoppingCondition.MaxWaitTimeInSeconds": 60,
            "ResourceConfig.KeepAlivePeriodInSeconds": 60,
        },
    ),
    Refusal(
        "hyperband-with-early-stopping",
        TUNE,
        V,
        "TrainingJobEarlyStoppingType must be OFF to use Hyperband.",
        {"HyperParameterTuningJobConfig.Strategy": "Hyperband"},
    ),
    Refusal(
        "hyperband-settings-of-another-strategy",
        TUNE,
        V,
        "StrategyConfig: should be provided only if Hyperband is selected as the strategy.",
        {"HyperParameterTuningJobConfig.StrategyConfig": {"HyperbandStrategyConfig": {"MinResource": 1}}},
    ),
    Refusal(
        "two-kinds-of-tuning-instances",
        TUNE,
        V,
        "InstanceConfigs: If you use InstanceConfigs, do not provide values for InstanceType.",
        {
            "TrainingJobDefinition.ResourceConfig": LEFT_OUT,
            _TUNING_RESOURCES: {
                "InstanceType": "ml.m5.large",
                "InstanceConfigs": [{"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}],
            },
        },
    ),
    Refusal(
        "processing-input-elsewhere",
        PROCESS,
        V,
        "ProcessingS3Input.LocalPath must begin with /opt/ml/processing/.",
        {"ProcessingInputs.0.S3Input.LocalPath": "/opt/ml/input"},
    ),
    Refusal("training-tag-twice", TRAIN, V, _TAGS, {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}),
    Refusal("training-reserved-tag", TRAIN, V, _RESERVED, {"Tags": [{"Key": "aws:team", "Value": "1"}]}),
    Refusal("model-reserved-tag", "sagemaker:CreateModel", V, _RESERVED, {"Tags": [{"Key": "AWS:team", "Value": "1"}]}),
    Refusal("training-role-of-nobody", TRAIN, V, _ASSUME, {"RoleArn": _ROLE_OF_NOBODY}),
    Refusal("training-role-of-lambda", TRAIN, V, _ASSUME, {"RoleArn": _other_role}),
    Refusal("processing-role-of-lambda", PROCESS, V, _ASSUME, {"RoleArn": _other_role}),
    Refusal("tuning-role-of-nobody", TUNE, V, _ASSUME, {"TrainingJobDefinition.RoleArn": _ROLE_OF_NOBODY}),
    Refusal("training-volume-key-of-nobody", TRAIN, V, _KEYS, {"ResourceConfig.VolumeKmsKeyId": _KEY_OF_NOBODY}),
    Refusal("training-output-key-of-nobody", TRAIN, V, _KEYS, {"OutputDataConfig.KmsKeyId": _KEY_OF_NOBODY}),
    Refusal("processing-key-of-nobody", PROCESS, V, _KEYS, {f"{_CLUSTER}.VolumeKmsKeyId": _KEY_OF_NOBODY}),
    Refusal(
        "training-of-a-missing-image",
        TRAIN,
        V,
        "https://github.com/aws/amazon-sagemaker-examples/issues/1476: Cannot find the requested image",
        {"AlgorithmSpecification.TrainingImage": _missing_image},
    ),
    Refusal("training-oci-image", TRAIN, V, _MANIFESTS, {"AlgorithmSpecification.TrainingImage": _oci_image}),
]

MODELS = [
    Refusal("model-oci-image", "sagemaker:CreateModel", V, _MANIFESTS, {"PrimaryContainer.Image": _oci_image}),
    Refusal("model-oci-index", "sagemaker:CreateModel", V, _MANIFESTS, {"PrimaryContainer.Image": _oci_index}),
    Refusal(
        "model-of-a-missing-image",
        "sagemaker:CreateModel",
        V,
        "https://github.com/aws-samples/easy-amazon-sagemaker-deployments/issues/4: Requested image not found",
        {"PrimaryContainer.Image": _missing_image},
    ),
    Refusal(
        "model-of-missing-data",
        "sagemaker:CreateModel",
        V,
        "https://github.com/aws/aws-step-functions-data-science-sdk-python/issues/61",
        {"PrimaryContainer.ModelDataUrl": "s3://data-bucket/nothing.tar.gz"},
    ),
    Refusal(
        "model-data-that-is-no-archive",
        "sagemaker:CreateModel",
        V,
        "ContainerDefinition.ModelDataUrl must point to a single gzip compressed tar archive (.tar.gz suffix).",
        {"PrimaryContainer.ModelDataUrl": "s3://data-bucket/model.zip"},
    ),
    Refusal("model-role-of-lambda", "sagemaker:CreateModel", V, _ASSUME, {"ExecutionRoleArn": _other_role}),
    Refusal(
        "package-data-that-is-no-archive",
        "sagemaker:CreateModelPackage",
        V,
        "ModelPackageContainerDefinition.ModelDataUrl must point to a single gzip compressed tar archive.",
        {"InferenceSpecification.Containers.0.ModelDataUrl": "s3://data-bucket/model.zip"},
    ),
    Refusal(
        "tags-of-a-version",
        "sagemaker:CreateModelPackage",
        V,
        "CreateModelPackage.Tags: If you supply ModelPackageGroupName, you cannot supply a tag argument.",
        {"Tags": [{"Key": "a", "Value": "b"}]},
    ),
    Refusal(
        "notebook-without-internet-and-subnet",
        "sagemaker:CreateNotebookInstance",
        V,
        "DirectInternetAccess: Disabled only if you set a value for the SubnetId parameter.",
        {"DirectInternetAccess": "Disabled"},
    ),
    Refusal("notebook-role-of-lambda", "sagemaker:CreateNotebookInstance", V, _ASSUME, {"RoleArn": _other_role}),
    Refusal("notebook-key-of-nobody", "sagemaker:CreateNotebookInstance", V, _KEYS, {"KmsKeyId": _KEY_OF_NOBODY}),
]

ENDPOINTS = [
    Refusal("config-key-of-nobody", "sagemaker:CreateEndpointConfig", V, _KEYS, {"KmsKeyId": _KEY_OF_NOBODY}),
    Refusal(
        "config-of-a-missing-model",
        "sagemaker:CreateEndpointConfig",
        V,
        "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html: Could not find model",
        {"ProductionVariants.0.ModelName": "never-made"},
    ),
    Refusal(
        "config-of-eleven-variants",
        "sagemaker:CreateEndpointConfig",
        V,
        "CreateEndpointConfig.ProductionVariants: ProductionVariantList has a maximum of 10.",
        {"ProductionVariants": [{"VariantName": f"v{number}", **_VARIANT} for number in range(11)]},
    ),
    Refusal(
        "config-of-one-name",
        "sagemaker:CreateEndpointConfig",
        V,
        "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html: the variant's name",
        {"ProductionVariants": [{"VariantName": "main", **_VARIANT}] * 2},
    ),
    Refusal(
        "config-without-weight",
        "sagemaker:CreateEndpointConfig",
        V,
        "InitialVariantWeight: the ratio of the VariantWeight to the sum of all; a sum of 0 has none.",
        {"ProductionVariants.0.InitialVariantWeight": 0.0},
    ),
    Refusal(
        "config-with-negative-weight",
        "sagemaker:CreateEndpointConfig",
        V,
        "InitialVariantWeight: VariantWeight has a minimum of 0.",
        {"ProductionVariants.0.InitialVariantWeight": -1.0},
    ),
    Refusal("canary-over-half", _ENDPOINT, V, _GUARDRAILS, {f"{_DEPLOY}.CanarySize.Value": 51}),
    Refusal(
        "canary-instances-over-half",
        _ENDPOINT,
        V,
        "CanarySize must be less than or equal to 50% of the variant's total instance count.",
        {f"{_DEPLOY}.CanarySize": {"Type": "INSTANCE_COUNT", "Value": 3}},
    ),
    Refusal(
        "linear-step-too-small",
        _ENDPOINT,
        V,
        "LinearStepSize must be 10-50% of the variant's total instance count.",
        {
            _DEPLOY: {
                "Type": "LINEAR",
                "WaitIntervalInSeconds": 60,
                "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 9},
            }
        },
    ),
    Refusal(
        "rolling-batch-over-half",
        _ENDPOINT,
        V,
        "RollingUpdatePolicy.MaximumBatchSize must be between 5% to 50% of the variant's total instance count.",
        {
            "DeploymentConfig.BlueGreenUpdatePolicy": LEFT_OUT,
            "DeploymentConfig.RollingUpdatePolicy": {
                "MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 3},
                "WaitIntervalInSeconds": 60,
            },
        },
    ),
    Refusal(
        "alarm-of-nobody",
        _ENDPOINT,
        V,
        "Alarm.AlarmName: The name of a CloudWatch alarm in your account.",
        {"DeploymentConfig.AutoRollbackConfiguration.Alarms": [{"AlarmName": "never-made"}]},
    ),
    Refusal(
        "endpoint-of-a-missing-config",
        _ENDPOINT,
        V,
        "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html",
        {"EndpointConfigName": "never-made"},
    ),
    Refusal(
        "endpoint-twice",
        _ENDPOINT,
        V,
        "EndpointName: must be unique within a Region; case-insensitive in CreateEndpoint.",
        {"EndpointName": "CONFIG"},
    ),
]

_REGISTER, _PUT_POLICY = "application-autoscaling:RegisterScalableTarget", "application-autoscaling:PutScalingPolicy"
_TRACKING = "TargetTrackingScalingPolicyConfiguration"
_PREREQUISITES = "https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html"
SCALING = [
    Refusal(
        "capacity-upside-down",
        _REGISTER,
        V,
        "https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html",
        {"MinCapacity": 5},
    ),
    Refusal(
        "variant-without-instances",
        _REGISTER,
        V,
        "https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-add-policy.html: at least 1",
        {"MinCapacity": 0},
    ),
    Refusal(
        "new-target-without-capacity",
        _REGISTER,
        V,
        "When you register a new scalable target, you must specify values for the minimum and maximum capacity.",
        {"ResourceId": "endpoint/burstable/variant/other", "MaxCapacity": LEFT_OUT},
    ),
    Refusal("variant-of-nobody", _REGISTER, V, _PREREQUISITES, {"ResourceId": "endpoint/never-made/variant/main"}),
    Refusal("unknown-variant", _REGISTER, V, _PREREQUISITES, {"ResourceId": "endpoint/config/variant/other"}),
    Refusal("burstable-instances", _REGISTER, V, _PREREQUISITES, {"ResourceId": "endpoint/burstable/variant/main"}),
    Refusal(
        "dimension-of-another-service",
        _REGISTER,
        V,
        "RegisterScalableTarget.ScalableDimension is of the service namespace.",
        {"ScalableDimension": "ecs:service:DesiredCount"},
    ),
    Refusal(
        "policy-without-target",
        _PUT_POLICY,
        "ObjectNotFoundException",
        "You cannot create a scaling policy until you have registered the resource as a scalable target.",
        {"ResourceId": "endpoint/never-made/variant/main"},
    ),
    Refusal(
        "deregister-what-is-not-there",
        "application-autoscaling:DeregisterScalableTarget",
        "ObjectNotFoundException",
        "DeregisterScalableTarget, Errors: the object could not be found.",
        {"ResourceId": "endpoint/never-made/variant/main"},
    ),
    Refusal(
        "policy-without-tracking",
        _PUT_POLICY,
        V,
        f"{_TRACKING}: required if you are creating a policy and the policy type is TargetTrackingScaling.",
        {_TRACKING: LEFT_OUT},
    ),
    Refusal(
        "label-of-a-load-balancer",
        _PUT_POLICY,
        V,
        "ResourceLabel: You can't specify a resource label unless the metric type is ALBRequestCountPerTarget.",
        {f"{_TRACKING}.PredefinedMetricSpecification.ResourceLabel": "app/lb/1/targetgroup/t/2"},
    ),
    Refusal(
        "policy-without-type",
        _PUT_POLICY,
        V,
        "PolicyType: This parameter is required if you are creating a scaling policy.",
        {"PolicyName": "untyped", "PolicyType": LEFT_OUT},
    ),
]

CALLS = [*JOBS, *MODELS, *ENDPOINTS, *SCALING]
