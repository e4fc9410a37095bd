"""Is this a plausible phone number? Roughly what libphonenumber would say: country code, digits, length.

Deliberately coarse: Monday refuses implausible numbers, and a caller has to live with that. Which exact numbers exist does not
matter here.
"""

import re

# ISO country -> (calling code, shortest and longest national number)
COUNTRIES = {
    "US": ("1", 10, 10), "CA": ("1", 10, 10), "NL": ("31", 9, 9), "DE": ("49", 6, 11), "BE": ("32", 8, 9), "FR": ("33", 9, 9),
    "GB": ("44", 9, 10), "IE": ("353", 7, 9), "ES": ("34", 9, 9), "IT": ("39", 6, 11), "AT": ("43", 4, 13), "CH": ("41", 9, 9),
    "SE": ("46", 7, 9), "NO": ("47", 8, 8), "DK": ("45", 8, 8), "FI": ("358", 5, 12), "PL": ("48", 9, 9), "PT": ("351", 9, 9),
    "AU": ("61", 9, 9), "NZ": ("64", 8, 10), "IN": ("91", 10, 10), "IL": ("972", 8, 9), "ZA": ("27", 9, 9), "BR": ("55", 10, 11),
    "MX": ("52", 10, 10), "JP": ("81", 9, 10), "CN": ("86", 10, 11), "SG": ("65", 8, 8),
}  # fmt: skip
NORTH_AMERICA = re.compile(r"[2-9]\d{2}[2-9]\d{6}")
FORMATTED = re.compile(r"\+?[\d\s().\-/]+")


def is_plausible(phone: str, country: str) -> bool:
    """Whether ``phone`` could be a number of ``country`` (ISO code, upper case)."""
    if not FORMATTED.fullmatch(phone) or not re.fullmatch(r"[A-Z]{2}", country):
        return False
    digits = re.sub(r"\D", "", phone)
    if country not in COUNTRIES:
        return 7 <= len(digits) <= 15
    code, shortest, longest = COUNTRIES[country]
    national = digits.removeprefix(code) if phone.startswith("+") or len(digits) > longest else digits.removeprefix("0")
    if phone.startswith("+") and not digits.startswith(code):
        return False
    if code == "1":
        return bool(NORTH_AMERICA.fullmatch(national))
    return shortest <= len(national.removeprefix("0")) <= longest
