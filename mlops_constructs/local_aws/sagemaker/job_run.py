"""How a job of SageMaker ends when its run breaks: always with a final status and a reason."""

from __future__ import annotations

import logging
import shutil
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.containers.images import ContainerError
from mlops_constructs.local_aws.sagemaker.job_files import JobError

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account

logger = logging.getLogger(__name__)


class JobRun(ABC):
    """Runs one job from start to end, in a thread of its own."""

    def __init__(self, account: Account, kind: str, name: str) -> None:
        """Prepare the run of a job of a kind, such as ``training``."""
        self._account, self._title = account, f"{kind} job {name}"
        self._base = account.workdir / kind / name / "opt" / "ml"

    def run(self) -> None:
        """Run the job; it gets a final status also when it fails."""
        try:
            self._work()
        except (ContainerError, ClientError) as error:
            self._fail(f"ClientError: {error}")
        except JobError as error:
            self._fail(str(error))
        except Exception as error:
            # While the account closes, operations in progress may fail, and nobody reads the status.
            if self._account.closing.is_set():
                return
            self._fail(f"InternalServerError: {type(error).__name__}: {error}")
            logger.exception(self._title)
        finally:
            self._close_logs()
            shutil.rmtree(self._base, ignore_errors=True)

    @abstractmethod
    def _work(self) -> None:
        """Do what the job does, and set its final status. Raises when it cannot."""

    @abstractmethod
    def _fail(self, reason: str) -> None:
        """Set the status Failed."""

    @abstractmethod
    def _close_logs(self) -> None:
        """Write what is left of the logs."""
