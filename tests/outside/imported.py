"""Models that other libraries learnt from our matrix, as packages of ours, bit for bit.

`imported.py BINARY` makes a small file of payments, has the binary write its matrix, trains LightGBM,
XGBoost and scikit-learn (as ONNX) on it, has each imported as a package, and compares what the package
says of each row with what the library says. Models of other features are refused by name.
"""

import csv
import io
import pathlib
import random
import subprocess
import sys
import tempfile
import warnings

import lightgbm
import numpy
import onnxruntime
import xgboost
from numpy.lib.recfunctions import structured_to_unstructured
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import RandomForestClassifier

warnings.filterwarnings("ignore")
DAYS, PER_DAY = 60, 60
FILE = ["--data", "payments.csv", "--delay", "1d", "--warm-up-days", "10"]
ASKED = 500


def payments(path):
    """Payments of forty payers at thirty places; large ones are frauds, and a place for a week each."""
    drawn = random.Random(5)
    start = numpy.datetime64("2018-04-01T00:00:00")
    with open(path, "w", encoding="utf-8") as file:
        file.write("tx_id,tx_datetime,customer_id,terminal_id,amount,is_fraud,fraud_scenario\n")
        for number in range(DAYS * PER_DAY):
            day = number // PER_DAY
            at = start + numpy.timedelta64(number * 86_400 // PER_DAY, "s")
            place, is_large = drawn.randrange(30), drawn.randrange(60) == 0
            scenario = 1 if is_large else 2 if place % 10 == day // 7 % 10 and day > 14 else 0
            amount = 250 if is_large else drawn.randrange(5, 95)
            file.write(f"{number},{at}Z,{drawn.randrange(40)},{place},{amount}.00,"
                       f"{int(scenario > 0)},{scenario}\n")


class Binary:
    """The binary in a folder."""

    def __init__(self, path, folder):
        self.path, self.folder = path, folder

    def run(self, *arguments):
        return subprocess.run([self.path, *arguments], cwd=self.folder, capture_output=True,
                              text=True, timeout=300)

    def done(self, *arguments):
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def raw(self, package):
        said = self.done("model", "predict", package, "--input", "rows.csv")
        return numpy.array([float(row["raw"]) for row in csv.DictReader(io.StringIO(said))])


def with_lightgbm(table, fraud, names, path):
    settings = {"objective": "binary", "num_leaves": 15, "verbose": -1, "num_threads": 1}
    model = lightgbm.train(settings, lightgbm.Dataset(table, fraud, feature_name=names), 40)
    model.save_model(path)
    return lambda rows: model.predict(rows, raw_score=True)


def with_xgboost(table, fraud, names, path):
    settings = {"objective": "binary:logistic", "max_depth": 4, "nthread": 1, "base_score": 0.1}
    model = xgboost.train(settings, xgboost.DMatrix(table, fraud, feature_names=names), 40)
    model.save_model(path)
    return lambda rows: model.predict(xgboost.DMatrix(rows, feature_names=names), output_margin=True)


def with_onnx(table, fraud, names, path):
    model = RandomForestClassifier(n_estimators=30, max_leaf_nodes=15, random_state=7)
    model.fit(numpy.nan_to_num(table).astype(numpy.float32), fraud)
    kind = [("rows", FloatTensorType([None, len(names)]))]
    options = {id(model): {"zipmap": False}}
    pathlib.Path(path).write_bytes(
        convert_sklearn(model, initial_types=kind, options=options, target_opset=15)
        .SerializeToString())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda rows: session.run(None, {"rows": rows.astype(numpy.float32)})[-1][:, 1]


CASES = {"model.txt": with_lightgbm, "model.json": with_xgboost, "model.onnx": with_onnx}


def main():
    """Trains, imports, compares."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        binary = Binary(pathlib.Path(sys.argv[1]).resolve(), folder)
        payments(folder / "payments.csv")
        binary.done("train", *FILE, "--trees", "2", "--out", "own.pwp", "--matrix", "matrix.npy")
        matrix = numpy.load(folder / "matrix.npy")
        names = list(matrix["features"].dtype.names)
        table = structured_to_unstructured(matrix["features"])
        fraud = matrix["fraud"].astype(int)
        early = slice(0, len(table) * 2 // 3)
        (folder / "names").write_text("\n".join(names), encoding="utf-8")
        (folder / "turned").write_text("\n".join(names[::-1]), encoding="utf-8")
        for name, learn in CASES.items():
            asked = table[-ASKED:]
            if name == "model.onnx":
                asked = numpy.nan_to_num(asked)
            with open(folder / "rows.csv", "w", encoding="utf-8") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(names)
                for row in asked:
                    writer.writerow("" if numpy.isnan(value) else repr(float(value)) for value in row)
            predict = learn(table[early], fraud[early], names, str(folder / name))
            arguments = ["model", "import", name, *FILE, "--out", "package.pwp", "--features"]
            binary.done(*arguments, "@names")
            theirs = numpy.asarray(predict(asked), dtype=numpy.float64)
            ours = binary.raw("package.pwp")
            off = numpy.flatnonzero(ours != theirs)
            assert not off.size, (name, off.size, ours[off[:3]], theirs[off[:3]])
            (folder / "package.pwp").unlink()
            refused = binary.run(*arguments, "@turned")
            assert refused.returncode == 2 and "feature 0 of the model" in refused.stderr, refused
            later = ["2d" if part == "1d" else part for part in arguments]
            late = binary.run(*later, "@names")
            assert late.returncode == 2 and "feature" in late.stderr, late
            assert not (folder / "package.pwp").exists()
            print(f"ok {name}", flush=True)


main()
