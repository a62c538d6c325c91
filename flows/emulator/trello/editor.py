"""
What Trello's web editor does to a description when a person saves it.

No call does this: only a person who saves in the web client.
"""

import re

MARKDOWN_LINK = r"\[[^\]]*\]\([^)]*\)"
URL = r"https?://[^\s<>()\[\]]+"
EMAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
CODE = r"`[^`]*`"
PART = re.compile(
    rf"(?P<kept>{MARKDOWN_LINK}|{CODE}|<[^>\s]+>|\\.)|(?P<url>{URL})|(?P<email>{EMAIL})|(?P<underscore>_)",
    re.DOTALL,
)


def editor_saves(text: str, link_title: str, escapes_link_text: bool) -> str:
    """
    The description as the editor writes it back: e-mails and bare URLs are links, underscores are escaped.

    Links, code and escapes that are there already stay as they are, so saving twice changes nothing more.
    """

    def rewritten(match: re.Match[str]) -> str:
        part = match.group()
        if match.lastgroup == "kept":
            return part
        if match.lastgroup == "url":
            tail = part[len(part.rstrip(".,;:!?")) :]
            bare = part[: len(part) - len(tail)]
            return f'[{bare}]({bare} "smartCard-inline"){tail}'
        if match.lastgroup == "email":
            shown = part.replace("_", r"\_") if escapes_link_text else part
            return f'[{shown}](mailto:{part} "{link_title}")'
        return r"\_"

    return PART.sub(rewritten, text)
