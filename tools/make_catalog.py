#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make joulemap's catalogue: network architectures without their weights.

    make_catalog.py [--out catalog] [NAME ...]           write catalog/NAME.model.gz
    make_catalog.py --check [--out catalog] [NAME ...]   prove that the files are right

Writing needs torch 1.13, torchvision 0.14 and onnx 1.12 (Debian 12: python3-torch,
python3-torchvision, python3-onnx).  Two runs write identical bytes.  Checking needs onnx,
numpy and onnxruntime.  docs/catalog.md describes the file format; in short:

    joulemap-model 1                           ASCII lines up to the first empty line
    name NAME
    input NAME float32 N=1 3 H=224 W=224       S=n: the dimension is free, its symbol is S
    parameters COUNT                           learnable parameters
    macs COUNT                                 multiply-accumulates at the input shape above
    weight normal MEAN STD COUNT [TIMES]       what to fill the weights with, in their order
    weight uniform LOW HIGH COUNT [TIMES]
                                               one empty line, then the ONNX model

Tensors of 128 bytes or more are ONNX external data in a file called "weights" that does not
exist: whoever loads the model makes it up, from the weight lines.  Tensor 0 begins at byte 0,
and tensor i+1 at the end of tensor i, rounded up to a multiple of 64.
"""

import argparse
import gzip
import io
import math
import os
import random
import sys
import tempfile
import warnings

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference

OPSET = 17
ALIGNMENT = 64
INLINE_BELOW_BYTES = 128
COLOUR_FREE = "N 3 H W"     # a global pooling lets any height and width through
COLOUR_FIXED = "N 3 224 224"

# name: (dimensions of the input, published parameters, published GMACs).  Source of the last
# two: https://pytorch.org/vision/stable/models.html, columns "Params" and "GFLOPS" (which are
# multiply-accumulates), to full digits from each model's metadata.  LeNet-5: summed by hand.
NETWORKS = {
    "alexnet": (COLOUR_FIXED, 61100840, 0.714),
    "convnext_base": (COLOUR_FREE, 88591464, 15.355),
    "convnext_small": (COLOUR_FREE, 50223688, 8.684),
    "convnext_tiny": (COLOUR_FREE, 28589128, 4.456),
    "densenet121": (COLOUR_FREE, 7978856, 2.834),
    "efficientnet_b0": (COLOUR_FREE, 5288548, 0.386),
    "lenet": ("N 1 32 32", 61706, 0.000416520),
    "mobilenet_v2": (COLOUR_FREE, 3504872, 0.301),
    "mobilenet_v3_large": (COLOUR_FREE, 5483032, 0.217),
    "mobilenet_v3_small": (COLOUR_FREE, 2542856, 0.057),
    "resnet101": (COLOUR_FREE, 44549160, 7.801),
    "resnet152": (COLOUR_FREE, 60192808, 11.514),
    "resnet18": (COLOUR_FREE, 11689512, 1.814),
    "resnet34": (COLOUR_FREE, 21797672, 3.664),
    "resnet50": (COLOUR_FREE, 25557032, 4.089),
    "resnext101_32x8d": (COLOUR_FREE, 88791336, 16.414),
    "resnext101_64x4d": (COLOUR_FREE, 83455272, 15.460),
    "resnext50_32x4d": (COLOUR_FREE, 25028904, 4.230),
    "squeezenet1_1": (COLOUR_FREE, 1235496, 0.349),
    "vgg11": (COLOUR_FIXED, 132863336, 7.609),
    "vgg13": (COLOUR_FIXED, 133047848, 11.308),
    "vgg16": (COLOUR_FIXED, 138357544, 15.470),
    "vgg19": (COLOUR_FIXED, 143667240, 19.632),
    "vit_b_16": (COLOUR_FIXED, 86567656, 17.564),
}

# Two sizes to export at.  What differs between the two graphs depends on the input's size.
SIZES = ({"N": 2, "H": 224, "W": 224}, {"N": 3, "H": 256, "W": 192})
DEFAULT_SIZE = {"N": 1, "H": 224, "W": 224}


def dims_at(dims, size):
    """The shape that "N 3 H W" stands for when the symbols have the given sizes."""
    return [size[d] if d in size else int(d) for d in dims.split()]


# ------------------------------------------------------------------------------ exporting


def lenet5():
    """LeNet-5 (LeCun et al., 1998) with full connections and a plain average pooling."""
    from torch import nn

    class LeNet5(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Sequential(
                nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2),
                nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
                nn.Conv2d(16, 120, 5), nn.Tanh())
            self.classifier = nn.Sequential(
                nn.Flatten(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10))

        def forward(self, x):
            return self.classifier(self.features(x))

    return LeNet5()


def build(name):
    """The network as a torch module whose i-th tensor holds nothing but the number i + 1.

    So every tensor can be recognised in the exported graph, where it may be transposed and
    renamed, and no two are merged for being equal.  Returns the module and the names."""
    import torch
    import torchvision

    module = lenet5() if name == "lenet" else getattr(torchvision.models, name)(weights=None)
    module.eval()
    names = []
    for tensor_name, tensor in module.state_dict().items():
        if tensor.dtype == torch.float32:
            names.append(tensor_name)
            tensor.fill_(len(names))
    return module, names


def export(module, names, shape):
    """Export at one fixed shape, without weights.  PRESERVE keeps batch normalisations."""
    import torch

    stream = io.BytesIO()
    torch.onnx.export(module, torch.zeros(shape), stream, opset_version=OPSET,
                      training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=True,
                      input_names=["input"], output_names=["output"])
    model = onnx.load_from_string(stream.getvalue())
    model.producer_name = "joulemap"
    model.ClearField("producer_version")
    model.graph.name = "network"
    model.graph.ClearField("value_info")
    name_weights(model.graph, names)
    constants_to_initializers(model.graph)
    fold_shapes(model)
    return model


def name_weights(graph, names):
    """Give tensors the names that they have in the module, and take out their data."""
    replaced = {}
    for tensor in graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.min() != value.max():
            raise ValueError(f"{tensor.name} is made from several tensors")
        replaced[tensor.name] = tensor.name = names[int(value.flat[0]) - 1]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
    rename_inputs(graph, replaced)
    tensors = sorted(graph.initializer, key=lambda t: names.index(t.name))
    if [t.name for t in tensors] != names:
        raise ValueError("a tensor was lost or doubled")
    del graph.initializer[:]
    graph.initializer.extend(tensors)


def is_constant(tensor):
    """Whether an initializer is no weight but a constant of the architecture."""
    return tensor.data_location != TensorProto.EXTERNAL


def rename_inputs(graph, replaced):
    for node in graph.node:
        for i, name in enumerate(node.input):
            node.input[i] = replaced.get(name, name)


def constants_to_initializers(graph):
    """Turn Constant nodes into initializers."""
    for node in [n for n in graph.node if n.op_type == "Constant"]:
        tensor = graph.initializer.add()
        tensor.CopyFrom(node.attribute[0].t)
        tensor.name = node.output[0]
        graph.node.remove(node)


FOLD = {
    "Add": lambda node, a, b: a + b,
    "ConstantOfShape": lambda node, a: numpy.full(
        a, numpy_helper.to_array(node.attribute[0].t)[0]),
    "Div": lambda node, a, b: a // b,
    "Equal": lambda node, a, b: a == b,
    "Gather": lambda node, a, b: numpy.take(a, b, axis=0),
    "Mul": lambda node, a, b: a * b,
    "Where": lambda node, a, b, c: numpy.where(a, b, c),
}


def fold_shapes(model):
    """Work out what is computed from shapes alone."""
    graph = model.graph
    known = {t.name: numpy_helper.to_array(t) for t in graph.initializer if is_constant(t)}
    shapes = known_shapes(model)
    for node in list(graph.node):
        if node.op_type == "Shape":
            value = numpy.array(shapes[node.input[0]])
        elif node.op_type in FOLD and all(name in known for name in node.input):
            value = FOLD[node.op_type](node, *(known[name] for name in node.input))
        else:
            continue
        known[node.output[0]] = value
        graph.initializer.append(numpy_helper.from_array(value, node.output[0]))
        graph.node.remove(node)


def known_shapes(model):
    """The shapes of all tensors of a model whose input has a fixed shape."""
    graph = shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    shapes = {t.name: list(t.dims) for t in graph.initializer}
    for value in [*graph.input, *graph.value_info, *graph.output]:
        shapes[value.name] = [d.dim_value for d in value.type.tensor_type.shape.dim]
    return shapes


def free_batch(graph, other):
    """Free the batch size of a graph, given the same graph exported at another size.

    They may differ in the target of Reshape nodes, where the entry that differs becomes -1
    (deduce), and of Expand nodes, which then follow the input's batch."""
    values = {t.name: t for t in graph.initializer if is_constant(t)}
    others = {t.name: t for t in other.initializer if is_constant(t)}
    if len(graph.node) != len(other.node):
        raise ValueError("the graph's structure depends on the size of the input")
    for node, twin in zip(list(graph.node), list(other.node)):
        if (node.op_type, node.name, node.attribute) != (twin.op_type, twin.name, twin.attribute):
            raise ValueError(f"{node.name} depends on the size of the input")
        for i, name in enumerate(node.input):
            if name not in values:
                continue
            tensor, numbers = values[name], numpy_helper.to_array(values[name])
            differs = numbers != numpy_helper.to_array(others[twin.input[i]])
            if node.op_type == "Reshape" and differs.sum() == 1:
                tensor.CopyFrom(numpy_helper.from_array(numpy.where(differs, -1, numbers), name))
            elif node.op_type == "Expand" and differs.tolist() == [True, False, False]:
                expand_to_batch(graph, node)
            elif differs.any():
                raise ValueError(f"{node.name} depends on the size of the input")


def expand_to_batch(graph, node):
    """Make an Expand node repeat its input once for each image of the batch."""
    ones, batch, target = f"{node.name}_ones", f"{node.name}_batch", f"{node.name}_shape"
    place = list(graph.node).index(node)
    graph.node.insert(place, helper.make_node(
        "Concat", [batch, ones], [target], f"{node.name}/Concat", axis=0))
    graph.node.insert(place, helper.make_node(
        "Shape", ["input"], [batch], f"{node.name}/Shape", start=0, end=1))
    graph.initializer.append(numpy_helper.from_array(numpy.array([1, 1]), ones))
    node.input[1] = target


def merge_constants(graph):
    """Drop unused constants, keep one of several equal ones, and number them."""
    used = {name for node in graph.node for name in node.input}
    kept, replaced = {}, {}
    for tensor in [t for t in graph.initializer if is_constant(t)]:
        name, tensor.name = tensor.name, ""
        key = tensor.SerializeToString()
        if name not in used or key in kept:
            graph.initializer.remove(tensor)
        if name in used:
            replaced[name] = kept.setdefault(key, f"constant_{len(kept)}")
            tensor.name = replaced[name]
    rename_inputs(graph, replaced)


def set_dims(value_info, dims):
    """Give a graph's input or output the dimensions "N 3 H W"."""
    value_info.type.tensor_type.shape.Clear()
    for d in dims.split():
        dim = value_info.type.tensor_type.shape.dim.add()
        if d.isdigit():
            dim.dim_value = int(d)
        else:
            dim.dim_param = d


# -------------------------------------------------------------------------------- weights


def distribution(graph, tensor):
    """What to fill a tensor with, judged by the node that uses it: (kind, a, b)."""
    user, place = next((n, list(n.input).index(tensor.name)) for n in graph.node
                       if tensor.name in n.input)
    dims = list(tensor.dims)
    if user.op_type == "BatchNormalization":
        if place == 1:
            # The last one of a residual branch is small, as trained networks have it:
            # otherwise the sum over 50 blocks explodes.
            return ("uniform", 0.1, 0.3) if ends_branch(graph, user) else ("uniform", 0.5, 1.5)
        return ("uniform", 0.5, 1.5) if place == 4 else ("normal", 0.0, 0.1)
    if user.op_type == "LayerNormalization":
        return ("uniform", 0.5, 1.5) if place == 1 else ("normal", 0.0, 0.1)
    if user.op_type == "Conv" and place == 1:
        return ("normal", 0.0, math.sqrt(2 / math.prod(dims[1:])))
    if user.op_type == "Gemm" and place == 1:
        transposed = any(a.name == "transB" and a.i for a in user.attribute)
        return ("normal", 0.0, math.sqrt(2 / dims[1 if transposed else 0]))
    if user.op_type == "MatMul" and place == 1:
        return ("normal", 0.0, math.sqrt(2 / dims[0]))
    if user.op_type in ("Conv", "Gemm") and place == 2 or user.op_type == "Add" and len(dims) == 1:
        return ("normal", 0.0, 0.05)
    if user.op_type == "Mul" and dims[1:] == [1, 1]:    # ConvNeXt's layer scale
        return ("uniform", 0.1, 0.5)
    if user.op_type in ("Add", "Expand") and dims[0] == 1:  # ViT's positions and class token
        return ("normal", 0.0, 0.1)
    raise ValueError(f"{tensor.name}: no rule for input {place} of {user.op_type}")


def ends_branch(graph, node):
    """Whether a node is the last one of a residual branch: its output goes into an addition
    and nowhere else.  Where both sides do, the second is the projection of the shortcut."""
    users = {}
    for user in graph.node:
        for name in user.input:
            users.setdefault(name, []).append(user)
    addition = users[node.output[0]][0]
    if len(users[node.output[0]]) != 1 or addition.op_type != "Add":
        return False
    first = next(n for n in graph.node if addition.input[0] in n.output)
    return node == first or first.op_type != node.op_type or len(users[first.output[0]]) > 1


def small_tensor(network, tensor, kind, a, b):
    """Numbers for a tensor that stays inside the file, with 8 bits of mantissa to save room."""
    source = random.Random(f"{network} {tensor.name}")
    draw = source.gauss if kind == "normal" else source.uniform
    numbers = numpy.array([draw(a, b) for _ in range(math.prod(tensor.dims))], numpy.float32)
    numbers = (numbers.view(numpy.uint32) & 0xffff0000).view(numpy.float32)
    tensor.CopyFrom(numpy_helper.from_array(numbers.reshape(list(tensor.dims)), tensor.name))


def place_weights(network, graph):
    """Make large tensors external and fill small ones; (kind, a, b, count) of the former."""
    weights = []
    offset = 0
    for tensor in [t for t in graph.initializer if not is_constant(t)]:
        kind, a, b = distribution(graph, tensor)
        count = math.prod(tensor.dims)
        if count * 4 < INLINE_BELOW_BYTES:
            small_tensor(network, tensor, kind, a, b)
            continue
        for key, value in (("location", "weights"), ("offset", offset), ("length", count * 4)):
            tensor.external_data.add(key=key, value=str(value))
        weights.append((kind, a, b, count))
        offset += -(-count * 4 // ALIGNMENT) * ALIGNMENT
    return weights


# --------------------------------------------------------------------------- counting, writing


def count_macs(model, dims):
    """Multiply-accumulates of Conv, Gemm and MatMul, those of attention included.  Nothing
    else is counted: no bias, normalisation, activation or pooling."""
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    for value, text in ((fixed.graph.input[0], dims), (fixed.graph.output[0], "N 1")):
        set_dims(value, " ".join(map(str, dims_at(text, DEFAULT_SIZE))))
    fixed.graph.output[0].type.tensor_type.shape.dim[1].CopyFrom(
        model.graph.output[0].type.tensor_type.shape.dim[1])
    shapes = known_shapes(fixed)
    total = 0
    for node in fixed.graph.node:
        result = math.prod(shapes[node.output[0]])
        if node.op_type == "Conv":
            total += result * math.prod(shapes[node.input[1]][1:])
        elif node.op_type == "Gemm":
            total += result * math.prod(shapes[node.input[1]]) // shapes[node.output[0]][1]
        elif node.op_type == "MatMul":
            total += result * shapes[node.input[0]][-1]
    return total


def header(name, dims, parameters, macs, weights):
    shape = zip(dims.split(), dims_at(dims, DEFAULT_SIZE))
    lines = ["joulemap-model 1", f"name {name}",
             "input input float32 " + " ".join(str(n) if d.isdigit() else f"{d}={n}"
                                               for d, n in shape),
             f"parameters {parameters}", f"macs {macs}"]
    texts = [f"weight {kind} {a:.5g} {b:.5g} {count}" for kind, a, b, count in weights]
    i = 0
    while i < len(texts):
        times = 1
        while i + times < len(texts) and texts[i + times] == texts[i]:
            times += 1
        lines.append(texts[i] if times == 1 else f"{texts[i]} {times}")
        i += times
    return ("\n".join(lines) + "\n\n").encode("ascii")


def make(name, directory):
    """Write one network; returns the size of the file."""
    dims = NETWORKS[name][0]
    module, names = build(name)
    model, other = (export(module, names, dims_at(dims, size)) for size in SIZES)
    classes = model.graph.output[0].type.tensor_type.shape.dim[1].dim_value
    free_batch(model.graph, other.graph)
    merge_constants(model.graph)
    set_dims(model.graph.input[0], dims)
    set_dims(model.graph.output[0], f"N {classes}")
    weights = place_weights(name, model.graph)
    parameters = sum(p.numel() for p in module.parameters())
    content = header(name, dims, parameters, count_macs(model, dims), weights) \
        + model.SerializeToString()
    path = os.path.join(directory, f"{name}.model.gz")
    with open(path + ".new", "wb") as stream:
        stream.write(gzip.compress(content, 9, mtime=0))
    os.rename(path + ".new", path)
    return os.path.getsize(path)


# ------------------------------------------------------------------------------- checking


def read(path):
    """Read a catalogue file: (fields, weights, model)."""
    with gzip.open(path) as stream:
        content = stream.read()
    text, _, model = content.partition(b"\n\n")
    lines = [line.split(" ") for line in text.decode("ascii").split("\n")]
    weights = [w for line in lines if line[0] == "weight"
               for w in [(line[1], float(line[2]), float(line[3]), int(line[4]))]
               * int(line[5] if len(line) > 5 else 1)]
    fields = {line[0]: line[1:] for line in lines if line[0] != "weight"}
    return fields, weights, onnx.load_from_string(model)


def fill(model, weights, path):
    """Write the weights file that the model refers to, and compare the two on the way."""
    source = numpy.random.default_rng(1)
    external = [t for t in model.graph.initializer if t.data_location == TensorProto.EXTERNAL]
    if len(external) != len(weights):
        raise ValueError(f"{len(weights)} weights in the header, {len(external)} in the model")
    offset = 0
    with open(path, "wb") as stream:
        for tensor, (kind, a, b, count) in zip(external, weights):
            data = {e.key: e.value for e in tensor.external_data}
            if data != {"location": "weights", "offset": str(offset), "length": str(count * 4)}:
                raise ValueError(f"{tensor.name}: header and model disagree")
            if kind == "normal":
                numbers = source.standard_normal(count, numpy.float32) * numpy.float32(b) \
                    + numpy.float32(a)
            else:
                numbers = source.random(count, numpy.float32) * numpy.float32(b - a) \
                    + numpy.float32(a)
            stream.seek(offset)
            stream.write(numbers.tobytes())
            offset += -(-count * 4 // ALIGNMENT) * ALIGNMENT


def session(model, directory, sizes, level, optimized=None):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    if optimized:
        options.optimized_model_filepath = optimized
    for symbol, value in sizes.items():
        options.add_free_dimension_override_by_name(symbol, value)
    path = os.path.join(directory, "network.onnx")
    onnx.save(model, path)
    return onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])


def layers(model, directory, sizes):
    """The kinds of layers left at the basic optimisation level, and the output's spread."""
    import onnxruntime

    optimized = os.path.join(directory, "optimized.onnx")
    basic = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    run = session(model, directory, sizes, basic, optimized)
    shape = run.get_inputs()[0].shape
    image = numpy.random.default_rng(2).standard_normal(shape, numpy.float32)
    output = run.run(None, {"input": image})[0]
    nodes = onnx.load(optimized, load_external_data=False).graph.node
    os.remove(optimized)
    return sorted(n.op_type for n in nodes), output


def activations(model, directory, sizes):
    """Run unoptimised and look at every tensor: (least, greatest spread, share of denormals)."""
    import onnxruntime

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for node in copy.graph.node:
        for name in node.output:
            if name != "output":
                copy.graph.output.append(onnx.ValueInfoProto(name=name))
    none = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    run = session(copy, directory, sizes, none)
    shape = run.get_inputs()[0].shape
    image = numpy.random.default_rng(2).standard_normal(shape, numpy.float32)
    values = [v for v in run.run(None, {"input": image}) if v.dtype == numpy.float32]
    if not all(numpy.isfinite(v).all() for v in values):
        raise ValueError("a layer's output is not finite")
    tiny = numpy.finfo(numpy.float32).tiny
    denormal = sum(int(((v != 0) & (numpy.abs(v) < tiny)).sum()) for v in values)
    spread = [float(v.std(dtype=numpy.float64)) for v in values]
    return min(spread), max(spread), denormal / sum(v.size for v in values)


def check(name, directory):
    """Prove one file right; returns a line for the table.  Raises ValueError if it is wrong."""
    dims, parameters, gmacs = NETWORKS[name]
    path = os.path.join(directory, f"{name}.model.gz")
    fields, weights, model = read(path)
    if fields["name"] != [name] or fields["parameters"] != [str(parameters)]:
        raise ValueError(f"{name}: {fields['parameters']} parameters, published {parameters}")
    macs = int(fields["macs"][0])
    half_digit = 0.0005 if name != "lenet" else 0
    if abs(macs / 1e9 - gmacs) > max(0.01 * gmacs, half_digit):
        raise ValueError(f"{name}: {macs} MACs, published {gmacs} G")
    names = [n.name for n in model.graph.node]
    if "" in names or len(set(names)) != len(names):
        raise ValueError(f"{name}: a node's name is empty or not unique")
    with tempfile.TemporaryDirectory() as work:
        fill(model, weights, os.path.join(work, "weights"))
        onnx.save(model, os.path.join(work, "network.onnx"))
        onnx.checker.check_model(os.path.join(work, "network.onnx"), full_check=True)
        size = {s: n for s, n in DEFAULT_SIZE.items() if s in dims.split()}
        one, output = layers(model, work, size)
        two, outputs = layers(model, work, {**size, "N": 2})
        least, greatest, denormal = activations(model, work, size)
    left = {"Shape", "Gather", "Expand", "Slice", "Unsqueeze", "Constant"} & set(one)
    if one != two or (name != "vit_b_16" and left):
        raise ValueError(f"{name}: layers at N=1 and N=2 differ, or are left over: {left}")
    spread = float(output.std())
    if not 1e-3 < spread < 1e3 or not numpy.isfinite(output).all() or denormal > 1e-3:
        raise ValueError(f"{name}: spread of the output {spread}, denormals {denormal}")
    if numpy.array_equal(outputs[0], outputs[1]):
        raise ValueError(f"{name}: the output does not depend on the input")
    return (f"{name:18} {parameters:10} {macs:12} {len(names):5} {len(one):5} {spread:9.3g} "
            f"{least:9.3g} {greatest:9.3g} {denormal:9.2g} {os.path.getsize(path):6}"
            + (f" {sorted(left)}" if left else ""))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--check", action="store_true", help="check the files, write nothing")
    parser.add_argument("--out", default="catalog", help="where the files are (catalog)")
    parser.add_argument("names", nargs="*", metavar="NAME", help="networks (all)")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    for name in arguments.names:
        if name not in NETWORKS:
            parser.error(f"unknown network '{name}'; known: {', '.join(NETWORKS)}")
    if arguments.check:
        print(f"{'network':18} {'parameters':>10} {'macs':>12} {'nodes':>5} {'basic':>5} "
              f"{'output':>9} {'least':>9} {'greatest':>9} {'denormal':>9} {'bytes':>6}")
    else:
        os.makedirs(arguments.out, exist_ok=True)
    for name in arguments.names or NETWORKS:
        if arguments.check:
            print(check(name, arguments.out), flush=True)
        else:
            print(f"{name:18} {make(name, arguments.out):6} bytes", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
