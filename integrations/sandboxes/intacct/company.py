"""The small believable company: accounts, dimensions, terms, vendors, and bills of the last weeks."""

from decimal import Decimal

from integrations.sandboxes.intacct.bills import stamped
from integrations.sandboxes.intacct.chart import accounts
from integrations.sandboxes.intacct.dimensions import put_dimension
from integrations.sandboxes.intacct.objects import OBJECTS
from integrations.sandboxes.intacct.seed import put_bills
from integrations.sandboxes.intacct.settings import Settings
from integrations.sandboxes.intacct.state import Company
from integrations.sandboxes.intacct.values import Row

VENDORS = """Pac Bell;N30|Acme & Sons;N30|O'Hara Ltd;N15|Zeta Office Supply;N30|Müller Logistik GmbH;N45|Sakura Trading K.K.;N30
Blue River Catering;N10|Northwind Cleaning;N15|Cedar Legal LLP;N30|Hillside Properties;N10|Vantage Cloud Hosting;N30
Redwood Electric;N15|Café Étoile;N10|Summit Insurance <Group>;N45|Harbor Freight Lines;N30|Quill & Ink Print Shop;N15"""
TERMS = ("N10", "N15", "N30", "N45")
_LOCATIONS = {
    "100": "Headquarters",
    "110": "San José",
    "200": "Europe",
    "E100": "Ml Sample Inc.",
    "E200": "Ml Sample Europe B.V.",
}
_ENTITIES = ("E100", "E200")
_DEPARTMENTS = {"D100": "Sales", "D200": "Operations", "D300": "Research & development", "D400": "Administration"}
_CLASSES = {"C1": "Recurring", "C2": "One-off"}
_PROJECTS = {"P1": "New warehouse", "P2": "Website", "P3": "Trade fair Lyon"}
_CUSTOMERS = {"CU1": "Example University", "CU2": "City of Springfield", "CU3": "Lakeside Clinic"}
_EMPLOYEES = {
    "EMP-01": ("Ana Lindqvist", "Controller", "D400"),
    "EMP-02": ("Samuel Osei", "Account manager", "D100"),
    "EMP-03": ("Mei Tanaka", "Site engineer", "D200"),
    "EMP-04": ("Jürgen Weiß", "Head of research", "D300"),
    "EMP-05": ("Nora O'Dell", "Buyer", "D200"),
}
_ITEMS = {
    "I-100": ("Pallet rack, 3 m", "Inventory"),
    "I-110": ("Packing tape, box of 36", "Non-Inventory (Purchase only)"),
    "I-200": ("Consulting hour", "Non-Inventory"),
    "I-210": ("Hosting, per month", "Non-Inventory"),
    "I-300": ("Welcome kit", "Kit"),
}
_FUNDS = ("General fund", "Building fund", "Scholarship fund")


def small_company(company: Company, now: int, settings: Settings) -> None:
    opened = now - 400 * 86400
    for account in accounts():
        _put(company, "GLACCOUNT", account, opened, settings)
    _put_dimensions(company, opened, settings)
    for term in TERMS:
        _put(company, "APTERM", {"NAME": term, "DESCRIPTION": f"Net {term[1:]} days", "STATUS": "active"}, opened, settings)
    for place, line in enumerate(VENDORS.replace("\n", "|").split("|")):
        name, term = line.split(";")
        _put_vendor(company, place, name, term, opened=opened, settings=settings)
    put_bills(company, settings.bills, now - 45 * 86400, now - 3600, settings)


def _put_dimensions(company: Company, opened: int, settings: Settings) -> None:
    for name, entries in {"DEPARTMENT": _DEPARTMENTS, "LOCATION": _LOCATIONS, "CLASS": _CLASSES}.items():
        _put_named(company, name, entries, opened, settings)
    _put_named(company, "LOCATIONENTITY", {id_: _LOCATIONS[id_] for id_ in _ENTITIES}, opened, settings)
    _put_named(company, "CUSTOMER", _CUSTOMERS, opened, settings)
    _put_named(company, "PROJECT", _PROJECTS, opened, settings)
    for id_, (name, title, department) in _EMPLOYEES.items():
        row: Row = {"EMPLOYEEID": id_, "PERSONALINFO.CONTACTNAME": name, "PERSONALINFO.PRINTAS": name, "TITLE": title}
        row |= {"DEPARTMENTID": department, "LOCATIONID": "100", "STATUS": "active"}
        _put(company, "EMPLOYEE", row, opened, settings)
    for id_, (name, kind) in _ITEMS.items():
        _put(company, "ITEM", {"ITEMID": id_, "NAME": name, "ITEMTYPE": kind, "STATUS": "active"}, opened, settings)
    if settings.fund:
        put_dimension(company, "FUND", "Fund", _FUNDS, opened)


def _put(company: Company, name: str, row: Row, now: int, settings: Settings) -> None:
    table = company.tables[name]
    table.put(stamped(OBJECTS[name], {"RECORDNO": table.new_key(), **row}, now, settings))


def _put_named(company: Company, name: str, entries: dict[str, str], now: int, settings: Settings) -> None:
    type_ = OBJECTS[name]
    title = "TITLE" if "TITLE" in type_.fields else "NAME"
    for id_, text in entries.items():
        row: Row = {type_.natural_key: id_, title: text, "STATUS": "active"}
        if name == "PROJECT":
            row |= {"PROJECTCATEGORY": "Internal", "CUSTOMERID": "CU1"}
        _put(company, name, row, now, settings)


def _put_vendor(company: Company, number: int, name: str, term: str, *, opened: int, settings: Settings) -> None:
    row: Row = {"VENDORID": f"V-{number + 11:03d}", "NAME": name, "TERMNAME": term, "CURRENCY": "USD", "VENDTYPE": "Supplier"}
    row |= {"CREDITLIMIT": Decimal(5000 * (number % 4 + 1)), "APACCOUNT": "2000-00-00", "STATUS": "active"}
    row |= {"DISPLAYCONTACT.CONTACTNAME": name, "DISPLAYCONTACT.PRINTAS": name, "DISPLAYCONTACT.COMPANYNAME": name}
    row |= {"DISPLAYCONTACT.EMAIL1": f"billing{number + 11}@example.com", "DISPLAYCONTACT.PHONE1": f"555-01{number + 11}"}
    _put(company, "VENDOR", row, opened + number * 3600, settings)
