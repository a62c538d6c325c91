"""What people put into cells and onto cards, odd things among it: what made-up histories choose from."""

STATUSES = ("NEW", "CONTACTED", "QUALIFIED", "LOST", None, "PAUSED")
NAMES = ("Ada", "Bob", "Cyd", "Zoë | *x*", "Dora Li", None)
TITLES = ("Ada", "Bob", "Card", "Eve_n", "", "ada@example.com")
EMAILS = ("ada@example.com", "b_o_b@example.com", "cyd@example.org", None)
SOURCES = ("web", "fair", "https://example.com/a_b", "–", None)
PLACES = ("TODO", "IN_PROGRESS", "DONE", "Waiting")
NOTES = ("call\r\n\tlater  \n\n", "* a list\n* of two", "E-mail: of somebody\nelse", "see https://example.com/x_y")
YES_NO = (True, False)
