/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A saved model: read, planned as its nodes stand and backwards, written and read
 * again. What is written has every node once, and every marker.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engines/onnxruntime/markers/write.h"

#define TEXT_MAX 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_image(struct jm_ort_saved *saved, const void *data, size_t size)
{
	struct jm_error error;

	if (jm_ort_saved_open(saved, &error) < 0)
		return -1;
	if (write(saved->model_fd, data, size) != (ssize_t)size)
		return -1;
	return jm_ort_saved_read(saved, &error);
}

static void copy_piece(char *to, struct jm_ort_piece piece)
{
	size_t n = piece.size < TEXT_MAX ? piece.size : TEXT_MAX;

	if (n)
		memcpy(to, piece.data, n);
	to[n] = '\0';
}

/* "[{"float":[1]},...]" for all but every third: those are no tensors. */
static void describe_ends(char *to, size_t n)
{
	size_t used = (size_t)sprintf(to, "[");

	for (size_t i = 0; i < n && i < 16; i++)
		if (i % 3 < 2)
			used += (size_t)sprintf(
				to + used, "%s{\"float\":[2]}", used > 1 ? "," : "");
	sprintf(to + used, "]");
}

static int add_step(struct jm_ort_steps *steps, const struct jm_ort_saved_node *node)
{
	char event[TEXT_MAX + 16], op[TEXT_MAX + 1], inputs[400], outputs[400];
	struct jm_ort_step_texts texts = {
		.event = event, .op = op, .input_shapes = inputs, .output_shapes = outputs};

	copy_piece(event, node->name);
	strcat(event, "_kernel_time");
	copy_piece(op, node->op);
	describe_ends(inputs, node->n_inputs);
	describe_ends(outputs, node->n_outputs);
	return jm_ort_steps_append(steps, &texts, 0);
}

static void write_and_read(const struct jm_ort_saved *saved, const struct jm_ort_plan *plan,
	const struct jm_ort_steps *steps)
{
	struct jm_proto_writer image = {0};
	struct jm_ort_saved again = {.model_fd = -1, .weights_fd = -1};

	jm_ort_marked_write(&image, saved, plan, steps);
	if (image.failed)
		abort();
	if (read_image(&again, image.data, image.size) == 0 &&
		again.n_nodes != plan->n + plan->n_markers)
		abort();
	jm_ort_saved_close(&again);
	jm_proto_writer_release(&image);
}

static void plan_and_write(struct jm_ort_saved *saved, int backwards)
{
	struct jm_ort_steps steps = {0};
	struct jm_ort_plan plan;
	struct jm_error error;
	size_t n = saved->n_nodes;

	for (size_t i = 0; i < n; i++)
		if (add_step(&steps, &saved->nodes[backwards ? n - 1 - i : i]) < 0)
			abort();
	if (jm_ort_plan_make(&plan, saved, &steps, &error) == 0) {
		if (plan.n != n || plan.n_markers > plan.n_marks + 1 || plan.n_marks > n + 1)
			abort();
		write_and_read(saved, &plan, &steps);
		jm_ort_plan_release(&plan);
	}
	jm_ort_steps_release(&steps);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jm_ort_saved saved = {.model_fd = -1, .weights_fd = -1};

	if (read_image(&saved, data, size) == 0) {
		plan_and_write(&saved, 0);
		plan_and_write(&saved, 1);
	}
	jm_ort_saved_close(&saved);
	return 0;
}
