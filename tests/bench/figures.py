"""A figure is one measured number, what it was compared with, and what the project aims for."""

from dataclasses import dataclass
from enum import Enum
from typing import Optional


class Effort(Enum):
    full = "full"
    quick = "quick"  # shorter, less exact
    smoke = "smoke"  # shows that it runs; the numbers mean nothing


class Unavailable(Exception):
    """This machine cannot run the benchmark; the text says what is missing."""


@dataclass
class Figure:
    name: str
    value: float
    unit: str
    compared_with: Optional[str] = None
    compared_value: Optional[float] = None
    # ">= 1.5" and "<= 1" concern the ratio value / compared_value where there is one, else the value.
    target: Optional[str] = None

    @property
    def ratio(self):
        return self.value / self.compared_value if self.compared_value else None

    @property
    def met(self):
        if self.target is None:
            return None
        relation, limit = self.target.split()
        measured = self.value if self.compared_with is None else self.ratio
        if measured is None:
            return False
        return measured >= float(limit) if relation == ">=" else measured <= float(limit)

    def as_json(self):
        return {"name": self.name, "value": self.value, "unit": self.unit, "compared_with": self.compared_with,
                "compared_value": self.compared_value, "ratio": self.ratio, "target": self.target, "met": self.met}


def number(value):
    if value is None:
        return "-"
    if value == 0 or 100 <= abs(value) < 1e7:
        return f"{value:,.0f}"
    return f"{value:,.3g}"


HEAD = ("figure", "value", "unit", "compared with", "its value", "ratio", "target", "met")
RIGHT = {1, 4, 5}  # columns of numbers


def cells(figure):
    target = figure.target or "-"
    if figure.target and figure.compared_with:
        target = "ratio " + target
    return (figure.name, number(figure.value), figure.unit or "-", figure.compared_with or "-",
            number(figure.compared_value), f"{figure.ratio:.2f}" if figure.ratio is not None else "-", target,
            {None: "-", True: "yes", False: "NO"}[figure.met])


def table(measured):
    """Pairs (benchmark's name, figure) as lines of text, in columns."""
    rows = [HEAD] + [cells(figure) for _, figure in measured]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    lines = ["  ".join(cell.rjust(widths[i]) if i in RIGHT else cell.ljust(widths[i])
                       for i, cell in enumerate(row)).rstrip() for row in rows]
    rule = "-" * max(map(len, lines))
    done = [lines[0]]
    benchmark = None
    for (name, _), line in zip(measured, lines[1:]):
        if name != benchmark:
            done.append(f"-- {name} ".ljust(len(rule), "-"))
        benchmark = name
        done.append(line)
    return done
