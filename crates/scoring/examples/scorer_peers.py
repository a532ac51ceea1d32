"""The other side of `scorer`: trains and exports a model, then answers one request after the other from standard input.

    scorer_peers.py FOLDER       writes model.onnx and rows.f32 (4,096 rows of 40 values), says `ready`
    single LIBRARY | batch LIBRARY     answers with the microseconds that each call took, separated by spaces
"""
import pathlib
import sys
import time

import lightgbm
import numpy
import onnxruntime
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

TREES, LEAVES, FEATURES, ROWS, BATCH = 300, 31, 40, 4096, 64


def main(folder):
    random = numpy.random.default_rng(3)
    rows = random.normal(size=(20_000, FEATURES)).astype(numpy.float32)
    label = 1500 + rows @ random.normal(size=FEATURES) * 60 + 200 * numpy.sin(rows[:, 0] * rows[:, 1]) + 40 * random.normal(size=len(rows))
    settings = {"num_leaves": LEAVES, "verbose": -1, "num_threads": 1, "learning_rate": 0.05, "seed": 1}
    booster = lightgbm.train(settings, lightgbm.Dataset(rows, label), num_boost_round=TREES)
    model = convert_lightgbm(booster, initial_types=[("x", FloatTensorType([None, FEATURES]))], target_opset=15, zipmap=False)
    rows = rows[:ROWS]
    (pathlib.Path(folder) / "model.onnx").write_bytes(model.SerializeToString())
    rows.astype("<f4").tofile(pathlib.Path(folder) / "rows.f32")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    libraries = {
        "onnxruntime": lambda some: session.run(None, {"x": some}),
        "lightgbm": lambda some: booster.predict(some, num_threads=1),
    }
    print("ready", flush=True)
    for line in sys.stdin:
        kind, library = line.split()
        size, count = (1, 1000) if kind == "single" else (BATCH, ROWS // BATCH)
        print(" ".join(f"{took:.3f}" for took in measure(libraries[library], rows, size, count)), flush=True)


def measure(predict, rows, size, count):
    for at in range(count):
        some = rows[at * size : (at + 1) * size]
        before = time.perf_counter_ns()
        predict(some)
        yield (time.perf_counter_ns() - before) / 1000


if __name__ == "__main__":
    main(sys.argv[1])
