"""The other side of `headway bench scorer`. On standard input come a line with sizes, then an ONNX file, the same trees as LightGBM saves
them, and rows; then requests, one on each line. The first answer is `ready` and the names of the runtimes that are here.

    predictions RUNTIME     of the rows of the first batch
    singles RUNTIME         microseconds that each call with one row took
    batches RUNTIME         microseconds that each call with one batch took
"""
import sys
import time


def measured(calls):
    took = []
    for call, argument in calls:
        before = time.perf_counter_ns()
        call(argument)
        took.append((time.perf_counter_ns() - before) / 1000)
    return took


class OnnxRuntime:
    """Rows and places for predictions are bound beforehand: a call hands a pointer over and waits."""

    def __init__(self, model, parts):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.value_of = onnxruntime.OrtValue.ortvalue_from_numpy
        self.bound = {kind: [self.bind(part) for part in some] for kind, some in parts.items()}

    def bind(self, rows):
        import numpy

        binding = self.session.io_binding()
        # Kept with the binding, which only points to them.
        values = self.value_of(rows), self.value_of(numpy.zeros((len(rows), 1), numpy.float32))
        binding.bind_ortvalue_input(self.session.get_inputs()[0].name, values[0])
        binding.bind_ortvalue_output(self.session.get_outputs()[0].name, values[1])
        return binding, values

    def took(self, kind):
        return measured([(self.session.run_with_iobinding, binding) for binding, _ in self.bound[kind]])

    def predictions(self):
        binding, (_, place) = self.bound["batches"][0]
        self.session.run_with_iobinding(binding)
        return place.numpy().ravel()


class LightGbm:
    def __init__(self, model, parts):
        import lightgbm

        self.booster = lightgbm.Booster(model_str=model.decode())
        self.parts = parts

    def predict(self, rows):
        return self.booster.predict(rows, num_threads=1)

    def took(self, kind):
        return measured([(self.predict, part) for part in self.parts[kind]])

    def predictions(self):
        return self.predict(self.parts["batches"][0])


def main():
    given = sys.stdin.buffer
    onnx_size, lightgbm_size, rows_size, features, batch, singles = map(int, given.readline().split())
    onnx, lightgbm, rows = given.read(onnx_size), given.read(lightgbm_size), given.read(rows_size)
    runtimes = {}
    try:
        import numpy

        rows = numpy.frombuffer(rows, "<f4").reshape(-1, features)
        parts = {
            "singles": [numpy.ascontiguousarray(rows[at : at + 1]) for at in range(singles)],
            "batches": [numpy.ascontiguousarray(rows[at : at + batch]) for at in range(0, len(rows), batch)],
        }
    except ImportError:
        parts = None
    for name, make, model in (("onnxruntime", OnnxRuntime, onnx), ("lightgbm_python", LightGbm, lightgbm)):
        try:
            if parts:
                runtimes[name] = make(model, parts)
        except ImportError:
            pass
    print("ready", *runtimes, flush=True)
    for line in given:
        kind, name = line.decode().split()
        runtime = runtimes[name]
        numbers = runtime.predictions() if kind == "predictions" else runtime.took(kind)
        print(*(repr(float(number)) for number in numbers), flush=True)


main()
