"""
Believable leads for a first look.

They come in as a person adds them, never around the person-API.
"""

from emulator.airtable.person import AirtablePerson

LEADS: tuple[tuple[str, str | None, str | None, str | None], ...] = (
    ("Amelia Hart", "amelia.hart@northwind.example", "NEW", "Web form"),
    ("Bruno Keller", "bruno@keller-metallbau.example", "NEW", "Trade fair"),
    ("Chiara Rossi", "chiara.rossi@lumen.example", "CONTACTED", "Referral"),
    ("Daniel Okafor", "d.okafor@bluebay.example", "QUALIFIED", "Web form"),
    ("Elif Demir", "elif_demir@orchard.example", "LOST", "Newsletter"),
    ("Freja Lindqvist", "freja@fjordworks.example", "CONTACTED", "LinkedIn"),
    ("Gabriel Moreau", "gabriel.moreau@atelier.example", "NEW", "Referral"),
    ("Hana Sato", "hana.sato@kitahama.example", "QUALIFIED", "Trade fair"),
    ("Ivan Petrov", "ivan@petrov-logistics.example", "LOST", "Cold call"),
    ("Júlia Nagy", "julia.nagy@duna.example", "CONTACTED", "Web form"),
    ("Karim Haddad", None, "NEW", "Phone"),
    ("Lena & Søn ApS", "office@lenason.example", None, None),
)


def add_demo_leads(airtable: AirtablePerson) -> list[str]:
    """Add the leads above; returns their record ids in order."""
    return [airtable.add_lead(name, email, status, source) for name, email, status, source in LEADS]
