"""Without enforcement every role may do everything, but only who is trusted gets a role."""

from __future__ import annotations

import pytest
from local_aws.tiny_container import make_role

from mlops_constructs.local_aws.local_aws import LocalAws
from mlops_constructs.local_aws.roles import assume_as
from mlops_constructs.local_aws.service import AwsError


def test_a_role_without_permissions_may_do_everything_only_without_enforcement() -> None:
    with LocalAws(docker=False, iam=False) as aws:
        role = make_role(aws, "bare", "lambda.amazonaws.com")
        aws.client("iam").delete_role_policy(RoleName="bare", PolicyName="everything")
        credentials = assume_as(aws.account, "lambda.amazonaws.com", role, "session")
        aws.client("s3", credentials).create_bucket(Bucket="anything")
        with pytest.raises(AwsError, match="Could not assume role"):
            assume_as(aws.account, "events.amazonaws.com", role, "session")
