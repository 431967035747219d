"""The caller's identity: credentials, account and region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..doctor.finding import Finding
from .asking import code_of
from .stack import Identity

if TYPE_CHECKING:
    from collections.abc import Iterator

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_WRONG = frozenset({"InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException", "AuthFailure"})


class Caller:
    """The identity of the credentials, by STS GetCallerIdentity, which no policy can deny.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html

    Attributes:
        arn: The ARN of the user, the assumed role or the account's root user; empty when unknown.
        identity: The account, the partition and the region; None when unknown.
        findings: The findings about credentials and region.
    """

    def __init__(self, session: Any, stack_region: str | None) -> None:
        """Call STS.

        Args:
            session: A boto3 session.
            stack_region: The region of the stack's provider; None where it is not a literal.
        """
        self.arn = ""
        self.identity: Identity | None = None
        self.region: str | None = stack_region or session.region_name
        self.findings = [*self._examine_region(session.region_name, stack_region), *self._ask(session)]

    def _examine_region(self, configured: str | None, wanted: str | None) -> Iterator[Finding]:
        if self.region is None:
            remedy = "Set AWS_DEFAULT_REGION, or give --region, or region= to AwsProvider."
            yield Finding("region", "broken", "neither the provider nor the AWS configuration names one", remedy)
        elif wanted and configured and wanted != configured:
            detail = f"{wanted} by the stack's provider, {configured} by the AWS configuration"
            remedy = f"Set AWS_DEFAULT_REGION={wanted} or give --region; otherwise the other commands use {configured}."
            yield Finding("region", "warning", detail, remedy)
        else:
            yield Finding("region", "good", self.region)

    def _ask(self, session: Any) -> Iterator[Finding]:
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

        if self.region is None:
            return
        try:
            answer = session.client("sts", region_name=self.region).get_caller_identity()
        except NoCredentialsError:
            remedy = "Run `aws configure` or `aws sso login`, or set AWS_PROFILE."
            yield Finding("credentials", "broken", "there are no credentials", remedy)
            return
        except ClientError as error:
            yield _refused(error, self.region)
            return
        except BotoCoreError as error:
            remedy = "Check the AWS configuration, the region's name and the network."
            yield Finding("credentials", "broken", f"AWS cannot be reached: {error}", remedy)
            return
        self.arn = answer["Arn"]
        partition = self.arn.split(":")[1]
        self.identity = Identity(answer["Account"], partition, self.region)
        yield _judge_arn(self.arn, partition)


def _refused(error: Any, region: str) -> Finding:
    code = code_of(error)
    if code in _EXPIRED:
        return Finding("credentials", "broken", "they have expired", "Sign in again, for example with `aws sso login`.")
    if code in _WRONG:
        remedy = (
            "Use active credentials of this partition and account;"
            f" {region} must be enabled in the account, and the clock of this machine must be correct."
        )
        return Finding("credentials", "broken", f"AWS does not accept them ({code})", remedy)
    return Finding("credentials", "broken", f"GetCallerIdentity was refused with {code}", "Use other credentials.")


def _judge_arn(arn: str, partition: str) -> Finding:
    if partition == "aws-cn":
        # The stack's apply fails with the same reason.
        remedy = "Deploy to another partition: CodePipeline has no CloudFormation action in aws-cn."
        return Finding("credentials", "broken", arn, remedy)
    if arn.endswith(":root"):
        return Finding(
            "credentials", "warning", arn, "Deploy as a role: use the root user only to manage the account itself."
        )
    return Finding("credentials", "good", arn)
