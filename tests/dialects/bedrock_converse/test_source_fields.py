"""Fields of Bedrock's requests: each member of botocore's model has an entry in the field table."""

from __future__ import annotations

import re

import official_bedrock
from field_tables import SOURCE_TABLES, find_field

TABLE = SOURCE_TABLES["bedrock_converse"]
# Those beside the model of the service: the ways in which `translate` takes parts of the URL.
OTHERS = {"model", "stream"}
# Free JSON: what stands in it differs by the model's family.
FREE = "additionalModelRequestFields."


def test_every_member_of_the_service_has_an_entry() -> None:
    known = official_bedrock.member_paths()

    assert [path for path in known if find_field(TABLE, path) is None] == []


def test_every_entry_names_a_member() -> None:
    known = {*official_bedrock.member_paths(), *OTHERS}

    extra = [path for path in TABLE if not path.startswith(("(", FREE)) and path not in known]
    # A tool's input, its schema and its result are free JSON as well.
    assert [path for path in extra if not re.search(r"\.(input|json)$", path)] == []


def test_a_lost_entry_has_a_row() -> None:
    assert [path for path, field in TABLE.items() if field.is_lost and not field.rows] == []
