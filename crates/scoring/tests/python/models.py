"""Trains models with the libraries that people use, exports them, and writes down what ONNX Runtime and the library itself predict.

    models.py FOLDER

Below FOLDER each model has a folder: model.onnx; signature.txt (name of each input, with the number of categories where it is one;
then an empty line and the outputs); rows.f32; onnxruntime.f32; native.f32, NaN where the library takes no such row; near.u8, 1 where
a value of the row is within one float32 step of a threshold, as exporters round them.
"""
import pathlib
import sys

import lightgbm
import numpy
import onnx
import onnxruntime
import xgboost
import skl2onnx.common._container as skl2onnx_container
from onnx import TensorProto, helper, numpy_helper
from onnxmltools import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import to_onnx
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.neural_network import MLPRegressor

ROWS = 10_000
FEATURES = 12
OPSETS = {"": 18, "ai.onnx.ml": 3}
# What a comparison is tried with beside ordinary values.
STRANGE = [numpy.nan, numpy.inf, -numpy.inf, 3.4e38, -3.4e38, 1e-45, -0.0, 0.0]


def make_node_of_whole_numbers(*arguments, **attributes):
    """skl2onnx 1.20 hands truth values to onnx, whose newer protobuf takes whole numbers only."""
    for name, values in attributes.items():
        if isinstance(values, (list, numpy.ndarray)) and any(isinstance(value, (bool, numpy.bool_)) for value in values):
            attributes[name] = [int(value) for value in values]
    return helper.make_node(*arguments, **attributes)


skl2onnx_container.make_node = make_node_of_whole_numbers


def training_data(random, missing):
    rows = random.normal(size=(4000, FEATURES)).astype(numpy.float32)
    label = 1500 + 300 * rows[:, 0] + 200 * numpy.sin(2 * rows[:, 1]) * rows[:, 2] + 50 * random.normal(size=len(rows))
    if missing:
        rows[random.random(rows.shape) < 0.05] = numpy.nan
    return rows, label


def thresholds_of(model):
    """Of each feature, in order."""
    found = {}
    for node in model.graph.node:
        given = {attribute.name: attribute for attribute in node.attribute}
        if "nodes_values" in given:
            for feature, value, mode in zip(given["nodes_featureids"].ints, given["nodes_values"].floats, given["nodes_modes"].strings):
                if mode != b"LEAF":
                    found.setdefault(feature, set()).add(value)
    return {feature: numpy.array(sorted(values), dtype=numpy.float32) for feature, values in found.items()}


def questions(random, thresholds, categories, strange):
    """Ordinary rows, then some with strange values, and with values on thresholds and beside them."""
    rows = random.normal(size=(ROWS, FEATURES)).astype(numpy.float32)
    for feature, values in thresholds.items():
        some = random.random(ROWS) < 0.02
        rows[some, feature] = random.choice(values, some.sum())
        beside = random.random(ROWS) < 0.02
        aside = numpy.array([-numpy.inf, numpy.inf], dtype=numpy.float32)
        rows[beside, feature] = numpy.nextafter(random.choice(values, beside.sum()), random.choice(aside, beside.sum()))
    if strange:
        some = random.random(rows.shape) < 0.02
        rows[some] = random.choice(numpy.array(STRANGE, dtype=numpy.float32), some.sum())
    for feature, count in categories.items():
        rows[:, feature] = random.integers(0, count, ROWS)
    return rows


def near_thresholds(rows, thresholds):
    near = numpy.zeros(len(rows), dtype=bool)
    for feature, values in thresholds.items():
        column = rows[:, feature]
        for other in (column, numpy.nextafter(column, numpy.float32(-numpy.inf)), numpy.nextafter(column, numpy.float32(numpy.inf))):
            near |= numpy.isin(other, values)
    return near


def write(folder, name, model, native, random, categories=(), strange=True, feed=None):
    categories = dict(categories)
    thresholds = thresholds_of(model)
    rows = questions(random, {} if categories else thresholds, categories, strange)
    session = single_threaded(model.SerializeToString())
    answers = session.run(None, feed(rows) if feed else {session.get_inputs()[0].name: rows})
    answers = numpy.concatenate([answer.reshape(len(rows), -1) for answer in answers], axis=1)
    into = pathlib.Path(folder) / name
    into.mkdir(parents=True, exist_ok=True)
    (into / "model.onnx").write_bytes(model.SerializeToString())
    inputs = [f"x{at}" + (f" {categories[at]}" if at in categories else "") for at in range(FEATURES)]
    (into / "signature.txt").write_text("\n".join(inputs + [""] + [f"p{at}" for at in range(answers.shape[1])]))
    rows.astype("<f4").tofile(into / "rows.f32")
    answers.astype("<f4").tofile(into / "onnxruntime.f32")
    numpy.asarray(native(rows)).reshape(len(rows), -1).astype("<f4").tofile(into / "native.f32")
    near_thresholds(rows, thresholds).astype("u1").tofile(into / "near.u8")


def single_threaded(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def only_finite(predict):
    """For libraries that refuse rows with missing or infinite values."""

    def native(rows):
        good = (numpy.isfinite(rows) & (numpy.abs(rows) < 1e30)).all(axis=1)
        answers = numpy.asarray(predict(rows[good]))
        found = numpy.full((len(rows),) + answers.shape[1:], numpy.nan)
        found[good] = answers
        return found

    return native


def from_lightgbm(rows, label, **settings):
    settings = {"num_leaves": 31, "verbose": -1, "num_threads": 1, "seed": 1, **settings}
    categorical = settings.pop("categorical", "auto")
    data = lightgbm.Dataset(rows, label, categorical_feature=categorical)
    booster = lightgbm.train(settings, data, num_boost_round=settings.pop("trees", 60))
    types = [("x", FloatTensorType([None, rows.shape[1]]))]
    return booster, convert_lightgbm(booster, initial_types=types, target_opset=15, zipmap=False)


def heads(models):
    """One graph of several, side by side."""
    nodes, names = [], []
    for at, model in enumerate(models):
        for node in model.graph.node:
            for names_of in (node.input, node.output):
                for place, name in enumerate(names_of):
                    names_of[place] = "x" if name == "x" else f"{name}_{at}"
            node.name = f"{node.name}_{at}"
            nodes.append(node)
        names.append(f"{model.graph.output[0].name}_{at}")
    nodes.append(helper.make_node("Concat", names, ["y"], axis=1))
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, len(models)])
    initializers = [tensor for model in models for tensor in model.graph.initializer]
    graph = helper.make_graph(nodes, "heads", [models[0].graph.input[0]], [output], initializers)
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def embedding(random):
    """A table of a category beside the other values, and two dense layers."""
    weights = {
        "table": random.normal(size=(20, 4)),
        "first": random.normal(size=(4 + FEATURES - 1, 16)),
        "first_bias": random.normal(size=16),
        "second": random.normal(size=(16, 2)),
        "second_bias": random.normal(size=2),
    }
    nodes = [
        helper.make_node("Gather", ["table", "category"], ["embedded"], axis=0),
        helper.make_node("Concat", ["embedded", "rest"], ["all"], axis=1),
        helper.make_node("Gemm", ["all", "first", "first_bias"], ["layer"]),
        helper.make_node("Relu", ["layer"], ["active"]),
        helper.make_node("Gemm", ["active", "second", "second_bias"], ["y"]),
    ]
    inputs = [
        helper.make_tensor_value_info("category", TensorProto.INT64, ["rows"]),
        helper.make_tensor_value_info("rest", TensorProto.FLOAT, ["rows", FEATURES - 1]),
    ]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 2])
    initializers = [numpy_helper.from_array(value.astype(numpy.float32), name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "embedding", inputs, [output], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def main(folder):
    random = numpy.random.default_rng(7)
    rows, label = training_data(random, missing=True)
    booster, model = from_lightgbm(rows, label)
    write(folder, "lightgbm", model, booster.predict, random)

    quantiles = [from_lightgbm(rows, label, objective="quantile", alpha=alpha) for alpha in (0.1, 0.5, 0.9)]
    native = lambda rows: numpy.stack([booster.predict(rows) for booster, _ in quantiles], axis=1)
    write(folder, "lightgbm-quantiles", heads([model for _, model in quantiles]), native, random)

    rows, label = training_data(random, missing=False)
    rows[:, 3], rows[:, 4] = random.integers(0, 8, len(rows)), random.integers(0, 40, len(rows))
    label = label + 100 * (rows[:, 3] % 3) + 30 * (rows[:, 4] % 7)
    booster, model = from_lightgbm(rows, label, categorical=[3, 4])
    write(folder, "lightgbm-categories", model, booster.predict, random, {3: 10, 4: 45}, strange=False)

    rows, label = training_data(random, missing=True)
    regressor = xgboost.XGBRegressor(n_estimators=60, max_depth=6, n_jobs=1).fit(rows, label)
    types = [("x", FloatTensorType([None, FEATURES]))]
    # Infinite values are refused by the library itself.
    write(folder, "xgboost", convert_xgboost(regressor, initial_types=types, target_opset=15), only_finite(regressor.predict), random)

    histogram = HistGradientBoostingRegressor(max_iter=60).fit(rows, label)
    write(folder, "histogram-boosting", to_onnx(histogram, rows[:1], target_opset=OPSETS), only_finite(histogram.predict), random)

    rows, label = training_data(random, missing=False)
    boosting = GradientBoostingRegressor(n_estimators=40, max_depth=4).fit(rows, label)
    write(folder, "gradient-boosting", to_onnx(boosting, rows[:1], target_opset=OPSETS), only_finite(boosting.predict), random)

    both = numpy.stack([label, -label], axis=1)
    forest = RandomForestRegressor(n_estimators=20, max_depth=9, n_jobs=1).fit(rows, both)
    write(folder, "random-forest", to_onnx(forest, rows[:1], target_opset=OPSETS), only_finite(forest.predict), random)

    network = MLPRegressor(hidden_layer_sizes=(32, 16), max_iter=30).fit(rows, (label - 1500) / 300)
    write(folder, "dense", to_onnx(network, rows[:1], target_opset=OPSETS), network.predict, random, strange=False)

    def feed(rows):
        return {"category": rows[:, 0].astype(numpy.int64), "rest": rows[:, 1:]}

    nothing = lambda rows: numpy.full((len(rows), 2), numpy.nan)
    write(folder, "embedding", embedding(random), nothing, random, {0: 20}, strange=False, feed=feed)
    print("\n".join(f"{name} {version}" for name, version in versions().items()))


def versions():
    return {library.__name__: library.__version__ for library in (lightgbm, xgboost, onnx, onnxruntime)}


if __name__ == "__main__":
    main(sys.argv[1])
