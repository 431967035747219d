"""What the commands for a deployed pipeline share: clients, and failures that say what to do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what every such command takes."""
    parser.add_argument("pipeline", help="name of the pipeline, as `terraform output` shows it")
    parser.add_argument("--region", help="AWS region; that of your AWS configuration unless given")
    parser.add_argument("--json", action="store_true", help="print the result as JSON on standard output")


class Account:
    """Clients of the account and region that the user's AWS configuration leads to.

    ``AWS_ENDPOINT_URL`` leads to a rehearsal that was kept.
    """

    def __init__(self, region: str | None) -> None:
        import boto3

        self._session: Any = boto3.session.Session(region_name=region)

    def client(self, service: str) -> Any:
        """A client of one service."""
        return self._session.client(service)


@contextmanager
def told() -> Iterator[None]:
    """Tell what AWS answers as a sentence. Raises MlopsError."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        answer = error.response.get("Error", {})
        raise MlopsError(
            f"{error.operation_name} was refused with {answer.get('Code')}: {answer.get('Message')}"
        ) from error
    except BotoCoreError as error:
        raise MlopsError(f"AWS cannot be asked: {error}") from error
