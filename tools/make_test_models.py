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


def save(folder, name, nodes, inputs, outputs, weights=(), domains=(), opset=13):
    graph = helper.make_graph(list(nodes), name, list(inputs), list(outputs), list(weights))
    opsets = [helper.make_opsetid("", opset)] + [helper.make_opsetid(d, 1) for d in domains]
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


# ---- What markers must get along with ------------------------------------------------------


def constant(name, values, dtype):
    return numpy_helper.from_array(np.array(values, dtype=dtype), name)


def body(name, nodes, inputs, outputs, weights=()):
    """The graph inside a node."""
    return helper.make_graph(list(nodes), name, list(inputs), list(outputs), list(weights))


def sequence_type(name, shape, dtype=FLOAT):
    return helper.make_tensor_sequence_value_info(name, dtype, shape)


def optional_type(name, shape, dtype=FLOAT):
    inner = helper.make_tensor_type_proto(dtype, shape)
    return helper.make_value_info(name, helper.make_optional_type_proto(inner))


def sequence_middle(folder):
    """Nodes that write sequences, with others between them and their readers."""
    nodes = [
        node("Relu", "before", ["x"], ["a"]),
        node("SplitToSequence", "split", ["a", "parts"], ["s"], axis=0),
        node("Neg", "between", ["a"], ["b"]),
        node("SequenceAt", "first", ["s", "zero"], ["c"]),
        node("Abs", "beside", ["b"], ["d"]),
        node("SequenceAt", "second", ["s", "one"], ["e"]),
        node("Add", "sum", ["c", "e"], ["f"]),
        node("SequenceConstruct", "pair", ["f", "d"], ["t"]),
        node("SequenceInsert", "insert", ["t", "c", "one"], ["u"]),
        node("SequenceErase", "erase", ["u", "zero"], ["v"]),
        node("ConcatFromSequence", "join", ["v"], ["y"], axis=0),
        node("SequenceLength", "length", ["v"], ["n"]),
    ]
    save(folder, "sequence_middle", nodes, [tensor("x", [4, 6])],
         [tensor("y", [None, 6]), tensor("n", [], TensorProto.INT64)],
         [integers("parts", 2, 2), constant("zero", 0, np.int64), constant("one", 1, np.int64)])


def sequence_end(folder):
    """A graph's output that is a sequence, written by the last node."""
    nodes = [
        node("Exp", "before", ["x"], ["a"]),
        node("SplitToSequence", "split", ["a"], ["y"], axis=1),
    ]
    save(folder, "sequence_end", nodes, [tensor("x", [2, 3])], [sequence_type("y", [2, 1])])


def sequence_only(folder):
    """A sequence is made and taken apart, and no tensor is in between."""
    nodes = [
        node("SplitToSequence", "split", ["x"], ["s"], axis=1),
        node("SequenceErase", "erase", ["s"], ["y"]),
    ]
    save(folder, "sequence_only", nodes, [tensor("x", [2, 3])], [sequence_type("y", None)])


def optionals(folder):
    """Values that may be there or not, in the middle and as outputs."""
    nodes = [
        node("Relu", "before", ["x"], ["a"]),
        node("Optional", "wrap", ["a"], ["o"]),
        node("Neg", "between", ["a"], ["b"]),
        node("OptionalHasElement", "ask", ["o"], ["has"]),
        node("OptionalGetElement", "unwrap", ["o"], ["c"]),
        node("Sub", "difference", ["b", "c"], ["d"]),
        node("Cast", "number", ["has"], ["e"], to=FLOAT),
        node("Mul", "scale", ["d", "e"], ["f"]),
        node("Optional", "full", ["f"], ["y"]),
    ]
    save(folder, "optionals", nodes, [tensor("x", [4])], [optional_type("y", [4])], opset=15)


def optional_empty(folder):
    """An output that is not there. The profilers of ONNX Runtime before 1.21 crash of it."""
    kind = helper.make_tensor_type_proto(FLOAT, [4])
    nodes = [
        node("Relu", "before", ["x"], ["a"]),
        helper.make_node("Optional", [], ["z"], name="none", type=kind),
        node("Neg", "after", ["a"], ["y"]),
    ]
    save(folder, "optional_empty", nodes, [tensor("x", [4])],
         [tensor("y", [4]), optional_type("z", [4])], opset=15)


def nested(folder):
    """Ifs in Loops in Ifs: values from outside, carried ones, and collected ones."""
    deep_then = body("deep_then", [node("Mul", "deep/scale", ["carried", "a"], ["p"])], [],
                     [tensor("p", [4])])
    deep_else = body("deep_else", [node("Sub", "deep/less", ["carried", "outer"], ["q"])], [],
                     [tensor("q", [4])])
    loop_body = body("loop", [
        node("Mod", "loop/odd", ["i", "two"], ["m"]),
        node("Cast", "loop/flag", ["m"], ["is_odd"], to=TensorProto.BOOL),
        node("If", "loop/if", ["is_odd"], ["next"], then_branch=deep_then,
             else_branch=deep_else),
        node("Identity", "loop/go", ["go"], ["go_on"]),
        node("Abs", "loop/collect", ["next"], ["row"]),
    ], [tensor("i", [], TensorProto.INT64), tensor("go", [], TensorProto.BOOL),
        tensor("carried", [4])],
        [tensor("go_on", [], TensorProto.BOOL), tensor("next", [4]), tensor("row", [4])])
    outer_then = body("outer_then", [
        node("Loop", "then/loop", ["count", "always", "a"], ["last", "rows"], body=loop_body),
        node("ReduceSum", "then/sum", ["rows", "axis"], ["total"], keepdims=0),
        node("Add", "then/add", ["last", "total"], ["t"]),
    ], [], [tensor("t", [4])])
    outer_else = body("outer_else", [node("Identity", "else/keep", ["b"], ["e"])], [],
                      [tensor("e", [4])])
    nodes = [
        node("Relu", "a", ["x"], ["a"]),
        node("Exp", "outer", ["x"], ["outer"]),
        node("Neg", "b", ["a"], ["b"]),
        node("ReduceMax", "most", ["outer"], ["most"], keepdims=0),
        node("Greater", "decide", ["most", "nothing"], ["decided"]),
        node("If", "choose", ["decided"], ["c"], then_branch=outer_then,
             else_branch=outer_else),
        node("Relu", "in_place", ["c"], ["d"]),
        node("Add", "after", ["d", "b"], ["y"]),
    ]
    save(folder, "nested", nodes, [tensor("x", [4])], [tensor("y", [4])],
         [constant("two", 2, np.int64), constant("count", 5, np.int64),
          constant("always", True, np.bool_), constant("nothing", 0, np.float32),
          integers("axis", 0)])


def captured(folder):
    """Values that only graphs inside nodes read, and that nodes may overwrite."""
    loop_body = body("loop", [
        node("Identity", "loop/go", ["go"], ["go_on"]),
        node("Add", "loop/add", ["sum", "hidden"], ["next"]),
    ], [tensor("i", [], TensorProto.INT64), tensor("go", [], TensorProto.BOOL),
        tensor("sum", [64])],
        [tensor("go_on", [], TensorProto.BOOL), tensor("next", [64])])
    nodes = [
        node("Exp", "hidden", ["x"], ["hidden"]),
        node("Relu", "first", ["hidden"], ["a"]),
        node("Sqrt", "second", ["a"], ["b"]),
        node("Loop", "loop", ["count", "", "b"], ["c"], body=loop_body),
        node("Sub", "last", ["c", "hidden"], ["y"]),
    ]
    save(folder, "captured", nodes, [tensor("x", [64])], [tensor("y", [64])],
         [constant("count", 3, np.int64)])


def scan(folder):
    step = body("step", [
        node("Add", "step/add", ["state", "row"], ["next"]),
        node("Mul", "step/scale", ["next", "w"], ["out"]),
    ], [tensor("state", [3]), tensor("row", [3])], [tensor("next", [3]), tensor("out", [3])])
    nodes = [
        node("Neg", "before", ["x"], ["a"]),
        node("ReduceSum", "start", ["a", "axis"], ["s"], keepdims=0),
        node("Scan", "scan", ["s", "a"], ["last", "rows"], body=step, num_scan_inputs=1),
        node("Relu", "after", ["rows"], ["y"]),
    ]
    save(folder, "scan", nodes, [tensor("x", [5, 3])],
         [tensor("last", [3]), tensor("y", [5, 3])], [weight("w", 3), integers("axis", 0)])


def data_shapes(folder):
    """Shapes that only the data tells."""
    nodes = [
        node("Relu", "positive", ["x"], ["a"]),
        node("NonZero", "places", ["a"], ["b"]),
        node("Transpose", "turn", ["b"], ["c"], perm=[1, 0]),
        node("GatherND", "take", ["a", "c"], ["d"]),
        node("Greater", "large", ["d", "limit"], ["e"]),
        node("Compress", "keep", ["d", "e"], ["f"], axis=0),
        node("Mul", "coarse", ["f", "ten"], ["g"]),
        node("Floor", "steps", ["g"], ["h"]),
        node("Unique", "unique", ["h"], ["i", "at", "back", "counts"], sorted=1),
        node("Shape", "how_many", ["i"], ["n"]),
        node("Min", "at_most", ["n", "three"], ["k"]),
        node("TopK", "best", ["i", "k"], ["y", "where"], axis=0),
        node("Cast", "numbers", ["counts"], ["z"], to=FLOAT),
    ]
    save(folder, "data_shapes", nodes, [tensor("x", [8, 8])],
         [tensor("y", [None]), tensor("where", [None], TensorProto.INT64),
          tensor("z", [None])],
         [constant("limit", 0.1, np.float32), constant("ten", 10, np.float32),
          integers("three", 3)])


def reshaped(folder):
    """Shapes that are computed from free dimensions of two inputs."""
    nodes = [
        node("Shape", "shape", ["x"], ["s"]),
        node("Gather", "rows", ["s", "zero"], ["n"], axis=0),
        node("Concat", "wanted", ["n", "rest"], ["w"], axis=0),
        node("Reshape", "flat", ["x", "w"], ["a"]),
        node("MatMul", "product", ["a", "weights"], ["b"]),
        node("Shape", "shape2", ["z"], ["s2"]),
        node("Expand", "expand", ["bias", "s2"], ["c"]),
        node("Add", "sum", ["c", "z"], ["d"]),
        node("ReduceMean", "mean", ["d"], ["e"], keepdims=0),
        node("Mul", "scale", ["b", "e"], ["y"]),
    ]
    save(folder, "reshaped", nodes,
         [tensor("x", ["batch", 2, "tokens"]), tensor("z", ["batch", "H"])],
         [tensor("y", ["batch", 5])],
         [integers("zero", 0), integers("rest", 2), weight("weights", 2, 5), weight("bias", 1)])


def outputs(folder):
    """Values in the middle that are outputs too, and nodes that may work in place."""
    nodes = [
        node("Mul", "square", ["x", "x"], ["a"]),
        node("Relu", "relu1", ["a"], ["b"]),
        node("Add", "twice", ["b", "b"], ["c"]),
        node("Relu", "relu2", ["c"], ["d"]),
        node("Sigmoid", "sigmoid", ["d"], ["e"]),
        node("Add", "again", ["e", "b"], ["f"]),
        node("Relu", "relu3", ["f"], ["g"]),
        node("Mul", "all", ["g", "d"], ["h"]),
        node("Identity", "copy1", ["h"], ["y1"]),
        node("Identity", "copy2", ["h"], ["y2"]),
    ]
    save(folder, "outputs", nodes, [tensor("x", [4, 8]), tensor("through", [3])],
         [tensor("b", [4, 8]), tensor("d", [4, 8]), tensor("y1", [4, 8]),
          tensor("through", [3]), tensor("y2", [4, 8]), tensor("f", [4, 8])])


def constant_output(folder):
    """Outputs that are constants, or become ones."""
    nodes = [
        node("Add", "fold", ["one", "two"], ["three"]),
        node("Neg", "neg", ["x"], ["y"]),
    ]
    save(folder, "constant_output", nodes, [tensor("x", [2])],
         [tensor("y", [2]), tensor("three", [2]), tensor("one", [2])],
         [weight("one", 2), weight("two", 2)])


def qdq(folder):
    """Quantised as exporters write it: pairs around float operators."""
    def pair(name, value, out, dtype="zero_u8", scale="scale"):
        return [node("QuantizeLinear", name + "/q", [value, scale, dtype], [out + "_q"]),
                node("DequantizeLinear", name + "/dq", [out + "_q", scale, dtype], [out])]
    nodes = pair("in", "x", "a")
    nodes += [
        node("DequantizeLinear", "w/dq", ["w", "w_scale", "zero_i8"], ["w_f"]),
        node("Conv", "conv", ["a", "w_f", "bias"], ["b"], kernel_shape=[3, 3],
             pads=[1, 1, 1, 1]),
        node("Relu", "relu", ["b"], ["c"]),
    ]
    nodes += pair("mid", "c", "d")
    nodes += [node("MaxPool", "pool", ["d"], ["e"], kernel_shape=[2, 2], strides=[2, 2])]
    nodes += pair("pooled", "e", "f")
    nodes += [node("Add", "add", ["f", "f"], ["g"])]
    nodes += pair("out", "g", "h")
    nodes += [node("Reshape", "flat", ["h", "flat_shape"], ["i"]),
              node("MatMul", "fc", ["i", "w2"], ["y"])]
    kernel = constant("w", random.randint(-100, 100, (8, 3, 3, 3)), np.int8)
    save(folder, "qdq", nodes, [tensor("x", [1, 3, 8, 8])], [tensor("y", [1, 4])],
         [kernel, constant("w_scale", 0.01, np.float32), constant("scale", 0.02, np.float32),
          constant("zero_u8", 128, np.uint8), constant("zero_i8", 0, np.int8),
          weight("bias", 8), integers("flat_shape", 1, 128), weight("w2", 128, 4)])


def qlinear(folder):
    """Integer products, as they execute."""
    nodes = [
        node("DynamicQuantizeLinear", "quantise", ["x"], ["q", "q_scale", "q_zero"]),
        node("MatMulInteger", "product", ["q", "w", "q_zero"], ["a"]),
        node("Cast", "float", ["a"], ["b"], to=FLOAT),
        node("Mul", "scale", ["b", "q_scale"], ["c"]),
        node("QuantizeLinear", "again", ["c", "s", "z"], ["d"]),
        node("QLinearMatMul", "qproduct", ["d", "s", "z", "w2", "s", "z2", "s", "z"], ["e"]),
        node("ConvInteger", "conv", ["image", "k"], ["f"], kernel_shape=[2, 2]),
        node("DequantizeLinear", "back", ["e", "s", "z"], ["y"]),
    ]
    save(folder, "qlinear", nodes,
         [tensor("x", [4, 8]), tensor("image", [1, 1, 5, 5], TensorProto.UINT8)],
         [tensor("y", [4, 3]), tensor("f", [1, 2, 4, 4], TensorProto.INT32)],
         [constant("w", random.randint(-9, 9, (8, 6)), np.int8),
          constant("w2", random.randint(-9, 9, (6, 3)), np.int8),
          constant("k", random.randint(0, 9, (2, 1, 2, 2)), np.uint8),
          constant("s", 0.1, np.float32), constant("z", 100, np.uint8),
          constant("z2", 0, np.int8)])


def half(folder):
    """float16: the runtime puts casts around what it has no kernel for."""
    kind = TensorProto.FLOAT16
    nodes = [
        node("Conv", "conv", ["x", "w"], ["a"], kernel_shape=[3, 3]),
        node("Relu", "relu", ["a"], ["b"]),
        node("Add", "add", ["b", "b"], ["c"]),
        node("GlobalAveragePool", "pool", ["c"], ["d"]),
        node("Flatten", "flat", ["d"], ["e"]),
        node("Gemm", "fc", ["e", "w2"], ["y"]),
    ]
    save(folder, "half", nodes, [tensor("x", [1, 3, 8, 8], kind)], [tensor("y", [1, 4], kind)],
         [constant("w", random.uniform(-1, 1, (8, 3, 3, 3)), np.float16),
          constant("w2", random.uniform(-1, 1, (8, 4)), np.float16)])


def bfloat16(folder):
    """What there are kernels for: moving and casting."""
    kind = TensorProto.BFLOAT16
    nodes = [
        node("Cast", "narrow", ["x"], ["a"], to=kind),
        node("Identity", "keep", ["a"], ["b"]),
        node("Reshape", "flat", ["b", "shape"], ["c"]),
        node("Cast", "widen", ["c"], ["d"], to=FLOAT),
        node("Neg", "neg", ["d"], ["e"]),
        node("Cast", "end", ["e"], ["y"], to=kind),
    ]
    save(folder, "bfloat16", nodes, [tensor("x", [2, 6])], [tensor("y", [12], kind)],
         [integers("shape", 12)])


def doubles(folder):
    kind = TensorProto.DOUBLE
    nodes = [
        node("MatMul", "product", ["x", "w"], ["a"]),
        node("Relu", "relu", ["a"], ["b"]),
        node("Add", "add", ["b", "a"], ["c"]),
        node("Exp", "exp", ["c"], ["d"]),
        node("ReduceSum", "sum", ["d"], ["y"], keepdims=0),
    ]
    save(folder, "doubles", nodes, [tensor("x", [4, 8], kind)], [tensor("y", [], kind)],
         [constant("w", random.uniform(-1, 1, (8, 8)), np.float64)])


def whole_numbers(folder):
    """Tensors of every integer type, and of bool."""
    nodes, outs = [], []
    for kind in ("INT8", "UINT8", "INT16", "UINT16", "INT32", "UINT32", "INT64", "UINT64",
                 "BOOL"):
        name, code = kind.lower(), getattr(TensorProto, kind)
        nodes.append(node("Cast", "to_" + name, ["x"], [name], to=code))
        nodes.append(node("Reshape", "flat_" + name, [name, "shape"], ["f_" + name]))
        nodes.append(node("Concat", "join_" + name, ["f_" + name, "f_" + name],
                          ["out_" + name], axis=0))
        outs.append(tensor("out_" + name, [12], code))
    nodes.append(node("Not", "not", ["f_bool"], ["no"]))
    nodes.append(node("And", "and", ["no", "f_bool"], ["never"]))
    nodes.append(node("Where", "where", ["never", "f_int64", "f_int64"], ["chosen"]))
    outs.append(tensor("chosen", [6], TensorProto.INT64))
    save(folder, "whole_numbers", nodes, [tensor("x", [2, 3], TensorProto.INT32)], outs,
         [integers("shape", 6)])


def strings(folder):
    """Text: it is not moved byte by byte."""
    kind = TensorProto.STRING
    words = helper.make_tensor("words", kind, [3], [b"one", b"two", b"a long word, not short"])
    nodes = [
        node("Relu", "before", ["x"], ["a"]),
        node("Cast", "text", ["a"], ["b"], to=kind),
        node("Neg", "between", ["a"], ["c"]),
        node("Concat", "words", ["b", "words"], ["d"], axis=0),
        node("Gather", "pick", ["words", "i"], ["e"], axis=0),
        node("Equal", "same", ["e", "e"], ["f"]),
        node("Identity", "copy", ["d"], ["y"]),
    ]
    save(folder, "strings", nodes,
         [tensor("x", [2]), tensor("i", [2], TensorProto.INT64)],
         [tensor("y", [5], kind), tensor("f", [2], TensorProto.BOOL), tensor("c", [2])],
         [words], opset=19)


def unnamed(folder):
    """No node has a name, and several are alike."""
    nodes = []
    for i in range(4):
        nodes.append(node("Neg", "", [f"v{i}" if i else "x"], [f"n{i}"]))
        nodes.append(node("Exp", "", [f"v{i}" if i else "x"], [f"e{i}"]))
        nodes.append(node("Max", "", [f"n{i}", f"e{i}"], [f"v{i + 1}"]))
    for n in nodes:
        n.ClearField("name")
    save(folder, "unnamed", nodes, [tensor("x", [7])], [tensor("v4", [7])])


def random_first(folder):
    """Nodes that read nothing that is computed; what comes out is the same anyway."""
    nodes = [
        node("RandomUniform", "dice", [], ["r"], shape=[2, 3]),
        node("Less", "below", ["r", "two"], ["b"]),
        node("Cast", "one", ["b"], ["c"], to=FLOAT),
        node("Add", "sum", ["c", "x"], ["d"]),
        node("RandomNormal", "dice2", [], ["r2"], shape=[2, 3]),
        node("Shape", "shape", ["r2"], ["s"]),
        node("ConstantOfShape", "zeros", ["s"], ["z"]),
        node("Sub", "less", ["d", "z"], ["y"]),
    ]
    save(folder, "random_first", nodes, [tensor("x", [2, 3])], [tensor("y", [2, 3])],
         [constant("two", 2, np.float32)])


def random_answer(folder):
    """Another answer every time."""
    nodes = [
        node("Neg", "before", ["x"], ["a"]),
        node("RandomNormalLike", "noise", ["a"], ["r"]),
        node("Add", "sum", ["a", "r"], ["y"]),
    ]
    save(folder, "random_answer", nodes, [tensor("x", [4])], [tensor("y", [4])])


def random_shape(folder):
    """A tensor in the middle has another size every time, the answer has not."""
    nodes = [
        node("RandomUniformLike", "dice", ["x"], ["r"]),
        node("Greater", "half", ["r", "middle"], ["b"]),
        node("NonZero", "places", ["b"], ["p"]),
        node("Abs", "more", ["p"], ["q"]),
        node("Cast", "float", ["q"], ["f"], to=FLOAT),
        node("Relu", "relu", ["f"], ["g"]),
        node("ReduceSum", "sum", ["g"], ["s"], keepdims=0),
        node("Mul", "nothing", ["s", "zero"], ["z"]),
        node("Add", "end", ["x", "z"], ["y"]),
    ]
    save(folder, "random_shape", nodes, [tensor("x", [1000])], [tensor("y", [1000])],
         [constant("middle", 0.5, np.float32), constant("zero", 0, np.float32)])


def failing(folder):
    """An operator that fails while it runs."""
    nodes = [
        node("Neg", "before", ["x"], ["a"]),
        node("Add", "far", ["i", "hundred"], ["j"]),
        node("Gather", "outside", ["a", "j"], ["y"]),
    ]
    save(folder, "failing", nodes, [tensor("x", [4]), tensor("i", [1], TensorProto.INT64)],
         [tensor("y", [1])], [integers("hundred", 100)])


def marker_names(folder):
    """Names that we give ourselves."""
    nodes = [
        node("Neg", "joulemap-marker-1", ["joulemap-marker-0"], ["joulemap-marker-1"]),
        node("Abs", "joulemap-marker-0", ["joulemap-marker-1"], ["joulemap-marker-2"]),
        node("Exp", "exp", ["joulemap-marker-2"], ["y"]),
    ]
    save(folder, "marker_names", nodes, [tensor("joulemap-marker-0", [2])],
         [tensor("y", [2])])


def marker_nodes(folder):
    """Nodes, but no values, that are called like ours."""
    nodes = [
        node("Neg", "joulemap-marker-0", ["x"], ["a"]),
        node("Abs", "joulemap-marker-2", ["a"], ["y"]),
    ]
    save(folder, "marker_nodes", nodes, [tensor("x", [2])], [tensor("y", [2])])


def marker_domain(folder):
    """Imports a domain that is called like ours."""
    nodes = [node("Neg", "neg", ["x"], ["a"]), node("Abs", "abs", ["a"], ["y"])]
    save(folder, "marker_domain", nodes, [tensor("x", [2])], [tensor("y", [2])],
         domains=["joulemap"])


def recurrent(folder):
    """Nodes that have outputs left out in the middle, and inputs."""
    nodes = [
        node("LSTM", "lstm", ["x", "w", "r", "", "", "h0"], ["a", "", "c"], hidden_size=4),
        node("Squeeze", "squeeze", ["a", "axis"], ["b"]),
        node("GRU", "gru", ["b", "w2", "r2"], ["", "h"], hidden_size=3),
        node("RNN", "rnn", ["b", "w3", "r3"], ["y"], hidden_size=3),
        node("Add", "sum", ["h", "bias"], ["z"]),
    ]
    zeros = numpy_helper.from_array(np.zeros((1, 2, 4), np.float32), "h0")
    save(folder, "recurrent", nodes, [tensor("x", [5, 2, 6])],
         [tensor("y", [5, 1, 2, 3]), tensor("z", [1, 2, 3]), tensor("c", [1, 2, 4])],
         [weight("w", 1, 16, 6), weight("r", 1, 16, 4), zeros, weight("w2", 1, 9, 4),
          weight("r2", 1, 9, 3), weight("w3", 1, 3, 4), weight("r3", 1, 3, 3),
          integers("axis", 1), weight("bias", 3)])


def overridable(folder):
    """Weights that are inputs with a default."""
    nodes = [
        node("MatMul", "product", ["x", "w"], ["a"]),
        node("Add", "bias", ["a", "b"], ["c"]),
        node("Relu", "relu", ["b"], ["d"]),
        node("Add", "sum", ["c", "d"], ["y"]),
    ]
    save(folder, "overridable", nodes,
         [tensor("w", [4, 3]), tensor("x", [2, 4]), tensor("b", [3])], [tensor("y", [2, 3])],
         [weight("w", 4, 3), weight("b", 3)])


def many_dims(folder):
    """More dimensions than a layer's description holds."""
    dims = [1, 2] * 5
    nodes = [
        node("Reshape", "spread", ["x", "shape"], ["a"]),
        node("Transpose", "turn", ["a"], ["b"], perm=list(range(9, -1, -1))),
        node("Relu", "relu", ["b"], ["c"]),
        node("Neg", "neg", ["c"], ["y"]),
    ]
    save(folder, "many_dims", nodes, [tensor("x", [32])], [tensor("y", dims[::-1])],
         [integers("shape", *dims)])


def empty(folder):
    """Tensors of no element."""
    nodes = [
        node("Relu", "before", ["x"], ["a"]),
        node("Slice", "none", ["a", "start", "start", "axis"], ["b"]),
        node("Neg", "neg", ["b"], ["c"]),
        node("Exp", "exp", ["c"], ["d"]),
        node("Concat", "join", ["d", "a"], ["e"], axis=0),
        node("Abs", "abs", ["d"], ["z"]),
        node("Sqrt", "after", ["e"], ["y"]),
    ]
    save(folder, "empty", nodes, [tensor("x", [2, 3])],
         [tensor("y", [2, 3]), tensor("z", [0, 3])], [integers("start", 1), integers("axis", 0)])


def scalars(folder):
    """Tensors without a dimension."""
    nodes = [
        node("ReduceMean", "mean", ["x"], ["a"], keepdims=0),
        node("Exp", "exp", ["a"], ["b"]),
        node("Mul", "scale", ["b", "s"], ["c"]),
        node("Neg", "neg", ["c"], ["y"]),
    ]
    save(folder, "scalars", nodes, [tensor("x", [2, 3]), tensor("s", [])], [tensor("y", [])])


def classifier(folder):
    """Maps, as converters of other libraries' models write them."""
    nodes = [
        node("Neg", "before", ["x"], ["a"]),
        helper.make_node("LinearClassifier", ["a"], ["label", "scores"], name="linear",
                         domain="ai.onnx.ml", coefficients=[0.1, 0.2, -0.3, 0.4, 0.5, -0.6],
                         intercepts=[0.0, 0.1, 0.2], classlabels_ints=[3, 5, 7],
                         post_transform="SOFTMAX"),
        helper.make_node("ZipMap", ["scores"], ["maps"], name="zip", domain="ai.onnx.ml",
                         classlabels_int64s=[3, 5, 7]),
    ]
    kind = helper.make_sequence_type_proto(
        helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(FLOAT, [])))
    save(folder, "classifier", nodes, [tensor("x", [2, 2])],
         [tensor("label", [2], TensorProto.INT64), helper.make_value_info("maps", kind)],
         domains=["ai.onnx.ml"])


def function(folder):
    """A function of the model's own, used twice."""
    inner = [node("Exp", "f/exp", ["v"], ["t"]), node("Neg", "f/neg", ["t"], ["w"])]
    own = helper.make_function("own", "ExpNeg", ["v"], ["w"], inner,
                               [helper.make_opsetid("", 13)])
    nodes = [
        helper.make_node("ExpNeg", ["x"], ["a"], name="once", domain="own"),
        helper.make_node("ExpNeg", ["a"], ["b"], name="again", domain="own"),
        node("Abs", "abs", ["b"], ["y"]),
    ]
    graph = helper.make_graph(nodes, "function", [tensor("x", [3])], [tensor("y", [3])])
    model = helper.make_model(graph, producer_name="joulemap", functions=[own],
                              opset_imports=[helper.make_opsetid("", 13),
                                             helper.make_opsetid("own", 1)])
    model.ir_version = 8
    with open(os.path.join(folder, "function.onnx"), "wb") as file:
        file.write(model.SerializeToString())


MARKED = (sequence_middle, sequence_end, sequence_only, optionals, optional_empty, nested, captured, scan,
          data_shapes, reshaped, outputs, constant_output, qdq, qlinear, half, bfloat16,
          doubles, whole_numbers, strings, unnamed, random_first, random_answer, random_shape,
          failing, marker_names, marker_nodes, marker_domain, recurrent, overridable, many_dims,
          empty, scalars, classifier, function)


def to_half(tensor_proto):
    return numpy_helper.from_array(numpy_helper.to_array(tensor_proto).astype(np.float16),
                                   tensor_proto.name)


def halves(folder):
    """float16: on most processors the runtime computes in float32, with casts of its own."""
    around = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    nodes = [
        node("Conv", "stem", ["x", "w1"], ["a"], **around),
        node("Relu", "act", ["a"], ["b"]),
        node("Conv", "block/conv", ["b", "w2"], ["c"], **around),
        node("Add", "block/add", ["c", "b"], ["d"]),
        node("Relu", "block/relu", ["d"], ["e"]),
        node("GlobalAveragePool", "pool", ["e"], ["f"]),
        node("Flatten", "flatten", ["f"], ["g"]),
        node("Gemm", "fc", ["g", "w3", "b3"], ["y"], transB=1),
    ]
    weights = [to_half(weight("w1", 8, 4, 3, 3)), to_half(weight("w2", 8, 8, 3, 3)),
               to_half(weight("w3", 10, 8)), to_half(weight("b3", 10))]
    save(folder, "halves", nodes, [tensor("x", [1, 4, 16, 16], TensorProto.FLOAT16)],
         [tensor("y", [1, 10], TensorProto.FLOAT16)], weights)


def quantised(folder):
    """Weights and activations between QuantizeLinear and DequantizeLinear."""
    around = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    nodes = []

    def quantise(name):
        nodes.append(node("QuantizeLinear", name + "/q", [name, "s", "z"], [name + "_q"]))
        nodes.append(node("DequantizeLinear", name + "/dq", [name + "_q", "s", "z"],
                          [name + "_d"]))
        return name + "_d"

    for name in ("w1", "w2"):
        nodes.append(node("DequantizeLinear", name + "/dq", [name + "_q", "ws", "wz"], [name]))
    x = quantise("x")
    nodes.append(node("Conv", "stem", [x, "w1"], ["a"], **around))
    nodes.append(node("Relu", "act", ["a"], ["b"]))
    b = quantise("b")
    nodes.append(node("Conv", "conv", [b, "w2"], ["c"], **around))
    nodes.append(node("GlobalAveragePool", "pool", [quantise("c")], ["y"]))
    values = [random.randint(-100, 100, (8, n, 3, 3)).astype(np.int8) for n in (4, 8)]
    weights = [numpy_helper.from_array(np.array(0.02, np.float32), "s"),
               numpy_helper.from_array(np.array(128, np.uint8), "z"),
               numpy_helper.from_array(np.array(0.01, np.float32), "ws"),
               numpy_helper.from_array(np.array(0, np.int8), "wz"),
               numpy_helper.from_array(values[0], "w1_q"),
               numpy_helper.from_array(values[1], "w2_q")]
    save(folder, "quantised", nodes, [tensor("x", [1, 4, 16, 16])],
         [tensor("y", [1, 8, 1, 1])], weights)


def lookup(folder):
    """Indices into a dimension that is 1 unless a shape is given."""
    nodes = [node("Gather", "pick", ["x", "index"], ["y"], axis=1)]
    save(folder, "lookup", nodes,
         [tensor("x", ["batch", "tokens", 4]), tensor("index", [3], TensorProto.INT64)],
         [tensor("y", ["batch", 3, 4])])


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(
        here, os.pardir, "tests", "data", "models")
    os.makedirs(folder, exist_ok=True)
    for make in (lenet, residual, products, branches, types, names, repeated, unsupported,
                 external, odd_dims) + MARKED + (halves, quantised,
                                                lookup):
        make(folder)


if __name__ == "__main__":
    main()
