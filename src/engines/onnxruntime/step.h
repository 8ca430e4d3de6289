/* SPDX-License-Identifier: Apache-2.0 */
/* A node as the runtime reports it when it has executed. */
#ifndef JM_ENGINES_ONNXRUNTIME_STEP_H
#define JM_ENGINES_ONNXRUNTIME_STEP_H

#include "joulemap/engine.h"

/* Stands before the number that makes a generated name unique. */
#define JM_ORT_TOKEN "_token_"

struct jm_ort_step {
	char *event;                        /* "<node>_kernel_time" */
	char *op;                           /* "FusedConv" */
	struct jm_tensor *inputs, *outputs; /* nameless; inputs include weights */
	size_t n_inputs, n_outputs;
	double activation_bytes, parameter_bytes, output_bytes;
	unsigned depth;  /* of nesting, on the runtime's own scale */
	size_t n_nested; /* nodes that ran inside this one */
};

/* Nodes in order of their end. */
struct jm_ort_steps {
	struct jm_ort_step *steps; /* [n] */
	size_t n, capacity;
};

/* What an event says about its node; texts as the runtime writes them. */
struct jm_ort_step_texts {
	const char *event, *op;                      /* never NULL */
	const char *input_shapes, *output_shapes;    /* JSON, may be NULL */
	const char *activation, *parameter, *output; /* bytes, may be NULL */
};

/* Copies what the texts say. JM_ENOMEM. */
int jm_ort_steps_append(
	struct jm_ort_steps *steps, const struct jm_ort_step_texts *texts, unsigned depth);

/*
 * Drops the nodes that ran inside others, which count them. What stays is in
 * order of execution.
 */
void jm_ort_steps_keep_outermost(struct jm_ort_steps *steps);

void jm_ort_steps_release(struct jm_ort_steps *steps);

/*
 * Finds the steps of one session among those of another session of the same
 * model. Nodes that the optimisers insert have other numbers each time, and may
 * come in another order: what counts is the name without the number, the shapes,
 * and the order among those that are alike in both. ret_found [steps->n] has
 * indices of `reference`. JM_ENOTFOUND when they do not match one to one.
 */
int jm_ort_steps_match(const struct jm_ort_steps *steps, const struct jm_ort_steps *reference,
	size_t *ret_found);

/* Length of the node's name in an event's name. */
size_t jm_ort_event_name_length(const char *event);

#endif
