#!/bin/bash
set -euo pipefail
cat > /usr/local/bin/stop-when-idle <<'PROGRAM'
#!/usr/bin/env python3
# Stops this notebook instance when no kernel was busy for IDLE_SECONDS.
import datetime, json, subprocess, sys, urllib.request
IDLE_SECONDS = @SECONDS@
def jupyter(path):
    with urllib.request.urlopen("http://127.0.0.1:8888/api/" + path, timeout=20) as answer:
        return json.load(answer)
def age(stamp):
    then = datetime.datetime.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S")
    return (datetime.datetime.utcnow() - then).total_seconds()
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
echo '*/5 * * * * root /usr/local/bin/stop-when-idle' > /etc/cron.d/stop-when-idle
cat > /home/ec2-user/SageMaker/mlops.env <<'SETTINGS'
MLOPS_PIPELINE=@PIPELINE@
MLOPS_DATA_BUCKET=@BUCKET@
SETTINGS
chown ec2-user:ec2-user /home/ec2-user/SageMaker/mlops.env
