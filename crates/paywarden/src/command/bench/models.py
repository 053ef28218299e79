"""LightGBM on the rows that `paywarden bench models` trains on, with the same settings."""

import json
import resource
import sys
import time

import lightgbm
import numpy

file, features, rows, threads, trees = sys.argv[1], *map(int, sys.argv[2:])
table = numpy.fromfile(file).reshape(-1, features + 1)
learnt, judged = table[:rows], table[rows:]
settings = {
    "objective": "binary", "num_leaves": 31, "learning_rate": 0.03, "max_bin": 255,
    "min_data_in_leaf": 100, "lambda_l2": 5, "num_threads": threads, "verbose": -1,
}


def used():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


start, cpu = time.monotonic(), used()
data = lightgbm.Dataset(learnt[:, :-1].copy(), learnt[:, -1])
model = lightgbm.train(settings, data, trees)
seconds, cpu_seconds = time.monotonic() - start, used() - cpu
scores = model.predict(judged[:, :-1].copy(), num_threads=1)
print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "scores": scores.tolist()}))
