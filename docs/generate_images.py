"""Write ``framework_images.json`` from the SageMaker SDK's registry: ``python docs/generate_images.py``.

Needs the distribution sagemaker-core (Apache-2.0), of which only the data is read.
"""

from __future__ import annotations

import json
import re
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import botocore.session

FILE = Path(__file__).resolve().parents[1] / "mlops_constructs" / "config" / "framework_images.json"
PARTITIONS = ("aws", "aws-us-gov")
SCOPES = ("training", "inference")
# Framework to the SDK's registries and the oldest version that is offered: AWS has stopped patching older images.
FRAMEWORKS: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {
    "huggingface": (("huggingface",), (4, 48)),
    "pytorch": (("pytorch", "pytorch-amzn2023"), (2, 5)),
    "sklearn": (("sklearn",), (1, 2)),
    "tensorflow": (("tensorflow",), (2, 16)),
    "xgboost": (("xgboost",), (1, 7)),
}
# The day after which AWS patches an image no more, where AWS says one:
# https://github.com/aws/deep-learning-containers/blob/master/available_images.md, read on 2026-08-21
END_OF_PATCHES = {
    ("pytorch", "training"): {
        "2.10": "2027-01-21",
        "2.11": "2027-04-30",
        "2.12": "2027-07-02",
        "2.13": "2027-07-20",
    },
    ("pytorch", "inference"): {"2.6": "2026-06-30"},
    ("sklearn", "training"): {"1.9-0": "2027-07-16", "1.4-2-py312": "2026-10-30"},
    ("sklearn", "inference"): {"1.9-0": "2027-07-16", "1.4-2-py312": "2026-10-30"},
    ("tensorflow", "training"): {"2.21": "2027-07-10"},
    ("tensorflow", "inference"): {"2.19": "2026-03-11"},
    ("xgboost", "training"): {"3.2-0": "2027-05-13", "3.0-5": "2026-11-17"},
    ("xgboost", "inference"): {"3.2-0": "2027-05-13", "3.0-5": "2026-11-17"},
}

Json = dict[str, Any]


def registry(name: str) -> Json:
    """Read one of the SDK's registries."""
    place = distribution("sagemaker-core").locate_file(f"sagemaker/core/image_uri_config/{name}.json")
    config: Json = json.loads(Path(str(place)).read_text(encoding="utf-8"))
    return config


def images() -> Json:
    """Return the content of the file."""
    partition_of = botocore.session.Session().get_partition_for_region
    accounts: dict[str, Json] = {}
    found: Json = {}
    for framework, (names, oldest) in FRAMEWORKS.items():
        found[framework] = {scope: {} for scope in SCOPES}
        for name in names:
            for scope in SCOPES:
                for version, image in _versions(framework, registry(name).get(scope), oldest):
                    offered = {
                        region: account
                        for region, account in sorted(image.pop("registries").items())
                        if partition_of(region) in PARTITIONS
                    }
                    image["accounts"] = _key(accounts, offered)
                    end = _end_of_patches(framework, scope, version)
                    found[framework][scope][version] = {**image, **({} if end is None else {"end_of_patches": end})}
    return {"accounts": accounts, "frameworks": found}


def _versions(framework: str, config: Json | None, oldest: tuple[int, ...]) -> list[tuple[str, Json]]:
    if config is None:
        return []
    aliases = {full: [full] for full in config["versions"]}
    for short, full in config.get("version_aliases", {}).items():
        if short != "latest":
            aliases[full].append(short)
    found = []
    for full, version in config["versions"].items():
        if tuple(map(int, re.findall(r"\d+", full)[: len(oldest)])) < oldest:
            continue
        prefix = ""
        if framework == "huggingface":
            (base,) = (key for key in version if key.startswith("pytorch"))
            prefix, version = f"{base.removeprefix('pytorch')}-transformers", version[base]
        for asked in aliases[full]:
            # The SDK has the whole version in this tag, whichever was given.
            named = full if prefix else version.get("tag_prefix", asked)
            found.append((asked, _image(prefix + named, config, version)))
    return found


def _image(prefix: str, config: Json, version: Json) -> Json:
    """Give the repository, its registries, and the tag for each kind of processor, as the SDK puts it together."""
    offered = config.get("processors") or version.get("processors")
    python = (version.get("py_versions") or [""])[0]
    tags = {}
    for processor in offered or ("cpu", "gpu"):
        named = processor if offered and version.get("processor_in_tag", True) else ""
        parts = (prefix, named, python, version.get("container_version", {}).get(processor, ""))
        tags[processor] = "-".join(part for part in parts if part)
    return {
        "repository": version["repository"],
        "registries": version["registries"],
        "tags": tags,
        **({"python": python} if re.fullmatch(r"py3\d+", python) else {}),
    }


def _key(accounts: dict[str, Json], offered: Json) -> str:
    for key, known in accounts.items():
        if known == offered:
            return key
    key = str(len(accounts) + 1)
    accounts[key] = offered
    return key


def _end_of_patches(framework: str, scope: str, version: str) -> str | None:
    ends = END_OF_PATCHES.get((framework, scope), {})
    return ends.get(version) or ends.get(version.rpartition(".")[0])


def text() -> str:
    """Return the text of the file: a line for each image and each table of accounts."""
    content = images()
    compact = {"sort_keys": True, "separators": (",", ":")}
    tables = ",\n".join(f'  "{key}":{json.dumps(table, **compact)}' for key, table in content["accounts"].items())
    lines = [
        f'  "{framework}":{{\n'
        + ",\n".join(
            f'   "{scope}":{{\n'
            + ",\n".join(f'    "{version}":{json.dumps(image, **compact)}' for version, image in versions.items())
            + "\n   }"
            for scope, versions in scopes.items()
        )
        + "\n  }"
        for framework, scopes in content["frameworks"].items()
    ]
    body = ",\n".join(lines)
    return f'{{\n "accounts":{{\n{tables}\n }},\n "frameworks":{{\n{body}\n }}\n}}\n'


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
