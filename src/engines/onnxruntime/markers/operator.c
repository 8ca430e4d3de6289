/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/markers/operator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engines/onnxruntime/status.h"
#include "onnx/dtype.h"

#define DIMS_MAX 32
#define NO_PLACE SIZE_MAX

/* One marker of a session. */
struct kernel {
	const struct jm_ort *ort;
	struct jm_ort_stamps *stamps;
	size_t place;
	int hands_on;
	int is_fixed; /* the shape is the same in every run: it is read while none counts */
	size_t element_size;
	int64_t dims[DIMS_MAX];
	size_t n_dims;
};

/* ---- Running ----------------------------------------------------------------------- */

static struct OrtStatus *read_shape(struct kernel *kernel, const struct OrtValue *value)
{
	const struct jm_ort *ort = kernel->ort;
	struct OrtTensorTypeAndShapeInfo *info = NULL;
	struct OrtStatus *status = jm_ort_tensor_info_fn(ort)(value, &info);

	if (!status)
		status = jm_ort_dimensions_count_fn(ort)(info, &kernel->n_dims);
	if (!status && kernel->n_dims <= DIMS_MAX)
		status = jm_ort_dimensions_fn(ort)(info, kernel->dims, kernel->n_dims);
	if (info)
		jm_ort_release_tensor_info_fn(ort)(info);
	return status;
}

static size_t size_of(const struct kernel *kernel)
{
	size_t size = kernel->element_size;

	for (size_t i = 0; i < kernel->n_dims; i++)
		size *= (size_t)kernel->dims[i];
	return size;
}

/*
 * Where the runtime has not honoured the alias (it does not for outputs of the
 * graph) the content is copied: a result must never depend on being watched.
 */
static struct OrtStatus *hand_on(struct kernel *kernel, struct OrtKernelContext *context)
{
	const struct jm_ort *ort = kernel->ort;
	const struct OrtValue *in = NULL;
	struct OrtValue *out = NULL;
	void *from = NULL, *to = NULL;
	struct OrtStatus *status = jm_ort_kernel_input_fn(ort)(context, 0, &in);

	if (!status && !(kernel->is_fixed && kernel->stamps->on))
		status = read_shape(kernel, in);
	if (status || kernel->n_dims > DIMS_MAX) {
		kernel->stamps->n_strange++;
		return status;
	}
	status = jm_ort_kernel_output_fn(ort)(context, 0, kernel->dims, kernel->n_dims, &out);
	if (!status)
		status = jm_ort_tensor_data_fn(ort)((struct OrtValue *)(uintptr_t)in, &from);
	if (!status)
		status = jm_ort_tensor_data_fn(ort)(out, &to);
	if (!status && from != to)
		memcpy(to, from, size_of(kernel));
	return status;
}

static void compute(void *state, struct OrtKernelContext *context)
{
	struct kernel *kernel = state;
	struct jm_ort_stamps *stamps = kernel->stamps;

	if (stamps->on && kernel->place != NO_PLACE) {
		if (stamps->n == kernel->place && stamps->n < stamps->capacity)
			stamps->ns[stamps->n++] = jm_ort_now(&stamps->clock);
		else
			stamps->n_strange++;
	}
	if (kernel->hands_on && !jm_ort_ignore(kernel->ort, hand_on(kernel, context)))
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
	const struct jm_dtype *dtype = jm_dtype_of_code(marker->kind.through);
	struct kernel *kernel = calloc(1, sizeof(*kernel));
	int64_t place = -1, fixed = 0;

	(void)api;
	if (!kernel)
		abort(); /* the runtime takes no failure here, and has aborted itself by then */
	jm_ort_ignore(marker->ort,
		jm_ort_kernel_integer_fn(marker->ort)(info, JM_ORT_MARKER_PLACE, &place));
	jm_ort_ignore(marker->ort,
		jm_ort_kernel_integer_fn(marker->ort)(info, JM_ORT_MARKER_FIXED, &fixed));
	kernel->ort = marker->ort;
	kernel->stamps = marker->stamps;
	kernel->place = (size_t)place;
	kernel->hands_on = marker->kind.through != 0;
	kernel->is_fixed = fixed == 1;
	kernel->element_size = dtype ? dtype->size : 0;
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

static size_t get_input_count(const struct jm_ort_custom_op *op)
{
	const struct jm_ort_marker_kind *kind = &marker_of(op)->kind;

	return (size_t)(kind->through != 0) + (size_t)(kind->after != 0);
}

static int get_input_type(const struct jm_ort_custom_op *op, size_t index)
{
	const struct jm_ort_marker_kind *kind = &marker_of(op)->kind;

	return index == 0 && kind->through ? kind->through : kind->after;
}

static size_t get_output_count(const struct jm_ort_custom_op *op)
{
	return marker_of(op)->kind.through != 0;
}

static int get_output_type(const struct jm_ort_custom_op *op, size_t index)
{
	(void)index;
	return marker_of(op)->kind.through;
}

static int get_zero(const struct jm_ort_custom_op *op, size_t index)
{
	(void)op;
	(void)index;
	return 0; /* required; in the memory that the provider uses */
}

static size_t get_aliases(int **inputs, int **outputs)
{
	static int first_input[] = {0}, first_output[] = {0};

	*inputs = first_input;
	*outputs = first_output;
	return 1;
}

static size_t get_no_inplace(int **inputs, int **outputs)
{
	*inputs = NULL;
	*outputs = NULL;
	return 0;
}

static void release_lists(int *inputs, int *outputs)
{
	(void)inputs; /* static */
	(void)outputs;
}

/* ---- Life -------------------------------------------------------------------------- */

void jm_ort_marker_name(struct jm_ort_marker_kind kind, char ret_name[JM_ORT_MARKER_NAME_MAX])
{
	snprintf(ret_name, JM_ORT_MARKER_NAME_MAX, "Marker_%d_%d", kind.through, kind.after);
}

static void fill(struct jm_ort_marker *marker, struct jm_ort_markers *markers,
	struct jm_ort_marker_kind kind)
{
	*marker = (struct jm_ort_marker){.op = {.version = JM_ORT_OP_ALIASES,
						 .create_kernel = create_kernel,
						 .get_name = get_name,
						 .get_provider = get_provider,
						 .get_input_type = get_input_type,
						 .get_input_count = get_input_count,
						 .get_output_type = get_output_type,
						 .get_output_count = get_output_count,
						 .compute = compute,
						 .destroy_kernel = destroy_kernel,
						 .get_input_characteristic = get_zero,
						 .get_output_characteristic = get_zero,
						 .get_input_memory = get_zero,
						 .get_inplace = get_no_inplace,
						 .release_inplace = release_lists,
						 .get_aliases = get_aliases,
						 .release_aliases = release_lists},
		.kind = kind,
		.ort = markers->ort,
		.stamps = &markers->stamps};
	if (!kind.through)
		marker->op.get_aliases = get_no_inplace;
	jm_ort_marker_name(kind, marker->name);
}

int jm_ort_markers_open(struct jm_ort_markers *markers, const struct jm_ort *ort,
	struct jm_ort_clock clock, const struct jm_ort_marker_kind *kinds, size_t n,
	size_t n_markers, struct jm_error *reterr)
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
		fill(&markers->operators[i], markers, kinds[i]);
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
