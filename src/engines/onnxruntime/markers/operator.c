/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/markers/operator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engines/onnxruntime/status.h"

/* One marker of a session. */
struct kernel {
	struct jm_ort_stamps *stamps;
	size_t place;
};

static void compute(void *state, struct OrtKernelContext *context)
{
	const struct kernel *kernel = state;
	struct jm_ort_stamps *stamps = kernel->stamps;

	(void)context;
	if (!stamps->on)
		return;
	if (stamps->n == kernel->place && stamps->n < stamps->capacity)
		stamps->ns[stamps->n++] = jm_ort_now(&stamps->clock);
	else
		stamps->n_strange++;
}

/* ---- What the runtime asks --------------------------------------------------------- */

static const struct jm_ort_marker *marker_of(const struct jm_ort_custom_op *op)
{
	return (const struct jm_ort_marker *)(const void *)op;
}

static void *create_kernel(const struct jm_ort_custom_op *op, const void *api, const void *info)
{
	const struct jm_ort_marker *marker = marker_of(op);
	struct kernel *kernel = calloc(1, sizeof(*kernel));
	int64_t place = -1;

	(void)api;
	if (!kernel)
		abort(); /* the runtime takes no failure here, and has aborted itself by then */
	jm_ort_ignore(marker->ort,
		jm_ort_kernel_integer_fn(marker->ort)(info, JM_ORT_MARKER_PLACE, &place));
	kernel->stamps = marker->stamps;
	kernel->place = (size_t)place;
	return kernel;
}

static void destroy_kernel(void *kernel)
{
	free(kernel);
}

static const char *get_name(const struct jm_ort_custom_op *op)
{
	return marker_of(op)->name;
}

static const char *get_provider(const struct jm_ort_custom_op *op)
{
	(void)op;
	return NULL;
}

static int get_input_type(const struct jm_ort_custom_op *op, size_t index)
{
	(void)index;
	return marker_of(op)->dtype;
}

static size_t get_input_count(const struct jm_ort_custom_op *op)
{
	(void)op;
	return 1;
}

static size_t get_output_count(const struct jm_ort_custom_op *op)
{
	(void)op;
	return 0;
}

static int get_characteristic(const struct jm_ort_custom_op *op, size_t index)
{
	(void)op;
	(void)index;
	return 0; /* required */
}

/* ---- Life -------------------------------------------------------------------------- */

void jm_ort_marker_name(int dtype, char ret_name[JM_ORT_MARKER_NAME_MAX])
{
	snprintf(ret_name, JM_ORT_MARKER_NAME_MAX, "Marker_%d", dtype);
}

static void fill(struct jm_ort_marker *marker, struct jm_ort_markers *markers, int dtype)
{
	*marker =
		(struct jm_ort_marker){.op = {.version = JM_ORT_OP_BASIC,
					       .create_kernel = create_kernel,
					       .get_name = get_name,
					       .get_provider = get_provider,
					       .get_input_type = get_input_type,
					       .get_input_count = get_input_count,
					       .get_output_type = get_input_type,
					       .get_output_count = get_output_count,
					       .compute = compute,
					       .destroy_kernel = destroy_kernel,
					       .get_input_characteristic = get_characteristic,
					       .get_output_characteristic = get_characteristic},
			.dtype = dtype,
			.ort = markers->ort,
			.stamps = &markers->stamps};
	jm_ort_marker_name(dtype, marker->name);
}

int jm_ort_markers_open(struct jm_ort_markers *markers, const struct jm_ort *ort,
	struct jm_ort_clock clock, const int *dtypes, size_t n, size_t n_markers,
	struct jm_error *reterr)
{
	struct OrtStatus *status;

	memset(markers, 0, sizeof(*markers));
	markers->ort = ort;
	markers->n = n;
	markers->operators = calloc(n + 1, sizeof(*markers->operators));
	markers->stamps = (struct jm_ort_stamps){.clock = clock,
		.ns = calloc(n_markers + 1, sizeof(int64_t)),
		.capacity = n_markers};
	if (!markers->operators || !markers->stamps.ns)
		return jm_fail_memory(reterr, "the markers");
	status = jm_ort_create_op_domain_fn(ort)(JM_ORT_MARKER_DOMAIN, &markers->domain);
	for (size_t i = 0; i < n && !status; i++) {
		fill(&markers->operators[i], markers, dtypes[i]);
		status = jm_ort_op_domain_add_fn(ort)(
			markers->domain, &markers->operators[i].op);
	}
	return jm_ort_check(ort, status, reterr, "cannot add the marker's operator");
}

void jm_ort_markers_close(struct jm_ort_markers *markers)
{
	if (markers->domain)
		jm_ort_release_op_domain_fn(markers->ort)(markers->domain);
	free(markers->operators);
	free(markers->stamps.ns);
	memset(markers, 0, sizeof(*markers));
}
