"""
The OpenAPI description as a page to read: whole in itself, so that it is there offline and loads nothing.

Never here: a route, what a route is or does.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi.responses import HTMLResponse

STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { max-width: 50rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin-top: 2.5rem; font-family: ui-monospace, monospace; font-size: 1.1rem; overflow-wrap: anywhere }
dt { font-family: ui-monospace, monospace }
"""
NOTHING_FROM_ELSEWHERE = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page_of(described: dict[str, Any]) -> HTMLResponse:
    """`described`: as FastAPI makes it. Returns: the page, which tells the browser to load nothing else."""
    title = escape(described["info"]["title"])
    lines = [f"<h1>{title}</h1>", f"<p>{escape(described['info'].get('description', ''))}</p>"]
    lines.append('<p>For programs: <a href="openapi.json">openapi.json</a></p>')
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            lines += _operation(f"{method.upper()} {path}", operation, described["components"]["schemas"])
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    whole = (
        f'<!doctype html><html lang="en"><head>{head}<style>{STYLE}</style></head><body>{"".join(lines)}</body></html>'
    )
    return HTMLResponse(whole, headers={"Content-Security-Policy": NOTHING_FROM_ELSEWHERE})


def _operation(name: str, operation: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    yield f"<h2>{escape(name)}</h2><p>{escape(operation.get('description', ''))}</p>"
    given = [(f"{each['name']} ({each['in']})", each) for each in operation.get("parameters", [])]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    for variant in body.get("anyOf", [body]):
        named = schemas.get(str(variant.get("$ref", "")).rpartition("/")[2], {})
        given += [(f"{field} (body)", each) for field, each in named.get("properties", {}).items()]
    yield from _list("Takes", [(what, each.get("description", "")) for what, each in given])
    answers = operation.get("responses", {}).items()
    yield from _list("Answers", [(str(code), each.get("description", "")) for code, each in answers])


def _list(title: str, rows: list[tuple[str, str]]) -> Iterator[str]:
    if rows:
        told = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows)
        yield f"<h3>{title}</h3><dl>{told}</dl>"
