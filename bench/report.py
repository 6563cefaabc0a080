#!/usr/bin/env python3
"""Turns Google Benchmark's JSON into a table of ratios (Markdown) and a bar chart (SVG).

    report.py <directory> [<pattern>]

reads every *.json file of the directory and writes report.md and report.svg beside them. With a
pattern, a regular expression, the chart shows only the bars whose title it finds something in:
"Lock_Contended/2 : std".

A row is named BM_<Class>_<Situation>; the same name with _std, _absl, _tbb ... is a rival of that
row. What follows the name, such as /2 or /threads:4, belongs to the situation, so that equal is
compared with equal.

What is compared is the median over the repetitions: of the real time where the name asks for it
(/real_time, /manual_time) and wherever several threads run, because a thread that sleeps costs no
CPU time; of the CPU time otherwise, because it does not count what the neighbours do. A difference
below 15 % with one thread and below 30 % with several is noise, and is shown as such.

The ratio is the rival's time divided by conc's: 2.0 means that conc needs half the time.
"""

import html
import json
import math
import re
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

NAME = re.compile(r"BM_(?P<row>\w+?)(?:_(?P<rival>[a-z][a-z0-9]*))?(?P<arguments>[</].*)?$")
THREADS = re.compile(r"/threads:(\d+)")
# Arguments that say how long to measure and by which clock, not what.
METHOD = re.compile(
    r"/(?:min_time:|min_warmup_time:|iterations:|repeats:|(?:real|manual|process)_time)[^/]*"
)
NANOSECONDS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
OURS = "conc"


@dataclass
class Row:
    """One situation: who needs how many nanoseconds in it."""

    name: str
    threads: int = 1
    times: dict = field(default_factory=dict)

    def ratio(self, rival):
        return self.times[rival] / self.times[OURS]

    def is_noise(self, rival):
        limit = 1.30 if self.threads > 1 else 1.15
        ratio = self.ratio(rival)
        return 1 / limit < ratio < limit


def threads_of(arguments):
    match = THREADS.search(arguments)
    return int(match.group(1)) if match else 1


def clock_of(arguments):
    """The field of a result that holds the time to compare."""
    asked = "/real_time" in arguments or "/manual_time" in arguments
    return "real_time" if asked or threads_of(arguments) > 1 else "cpu_time"


def medians(results):
    """Maps each run name to its median in nanoseconds, in the order of registration."""
    ready = {}
    single = {}
    # Random interleaving shuffles the output.
    place = ("family_index", "per_family_instance_index")
    for result in sorted(results, key=lambda result: [result.get(key, 0) for key in place]):
        if result.get("error_occurred"):
            continue
        name = result.get("run_name", result["name"])
        if result.get("run_type") == "aggregate" and result["aggregate_name"] != "median":
            continue
        time = result[clock_of(name)] * NANOSECONDS[result.get("time_unit", "ns")]
        if result.get("run_type") == "aggregate":
            ready[name] = time
        else:
            single.setdefault(name, []).append(time)
    return {name: statistics.median(times) for name, times in single.items()} | ready


def rows(times):
    """Brings conc's rows and those of their rivals together, in the order of the input."""
    found = {}
    for name, time in times.items():
        match = NAME.match(name)
        if not match:
            print(f"report.py: {name} is not named BM_<Class>_<Situation>", file=sys.stderr)
            continue
        arguments = match["arguments"] or ""
        key = match["row"] + METHOD.sub("", arguments)
        row = found.setdefault(key, Row(key, threads_of(arguments)))
        row.times[match["rival"] or OURS] = time
    for row in found.values():
        if OURS not in row.times:
            print(f"report.py: {row.name} has a rival but no row of conc", file=sys.stderr)
    return [row for row in found.values() if OURS in row.times]


def rivals(table):
    """All rivals: std first, the others by name."""
    names = {name for row in table for name in row.times} - {OURS}
    return sorted(names, key=lambda name: (name != "std", name))


def duration(nanoseconds):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"


def verdict(row, rival):
    if rival not in row.times:
        return ""
    ratio = row.ratio(rival)
    text = f"{duration(row.times[rival])} ({ratio:.2f})"
    if row.is_noise(rival):
        return f"{text} ≈"
    return f"**{text}**" if ratio > 1 else text


def markdown(table, note):
    names = rivals(table)
    lines = [
        "| situation | " + " | ".join([OURS, *names]) + " |",
        "| --- |" + " ---: |" * (1 + len(names)),
    ]
    for row in table:
        cells = [f"`{row.name}`", duration(row.times[OURS])]
        lines.append("| " + " | ".join(cells + [verdict(row, name) for name in names]) + " |")
    return "\n".join(
        [
            *lines,
            "",
            "In brackets: the rival's time divided by conc's. Bold: conc is faster."
            " ≈: too close to call (15 % with one thread, 30 % with several).",
            "",
            note,
            "",
        ]
    )


def title_of(row, rival):
    return f"{row.name} : {rival}"


def svg(table, note, pattern=""):
    """One bar for each rival in each situation, to the right where conc is faster; log scale."""
    bars = [
        (row, name)
        for row in table
        for name in rivals(table)
        if name in row.times and re.search(pattern, title_of(row, name))
    ]
    widest = max([abs(math.log2(row.ratio(name))) for row, name in bars] + [1.0])
    titles = [title_of(row, name) for row, name in bars]
    label, number, half, height = 8 * max(map(len, titles), default=0) + 20, 60, 220, 22
    middle = label + number + half
    width = middle + half + number
    bottom = 50 + height * len(bars)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{bottom + 30}"'
        ' font-family="sans-serif" font-size="13">',
        f'<rect width="{width}" height="{bottom + 30}" fill="#ffffff"/>',
        f'<text x="{middle + 6}" y="22" fill="#333333">conc is faster →</text>',
        f'<text x="{middle - 6}" y="22" fill="#333333" text-anchor="end">← rival is faster</text>',
    ]
    for index, ((row, name), title) in enumerate(zip(bars, titles)):
        ratio = row.ratio(name)
        length = abs(math.log2(ratio)) / widest * half
        top = 36 + height * index
        faster = ratio >= 1
        colour = "#9aa5b1" if row.is_noise(name) else "#2b7a4b" if faster else "#b4552d"
        start = middle if faster else middle - length
        anchor = "start" if faster else "end"
        end = middle + length + 5 if faster else middle - length - 5
        out += [
            f'<text x="{label - 10}" y="{top + 14}" fill="#333333" text-anchor="end">'
            f"{html.escape(title)}</text>",
            f'<rect x="{start:.1f}" y="{top + 2}" width="{length:.1f}" height="{height - 6}"'
            f' fill="{colour}"/>',
            f'<text x="{end:.1f}" y="{top + 14}" fill="#333333" text-anchor="{anchor}">'
            f"{ratio:.2f}×</text>",
        ]
    out += [
        f'<line x1="{middle}" y1="30" x2="{middle}" y2="{bottom - 10}" stroke="#333333"/>',
        f'<text x="10" y="{bottom + 14}" fill="#666666" font-size="11">{html.escape(note)}</text>',
        "</svg>",
        "",
    ]
    return "\n".join(out)


def processor():
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return "unknown processor"


def commit():
    """The commit that was measured; a + behind it says that the tree had changes."""
    git = ["git", "-C", str(Path(__file__).resolve().parent)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip()
        changes = subprocess.run(
            [*git, "status", "--porcelain"], capture_output=True, text=True, check=True
        ).stdout
        return head + ("+" if changes else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown commit"


def describe(context):
    """Machine, compiler, commit and date, in one line."""
    return " · ".join(
        [
            f"{context.get('num_cpus', '?')} × {processor()}",
            context.get("compiler", "unknown compiler"),
            commit(),
            context.get("date", "")[:10],
        ]
    )


def main(arguments):
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    directory = Path(arguments[0])
    context = {}
    times = {}
    for path in sorted(directory.glob("*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        context = data.get("context", context)
        times |= medians(data["benchmarks"])
    table = rows(times)
    if not table:
        print(f"report.py: no results of conc in {directory}", file=sys.stderr)
        return 1
    note = describe(context)
    (directory / "report.md").write_text(markdown(table, note), encoding="utf-8")
    (directory / "report.svg").write_text(svg(table, note, *arguments[1:]), encoding="utf-8")
    print(markdown(table, note))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
