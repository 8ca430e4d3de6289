#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the small ONNX models of the tests into tests/data/models.

Needs the Python packages onnx and numpy. The output is the same every time;
it is kept in the repository, so that the tests need neither.
"""
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT
random = np.random.RandomState(1)


def weight(name, *shape):
    """An initializer with small deterministic values."""
    values = random.uniform(-0.5, 0.5, shape).astype(np.float32)
    return numpy_helper.from_array(np.round(values, 3), name)


def integers(name, *values):
    return numpy_helper.from_array(np.array(values, dtype=np.int64), name)


def tensor(name, shape, dtype=FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def save(folder, name, nodes, inputs, outputs, weights=(), domains=()):
    graph = helper.make_graph(list(nodes), name, list(inputs), list(outputs), list(weights))
    opsets = [helper.make_opsetid("", 13)] + [helper.make_opsetid(d, 1) for d in domains]
    model = helper.make_model(graph, producer_name="joulemap", opset_imports=opsets)
    model.ir_version = 7
    path = os.path.join(folder, name + ".onnx")
    with open(path, "wb") as file:
        file.write(model.SerializeToString())
    assert os.path.getsize(path) < 20000, path


def node(op, name, inputs, outputs, **attributes):
    return helper.make_node(op, inputs, outputs, name=name, **attributes)


def lenet(folder):
    """Convolutions, pools and products of fixed shape: all counts are known."""
    nodes = [
        node("Conv", "conv1", ["image", "w1", "b1"], ["c1"], kernel_shape=[5, 5],
             pads=[2, 2, 2, 2]),
        node("Relu", "relu1", ["c1"], ["r1"]),
        node("MaxPool", "pool1", ["r1"], ["p1"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", "conv2", ["p1", "w2", "b2"], ["c2"], kernel_shape=[5, 5]),
        node("Relu", "relu2", ["c2"], ["r2"]),
        node("MaxPool", "pool2", ["r2"], ["p2"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Flatten", "flatten", ["p2"], ["f"]),
        node("Gemm", "fc1", ["f", "w3", "b3"], ["g1"], transB=1),
        node("Relu", "relu3", ["g1"], ["r3"]),
        node("Gemm", "fc2", ["r3", "w4", "b4"], ["scores"], transB=1),
    ]
    weights = [weight("w1", 4, 1, 5, 5), weight("b1", 4), weight("w2", 8, 4, 5, 5),
               weight("b2", 8), weight("w3", 10, 200), weight("b3", 10),
               weight("w4", 10, 10), weight("b4", 10)]
    save(folder, "lenet", nodes, [tensor("image", [1, 1, 28, 28])],
         [tensor("scores", [1, 10])], weights)


def residual(folder):
    """Free dimensions; a batch norm that is folded, an addition that is fused."""
    nodes = [
        node("Conv", "stem", ["input", "w0"], ["s"], kernel_shape=[3, 3], strides=[2, 2],
             pads=[1, 1, 1, 1]),
        node("BatchNormalization", "norm", ["s", "scale", "bias", "mean", "variance"], ["n"]),
        node("Relu", "act", ["n"], ["a"]),
        node("Conv", "block/conv1", ["a", "w1", "b1"], ["b"], kernel_shape=[3, 3],
             pads=[1, 1, 1, 1], group=16),
        node("Relu", "block/relu1", ["b"], ["c"]),
        node("Conv", "block/conv2", ["c", "w2", "b2"], ["d"], kernel_shape=[1, 1]),
        node("Add", "block/add", ["d", "a"], ["e"]),
        node("Relu", "block/relu2", ["e"], ["f"]),
        node("GlobalAveragePool", "pool", ["f"], ["g"]),
        node("Flatten", "flatten", ["g"], ["h"]),
        node("Gemm", "classifier", ["h", "w3", "b3"], ["output"], transB=1),
    ]
    ones = numpy_helper.from_array(np.ones(16, np.float32), "variance")
    weights = [weight("w0", 16, 3, 3, 3), weight("scale", 16), weight("bias", 16),
               weight("mean", 16), ones, weight("w1", 16, 1, 3, 3), weight("b1", 16),
               weight("w2", 16, 16, 1, 1), weight("b2", 16), weight("w3", 5, 16),
               weight("b3", 5)]
    save(folder, "residual", nodes, [tensor("input", ["N", 3, "H", "W"])],
         [tensor("output", ["N", 5])], weights)


def products(folder):
    """Batched and transposed products, a transposed convolution, auto_pad."""
    nodes = [
        node("MatMul", "batched", ["a", "w1"], ["b"]),
        node("MatMul", "pairwise", ["b", "b_t"], ["c"]),
        node("Transpose", "turn", ["b"], ["b_t"], perm=[0, 2, 1]),
        node("Gemm", "gemm_ta", ["m", "w2"], ["d"], transA=1),
        node("ConvTranspose", "upsample", ["image", "w3"], ["e"], kernel_shape=[2, 2],
             strides=[2, 2]),
        node("Conv", "same", ["e", "w4"], ["f"], auto_pad="SAME_UPPER", strides=[2, 2]),
        node("Conv", "line", ["signal", "w5"], ["g"], kernel_shape=[3], dilations=[2]),
    ]
    nodes[1], nodes[2] = nodes[2], nodes[1]
    weights = [weight("w1", 8, 16), weight("w2", 6, 7), weight("w3", 3, 5, 2, 2),
               weight("w4", 4, 5, 3, 3), weight("w5", 2, 2, 3)]
    save(folder, "products", nodes,
         [tensor("a", [2, 4, 8]), tensor("m", [6, 3]), tensor("image", [1, 3, 4, 4]),
          tensor("signal", [1, 2, 20])],
         [tensor("c", [2, 4, 4]), tensor("d", [3, 7]), tensor("f", [1, 4, 4, 4]),
          tensor("g", [1, 2, 16])], weights)


def branches(folder):
    """Nodes with graphs inside: their bodies are theirs."""
    then_graph = helper.make_graph(
        [node("Neg", "then/neg", ["x"], ["t0"]), node("Abs", "then/abs", ["t0"], ["t1"])],
        "then", [], [tensor("t1", [4])])
    else_graph = helper.make_graph(
        [node("Sqrt", "else/sqrt", ["x"], ["e0"])], "else", [], [tensor("e0", [4])])
    body = helper.make_graph(
        [node("Identity", "body/keep", ["go"], ["go_on"]),
         node("Add", "body/add", ["sum", "y"], ["next"])],
        "body", [tensor("i", [], TensorProto.INT64), tensor("go", [], TensorProto.BOOL),
                 tensor("sum", [4])],
        [tensor("go_on", [], TensorProto.BOOL), tensor("next", [4])])
    nodes = [
        node("Relu", "before", ["in"], ["x"]),
        node("If", "choose", ["flag"], ["y"], then_branch=then_graph, else_branch=else_graph),
        node("Loop", "repeat", ["count", "always", "y"], ["z"], body=body),
        node("Exp", "after", ["z"], ["out"]),
    ]
    always = numpy_helper.from_array(np.array(True), "always")
    count = numpy_helper.from_array(np.array(3, np.int64), "count")
    save(folder, "branches", nodes,
         [tensor("in", [4]), tensor("flag", [], TensorProto.BOOL)], [tensor("out", [4])],
         [always, count])


def types(folder):
    """One input of every type of number."""
    kinds = ["FLOAT16", "FLOAT", "DOUBLE", "INT64", "INT32", "INT8", "UINT8", "BOOL", "BFLOAT16"]
    nodes, inputs, outputs = [], [], []
    for kind in kinds:
        name = kind.lower()
        inputs.append(tensor(name, [2, 3], getattr(TensorProto, kind)))
        outputs.append(tensor("out_" + name, [2, 3]))
        nodes.append(node("Cast", "cast_" + name, [name], ["c_" + name], to=FLOAT))
        nodes.append(node("Neg", "neg_" + name, ["c_" + name], ["out_" + name]))
    save(folder, "types", nodes, inputs, outputs)


def names(folder):
    """Names that are empty, odd, or look like the runtime's."""
    nodes = [
        node("Neg", "first", ["x"], ["a"]),
        node("Abs", "", ["a"], ["b"]),
        node("Sqrt", "", ["b"], ["c"]),
        node("Exp", 'odd "name", with \\ and {ünïcode}', ["c"], ["d"]),
        node("Sin", "first_token_1", ["d"], ["e"]),
        node("Cos", "x_kernel_time", ["e"], ["y"]),
    ]
    save(folder, "names", nodes, [tensor("x", [2])], [tensor("y", [2])])


def repeated(folder):
    """Two nodes of one name, which the runtime refuses."""
    nodes = [node("Neg", "twice", ["x"], ["a"]), node("Abs", "twice", ["a"], ["y"])]
    save(folder, "repeated", nodes, [tensor("x", [2])], [tensor("y", [2])])


def unsupported(folder):
    """An operator that no runtime knows."""
    nodes = [helper.make_node("Teleport", ["x"], ["y"], name="teleport", domain="com.example")]
    save(folder, "unsupported", nodes, [tensor("x", [2])], [tensor("y", [2])],
         domains=["com.example"])


def external(folder):
    """Weights that are not in the file but in one called "weights"."""
    kernel = weight("w", 8, 3, 3, 3)
    kernel.ClearField("raw_data")
    kernel.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "weights"), ("offset", "0"), ("length", "864")):
        entry = kernel.external_data.add()
        entry.key, entry.value = key, value
    nodes = [node("Conv", "conv", ["x", "w"], ["y"], kernel_shape=[3, 3])]
    save(folder, "external", nodes, [tensor("x", ["N", 3, "H", "W"])],
         [tensor("y", ["N", 8, None, None])], [kernel])


def odd_dims(folder):
    """Symbols that are no N, H or W: they become 1 unless a shape is given."""
    nodes = [node("Relu", "relu", ["x"], ["y"])]
    save(folder, "odd_dims", nodes, [tensor("x", ["batch", "tokens", 4])],
         [tensor("y", ["batch", "tokens", 4])])


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(
        here, os.pardir, "tests", "data", "models")
    os.makedirs(folder, exist_ok=True)
    for make in (lenet, residual, products, branches, types, names, repeated, unsupported,
                 external, odd_dims):
        make(folder)


if __name__ == "__main__":
    main()
