"""KMS keys that cannot be used: what a service answers when it needs one.

A key that is disabled, or whose deletion is scheduled, fails whatever encrypts or decrypts with it, whoever asks:
https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_constructs.local_aws.access.facts import DELETED

if TYPE_CHECKING:
    from collections.abc import Mapping

# The actions that such a key fails; it can still be described, enabled, and its deletion cancelled.
_USES = (
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncrypt",
)
# Codes for a disabled key, for one that waits for its deletion and for one that is gone, and the HTTP status.
# S3: https://github.com/localstack/localstack/pull/8423, compared with AWS there. The others are the errors
# of Publish, SendMessage, Invoke, GetParameter and Decrypt in botocore's models.
_CODES: Mapping[str, tuple[str, str, str, int]] = {
    "kms": ("DisabledException", "KMSInvalidStateException", "NotFoundException", 400),
    "lambda": ("KMSDisabledException", "KMSInvalidStateException", "KMSNotFoundException", 502),
    "s3": ("KMS.DisabledException", "KMS.KMSInvalidStateException", "KMS.NotFoundException", 400),
    "sns": ("KMSDisabled", "KMSInvalidState", "KMSNotFound", 400),
    "sqs": ("KmsDisabled", "KmsInvalidState", "KmsNotFound", 400),
    "ssm": ("InvalidKeyId", "InvalidKeyId", "InvalidKeyId", 400),
}
_OTHERS = ("ValidationException", "ValidationException", "ValidationException", 400)


def needs_usable_key(action: str) -> bool:
    """Whether an action uses a key, so that the key must be enabled."""
    return action.startswith(_USES)


def problem_of(key_arn: str, state: str) -> str:
    """Return AWS's sentence on a key that cannot be used."""
    if state == DELETED:
        return f"Key '{key_arn}' does not exist"
    return f"{key_arn} is {'disabled' if state == 'Disabled' else 'pending deletion'}."


def code_of(service: str, state: str) -> tuple[str, int]:
    """Return the error code and the HTTP status with which a service answers."""
    disabled, pending, deleted, status = _CODES.get(service, _OTHERS)
    return {"Disabled": disabled, DELETED: deleted}.get(state, pending), status
