"""Where people live, as far as the law asks: the age from which one may consent alone.

GDPR Article 8(1): 16, or lower where a member state's law says so, never below 13. United
Kingdom: Data Protection Act 2018, section 9. United States: COPPA, 13. Where a country names no
age of its own, the strictest age (16) holds.
"""

MINIMUM_AGE = 13
STRICTEST = 16

# ISO 3166 code → (name, age of consent).
REGIONS: dict[str, tuple[str, int]] = {
    "AT": ("Austria", 14),
    "BE": ("Belgium", 13),
    "BG": ("Bulgaria", 14),
    "HR": ("Croatia", 16),
    "CY": ("Cyprus", 14),
    "CZ": ("Czechia", 15),
    "DK": ("Denmark", 15),
    "EE": ("Estonia", 13),
    "FI": ("Finland", 13),
    "FR": ("France", 15),
    "DE": ("Germany", 16),
    "GR": ("Greece", 15),
    "HU": ("Hungary", 16),
    "IS": ("Iceland", 13),
    "IE": ("Ireland", 16),
    "IT": ("Italy", 14),
    "LV": ("Latvia", 13),
    "LI": ("Liechtenstein", 16),
    "LT": ("Lithuania", 14),
    "LU": ("Luxembourg", 16),
    "MT": ("Malta", 13),
    "NL": ("Netherlands", 16),
    "NO": ("Norway", 13),
    "PL": ("Poland", 16),
    "PT": ("Portugal", 13),
    "RO": ("Romania", 16),
    "SK": ("Slovakia", 16),
    "SI": ("Slovenia", 15),
    "ES": ("Spain", 14),
    "SE": ("Sweden", 13),
    "CH": ("Switzerland", 16),
    "GB": ("United Kingdom", 13),
    "US-CA": ("United States, California", 13),
    "US-WA": ("United States, Washington", 13),
    "US": ("United States, another state", 13),
    "ZZ": ("Somewhere else", STRICTEST),
}


def age_of_consent(region: str) -> int:
    """The age, in years, from which a person in `region` may consent without a parent."""
    return REGIONS[region][1]
