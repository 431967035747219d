"""What the other services refuse."""

from __future__ import annotations

import json
from datetime import datetime

from local_aws.refusals.calls import LEFT_OUT, Refusal

V = "ValidationException"
_ALARM, _PARAMETER = "cloudwatch:PutMetricAlarm", "ssm:PutParameter"
_PUT_TARGETS, _FUNCTION = "events:PutTargets", "lambda:CreateFunction"
_PERIOD = "Period: the total evaluation period can't be longer than one day for periods below one hour, else seven days"
_STATISTIC = "Statistic: you must specify either Statistic or ExtendedStatistic, but not both."
_METRIC = "MetricName: you must specify either MetricName, a Metrics array, or an EvaluationCriteria."
_SSM_NAME = "PutParameter.Name: can't be prefixed with aws or ssm (case-insensitive)"
_LIMITS = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
_PUT_OBJECT = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html"
_IDENTIFIERS = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html"
_PIPELINE_ARN = "arn:aws:codepipeline:us-east-1:123456789012:pipeline"
_QUEUE = {"Arn": "arn:aws:sqs:us-east-1:123456789012:dead"}

_DATA, _STATISTICS, _STAT = (
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricStatistics",
    "MetricDataQueries.0.MetricStat",
)
_TIMES = "https://github.com/influxdata/telegraf/issues/2022, https://github.com/elastic/beats/issues/32687"
_GRANULARITY = "Period: 1, 5, 10, 20, 30, 60, or any multiple of 60; a multiple of 60 for regular resolution."
_KNOWN_STATISTICS = "https://github.com/prometheus-community/yet-another-cloudwatch-exporter/issues/385"
_ONE_KIND = "Statistics: you must specify either Statistics or ExtendedStatistics, but not both."
_QUERY_ID = "MetricDataQuery.Id: letters, numbers, underscore; the first is a lowercase letter; unique in a call."
_START, _END = datetime(2026, 1, 1), datetime(2026, 1, 2)

METRICS = [
    *(
        Refusal(f"{name}-{kind}", call, code, _TIMES, changes)
        for kind, call, code in (
            ("data", _DATA, "ValidationError"),
            ("statistics", _STATISTICS, "InvalidParameterValue"),
        )
        for name, changes in (
            ("no-time", {"EndTime": _START}),
            ("time-upside-down", {"StartTime": _END, "EndTime": _START}),
        )
    ),
    *(
        Refusal(f"data-period-{seconds}", _DATA, "ValidationError", _GRANULARITY, {f"{_STAT}.Period": seconds})
        for seconds in (30, 45, 90)
    ),
    *(
        Refusal(f"statistics-period-{seconds}", _STATISTICS, "InvalidParameterValue", _GRANULARITY, {"Period": seconds})
        for seconds in (45, 90)
    ),
    *(
        Refusal(f"data-{stat}", _DATA, "ValidationError", _KNOWN_STATISTICS, {f"{_STAT}.Stat": stat})
        for stat in ("sum", "Median", "p101", "p-1", "TC(:)", "TC(5:5)", "PR(300:100)", "PR(:)", "TC(1,5:2)", "xc90")
    ),
    Refusal(
        "501-queries",
        _DATA,
        "ValidationError",
        "MetricDataQueries: A single GetMetricData call can include as many as 500 MetricDataQuery structures.",
        {
            "MetricDataQueries": [
                {
                    "Id": f"q{number}",
                    "MetricStat": {
                        "Metric": {"Namespace": "AWS/SageMaker", "MetricName": "Invocations"},
                        "Period": 60,
                        "Stat": "Sum",
                    },
                }
                for number in range(501)
            ]
        },
    ),
    Refusal("query-id-twice", _DATA, "ValidationError", _QUERY_ID, {"MetricDataQueries.1.Id": "requests"}),
    Refusal("query-id-in-capitals", _DATA, "ValidationError", _QUERY_ID, {"MetricDataQueries.0.Id": "Requests"}),
    Refusal(
        "metric-and-expression",
        _DATA,
        "ValidationError",
        "MetricDataQuery: you must specify either Expression or MetricStat but not both.",
        {"MetricDataQueries.0.Expression": "1"},
    ),
    Refusal(
        "neither-metric-nor-expression",
        _DATA,
        "ValidationError",
        "MetricDataQuery: you must specify either Expression or MetricStat but not both.",
        {"MetricDataQueries.0.MetricStat": LEFT_OUT},
    ),
    Refusal(
        "math-of-sagemaker",
        _DATA,
        "NotImplementedException",
        "the local AWS evaluates no metric math",
        {"MetricDataQueries.0": {"Id": "rate", "Expression": "again / 2"}},
    ),
    Refusal(
        "trimmed-mean-of-sagemaker",
        _DATA,
        "NotImplementedException",
        "the local AWS has no trimmed mean",
        {f"{_STAT}.Stat": "tm99"},
    ),
    Refusal("no-datapoints", _DATA, "ValidationError", "MaxDatapoints: the default is 100,800.", {"MaxDatapoints": 0}),
    Refusal(
        "token-of-nobody",
        _DATA,
        "InvalidNextToken",
        "GetMetricData.Errors: InvalidNextToken",
        {"NextToken": "never-given"},
    ),
    Refusal(
        "both-statistics",
        _STATISTICS,
        "InvalidParameterCombination",
        _ONE_KIND,
        {"ExtendedStatistics": ["p90"]},
    ),
    Refusal("no-statistics", _STATISTICS, "InvalidParameterCombination", _ONE_KIND, {"Statistics": LEFT_OUT}),
    Refusal(
        "unknown-statistics",
        _STATISTICS,
        "ValidationError",
        "Statistics: SampleCount, Average, Sum, Minimum, Maximum",
        {"Statistics": ["Median"]},
    ),
    Refusal(
        "unknown-percentile",
        _STATISTICS,
        "InvalidParameterValue",
        "ExtendedStatistics: Specify values between p0.0 and p100.",
        {"Statistics": LEFT_OUT, "ExtendedStatistics": ["p101"]},
    ),
    Refusal(
        "1441-datapoints",
        _STATISTICS,
        "InvalidParameterCombination",
        "https://github.com/cloud-custodian/cloud-custodian/issues/7683",
        {"EndTime": datetime(2026, 1, 2, 0, 1)},
    ),
]

_PUBLISHED = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html"
_DIMENSION = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html"
_SUBJECT = "https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"

PUBLISHED = [
    *(
        Refusal(name, "cloudwatch:PutMetricData", "InvalidParameterValue", source, {f"MetricData.0.{member}": value})
        for name, source, member, value in (
            ("value-nan", _PUBLISHED, "Value", float("nan")),
            ("value-infinite", _PUBLISHED, "Value", float("inf")),
            ("old-timestamp", _PUBLISHED, "Timestamp", datetime(2020, 1, 1)),
            ("future-timestamp", _PUBLISHED, "Timestamp", datetime(2100, 1, 1)),
            ("dimension-not-ascii", _DIMENSION, "Dimensions", [{"Name": "Feature", "Value": "größe"}]),
            ("dimension-of-spaces", _DIMENSION, "Dimensions", [{"Name": "Feature", "Value": "  "}]),
        )
    ),
    Refusal(
        "1001-metrics",
        "cloudwatch:PutMetricData",
        "InvalidParameterValue",
        _PUBLISHED,
        {"MetricData": [{"MetricName": f"m{number}", "Value": 1.0} for number in range(1_001)]},
    ),
    *(
        Refusal(f"subject-{name}", "sns:Publish", "InvalidParameter", _SUBJECT, {"Subject": subject})
        for name, subject in (("of-100", "x" * 100), ("of-two-lines", "a\nb"), ("not-ascii", "größe"), ("space", " a"))
    ),
]

CALLS = [
    *PUBLISHED,
    Refusal("two-statistics", _ALARM, "ValidationError", _STATISTIC, {"ExtendedStatistic": "p90"}),
    Refusal("no-statistic", _ALARM, "ValidationError", _STATISTIC, {"Statistic": LEFT_OUT}),
    Refusal("no-metric", _ALARM, "ValidationError", _METRIC, {"MetricName": LEFT_OUT}),
    Refusal(
        "metric-and-metrics",
        _ALARM,
        "ValidationError",
        "Metrics: If you use the Metrics parameter, you cannot include the MetricName parameter.",
        {"Metrics": [{"Id": "a", "Expression": "1"}]},
    ),
    Refusal("odd-period", _ALARM, "ValidationError", "Period: 10, 20, 30, and any multiple of 60.", {"Period": 45}),
    Refusal("alarm-over-a-day", _ALARM, "ValidationError", _PERIOD, {"EvaluationPeriods": 1441}),
    Refusal("alarm-over-a-week", _ALARM, "ValidationError", _PERIOD, {"Period": 3600, "EvaluationPeriods": 169}),
    Refusal(
        "more-datapoints-than-periods",
        _ALARM,
        "ValidationError",
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html",
        {"DatapointsToAlarm": 3},
    ),
    Refusal(
        "dimension-with-a-colon",
        _ALARM,
        "ValidationError",
        "Dimension.Name: cannot start with a colon (:).",
        {"Dimensions.0.Name": ":EndpointName"},
    ),
    *METRICS,
    Refusal("ssm-aws", _PARAMETER, V, _SSM_NAME, {"Name": "awsome"}),
    Refusal("ssm-aws-in-a-hierarchy", _PARAMETER, "AccessDeniedException", _SSM_NAME, {"Name": "/aws-iris/image"}),
    Refusal("ssm-ssm", _PARAMETER, V, _SSM_NAME, {"Name": "/SSM-iris/image"}),
    Refusal("ssm-space", _PARAMETER, V, "Parameter names can't contain spaces.", {"Name": "/with space"}),
    Refusal("ssm-without-slash", _PARAMETER, V, "you must include a leading forward slash", {"Name": "a/b"}),
    Refusal(
        "ssm-reference", _PARAMETER, V, "Value: You can't include values in double brackets", {"Value": "{{ssm:b}}"}
    ),
    Refusal(
        "ssm-4-kb", _PARAMETER, V, "Tier: Standard parameters have a content size limit of 4 KB", {"Value": "a" * 4097}
    ),
    Refusal("ssm-without-type", _PARAMETER, V, "Type: You must specify a parameter type", {"Type": LEFT_OUT}),
    Refusal(
        "ssm-exists",
        _PARAMETER,
        "ParameterAlreadyExists",
        "PutParameter.Overwrite: false by default.",
        {"Name": "/known"},
    ),
    Refusal(
        "rule-of-nothing",
        "events:PutRule",
        V,
        "PutRule: must contain at least an EventPattern or ScheduleExpression.",
        {"EventPattern": LEFT_OUT},
    ),
    Refusal(
        "pattern-that-is-no-json",
        "events:PutRule",
        "InvalidEventPatternException",
        "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html",
        {"EventPattern": "{not json"},
    ),
    Refusal(
        "rule-with-targets",
        "events:DeleteRule",
        V,
        "DeleteRule: Before you can delete the rule, you must remove all targets.",
        {"Name": "full"},
    ),
    Refusal(
        "sixth-target",
        _PUT_TARGETS,
        "LimitExceededException",
        "PutTargets: Each rule can have up to five (5) targets.",
        {"Rule": "full"},
    ),
    Refusal(
        "rule-of-nobody",
        _PUT_TARGETS,
        "ResourceNotFoundException",
        "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html",
        {"Rule": "never-made"},
    ),
    Refusal(
        "two-inputs",
        _PUT_TARGETS,
        V,
        "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html: mutually exclusive",
        {"Targets.0.Input": "{}"},
    ),
    Refusal(
        "target-without-role",
        _PUT_TARGETS,
        V,
        "https://github.com/awsdocs/aws-codepipeline-user-guide/pull/18: RoleArn is required for target",
        {"Targets.0.RoleArn": LEFT_OUT},
    ),
    Refusal(
        "path-of-aws",
        _PUT_TARGETS,
        V,
        'InputPathsMap: The keys cannot start with "AWS".',
        {"Targets.0.InputTransformer.InputPathsMap": {"AWS.key": "$.detail"}},
    ),
    Refusal(
        "path-in-brackets",
        _PUT_TARGETS,
        V,
        "InputPathsMap: You must use JSON dot notation, not bracket notation.",
        {"Targets.0.InputTransformer.InputPathsMap": {"key": "$['detail']"}},
    ),
    Refusal(
        "placeholder-of-nothing",
        _PUT_TARGETS,
        V,
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html",
        {"Targets.0.InputTransformer.InputTemplate": '{"key": <other>}'},
    ),
    Refusal(
        "fifo-queue-by-another-name",
        "sqs:CreateQueue",
        "InvalidParameterValue",
        "QueueName: A FIFO queue name must end with the .fifo suffix.",
        {"Attributes": {"FifoQueue": "true"}},
    ),
    Refusal(
        "alias-of-aws",
        "kms:CreateAlias",
        "NotAuthorizedException",
        "AliasName: The alias name cannot begin with alias/aws/.",
        {"AliasName": "alias/aws/mine"},
    ),
    Refusal(
        "alias-of-nobody",
        "kms:CreateAlias",
        "NotFoundException",
        "CreateAlias: You can't create an alias without a KMS key.",
        {"TargetKeyId": "1234abcd-12ab-34cd-56ef-1234567890ab"},
    ),
    Refusal(
        "key-gone-in-six-days",
        "kms:ScheduleKeyDeletion",
        V,
        "PendingWindowInDays: must be between 7 and 30, inclusive.",
        {"PendingWindowInDays": 6},
    ),
    Refusal(
        "key-policy-without-principal",
        "kms:CreateKey",
        "MalformedPolicyDocumentException",
        "CreateKey.Policy: Each statement in the key policy must contain one or more principals.",
        {"Policy": json.dumps({"Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]})},
    ),
    Refusal("role-twice", "iam:CreateRole", "EntityAlreadyExists", _IDENTIFIERS, {"RoleName": "for-lambda"}),
    Refusal("role-in-other-case", "iam:CreateRole", "EntityAlreadyExists", _IDENTIFIERS, {"RoleName": "FOR-LAMBDA"}),
    Refusal(
        "trust-that-is-no-json",
        "iam:CreateRole",
        "MalformedPolicyDocument",
        "AssumeRolePolicyDocument: you must provide a JSON policy.",
        {"AssumeRolePolicyDocument": "not json"},
    ),
    Refusal(
        "policy-of-nothing",
        "iam:PutRolePolicy",
        "MalformedPolicyDocument",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html",
        {"PolicyDocument": json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*"}]})},
    ),
    Refusal(
        "role-with-policies",
        "iam:DeleteRole",
        "DeleteConflict",
        "DeleteRole: you must delete the items attached to the role manually, or the deletion fails.",
        {"RoleName": "with-a-policy"},
    ),
    Refusal(
        "function-without-handler",
        _FUNCTION,
        "InvalidParameterValueException",
        "Handler is required",
        {"Handler": LEFT_OUT},
    ),
    Refusal(
        "function-without-runtime",
        _FUNCTION,
        "InvalidParameterValueException",
        "Runtime is required",
        {"Runtime": LEFT_OUT},
    ),
    Refusal("function-over-15-minutes", _FUNCTION, V, _LIMITS, {"Timeout": 901}),
    Refusal("function-with-too-much-memory", _FUNCTION, V, _LIMITS, {"MemorySize": 10241}),
    Refusal(
        "environment-over-4-kb",
        _FUNCTION,
        "InvalidParameterValueException",
        _LIMITS,
        {"Environment.Variables": {"NAME": "x" * 4096}},
    ),
    Refusal(
        "reserved-environment",
        _FUNCTION,
        "InvalidParameterValueException",
        "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html",
        {"Environment.Variables": {"AWS_REGION": "eu-west-1"}},
    ),
    Refusal(
        "function-role-of-nobody",
        _FUNCTION,
        "InvalidParameterValueException",
        "https://github.com/Pizzaface/Alexa-Chromecast-Skill-2.0/issues/9",
        {"Role": "arn:aws:iam::123456789012:role/of-nobody"},
    ),
    Refusal(
        "function-role-of-sagemaker",
        _FUNCTION,
        "InvalidParameterValueException",
        "https://github.com/Pizzaface/Alexa-Chromecast-Skill-2.0/issues/9",
        {"Role": lambda world: world.roles["sagemaker"]},
    ),
    Refusal(
        "project-with-a-location",
        "codebuild:CreateProject",
        "InvalidInputException",
        "ProjectSource.location: If you specify CODEPIPELINE for the Type property, don't specify this property.",
        {"source.location": "https://example.com/code.git"},
    ),
    Refusal(
        "project-without-a-location",
        "codebuild:CreateProject",
        "InvalidInputException",
        "ProjectSource.location: For all of the other types, you must specify Location.",
        {"source.type": "GITHUB", "artifacts.type": "NO_ARTIFACTS"},
    ),
    Refusal(
        "project-of-half-a-pipeline",
        "codebuild:CreateProject",
        "InvalidInputException",
        "https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectArtifacts.html",
        {"artifacts.type": "NO_ARTIFACTS"},
    ),
    Refusal(
        "pipeline-with-a-conflict",
        "codepipeline:CreatePipeline",
        "InvalidActionDeclarationException",
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html",
        {"pipeline.stages.0.actions.0.namespace": "DatasetObject"},
    ),
    Refusal(
        "pipeline-of-one-stage",
        "codepipeline:CreatePipeline",
        "InvalidStructureException",
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html",
        {"pipeline.stages.1": LEFT_OUT},
    ),
    Refusal(
        "template-over-51200-bytes",
        "cloudformation:CreateStack",
        "ValidationError",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html",
        {"TemplateBody": json.dumps({"Description": "x" * 51200, "Resources": {}})},
    ),
    Refusal(
        "template-twice",
        "cloudformation:CreateStack",
        "ValidationError",
        "TemplateURL: you must specify only one of TemplateBody, TemplateURL.",
        {"TemplateURL": "https://example.s3.amazonaws.com/t.json"},
    ),
    Refusal(
        "value-and-previous-value",
        "cloudformation:CreateChangeSet",
        "ValidationError",
        "Parameter.UsePreviousValue: If you specify true, do not specify a parameter value.",
        {"Parameters": [{"ParameterKey": "Threshold", "ParameterValue": "1", "UsePreviousValue": True}]},
    ),
    Refusal(
        "parameter-of-nobody",
        "cloudformation:CreateStack",
        "ValidationError",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html",
        {"Parameters": [{"ParameterKey": "Other", "ParameterValue": "1"}]},
    ),
    Refusal(
        "stack-reserved-tag",
        "cloudformation:CreateStack",
        "ValidationError",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html",
        {"Tags": [{"Key": "aws:team", "Value": "a"}]},
    ),
    Refusal(
        "manifest-without-media-type",
        "ecr:PutImage",
        "InvalidParameterException",
        "PutImage.imageManifestMediaType: you must specify it where the manifest has no mediaType.",
        {"imageManifest": json.dumps({"schemaVersion": 2})},
    ),
    Refusal(
        "digest-of-another-manifest",
        "ecr:PutImage",
        "ImageDigestDoesNotMatchException",
        "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImage.html",
        {"imageDigest": f"sha256:{'0' * 64}"},
    ),
    Refusal(
        "repository-in-capitals",
        "ecr:CreateRepository",
        "InvalidParameterException",
        "CreateRepository.repositoryName: lowercase letters, numbers, hyphens, underscores, and forward slashes.",
        {"repositoryName": "Images"},
    ),
    Refusal(
        "logs-kept-100-days",
        "logs:PutRetentionPolicy",
        "InvalidParameterException",
        "PutRetentionPolicy.retentionInDays: Possible values are 1, 3, 5, 7, 14, 30, ...",
        {"retentionInDays": 100},
    ),
    Refusal(
        "log-group-twice",
        "logs:CreateLogGroup",
        "ResourceAlreadyExistsException",
        "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html",
        {"logGroupName": "/logs"},
    ),
    Refusal("metadata-over-2-kb", "s3:PutObject", "MetadataTooLarge", _PUT_OBJECT, {"Metadata": {"a": "x" * 2049}}),
    Refusal("key-over-1024-bytes", "s3:PutObject", "KeyTooLongError", _PUT_OBJECT, {"Key": "k" * 1025}),
    Refusal(
        "object-key-of-nobody",
        "s3:PutObject",
        "KMS.NotFoundException",
        "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html",
        {
            "ServerSideEncryption": "aws:kms",
            "SSEKMSKeyId": "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        },
    ),
    Refusal(
        "eleven-tags", "s3:PutObject", "BadRequest", _PUT_OBJECT, {"Tagging": "&".join(f"k{n}=v" for n in range(11))}
    ),
    Refusal(
        "eleven-tags-later",
        "s3:PutObjectTagging",
        "BadRequest",
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html",
        {"Tagging": {"TagSet": [{"Key": f"k{number}", "Value": "v"} for number in range(11)]}},
    ),
    Refusal("wrong-sha256", "s3:PutObject", "BadDigest", _PUT_OBJECT, {"ChecksumSHA256": "A" * 43 + "="}),
    Refusal("wrong-sha1", "s3:PutObject", "BadDigest", _PUT_OBJECT, {"ChecksumSHA1": "A" * 27 + "="}),
    Refusal("wrong-crc32", "s3:PutObject", "BadDigest", _PUT_OBJECT, {"ChecksumCRC32": "AAAAAA=="}),
    Refusal("wrong-crc32c", "s3:PutObject", "BadDigest", _PUT_OBJECT, {"ChecksumCRC32C": "AAAAAA=="}),
    Refusal("wrong-crc64", "s3:PutObject", "BadDigest", _PUT_OBJECT, {"ChecksumCRC64NVME": "AAAAAAAAAAA="}),
    Refusal("wrong-md5", "s3:PutObject", "BadDigest", _PUT_OBJECT, {"ContentMD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}),
    Refusal("md5-that-is-none", "s3:PutObject", "InvalidDigest", _PUT_OBJECT, {"ContentMD5": "none"}),
    Refusal(
        "bucket-in-capitals",
        "s3:CreateBucket",
        "InvalidBucketName",
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html",
        {"Bucket": "Data"},
    ),
]
