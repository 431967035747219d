"""What the application does: it asks whether deliveries will be late. `python traffic.py PIPELINE FOLDER`."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import boto3

RECORDS_A_REQUEST = 50


# region: traffic
def send(pipeline: str, folder: Path) -> int:
    """Invoke production with the deliveries of a data set, without their label; return how many there were."""
    with (folder / "validation.csv").open(newline="", encoding="utf-8") as file:
        records = [",".join(row[1:]) for row in csv.reader(file)]
    # It finds the local AWS by AWS_ENDPOINT_URL, as every program does.
    runtime = boto3.client("sagemaker-runtime")
    for start in range(0, len(records), RECORDS_A_REQUEST):
        body = "\n".join(records[start : start + RECORDS_A_REQUEST])
        runtime.invoke_endpoint(EndpointName=f"{pipeline}-production", ContentType="text/csv", Body=body.encode())
    return len(records)
    # endregion


if __name__ == "__main__":
    name, data = sys.argv[1:]
    print(f"{send(name, Path(data))} deliveries have been asked for")
