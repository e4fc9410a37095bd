"""Every GraphQL document that we send. Values travel as variables only: the vendor's strict parser breaks on inlined ones."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

COMPLEXITY = "complexity { query before after reset_in_x_seconds }"
ITEM = """id name state board { id } group { id } column_values(ids: $columns) {
      id type text value
      ... on BoardRelationValue { linked_item_ids } }"""


@dataclass(frozen=True, kw_only=True)
class Document:
    """One named operation."""

    name: str
    text: str

    def body(self, variables: Mapping[str, Any]) -> str:
        """The exact JSON text of a request that carries it out."""
        return json.dumps({"query": self.text, "variables": dict(variables), "operationName": self.name}, separators=(",", ":"))


def _query(name: str, variables: str, selection: str) -> Document:
    head = f"query {name}{f'({variables})' if variables else ''}"
    return Document(name=name, text=f"{head} {{ {COMPLEXITY}\n  {selection} }}")


def mutation(name: str, declared: Sequence[str], fields: Sequence[str]) -> Document:
    selection = "\n  ".join([COMPLEXITY, *fields])
    return Document(name=name, text=f"mutation {name}({', '.join(declared)}) {{\n  {selection} }}")


def alias(position: int) -> str:
    """The name under which the write at this position of a batch is answered."""
    return f"r{position}"


def _first_page(direction: str, item: str) -> str:
    """The first page of a walk over a board by creation, which is the one order that no edit changes."""
    return f"""boards(ids: $boards, limit: 1) {{
    items_page(limit: $limit, query_params: {{ order_by: [{{ column_id: "__creation_log__", direction: {direction} }}] }}) {{
      cursor items {{ {item} }} }} }}"""


ME = _query(
    "Me",
    "",
    """me { id name email kind status
    account { id name slug tier plan { tier period max_users version } is_during_trial is_trial_expired } }
  version { kind value }""",
)

DAILY_LIMIT = _query("DailyLimit", "", "platform_api { daily_limit { base total } }")

BOARD = _query(
    "Board",
    "$boards: [ID!]!",
    """boards(ids: $boards, limit: 1, state: all) { id name state hierarchy_type access_level items_count items_limit url
    groups { id title archived deleted }
    columns { id title type archived description settings } }""",
)

BOARDS = _query(
    "Boards",
    "$limit: Int!, $page: Int!",
    """boards(limit: $limit, page: $page, state: active, hierarchy_types: [classic]) {
    id name type access_level workspace { id name } }""",
)

FIRST_KEYS = _query(
    "FirstKeys",
    "$boards: [ID!]!, $key: String!, $limit: Int!",
    _first_page("asc", "id column_values(ids: [$key]) { id text }"),
)

NEWEST_KEYS = _query(
    "NewestKeys",
    "$boards: [ID!]!, $key: String!, $limit: Int!",
    _first_page("desc", "id column_values(ids: [$key]) { id text }"),
)

NEXT_KEYS = _query(
    "NextKeys",
    "$cursor: String!, $key: String!, $limit: Int!",
    "next_items_page(cursor: $cursor, limit: $limit) { cursor items { id column_values(ids: [$key]) { id text } } }",
)

BY_KEY = _query(
    "ByKey",
    "$board: ID!, $key: String!, $keys: [String]!, $limit: Int!",
    """items_page_by_column_values(board_id: $board, limit: $limit, columns: [{ column_id: $key, column_values: $keys }]) {
    cursor items { id column_values(ids: [$key]) { id text } } }""",
)

ITEMS = _query(
    "Items",
    "$ids: [ID!]!, $limit: Int!, $columns: [String!]",
    f"items(ids: $ids, limit: $limit, exclude_nonactive: false) {{ {ITEM} }}",
)

FIRST_ITEMS = _query("FirstItems", "$boards: [ID!]!, $limit: Int!, $columns: [String!]", _first_page("asc", ITEM))

NEXT_ITEMS = _query(
    "NextItems",
    "$cursor: String!, $limit: Int!, $columns: [String!]",
    f"next_items_page(cursor: $cursor, limit: $limit) {{ cursor items {{ {ITEM} }} }}",
)

SUBITEMS = _query(
    "Subitems",
    "$ids: [ID!]!, $limit: Int!, $columns: [String!]",
    f"items(ids: $ids, limit: $limit) {{ id subitems {{ {ITEM} }} }}",
)

FILES = _query(
    "Files",
    "$ids: [ID!]!, $columns: [String!]",
    """items(ids: $ids, limit: 1, exclude_nonactive: false) { id column_values(ids: $columns) {
      id ... on FileValue { files { ... on FileAssetValue { asset_id name } } } } }""",
)

JOB = _query(
    "Job",
    "$job: ID!",
    """fetch_job_status(job_id: $job) { ... on ItemsJobStatus {
    status failure_reason failure_message counts { submitted invalid skipped created updated failed } } }""",
)

ITEM_STATES = _query(
    "ItemStates",
    "$ids: [ID!]!, $limit: Int!",
    "items(ids: $ids, limit: $limit, exclude_nonactive: false) { id state }",
)

READING = (
    ME, DAILY_LIMIT, BOARD, BOARDS, FIRST_KEYS, NEWEST_KEYS, NEXT_KEYS, BY_KEY, ITEMS, ITEM_STATES, FIRST_ITEMS, NEXT_ITEMS, SUBITEMS,
    FILES, JOB,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class NewColumn:
    """A column that we make for ourselves. ``id`` is left out where the vendor shall generate it."""

    title: str
    kind: str
    description: str
    id: str = ""


def create_columns(board: str, columns: Sequence[NewColumn]) -> tuple[Document, dict[str, Any]]:
    """One mutation with an alias per column, and its variables."""
    declared, fields, variables = ["$board: ID!"], [], {"board": board}
    for n, column in enumerate(columns):
        more = {f"title{n}": column.title, f"kind{n}": column.kind, f"about{n}": column.description}
        declared += [f"$title{n}: String!", f"$kind{n}: ColumnType!", f"$about{n}: String!"]
        given = f"title: $title{n}, column_type: $kind{n}, description: $about{n}"
        if column.id:
            more[f"id{n}"] = column.id
            declared.append(f"$id{n}: String!")
            given += f", id: $id{n}"
        fields.append(f"{alias(n)}: create_column(board_id: $board, {given}) {{ id }}")
        variables |= more
    return mutation("CreateColumns", declared, fields), variables


START_JOB = mutation(
    "StartJob",
    ["$board: ID!", "$group: ID!", "$key: String!"],
    [
        "ingest_items(board_id: $board, group_id: $group, on_match: { match_column_id: $key, behaviour: UPSERT }) { job_id upload_url }"
    ],
)

ADD_FILE = mutation(
    "AddFile",
    ["$item: ID!", "$column: String!", "$file: File!"],
    ["add_file_to_column(item_id: $item, column_id: $column, file: $file) { id }"],
)

CREATE_BOARD = mutation(
    "CreateBoard",
    ["$name: String!", "$kind: BoardKind!"],
    ["create_board(board_name: $name, board_kind: $kind, empty: true) { id }"],
)

WRITING = (START_JOB, ADD_FILE, CREATE_BOARD)
