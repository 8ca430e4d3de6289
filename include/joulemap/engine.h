/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For authors of inference engines: one const struct jm_engine_ops, one line
 * in src/engines/registry.c, one fixture, one page of documentation.
 *
 * Call order: probe (no state kept), then open, graph, run any number of
 * times, close. All calls come from one thread of the inference process.
 */
#ifndef JOULEMAP_ENGINE_H
#define JOULEMAP_ENGINE_H

#include "joulemap/joulemap.h"

#ifdef __cplusplus
extern "C" {
#endif

#define JM_ENGINE_ABI 3
#define JM_DIMS_MAX 8

/* A tensor at a layer's edge. */
struct jm_tensor {
	char *name;        /* owned by the graph */
	const char *dtype; /* "float32", static storage; "" when unknown */
	size_t n_dims;
	int64_t dims[JM_DIMS_MAX]; /* -1: unknown */
};

/* Attributes of convolutions and pools; n_spatial 0: none. */
struct jm_window_attributes {
	size_t n_spatial; /* 1..3 */
	int64_t kernel[3], stride[3], dilation[3];
	int64_t pad_begin[3], pad_end[3];
	int64_t groups;
};

/* One layer: a step as the engine executes it. */
struct jm_graph_layer {
	char *name;                /* unique in the graph; the model's own where it is known */
	char *type;                /* "Conv" */
	struct jm_tensor *inputs;  /* [n_inputs], activations, not weights */
	struct jm_tensor *outputs; /* [n_outputs] */
	size_t n_inputs, n_outputs;
	struct jm_window_attributes window;
	double macs, parameters, bytes; /* per execution; NaN: unknown */
};

/* Layers in the order of execution. Owned by the engine's state. */
struct jm_graph {
	struct jm_graph_layer *layers;
	size_t n_layers;
	struct jm_tensor *inputs, *outputs; /* of the whole network */
	size_t n_inputs, n_outputs;
};

/* One execution of a layer: [begin_ns, end_ns), on the options' clock. */
struct jm_span {
	int64_t begin_ns;
	int64_t end_ns;
	uint32_t layer; /* index of the graph */
	uint32_t lane;  /* stream or thread; spans of one lane do not overlap */
	/* Of which run: calls of `run` with a sink are counted from 0 since open. */
	uint32_t cycle;
};

/* Where spans go. `span` does not block; *span is borrowed for the call. */
struct jm_span_sink {
	void (*span)(void *context, const struct jm_span *span);
	void *context;
};

/* A model: exactly one of path and bytes. All borrowed until open returns. */
struct jm_model {
	const char *name;
	const char *path;  /* of an .onnx file */
	const void *bytes; /* [n_bytes], an .onnx image */
	size_t n_bytes;
	void *weights; /* [n_weights_bytes], external data "weights"; or NULL */
	size_t n_weights_bytes;
};

#define JM_SHAPE_MAX 8

/* An option that only one engine knows, as its own help shows it. */
struct jm_engine_option {
	const char *name;     /* "library" */
	const char *argument; /* "FILE" */
	const char *help;     /* with the default; lines are broken at '\n' */
};

/* Its value: name is one of the engine's own options, each at most once. */
struct jm_engine_setting {
	const char *name;
	const char *value;
};

struct jm_engine_options {
	const struct jm_model *model; /* NULL for probe */
	const char *dtype;            /* wanted type of the input, NULL: the model's */
	int64_t input_shape[JM_SHAPE_MAX];
	size_t n_input_shape;                     /* 0: the model's */
	int optimization_level;                   /* 0..5, see docs/engines.md; -1: default */
	int threads;                              /* 0: engine's default */
	uint64_t seed;                            /* of the input data */
	const struct jm_engine_setting *settings; /* [n_settings], of its own options */
	size_t n_settings;
	int64_t (*now_ns)(void *clock); /* monotonic, never NULL */
	void *clock;
};

/* What an engine tells about itself; after open the whole truth. */
struct jm_engine_info {
	char version[JM_NAME_MAX];
	char library[256];
	char tracing[JM_NAME_MAX]; /* "markers", "callbacks", "profile" */
	/* What the user must know of it: why not the better way, what is left out; or "" */
	char tracing_note[JM_ERROR_MESSAGE_MAX];
	/* What was chosen for inputs that nobody gave, in words; or "" */
	char input_note[JM_ERROR_MESSAGE_MAX];
	enum jm_scope scope; /* where the layers run: JM_SCOPE_CPU, JM_SCOPE_GPU */
	int threads;
	int optimization_level;
	double trace_bias_us;    /* taken out of every span */
	double trace_bias_sd_us; /* spread of the calibration */
	/* The network's time, by turns without and with tracing; 0, NaN: not measured. */
	double network_untraced_ms, network_traced_ms;
};

struct jm_engine_ops {
	uint32_t abi;  /* JM_ENGINE_ABI */
	uint32_t size; /* sizeof(struct jm_engine_ops) */
	const char *name;
	const char *summary;
	size_t state_size;
	const struct jm_engine_option *options; /* [n_options], its own; NULL: none */
	size_t n_options;

	/* Required. 0 when the engine can be used here; else why not. */
	int (*probe)(const struct jm_engine_options *options, struct jm_engine_info *ret_info,
		struct jm_error *reterr);

	/* Required. Loads runtime and model in zeroed `state`, calibrates. */
	int (*open)(void *state, const struct jm_engine_options *options,
		struct jm_engine_info *ret_info, struct jm_error *reterr);

	/* Required. Borrowed until close. */
	const struct jm_graph *(*graph)(const void *state);

	/*
	 * Required. One inference. With a sink every layer's span is reported,
	 * at the latest before `flush` returns; without one (NULL) nothing is
	 * traced and the engine runs at full speed.
	 */
	int (*run)(void *state, const struct jm_span_sink *sink, struct jm_error *reterr);

	/*
	 * Optional. Delivers spans that the engine still holds (profiles that
	 * come in files). Called now and then, and after the last run.
	 */
	int (*flush)(void *state, const struct jm_span_sink *sink, struct jm_error *reterr);

	/* Required. Accepts a zeroed or half-opened state. */
	void (*close)(void *state);
};

#ifdef __cplusplus
}
#endif

#endif
