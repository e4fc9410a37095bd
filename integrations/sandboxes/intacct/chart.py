"""The small company's chart of accounts."""

from integrations.sandboxes.intacct.values import Row

# The accounts that seeded bills are posted to come first; number;title;kind: A assets, L liabilities, E equity, R revenue, I expense.
_CHART = """2000-00-00;Accounts payable;L|4000-01-00;Cost of services;I|4000-02-00;Subcontractors;I|5100-01-00;Hosting;I
6100-00-00;Rent;I|6200-01-00;Office supplies;I|6220-00-00;Postage and freight;I|6300-00-00;Utilities;I
6400-01-00;Legal and audit;I|6500-00-00;Travel;I|6600-00-00;Insurance;I|6700-00-00;Meals and events;I
1000-00-00;Cash in bank;A|1010-00-00;Payroll account;A|1020-00-00;Petty cash;A|1100-00-00;Accounts receivable;A
1110-00-00;Allowance for doubtful accounts;A|1200-00-00;Inventory;A|1300-01-00;Prepaid insurance;A|1300-02-00;Prepaid rent;A
1300-03-00;Prepaid licences;A|1400-00-00;Deposits paid;A|1500-00-00;Office equipment;A|1510-00-00;Computers;A
1520-00-00;Leasehold improvements;A|1590-00-00;Accumulated depreciation;A|1800-00-00;Due from Europe;A
2010-00-00;Accrued expenses;L|2020-00-00;Corporate cards;L|2100-00-00;Accrued wages;L|2110-00-00;Payroll taxes payable;L
2200-00-00;Sales tax payable;L|2210-00-00;Input tax;L|2300-00-00;Deferred revenue;L|2400-00-00;Customer deposits;L
2500-00-00;Line of credit;L|2600-00-00;Long-term debt;L|2800-00-00;Due to Europe;L
3000-00-00;Common stock;E|3100-00-00;Paid-in capital;E|3200-00-00;Retained earnings;E|3900-00-00;Currency translation;E
4900-01-00;Service revenue;R|4900-02-00;Subscription revenue;R|4900-03-00;Discounts given;R|4910-00-00;Interest income;R
5000-00-00;Cost of goods sold;I|5100-02-00;Software used in delivery;I|5200-00-00;Shipping to customers;I
6000-01-00;Salaries;I|6000-02-00;Benefits;I|6000-03-00;Payroll taxes;I|6000-04-00;Temporary staff;I|6110-00-00;Cleaning;I
6120-00-00;Repairs and maintenance;I|6210-00-00;Software licences;I|6230-00-00;Telephone and internet;I
6410-00-00;Consulting;I|6420-00-00;Recruiting;I|6510-00-00;Vehicle costs;I|6710-00-00;Training;I|6720-00-00;Advertising;I
6800-00-00;Depreciation;I|6900-00-00;Bank charges;I|6910-00-00;Interest expense;I|6990-00-00;Miscellaneous;I"""
_ENTRIES = [entry.split(";") for entry in _CHART.replace("\n", "|").split("|")]
EXPENSES = [number for number, _, kind in _ENTRIES[:12] if kind == "I"]
_CATEGORIES = {"A": "Assets", "L": "Liabilities", "E": "Equity", "R": "Revenue", "I": "Operating expenses"}


def accounts() -> list[Row]:
    """Every account as a row without stamps."""
    return [_account(number, title, kind) for number, title, kind in _ENTRIES]


def _account(number: str, title: str, kind: str) -> Row:
    alternative = {"2000-00-00": "Payables account", "1100-00-00": "Receivables account"}.get(number, "None")
    row: Row = {"ACCOUNTNO": number, "TITLE": title, "CLOSINGTYPE": "non-closing account", "STATUS": "active"}
    row |= {"ACCOUNTTYPE": "incomestatement" if kind in "RI" else "balancesheet", "CATEGORY": _CATEGORIES[kind]}
    row |= {"NORMALBALANCE": "debit" if kind in "AI" else "credit", "ALTERNATIVEACCOUNT": alternative}
    if number.startswith("6000"):
        row["REQUIREDEPT"] = True
    return row
