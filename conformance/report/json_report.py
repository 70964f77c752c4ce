"""conformance.json: the statement, for gates, histories and comparisons."""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from conformance.errors import UsageError
from conformance.report.statement import Statement


def write(statement: Statement, file: Path) -> None:
    """Write a statement, after reading back what will be written and validating it."""
    values = statement.model_dump(mode="json", by_alias=True)
    for clause in values["clauses"]:
        for case in clause["cases"]:
            for name in (
                "expected",
                "actual",
                "transcript",
                "deviation",
                "in_passing",
                "consequence",
                "count",
            ):
                if not case[name] and case[name] != "":
                    del case[name]  # a pass has no evidence, rather than an empty one
    text = json.dumps(values, ensure_ascii=False, indent=1)
    Statement.model_validate_json(text)
    file.write_text(text + "\n", encoding="utf-8")


def read(file: Path) -> Statement:
    """Read a statement back. Raises pydantic's ValidationError where it is not one."""
    return Statement.model_validate_json(file.read_bytes())


def load(name: str) -> Statement:
    """Read the statement that a person names. Raises UsageError where there is none."""
    try:
        return read(Path(name))
    except OSError as error:
        raise UsageError(
            f"{name}: cannot be read: {error.strerror}. Give the conformance.json of a report."
        ) from None
    except ValidationError as error:
        wrong = ".".join(map(str, error.errors()[0]["loc"])) or "the file"
        raise UsageError(
            f"{name}: no statement of a run that this version reads (wrong or missing: {wrong}). "
            "Give the conformance.json of a report."
        ) from None


def schema() -> dict[str, Any]:
    """Return the JSON Schema of `conformance.json`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Statement.model_json_schema(by_alias=True, mode="serialization"),
    }
