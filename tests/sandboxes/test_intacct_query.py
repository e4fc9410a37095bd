"""The ``query`` function of the Intacct sandbox."""

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandboxes.test_intacct import BY_STAMP, SHOW_PRIVATE, Talk, query, where


@pytest.fixture
def talk() -> Iterator[Talk]:
    talk = Talk()
    talk.world.reset(bills=0)
    talk.sign_in()
    yield talk


def ask(talk: Talk, filter_: str = "", fields: str = "VENDORID", options: str = "") -> set[str]:
    heard = talk.ask(query("VENDOR", fields, filter_, options=options, paging="<pagesize>2000</pagesize>"))
    assert heard.errorno == "", heard.body
    return set(heard.column("VENDORID"))


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        (where("equalto", "VENDORID", "V-011"), {"V-011"}),
        (where("in", "VENDORID", "V-012", "V-013", "none"), {"V-012", "V-013"}),
        (f"<and>{where('notequalto', 'TERMNAME', 'N30')}{where('lessthan', 'RECORDNO', '14')}</and>", {"V-013"}),
        (where("lessthan", "VENDORID", "V-013"), {"V-011", "V-012"}),
        (where("lessthanorequalto", "VENDORID", "V-012"), {"V-011", "V-012"}),
        (where("greaterthan", "VENDORID", "V-025"), {"V-026"}),
        (where("greaterthanorequalto", "RECORDNO", "25"), {"V-025", "V-026"}),
        (where("between", "RECORDNO", "11", "12"), {"V-011", "V-012"}),
        (where("like", "NAME", "O_Hara%"), {"V-013"}),
        (where("like", "NAME", "o_hara%"), set()),
        (where("equalto", "STATUS", "T"), set()),
        (where("equalto", "NAME", "O'Hara Ltd"), {"V-013"}),
        (f"<and>{where('notin', 'VENDORID', 'V-011')}{where('lessthan', 'VENDORID', 'V-013')}</and>", {"V-012"}),
        (f"<and>{where('notlike', 'NAME', 'Pac%')}{where('lessthan', 'RECORDNO', '13')}</and>", {"V-012"}),
        (f"<or>{where('equalto', 'VENDORID', 'V-011')}{where('equalto', 'VENDORID', 'V-012')}</or>", {"V-011", "V-012"}),
        (f"<and>{where('isnull', 'PARENTID')}{where('equalto', 'RECORDNO', '11')}</and>", {"V-011"}),
        (f"<and>{where('isnotnull', 'NAME')}{where('equalto', 'RECORDNO', '11')}</and>", {"V-011"}),
        (where("isnotnull", "PARENTID"), set()),
        (where("notequalto", "PARENTID", "V-011"), set()),
        (where("equalto", "ONHOLD", "true"), set()),
        (where("greaterthan", "CREDITLIMIT", "1000000.00"), set()),
    ],
)
def test_each_operator_finds_what_it_says(talk: Talk, filter_: str, expected: set[str]) -> None:
    assert ask(talk, filter_) == expected


def test_conditions_nest(talk: Talk) -> None:
    inner = f"<or>{where('equalto', 'TERMNAME', 'N10')}{where('like', 'NAME', 'Pac%')}</or>"
    assert ask(talk, f"<and>{inner}{where('lessthan', 'RECORDNO', '18')}</and>") == {"V-011", "V-017"}


def test_case_matters_unless_told_otherwise(talk: Talk) -> None:
    insensitive = "<options><caseinsensitive>true</caseinsensitive></options>"
    assert ask(talk, where("equalto", "NAME", "PAC BELL")) == set()
    assert ask(talk, where("equalto", "NAME", "PAC BELL"), options=insensitive) == {"V-011"}
    assert ask(talk, where("like", "NAME", "pac%"), options=insensitive) == {"V-011"}
    assert ask(talk, where("in", "NAME", "pac bell", "ZETA office SUPPLY"), options=insensitive) == {"V-011", "V-014"}


@pytest.mark.parametrize(
    "body",
    [
        query("VENDOR", "RECORDNO", f"<and>{where('equalto', 'RECORDNO', '1')}</and>"),
        query("VENDOR", "RECORDNO", where("equalto", "RECORDNO", "1") + where("equalto", "RECORDNO", "2")),
        query("VENDOR", "RECORDNO", where("in", "RECORDNO", *map(str, range(1001)))),
        query("VENDOR", "RECORDNO", where("in", "RECORDNO")),
        query("VENDOR", "RECORDNO", where("between", "RECORDNO", "1")),
        query("VENDOR", "RECORDNO", where("isnull", "RECORDNO", "1")),
        query("VENDOR", "RECORDNO", where("sounds", "NAME", "1")),
        query("VENDOR", ""),
        query("VENDOR", "RECORDNO", paging="<pagesize>0</pagesize>"),
        query("VENDOR", "RECORDNO", paging="<pagesize>2001</pagesize>"),
        query("VENDOR", "RECORDNO", paging="<offset>-1</offset>"),
        query("VENDOR", "RECORDNO", order="<orderby><order><ascending/></order></orderby>"),
        query("VENDOR", "RECORDNO", options="<options><returnformat>pdf</returnformat></options>"),
        "<query><select><field>RECORDNO</field></select></query>",
        "<query><object>VENDOR</object></query>",
        query("BADOBJECT", "RECORDNO"),
    ],
)
def test_what_the_grammar_does_not_allow_fails(talk: Talk, body: str) -> None:
    heard = talk.ask(body)
    assert (heard.status, heard.errorno) == (200, "Query Failed")


def test_a_thousand_values_and_a_page_of_two_thousand_are_allowed(talk: Talk) -> None:
    filter_ = where("in", "RECORDNO", *map(str, range(1000)))
    assert talk.ask(query("VENDOR", "RECORDNO", filter_, paging="<pagesize>2000</pagesize>")).data.get("count") == "16"


@pytest.mark.parametrize(
    "body",
    [
        query("VENDOR", "RECORDNO NOSUCHFIELD"),
        query("VENDOR", "*"),
        query("VENDOR", "RECORDNO", where("equalto", "NOSUCHFIELD", "1")),
        query("VENDOR", "RECORDNO", where("greaterthan", "WHENMODIFIED", "2026-11-20T00:00:00Z")),
        query("VENDOR", "RECORDNO", where("greaterthan", "WHENMODIFIED", "11/20/2026")),
        query("VENDOR", "RECORDNO", where("greaterthan", "WHENMODIFIED", "02/30/2026 00:00:00")),
        query("APBILL", "RECORDNO", where("equalto", "WHENDUE", "2026-11-20")),
        query("APBILL", "RECORDNO", where("equalto", "TOTALDUE", "much")),
        query("VENDOR", "RECORDNO", where("equalto", "ONHOLD", "T")),
        query("VENDOR", "PARENT.PARENT.NAME"),
        query("VENDOR", "RECORDNO", order="<orderby><order><field>NOSUCH</field></order></orderby>"),
    ],
)
def test_unknown_fields_and_values_of_another_form_look_alike(talk: Talk, body: str) -> None:
    heard = talk.ask(body)
    assert heard.errorno == "DL02000001"
    assert heard.text == "There was an error processing the request."


def test_pages_tell_where_they_stand(talk: Talk) -> None:
    order = "<orderby><order><field>RECORDNO</field><descending/></order></orderby>"
    heard = talk.ask(query("VENDOR", "RECORDNO", order=order, paging="<pagesize>5</pagesize><offset>12</offset>"))
    assert dict(heard.data.attrib) == {
        "listtype": "VENDOR",
        "totalcount": "16",
        "offset": "12",
        "count": "4",
        "numremaining": "0",
    }
    assert heard.column("RECORDNO") == ["14", "13", "12", "11"]
    assert talk.ask(query("VENDOR", "RECORDNO", paging="<pagesize>5</pagesize>")).data.get("numremaining") == "11"


def test_a_query_says_upper_case_and_leaves_absent_values_empty(talk: Talk) -> None:
    heard = talk.ask(query("VENDOR", "RECORDNO PARENTID DISPLAYCONTACT.EMAIL1", where("equalto", "RECORDNO", "11")))
    assert b"<VENDOR><RECORDNO>11</RECORDNO><PARENTID></PARENTID><DISPLAYCONTACT.EMAIL1>" in heard.body


def test_nothing_found_is_an_element_that_closes_itself(talk: Talk) -> None:
    heard = talk.ask(query("VENDOR", "RECORDNO", where("equalto", "RECORDNO", "999999")))
    assert b'<data listtype="VENDOR" totalcount="0" offset="0" count="0" numremaining="0"/>' in heard.body


def test_without_an_order_rows_come_in_none(talk: Talk) -> None:
    ask = query("GLACCOUNT", "ACCOUNTNO")
    assert len({tuple(talk.ask(ask).column("ACCOUNTNO")) for _ in range(5)}) > 1
    talk.world.reset(unordered_shuffled=False)
    talk.sign_in()
    assert len({tuple(talk.ask(ask).column("ACCOUNTNO")) for _ in range(5)}) == 1


def test_related_records_are_reached_over_dots(talk: Talk) -> None:
    number = talk.world.add_bill(VENDORID="V-013", TRX_TOTALENTERED="10.00")
    fields = "VENDORNAME VENDOR.NAME VENDOR.CREDITLIMIT VENDOR.TERM.NAME VENDOR.DISPLAYCONTACT.EMAIL1"
    heard = talk.ask(query("APBILL", fields, where("equalto", "VENDOR.NAME", "O'Hara Ltd")))
    row = heard.data[0]
    assert row.findtext("VENDOR.TERM.NAME") == "N15"
    assert row.findtext("VENDOR.NAME") == row.findtext("VENDORNAME") == "O'Hara Ltd"
    assert number == talk.ask(query("APBILL", "RECORDNO")).column("RECORDNO")[0]


def test_aggregates_count_and_add_by_group(talk: Talk) -> None:
    for currency, amount in (("USD", "10.10"), ("USD", "20.20"), ("EUR", "5.00")):
        talk.world.add_bill(CURRENCY=currency, TRX_TOTALENTERED=amount)
    aggregates = "".join(f"<{how}>TRX_TOTALENTERED</{how}>" for how in ("count", "sum", "min", "max", "avg"))
    heard = talk.ask(f"<query><object>APBILL</object><select><field>CURRENCY</field>{aggregates}</select></query>")
    found = {row.findtext("CURRENCY"): {child.tag: child.text for child in row} for row in heard.data}
    assert heard.data.get("totalcount") == "2"
    assert found["USD"]["COUNT.TRX_TOTALENTERED"] == "2"
    assert found["USD"]["SUM.TRX_TOTALENTERED"] == "30.30"
    assert found["USD"]["MIN.TRX_TOTALENTERED"] == "10.10"
    assert found["USD"]["MAX.TRX_TOTALENTERED"] == "20.20"
    assert Decimal(found["USD"]["AVG.TRX_TOTALENTERED"]) == Decimal("15.15")
    heard = talk.ask("<query><object>APBILL</object><select><count>RECORDNO</count></select></query>")
    assert heard.data[0].findtext("COUNT.RECORDNO") == "3"
    assert talk.ask("<query><object>APBILL</object><select><sum>VENDORID</sum></select></query>").errorno == "DL02000001"


def test_json_and_csv_come_without_an_envelope(talk: Talk) -> None:
    only = where("equalto", "RECORDNO", "12")
    heard = talk.ask(query("VENDOR", "RECORDNO NAME", only, options="<options><returnformat>json</returnformat></options>"))
    assert heard.headers["Content-Type"] == "application/json"
    assert json.loads(heard.body) == [{"RECORDNO": "12", "NAME": "Acme & Sons"}]
    heard = talk.ask(query("VENDOR", "RECORDNO NAME", only, options="<options><returnformat>csv</returnformat></options>"))
    assert heard.body == b'"RECORDNO","NAME"\n"12","Acme & Sons"\n'
    as_json = query("VENDOR", "RECORDNO", options="<options><returnformat>json</returnformat></options>")
    assert talk.ask(as_json, query("VENDOR", "RECORDNO")).statuses()[2:] == ["failure", "success"]
    heard = talk.ask(query("VENDOR", "NOSUCH", options="<options><returnformat>json</returnformat></options>"))
    assert heard.errorno == "DL02000001"


def test_records_of_one_entity_need_showprivate_at_the_top(talk: Talk) -> None:
    talk.world.add_bill(RECORDID="shared")
    talk.world.add_bill(RECORDID="private", MEGAENTITYID="E200")
    ask = query("APBILL", "RECORDID")
    ask_all = query("APBILL", "RECORDID", options=SHOW_PRIVATE)
    assert talk.ask(ask).column("RECORDID") == ["shared"]
    assert sorted(talk.ask(ask_all).column("RECORDID")) == ["private", "shared"]
    assert len(talk.ask(query("APBILLITEM", "RECORDNO")).data) == 1
    talk.sign_in(locationid="E200")
    assert sorted(talk.ask(ask).column("RECORDID")) == ["private", "shared"]
    talk.sign_in(locationid="E100")
    assert talk.ask(ask_all).column("RECORDID") == ["shared"]


def test_enums_are_asked_for_by_label(talk: Talk) -> None:
    talk.world.add_bill(STATE="Partially Approved")
    assert talk.ask(query("APBILL", "STATE", where("equalto", "STATE", "Partially Approved"))).column("STATE") == [
        "Partially Approved"
    ]
    assert talk.ask(query("APBILL", "STATE", where("equalto", "STATE", "PA"))).data.get("count") == "0"


def test_moments_are_written_and_compared_in_the_users_zone(talk: Talk) -> None:
    talk.world.add_bill(WHENMODIFIED="11/21/2026 01:00:00", WHENDUE="12/20/2026")
    talk.world.add_user("SAMPLE", "pacific", "pw", gmtoffset="-08:00")
    talk.login = ("pacific", "SAMPLE", "pw")
    talk.sign_in()
    heard = talk.ask(query("APBILL", "WHENMODIFIED WHENDUE", where("equalto", "WHENMODIFIED", "11/20/2026 17:00:00")))
    assert heard.column("WHENMODIFIED") == ["11/20/2026 17:00:00"]
    assert heard.column("WHENDUE") == ["12/20/2026"]
    assert talk.ask(query("APBILL", "WHENDUE", where("equalto", "WHENMODIFIED", "11/21/2026 01:00:00"))).data.get("count") == "0"


def test_whenmodified_can_stay_empty_until_the_first_change(talk: Talk) -> None:
    talk.world.reset(bills=0, empty_modified=["APBILL"])
    talk.sign_in()
    number = talk.world.add_bill()
    ask = query("APBILL", "RECORDNO AUWHENCREATED WHENMODIFIED", where("isnull", "WHENMODIFIED"))
    assert talk.ask(ask).column("RECORDNO") == [number]
    assert talk.ask(query("APBILL", "RECORDNO", order=BY_STAMP)).column("RECORDNO") == [number]
    talk.world.change_bill(number, DESCRIPTION="changed")
    assert talk.ask(ask).data.get("count") == "0"


def test_a_row_may_arrive_late_with_an_early_stamp(talk: Talk) -> None:
    number = talk.world.add_bill()
    talk.world.hide_until(number, talk.clock.now() + timedelta(minutes=90))
    late = talk.world.add_bill(hidden_for=60)
    assert talk.ask(query("APBILL", "RECORDNO")).data.get("totalcount") == "0"
    assert talk.ask(query("APBILLITEM", "RECORDNO")).data.get("totalcount") == "0"
    talk.clock.advance(61)
    assert talk.ask(query("APBILL", "RECORDNO")).column("RECORDNO") == [late]
    talk.clock.advance(90 * 60)
    heard = talk.ask(query("APBILL", "RECORDNO WHENMODIFIED", where("equalto", "RECORDNO", number)))
    assert heard.column("WHENMODIFIED")[0] == talk.world.bill(number)["WHENMODIFIED"]


def test_a_changed_line_leaves_the_headers_stamp_alone(talk: Talk) -> None:
    number = talk.world.add_bill(lines=[{"ACCOUNTNO": "4000-01-00", "TRX_AMOUNT": "10.00"}])
    before = talk.world.bill(number)
    talk.clock.advance(60)
    talk.world.change_line(before["lines"][0]["RECORDNO"], DEPARTMENTID="D100", TRX_AMOUNT="12.00")
    after = talk.world.bill(number)
    assert after["WHENMODIFIED"] == before["WHENMODIFIED"] < after["lines"][0]["WHENMODIFIED"]
    assert after["TRX_TOTALENTERED"] == "12.00"
    assert after["lines"][0]["DEPARTMENTNAME"] == "Sales"


def test_a_deleted_bill_is_found_in_the_audit_history_alone(talk: Talk) -> None:
    number = talk.world.add_bill()
    talk.world.delete_bill(number)
    assert talk.ask(query("APBILL", "RECORDNO")).data.get("count") == "0"
    filter_ = f"<and>{where('equalto', 'OBJECTTYPE', 'apbill')}{where('equalto', 'ACCESSMODE', 'D')}</and>"
    heard = talk.ask(query("AUDITHISTORY", "OBJECTKEY ACCESSTIME ID", filter_))
    assert heard.column("OBJECTKEY") == [number]


def test_permissions_are_told_by_object_and_without_a_code_for_audits(talk: Talk) -> None:
    talk.world.add_user("SAMPLE", "narrow", "pw", permissions={"VENDOR": "read"})
    talk.login = ("narrow", "SAMPLE", "pw")
    talk.sign_in()
    assert talk.ask(query("VENDOR", "RECORDNO")).errorno == ""
    heard = talk.ask(query("APBILL", "RECORDNO"))
    assert heard.errorno == "PL04000005"
    assert heard.text.startswith(
        "You do not have permission for API operation READ_BY_QUERY on objects of type apbill [Support ID: "
    )
    heard = talk.ask(query("AUDITHISTORY", "ID"))
    assert heard.xml.find(".//errorno") is None
    assert heard.text == "You do not have permission to view audit history"


def test_several_functions_are_answered_one_by_one(talk: Talk) -> None:
    heard = talk.ask(query("VENDOR", "RECORDNO"), query("NOSUCH", "RECORDNO"), query("CLASS", "RECORDNO"), ids=("a", "b", "c"))
    results = [(one.findtext("controlid"), one.findtext("status")) for one in heard.xml.iter("result")]
    assert results == [("a", "success"), ("b", "failure"), ("c", "success")]


def after(stamp: str, number: str) -> str:
    tie = f"<and>{where('equalto', 'WHENMODIFIED', stamp)}{where('greaterthan', 'RECORDNO', number)}</and>"
    return f"<or>{where('greaterthan', 'WHENMODIFIED', stamp)}{tie}</or>"


def walk(talk: Talk, pagesize: int) -> list[str]:
    """All bills by pages that each start after the last row of the one before."""
    found: list[str] = []
    stamp, number = "01/01/2000 00:00:00", "0"
    while True:
        paging = f"<pagesize>{pagesize}</pagesize>"
        ask = query("APBILL", "RECORDNO WHENMODIFIED", after(stamp, number), order=BY_STAMP, options=SHOW_PRIVATE, paging=paging)
        heard = talk.ask(ask)
        if heard.data.get("count") == "0":
            return found
        found += heard.column("RECORDNO")
        stamp, number = heard.column("WHENMODIFIED")[-1], found[-1]


def test_thousands_of_equal_stamps_are_walked_once_each(talk: Talk) -> None:
    talk.world.seed(bills=1500, over=3600)
    talk.world.seed(bills=3000, same_stamp=True)
    found = walk(talk, 1000)
    assert len(found) == len(set(found)) == 4500


def test_seeded_bills_hold_together(talk: Talk) -> None:
    numbers = talk.world.seed(bills=300)["bills"]
    bills = talk.world.bills()
    assert [bill["RECORDNO"] for bill in bills] == numbers
    for bill in bills:
        assert sum(Decimal(line["TRX_AMOUNT"]) for line in bill["lines"]) == Decimal(bill["TRX_TOTALENTERED"])
        assert Decimal(bill["TRX_TOTALENTERED"]) - Decimal(bill["TRX_TOTALPAID"]) == Decimal(bill["TRX_TOTALDUE"])
        assert 1 <= len(bill["lines"]) <= 4
    assert {bill["CURRENCY"] for bill in bills} == {"USD", "EUR", "JPY"}
    assert all("." not in bill["TRX_TOTALENTERED"] for bill in bills if bill["CURRENCY"] == "JPY")


def test_the_same_bills_are_seeded_every_time() -> None:
    def seeded() -> list[object]:
        talk = Talk()
        talk.world.reset(bills=0)
        talk.world.seed(bills=20, start="2026-10-01T00:00:00+00:00", over=86400)
        return [{**bill, "DUE_IN_DAYS": ""} for bill in talk.world.bills()]

    assert seeded() == seeded()


STAMPS = [f"11/20/2026 09:15:0{second}" for second in range(6)]
conditions = st.recursive(
    st.builds(
        lambda how, stamp: where(how, "WHENMODIFIED", stamp),
        st.sampled_from(("greaterthan", "greaterthanorequalto", "equalto", "lessthan", "notequalto")),
        st.sampled_from(STAMPS),
    )
    | st.just(where("isnull", "WHENMODIFIED")),
    lambda inner: st.builds(
        lambda how, parts: f"<{how}>{''.join(parts)}</{how}>",
        st.sampled_from(("and", "or")),
        st.lists(inner, min_size=2, max_size=3),
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["", *STAMPS]), max_size=8), conditions)
def test_a_filter_finds_the_same_rows_in_order_as_without_one(stamps: list[str], condition: str) -> None:
    talk = Talk()
    talk.world.reset(bills=0, empty_modified=True)
    talk.sign_in()
    for stamp in stamps:
        talk.world.add_bill(WHENMODIFIED=stamp)
    ordered = talk.ask(query("APBILL", "RECORDNO WHENMODIFIED", condition, order=BY_STAMP))
    loose = talk.ask(query("APBILL", "RECORDNO WHENMODIFIED", condition))
    assert sorted(ordered.column("RECORDNO")) == sorted(loose.column("RECORDNO"))
    found = ordered.column("WHENMODIFIED")
    assert [stamp for stamp in found if stamp] == sorted(stamp for stamp in found if stamp)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(min_value=0, max_value=5), max_size=12), st.integers(min_value=1, max_value=4))
def test_walking_by_pages_finds_every_bill_whatever_the_stamps(seconds: list[int], pagesize: int) -> None:
    talk = Talk()
    talk.world.reset(bills=0)
    talk.sign_in()
    expected = [talk.world.add_bill(WHENMODIFIED=f"11/20/2026 09:15:0{second}") for second in seconds]
    assert sorted(walk(talk, pagesize)) == sorted(expected)
