"""Where people live, as far as the law asks: the age from which one may consent alone.

GDPR Article 8(1): 16, or lower where a member state's law says so, never below 13. United
Kingdom: Data Protection Act 2018, section 9. United States: COPPA, 13. Where a country names no
age of its own, the strictest age (16) holds.
"""

from django.utils.translation import gettext_noop as _

MINIMUM_AGE = 13
STRICTEST = 16
ELSEWHERE = "ZZ"

# ISO 3166 code → (name, age of consent). Receipts have the English name, whoever reads them.
REGIONS: dict[str, tuple[str, int]] = {
    "AT": (_("Austria"), 14),
    "BE": (_("Belgium"), 13),
    "BG": (_("Bulgaria"), 14),
    "HR": (_("Croatia"), 16),
    "CY": (_("Cyprus"), 14),
    "CZ": (_("Czechia"), 15),
    "DK": (_("Denmark"), 15),
    "EE": (_("Estonia"), 13),
    "FI": (_("Finland"), 13),
    "FR": (_("France"), 15),
    "DE": (_("Germany"), 16),
    "GR": (_("Greece"), 15),
    "HU": (_("Hungary"), 16),
    "IS": (_("Iceland"), 13),
    "IE": (_("Ireland"), 16),
    "IT": (_("Italy"), 14),
    "LV": (_("Latvia"), 13),
    "LI": (_("Liechtenstein"), 16),
    "LT": (_("Lithuania"), 14),
    "LU": (_("Luxembourg"), 16),
    "MT": (_("Malta"), 13),
    "NL": (_("Netherlands"), 16),
    "NO": (_("Norway"), 13),
    "PL": (_("Poland"), 16),
    "PT": (_("Portugal"), 13),
    "RO": (_("Romania"), 16),
    "SK": (_("Slovakia"), 16),
    "SI": (_("Slovenia"), 15),
    "ES": (_("Spain"), 14),
    "SE": (_("Sweden"), 13),
    "CH": (_("Switzerland"), 16),
    "GB": (_("United Kingdom"), 13),
    "US-CA": (_("United States, California"), 13),
    "US-WA": (_("United States, Washington"), 13),
    "US": (_("United States, another state"), 13),
    ELSEWHERE: (_("Somewhere else"), STRICTEST),
}


def age_of_consent(region: str) -> int:
    """The age, in years, from which a person in `region` may consent without a parent."""
    return REGIONS[region][1]
