"""Writes docs/changes.md from what was planned for each change of an option. Run: make docs."""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

ROOT = Path(__file__).resolve().parents[1]
PAGE = Path(__file__).with_name("changes.md")
sys.path.insert(0, str(ROOT / "tests"))

from option_changes.effects import DATA  # noqa: E402
from option_changes.rows import Row, read  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_HEAD = """# Changing a pipeline

What `cdktf deploy` does to a deployed pipeline when an option of its program is changed. Most changes are updates in
place. Some delete or replace a thing that holds data: [configuration](configuration.md) says so at each such option,
and this page lists them all. `make soak-changes` deploys seven pipelines to the local AWS, changes each option, and
reads the actions of Terraform's plan; a sample of the changes is also applied, and a second plan must be empty.

Read the plan before you apply: where a thing of the first table is `destroyed` or `must be replaced`, stop.

## What holds data

| Thing | What it holds | Before it is deleted or replaced |
|---|---|---|
"""
_LOSSES = """
Everything else is made again from the program: roles, functions, rules, alarms, settings, archives.

## Options whose change loses data

`removal="retain"` protects buckets, ECR repositories and the CodeCommit repository: the apply fails while they contain
something, and nothing of them is lost. What has been changed until then stays changed; apply again afterwards.

| Option | New value | What the apply does to what holds data |
|---|---|---|
"""
_OTHERS = """
`id_` is the construct id: another id is another pipeline. The old one is destroyed in the same apply, and that is
refused while it has endpoints ([leaving](leaving.md)). `terraform state mv` does not help, because the names of all
resources are made from the id and from `name_prefix`. Deploy the new pipeline beside the old one, upload a data set,
and leave the old one when the new one serves.

## Options whose change deletes or replaces something else

Nothing is lost, but a replaced role or function is missing for seconds: change these while no execution runs.

| Option | New value | What is deleted or replaced |
|---|---|---|
"""
_IN_PLACE = """
`role_path` and `existing.roles` give the endpoints' models another role, which the endpoints get with the next release.
Until then production cannot start instances, because the old role is gone: release soon after, for example with
`mlops rollback` to the newest release.

## Endpoints

Terraform does not know the endpoints. A changed option takes effect with the next release, which changes the endpoint's
stack. CloudFormation replaces an endpoint only when its name changes, and updates everything else [without
interruption](https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sagemaker-endpoint.html).
The name is that of the pipeline and `-dev` or `-production`, so only `name_prefix` and `id_` replace an endpoint. Each
release replaces the model and the endpoint configuration. Production responds throughout: SageMaker [shifts the
traffic](https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpoint.html) to the new fleet before it
deletes the old one.

What SageMaker would refuse is refused before training: another instance type under autoscaling (two releases, see
`Endpoint.instance_type`), and another [mode of serving](serving_modes.md).

## Options whose change is an update in place

With every value that was tried, nothing is deleted or replaced:

| Part | Options |
|---|---|
"""


def page() -> str:
    """Give the whole page."""
    rows = read()
    sections = (
        (_HEAD, [f"| {one.name} | {one.holds} | {one.before} |" for one in DATA.values()]),
        (_LOSSES, _effects(rows, "data")),
        (_OTHERS, _effects([row for row in rows if not row.data], "others")),
        (_IN_PLACE, _in_place(rows)),
    )
    return "".join(head + "".join(f"{line}\n" for line in lines) for head, lines in sections)


def _effects(rows: Iterable[Row], kind: Literal["data", "others"]) -> Iterator[str]:
    """Give a line for each option and effect, with all values that have this effect."""
    found: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for row in rows:
        texts = tuple(row.data if kind == "data" else row.others)
        if texts and row.value not in found[row.option, texts]:
            found[row.option, texts].append(row.value)
    for (option, texts), values in sorted(found.items()):
        if values:
            yield f"| `{option}` | {', '.join(f'`{value}`' for value in values)} | {', '.join(texts)} |"


def _in_place(rows: Sequence[Row]) -> Iterator[str]:
    """Give a line for each argument, with its options that only ever update."""
    changed = {row.option for row in rows if row.data or row.others}
    parts: dict[str, list[str]] = defaultdict(list)
    for option in sorted({row.option for row in rows} - changed):
        argument, _, field = option.partition(".")
        parts[argument].append(field or argument)
    for argument, fields in parts.items():
        yield f"| `{argument}` | {', '.join(f'`{field}`' for field in fields)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
