"""The older read functions of the Intacct sandbox, and what it tells about itself."""

from collections.abc import Iterator

import pytest

from tests.sandboxes.test_intacct import Talk


@pytest.fixture
def talk() -> Iterator[Talk]:
    talk = Talk()
    talk.world.reset(bills=0)
    talk.sign_in()
    yield talk


def by_query(object_: str, sql: str, fields: str = "*", pagesize: int = 1000) -> str:
    sql = sql.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    inner = f"<object>{object_}</object><fields>{fields}</fields><query>{sql}</query><pagesize>{pagesize}</pagesize>"
    return f"<readByQuery>{inner}<returnFormat>xml</returnFormat></readByQuery>"


def read(object_: str, keys: str, fields: str = "*", function: str = "read") -> str:
    return f"<{function}><object>{object_}</object><keys>{keys}</keys><fields>{fields}</fields></{function}>"


def test_rows_come_in_lower_case_with_a_cursor_for_the_rest(talk: Talk) -> None:
    heard = talk.ask(by_query("CLASS", "STATUS = 'T'", "RECORDNO,CLASSID,NAME", 1))
    attributes = dict(heard.data.attrib)
    name = attributes.pop("resultId")
    assert attributes == {"listtype": "class", "count": "1", "totalcount": "2", "numremaining": "1"}
    more = talk.ask(f"<readMore><resultId>{name}</resultId></readMore>")
    assert (more.data.get("numremaining"), more.data.get("resultId")) == ("0", "")
    assert sorted(heard.column("CLASSID") + more.column("CLASSID")) == ["C1", "C2"]
    assert {row.tag for row in [*heard.data, *more.data]} == {"class"}


def test_a_cursor_belongs_to_its_session_and_is_used_up(talk: Talk) -> None:
    name = talk.ask(by_query("CLASS", "", "CLASSID", 1)).data.get("resultId")
    more = f"<readMore><resultId>{name}</resultId></readMore>"
    other = Talk(sandbox=talk.sandbox)
    other.sign_in()
    assert other.ask(more).errorno == "readMore Failed"
    name = talk.ask(by_query("CLASS", "", "CLASSID", 1)).data.get("resultId")
    assert talk.ask(f"<readMore><resultId>{name}</resultId></readMore>").errorno == ""
    assert talk.ask(f"<readMore><resultId>{name}</resultId></readMore>").text == f"Result id {name} not found or expired"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("VENDORID = 'V-011'", ["V-011"]),
        ("NAME = 'O\\'Hara Ltd'", ["V-013"]),
        ("NAME like 'Acme & %'", ["V-012"]),
        ("RECORDNO >= 25 AND RECORDNO < 27", ["V-025", "V-026"]),
        ("VENDORID in ('V-011', 'V-012') AND NOT ( VENDORID = 'V-011' )", ["V-012"]),
        ("VENDORID not in ('V-011') and RECORDNO <= 12", ["V-012"]),
        ("NAME not like 'Pac%' AND RECORDNO <= 12", ["V-012"]),
        ("VENDORID = 'V-011' OR VENDORID = 'V-012' AND RECORDNO = 12", ["V-011", "V-012"]),
        ("PARENTID IS NULL AND RECORDNO = 11", ["V-011"]),
        ("PARENTID IS NOT NULL", []),
        ("STATUS = 'active'", []),
        ("STATUS = 'T' AND RECORDNO = 11", ["V-011"]),
        ("WHENMODIFIED > '01/01/2100 00:00:00'", []),
    ],
)
def test_the_small_sql_finds_what_it_says(talk: Talk, sql: str, expected: list[str]) -> None:
    heard = talk.ask(by_query("VENDOR", sql, "VENDORID"))
    assert heard.errorno == "", heard.body
    assert sorted(heard.column("VENDORID")) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "VENDORID = 'V-011' ORDER BY RECORDNO",
        "VENDORID='V-011'",
        "NOSUCH = 'x'",
        "WHENMODIFIED > '2026-11-20T00:00:00Z'",
        "VENDORID = ",
        "( VENDORID = 'V-011'",
        "VENDORID = 'open",
        "RECORDNO between 1 and 2",
    ],
)
def test_sql_that_is_not_understood_looks_like_any_other_stumble(talk: Talk, sql: str) -> None:
    assert talk.ask(by_query("VENDOR", sql)).errorno == "DL02000001"


def test_pages_hold_a_thousand_rows_at_most(talk: Talk) -> None:
    assert talk.ask(by_query("VENDOR", "", pagesize=1001)).errorno == "Query Failed"
    assert talk.ask("<readByQuery><object>BADOBJECT</object><fields>*</fields><query/></readByQuery>").text == (
        "Object definition BADOBJECT not found"
    )


def test_bill_states_are_asked_for_by_letter_and_told_by_label(talk: Talk) -> None:
    number = talk.world.add_bill(STATE="Submitted")
    talk.world.add_bill(STATE="Posted")
    heard = talk.ask(by_query("APBILL", "STATE = 'S'", "RECORDNO,STATE,RAWSTATE"))
    assert heard.column("RECORDNO") == [number]
    assert (heard.column("STATE"), heard.column("RAWSTATE")) == (["Submitted"], ["S"])


def test_rows_do_not_come_in_the_order_of_their_numbers(talk: Talk) -> None:
    talk.world.seed(bills=200)
    numbers = talk.ask(by_query("APBILL", "", "RECORDNO")).column("RECORDNO")
    assert numbers != sorted(numbers)


def test_reading_a_bill_brings_its_lines(talk: Talk) -> None:
    lines = [{"ACCOUNTNO": "6220-00-00", "TRX_AMOUNT": "10.50"}, {"ACCOUNTNO": "4000-01-00", "TRX_AMOUNT": "4.50"}]
    number = talk.world.add_bill(lines=lines)
    row = talk.ask(read("APBILL", f"{number},999")).data[0]
    assert (row.tag, row.findtext("TOTALDUE")) == ("APBILL", "15.00")
    assert [line.findtext("TRX_AMOUNT") for line in row.find("APBILLITEMS")] == ["10.50", "4.50"]
    assert {line.tag for line in row.find("APBILLITEMS")} == {"apbillitem"}
    assert row.find("APBILLITEMS")[0].findtext("ACCOUNTTITLE") == "Postage and freight"
    assert talk.ask(read("APBILL", number, "RECORDNO")).data[0].find("APBILLITEMS") is None


def test_reading_takes_a_hundred_keys_and_known_fields(talk: Talk) -> None:
    assert talk.ask(read("VENDOR", ",".join(map(str, range(1, 101))))).data.get("count") == "16"
    assert talk.ask(read("VENDOR", ",".join(map(str, range(1, 102))))).errorno == "Query Failed"
    assert talk.ask(read("VENDOR", "11", "RECORDNO,NOSUCH")).errorno == "Invalid fields list NOSUCH"
    assert talk.ask(read("VENDOR", "999999")).data.get("count") == "0"


def test_records_are_read_by_name_too(talk: Talk) -> None:
    assert talk.ask(read("VENDOR", "V-013,V-011", "NAME", "readByName")).column("NAME") == ["O'Hara Ltd", "Pac Bell"]
    talk.world.add_bill(RECORDID="INV-1")
    talk.world.add_bill(RECORDID="INV-1", VENDORID="V-012")
    assert talk.ask(read("APBILL", "INV-1", "RECORDNO", "readByName")).data.get("count") == "2"


def test_our_own_user_tells_its_formats(talk: Talk) -> None:
    talk.world.reset(bills=0, gmtoffset="+09:30", dateformat=".ymd", clock24=False)
    talk.sign_in()
    number = talk.ask(read("USERINFO", "xml_gateway", "RECORDNO", "readByName")).column("RECORDNO")[0]
    for way in (f"<key>{number}</key>", "<userId>xml_gateway</userId>"):
        heard = talk.ask(f"<readUserFormatting>{way}</readUserFormatting>")
        told = {child.tag: child.text for child in heard.data.find("userformatting")}
        assert told == {"recordno": number, "locale": "en_US", "dateformat": ".ymd", "gmtoffset": "+09:30", "clock": "12"}


def test_lookup_names_fields_types_labels_and_relations(talk: Talk) -> None:
    talk.world.add_custom_field("APBILL", "MLC_STATUS")
    heard = talk.ask("<lookup><object>APBILL</object></lookup>")
    fields = {field.findtext("ID"): field for field in heard.data.iter("Field")}
    assert fields["WHENMODIFIED"].findtext("DATATYPE") == "TIMESTAMP"
    assert "Partially Approved" in [value.text for value in fields["STATE"].iter("VALIDVALUE")]
    assert fields["MLC_STATUS"].findtext("ISCUSTOM") == "true"
    assert "VENDOR" in [relation.findtext("OBJECTPATH") for relation in heard.data.iter("Relationship")]
    assert talk.ask("<lookup><object>NOSUCH</object></lookup>").errorno == "Query Failed"


def test_a_custom_field_is_read_like_any_other(talk: Talk) -> None:
    talk.world.add_custom_field("APBILL", "MLC_STATUS")
    talk.world.add_bill(MLC_STATUS="approved")
    assert talk.ask(by_query("APBILL", "MLC_STATUS = 'approved'", "MLC_STATUS")).column("MLC_STATUS") == ["approved"]


def test_inspect_lists_objects_and_fields(talk: Talk) -> None:
    listed = [one.get("typename") for one in talk.ask("<inspect><object>*</object></inspect>").data]
    assert "apbill" in listed
    names = [one.text for one in talk.ask("<inspect><object>VENDOR</object></inspect>").data.iter("Field")]
    assert names[:3] == ["RECORDNO", "VENDORID", "NAME"]
    long = talk.ask('<inspect detail="1"><object>VENDOR</object></inspect>').data.iter("Field")
    assert next(iter(long)).findtext("Name") == "RECORDNO"


def test_dimensions_are_listed(talk: Talk) -> None:
    names = [one.findtext("objectName") for one in talk.ask("<getDimensions/>").data.iter("dimension")]
    assert {"DEPARTMENT", "LOCATION", "CLASS", "PROJECT", "CUSTOMER", "VENDOR"} <= set(names)


def test_permissions_are_told_by_policy(talk: Talk) -> None:
    talk.world.add_user("SAMPLE", "narrow", "pw", permissions={"APBILL": "read update", "GLACCOUNT": "read"})
    heard = talk.ask("<getUserPermissions><userId>narrow</userId></getUserPermissions>")
    policies = {one.findtext("policyName"): one.findtext("rights") for one in heard.data.iter("policy")}
    assert policies == {"Bills": "List|View|Edit", "Accounts": "List|View"}
    talk.login = ("narrow", "SAMPLE", "pw")
    talk.sign_in()
    assert talk.ask("<getUserPermissions><userId>narrow</userId></getUserPermissions>").errorno == "PL04000005"
    assert talk.ask(read("VENDOR", "11")).text.startswith("You do not have permission for API operation READ on")
