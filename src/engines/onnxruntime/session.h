/* SPDX-License-Identifier: Apache-2.0 */
/* A network ready to run: session, inputs filled, outputs named. */
#ifndef JM_ENGINES_ONNXRUNTIME_SESSION_H
#define JM_ENGINES_ONNXRUNTIME_SESSION_H

#include "engines/onnxruntime/api.h"
#include "engines/onnxruntime/plugin.h"
#include "onnx/model.h"

/* How to build one; everything borrowed until open returns. */
struct jm_ort_session_setup {
	const struct jm_ort *ort;
	struct OrtEnv *env;
	const struct jm_model *model;
	const struct jm_onnx_inputs *inputs; /* resolved */
	struct jm_ort_plugin *plugin;        /* NULL: none */
	struct jm_ort_capture *capture;      /* of the graph that the plug-in sees; or NULL */
	struct OrtCustomOpDomain *domain;    /* of our own operators, or NULL */
	const char *profile_prefix;          /* NULL: no profile in a file */
	const char *weights_name;            /* of the model's weights; NULL: "weights" */
	const char *save_path;               /* optimised model goes there; NULL: nowhere */
	const char *save_weights;            /* and its weights beside it; NULL: in it */
	int level;                           /* JM_ORT_... */
	int threads;                         /* >= 1 */
	int spinning;                        /* waiting threads may spin */
	uint64_t seed;
};

struct jm_ort_session {
	const struct jm_ort *ort;
	struct OrtSession *session;
	struct OrtRunOptions *traced;             /* run options that call back; NULL without */
	struct jm_tensor *inputs, *outputs;       /* [n_...], owned */
	const char **input_names, **output_names; /* names of the above */
	void **input_data;
	struct OrtValue **input_values, **output_values;
	size_t n_inputs, n_outputs;
	char choices[256]; /* what nobody gave of the inputs, in words; or "" */
};

/* On failure the session is released. */
int jm_ort_session_open(struct jm_ort_session *session,
	const struct jm_ort_session_setup *setup, struct jm_error *reterr);

/* Accepts a zeroed or half-opened one. */
void jm_ort_session_close(struct jm_ort_session *session);

/* One inference; `traced`: with callbacks, if the session has them. */
int jm_ort_session_run(struct jm_ort_session *session, int traced, struct jm_error *reterr);

/* The same, but output_values stay until the next run or close. */
int jm_ort_session_answer(struct jm_ort_session *session, struct jm_error *reterr);

#endif
