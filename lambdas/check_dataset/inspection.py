"""Everything that is checked in the files of a data set, wherever they are: the rules of CheckDataset.

``mlops data check`` runs the same code on files of a person's machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from check_dataset.contract import Contract, merge, parse_contract
from check_dataset.formats import Format
from check_dataset.json_array import JsonArray
from check_dataset.look import GOLDEN_CHANNELS, check_widths, counted, look
from check_dataset.manifest import Entry
from check_dataset.parallel import each
from check_dataset.problems import Problems
from check_dataset.table import read_table
from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from check_dataset.look import Channels, Findings
    from check_dataset.manifest import Manifest
    from check_dataset.source import Files, Pinned

MAX_DOCUMENT_BYTES = 1024 * 1024
CONTRACT_END = ".contract.json"
# Requests to the endpoints are CSV, whatever the data set is.
GOLDEN_FORMAT = Format()
DEFAULT_GOLDEN_ROWS = 10
MAX_GOLDEN_ROWS = 20


@dataclass(frozen=True)
class Inspection:
    """A data set that can be trained on.

    Attributes:
        channels: The files of each channel.
        contract: The data contract that they keep.
        findings: What was found in them.
        golden_rows: Records with known labels, the label first.
        total: Bytes of all files, as they are stored.
    """

    channels: Channels
    contract: Contract
    findings: Findings
    golden_rows: list[list[str]]
    total: int

    @property
    def count(self) -> int:
        """Number of files."""
        return sum(map(len, self.channels.values()))

    def summary(self) -> str:
        """What the data set is, and what was inspected, as text for people."""
        facts = [f"{counted(self.count, 'object')}, {self.total} bytes, channels {', '.join(self.channels)}"]
        return ". ".join(filter(None, [*facts, self.findings.summary()]))


def inspect(files: Files, manifest: Manifest, team: Contract, max_bytes: int, max_inspected_bytes: int) -> Inspection:
    """Inspect a data set; ``team`` is the pipeline's data contract.

    Raises ConfigurationError with all problems, each with the file, the line and the column.
    """
    # Before the contract: when an object may not be read, the error must name the object, not its contract.
    channels = _looked_up(files, manifest)
    contract = _tightened(team, files, manifest)
    total = _check_total(channels, max_bytes)
    problems = Problems()
    findings = look(files, channels, contract, max_inspected_bytes, max_bytes, problems)
    golden_rows: list[list[str]] = []
    with problems.collected():
        golden_rows = _golden_rows(files, manifest, contract, findings, problems)
    problems.raise_any()
    return Inspection(channels, contract, findings, golden_rows, total)


def describes(files: Files, entry: Entry) -> bool:
    """Whether an uploaded ``.json`` object is a manifest, not a table: a JSON list of lists or objects."""
    return not JsonArray(files.open(files.look_up(entry), MAX_DOCUMENT_BYTES)).is_table()


def _looked_up(files: Files, manifest: Manifest) -> Channels:
    problems = Problems()

    def look_up(entry: Entry) -> Pinned | None:
        with problems.collected():
            return files.look_up(entry)
        return None

    found = {name: each(look_up, entries) for name, entries in sorted(manifest.channels.items())}
    problems.raise_any()
    return {name: [pinned for pinned in objects if pinned is not None] for name, objects in found.items()}


def _tightened(contract: Contract, files: Files, manifest: Manifest) -> Contract:
    """The contract, tightened by the one that the manifest names, or by ``<object>.contract.json``."""
    entry = manifest.contract
    if entry is None:
        objects = [one for entries in manifest.channels.values() for one in entries]
        beside = Entry(f"{objects[0].key}{CONTRACT_END}", bucket=objects[0].bucket)
        if len(objects) > 1 or files.find(beside) is None:
            return contract
        entry = beside
    text = files.read_text(entry, MAX_DOCUMENT_BYTES, "data contract")
    return merge(contract, parse_contract(text, files.place(entry)), files.place(entry))


def _check_total(channels: Channels, max_bytes: int) -> int:
    total = sum(pinned.size for objects in channels.values() for pinned in objects)
    if total > max_bytes:
        raise ConfigurationError(
            f"The data set has {total} bytes; the limit is {max_bytes}. Increase Dataset(max_megabytes=...), or upload"
            " less"
        )
    return total


def _golden_rows(
    files: Files, manifest: Manifest, contract: Contract, findings: Findings, problems: Problems
) -> list[list[str]]:
    if manifest.golden is not None:
        pinned = files.look_up(manifest.golden)
        table = read_table(files.open(pinned, MAX_DOCUMENT_BYTES), GOLDEN_FORMAT, contract)
        assert table is not None, GOLDEN_FORMAT
        # Among files of different widths, nobody knows which one the golden records must have.
        check_widths({"golden": [table], **({} if problems else findings.tables)})
        return _label_first(table.spread(MAX_GOLDEN_ROWS), contract)
    for name in GOLDEN_CHANNELS:
        for table in findings.tables.get(name, []):
            if table.keeps_rows:
                return _label_first(table.spread(DEFAULT_GOLDEN_ROWS), contract)
    return []


def _label_first(rows: list[list[str]], contract: Contract) -> list[list[str]]:
    label = contract.label_index
    return [[row[label], *row[:label], *row[label + 1 :]] for row in rows]
