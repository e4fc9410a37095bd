"""Bills: the vendor's field names with a bookkeeper's labels; and every kind of object that can be read.

Custom fields are not listed; any key that the company knows may be asked for.
"""

from collections.abc import Mapping
from dataclasses import replace

from integrations.vendors.intacct.kinds import Kind, LineKind, field_of
from integrations.vendors.intacct.masters import GLACCOUNT, VENDORS
from mappings.fields import Catalogue, FieldType

TEXT, LONG, AMOUNT, INTEGER = FieldType.TEXT, FieldType.LONG_TEXT, FieldType.AMOUNT, FieldType.INTEGER
DATE, MOMENT, BOOLEAN, CHOICE, LINK = FieldType.DATE, FieldType.MOMENT, FieldType.BOOLEAN, FieldType.CHOICE, FieldType.LINK

STATES = (
    "Analyzing", "Draft", "Submitted", "Partially Approved", "Declined", "Posted", "Selected", "Partially Paid", "Paid",
    "Reversed", "Reversal", "No Value",
)  # fmt: skip
STATE_LETTERS = {"D": "Draft", "S": "Submitted", "PA": "Partially Approved", "U": "Declined", "A": "Posted"}


BILL_FIELDS = (
    field_of("RECORDID", "Bill number", example="INV-2041"),
    field_of("VENDORNAME", "Vendor name", example="Harbor Supply"),
    field_of("VENDORID", "Vendor ID", example="V-1007"),
    field_of("STATE", "State", CHOICE, "Posted", STATES),
    field_of("WHENCREATED", "Bill date", DATE, "11/20/2026"),
    field_of("WHENDUE", "Due date", DATE, "12/20/2026"),
    field_of("TRX_TOTALENTERED", "Bill amount", AMOUNT, "1480.50"),
    field_of("TRX_TOTALDUE", "Amount due", AMOUNT, "1480.50"),
    field_of("TRX_TOTALPAID", "Amount paid", AMOUNT, "0.00"),
    field_of("TRX_TOTALSELECTED", "Amount selected for payment", AMOUNT, "0.00"),
    field_of("CURRENCY", "Currency", example="USD"),
    field_of("DESCRIPTION", "Description", LONG, "November deliveries"),
    field_of("DOCNUMBER", "Reference number", example="PO-3310"),
    field_of("TERMNAME", "Payment term", example="Net 30"),
    field_of("WHENPOSTED", "GL posting date", DATE, "11/20/2026"),
    field_of("WHENPAID", "Date paid", DATE, "12/18/2026"),
    field_of("RECPAYMENTDATE", "Recommended payment date", DATE, "12/15/2026"),
    field_of("WHENDISCOUNT", "Discount date", DATE, "11/30/2026"),
    field_of("DUE_IN_DAYS", "Days until due", INTEGER, "30"),
    field_of("PAYMENTPRIORITY", "Payment priority", CHOICE, "normal", ("urgent", "high", "normal", "low")),
    field_of("ONHOLD", "On hold", BOOLEAN, "false"),
    field_of("TOTALENTERED", "Bill amount in base currency", AMOUNT, "1480.50"),
    field_of("TOTALDUE", "Amount due in base currency", AMOUNT, "1480.50"),
    field_of("TOTALPAID", "Amount paid in base currency", AMOUNT, "0.00"),
    field_of("TOTALSELECTED", "Amount selected for payment in base currency", AMOUNT, "0.00"),
    field_of("BASECURR", "Base currency", example="USD"),
    field_of("EXCHANGE_RATE", "Exchange rate", AMOUNT, "1.0842"),
    field_of("BILLTOPAYTOCONTACTNAME", "Pay-to contact", example="Harbor Supply (main)"),
    field_of("SHIPTORETURNTOCONTACTNAME", "Return-to contact", example="Harbor Supply (depot)"),
    field_of("MEGAENTITYID", "Entity ID", example="E100"),
    field_of("MEGAENTITYNAME", "Entity name", example="Acme East"),
    field_of("PRBATCH", "Summary", example="Bills: 2026/11/20"),
    field_of("SUPDOCID", "Attachment ID", example="ATT-88"),
    field_of("MODULEKEY", "Entered in", example="3.AP"),
    field_of("RECORD_URL", "Link to the bill", LINK, "https://www.intacct.com/ia/acct/ur.phtml?.r=abc"),
    field_of("RECORDNO", "Record number", INTEGER, "1042"),
    field_of("CREATEDBY", "Created by", example="12"),
    field_of("MODIFIEDBY", "Last changed by", example="12"),
    field_of("AUWHENCREATED", "Created at", MOMENT, "11/20/2026 09:15:02"),
    field_of("WHENMODIFIED", "Last changed at", MOMENT, "11/21/2026 16:40:11"),
)

LINE_FIELDS = (
    field_of("lines.LINE_NO", "Line number", INTEGER, "1"),
    field_of("lines.ACCOUNTNO", "GL account", example="6220"),
    field_of("lines.ACCOUNTTITLE", "GL account title", example="Office supplies"),
    field_of("lines.ACCOUNTLABEL", "AP account label", example="Supplies"),
    field_of("lines.TRX_AMOUNT", "Line amount", AMOUNT, "740.25"),
    field_of("lines.CURRENCY", "Line currency", example="USD"),
    field_of("lines.AMOUNT", "Line amount in base currency", AMOUNT, "740.25"),
    field_of("lines.ENTRYDESCRIPTION", "Memo", LONG, "Paper, 40 boxes"),
    field_of("lines.DEPARTMENTID", "Department ID", example="D300"),
    field_of("lines.DEPARTMENTNAME", "Department", example="Operations"),
    field_of("lines.LOCATIONID", "Location ID", example="110"),
    field_of("lines.LOCATIONNAME", "Location", example="San Jose"),
    field_of("lines.CLASSID", "Class ID", example="C10"),
    field_of("lines.CLASSNAME", "Class", example="Retail"),
    field_of("lines.PROJECTID", "Project ID", example="P-204"),
    field_of("lines.PROJECTNAME", "Project", example="Warehouse move"),
    field_of("lines.TASKID", "Task ID", example="T-3"),
    field_of("lines.CUSTOMERID", "Customer ID", example="C-118"),
    field_of("lines.CUSTOMERNAME", "Customer", example="Lakeside Foods"),
    field_of("lines.ITEMID", "Item ID", example="PAPER-A4"),
    field_of("lines.EMPLOYEEID", "Employee ID", example="E-21"),
    field_of("lines.BILLABLE", "Billable", BOOLEAN, "false"),
    field_of("lines.RELEASETOPAY", "Released for payment", BOOLEAN, "true"),
    field_of("lines.TOTALPAID", "Line amount paid", AMOUNT, "0.00"),
    field_of("lines.OFFSETGLACCOUNTNO", "Offset GL account", example="2000"),
)

PAYMENT_STATES = ("Open", "Selected", "Partially paid", "Paid")
PAYMENT_FIELDS = (
    field_of("payment.STATE", "Payment state", CHOICE, "Paid", PAYMENT_STATES),
    field_of("payment.PAID", "Paid by posted payments", AMOUNT, "1480.50"),
    field_of("payment.DATE", "Payment date", DATE, "12/18/2026"),
    field_of("payment.REFERENCE", "Payment reference", example="1004512"),
    field_of("payment.METHOD", "Payment method", example="Printed Check"),
)

APBILL = Kind(
    name="APBILL",
    title="Bill",
    plural="bills",
    number="RECORDID",
    party="VENDORNAME",
    created="AUWHENCREATED",  # WHENCREATED is the bill date that somebody chose
    lines=LineKind(name="APBILLITEM", parent="RECORDKEY", inside="APBILLITEMS", counts="LINEITEM"),
    has_payments=True,
    is_audited=True,
    always=("VENDORID", "RECORDID", "MODULEKEY"),  # by these a bill is known again that purchasing deleted and made anew
    amount="TRX_TOTALENTERED",
    currency="CURRENCY",
    states="every state, drafts included",
    letters={"STATE": STATE_LETTERS},
    catalogue=Catalogue(BILL_FIELDS + PAYMENT_FIELDS + LINE_FIELDS),
)

BILL_LINES = Kind(
    name="APBILLITEM",
    title="Line",
    plural="bill lines",
    number="LINE_NO",
    party="ENTRYDESCRIPTION",
    created="WHENCREATED",
    always=("RECORDKEY",),  # the bill's record number: its item is the parent
    amount="TRX_AMOUNT",
    currency="CURRENCY",
    states="of every bill",
    catalogue=Catalogue(
        (
            field_of("RECORDKEY", "Bill's record number", example="1042"),
            *(replace(each, key=each.key.removeprefix("lines.")) for each in LINE_FIELDS),
        )
    ),
)
"""The lines of bills as records of their own, for those who want them as items below the bill's item."""

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (APBILL, BILL_LINES, VENDORS, GLACCOUNT)}
