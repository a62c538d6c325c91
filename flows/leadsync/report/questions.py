"""Questions at the terminal: asked again, with a sentence, until the answer can be used. Never here: what is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from getpass import getpass
from typing import TypeVar

from rich.console import Console
from rich.style import Style
from rich.text import Text

from leadsync.errors import ConfigurationError
from leadsync.report.terminal import say, tabulate
from leadsync.texts import printable, there_are

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Questions:
    """Whoever can answer sits at `console`, unless there is nobody: then what is not given is a ConfigurationError."""

    console: Console
    somebody: bool = True

    def ask(
        self,
        question: str,
        check: Callable[[str], Answer],
        *,
        given: str | None = None,
        option: str = "",
        default: str = "",
        secret: bool = False,
        optional: bool = False,
    ) -> Answer:
        """
        An answer that `check` takes; what it raises, a ValueError or ConfigurationError, is shown and asked again.

        `given`: the answer there is already, from the option or variable `option`. `default`: what Enter means, if
        anything; `optional`: Enter alone is an answer, too.
        Raises: ConfigurationError if what is given is wrong, or nothing is and nobody is there; KeyboardInterrupt or
        EOFError if the answer is refused.
        """
        if given is not None:
            try:
                return check(given)
            except (ValueError, ConfigurationError) as wrong:
                if secret or not self.somebody:
                    raise ConfigurationError(f"{option}: {wrong}") from None
                say(self.console, wrong, "red")
        if not self.somebody:
            if not (default or optional):
                raise ConfigurationError(f"{question}: not answered, and nobody is there to ask. Give {option}.")
            return check(default)
        shown = f"{question} [{default}]: " if default else f"{question}: "
        while True:
            try:
                return check((self._unseen(shown) if secret else self._line(shown)).strip() or default)
            except (ValueError, ConfigurationError) as wrong:
                say(self.console, wrong, "red")

    def _line(self, shown: str) -> str:
        self.console.print(Text(printable(shown), "bold"), soft_wrap=True, end="")
        return self.console.input()

    def _unseen(self, shown: str) -> str:
        """Asked once nothing is shown any more: what was pasted before would be seen, and be lost."""
        self.console.file.flush()
        return getpass(printable(shown))

    def choose(
        self,
        what: str,
        rows: Sequence[tuple[str, str]],
        *,
        given: str | None = None,
        option: str = "",
        default: int = 1,
    ) -> str:
        """The id of one of several, rows of (id, name), by number, name or id. `default`: a number."""
        if given is None and self.somebody:
            tabulate(self.console, "", ("#", what, "id"), ((n, name, key) for n, (key, name) in enumerate(rows, 1)))
        numbers = {str(number): key for number, (key, _) in enumerate(rows, 1)}
        default_said = str(default) if default in range(1, len(rows) + 1) and (self.somebody or len(rows) == 1) else ""

        def check(said: str) -> str:
            return one_of(said, what, rows, numbers if given is None else {})

        return self.ask(f"{what} (number, name or id)", check, given=given, option=option, default=default_said)

    def confirm(self, question: str) -> bool:
        """Yes or no; Enter, or nobody, means no."""

        def check(said: str) -> bool:
            if said.casefold() not in ("y", "yes", "n", "no"):
                raise ValueError("Say y or n.")
            return said.casefold().startswith("y")

        return self.ask(f"{question} (y or n)", check, default="n")

    def show_link(self, before: str, address: str) -> None:
        """A line that ends with an address to click on."""
        self.console.print(Text.assemble(before, " ", (address, Style(link=address, underline=True))), soft_wrap=True)


def one_of(said: str, what: str, rows: Sequence[tuple[str, str]], numbers: dict[str, str] | None = None) -> str:
    """Raises: ValueError that lists what there is."""
    if said in dict(rows):
        return said
    named = [key for key, name in rows if name.strip() == said] or (
        [key for key, name in rows if name.strip().casefold() == said.casefold()]
    )
    if len(named) == 1:
        return named[0]
    if not named and numbers and said in numbers:
        return numbers[said]
    if named:
        raise ValueError(f"{len(named)} are called {said!r}; say which by its id: {', '.join(named)}.")
    raise ValueError(f"There is no {what} {said!r}; {there_are((name.strip() or key for key, name in rows), said)}")
