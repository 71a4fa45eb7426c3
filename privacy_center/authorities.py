"""Whom a person can complain to about us, by region (GDPR Article 77 and what corresponds to it).

Names as the authorities write them themselves, in Latin letters.
"""

from django.utils.translation import gettext_noop

EVERYWHERE_ELSE = gettext_noop("The data protection authority of your country")

# The regions of privacy_center/regions.py.
AUTHORITIES: dict[str, str] = {
    "AT": "Österreichische Datenschutzbehörde",
    "BE": "Gegevensbeschermingsautoriteit / Autorité de protection des données",
    "BG": "Commission for Personal Data Protection",
    "HR": "Agencija za zaštitu osobnih podataka",
    "CY": "Office of the Commissioner for Personal Data Protection",
    "CZ": "Úřad pro ochranu osobních údajů",
    "DK": "Datatilsynet",
    "EE": "Andmekaitse Inspektsioon",
    "FI": "Tietosuojavaltuutetun toimisto",
    "FR": "Commission nationale de l’informatique et des libertés",
    "DE": "Die Datenschutzaufsicht deines Bundeslandes",
    "GR": "Hellenic Data Protection Authority",
    "HU": "Nemzeti Adatvédelmi és Információszabadság Hatóság",
    "IS": "Persónuvernd",
    "IE": "Data Protection Commission",
    "IT": "Garante per la protezione dei dati personali",
    "LV": "Datu valsts inspekcija",
    "LI": "Datenschutzstelle",
    "LT": "Valstybinė duomenų apsaugos inspekcija",
    "LU": "Commission nationale pour la protection des données",
    "MT": "Office of the Information and Data Protection Commissioner",
    "NL": "Autoriteit Persoonsgegevens",
    "NO": "Datatilsynet",
    "PL": "Urząd Ochrony Danych Osobowych",
    "PT": "Comissão Nacional de Proteção de Dados",
    "RO": "Autoritatea Națională de Supraveghere a Prelucrării Datelor cu Caracter Personal",
    "SK": "Úrad na ochranu osobných údajov",
    "SI": "Informacijski pooblaščenec",
    "ES": "Agencia Española de Protección de Datos",
    "SE": "Integritetsskyddsmyndigheten",
    "CH": "Eidgenössischer Datenschutz- und Öffentlichkeitsbeauftragter",
    "GB": "Information Commissioner’s Office",
    "US-CA": "California Privacy Protection Agency",
    "US-WA": "Washington State Office of the Attorney General",
    "US": "Federal Trade Commission",
    "ZZ": EVERYWHERE_ELSE,
}


def authority_of(region: str) -> str:
    """The authority of a region; for one that is not listed, in words."""
    return AUTHORITIES.get(region, EVERYWHERE_ELSE)
