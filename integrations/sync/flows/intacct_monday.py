"""Sage Intacct → Monday.com."""

from integrations.sync.own_fields import with_own
from integrations.sync.spec import FlowSpec
from integrations.vendors import intacct, monday

BILLS = FlowSpec(
    key="intacct_monday.bills",
    title="AP bills become board items",
    source=intacct.VENDOR,
    object="APBILL",
    target=monday.VENDOR,
    every="every 4 hours",
    fields=with_own(intacct.VENDOR.catalogues["APBILL"]),
    suggests={
        "Name": "RECORDID",
        "Bill number": "RECORDID",
        "Vendor": "VENDORNAME",
        "Amount": "TRX_TOTALENTERED",
        "Amount due": "TRX_TOTALDUE",
        "Currency": "CURRENCY",
        "Due": "WHENDUE",
        "Due date": "WHENDUE",
        "Bill date": "WHENCREATED",
        "Status": "STATE",
        "State": "STATE",
        "GL account": "lines.ACCOUNTNO",
        "Department": "lines.DEPARTMENTID",
        "Location": "lines.LOCATIONID",
        "Link": "RECORD_URL",
        "Paid": "payment.PAID",
        "Paid on": "payment.DATE",
        "Payment": "payment.STATE",
        "Payment reference": "payment.REFERENCE",
        "Needs review": "ml.is_flagged",
        "In the books": "ml.books",
    },
    always_reads=("RECORDID", "VENDORNAME"),
    natural_key=("VENDORID", "RECORDID"),
    attachment="SUPDOCID",
    noun=("bill", "bills"),
    amount="TRX_TOTALENTERED",
    currency="CURRENCY",
)

BILL_LINES = FlowSpec(
    key="intacct_monday.bill_lines",
    title="Bill lines become items below the bill's item",
    source=intacct.VENDOR,
    object="APBILLITEM",
    target=monday.VENDOR,
    every="every 4 hours",
    fields=with_own(intacct.VENDOR.catalogues["APBILLITEM"]),
    suggests={"Name": "ENTRYDESCRIPTION", "Amount": "TRX_AMOUNT", "GL account": "ACCOUNTNO", "Department": "DEPARTMENTID"},
    always_reads=("RECORDKEY", "LINE_NO", "ENTRYDESCRIPTION"),
    noun=("bill line", "bill lines"),
    parent="RECORDKEY",
    parent_kind="intacct_monday.bills",
    amount="TRX_AMOUNT",
)

VENDORS = FlowSpec(
    key="intacct_monday.vendors",
    title="Vendors become board items",
    source=intacct.VENDOR,
    object="VENDOR",
    target=monday.VENDOR,
    every="daily",
    fields=with_own(intacct.VENDOR.catalogues["VENDOR"]),
    suggests={
        "Name": "NAME",
        "Vendor ID": "VENDORID",
        "Status": "STATUS",
        "State": "STATUS",
        "Terms": "TERMNAME",
        "Currency": "CURRENCY",
        "E-mail": "DISPLAYCONTACT.EMAIL1",
        "Phone": "DISPLAYCONTACT.PHONE1",
        "In the books": "ml.books",
    },
    always_reads=("VENDORID", "NAME"),
    natural_key=("VENDORID",),
    noun=("vendor", "vendors"),
)

GL_ACCOUNTS = FlowSpec(
    key="intacct_monday.gl_accounts",
    title="GL accounts become value mappings",
    source=intacct.VENDOR,
    object="GLACCOUNT",
    target=monday.VENDOR,
    every="daily",
    fields=with_own(intacct.VENDOR.catalogues["GLACCOUNT"]),
    suggests={"Name": "TITLE", "Account": "ACCOUNTNO", "Account number": "ACCOUNTNO", "Type": "ACCOUNTTYPE", "Status": "STATUS"},
    always_reads=("ACCOUNTNO", "TITLE", "STATUS"),
    natural_key=("ACCOUNTNO",),
    noun=("GL account", "GL accounts"),
    is_reference=True,
)

DIMENSIONS = FlowSpec(
    key="intacct_monday.dimensions",
    title="Dimensions become value mappings",
    source=intacct.VENDOR,
    object="DIMENSIONS",
    target=monday.VENDOR,
    every="daily",
    fields=with_own(intacct.VENDOR.catalogues["DIMENSIONS"]),
    suggests={"Name": "NAME", "Code": "CODE", "List": "LIST", "Status": "STATUS"},
    always_reads=("LIST", "CODE", "NAME", "STATUS"),
    noun=("dimension value", "dimension values"),
    is_reference=True,
)

ALL = (BILLS, BILL_LINES, VENDORS, GL_ACCOUNTS, DIMENSIONS)
