#!/usr/bin/env python3
"""Measures a release build of Headway, beside a plain polars batch job, and writes docs/performance.md.

Run by `./dev performance`. Every number of the page comes from the runs of one call; nothing is kept from earlier ones. Needs the
standard library only; polars lives in the environment whose python is named by --python.
"""

import argparse
import datetime
import json
import math
import os
import pathlib
import platform
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
FLAGSHIP = HERE.parents[2] / "pipelines" / "delivery-eta"
# Four more windows for each of the three, the widest being the same: only their number changes.
TWELVE_WINDOWS = "5m,10m,15m,20m,25m,30m,35m,40m,45m,50m,55m,1h"
THREE_WINDOWS = "5m,30m,1h"
INSTANTS = 8
EVENTS_PER_HOUR = 1_000_000
# polars divides by a constant by multiplying with its reciprocal, which may change the last bits.
RELATIVE_DIFFERENCE_MAX = 1e-15

# For whoever wants to make the engine faster: what paid and what did not, in words, since figures are those of one call.
TRIED = """\
## What was tried

A sampling profiler shows where the time goes; most of what is left of it is waiting for memory.

| what | outcome |
| --- | --- |
| compare separator, name and colon of an expected member at once; find the end of a string 16 bytes at a time; keep the minute of the last instant | kept: two fifths less time to decode |
| inline what hands tokens on, so that they stay in registers | kept: another quarter less, since narrow writes followed by a wide read stall |
| look at the next sixteen entities before the first is merged, finished or fired | kept: nine tenths of the time to merge and to forget tiles were one read each |
| identities of a slice in a library's hash table, looked up 128 at a time | not enough: some look-ups read an identity in vain, and each new one writes to a second line |
| tags and places in one line of the cache for each look-up, all lines read before any is searched | kept: with ten times the events, half the time to admit |
| forget tiles in eighths of a ring, not one by one | kept: fewer moves of memory; too small to measure by itself |
| fold a column of tiles by a stepping iterator instead of by rows | given up: slower than rows of a fixed length |

At one rate, an hour's windows fill during the first hour, and vectors cost less until they are full: that is what remains of the difference
between two hours and twenty.
""".splitlines()


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(command):
    """The JSON object that a command prints."""
    say(f"  $ {' '.join(map(str, command))}")
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"That ended with code {done.returncode}, so nothing was written. Run the line above by hand to see why.")
    return json.loads(done.stdout)


def measure(arguments):
    """Everything that the page says."""
    scratch = arguments.scratch
    scratch.mkdir(parents=True, exist_ok=True)
    orders = scratch / "orders.jsonl"

    def headway(*words):
        return run([arguments.headway, "--json", "--quiet", *words])

    def engine():
        return headway("bench", "engine", "--pipeline", HERE / "orders", "--input", orders)

    def batch(*words):
        return run([arguments.python, HERE / "polars_batch.py", orders, *words])

    results = {"began": datetime.datetime.now(datetime.timezone.utc), "load_before": os.getloadavg()[0]}
    say(f"The input: {arguments.events:,} orders in {orders}.")
    headway("bench", "engine", "--events", arguments.events, "--write", orders)
    say(f"Engine and polars in turn, {arguments.repeats} times.")
    names = {"engine": engine, "polars": batch, "polars_deduplicated": lambda: batch("--deduplicate")}
    rounds = [{name: once() for name, once in names.items()} for _ in range(arguments.repeats)]
    results["rounds"] = rounds
    say("Whether both computed the same.")
    rows, filled = scratch / "rows.jsonl", scratch / "filled.jsonl"
    batch("--rows", rows, "--instants", INSTANTS)
    backfill = ["--pipeline", HERE / "orders", "--events", orders, "--spine", rows, "--mode", "complete", "--out", filled]
    headway("backfill", *backfill, "--show", 0)
    results["compared"] = compare(filled, rows)
    orders.unlink()
    say("Larger and smaller inputs.")
    results["sizes"] = [headway("bench", "engine", "--events", size) for size in arguments.sizes]
    results["lengths"] = [
        {"hours": hours, **headway("bench", "engine", "--events", hours * EVENTS_PER_HOUR, "--minutes", hours * 60)}
        for hours in arguments.hours
    ]
    say("Three windows and twelve, in turn.")
    results["windows"] = [
        {label: headway("bench", "engine", "--events", arguments.events, "--windows", label) for label in (THREE_WINDOWS, TWELVE_WINDOWS)}
        for _ in range(arguments.repeats)
    ]
    say(f"{arguments.entities:,} live entities.")
    results["state"] = headway("bench", "state", "--entities", arguments.entities)
    say("Small batches through the flagship pipeline.")
    sample = scratch / "sample.jsonl"
    headway("sample", "--pipeline", FLAGSHIP, "--events", 200_000, "--out", sample)
    results["latency"] = headway("bench", "latency", "--pipeline", FLAGSHIP, "--input", sample)
    say("The running system: its log, its workers, and a process that is killed.")
    live = scratch / "live"
    results["running"] = headway("bench", "run", "--folder", live, "--entities", arguments.entities, "--events", arguments.events)
    results["load_after"] = os.getloadavg()[0]
    return results


def compare(filled, rows):
    """Every value of polars beside the one of Headway in the same row; ends the program when two differ."""
    asked = sum(1 for _ in rows.open())
    values = same = 0
    with filled.open() as lines:
        number = 0
        for number, line in enumerate(lines, 1):
            row = json.loads(line)
            for name in [name for name in row if name.startswith("polars_")]:
                values += 1
                ours, theirs = row.get(name.removeprefix("polars_")), row[name]
                same += ours == theirs
                if ours is None or not math.isclose(ours, theirs, rel_tol=RELATIVE_DIFFERENCE_MAX):
                    sys.exit(f"{filled}, line {number}: {name} is {theirs} and Headway says {ours}. Nothing was written.")
    if number != asked or values == 0:
        sys.exit(f"{asked} rows were asked for and {number} came back with {values} values. Nothing was written.")
    return {"rows": number, "values": values, "same": same}


def page(arguments, results):
    """The text of docs/performance.md."""
    rounds, sizes, lengths, windows = (results[name] for name in ("rounds", "sizes", "lengths", "windows"))
    state, latency, running = results["state"], results["latency"], results["running"]
    speeds = {name: [each[name]["events_per_cpu_second"] for each in rounds] for name in rounds[0]}
    alone = statistics.median(speeds["engine"])
    ratios = {name: [mine / other for mine, other in zip(speeds["engine"], speeds[name])] for name in speeds}
    compared = results["compared"]
    by_windows = {label: [each[label]["events_per_cpu_second"] for each in windows] for label in windows[0]}
    flat = [each[TWELVE_WINDOWS]["events_per_cpu_second"] / each[THREE_WINDOWS]["events_per_cpu_second"] for each in windows]
    twelve, three = (windows[0][label] for label in (TWELVE_WINDOWS, THREE_WINDOWS))
    deduplicated = "polars batch job that also drops duplicates"
    lines = [
        "# Performance",
        "",
        "Written by `./dev performance` from one call; do not edit. Read ratios: figures of one machine say little about another.",
        "",
        "## The machine",
        "",
        *table(
            ["what", "value"],
            [
                ["when", results["began"].strftime("%Y-%m-%d %H:%M UTC")],
                ["processor", f"{processor()}, {os.cpu_count()} logical"],
                ["memory", f"{memory_bytes() / 2**30:.1f} GiB"],
                ["system", f"{platform.system()} {platform.release()}"],
                ["compiler", version("rustc", "--version")],
                ["polars, Python", f"{rounds[0]['polars']['polars']}, {platform.python_version()}"],
                ["load average, before and after", f"{results['load_before']:.2f}, {results['load_after']:.2f}"],
            ],
        ),
        "",
        "A load of more than about 1 before the first run means that something else was running, and that the figures are too low.",
        "",
        "## Beside a batch job in polars",
        "",
        f"{rounds[0]['engine']['events']:,} orders of 5,000 stores over two hours, one in five out of order; count, sum, mean and maximum of the basket",
        f"over {THREE_WINDOWS.replace(',', ', ')}. The job is `crates/workbench/compare/polars_batch.py`, which folds into minutes first and makes",
        "all windows of those. Each ran on one thread, in turn. Median of the runs (lowest to highest):",
        "",
        *table(
            ["", "events per CPU second", "engine ÷ this"],
            [
                ["Headway's engine", spread(speeds["engine"]), ""],
                ["polars batch job", spread(speeds["polars"]), spread_of_ratios(ratios["polars"])],
                [deduplicated, spread(speeds["polars_deduplicated"]), spread_of_ratios(ratios["polars_deduplicated"])],
            ],
            right=True,
        ),
        "",
        "Reading the input is not timed for either. What is not alike: the engine took the orders in batches as they came and wrote",
        f"{rounds[0]['engine']['vectors']:,} vectors, one for each store that a batch touched and each that had become outdated; polars saw all orders at",
        f"once and wrote {rounds[0]['polars']['vectors']:,}, one for each store and minute with an order. The engine checked every field, time and identity.",
        "",
        f"Both agree: of the {compared['values']:,} values of {compared['rows']:,} rows at {INSTANTS} instants, {compared['same']:,} were equal to the last bit, and the others",
        "within a relative 10⁻¹⁵: polars divides by a constant by multiplying with its reciprocal.",
        "",
        "## As the input grows",
        "",
        "One run of each size over two hours: more events a second, so windows hold more, and so does what recognises duplicates.",
        "",
        *table(
            ["events", "events per CPU second", "events per second", "vectors", "memory at most"],
            [[f"{one['events']:,}", amount(one["events_per_cpu_second"]), amount(one["events_per_second"]), f"{one['vectors']:,}", size(one["peak_rss_bytes"])] for one in sizes],
            right=True,
        ),
        "",
        "The memory is that of the whole process.",
        "",
        f"The same at one rate, {EVENTS_PER_HOUR:,} events an hour, for longer:",
        "",
        *table(
            ["events", "hours", "events per CPU second", "vectors", "memory at most"],
            [[f"{one['events']:,}", str(one["hours"]), amount(one["events_per_cpu_second"]), f"{one['vectors']:,}", size(one["peak_rss_bytes"])] for one in lengths],
            right=True,
        ),
        "",
        "## As there are more windows",
        "",
        *table(
            ["windows", "columns", "events per CPU second", "than three windows"],
            [
                ["3", "12", spread(by_windows[THREE_WINDOWS]), ""],
                ["12", "48", spread(by_windows[TWELVE_WINDOWS]), spread_of_ratios(flat)],
            ],
            right=True,
        ),
        "",
        "Where the engine's time goes:",
        "",
        *table(
            ["windows", *three["steps"]],
            [[label, *(f"{100 * one['steps'][step]:.0f} %" for step in three["steps"])] for label, one in (("3", three), ("12", twelve))],
            right=True,
        ),
        "",
        "## Many live entities",
        "",
        f"{state['entities']:,} entities with ten features of one hour, twelve of its sixty tiles filled.",
        "",
        *table(
            ["what", "value"],
            [
                ["memory of the process for each entity", f"{state['resident_bytes_per_entity']:,} B"],
                ["snapshot", size(state["snapshot_bytes"])],
                ["time to write it, events being taken between its frames", f"{state['snapshot_seconds']:.1f} s"],
                ["events taken meanwhile", f"{state['events_beside']:,}"],
                ["longest pause for a frame", f"{state['pause_ms_max']:.1f} ms"],
                ["longest step that took events meanwhile", f"{state['ingest_ms_max']:.1f} ms"],
                ["time to restore it", f"{state['restore_seconds']:.1f} s"],
            ],
        ),
        "",
        "## Small batches",
        "",
        f"All groups of `pipelines/delivery-eta`, windows filled by {latency['warm_up_events']:,} events of a generated sample.",
        "",
        *table(
            ["what", "value"],
            [
                ["one event from payload to vectors, median", f"{latency['alone_ms_p50']:.3f} ms"],
                ["the same, slowest in a hundred", f"{latency['alone_ms_p99']:.3f} ms"],
                ["5,000 events a second in batches of 50 ms", f"{100 * latency['steady_core_share']:.1f} % of a core"],
            ],
        ),
        "",
        "## The running system",
        "",
        f"`headway bench run`: log, workers and online store in one process, as `headway run` wires them, on the orders of the comparison.",
        "The engine takes the orders alone in the same call, on one core; the running system uses all of them.",
        "",
        *table(
            ["what", "value"],
            [
                ["events a second, from the log to vectors that can be read", amount(running["events_per_second"])],
                ["beside the engine alone on one core", f"{running['events_per_second'] / alone:.2f}"],
                [f"an event can be read at {running['rate']:,} events a second after, median", f"{running['freshness_p50_ms']:.1f} ms"],
                ["the same, slowest in a hundred", f"{running['freshness_p99_ms']:.1f} ms"],
                ["memory of the process at most", size(running["peak_rss_bytes"])],
                [f"killed with {running['entities']:,} live entities, everything can be read again after", f"{running['restart_seconds']:.1f} s"],
                ["records that were taken again for it", f"{running['restart_replayed']:,}"],
                ["memory of that process at most", size(running["restart_peak_rss_bytes"])],
            ],
        ),
        "",
        *TRIED,
    ]
    return "\n".join(lines)


def table(head, rows, right=False):
    """The lines of a table; all columns but the first may stand to the right."""
    rules = ["---" if place == 0 or not right else "---:" for place in range(len(head))]
    return [f"| {' | '.join(cells)} |" for cells in (head, rules, *rows)]


def amount(number):
    return f"{number / 1e6:.2f} million"


def spread(numbers):
    low, high = (f"{number / 1e6:.2f}" for number in (min(numbers), max(numbers)))
    return f"{amount(statistics.median(numbers))} ({low} to {high})"


def spread_of_ratios(ratios):
    """Each ratio is of two runs side by side, so that a slow moment of the machine slows both."""
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def size(count):
    return f"{count / 2**20:,.0f} MiB"


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def memory_bytes():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def version(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--headway", type=pathlib.Path, required=True, help="the program, from a release build")
    parser.add_argument("--python", type=pathlib.Path, required=True, help="a python that can import polars")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the page")
    parser.add_argument("--scratch", type=pathlib.Path, required=True, help="a folder for inputs and results")
    parser.add_argument("--events", type=int, default=2_000_000, help="of the comparison")
    parser.add_argument("--repeats", type=int, default=5, help="of what is compared")
    parser.add_argument("--sizes", type=int, nargs="+", default=[200_000, 2_000_000, 20_000_000], help="of the inputs that grow")
    parser.add_argument("--hours", type=int, nargs="+", default=[2, 6, 20], help="of the inputs that grow at one rate")
    parser.add_argument("--entities", type=int, default=1_000_000, help="of the state")
    arguments = parser.parse_args()
    arguments.out.write_text(page(arguments, measure(arguments)))
    say(f"{arguments.out} is written.")


if __name__ == "__main__":
    main()
