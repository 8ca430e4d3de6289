/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/bias/probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engines/onnxruntime/status.h"

#define FLOAT32 1
#define CACHE_LINE 64

static void *create_kernel(const struct jm_ort_custom_op *op, const void *api, const void *info)
{
	(void)api;
	(void)info;
	return (void *)(uintptr_t)op; /* the kernel is the probe */
}

static void destroy_kernel(void *kernel)
{
	(void)kernel;
}

static const char *get_name(const struct jm_ort_custom_op *op)
{
	(void)op;
	return JM_ORT_PROBE_OP;
}

static const char *get_provider(const struct jm_ort_custom_op *op)
{
	(void)op;
	return NULL; /* the CPU */
}

static int get_type(const struct jm_ort_custom_op *op, size_t index)
{
	(void)op;
	(void)index;
	return FLOAT32;
}

static size_t get_input_count(const struct jm_ort_custom_op *op)
{
	return ((const struct jm_ort_probe *)(const void *)op)->n_inputs;
}

static size_t get_output_count(const struct jm_ort_custom_op *op)
{
	(void)op;
	return 1;
}

static int get_characteristic(const struct jm_ort_custom_op *op, size_t index)
{
	(void)op;
	(void)index;
	return 0; /* required */
}

static void compute(void *kernel, struct OrtKernelContext *context)
{
	static const int64_t dims[4] = {1, 1, 1, 1};
	struct jm_ort_probe *probe = kernel;
	int64_t begin_ns = jm_ort_now(&probe->clock);
	volatile char *memory = probe->memory;
	struct OrtValue *value = NULL;

	jm_ort_ignore(
		probe->ort, jm_ort_kernel_output_fn(probe->ort)(context, 0, dims, 4, &value));
	for (size_t i = 0; i < probe->n_memory; i += CACHE_LINE)
		memory[i]++;
	if (probe->n == probe->capacity)
		return;
	probe->spans_ns[probe->n][0] = begin_ns;
	probe->spans_ns[probe->n++][1] = jm_ort_now(&probe->clock);
}

int jm_ort_probe_open(struct jm_ort_probe *probe, const struct jm_ort *ort,
	struct jm_ort_clock clock, size_t n_inputs, size_t n_memory, size_t capacity,
	struct jm_error *reterr)
{
	struct OrtStatus *status;

	*probe = (struct jm_ort_probe){.op = {.version = JM_ORT_OP_BASIC,
					       .create_kernel = create_kernel,
					       .get_name = get_name,
					       .get_provider = get_provider,
					       .get_input_type = get_type,
					       .get_input_count = get_input_count,
					       .get_output_type = get_type,
					       .get_output_count = get_output_count,
					       .compute = compute,
					       .destroy_kernel = destroy_kernel,
					       .get_input_characteristic = get_characteristic,
					       .get_output_characteristic = get_characteristic},
		.ort = ort,
		.clock = clock,
		.n_inputs = n_inputs,
		.n_memory = n_memory,
		.capacity = capacity};
	probe->memory = calloc(n_memory + 1, 1);
	probe->spans_ns = calloc(capacity + 1, sizeof(*probe->spans_ns));
	if (!probe->memory || !probe->spans_ns) {
		jm_ort_probe_close(probe);
		return jm_fail_memory(reterr, "the calibration");
	}
	status = jm_ort_create_op_domain_fn(ort)(JM_ORT_PROBE_DOMAIN, &probe->domain);
	if (!status)
		status = jm_ort_op_domain_add_fn(ort)(probe->domain, &probe->op);
	if (!status)
		return 0;
	jm_ort_probe_close(probe);
	return jm_ort_check(ort, status, reterr, "cannot add the operator for calibration");
}

void jm_ort_probe_close(struct jm_ort_probe *probe)
{
	if (probe->domain)
		jm_ort_release_op_domain_fn(probe->ort)(probe->domain);
	free(probe->memory);
	free(probe->spans_ns);
	memset(probe, 0, sizeof(*probe));
}
