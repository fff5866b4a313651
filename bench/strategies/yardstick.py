"""The yardstick: the same choices with numpy, on one thread.

Reads the matrices that the benchmark wrote to the folder in argv[1], then answers each line of stdin, the name of a
strategy, with a line of JSON: the milliseconds that one turn of each formulation took.
"""
import json
import sys
import time

import numpy as np

folder, classes, passes, dimensions, count = sys.argv[1], *map(int, sys.argv[2:6])
P = [np.fromfile(f'{folder}/pass{i}.f32', np.float32).reshape(-1, classes) for i in range(passes)]
p = P[0]
M = np.stack(P)
E = np.fromfile(f'{folder}/embeddings.f32', np.float32).reshape(-1, dimensions)
eps = np.float32(1e-10)


def top(scores):
    best = np.argpartition(scores, len(scores) - count)[-count:]
    return best[np.argsort(-scores[best], kind='stable')]


def largest_by_columns():
    first = p[:, 0].copy()
    for c in range(1, classes):
        np.maximum(first, p[:, c], out=first)
    return top(1 - first)


def margin_sorted(two):
    return top(1 - (two[:, -1] - two[:, -2]))


def margin_by_columns():
    first = p[:, 0].copy()
    second = np.zeros_like(first)
    for c in range(1, classes):
        column = p[:, c]
        np.maximum(second, np.minimum(first, column), out=second)
        np.maximum(first, column, out=first)
    return top(1 - (first - second))


def bald(product):
    mean = M.mean(0)
    return top(product('mij,mij->i', M, np.log(M + eps)) / passes - product('ij,ij->i', mean, np.log(mean + eps)))


def k_center(distance):
    nearest = np.full(len(E), np.inf, np.float32)
    chosen = []
    row = 0
    for _ in range(count):
        chosen.append(row)
        np.minimum(nearest, distance(row), out=nearest)
        nearest[row] = -1
        row = int(nearest.argmax())
    return chosen


squares = np.einsum('ij,ij->i', E, E)


def by_differences(row):
    difference = E - E[row]
    return np.einsum('ij,ij->i', difference, difference)


FORMULATIONS = {
    'least-confident': {
        'max': lambda: top(1 - p.max(1)),
        'sort': lambda: top(1 - np.sort(p, axis=1)[:, -1]),
        'partition': lambda: top(1 - np.partition(p, -1, axis=1)[:, -1]),
        'columns': largest_by_columns,
    },
    'margin': {
        'sort': lambda: margin_sorted(np.sort(p, axis=1)),
        'partition': lambda: margin_sorted(np.partition(p, -2, axis=1)),
        'columns': margin_by_columns,
    },
    'entropy': {
        'sum': lambda: top(-(p * np.log(p + eps)).sum(1)),
        'einsum': lambda: top(-np.einsum('ij,ij->i', p, np.log(p + eps))),
    },
    'bald': {'einsum': lambda: bald(np.einsum)},
    'k-center-greedy': {
        'matrix product': lambda: k_center(lambda row: squares - 2 * (E @ E[row]) + squares[row]),
        'einsum': lambda: k_center(by_differences),
    },
}

print(json.dumps({'numpy': np.__version__}), flush=True)
for line in sys.stdin:
    took = {}
    for name, turn in FORMULATIONS[line.strip()].items():
        since = time.perf_counter()
        turn()
        took[name] = 1000 * (time.perf_counter() - since)
    print(json.dumps(took), flush=True)
