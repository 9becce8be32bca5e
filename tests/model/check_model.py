#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A small model of lib/check, written from its specification and not from its code: verdicts, claims, temporal
patterns, folds, percentiles and monitor rules. It prints vectors (JSON) that tests/unit/test_vectors.c runs through the
library. Everything is drawn from a fixed seed. Numbers are exact where they can be: Python compares int and float exactly.
"""

import json
import math
import random
import sys
from fractions import Fraction

RNG = random.Random(20260)
RANK = {"skip": 0, "pass": 1, "inconclusive": 2, "fail": 3}
KINDS = ["skip", "inconclusive", "fail"]
VECTORS = []


def emit(family, **fields):
    VECTORS.append({"family": family, **fields})


# Verdicts: a result is a list of outcomes and a number of things that were found to hold.


def kind_of(result):
    outcomes, passes = result
    if not outcomes:
        return "pass"
    kinds = set(outcomes) | ({"pass"} if passes else set())
    return max(kinds, key=RANK.get)


def random_result(most=3):
    return [RNG.choice(KINDS) for _ in range(RNG.randint(0, most))], RNG.choice([0, 0, 1, 2])


def merged(results):
    return [o for r in results for o in r[0]], sum(r[1] for r in results)


def any_of(branches):
    if not branches:
        return ["fail"], 0
    passing = [b for b in branches if kind_of(b) == "pass"]
    if passing:
        return passing[0]
    worst = max((kind_of(b) for b in branches), key=RANK.get)
    outcomes, passes = merged(branches)
    return outcomes + [worst], passes


def verdict_vectors():
    for _ in range(60):
        branches = [random_result() for _ in range(RNG.randint(0, 4))]
        for name, combine in (("all_of", merged), ("any_of", any_of)):
            outcomes, passes = combine(branches)
            kind = kind_of((outcomes, passes))
            first = outcomes.index(kind) if kind in outcomes else -1
            emit("verdict", combine=name, branches=[{"outcomes": b[0], "passes": b[1]} for b in branches],
                 kind=kind, outcomes=outcomes, passes=passes, first=first)


# Claims on scalars.

INTERESTING = [0, 1, -1, 2, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 2**63, 2**64 - 1,
               0.0, -0.0, 0.5, 1.0, -1.5, 2.0**53, 2.0**63, -(2.0**63), 2.0**64, 1e300, math.inf, -math.inf, math.nan]


def claim_holds(comparator, value, first, second):
    numbers = [value, first] + ([second] if comparator in ("between", "near") else [])
    if comparator == "is_finite":
        return isinstance(value, int) or math.isfinite(value)
    if any(isinstance(n, float) and math.isnan(n) for n in numbers):
        return False
    if comparator == "between":
        return first <= second and first <= value <= second
    if comparator == "near":
        if second < 0:
            return False
        if value == first:
            return True
        return abs(float(value) - float(first)) <= second
    return {"eq": value == first, "ne": value != first, "lt": value < first, "gt": value > first,
            "at_least": value >= first, "at_most": value <= first}[comparator]


def number(value):
    """Integers as text, so that no reader rounds them; doubles in hexadecimal."""
    if isinstance(value, int):
        return {"int": str(value)}
    return {"float": value.hex()}


def claim_vectors():
    for comparator in ("eq", "ne", "lt", "gt", "at_least", "at_most", "between", "near", "is_finite"):
        for _ in range(22):
            value, first, second = (RNG.choice(INTERESTING) for _ in range(3))
            emit("claim", comparator=comparator, value=number(value), first=number(first), second=number(second),
                 holds=claim_holds(comparator, value, first, second))


# Temporal patterns: rows of (value or None for an error, time or None, phase or None).


def good(row):
    return row[0] is not None


def finite(value):
    return math.isfinite(value)


def verdict_of(offended, untold, judged):
    if offended:
        return "fail"
    if untold:
        return "inconclusive"
    return "pass" if judged else "vacuous"


def ordered(rows, strict):
    pairs = [(a[0], b[0]) for a, b in zip(rows, rows[1:]) if good(a) and good(b)]
    bad = [p for p in pairs if not (p[0] < p[1] if strict else p[0] <= p[1])]
    return verdict_of(bad, [], pairs)


def rate_within(rows, low, high):
    if not low <= high:
        return "fail"
    bad = untold = judged = False
    for a, b in zip(rows, rows[1:]):
        if not (good(a) and good(b)) or a[1] is None or b[1] is None:
            continue
        judged = True
        if not (finite(a[0]) and finite(b[0])):
            bad = True
        elif b[1] <= a[1]:
            untold = True
        elif not low <= (b[0] - a[0]) / (b[1] - a[1]) <= high:
            bad = True
    return verdict_of(bad, untold, judged)


def steady_within(rows, warmup, tolerance):
    if not tolerance >= 0:
        return "fail"
    values = [r[0] for r in rows if good(r) and r[1] is not None and r[1] >= warmup and finite(r[0])]
    if not values:
        return "vacuous"
    mean = sum(values) / len(values)
    low, high = sorted((mean * (1 - tolerance), mean * (1 + tolerance)))
    return verdict_of([v for v in values if not low <= v <= high], [], values)


def converges_to(rows, target, tolerance, deadline):
    if not tolerance >= 0:
        return "fail"
    if sum(map(good, rows)) < 3:
        return "vacuous"
    witnesses = [good(r) and r[1] is not None and r[1] <= deadline and abs(r[0] - target) <= tolerance for r in rows]
    return "pass" if any(all(witnesses[i:i + 3]) for i in range(len(rows) - 2)) else "fail"


def always_true(rows):
    return verdict_of([r for r in rows if not good(r) or math.isnan(r[0]) or r[0] == 0], [], rows)


def ratio_within(rows, other, low, high):
    if len(rows) != len(other) or not low <= high:
        return "fail"
    bad = untold = judged = False
    for a, b in zip(rows, other):
        if not (good(a) and good(b)):
            continue
        judged = True
        if not (finite(a[0]) and finite(b[0])):
            bad = True
        elif b[0] == 0:
            untold = True
        elif not low <= a[0] / b[0] <= high:
            bad = True
    return verdict_of(bad, untold, judged)


def ratio_across_phases(rows, earlier, later, ceiling):
    last = {}
    for row in rows:
        if good(row) and row[2] is not None:
            last[row[2]] = row[0]
    if earlier not in last or later not in last:
        return "inconclusive"
    if not (finite(last[earlier]) and finite(last[later])):
        return "fail"
    if last[earlier] == 0:
        return "inconclusive"
    return "pass" if last[later] / last[earlier] <= ceiling else "fail"


def each(rows, low, high):
    if not low <= high:
        return "fail"
    return verdict_of([r for r in rows if not good(r) or not low <= r[0] <= high], [], rows)


def random_rows(style):
    rows, value, time = [], RNG.randint(-3, 6), 0
    for _ in range(RNG.randint(0, 8)):
        value += {"rising": RNG.choice([0, 1, 2, 4]), "flat": RNG.choice([-1, 0, 0, 0, 1]),
                  "wild": RNG.randint(-9, 9)}[style]
        time += RNG.choice([0, 50, 100, 100, 100])
        shown = float(value)
        chance = RNG.random()
        if chance < 0.08:
            shown = None
        elif chance < 0.11:
            shown = RNG.choice([math.nan, math.inf])
        rows.append((shown, None if RNG.random() < 0.05 else time, None if RNG.random() < 0.05 else len(rows) // 3))
    return rows


def packed(rows):
    return [{"value": None if r[0] is None else r[0].hex(), "ms": r[1], "phase": r[2]} for r in rows]


def temporal_vectors():
    for round_ in range(28):
        rows = random_rows(("rising", "flat", "wild")[round_ % 3])
        target, tolerance = RNG.randint(-3, 8), RNG.choice([-1, 0, 0.5, 1, 2, 4])
        low, high = RNG.choice([(-0.02, 0.04), (0, 0.05), (0.04, -0.02), (-1, 1)])
        other = random_rows("wild")
        if RNG.random() < 0.8:
            other = (other + [(1.0, 0, 0)] * 8)[:len(rows)]
        warmup, deadline, ceiling = RNG.choice([0, 150, 400]), RNG.choice([200, 400, 900]), RNG.choice([0.5, 1, 2])
        cases = [("nondecreasing", [], ordered(rows, False)), ("strictly_increasing", [], ordered(rows, True)),
                 ("rate_within", [low, high], rate_within(rows, low, high)),
                 ("steady_within", [warmup, tolerance], steady_within(rows, warmup, tolerance)),
                 ("converges_to", [target, tolerance, deadline], converges_to(rows, target, tolerance, deadline)),
                 ("always_true", [], always_true(rows)),
                 ("ratio_within", [low * 40, high * 40], ratio_within(rows, other, low * 40, high * 40)),
                 ("ratio_across_phases", [0, 1, ceiling], ratio_across_phases(rows, 0, 1, ceiling)),
                 ("each_between", [target - 4, target + tolerance * 3],
                  each(rows, target - 4, target + tolerance * 3))]
        for pattern, args, verdict in cases:
            emit("temporal", pattern=pattern, args=[float(a).hex() for a in args], rows=packed(rows),
                 other=packed(other) if pattern == "ratio_within" else None, verdict=verdict)


# Folds, by the kind of a metric. A point is (value, weight, time).


def mean(points):
    weights = [Fraction(max(1, p[1])) for p in points]
    return sum(Fraction(p[0]) * w for p, w in zip(points, weights)) / sum(weights)


def total(points):
    return sum(Fraction(p[0]) for p in points)


def latest(points):
    return max(points, key=lambda p: (p[2], p[0]))[0]


def delta(points):
    if len(points) < 2:
        return None
    first = min(points, key=lambda p: (p[2], p[0]))[0]
    return max(0.0, latest(points) - first)


def peak(points):
    return max(p[0] for p in points)


FOLDS = {  # name of a metric of the kind: captures, phases, runs
    "total_migrations": (delta, total, total),
    "system_time_ns": (total, total, mean),
    "avg_dsq_depth": (mean, mean, mean),
    "worst_spread": (latest, latest, latest),
    "worst_gap_ms": (peak, peak, peak),
    "iteration_rate": (None, None, None),
    "worst_p99_wake_latency_us": (None, None, mean),
    "worst_run_delay_us": (None, None, peak),
    "worst_page_locality": (None, None, mean),
    "worst_cross_node_migration_ratio": (None, None, mean),
    "p99_wake_latency_us": (None, None, mean),
    "wakeup_p99_latency_us_whole": (None, None, None),
}


def fold_vectors():
    for metric, levels in FOLDS.items():
        for level, fold in zip(("captures", "phases", "runs"), levels):
            for _ in range(3):
                points = [(RNG.choice([math.nan, math.inf, 0.0] + [RNG.uniform(0, 1e6)] * 9), RNG.randint(0, 5),
                           RNG.randint(0, 6)) for _ in range(RNG.randint(0, 7))]
                usable = [p for p in points if finite(p[0])]
                value = fold(usable) if fold and usable else None
                emit("fold", metric=metric, level=level, points=[[p[0].hex(), p[1], p[2]] for p in points],
                     value=None if value is None else float(value).hex())


def ratio_vectors():
    """A rate over unequal phases or runs is the sum over the sum, never a mean of rates."""
    for _ in range(15):
        parts = [(RNG.randint(0, 10**6), RNG.choice([0, 0.5, 1, 7.25])) for _ in range(RNG.randint(1, 5))]
        seconds = sum(Fraction(p[1]) for p in parts)
        rate = sum(p[0] for p in parts) / seconds if seconds else None
        emit("ratio", parts=[[float(n).hex(), float(d).hex()] for n, d in parts],
             value=None if rate is None else float(rate).hex())


# Percentiles: nearest rank; a value of an overflowed reservoir stands for total / kept values.


def percentile(pools, permille):
    weighted = sorted((v, Fraction(max(t, len(vs)), len(vs))) for vs, t in pools for v in vs)
    target = sum(w for _, w in weighted) * permille / 1000
    reached = Fraction(0)
    for value, weight in weighted:
        reached += weight
        if reached >= target:
            return value
    return None


def percentile_vectors():
    for _ in range(30):
        pools = []
        for _ in range(RNG.randint(1, 3)):
            values = [RNG.randint(0, 1000) for _ in range(RNG.randint(1, 150))]
            pools.append((values, len(values) * RNG.choice([1, 1, 1, 3, 40])))
        emit("percentile", pools=[{"values": v, "total": t} for v, t in pools], median=percentile(pools, 500),
             p99=percentile(pools, 990), p999=percentile(pools, 999))


# Significance of a move, and which of two values is worse.


def change(polarity, before, after, abs_gate, rel_gate):
    move = abs(after - before)
    if move == 0 or move < abs_gate or (before != 0 and move / abs(before) < rel_gate):
        return "none"
    if polarity == "informational":
        return "informational"
    return "better" if (after < before) == (polarity == "lower") else "worse"


def compare_vectors():
    registry = {"worst_spread": ("lower", 5, 0.25), "iteration_rate": ("higher", 1, 0.3),
                "total_hardirqs": ("informational", 1000, 0.5), "total_migrations": ("lower", 2, 0.3)}
    for name, (polarity, abs_gate, rel_gate) in registry.items():
        for _ in range(12):
            before = RNG.choice([0, 1, 10, 100, 3000])
            after = before + RNG.choice([0, 0.5, -0.5, 1, 2, 5, -5, 30, 1000, -1000, 5000])
            emit("compare", metric=name, before=before, after=after,
                 change=change(polarity, before, after, abs_gate, rel_gate))


WORSE_LARGER = ("latency delay _gap stall stuck _cv error fail drop spread _us _ms _ns migration_ratio imbalance "
                "depth").split()
WORSE_SMALLER = "iops throughput bandwidth iterations ops_per_sec locality _score goodput".split()


def polarity_vectors():
    names = ["jobs.0.read.iops", "read_iops_errors", "p99_lat_us", "page_locality_x", "my_score", "score", "whatever",
             "iops_latency", "goodput", "Throughput_MB", "queue_depth", "numa_migration_ratio", "x_ns_per_op",
             "iterations_done", "cache_hits", "ops_per_sec", "Stall_Count", "net.bandwidth"]
    for name in names:
        low = name.lower()
        larger = any(w in low for w in WORSE_LARGER) or not any(w in low for w in WORSE_SMALLER)
        emit("polarity", name=name, worse_of_1_and_2=2 if larger else 1)


# The monitor: a violation counts when it lasts for so many samples in a row.


def monitor_vectors():
    for _ in range(24):
        sustained = RNG.choice([1, 3, 5])
        samples, clocks, fallback = [], [1000, 2000], 0
        for i in range(RNG.randint(0, 14)):
            running = RNG.choice([[1, 1], [9, 1], [9, 1], [2, 1]])
            frozen = RNG.random() < 0.6
            clocks = [clocks[0] + (0 if frozen else 100), clocks[1] + 100]
            fallback += RNG.choice([0, 30, 30, 5])
            samples.append({"ms": i * 100, "nr_running": running, "depth": [RNG.choice([0, 60, 60]), 0],
                            "clock": list(clocks), "fallback": fallback})
        flags = {
            "imbalance": [s["nr_running"][0] / max(1, s["nr_running"][1]) > 4 for s in samples],
            "depth": [s["depth"][0] > 50 for s in samples],
            "clock": [b["clock"][0] == a["clock"][0] for a, b in zip(samples, samples[1:])],
            "fallback": [(b["fallback"] - a["fallback"]) * 10 > 200 for a, b in zip(samples, samples[1:])],
        }

        def longest(bits):
            best = run = 0
            for bit in bits:
                run = run + 1 if bit else 0
                best = max(best, run)
            return best
        violations = sum(longest(bits) >= sustained for bits in flags.values())
        emit("monitor", sustained=sustained, samples=samples, violations=violations,
             kind="inconclusive" if not samples else "fail" if violations else "pass")


# Windows of phases: captures belong to the step with the latest start that is not after their due time.


def phase_vectors():
    for _ in range(20):
        starts, time = [], RNG.randint(0, 50)
        events = []
        for step in range(RNG.randint(0, 4)):
            starts.append(time)
            events.append({"ms": time, "step": step + 1, "end": False, "iterations": time * 3})
            time += RNG.randint(50, 200)
            if RNG.random() < 0.7:
                events.append({"ms": time, "step": step + 1, "end": True, "iterations": time * 3})
            time += RNG.choice([0, 20])
        terminal = time + 10
        captures = [{"due": RNG.randint(0, terminal), "count": None} for _ in range(RNG.randint(0, 5))]
        captures.sort(key=lambda c: c["due"])
        for i, capture in enumerate(captures):
            capture["count"] = 10 * i * i
        buckets = {}
        for step, start in enumerate(starts, 1):
            own = [e["ms"] for e in events if e["step"] == step and e["end"]]
            following = [s for s in starts[step:]][:1]
            end = min(own + following) if own + following else terminal
            rate = 3000.0 if own else None
            buckets[step] = {"start": start, "end": end, "counts": [], "rate": rate}
        for capture in captures:
            phase = sum(s <= capture["due"] for s in starts)
            buckets.setdefault(phase, {"start": 0, "end": starts[0] if starts else terminal, "counts": [],
                                       "rate": None})["counts"].append(capture["count"])
        expected = [{"phase": p, "start": b["start"], "end": b["end"], "samples": len(b["counts"]),
                     "migrations": b["counts"][-1] - b["counts"][0] if len(b["counts"]) > 1 else None,
                     "rate": b["rate"]} for p, b in sorted(buckets.items())]
        emit("phases", events=events, terminal=terminal, captures=captures, buckets=expected)


def main():
    for family in (verdict_vectors, claim_vectors, temporal_vectors, fold_vectors, ratio_vectors, percentile_vectors,
                   compare_vectors, polarity_vectors, monitor_vectors, phase_vectors):
        family()
    json.dump(VECTORS, sys.stdout)


main()
