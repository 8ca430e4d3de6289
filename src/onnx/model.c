/* SPDX-License-Identifier: Apache-2.0 */
#include "onnx/model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "onnx/proto.h"

/* ---- Walking the file ---------------------------------------------------------- */

typedef int field_fn(void *context, const struct jm_proto_field *field);

/* Calls `field` for each field of a message; -1 when the message is malformed. */
static int walk(const unsigned char *data, size_t size, field_fn *field, void *context)
{
	struct jm_proto_reader reader = {data, data + size, 0};
	struct jm_proto_field found;
	int result;

	while ((result = jm_proto_next(&reader, &found)) > 0)
		if (field(context, &found) < 0)
			return -1;
	return result;
}

static int walk_inner(const struct jm_proto_field *field, field_fn *inner, void *context)
{
	if (field->wire != JM_PROTO_BYTES)
		return -1;
	return walk(field->data, field->size, inner, context);
}

static int on_dim(void *context, const struct jm_proto_field *field)
{
	struct jm_onnx_dim *dim = context;
	size_t n =
		field->size < sizeof(dim->symbol) - 1 ? field->size : sizeof(dim->symbol) - 1;

	if (field->number == ONNX_DIM_VALUE && field->wire == JM_PROTO_VARINT)
		dim->value = (int64_t)field->value;
	if (field->number == ONNX_DIM_PARAM && field->wire == JM_PROTO_BYTES && n) {
		memcpy(dim->symbol, field->data, n);
		dim->symbol[n] = '\0';
	}
	return 0;
}

static int on_shape(void *context, const struct jm_proto_field *field)
{
	struct jm_onnx_input *input = context;
	struct jm_onnx_dim *dim;

	if (field->number != ONNX_SHAPE_DIM || input->n_dims == JM_DIMS_MAX)
		return 0;
	dim = &input->dims[input->n_dims++];
	*dim = (struct jm_onnx_dim){.value = -1};
	return walk_inner(field, on_dim, dim);
}

static int on_tensor(void *context, const struct jm_proto_field *field)
{
	struct jm_onnx_input *input = context;

	if (field->number == ONNX_TYPE_TENSOR_ELEM)
		input->dtype = (int)field->value;
	if (field->number == ONNX_TYPE_TENSOR_SHAPE)
		return walk_inner(field, on_shape, input);
	return 0;
}

static int on_type(void *context, const struct jm_proto_field *field)
{
	return field->number == ONNX_TYPE_TENSOR ? walk_inner(field, on_tensor, context) : 0;
}

static int on_value(void *context, const struct jm_proto_field *field)
{
	struct jm_onnx_input *input = context;

	if (field->number == ONNX_VALUE_NAME && field->wire == JM_PROTO_BYTES && !input->name) {
		input->name = strndup((const char *)field->data, field->size);
		return input->name ? 0 : -1;
	}
	return field->number == ONNX_VALUE_TYPE ? walk_inner(field, on_type, input) : 0;
}

static int add_input(struct jm_onnx_inputs *inputs, const struct jm_proto_field *field)
{
	struct jm_onnx_input *grown = realloc(inputs->inputs, (inputs->n + 1) * sizeof(*grown));

	if (!grown)
		return -1;
	inputs->inputs = grown;
	memset(&grown[inputs->n], 0, sizeof(*grown));
	return walk_inner(field, on_value, &grown[inputs->n++]);
}

static int on_graph_input(void *context, const struct jm_proto_field *field)
{
	return field->number == ONNX_GRAPH_INPUT ? add_input(context, field) : 0;
}

/* Old files list weights among the inputs too. */
static int on_initializer(void *context, const struct jm_proto_field *field)
{
	struct jm_onnx_inputs *inputs = context;

	if (field->number != ONNX_TENSOR_NAME || field->wire != JM_PROTO_BYTES)
		return 0;
	for (size_t i = 0; i < inputs->n; i++) {
		char *name = inputs->inputs[i].name;

		if (!name || strlen(name) != field->size ||
			memcmp(name, field->data, field->size) != 0)
			continue;
		free(name);
		inputs->n--;
		memmove(&inputs->inputs[i], &inputs->inputs[i + 1],
			(inputs->n - i) * sizeof(inputs->inputs[0]));
		break;
	}
	return 0;
}

static int on_graph_initializer(void *context, const struct jm_proto_field *field)
{
	return field->number == ONNX_GRAPH_INITIALIZER
		       ? walk_inner(field, on_initializer, context)
		       : 0;
}

struct outline {
	struct jm_proto_field graph;
	int has_version, has_graph;
};

static int on_model(void *context, const struct jm_proto_field *field)
{
	struct outline *outline = context;

	if (field->number == ONNX_MODEL_IR_VERSION && field->wire == JM_PROTO_VARINT)
		outline->has_version = 1;
	if (field->number == ONNX_MODEL_GRAPH && field->wire == JM_PROTO_BYTES) {
		outline->graph = *field;
		outline->has_graph = 1;
	}
	return 0;
}

/* ---- Files --------------------------------------------------------------------- */

static int read_image(struct jm_onnx_inputs *inputs, const char *name, const void *data,
	size_t size, struct jm_error *reterr)
{
	struct outline outline = {0};
	struct jm_proto_reader reader = {data, (const unsigned char *)data + size, 0};
	struct jm_proto_field field;
	int result;

	while ((result = jm_proto_next(&reader, &field)) > 0)
		on_model(&outline, &field);
	if (result < 0 && reader.truncated && outline.has_version)
		return jm_fail(reterr, JM_ETRUNCATED,
			"model '%s' ends too early, after %zu bytes; copy or export it again",
			name, size);
	if (result < 0 || !outline.has_version || !outline.has_graph)
		return jm_fail(reterr, JM_EFORMAT,
			"'%s' is not an ONNX model; export the network to ONNX first", name);
	if (walk_inner(&outline.graph, on_graph_input, inputs) < 0 ||
		walk_inner(&outline.graph, on_graph_initializer, inputs) < 0)
		return jm_fail(reterr, JM_EFORMAT,
			"the graph of model '%s' is damaged; copy or "
			"export it again",
			name);
	return 0;
}

static int read_file(struct jm_onnx_inputs *inputs, const char *path, struct jm_error *reterr)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), result;
	struct stat info;
	void *data;

	if (fd < 0)
		return jm_fail_errno(reterr, errno, "cannot open model '%s'", path);
	if (fstat(fd, &info) != 0 || S_ISDIR(info.st_mode) || info.st_size == 0) {
		close(fd);
		return jm_fail(reterr, JM_EFORMAT, "'%s' is %s, not an ONNX model", path,
			S_ISDIR(info.st_mode) ? "a folder" : "empty");
	}
	data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	result = data == MAP_FAILED
			 ? jm_fail_errno(reterr, errno, "cannot read model '%s'", path)
			 : 0;
	close(fd);
	if (result < 0)
		return result;
	result = read_image(inputs, path, data, (size_t)info.st_size, reterr);
	munmap(data, (size_t)info.st_size);
	return result;
}

int jm_onnx_inputs_read(struct jm_onnx_inputs *ret_inputs, const struct jm_model *model,
	struct jm_error *reterr)
{
	int result;

	memset(ret_inputs, 0, sizeof(*ret_inputs));
	result = model->path ? read_file(ret_inputs, model->path, reterr)
			     : read_image(ret_inputs, model->name ? model->name : "(in memory)",
				       model->bytes, model->n_bytes, reterr);
	if (result < 0)
		jm_onnx_inputs_release(ret_inputs);
	return result;
}

void jm_onnx_inputs_release(struct jm_onnx_inputs *inputs)
{
	for (size_t i = 0; i < inputs->n; i++)
		free(inputs->inputs[i].name);
	free(inputs->inputs);
	memset(inputs, 0, sizeof(*inputs));
}
