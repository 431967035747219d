"""Data capture: stores requests and responses of an endpoint in S3."""

from __future__ import annotations

import base64
import json
import random
import uuid
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.sagemaker.job_files import split_s3_uri

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.sagemaker.fleet import Variant
    from mlops_constructs.local_aws.service import Params

_SIDES = {"Input": "endpointInput", "Output": "endpointOutput"}


def captures(config: Params) -> bool:
    """Whether a DataCaptureConfig captures; it does by default."""
    return bool(config) and bool(config.get("EnableCapture", True))


def capture(
    account: Account,
    endpoint_name: str,
    variant: Variant,
    config: Params,
    bodies: dict[str, tuple[str, bytes]],
    inference_id: str | None,
) -> None:
    """Store one invocation, if sampling selects it; in the background, because the invocation must not wait for it.

    `bodies` contains the content type and the bytes of "Input" and "Output". The record has the caller's `inference_id`
    only if there is one: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
    """
    if not captures(config) or random.uniform(0, 100) >= config["InitialSamplingPercentage"]:
        return
    now = utc_now()
    wanted = [option["CaptureMode"] for option in config["CaptureOptions"]]
    sides = [side for side in _SIDES if side in wanted or "InputAndOutput" in wanted]
    record = {
        "captureData": {_SIDES[side]: _captured(side, *bodies[side], config) for side in sides},
        "eventMetadata": {
            "eventId": str(uuid.uuid4()),
            **({} if inference_id is None else {"inferenceId": inference_id}),
            "inferenceTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
        "eventVersion": "0",
    }
    folder = f"{endpoint_name}/{variant.name}/{now:%Y/%m/%d/%H}"
    uri = f"{config['DestinationS3Uri'].rstrip('/')}/{folder}/{now:%M-%S-%f}-{uuid.uuid4()}.jsonl"
    account.spawn("capture", lambda: _store(account, endpoint_name, variant, config, uri, json.dumps(record)))


def _captured(side: str, content_type: str, body: bytes, config: Params) -> Params:
    """One side of a record; content types that the configuration does not list are stored as base64."""
    listed = config.get("CaptureContentTypeHeader", {})
    plain = content_type.split(";")[0].strip()
    encoding, data = "BASE64", base64.b64encode(body).decode()
    for name, members in {"CSV": "CsvContentTypes", "JSON": "JsonContentTypes"}.items():
        if plain in listed.get(members, []):
            encoding, data = name, body.decode(errors="replace")
    return {"observedContentType": content_type, "mode": side.upper(), "data": data, "encoding": encoding}


def _store(account: Account, endpoint_name: str, variant: Variant, config: Params, uri: str, record: str) -> None:
    bucket, key = split_s3_uri(uri)
    key_id = config.get("KmsKeyId")
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_id} if key_id else {}
    try:
        s3 = account.client("s3", variant.credentials)
        s3.put_object(Bucket=bucket, Key=key, Body=record.encode() + b"\n", **encryption)
    except (BotoCoreError, ClientError) as error:
        if not account.closing.is_set():
            account.log(f"endpoint {endpoint_name}: an invocation was not captured: {error}")
