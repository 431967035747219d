"""What ``mlops rehearse --keep`` does at the end, and ``mlops rehearse --resume`` from the beginning."""

from __future__ import annotations

import contextlib
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from ..local_aws.errors import LocalAwsError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from types import TracebackType

    from ..local_aws.local_aws import LocalAws
    from ..local_aws.scratch import ScratchFolder
    from ..local_aws.snapshot.folder import KeptFolder
    from ..local_aws.snapshot.saver import Saver
    from ._view import View

_AGAIN = "Rehearse again: mlops rehearse --keep"


def add_keeping(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--keep", action="store_true", help="keep the local AWS running at the end, until Ctrl-C")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="bring back what --keep has kept in this folder, as it was when it ended; no other option is needed",
    )


class Keeper:
    """Saves a local AWS from the deployment on, and keeps it running; without a folder, it does nothing."""

    def __init__(self, aws: LocalAws, folder: KeptFolder | None, view: View) -> None:
        self._aws, self._folder, self._view = aws, folder, view
        self._name = ""
        self._saver: Saver | None = None

    def __enter__(self) -> Keeper:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._saver is not None:
            self._saver.close(finish=error is None)

    def begin(self, pipeline: str) -> None:
        """Save what is deployed from now on."""
        from ..local_aws.snapshot.saver import Saver

        self._name = pipeline
        if self._folder is not None:
            aws = self._aws
            about = {"pipeline": pipeline, "project": str(Path.cwd()), "port": aws.port, "region": aws.region}
            self._saver = Saver(aws, self._folder, about)
            self._saver.start()

    def keep(self) -> None:
        """Keep it running until Ctrl-C, then leave it as it was saved."""
        from ..local_aws.kept import kept

        assert self._folder is not None
        self._folder.is_kept = True
        self._view.say(_instructions(self._aws, self._name, resumable=self._saver is not None))
        with kept(self._aws.url, self._aws.region), contextlib.suppress(KeyboardInterrupt):
            self._forget_older()
            while True:
                time.sleep(1)
        if self._saver is None:
            return
        self._saver.close(finish=True)
        if self._saver.saved:
            when = datetime.fromtimestamp(self._saver.saved).strftime("%H:%M:%S")
            self._view.say(
                f"It is kept as it was at {when}. mlops rehearse --resume brings it back; mlops cache clear deletes it."
            )
        else:
            self._view.say(f"It could not be saved: {self._saver.problem or 'what was in progress did not end'}.")

    def _forget_older(self) -> None:
        """Delete what earlier rehearsals of this project have kept, as soon as this one is saved."""
        from ..local_aws.snapshot.folder import forget, found

        while self._saver is None or not self._saver.saved:
            time.sleep(1)
        for home, about in found().items():
            if about.get("project") == str(Path.cwd()):
                forget(home)  # except this one, which is used


@contextlib.contextmanager
def new_folder(*, wanted: bool) -> Iterator[KeptFolder | None]:
    """A folder for a rehearsal that is kept; those whose process was killed before it was deployed are deleted."""
    from ..local_aws.snapshot.folder import KeptFolder, forget, unused

    for home in unused():
        if not (home / "snapshot").is_file():
            forget(home)
    if not wanted:
        yield None
        return
    folder = KeptFolder()
    try:
        yield folder
    finally:
        folder.close()


def resume(options: argparse.Namespace) -> int:
    """Start the local AWS that was kept in this folder, and keep it.

    Raises:
        MlopsError: when there is none, it still runs, or it cannot be read by this version.
    """
    from ..local_aws.local_aws import LocalAws
    from ..local_aws.snapshot.file import read
    from ..local_aws.snapshot.folder import KeptFolder
    from ._view import make_view

    home, about = _chosen()
    try:
        folder = KeptFolder(home)
    except LocalAwsError:
        raise MlopsError("the kept rehearsal still runs: `mlops status PIPELINE --local` finds it") from None
    with contextlib.ExitStack() as stack:
        stack.callback(folder.close)
        view = stack.enter_context(make_view(options))
        try:
            snapshot = read(folder.file)
        except LocalAwsError as error:
            raise MlopsError(f"{error}. {_AGAIN}") from None
        aws = LocalAws(port=about["port"], region=about["region"], folder=_restored(folder.files, about["workdir"]))
        aws.add_listener(view.log)
        with view.step("Resume", f"{about['pipeline']} as it was at {_time(about['saved'])}"):
            _start(aws, snapshot)
        stack.callback(aws.close)
        keeper = stack.enter_context(Keeper(aws, folder, view))
        keeper.begin(about["pipeline"])
        view.close()
        keeper.keep()
    return 0


def _chosen() -> tuple[Path, dict[str, Any]]:
    """Return the newest one of this project."""
    from ..local_aws.snapshot.file import read
    from ..local_aws.snapshot.folder import found

    kept, project = found(), str(Path.cwd())
    for home, about in kept.items():
        if about.get("project") == project:
            return home, about
    for home, about in kept.items():
        if not about:
            try:
                read(home / "snapshot")
            except LocalAwsError as error:
                raise MlopsError(f"{error}. {_AGAIN}") from None
    others = sorted({str(about["project"]) for about in kept.values()})
    where = f"; there is one of {', '.join(others)}" if others else ""
    raise MlopsError(f"no rehearsal of {project} is kept{where}; `mlops rehearse --keep` keeps one")


def _restored(files: Path, workdir: str) -> ScratchFolder:
    """Return the folder in which the local AWS was, with the files that it needs."""
    from ..local_aws.scratch import ScratchFolder, sweep
    from ..local_aws.snapshot.files import copy_new

    sweep()
    try:
        folder = ScratchFolder("local-aws-", Path(workdir))
    except OSError as error:
        raise MlopsError(f"the kept rehearsal needs the folder {workdir}: {error.strerror}") from None
    copy_new(files, folder.path)
    return folder


def _start(aws: LocalAws, snapshot: bytes) -> None:
    try:
        aws.start(snapshot)
    except LocalAwsError as error:
        raise MlopsError(f"{error}; the kept rehearsal has this port in its URLs, and needs this one") from None
    except Exception as error:
        raise MlopsError(f"the kept rehearsal cannot be resumed ({type(error).__name__}: {error}). {_AGAIN}") from error


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M:%S")


def clone_urls(aws: LocalAws) -> list[str]:
    """What git clones: the repositories of a local AWS. A push to one builds a new image."""
    listed = aws.client("codecommit").list_repositories()["repositories"]
    return [aws.git.url(one["repositoryName"]) for one in listed]


def _instructions(aws: LocalAws, name: str, *, resumable: bool) -> str:
    from ..local_aws.credentials import ACCESS_KEY_ID, SECRET_ACCESS_KEY

    commands = (f"status {name}", f"upload {name} train.csv", f"approve {name}", f"invoke {name} 5.1,3.5,1.4,0.2")
    return (
        "The local AWS keeps running until Ctrl-C. In another terminal:\n"
        + "".join(f"  mlops {command} --local\n" for command in commands)
        + "".join(f"  git clone {url} algorithm\n" for url in clone_urls(aws))
        + "Other programs, such as the AWS CLI and boto3, find it with:\n"
        f"  export AWS_ENDPOINT_URL={aws.url} AWS_DEFAULT_REGION={aws.region} "
        f"AWS_ACCESS_KEY_ID={ACCESS_KEY_ID} AWS_SECRET_ACCESS_KEY={SECRET_ACCESS_KEY}"
        + ("\nWhen it has ended, even by a crash, this brings it back:\n  mlops rehearse --resume" if resumable else "")
    )
