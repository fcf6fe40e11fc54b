"""From the click to JupyterLab's `api/status`: Vitrine's stack against stock JupyterHub with DockerSpawner.

Both stacks are made for this run, from the same desk image, with the same memory and processors for a desk,
and removed afterwards. In turn, a signed-in person clicks, waits as the page has it done (Vitrine's page asks
the portal, JupyterHub's page listens to its event stream), goes to the Lab through OAuth, and asks for
`api/status`. The first pair warms up and does not count. Last line: one JSON object with the medians in
seconds and their ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).with_suffix("")))

from sides import say
from stock_side import Stock
from vitrine_side import Vitrine


def load() -> str:
    return "load average " + " ".join(f"{one:.1f}" for one in os.getloadavg())


def measure(pairs: int) -> dict[str, object]:
    """Both stacks up, then so many pairs after the first; everything removed whatever happens."""
    Vitrine.clear_remains()
    stock, vitrine = Stock(), Vitrine()
    stock.down()  # its names are always the same: what a killed run may have left
    try:
        say("starting both stacks …")
        sides = [vitrine.up(), stock.up()]
        for number in range(pairs + 1):
            for side in sides if number % 2 else reversed(sides):
                say(f"{'warm-up' if number == 0 else f'pair {number}'}: {side.measure()}; {load()}")
        ours, theirs = (statistics.median(side.seconds[1:]) for side in sides)
        waits = {side.name: round(statistics.median(side.waiting[1:]), 2) for side in sides}
        say(f"seconds until the page says open, medians: {waits}; {load()}")
        return {
            "benchmark": "desk_open",
            "ratio": round(ours / theirs, 3),
            "vitrine_s": round(ours, 2),
            "stock_s": round(theirs, 2),
            "pairs": pairs,
        }
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        say("removing both stacks …")
        try:
            stock.down()
        finally:
            vitrine.down()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--pairs", type=int, default=9, help="measured pairs; quote no figure of fewer than 7"
    )
    given = parser.parse_args()
    for interrupt in (signal.SIGINT, signal.SIGTERM):
        signal.signal(interrupt, lambda number, _: sys.exit(128 + number))
    print(json.dumps(measure(given.pairs)))


if __name__ == "__main__":
    main()
