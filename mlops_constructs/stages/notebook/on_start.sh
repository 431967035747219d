#!/bin/bash
# Runs as root at every start.
set -euo pipefail
cat > /usr/local/bin/stop-when-idle <<'PROGRAM'
#!/usr/bin/env python3
"""Stop this notebook instance when no kernel and no terminal was busy for IDLE_SECONDS.

Also when Jupyter could not be asked for UNREAD_SECONDS: an instance that nobody can judge must not run for ever.
"""
import datetime, json, os, ssl, subprocess, sys, urllib.request
IDLE_SECONDS = @SECONDS@
UNREAD_SECONDS = 3 * IDLE_SECONDS
UNREAD = "/run/jupyter-unread-since"
# Jupyter listens on loopback with a certificate of its own.
UNVERIFIED = ssl._create_unverified_context()
def jupyter(path):
    with urllib.request.urlopen("https://localhost:8443/api/" + path, timeout=20, context=UNVERIFIED) as answer:
        return json.load(answer)
def age(stamp):
    then = datetime.datetime.strptime(stamp[:19] + "+0000", "%Y-%m-%dT%H:%M:%S%z")
    return (datetime.datetime.now(datetime.timezone.utc) - then).total_seconds()
def uptime():
    with open("/proc/uptime") as text:
        return float(text.read().split()[0])
def idle():
    youngest = uptime()
    for session in jupyter("sessions"):
        if session["kernel"]["execution_state"] == "busy":
            return 0
        youngest = min(youngest, age(session["kernel"]["last_activity"]))
    for terminal in jupyter("terminals"):
        youngest = min(youngest, age(terminal["last_activity"]))
    return youngest
def unread():
    if not os.path.exists(UNREAD):
        with open(UNREAD, "w") as since:
            since.write(str(uptime()))
    with open(UNREAD) as since:
        return uptime() - float(since.read())
def stop():
    with open("/opt/ml/metadata/resource-metadata.json") as metadata:
        name = json.load(metadata)["ResourceName"]
    subprocess.run(["aws", "sagemaker", "stop-notebook-instance", "--notebook-instance-name", name], check=True)
try:
    over = idle() > IDLE_SECONDS
except Exception as error:
    if unread() > UNREAD_SECONDS:
        stop()
    sys.exit("Jupyter could not be asked: " + repr(error))
if os.path.exists(UNREAD):
    os.unlink(UNREAD)
if over:
    stop()
PROGRAM
chmod 755 /usr/local/bin/stop-when-idle
# systemd, as Amazon Linux 2023 comes without cron.
cat > /etc/systemd/system/stop-when-idle.service <<'UNIT'
[Service]
Type=oneshot
Environment=AWS_DEFAULT_REGION=@REGION@
ExecStart=/usr/local/bin/stop-when-idle
UNIT
cat > /etc/systemd/system/stop-when-idle.timer <<'UNIT'
[Timer]
OnBootSec=5min
OnUnitActiveSec=5min
[Install]
WantedBy=timers.target
UNIT
systemctl daemon-reload
systemctl enable --now stop-when-idle.timer
cat > /usr/local/bin/put-notebooks <<'PROGRAM'
#!/usr/bin/env python3
"""Write the settings, the client, and the notebooks that are missing; a notebook that is there is a person's own."""
import hashlib, os, pathlib, sys, zipfile
SETTINGS = """MLOPS_PIPELINE=@PIPELINE@
MLOPS_REGION=@REGION@
MLOPS_DATA_BUCKET=@BUCKET@
MLOPS_DATA_PREFIX=@PREFIX@
MLOPS_DEV_ENDPOINT=@DEV@
"""
home, bundle, log = map(pathlib.Path, sys.argv[1:])
target = home / "mlops-notebooks"
def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    os.replace(part, path)
def fill():
    if not bundle.exists():
        return log.read_text() or "the download took too long"
    digest = hashlib.sha256(bundle.read_bytes()).hexdigest()
    if digest != "@DIGEST@":
        return "s3://@ARTIFACTS@/@KEY@ has the SHA-256 " + digest + ", not @DIGEST@"
    with zipfile.ZipFile(bundle) as files:
        for name in files.namelist():
            if name.startswith("mlops_constructs/") or not os.path.lexists(target / name):
                put(target / name, files.read(name))
put(home / "mlops.env", SETTINGS.encode())
note = home / "NOTEBOOKS_MISSING.txt"
reason = fill()
if reason:
    put(note, ("The project's notebooks could not be copied: " + reason).encode())
    sys.exit(reason)
elif note.exists():
    note.unlink()
PROGRAM
chmod 755 /usr/local/bin/put-notebooks
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
touch "$work/log"
timeout 120 aws --region @REGION@ s3 cp --only-show-errors "s3://@ARTIFACTS@/@KEY@" "$work/notebooks.zip" 2> "$work/log" || cat "$work/log"
chmod -R a+rX "$work"
# As root, a link that a person left in the folder would be followed. And a person must get in to see why it failed.
sudo -u ec2-user /usr/local/bin/put-notebooks /home/ec2-user/SageMaker "$work/notebooks.zip" "$work/log" ||
    echo "the notebooks were not put in place"
