"""What the gateway tells about itself: fields of objects, dimensions, a user's rights and formats."""

from lxml import etree

from integrations.sandboxes.intacct.answers import escape, query_failed
from integrations.sandboxes.intacct.caller import Caller
from integrations.sandboxes.intacct.objects import DIMENSIONS, OBJECTS
from integrations.sandboxes.intacct.replies import Reply
from integrations.sandboxes.intacct.rows import data
from integrations.sandboxes.intacct.shapes import Field, ObjectType
from integrations.sandboxes.intacct.state import User

# object -> (application, policy): how the pages of the product call the right to it
POLICIES = {
    "APBILL": ("Accounts Payable", "Bills"),
    "VENDOR": ("Accounts Payable", "Vendors"),
    "APPYMT": ("Accounts Payable", "AP payments"),
    "APPYMTDETAIL": ("Accounts Payable", "AP payment details"),
    "APADJUSTMENT": ("Accounts Payable", "AP adjustments"),
    "APTERM": ("Accounts Payable", "AP terms"),
    "GLACCOUNT": ("General Ledger", "Accounts"),
    "DEPARTMENT": ("Company", "Departments"),
    "LOCATION": ("Company", "Locations"),
    "LOCATIONENTITY": ("Company", "Entities"),
    "EMPLOYEE": ("Company", "Employees"),
    "SUPDOC": ("Company", "Attachments"),
    "CLASS": ("Company", "Classes"),
    "PROJECT": ("Projects", "Projects"),
    "CUSTOMER": ("Accounts Receivable", "Customers"),
    "ITEM": ("Inventory Control", "Items"),
    "AUDITHISTORY": ("Platform Services", "Custom reports"),
}
_RIGHTS = {"read": "List|View", "create": "Add", "update": "Edit", "delete": "Delete"}


def lookup(caller: Caller, element: etree._Element) -> Reply:
    """Fields and relations of one object; rights are not asked for here, so success promises no reading."""
    type_ = _type(caller, element)
    fields = "".join(_field(field, type_) for field in caller.company.fields_of(type_).values())
    relations = "".join(_relation(type_, step) for step in type_.relations)
    inner = f"<Fields>{fields}</Fields><Relationships>{relations}</Relationships>"
    return Reply(data=f'<data><Type Name="{type_.name}" DocumentType="">{inner}</Type></data>')


def _type(caller: Caller, element: etree._Element) -> ObjectType:
    name = (element.findtext("object") or "").strip()
    if name not in caller.company.objects:
        raise query_failed(f"Object definition {name} not found")
    return caller.company.objects[name]


def _field(field: Field, type_: ObjectType) -> str:
    is_key = field.name in (type_.key, type_.natural_key)
    valid = "".join(f"<VALIDVALUE>{escape(label)}</VALIDVALUE>" for label in field.letters)
    parts = {
        "ID": field.name,
        "LABEL": field.name.replace("_", " ").title(),
        "DESCRIPTION": "",
        "REQUIRED": "true" if is_key else "false",
        "READONLY": "true" if field.name in type_.joined or field.name == type_.key else "false",
        "DATATYPE": field.kind,
    }
    inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in parts.items())
    valid = f"<VALIDVALUES>{valid}</VALIDVALUES>" if valid else ""
    return f"<Field>{inner}{valid}<ISCUSTOM>{'true' if field.is_custom else 'false'}</ISCUSTOM></Field>"


def _relation(type_: ObjectType, step: str) -> str:
    relation = type_.relations[step]
    parts = {"OBJECTPATH": step, "OBJECTNAME": relation.target, "LABEL": OBJECTS[relation.target].label}
    parts |= {"RELATIONSHIPTYPE": "MANY2ONE", "RELATEDBY": relation.own}
    return f"<Relationship>{''.join(f'<{name}>{text}</{name}>' for name, text in parts.items())}</Relationship>"


def inspect(caller: Caller, element: etree._Element) -> Reply:
    """The older form of ``lookup``; an asterisk lists all objects."""
    known = caller.company.objects
    if (element.findtext("object") or "").strip() == "*":
        names = "".join(f'<type typename="{type_.name.lower()}">{type_.label}</type>' for type_ in known.values())
        return Reply(data=data({"listtype": "All", "count": len(known)}, names))
    type_ = _type(caller, element)
    is_long = element.get("detail") == "1"
    fields = "".join(_inspected(field, is_long=is_long) for field in caller.company.fields_of(type_).values())
    inner = f'<Type Name="{type_.name}"><Attributes/><Fields>{fields}</Fields></Type>'
    return Reply(data=data({"listtype": "All", "count": 1}, inner))


def _inspected(field: Field, *, is_long: bool) -> str:
    if not is_long:
        return f"<Field>{field.name}</Field>"
    parts = {"Name": field.name, "GroupName": "", "dataName": field.kind, "isRequired": "false", "isReadOnly": "false"}
    return f"<Field>{''.join(f'<{name}>{text}</{name}>' for name, text in parts.items())}</Field>"


def dimensions(caller: Caller) -> Reply:
    own = tuple(caller.company.dimensions.values())
    labels = {name: caller.company.objects[name].label for name in DIMENSIONS + own}
    found = "".join(
        f"<dimension><objectName>{name}</objectName><objectLabel>{escape(label)}</objectLabel>"
        f"<termLabel>{escape(label)}</termLabel>"
        f"<userDefinedDimension>{'true' if name in own else 'false'}</userDefinedDimension>"
        "<enabledInGL>true</enabledInGL></dimension>"
        for name, label in labels.items()
    )
    return Reply(data=f"<data><dimensions>{found}</dimensions></data>")


def user_permissions(caller: Caller, element: etree._Element) -> Reply:
    if not caller.user.may("read", "USERINFO"):
        raise caller.denied("USERINFO", "GET_USER_PERMISSIONS")
    user = caller.company.users.get((element.findtext("userId") or "").strip())
    if user is None:
        raise query_failed("No such user")
    applications: dict[str, str] = {}
    for object_name, (application, policy) in POLICIES.items():
        rights = "|".join(right for verb, right in _RIGHTS.items() if user.may(verb, object_name))
        if rights:
            line = f"<policy><policyName>{policy}</policyName><rights>{rights}</rights></policy>"
            applications[application] = applications.get(application, "") + line
    inner = "".join(
        f"<appSubscription><applicationName>{name}</applicationName><policies>{policies}</policies></appSubscription>"
        for name, policies in applications.items()
    )
    return Reply(data=f"<data><permissions>{inner}</permissions></data>")


def user_formatting(caller: Caller, element: etree._Element) -> Reply:
    key, loginid = (element.findtext("key") or "").strip(), (element.findtext("userId") or "").strip()
    for user in caller.company.users.values():
        if key == str(user.recordno) or (loginid and loginid == user.loginid):
            return Reply(data=f"<data><userformatting>{_formatting(user)}</userformatting></data>")
    raise query_failed("No such user")


def _formatting(user: User) -> str:
    parts = {"recordno": str(user.recordno), "locale": user.locale, "dateformat": user.dateformat}
    parts |= {"gmtoffset": user.gmtoffset, "clock": user.clock}
    return "".join(f"<{name}>{escape(text)}</{name}>" for name, text in parts.items())
