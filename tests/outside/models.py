"""Models of other libraries, predicted by those libraries and by the binary, bit for bit.

`models.py BINARY` trains small models on made-up rows and compares what the binary says with what
the library says: raw scores by their bits, Shapley values and probabilities within the precision
of the library. `models.py --golden DIR` writes the same models with their scores as the vectors
that the crate's own tests read.
"""

import csv
import io
import pathlib
import subprocess
import sys
import tempfile
import warnings

import lightgbm
import numpy
import onnxmltools
import onnxruntime
import xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as ToolsTensor
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

warnings.filterwarnings("ignore")
NAMES = ["amount", "hour", "age_days", "ratio", "country", "count_1h"]
CATEGORY = 4


def rows(count, seed):
    """Made-up payments with missing values, zeros, ties and a category."""
    random = numpy.random.default_rng(seed)
    table = numpy.empty((count, len(NAMES)))
    table[:, 0] = numpy.round(random.lognormal(3, 1, count), 2)
    table[:, 1] = random.integers(0, 24, count)
    table[:, 2] = random.exponential(100, count)
    table[:, 3] = random.normal(0, 1, count)
    table[:, 4] = random.integers(0, 40, count)
    table[:, 5] = random.poisson(0.7, count)
    chance = 0.3 + 0.3 * (table[:, 0] > 30) - 0.2 * (table[:, 4] % 3 == 0) + 0.1 * table[:, 5]
    labels = (random.random(count) < chance).astype(int)
    for column in (0, 2, 3):
        table[random.random(count) < 0.12, column] = numpy.nan
    table[random.random(count) < 0.1, 3] = 0.0
    return table, labels


def odd_rows(table):
    """Rows on the edges: zeros of both signs, tiny, huge, negative, fractional, missing."""
    values = [0.0, -0.0, 1e-36, -1e-36, 1e-30, 1e30, -1e30, -1.0, 2.5, 39.9, 1e6, numpy.nan]
    odd = numpy.repeat(table[:1], len(values), axis=0)
    for row, value in enumerate(values):
        odd[row, row % len(NAMES)] = value
        odd[row, CATEGORY] = value
    return numpy.vstack([table, odd])


class Case:
    """A model file and what its library says of each row."""

    def __init__(self, name, model, table, raw, probability=None, shapley=None, exact=True):
        self.name, self.model, self.table, self.raw = name, model, table, raw
        self.probability, self.shapley, self.exact = probability, shapley, exact


def with_lightgbm(name, size, table, labels, test, **settings):
    parameters = {
        "objective": "binary", "num_leaves": size[1], "verbose": -1, "num_threads": 1,
        "min_data_in_leaf": 5, "seed": 7, **settings,
    }
    categories = [CATEGORY] if parameters.pop("categories", False) else "auto"
    data = lightgbm.Dataset(table, labels, feature_name=NAMES, categorical_feature=categories)
    booster = lightgbm.train(parameters, data, size[0])
    file = booster.model_to_string().encode()
    # A forest is averaged before it becomes a probability; asked for raw scores it says the sum.
    trees = booster.num_trees() if parameters.get("boosting") == "rf" else 1
    logistic = parameters["objective"] == "binary"
    return Case(
        name, ("txt", file), test, booster.predict(test, raw_score=True) / trees,
        booster.predict(test) if logistic else None,
        booster.predict(test, pred_contrib=True) / trees,
    )


def with_xgboost(name, size, table, labels, test, folder, **settings):
    parameters = {
        "objective": "binary:logistic", "max_leaves": size[1], "max_depth": 5, "nthread": 1,
        "base_score": 0.5, "tree_method": "exact", "seed": 7, **settings,
    }
    kinds = ["float"] * len(NAMES)
    if parameters.pop("categories", False):
        kinds[CATEGORY] = "c"
        test = test.copy()
        known = numpy.isin(test[:, CATEGORY], numpy.unique(table[:, CATEGORY]))
        test[~known, CATEGORY] = numpy.nan
    options = {"feature_names": NAMES, "feature_types": kinds, "enable_categorical": True}
    data = xgboost.DMatrix(table, labels, **options)
    booster = xgboost.train(parameters, data, size[0])
    path = folder / f"{name}.json"
    booster.save_model(path)
    asked = xgboost.DMatrix(test, **options)
    raw = booster.predict(asked, output_margin=True)
    logistic = parameters["objective"] == "binary:logistic"
    shapley = None if parameters.get("booster") == "dart" else booster.predict(asked, pred_contribs=True)
    return Case(
        name, ("json", path.read_bytes()), test, raw,
        booster.predict(asked) if logistic else None, shapley,
    )


def with_onnx(name, model, test, exact=True):
    """What ONNX Runtime says on one thread; of a classifier the chance of the second class."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    asked = test.astype(numpy.float32)
    outputs = session.run(None, {session.get_inputs()[0].name: asked})
    last = outputs[-1]
    if isinstance(last, list):
        last = numpy.array([[row[0], row[1]] for row in last], dtype=numpy.float32)
    scores = last[:, -1] if last.ndim == 2 else last
    if exact:
        return Case(name, ("onnx", model), test, scores)
    return Case(name, ("onnx", model), test, None, scores)


def with_sklearn(name, estimator, table, labels, test, exact=True):
    estimator.fit(table.astype(numpy.float32), labels)
    kind = [("rows", FloatTensorType([None, len(NAMES)]))]
    options = {id(estimator): {"zipmap": False}} if hasattr(estimator, "classes_") else None
    model = convert_sklearn(estimator, initial_types=kind, options=options, target_opset=15)
    return with_onnx(name, model.SerializeToString(), test, exact)


def with_onnxmltools(name, convert, estimator, table, labels, test, exact):
    estimator.fit(table.astype(numpy.float32), labels)
    kind = [("rows", ToolsTensor([None, len(NAMES)]))]
    model = convert(estimator, initial_types=kind, target_opset=15)
    return with_onnx(name, model.SerializeToString(), test, exact)


def cases(count, size, seed):
    table, labels = rows(count, seed)
    test = odd_rows(rows(max(count // 20, 60), seed + 1)[0])
    plain = [numpy.nan_to_num(part) for part in (table, test)]
    trees, leaves = size
    lgb = lambda name, **more: with_lightgbm(name, size, table, labels, test, **more)
    skl = lambda name, model, exact=True: with_sklearn(
        name, model, plain[0], labels, plain[1], exact)
    yield lgb("lightgbm_missing")
    yield lgb("lightgbm_categories", categories=True, min_data_per_group=5, cat_smooth=1)
    yield lgb("lightgbm_zero_missing", zero_as_missing=True, objective="regression")
    yield lgb("lightgbm_no_missing", use_missing=False, sigmoid=2.0)
    yield lgb("lightgbm_forest", boosting="rf", bagging_freq=1, bagging_fraction=0.6)
    with tempfile.TemporaryDirectory() as folder:
        xgb = lambda name, **more: with_xgboost(
            name, size, table, labels, test, pathlib.Path(folder), **more)
        yield xgb("xgboost_exact")
        yield xgb("xgboost_hist", tree_method="hist", base_score=0.2, grow_policy="lossguide")
        yield xgb("xgboost_categories", tree_method="hist", categories=True)
        yield xgb("xgboost_regression", objective="reg:squarederror", base_score=0.25)
        yield xgb("xgboost_dart", booster="dart", rate_drop=0.3)
    forest = {"n_estimators": trees, "max_leaf_nodes": leaves, "random_state": 7}
    boosted = {"n_estimators": trees, "max_leaf_nodes": leaves, "random_state": 7}
    yield skl("onnx_forest", RandomForestClassifier(**forest))
    yield skl("onnx_forest_regression", RandomForestRegressor(**forest))
    yield skl("onnx_boosted_regression", GradientBoostingRegressor(**boosted))
    yield skl("onnx_boosted", GradientBoostingClassifier(**boosted), exact=False)
    yield with_onnxmltools(
        "onnx_from_lightgbm", onnxmltools.convert_lightgbm,
        lightgbm.LGBMRegressor(n_estimators=trees, num_leaves=leaves, verbose=-1, n_jobs=1),
        table, labels, test, True)
    yield with_onnxmltools(
        "onnx_from_lightgbm_classifier", onnxmltools.convert_lightgbm,
        lightgbm.LGBMClassifier(n_estimators=trees, num_leaves=leaves, verbose=-1, n_jobs=1),
        table, labels, test, False)
    yield with_onnxmltools(
        "onnx_from_xgboost", onnxmltools.convert_xgboost,
        xgboost.XGBRegressor(n_estimators=trees, max_leaves=leaves, max_depth=4, n_jobs=1,
                             base_score=0.5),
        table, labels, test, True)


def write_rows(case, file):
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(NAMES)
    for row in case.table:
        writer.writerow("" if numpy.isnan(value) else repr(float(value)) for value in row)


def compare(binary, case, folder):
    suffix, model = case.model
    path = folder / f"{case.name}.{suffix}"
    path.write_bytes(model)
    with open(folder / "rows.csv", "w") as file:
        write_rows(case, file)
    command = [binary, "model", "predict", path, "--input", folder / "rows.csv", "--shapley"]
    if suffix == "onnx":
        command += ["--features", ",".join(NAMES)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    said = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(said) == len(case.table), (len(said), len(case.table))
    raw = numpy.array([float(row["raw"]) for row in said])
    if case.raw is not None:
        theirs = numpy.asarray(case.raw, dtype=numpy.float64)
        off = numpy.flatnonzero(raw != theirs)
        assert not off.size, f"{case.name}: {off.size} rows differ, first {off[0]}: " \
            f"{raw[off[0]]!r} {theirs[off[0]]!r}"
    if case.probability is not None:
        ours = numpy.array([float(row["probability"]) for row in said])
        assert numpy.allclose(ours, case.probability, rtol=0, atol=1e-6), case.name
    if case.shapley is not None:
        ours = numpy.array([[float(row[name]) for name in NAMES] for row in said])
        exact = suffix == "txt"
        apart = numpy.abs(ours - case.shapley[:, :-1]).max()
        assert apart < (1e-9 if exact else 1e-4), f"{case.name}: Shapley values differ by {apart}"


def golden(folder, case):
    suffix, model = case.model
    place = folder / case.name
    place.mkdir(parents=True, exist_ok=True)
    (place / f"model.{suffix}").write_bytes(model)
    with open(place / "rows.csv", "w") as file:
        write_rows(case, file)
    said = {"raw": case.raw, "probability": case.probability}
    if case.shapley is not None:
        said |= {name: case.shapley[:, column] for column, name in enumerate(NAMES)}
    said = {name: values for name, values in said.items() if values is not None}
    with open(place / "expected.csv", "w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(said)
        for values in zip(*said.values()):
            writer.writerow(repr(float(value)) for value in values)


def main():
    if sys.argv[1] == "--golden":
        for case in cases(400, (6, 7), 11):
            golden(pathlib.Path(sys.argv[2]), case)
        return
    compared = 0
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(4_000, (60, 31), numpy.random.SeedSequence().entropy % 2**32):
            compare(sys.argv[1], case, pathlib.Path(folder))
            print(f"ok {case.name}", flush=True)
            compared += 1
    print(f"{compared} models")


main()
