"""The serving program: settings in, exit code out."""

from __future__ import annotations

import logging
import os
import resource
import signal
import sys
from typing import NoReturn

from sagemaker_contract.errors import ContractError, ModelError
from sagemaker_contract.paths import Paths
from sagemaker_contract.serving import logs
from sagemaker_contract.serving.cpus import available_cpus
from sagemaker_contract.serving.settings import Settings
from sagemaker_contract.serving.supervisor import Supervisor

_log = logging.getLogger("serve")
_DESCRIPTORS = 16_384
_THREAD_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> NoReturn:
    """Serve; the exit code is 0 after SIGTERM, and 1 if the server cannot start or a worker cannot load the model."""
    # Until the workers run there is nothing to drain. Without a handler, process 1 would ignore the signal.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    logs.configure(logging.INFO)
    code = _serve()
    logging.shutdown()
    sys.stdout.flush()
    # With a normal exit, native libraries that were imported before the fork of the workers can wait forever.
    os._exit(code)


def _serve() -> int:
    try:
        settings = Settings.from_env()
        logs.configure(settings.log_level)
        _divide_processors(settings.workers)
        _allow_connections()
        return Supervisor(settings, Paths.from_env()).run()
    except ContractError as error:
        _log.error("%s", error)
    except Exception as error:
        _log.exception("the server cannot start")
        _log.error("%s", ModelError(f"cannot import the algorithm: {type(error).__name__}: {error}"))
    return 1


def _divide_processors(workers: int) -> None:
    """Divide the processors between the workers' thread pools; numeric libraries read the variables at import."""
    share = str(max(1, available_cpus() // workers))
    for name in _THREAD_POOLS:
        os.environ.setdefault(name, share)


def _allow_connections() -> None:
    """Allow as many file descriptors, and so connections, as this process may have; the usual default is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
