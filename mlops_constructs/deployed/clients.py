"""Clients of AWS services, and AWS's errors as sentences."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Returns the client of a service, such as ``s3``.
Clients = Callable[[str], Any]
_SIGN_IN = "run `aws configure` or `aws sso login`, or set AWS_PROFILE"
# By a part of the code of AWS's error, or of the name of botocore's.
_REMEDIES = {
    "AccessDenied": "allow the action to this identity, or use another one: set AWS_PROFILE",
    "Credentials": _SIGN_IN,
    "Profile": "see `aws configure list-profiles`, and set AWS_PROFILE",
    "Expired": "sign in again, for example with `aws sso login`",
    "Throttl": "run the command again",
    "TooManyRequests": "run the command again",
    "Token": _SIGN_IN,
    "UnrecognizedClient": _SIGN_IN,
    "NoRegion": "give --region, or set AWS_DEFAULT_REGION",
    "Connect": "check the network, the region, and AWS_ENDPOINT_URL where it is set",
    "Timeout": "check the network, the region, and AWS_ENDPOINT_URL where it is set",
}


def connect(region: str | None = None, endpoint_url: str | None = None, keys: tuple[str, str] | None = None) -> Clients:
    """Return the function that creates the client of each service.

    Args:
        region: AWS region; unless given, that of the user's AWS configuration.
        endpoint_url: URL of a local AWS; unless given, ``AWS_ENDPOINT_URL`` or AWS itself.
        keys: Access key id and secret; unless given, those of the user's AWS configuration.

    Raises:
        MlopsError: when the user's AWS configuration cannot be read.
    """
    import boto3

    with explained("the AWS configuration could not be read"):
        key_id, secret = keys or (None, None)
        session: Any = boto3.session.Session(region_name=region, aws_access_key_id=key_id, aws_secret_access_key=secret)

    @cache
    def client(service: str) -> Any:
        with explained(f"the client of {service} could not be made"):
            return session.client(service, endpoint_url=endpoint_url)

    return client


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn boto3's exceptions into a sentence.

    Args:
        what: What failed when AWS refuses, such as ``the pipeline could not be started``.

    Raises:
        MlopsError: with ``what``, AWS's reason or boto3's, and what to do about it where that is known.
    """
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

    try:
        yield
    except ClientError as error:
        code, message = code_of(error), error.response.get("Error", {}).get("Message")
        raise MlopsError(f"{what}: {error.operation_name} was refused with {code}: {message}{_remedy(code)}") from error
    except ParamValidationError as error:
        raise MlopsError(f"{what}: {'; '.join(str(error).splitlines())}") from error
    except BotoCoreError as error:
        raise MlopsError(f"{what}: {str(error).rstrip('.')}{_remedy(type(error).__name__)}") from error
    except Boto3Error as error:
        raise MlopsError(f"{what}: {error}") from error


def _remedy(name: str) -> str:
    found = next((remedy for part, remedy in _REMEDIES.items() if part in name), "")
    return f"; {found}" if found else ""


def code_of(error: Any) -> str:
    """Return the error code of a ``ClientError``."""
    code: str = error.response.get("Error", {}).get("Code", "")
    return code
