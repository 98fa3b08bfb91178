"""What a person sees while the platform comes up: one line a step, with progress inside it and the time it took."""

import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from rich.console import Console as Terminal
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

# Of how many parts a step has to be before a log hears of it in between.
_LONG = 1000


class Console:
    """Steps on standard error; plain lines where that is no terminal, so that logs stay readable."""

    def __init__(self) -> None:
        self._terminal = Terminal(file=sys.stderr, highlight=False)

    @contextmanager
    def step(self, title: str) -> Generator["Step"]:
        """Show ``title`` while the block runs, then how it ended and how long it took."""
        started = time.monotonic()
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(
            *columns, console=self._terminal, transient=True, disable=not self._terminal.is_terminal
        ) as bar:
            step = Step(bar, title)
            try:
                yield step
            except BaseException:
                self._line("✗", title, "failed", started, "red")
                raise
        self._line("✓", title, step.outcome, started, "green")

    def say(self, text: str) -> None:
        """Print ``text`` as it is."""
        self._terminal.print(text)

    def table(self, title: str, rows: Mapping[str, str]) -> None:
        """Print ``rows`` under ``title``, their values in one column."""
        self._terminal.print(f"\n[bold]{title}[/bold]")
        width = max(map(len, rows), default=0)
        for name, value in rows.items():
            self._terminal.print(f"  {name:<{width}}  ", end="")
            self._terminal.print(value, markup=False, soft_wrap=True)

    def refuse(self, message: str) -> None:
        """Print why nothing went on."""
        self._terminal.print("[red]error:[/red] ", end="")
        self._terminal.print(message, markup=False, soft_wrap=True)

    def _line(self, mark: str, title: str, outcome: str, started: float, colour: str) -> None:
        took = f"{time.monotonic() - started:5.1f} s"
        self._terminal.print(
            f"[{colour}]{mark}[/{colour}] {title:<22} {took}   [dim]{outcome}[/dim]", soft_wrap=True
        )


class Step:
    """A step under way; ``outcome`` is what its last line says."""

    def __init__(self, bar: Progress, title: str) -> None:
        self._bar = bar
        self._title = title
        self._task = bar.add_task(title, total=None)
        self._quarters = 0
        self.outcome = ""

    def report(self, doing: str, done: int, total: int) -> None:
        """Show how far it is; a log gets a line for each quarter of what is long."""
        self._bar.update(
            self._task, description=f"{self._title}: {doing}", completed=done, total=total or None
        )
        quarters = 4 * done // total if total > _LONG else 0
        if self._bar.disable and quarters > self._quarters:
            self._quarters = quarters
            self._bar.console.print(f"  {self._title}: {doing}, {25 * quarters} %")
