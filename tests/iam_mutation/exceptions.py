"""What the mutation run lets pass, each with its reason."""

from __future__ import annotations

import re


class Exceptions:
    """Reasons, by patterns of what they are about."""

    def __init__(self, reasons: dict[str, str]) -> None:
        self._reasons = {re.compile(pattern): reason for pattern, reason in reasons.items()}

    def reason(self, name: str) -> str:
        """Give the reason why something may pass; empty where there is none."""
        return next((reason for pattern, reason in self._reasons.items() if pattern.search(name)), "")

    def reasons(self) -> tuple[str, ...]:
        """Give all reasons."""
        return tuple(self._reasons.values())


ALLOWED = Exceptions(
    {
        r"-register-model-.*s3:ListBucket": (
            "S3 tells a missing object (404) only to who may list the whole bucket; names are seen, contents are not."
        ),
    }
)
"""Calls of the negative corpus that a policy allows, by a pattern of the line."""

SURVIVORS = Exceptions(
    {
        # What AWS's pages ask for, and no call here shows.
        r"(pipeline|build)-.* drop action kms:(DescribeKey|Encrypt|GenerateDataKey\w*|ReEncrypt\w+|Decrypt) ": (
            "CodePipeline and CodeBuild document these for artifacts that a customer managed key encrypts."
        ),
        r"drop action kms:(DescribeKey|GenerateDataKey|Decrypt) ": "One statement for every function and job, so that"
        " each may read and write what the key encrypts; kms:ViaService is not known to be sent everywhere.",
        r"drop action kms:CreateGrant": (
            "SageMaker's page lists it for the role of a job or model with encrypted volumes."
        ),
        r"pipeline-.* drop action s3:(GetObject\w*|PutObjectAcl|PutObjectTagging) ": (
            "CodePipeline's page lists these for the artifact bucket; the executor here reads the newest version."
        ),
        r"image-pipeline-.* drop action s3:GetBucket": "CodePipeline's page lists these for the artifact bucket.",
        r"pipeline-.* drop action cloudformation:(DescribeStackEvents|DescribeStackResources|GetTemplate)": (
            "CodePipeline reads these when a stack fails; the rehearsal of main.py has no failure."
        ),
        r"build-.* drop action (s3:GetObjectVersion|ecr:BatchGetImage|ecr:GetDownloadUrlForLayer)": (
            "A build of a pinned version, and of an image on top of one that is in the repository."
        ),
        r"model-\w+-.* (drop action|narrow resource).*DescribeAlarms|model-\w+-.*alarm:\* of cloudwatch": "SageMaker's"
        " page on deployment guardrails lists it for the execution role.",
        # SageMaker as CloudFormation reads it: the registry's read handlers, which a drift detection calls.
        r"deploy-.*sagemaker:(DescribeModel|ListTags|DescribeEndpointConfig)": "The registry's read and list handlers.",
        r"deploy-.* drop action sagemaker:(DescribeEndpoint|UpdateEndpointWeightsAndCapacities) on .*endpoint/iris": (
            "Also covered by what Application Auto Scaling tries; kept so that the endpoint does not depend on it."
        ),
        r"TargetTracking-endpoint/": "Application Auto Scaling names its alarms so, in the caller's name where the"
        " service-linked role is not there yet.",
        # What the rehearsal of main.py does not come to; the rehearsals of the tests do.
        r"-notebook-.* s3:\w+ on .*-data-|-notebook-.*-data-.* of s3:": (
            "The cells read the data and upload a data set; the tests run them with the administrator's keys."
        ),
        r"-notebook-.* drop action s3:GetObject on .*/notebooks/": "The instance's start script fetches them.",
        r"-notebook-.* drop action codepipeline:(Get|List)": "The cells follow an execution; they run as above.",
        r"-notebook-.* drop action sagemaker:(Describe|Invoke)Endpoint on .*-dev$": "The cells ask DEV, as above.",
        r"-notebook-.* drop action sagemaker:StopNotebookInstance": "A script there stops it when it is idle.",
        r"-notebook-.*log-group:/aws/sagemaker/NotebookInstances": (
            "SageMaker's page lists these for the role of a notebook instance, which writes the logs of its scripts."
        ),
        r"-notebook-.* drop action codecommit:Git(Pull|Push)": "JupyterLab clones the repository; a person pushes.",
        r"register-model-.*(model-package-group|s3:GetObject|s3:ListBucket|ecr:BatchGetImage|DescribeModelPackage)": "A"
        " rollback, a model's tags and a second registration of the same run.",
        r"check-dataset-.* drop action s3:(GetObject|ListBucket|ListBucketVersions) on .*-data-": (
            "The newest object of a folder, a manifest's objects, and a missing object told from a forbidden one."
        ),
        r"check-dataset-.* drop action s3:GetObject on .*/datasets/": "An upload whose event is delivered twice.",
        r"check-dataset-.*(/releases/|trained/)|check-dataset-.* drop action s3:ListBucket on .*-artifacts-": (
            "A release that is deployed again, and content that was trained before."
        ),
        r"check-dataset-.* drop action ssm:GetParameter": "A trainingjob.zip that names an image.",
        r"check-dataset-.* drop action codepipeline:StopPipelineExecution": "An upload whose event is delivered twice.",
        r"train-model-.*(s3:GetObject|ecr:BatchGetImage)": "A rollback, a trainingjob.zip, and an image that is gone.",
        r"train-model-.*CreateTrainingJob": "Each of four statements suffices for a kind of job: with the former or the"
        " present names of the keys, with and without a disk of its own; main.py has one instance type.",
        r"record-release-.*(s3:GetObject|ModelApprovalStatus)": "A record that is written again, and a package without"
        " another status.",
        r"model-dev-.*capture": "Data capture is configured for production only.",
        r"seed-repository-.*codecommit:GetCommit": "A repository that has commits already is left as it is.",
    }
)
"""Changes that nothing notices, by a pattern of their names."""
