"""The list of vendors and of the flows that we offer: plain imports, no discovery magic."""

from integrations.sync.flows import intacct_monday
from integrations.sync.spec import FlowSpec
from integrations.types import Vendor
from integrations.vendors import intacct, monday

VENDORS: dict[str, Vendor] = {vendor.key: vendor for vendor in (intacct.VENDOR, monday.VENDOR)}
FLOWS: dict[str, FlowSpec] = {spec.key: spec for spec in intacct_monday.ALL}
