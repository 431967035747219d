"""The notebook's start script, run by bash with the real AWS CLI; only systemd and sudo are stand-ins."""

from __future__ import annotations

import datetime
import json
import os
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from notebook_script import on_start
from synthesis import synth

import mlops_constructs
from mlops_constructs._aws.naming import physical_name
from mlops_constructs._payload import archive
from mlops_constructs.local_aws.local_aws import LocalAws
from mlops_constructs.stages.notebook.stage import notebook_files

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTEBOOKS = Path(mlops_constructs.__file__).parent / "notebooks"
BUNDLE = archive("notebooks", notebook_files(None))
KEY = f"notebooks/{physical_name('p', 's/p')}/{BUNDLE.sha256}.zip"
NAMES = sorted(path.name for path in NOTEBOOKS.iterdir())
HOUR = 3600
# As root, the real one would take other rights; here it shows who should run what, and that root wrote nothing before.
SUDO = """#!/bin/bash
echo "$@" >> {record}
ls -A {home} >> {record}.before
shift 2
exec "$@"
"""


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as local:
        local.client("s3").create_bucket(Bucket="a-bucket")
        yield local


@pytest.fixture(scope="module")
def script() -> str:
    return on_start(synth())


class Jupyter:
    """Answers as Jupyter does on the instance: HTTPS on loopback, with a certificate of its own."""

    def __init__(self, folder: Path) -> None:
        self.sessions: list[dict[str, Any]] = []
        self.terminals: list[dict[str, Any]] = []
        jupyter = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps({"/api/sessions": jupyter.sessions, "/api/terminals": jupyter.terminals}[self.path])
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate(folder))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://localhost:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def kernel(self, state: str, *, idle_seconds: int) -> None:
        self.sessions.append({"kernel": {"execution_state": state, "last_activity": before(idle_seconds)}})

    def terminal(self, *, idle_seconds: int) -> None:
        self.terminals.append({"name": "1", "last_activity": before(idle_seconds)})

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def before(seconds: int) -> str:
    then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds)
    return then.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "jupyter.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


class Instance:
    """A folder that stands for the notebook instance's disk."""

    def __init__(self, root: Path, aws: LocalAws, script: str) -> None:
        self._root, self._aws = root, aws
        self.jupyter = Jupyter(root)
        self.home = self._folder("home/ec2-user/SageMaker")
        self.notebooks = self.home / "mlops-notebooks"
        self.note = self.home / "NOTEBOOKS_MISSING.txt"
        self.bin, self.units = self._folder("usr/local/bin"), self._folder("etc/systemd/system")
        self._metadata = self._folder("opt/ml/metadata") / "resource-metadata.json"
        self._metadata.write_text(json.dumps({"ResourceName": "a-notebook"}))
        self.uptime(100 * HOUR)
        self._stand_ins = self._folder("stand-ins")
        self._stand_in("systemctl", f'#!/bin/bash\necho "$@" >> {root}/systemctl\n')
        self._stand_in("sudo", SUDO.format(record=root / "sudo", home=self.home))
        self._folder("run")
        for path in ("/usr/local/bin", "/etc/systemd/system", "/home/ec2-user/SageMaker", "/opt/ml/metadata", "/run/"):
            script = script.replace(path, f"{root}{path}")
        script = script.replace("/proc/uptime", f"{root}/uptime").replace("https://localhost:8443", self.jupyter.url)
        self.script = script

    def _folder(self, path: str) -> Path:
        folder = self._root / path
        folder.mkdir(parents=True)
        return folder

    def _stand_in(self, name: str, program: str) -> None:
        path = self._stand_ins / name
        path.write_text(program)
        path.chmod(0o755)

    def uptime(self, seconds: int) -> None:
        (self._root / "uptime").write_text(f"{seconds}.00 1.00\n")

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        search = os.pathsep.join([str(self._stand_ins), str(Path(sys.executable).parent), "/usr/bin", "/bin"])
        environment = {
            **os.environ,
            "PATH": search,
            "AWS_ENDPOINT_URL": self._aws.url,
            "HOME": str(self._root),
            "TMPDIR": str(self._root),
        }
        return subprocess.run(list(command), env=environment, capture_output=True, text=True, check=check)

    def start(self) -> str:
        """Run the script as SageMaker does; give what it says."""
        return self.run("bash", "-c", self.script).stdout

    def check_idle(self) -> subprocess.CompletedProcess[str]:
        return self.run(str(self.bin / "stop-when-idle"), check=False)

    def record(self, program: str) -> list[str]:
        return (self._root / program).read_text().splitlines()

    def left_over(self) -> list[str]:
        return [path.name for path in self._root.iterdir() if path.name.startswith("tmp.")]


@pytest.fixture
def instance(tmp_path: Path, aws: LocalAws, script: str) -> Iterator[Instance]:
    aws.client("s3").put_object(Bucket="a-bucket", Key=KEY, Body=BUNDLE.path.read_bytes())
    made = Instance(tmp_path, aws, script)
    yield made
    made.jupyter.close()


@pytest.fixture
def running(aws: LocalAws) -> Iterator[Any]:
    """The instance that SageMaker knows; give its status."""
    sagemaker = aws.client("sagemaker")
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = aws.client("iam").create_role(
        RoleName="notebook",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    sagemaker.create_notebook_instance(
        NotebookInstanceName="a-notebook", InstanceType="ml.t3.medium", RoleArn=role, RootAccess="Disabled"
    )

    def status() -> str:
        answer = sagemaker.describe_notebook_instance(NotebookInstanceName="a-notebook")
        found: str = answer["NotebookInstanceStatus"]
        return found

    yield status
    if status() != "Stopped":
        sagemaker.stop_notebook_instance(NotebookInstanceName="a-notebook")
    sagemaker.delete_notebook_instance(NotebookInstanceName="a-notebook")
    aws.client("iam").delete_role(RoleName="notebook")


def test_a_start_puts_the_notebooks_and_the_settings_in_place(instance: Instance) -> None:
    instance.start()
    assert sorted(path.name for path in instance.notebooks.iterdir()) == [*NAMES, "mlops_constructs"]
    for name in NAMES:
        assert (instance.notebooks / name).read_bytes() == (NOTEBOOKS / name).read_bytes()
    settings = dict(line.split("=", 1) for line in (instance.home / "mlops.env").read_text().splitlines())
    assert settings["MLOPS_DATA_BUCKET"] == "a-bucket"
    assert settings["MLOPS_DATA_PREFIX"] == "datasets/"
    assert settings["MLOPS_DEV_ENDPOINT"] == f"{settings['MLOPS_PIPELINE']}-dev"
    assert not instance.note.exists()


def test_the_idle_timer_is_started(instance: Instance) -> None:
    instance.start()
    assert instance.record("systemctl") == ["daemon-reload", "enable --now stop-when-idle.timer"]
    assert f"ExecStart={instance.bin}/stop-when-idle" in (instance.units / "stop-when-idle.service").read_text()


def test_what_a_person_changed_stays_and_what_they_deleted_comes_back(instance: Instance) -> None:
    instance.start()
    changed, deleted = instance.notebooks / NAMES[0], instance.notebooks / NAMES[1]
    changed.write_text("mine")
    deleted.unlink()
    (instance.notebooks / "own.ipynb").write_text("also mine")
    instance.start()
    assert changed.read_text() == "mine"
    assert deleted.read_bytes() == (NOTEBOOKS / NAMES[1]).read_bytes()
    assert (instance.notebooks / "own.ipynb").read_text() == "also mine"


def test_the_client_is_always_that_of_the_deployed_version(instance: Instance) -> None:
    instance.start()
    client = instance.notebooks / "mlops_constructs" / "deployed" / "pipeline.py"
    client.write_text("an older version")
    instance.start()
    assert client.read_bytes() == (NOTEBOOKS.parent / "deployed" / "pipeline.py").read_bytes()


def test_root_writes_nothing_where_a_person_could_leave_a_link(instance: Instance) -> None:
    instance.start()
    (command,) = instance.record("sudo")
    assert command.startswith(f"-u ec2-user {instance.bin}/put-notebooks {instance.home} ")
    assert instance.record("sudo.before") == []


def test_a_link_is_replaced_not_followed(instance: Instance, tmp_path: Path) -> None:
    victim = tmp_path / "shadow"
    victim.write_text("secret")
    (instance.home / "mlops.env").symlink_to(victim)
    instance.notebooks.mkdir()
    (instance.notebooks / NAMES[0]).symlink_to(tmp_path / "nowhere")
    instance.start()
    assert victim.read_text() == "secret"
    assert not (tmp_path / "nowhere").exists()


def test_other_notebooks_than_the_pinned_ones_are_refused_with_both_digests(instance: Instance, aws: LocalAws) -> None:
    aws.client("s3").put_object(Bucket="a-bucket", Key=KEY, Body=b"not what was deployed")
    said = instance.start()
    assert "the notebooks were not put in place" in said
    assert BUNDLE.sha256 in instance.note.read_text()
    assert not instance.notebooks.exists()


def test_a_failed_download_lets_a_person_in_and_says_why(instance: Instance, aws: LocalAws) -> None:
    aws.client("s3").delete_object(Bucket="a-bucket", Key=KEY)
    said = instance.start()
    assert "404" in said
    assert "404" in instance.note.read_text()
    assert (instance.home / "mlops.env").exists()
    assert instance.record("systemctl")


def test_the_note_is_gone_once_the_notebooks_are_there(instance: Instance) -> None:
    instance.note.write_text("could not be copied")
    instance.start()
    assert not instance.note.exists()


def test_a_failed_idle_timer_stops_the_start(instance: Instance) -> None:
    instance._stand_in("systemctl", "#!/bin/bash\nexit 5\n")
    assert instance.run("bash", "-c", instance.script, check=False).returncode == 5


def test_no_temporary_file_is_left(instance: Instance) -> None:
    instance.start()
    assert instance.left_over() == []


def test_an_idle_kernel_and_terminal_stop_the_instance(instance: Instance, running: Any) -> None:
    instance.start()
    instance.jupyter.kernel("idle", idle_seconds=2 * HOUR)
    instance.jupyter.terminal(idle_seconds=2 * HOUR)
    assert instance.check_idle().returncode == 0
    assert running() == "Stopped"


def test_an_instance_that_nobody_opened_stops(instance: Instance, running: Any) -> None:
    instance.start()
    instance.check_idle()
    assert running() == "Stopped"


@pytest.mark.parametrize("state", ["starting", "dead"])
def test_a_kernel_that_never_came_up_keeps_nothing_running(instance: Instance, running: Any, state: str) -> None:
    instance.start()
    instance.jupyter.kernel(state, idle_seconds=2 * HOUR)
    instance.check_idle()
    assert running() == "Stopped"


def test_a_busy_kernel_keeps_it_running_however_long(instance: Instance, running: Any) -> None:
    instance.start()
    instance.jupyter.kernel("busy", idle_seconds=90 * HOUR)
    assert instance.check_idle().returncode == 0
    assert running() == "InService"


def test_a_recent_kernel_keeps_it_running(instance: Instance, running: Any) -> None:
    instance.start()
    instance.jupyter.kernel("idle", idle_seconds=2 * HOUR)
    instance.jupyter.kernel("idle", idle_seconds=60)
    instance.check_idle()
    assert running() == "InService"


def test_a_recent_terminal_keeps_it_running(instance: Instance, running: Any) -> None:
    instance.start()
    instance.jupyter.terminal(idle_seconds=60)
    instance.check_idle()
    assert running() == "InService"


def test_an_instance_whose_jupyter_cannot_be_asked_stops_in_the_end(instance: Instance, running: Any) -> None:
    instance.start()
    instance.jupyter.sessions.append({"other": "than expected"})
    first = instance.check_idle()
    assert first.returncode == 1
    assert "Jupyter could not be asked: KeyError('kernel')" in first.stderr
    assert running() == "InService"
    instance.uptime(103 * HOUR - 60)
    instance.check_idle()
    assert running() == "InService"
    instance.uptime(103 * HOUR + 60)
    instance.check_idle()
    assert running() == "Stopped"


def test_a_jupyter_that_answers_again_is_judged_anew(instance: Instance, running: Any) -> None:
    instance.start()
    instance.jupyter.sessions.append({"other": "than expected"})
    instance.check_idle()
    instance.jupyter.sessions.clear()
    instance.jupyter.kernel("busy", idle_seconds=0)
    instance.uptime(102 * HOUR)
    assert instance.check_idle().returncode == 0
    instance.jupyter.sessions.append({"other": "than expected"})
    instance.uptime(104 * HOUR)
    instance.check_idle()
    assert running() == "InService"


def test_a_fresh_instance_keeps_running(instance: Instance, running: Any) -> None:
    instance.start()
    instance.uptime(60)
    instance.check_idle()
    assert running() == "InService"


def test_a_jupyter_that_does_not_answer_is_an_error_in_the_journal(instance: Instance, running: Any) -> None:
    instance.start()
    program = instance.bin / "stop-when-idle"
    program.write_text(program.read_text().replace(instance.jupyter.url, "https://localhost:1"))
    done = instance.check_idle()
    assert done.returncode != 0
    assert "refused" in done.stderr
    assert running() == "InService"
