"""Vendors and GL accounts: the vendor's field names with a bookkeeper's labels.

Bank and tax numbers are left out on purpose: nobody needs them on a board.
"""

from integrations.vendors.intacct.kinds import Kind, field_of
from mappings.fields import Catalogue, FieldType

TEXT, LONG, AMOUNT, INTEGER = FieldType.TEXT, FieldType.LONG_TEXT, FieldType.AMOUNT, FieldType.INTEGER
MOMENT, BOOLEAN, CHOICE = FieldType.MOMENT, FieldType.BOOLEAN, FieldType.CHOICE

STATUSES = ("active", "inactive", "active non-posting")
STATUS_LETTERS = {"T": "active", "F": "inactive"}

VENDOR_FIELDS = (
    field_of("VENDORID", "Vendor ID", example="V-001"),
    field_of("NAME", "Vendor name", example="Harbor Supply"),
    field_of("STATUS", "Status", CHOICE, "active", STATUSES),
    field_of("ONHOLD", "On hold", BOOLEAN, "false"),
    field_of("DONOTCUTCHECK", "Do not pay", BOOLEAN, "false"),
    field_of("TOTALDUE", "Total due", AMOUNT, "12480.00"),
    field_of("CREDITLIMIT", "Credit limit", AMOUNT, "25000.00"),
    field_of("CURRENCY", "Currency", example="USD"),
    field_of("TERMNAME", "Payment term", example="Net 30"),
    field_of("PAYMENTPRIORITY", "Payment priority", CHOICE, "normal", ("urgent", "high", "normal", "low")),
    field_of("VENDTYPE", "Vendor type", example="Supplier"),
    field_of("ONETIME", "One-time vendor", BOOLEAN, "false"),
    field_of("PARENTID", "Parent vendor ID", example="V-000"),
    field_of("PARENTNAME", "Parent vendor", example="Harbor Group"),
    field_of("DISPLAYCONTACT.CONTACTNAME", "Contact", example="Harbor Supply(VV-001)"),
    field_of("DISPLAYCONTACT.PRINTAS", "Contact printed as", example="Harbor Supply"),
    field_of("DISPLAYCONTACT.COMPANYNAME", "Contact's company", example="Harbor Supply Inc."),
    field_of("DISPLAYCONTACT.EMAIL1", "E-mail", example="ap@harbor.example"),
    field_of("DISPLAYCONTACT.PHONE1", "Phone", example="555-0142"),
    field_of("APACCOUNT", "AP account", example="2000"),
    field_of("ACCOUNTLABEL", "AP account label", example="Supplies"),
    field_of("VENDORACCOUNTNO", "Our account number there", example="88-1402"),
    field_of("COMMENTS", "Comments", LONG, "Delivers on Tuesdays"),
    field_of("SUPDOCID", "Attachment ID", example="ATT-88"),
    field_of("MEGAENTITYID", "Entity ID", example="E100"),
    field_of("RECORDNO", "Record number", INTEGER, "59"),
    field_of("WHENCREATED", "Created at", MOMENT, "11/20/2026 09:15:02"),
    field_of("WHENMODIFIED", "Last changed at", MOMENT, "11/21/2026 16:40:11"),
)

ACCOUNT_FIELDS = (
    field_of("ACCOUNTNO", "Account number", example="6220"),
    field_of("TITLE", "Account title", example="Office supplies"),
    field_of("STATUS", "Status", CHOICE, "active", STATUSES),
    field_of("ACCOUNTTYPE", "Account type", CHOICE, "incomestatement", ("balancesheet", "incomestatement")),
    field_of("NORMALBALANCE", "Normal balance", CHOICE, "debit", ("debit", "credit")),
    field_of("CLOSINGTYPE", "Closing type", example="closing account"),
    field_of("CATEGORY", "Category", example="Operating Expenses"),
    field_of("ALTERNATIVEACCOUNT", "Used as", example="None"),
    field_of("TAXABLE", "Taxable", BOOLEAN, "false"),
    field_of("REQUIREDEPT", "Needs a department", BOOLEAN, "false"),
    field_of("REQUIRELOC", "Needs a location", BOOLEAN, "true"),
    field_of("REQUIREPROJECT", "Needs a project", BOOLEAN, "false"),
    field_of("LIST", "List", example="gl_accounts"),
    field_of("CODE", "Code", example="6220"),
    field_of("NAME", "Name", example="Office supplies"),
    field_of("RECORDNO", "Record number", INTEGER, "118"),
    field_of("WHENCREATED", "Created at", MOMENT, "11/20/2026 09:15:02"),
    field_of("WHENMODIFIED", "Last changed at", MOMENT, "11/21/2026 16:40:11"),
)

VENDORS = Kind(
    name="VENDOR",
    title="Vendor",
    plural="vendors",
    number="VENDORID",
    party="NAME",
    created="WHENCREATED",
    is_audited=True,
    always=("VENDORID",),
    states="inactive ones included",
    letters={"STATUS": STATUS_LETTERS},
    catalogue=Catalogue(VENDOR_FIELDS),
)

GLACCOUNT = Kind(
    name="GLACCOUNT",
    title="GL account",
    plural="GL accounts",
    number="ACCOUNTNO",
    party="TITLE",
    created="WHENCREATED",
    is_audited=True,
    always=("LIST", "CODE", "NAME", "STATUS"),
    same_as={"CODE": "ACCOUNTNO", "NAME": "TITLE"},
    list_name="gl_accounts",
    states="inactive ones included",
    letters={"STATUS": STATUS_LETTERS, "ACCOUNTTYPE": {"N": "balancesheet", "I": "incomestatement"}},
    catalogue=Catalogue(ACCOUNT_FIELDS),
)
