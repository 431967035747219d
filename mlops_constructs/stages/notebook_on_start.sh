#!/bin/bash
set -euo pipefail
cat > /usr/local/bin/stop-when-idle <<'PROGRAM'
#!/usr/bin/env python3
"""Stop this notebook instance when no kernel and no terminal was busy for IDLE_SECONDS."""
import datetime, json, ssl, subprocess, sys, urllib.request
IDLE_SECONDS = @SECONDS@
# Jupyter listens on loopback with a certificate of its own.
UNVERIFIED = ssl._create_unverified_context()
def jupyter(path):
    with urllib.request.urlopen("https://localhost:8443/api/" + path, timeout=20, context=UNVERIFIED) as answer:
        return json.load(answer)
def age(stamp):
    then = datetime.datetime.strptime(stamp[:19] + "+0000", "%Y-%m-%dT%H:%M:%S%z")
    return (datetime.datetime.now(datetime.timezone.utc) - then).total_seconds()
with open("/proc/uptime") as uptime:
    youngest = float(uptime.read().split()[0])
for session in jupyter("sessions"):
    if session["kernel"]["execution_state"] != "idle":
        sys.exit(0)
    youngest = min(youngest, age(session["kernel"]["last_activity"]))
for terminal in jupyter("terminals"):
    youngest = min(youngest, age(terminal["last_activity"]))
if youngest > IDLE_SECONDS:
    with open("/opt/ml/metadata/resource-metadata.json") as metadata:
        name = json.load(metadata)["ResourceName"]
    subprocess.run(["aws", "sagemaker", "stop-notebook-instance", "--notebook-instance-name", name], check=True)
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
cat > /home/ec2-user/SageMaker/mlops.env <<'SETTINGS'
MLOPS_PIPELINE=@PIPELINE@
MLOPS_DATA_BUCKET=@BUCKET@
SETTINGS
chown ec2-user:ec2-user /home/ec2-user/SageMaker/mlops.env
