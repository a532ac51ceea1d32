#!/usr/bin/env python3
"""What one would write instead of Headway: a plain polars batch job over the benchmark's orders.

For each store and each minute in which it had an order: count, sum, mean and maximum of the basket over the last 5 minutes, 30
minutes and hour, as of the end of that minute. That is the vector which Headway has for the store at that instant.

The job is meant to be as good as polars makes it. It is lazy, reads only the members it needs, folds events into tiles of a
minute first and builds all windows from tiles, in whole cents so that sums are exact. Since all times of the input are written in
one form and in UTC, it folds by the text of the minute and parses that once for each tile, which is faster than parsing every
time. It does less than the engine: it computes each value once and not as events come, refuses nothing, and recognises duplicates
only when asked.
"""

import argparse
import io
import json
import os
import pathlib
import time

# Headway's engine uses one thread as well; polars reads this when it is imported.
os.environ["POLARS_MAX_THREADS"] = "1"

import polars as pl  # noqa: E402

WINDOWS = ["5m", "30m", "1h"]
IDENTITY = {"id": pl.String, "source": pl.String}
MEMBERS = {"occurred_at": pl.String, "store_id": pl.String, "basket": pl.Float64}


def tiles(lines, deduplicate):
    """Count, sum and maximum of each store and minute, in cents."""
    orders = pl.scan_ndjson(io.BytesIO(lines), schema=IDENTITY | MEMBERS if deduplicate else MEMBERS)
    if deduplicate:
        orders = orders.unique(subset=list(IDENTITY), keep="any")
    minute = pl.col("occurred_at").str.head(len("2026-03-01T17:00"))
    cents = (pl.col("basket") * 100).round().cast(pl.Int64)
    return (
        orders.select("store_id", minute=minute, cents=cents)
        .group_by("store_id", "minute")
        .agg(count=pl.len().cast(pl.Int64), sum=pl.col("cents").sum(), max=pl.col("cents").max())
        .with_columns(pl.col("minute").str.to_datetime("%Y-%m-%dT%H:%M", time_unit="ms", time_zone="UTC"))
        .sort("store_id", "minute")
    )


def windows(tiles):
    """The columns of all windows. A tile is named by its beginning, and a window ends with the tile."""
    result = None
    for window in WINDOWS:
        count, total = pl.col("count").sum(), pl.col("sum").sum()
        rolled = tiles.rolling("minute", period=window, group_by="store_id", closed="right").agg(
            count.alias(f"orders_{window}"),
            (total / 100).alias(f"basket_sum_{window}"),
            (total / count / 100).alias(f"basket_mean_{window}"),
            (pl.col("max").max() / 100).alias(f"basket_max_{window}"),
        )
        # Each one has the rows of the tiles, in their order.
        columns = rolled.drop("store_id", "minute") if result is not None else rolled
        result = columns if result is None else pl.concat([result, columns], how="horizontal")
    return result.with_columns(at=pl.col("minute") + pl.duration(minutes=1)).drop("minute")


def write_rows(vectors, path, instants):
    """Writes the rows of some instants, the last one among them, as a spine that `headway backfill` fills beside them."""
    every = vectors.get_column("at").unique().sort()
    chosen = every.gather([(len(every) - 1) * place // (instants - 1) for place in range(instants)])
    rows = vectors.filter(pl.col("at").is_in(chosen.implode())).sort("at", "store_id")
    values = [name for name in rows.columns if name not in ("at", "store_id")]
    rows.select(
        store="store_id",
        at=pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"),
        **{f"polars_{name}": name for name in values},
    ).write_ndjson(path)
    return len(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("orders", help="JSON lines, from `headway bench engine --write`")
    parser.add_argument("--deduplicate", action="store_true", help="keep one order of each identity, as the engine does")
    parser.add_argument("--engine", choices=["in-memory", "streaming"], help="of polars; by default the faster one")
    parser.add_argument("--rows", help="write the rows of some instants to this file, after the measurement")
    parser.add_argument("--instants", type=int, default=8, help="how many instants, at least 2")
    arguments = parser.parse_args()
    # Measured on two million orders: streaming is faster as long as nothing has to be unique.
    engine = arguments.engine or ("in-memory" if arguments.deduplicate else "streaming")
    # In memory before the clock starts, as the engine's input is.
    lines = pathlib.Path(arguments.orders).read_bytes()
    began, cpu_began = time.perf_counter(), time.process_time()
    tiled = tiles(lines, arguments.deduplicate).collect(engine=engine)
    vectors = windows(tiled.lazy()).collect(engine=engine)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    events = int(tiled.get_column("count").sum())
    report = {
        "events": events,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "events_per_cpu_second": events / cpu_seconds,
        "vectors": len(vectors),
        "polars": pl.__version__,
        "deduplicate": arguments.deduplicate,
        "engine": engine,
    }
    if arguments.rows:
        report["rows"] = write_rows(vectors, arguments.rows, arguments.instants)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
