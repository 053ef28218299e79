"""LightGBM's scores of later payments, learnt from the matrix that `paywarden train --matrix` wrote.

`lightgbm_scores.py MATRIX.npy --test-from 2018-07-01 --delay-days 7 --out scores.csv` trains as
`paywarden evaluate` does: from what was known before the first day that is scored, stopped by the
last fortnight of it. With `--refit` that fortnight is learnt from, too. The scores are for
`paywarden evaluate --against scores.csv`.
"""

import argparse

import lightgbm
import numpy
from numpy.lib.recfunctions import structured_to_unstructured

LATER = numpy.timedelta64(14, "D")
SETTINGS = {
    "objective": "binary", "metric": "binary_logloss", "num_leaves": 31, "learning_rate": 0.03,
    "feature_fraction": 0.5, "min_data_in_leaf": 100, "lambda_l2": 5, "num_threads": 2, "verbose": -1,
}
TREES_MAX, PATIENCE = 600, 50


def arguments():
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("matrix")
    parser.add_argument("--test-from", required=True, type=numpy.datetime64)
    parser.add_argument("--delay-days", required=True, type=int)
    parser.add_argument("--warm-up-days", default=30, type=int)
    parser.add_argument("--seed", default=1, type=int)
    parser.add_argument("--refit", action="store_true")
    parser.add_argument("--out", required=True)
    return parser.parse_args()


def main():
    """Trains, scores, writes."""
    said = arguments()
    payments = numpy.load(said.matrix)
    features = structured_to_unstructured(payments["features"])
    at, fraud = payments["at"], payments["fraud"].astype(int)
    start = at[0] + numpy.timedelta64(said.warm_up_days, "D")
    known = said.test_from - numpy.timedelta64(said.delay_days, "D")
    early, later = (at >= start) & (at < known - LATER), (at >= known - LATER) & (at < known)
    settings = {**SETTINGS, "seed": said.seed}
    model = lightgbm.train(
        settings, lightgbm.Dataset(features[early], fraud[early]), TREES_MAX,
        valid_sets=[lightgbm.Dataset(features[later], fraud[later])],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )
    trees = model.best_iteration
    if said.refit:
        seen = early | later
        model = lightgbm.train(settings, lightgbm.Dataset(features[seen], fraud[seen]), trees)
    scored = at >= said.test_from
    scores = model.predict(features[scored], num_iteration=trees)
    with open(said.out, "w", encoding="utf-8") as out:
        out.write("payment,score\n")
        for payment, score in zip(payments["payment"][scored], scores):
            out.write(f"{payment.decode()},{float(score)!r}\n")
    print("trees", trees, "scored", len(scores))


if __name__ == "__main__":
    main()
