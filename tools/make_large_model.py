#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes FOLDER/large.onnx, whose weights, in a file beside it, take more than 2 GB.

A protobuf cannot hold that much, so that whatever saves or loads such a model must
keep its weights apart. The weights are a hole but for a few numbers: on the disk
they take next to nothing. Needs the Python package onnx.
"""
import os
import struct
import sys

from onnx import TensorProto, helper

SIDE, LAYERS = 8192, 9  # 256 MiB each
LOCATION = "large.weights"


def weight(name, offset):
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[SIDE, SIDE],
                         data_location=TensorProto.EXTERNAL)
    for key, value in (("location", LOCATION), ("offset", offset), ("length", SIDE * SIDE * 4)):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)
    return tensor


def main():
    folder = sys.argv[1]
    size = SIDE * SIDE * 4
    nodes, weights = [], []
    for i in range(LAYERS):
        nodes.append(helper.make_node("MatMul", [f"v{i}", f"w{i}"], [f"m{i}"], name=f"product{i}"))
        nodes.append(helper.make_node("Sigmoid", [f"m{i}"], [f"v{i + 1}"], name=f"sigmoid{i}"))
        weights.append(weight(f"w{i}", i * size))
    graph = helper.make_graph(
        nodes, "large", [helper.make_tensor_value_info("v0", TensorProto.FLOAT, [1, SIDE])],
        [helper.make_tensor_value_info(f"v{LAYERS}", TensorProto.FLOAT, [1, SIDE])], weights)
    model = helper.make_model(graph, producer_name="joulemap",
                              opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    with open(os.path.join(folder, "large.onnx"), "wb") as file:
        file.write(model.SerializeToString())
    with open(os.path.join(folder, LOCATION), "wb") as file:
        file.truncate(LAYERS * size)
        for i in range(LAYERS):
            for place in range(0, SIDE, 97):
                file.seek(i * size + (place * SIDE + place) * 4)
                file.write(struct.pack("<f", 0.5 + i + place / SIDE))


if __name__ == "__main__":
    main()
