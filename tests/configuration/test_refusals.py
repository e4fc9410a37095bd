"""A file that is wrong, or that a vendor does not confirm, changes nothing, and says file, key and reason: everything at once."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.models import Link
from integrations.models.flow import FlowState
from tests.configuration.files import COLUMNS, FILE, Office, everything, refusal, run

BAD_LINES = [
    # (line of the file, what stands there instead, the key that is named, what is said of it)
    ('name = "Acme Services"', "", "tenant.name", "is missing"),
    ('name = "Acme Services"', "name = 5", "tenant.name", "must be a text in quotes"),
    ('name = "Acme Services"', 'name = "  "', "tenant.name", "is empty"),
    ('name = "Acme Services"', 'name = "Acme\\u0000"', "tenant.name", "must be a text of one line"),
    ('slug = "acme"', 'slug = "Acme Services!"', "tenant.slug", "small letters, digits, - and _"),
    ('slug = "acme"', "", "tenant.slug", "is missing"),
    ('slug = "acme"', 'slug = "acme"\nowner = "Anna"', "tenant.owner", "Known are name, slug, time_zone"),
    ('"America/Chicago"', '"America/Chicagoo"', "tenant.time_zone", "there is no time zone ‘America/Chicagoo’"),
    ('"America/Chicago"', '"America"', "tenant.time_zone", "there is no time zone ‘America’"),
    ('"America/Chicago"', "-6", "tenant.time_zone", "must be a text in quotes"),
    ('vendor = "monday"', "", "connections.board.vendor", "is missing"),
    ('vendor = "monday"', 'vendor = "trello"', "connections.board.vendor", "‘trello’ is not known. Known are intacct, monday"),
    ('vendor = "monday"', "vendor = ['monday']", "connections.board.vendor", "must be a text in quotes"),
    ('vendor = "monday"', 'vendor = "intacct"', "connections.board.token", "this key is not known"),
    ('name = "board"', 'name = "The board"', "connections.2.name", "small letters, digits, - and _"),
    ('name = "board"', 'name = "books"', "connections", "two of them are called ‘books’"),
    ('world = "sample"\ntoken', 'world = "demo"\ntoken', "connections.board.world", "Known are live, sample"),
    ('world = "sample"\ntoken', "token", "flows.bills", "one end is live and the other is sample data"),
    ('company_id = "SAMPLE"', "", "connections.books.company_id", "is missing"),
    ('company_id = "SAMPLE"', "company_id = 7", "connections.books.company_id", "must be a text in quotes"),
    ('token = "env:ACME_MONDAY_TOKEN"', "", "connections.board.token", "is missing"),
    ('"env:ACME_MONDAY_TOKEN"', '"canary-token"', "connections.board.token", "Write “env:NAME” or “file:NAME”"),
    ('"env:ACME_MONDAY_TOKEN"', '"env:"', "connections.board.token", "Write “env:NAME” or “file:NAME”"),
    ('"env:ACME_MONDAY_TOKEN"', "{ env = 'canary' }", "connections.board.token", "Write “env:NAME” or “file:NAME”"),
    ('"env:ACME_MONDAY_TOKEN"', "['env:ACME_MONDAY_TOKEN']", "connections.board.token", "Write “env:NAME” or “file:NAME”"),
    ('"env:ACME_MONDAY_TOKEN"', "12345", "connections.board.token", "Write “env:NAME” or “file:NAME”"),
    ('"env:ACME_MONDAY_TOKEN"', '"env:ACME_NOT_SET"', "connections.board.token", "variable ACME_NOT_SET is not set"),
    ('"env:ACME_MONDAY_TOKEN"', '"file:no-such"', "connections.board.token", "the file no-such cannot be read"),
    ('"env:ACME_MONDAY_TOKEN"', '"file:a\\u0000b"', "connections.board.token", "cannot be read"),
    ('"env:ACME_MONDAY_TOKEN"', '"file:."', "connections.board.token", "the file . cannot be read"),
    ('"env:ACME_MONDAY_TOKEN"', '"file:empty"', "connections.board.token", "the file empty is empty"),
    ('kind = "intacct_monday.bills"', "", "flows.bills.kind", "is missing"),
    (
        'kind = "intacct_monday.bills"',
        'kind = "bills"',
        "flows.bills.kind",
        "Known are intacct_monday.bill_lines, intacct_monday.bills",
    ),
    ('source = "books"', "", "flows.bills.source", "is missing"),
    ('source = "books"', 'source = "ledger"', "flows.bills.source", "there is no connection ‘ledger’ in this file"),
    ('source = "books"', 'source = "board"', "flows.bills.source", "a connection to Monday.com; this flow needs Sage Intacct"),
    ('target = "board"', 'target = "books"', "flows.bills.target", "a connection to Sage Intacct; this flow needs Monday.com"),
    ('place = "AP bills"', "", "flows.bills.place", "is missing"),
    ('place = "AP bills"', "place = 1234", "flows.bills.place", "must be a text in quotes"),
    ('"every 4 hours"', '"every 2 minutes"', "flows.bills.schedule", "The shortest interval is 5 minutes"),
    ('"every 4 hours"', '"now and then"', "flows.bills.schedule", "‘now and then’ is not a schedule"),
    ('"every 4 hours"', '"99 6 * * *"', "flows.bills.schedule", "is not a schedule"),
    ('"every 4 hours"', '"0 0 30 2 *"', "flows.bills.schedule", "‘0 0 30 2 *’ never comes"),
    ('"every 4 hours"', '"every 99999999999999999999 days"', "flows.bills.schedule", "never comes"),
    ('"every 4 hours"', "4", "flows.bills.schedule", "must be a text in quotes"),
    ('"every 4 hours"', f'"{"0 6 * * 1," * 30}"', "flows.bills.schedule", "at most 250 characters"),
    ('state = "active"', 'state = "needs_attention"', "flows.bills.state", "Known are active, paused"),
    ('state = "active"', "state = ['active']", "flows.bills.state", "must be a text in quotes"),
    ('state = "active"', "state = true", "flows.bills.state", "must be a text in quotes"),
    ('state = "active"', "columns = 3", "flows.bills.columns", "must be a table [flows.columns]"),
    ('state = "active"', 'colums = { Vendor = "VENDORNAME" }', "flows.bills.colums", "this key is not known"),
]
BAD_COLUMNS = [
    ("Vendor = 5", "must be a field’s name in quotes, or a table"),
    ("Vendor = { field = 5 }", "must be a text in quotes"),
    ('Vendor = { feild = "VENDORNAME" }', "this key is not known. Known are field, transform, values"),
    ('Vendor = { field = "VENDORNAME", values = ["a"] }', "must be a text in quotes"),
    ('Vendor = { field = "VENDORNAME", transform = 5 }', "a name such as “upper”, a table with “do”, or a list"),
    ('Vendor = { field = "VENDORNAME", transform = ["upper", 5] }', "a name such as “upper”, a table with “do”, or a list"),
    ('Vendor = { field = "VENDORNAME", transform = "uper" }', "There is no step called “uper”"),
    ('Vendor = { field = "VENDORNAME", transform = { name = "cut" } }', "There is no step called"),
    ('Vendor = { field = "VENDORNAME", transform = { do = ["cut"] } }', "There is no step called"),
    ('Vendor = { field = "VENDORNAME", transform = { do = "cut", length = "long" } }', "“length” must be a whole number"),
    (
        'Vendor = { field = "VENDORNAME", transform = { do = "cut", length = 9, width = 2 } }',
        "not something that this step asks for",
    ),
    ('Vendor = { field = "VENDORNAME", transform = "sum" }', "works on a field of the lines only"),
    ('Vendor = { transform = { do = "join", fields = 2026-01-01 } }', "“fields” must be a list"),
    ('Vendor = ""', "Choose a field"),
    ('Vendor = "VENDORNAM"', "Sage Intacct has no field ‘VENDORNAM’. There are, for example, VENDORNAME"),
    ('Vendor = "zzzzzz"', "Sage Intacct has no field ‘zzzzzz’. There are, for example, "),
]
BAD_BOARDS = [
    ('Supplier = "VENDORNAME"', "Supplier", "the board ‘AP bills’ has no such column. It has ‘Name’, ‘Vendor’, ‘Vendor card’,"),
    ('Amount = "VENDORNAME"', "Amount", "takes an amount or a whole number, but would get a text"),
    ('amount = "WHENDUE"', "amount", "would get a date"),
    ('Vendor = "VENDORNAME"\nvendor = "VENDORID"', "vendor", "Two rules fill Vendor"),
]


@pytest.mark.parametrize(("old", "new", "key", "said"), BAD_LINES)
def test_a_wrong_line_is_refused_with_its_key(office: Office, old: str, new: str, key: str, said: str) -> None:
    (office.folder / "empty").write_text(" \n")
    assert FILE.count(old) == 1

    complaints = office.refused(FILE.replace(old, new))

    line = next((each for each in complaints.splitlines() if each.startswith(f"acme.toml: {key}: ")), "")
    assert said in line, complaints
    assert "canary" not in complaints
    assert "None" not in complaints


@pytest.mark.parametrize(("line", "said"), BAD_COLUMNS)
def test_a_column_that_cannot_be_filled_so_is_refused(office: Office, line: str, said: str) -> None:
    complaints = office.refused(FILE + f"[flows.columns]\n{line}\n")

    assert complaints.startswith("acme.toml: flows.bills.columns.Vendor")
    assert said in complaints
    assert ".." not in complaints


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        ('[flows.columns]\nVendor = { transform = { do = "constant", value = "a\\u0000b" } }', "columns.Vendor.transform.value"),
        (
            '[flows.columns]\nVendor = { transform = [{ do = "join", fields = ["VENDORID", "VENDOR\\u0007"] }, "upper"] }',
            "columns.Vendor.transform.1.fields.2",
        ),
        (
            '[flows.columns]\nVendor = { field = "VENDORNAME", transform = { do = "cut", "len\\u001b" = 5 } }',
            "columns.Vendor.transform",
        ),
        ('[flows.options]\nattachments = "Files\\u0000"', "options.attachments"),
        (
            '[[flows.options.routes]]\nfield = "VENDORID"\nis = ["V1", "V\\u007f"]\nplace = "AP bills"',
            "options.routes.is.2",
        ),
    ],
)
def test_a_control_character_is_refused_however_deep_it_lies(office: Office, lines: str, key: str) -> None:
    complaints = office.refused(FILE + f"{lines}\n")

    assert f"acme.toml: flows.bills.{key}: holds a control character, which no text may." in complaints
    assert not any(sign in complaints for sign in "\x00\x07\x1b\x7f")


def test_a_separator_may_be_a_new_line(office: Office) -> None:
    lines = '[flows.columns]\nLines = { field = "lines.ENTRYDESCRIPTION", transform = { do = "list", separator = "\\n" } }\n'

    assert "acme" in office.apply(FILE + lines)


@pytest.mark.parametrize(("lines", "key", "said"), BAD_BOARDS)
def test_a_column_that_the_board_does_not_take_is_refused(office: Office, lines: str, key: str, said: str) -> None:
    complaints = office.refused(FILE + f"[flows.columns]\n{lines}\n")

    assert f"acme.toml: flows.bills.columns.{key}: " in complaints
    assert said in complaints


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[tenant\nslug = 5", "this is not TOML: Expected ']'"),
        (b'[tenant]\nslug = "acme"\nslug = "acme"\n', "this is not TOML: Cannot overwrite a value (at line 3"),
        (b"[tenant]\nname = acme\n", "this is not TOML: Invalid value (at line 2, column 8)"),
        (b"n = " + b"9" * 5_000, "this is not TOML: "),
        (b"n = " + b"[" * 50_000, "this is not TOML: "),
        (b'name = "\xff"', "the file must be UTF-8 text"),
        (b"", "tenant: a table [tenant] with slug and name is needed"),
        (b"tenant = 3", "tenant: a table [tenant] with slug and name is needed"),
        (b"[[tenant]]", "tenant: a table [tenant] with slug and name is needed"),
        (b"[connections]\nname = 'a'", "connections: must be written as [[connections]] tables"),
        (b"flows = ['bills']", "flows: must be written as [[flows]] tables"),
        (b"[tenants]", "tenants: this key is not known. Known are connections, flows, tenant"),
    ],
)
def test_what_is_no_configuration_is_refused_with_its_line(office: Office, content: bytes, said: str) -> None:
    path = office.folder / "acme.toml"
    path.write_bytes(content)

    assert said in refusal("apply", path).said


def test_a_file_that_cannot_be_read_is_refused(office: Office) -> None:
    assert (
        "no-such.toml: the file cannot be read (No such file or directory)."
        in refusal("apply", office.folder / "no-such.toml").said
    )
    assert "the file cannot be read (Is a directory)." in refusal("apply", office.folder).said


def test_all_complaints_come_at_once(office: Office) -> None:
    said = office.refused(
        FILE.replace("America/Chicago", "Chicago")
        .replace("env:ACME_MONDAY_TOKEN", "env:NOT_SET")
        .replace("every 4 hours", "often")
        + '[flows.columns]\nVendor = "VENDORNAM"\nDue = { field = "WHENDUE", transform = "uper" }\n'
    )

    keys = [line.split(": ")[1] for line in said.splitlines()]
    assert keys == [
        "tenant.time_zone",
        "connections.board.token",
        "flows.bills.schedule",
        "flows.bills.columns.Vendor",
        "flows.bills.columns.Due",
    ]


def test_all_that_the_boards_do_not_take_comes_at_once(office: Office) -> None:
    other = FILE[FILE.index("[[flows]]") :].replace('"bills"', '"more"').replace('"AP bills"', '"Nowhere"')

    said = office.refused(FILE + '[flows.columns]\nSupplier = "VENDORNAME"\nDue = "VENDORNAME"\nAmount = "WHENDUE"\n' + other)

    keys = [line.split(": ")[1] for line in said.splitlines()]
    assert keys == [
        "flows.bills.columns.Supplier",
        "flows.bills.columns.Due",
        "flows.bills.columns.Amount",
        "flows.more.place",
    ]


@pytest.mark.parametrize("place", ["AP 2026", "99999999"])
def test_a_board_that_is_not_there_is_refused_with_those_that_are(office: Office, place: str) -> None:
    said = office.refused(FILE.replace('"AP bills"', f'"{place}"'))

    assert f"acme.toml: flows.bills.place: ‘{place}’ on Monday.com" in said
    assert "‘Vendors’" in said
    assert "‘AP bills’" in said


def test_two_boards_of_one_title_must_be_told_apart_by_id(office: Office) -> None:
    office.apply(FILE.replace('"AP bills"', '"Vendors"'))
    world = office.vendor("monday").world
    first = world.board("AP bills").id
    second = world.add_board("AP bills", [("Vendor", "text")])

    said = office.refused(FILE)

    assert "several have that title. Write the id instead: " in said
    assert first in said
    assert second in said
    assert f"({second})" in office.apply(FILE.replace('"AP bills"', f'"{second}"'))


def test_two_columns_of_one_title_must_be_told_apart_by_id(office: Office) -> None:
    office.apply(FILE)
    twin = office.vendor("monday").world.add_column("AP bills", "vendor ", "text")

    said = office.refused(FILE + '[flows.columns]\nVendor = "VENDORNAME"\n')

    assert f"columns.Vendor: 2 columns of the board ‘AP bills’ are called so. Write the id of one: ‘vendor’, ‘{twin}’." in said
    office.apply(FILE + f'[flows.columns]\n{twin} = "VENDORNAME"\n')


def test_a_column_that_nobody_can_write_is_refused(office: Office) -> None:
    office.apply(FILE)
    office.vendor("monday").world.add_column("AP bills", "Total", "formula")

    said = office.refused(FILE + '[flows.columns]\nTotal = "TRX_TOTALENTERED"\nSupplier = "VENDORNAME"\n')

    assert "columns.Total: Nobody can write to the column Total. Choose another column." in said
    assert "‘Total’" not in said  # it is not offered either


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("unauthorized", "Monday.com does not accept the API token. Reconnect with the token that Monday.com shows now."),
        ("user_access_denied", "Monday.com does not let this user use its API"),
        ("slow", "Monday.com did not answer. Try again in a few minutes."),
        ("server_error", "Monday.com did not answer. Try again in a few minutes."),
        ("html_page", "Monday.com"),
        ("minute_limit", "Monday.com takes no more calls for the moment. Try again in "),
    ],
)
def test_a_vendor_that_refuses_or_keeps_silent_leaves_everything_as_it_was(office: Office, fault: str, said: str) -> None:
    office.apply(FILE)
    office.vendor("monday").faults.arm(fault, times=None)

    complaints = office.refused(FILE + '[flows.columns]\nVendor = "VENDORID"\n')

    assert complaints.startswith("acme.toml: connections.board: ")
    assert said in complaints
    assert "by ourselves" not in complaints
    office.vendor("monday").faults.clear()
    assert "version 1 → version 2" in office.apply(FILE + '[flows.columns]\nVendor = "VENDORID"\n')


def test_a_new_tenant_with_a_wrong_token_is_not_made(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_MONDAY_TOKEN", "canary-wrong-token")

    said = office.refused(FILE)

    assert "acme.toml: connections.board: Monday.com does not accept the API token." in said
    assert "canary" not in said


def test_sample_data_that_is_switched_off_is_told(office: Office, settings: Any) -> None:
    settings.SANDBOX_URL = ""

    assert "connections.board: Sample connections are switched off" in office.refused(FILE)


def test_a_connection_keeps_its_vendor_and_its_world(office: Office) -> None:
    office.apply(FILE)
    swapped = FILE.replace('"books"', '"x"').replace('"board"', '"books"').replace('"x"', '"board"')

    said = office.refused(swapped)

    assert "acme.toml: connections.board: it exists for Monday.com (sample). A connection keeps its vendor and world" in said
    assert "acme.toml: connections.books: it exists for Sage Intacct (sample)." in said
    live = office.refused(FILE.replace('world = "sample"\n', ""))
    assert len(live.splitlines()) == 2


def test_a_flow_that_filled_a_board_does_not_move(office: Office) -> None:
    office.apply(FILE + COLUMNS)
    run("run_flow", "acme/bills")

    said = office.refused(FILE.replace('"AP bills"', '"Vendors"'))

    assert said.startswith(
        "acme.toml: flows.bills.place: this flow has already filled ‘AP bills’. Make a new flow for another place."
    )
    with office.inside():
        assert Link.objects.exists()


def test_one_wrong_flow_keeps_the_others_from_being_stored(office: Office) -> None:
    """The refusal comes after connections and other flows were written, and takes them all back."""
    office.apply(FILE + COLUMNS)
    run("run_flow", "acme/bills")
    fresh = FILE[FILE.index("[[flows]]") :].replace('"bills"', '"fresh"')
    changed = (FILE.replace('"AP bills"', '"Vendors"') + fresh).replace("Acme Services", "Acme Group")
    before = everything()

    office.refused(changed)

    assert everything() == before
    assert office.tenant.name == "Acme Services"


def test_apply_does_not_wake_a_flow_whose_login_is_refused(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trying a wrong password again and again locks the user at the vendor."""
    monkeypatch.setenv("ACME_USER_PASSWORD", "wrong")
    office.apply(FILE)
    refusal("run_flow", "acme/bills")

    assert office.apply(FILE) == "Everything is as the file says.\n"

    assert office.flow().state == FlowState.NEEDS_ATTENTION
