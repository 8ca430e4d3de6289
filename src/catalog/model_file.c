/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue's file format: gzip, header lines, an empty line, ONNX. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/error.h"
#include "base/text.h"
#include "catalog/catalog.h"

/* More than any honest file needs; what a hostile one cannot exceed. */
#define CONTENT_MAX_BYTES ((size_t)64 << 20)
#define COUNT_MAX (UINT64_C(1) << 31)
#define TIMES_MAX 65536
#define WEIGHTS_MAX_BYTES ((UINT64_C(1) << 32) - 64) /* a size_t of any machine */
#define DIM_MAX 65536
#define NUMBER_MAX 1e6
#define WORDS_MAX (3 + JM_DIMS_MAX)

/* ---- Lines and words --------------------------------------------------------- */

struct word {
	const char *text;
	size_t length;
};

struct parser {
	struct jm_catalog_network *network;
	const char *path;
	unsigned line; /* from 1 */
	struct word words[WORDS_MAX];
	size_t n_words;
	size_t capacity; /* of network->weights */
	unsigned seen;   /* bit i: FIELDS[i] */
	struct jm_error *reterr;
};

static int fail(const struct parser *parser, const char *what)
{
	return jm_fail(parser->reterr, JM_EFORMAT, "'%s', line %u: %s; install joulemap again",
		parser->path, parser->line, what);
}

/* Cuts a line at single spaces. */
static int split(struct parser *parser, const char *line, size_t length)
{
	parser->n_words = 0;
	for (size_t i = 0; i <= length; i++) {
		size_t begin = i;

		while (i < length && line[i] != ' ')
			i++;
		if (parser->n_words == WORDS_MAX)
			return fail(parser, "too many words");
		if (i == begin)
			return fail(parser, "a word is missing");
		parser->words[parser->n_words].text = line + begin;
		parser->words[parser->n_words++].length = i - begin;
	}
	return 0;
}

static int word_is(struct word word, const char *text)
{
	return strlen(text) == word.length && memcmp(word.text, text, word.length) == 0;
}

/* A whole number from 1 to max. */
static int scan_count(struct word word, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (size_t i = 0; i < word.length; i++) {
		unsigned digit = (unsigned)word.text[i] - '0';

		if (digit > 9 || value > (max - digit) / 10)
			return 0;
		value = value * 10 + digit;
	}
	*ret_value = value;
	return value > 0;
}

static int scan_number(struct word word, float *ret_value)
{
	double value;

	if (jm_text_scan_double(word.text, word.length, &value) != word.length ||
		!(fabs(value) <= NUMBER_MAX))
		return 0;
	*ret_value = (float)value;
	return 1;
}

/* Copies a name of letters, digits and "_.-"; 0 when it is none or too long. */
static int scan_name(struct word word, char *ret_name, size_t size)
{
	if (word.length >= size || word.length == 0 || word.text[0] == '.')
		return 0;
	for (size_t i = 0; i < word.length; i++) {
		char c = word.text[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-'))
			return 0;
	}
	memcpy(ret_name, word.text, word.length);
	ret_name[word.length] = '\0';
	return 1;
}

/* ---- Fields ------------------------------------------------------------------ */

/* name NAME */
static int parse_name(struct parser *parser)
{
	char *name = parser->network->entry.name;

	if (parser->n_words != 2 || !scan_name(parser->words[1], name, JM_NAME_MAX))
		return fail(parser, "bad network name");
	return 0;
}

/* "224", or "H=224" for a free dimension */
static int parse_dim(struct parser *parser, struct word word)
{
	struct jm_catalog_entry *entry = &parser->network->entry;
	char *symbol = entry->symbols[entry->n_dims];
	const char *equals = memchr(word.text, '=', word.length);
	uint64_t value;

	if (equals) {
		struct word before = {word.text, (size_t)(equals - word.text)};

		if (!scan_name(before, symbol, JM_CATALOG_SYMBOL_MAX))
			return fail(parser, "bad symbol of a dimension");
		word.length -= before.length + 1;
		word.text = equals + 1;
	}
	if (!scan_count(word, DIM_MAX, &value))
		return fail(parser, "bad dimension");
	entry->dims[entry->n_dims++] = (int64_t)value;
	return 0;
}

/* input NAME float32 DIM... */
static int parse_input(struct parser *parser)
{
	struct jm_catalog_entry *entry = &parser->network->entry;

	if (parser->n_words < 4 || !scan_name(parser->words[1], entry->input, JM_NAME_MAX))
		return fail(parser, "bad input");
	if (!word_is(parser->words[2], "float32"))
		return fail(parser, "the input is not float32");
	for (size_t i = 3; i < parser->n_words; i++) {
		int result = parse_dim(parser, parser->words[i]);

		if (result < 0)
			return result;
	}
	return 0;
}

static int parse_parameters(struct parser *parser)
{
	uint64_t *parameters = &parser->network->entry.parameters;

	if (parser->n_words != 2 || !scan_count(parser->words[1], UINT64_MAX, parameters))
		return fail(parser, "bad number of parameters");
	return 0;
}

static int parse_macs(struct parser *parser)
{
	uint64_t *macs = &parser->network->entry.macs;

	if (parser->n_words != 2 || !scan_count(parser->words[1], UINT64_MAX, macs))
		return fail(parser, "bad number of multiply-accumulates");
	return 0;
}

static int append_weight(struct parser *parser, const struct jm_catalog_weight *weight)
{
	struct jm_catalog_network *network = parser->network;
	uint64_t bytes = jm_weights_padded_bytes(weight->count);

	if (bytes > (WEIGHTS_MAX_BYTES - network->weights_bytes) / weight->times)
		return fail(parser, "absurdly many weights");
	if (network->n_weights == parser->capacity) {
		size_t capacity = parser->capacity ? parser->capacity * 2 : 64;
		void *larger = realloc(network->weights, capacity * sizeof(*network->weights));

		if (!larger)
			return jm_fail_memory(parser->reterr, parser->path);
		network->weights = larger;
		parser->capacity = capacity;
	}
	network->weights[network->n_weights++] = *weight;
	network->weights_bytes += bytes * weight->times;
	return 0;
}

/* weight normal MEAN STD COUNT [TIMES], weight uniform LOW HIGH COUNT [TIMES] */
static int parse_weight(struct parser *parser)
{
	struct jm_catalog_weight weight = {0};
	const struct word *words = parser->words;
	uint64_t times = 1;

	if (parser->n_words != 5 && parser->n_words != 6)
		return fail(parser, "a weight has 4 or 5 values");
	if (word_is(words[1], "normal"))
		weight.kind = JM_WEIGHT_NORMAL;
	else if (word_is(words[1], "uniform"))
		weight.kind = JM_WEIGHT_UNIFORM;
	else
		return fail(parser, "unknown distribution");
	if (!scan_number(words[2], &weight.a) || !scan_number(words[3], &weight.b))
		return fail(parser, "bad number");
	if (weight.kind == JM_WEIGHT_NORMAL ? !(weight.b > 0) : !(weight.b > weight.a))
		return fail(parser, "a distribution without spread");
	if (!scan_count(words[4], COUNT_MAX, &weight.count))
		return fail(parser, "bad count of weights");
	if (parser->n_words == 6 && !scan_count(words[5], TIMES_MAX, &times))
		return fail(parser, "bad count of tensors");
	weight.times = (uint32_t)times;
	return append_weight(parser, &weight);
}

static const struct {
	const char *name;
	int (*parse)(struct parser *parser);
	int repeats;
} FIELDS[] = {
	{"name", parse_name, 0},
	{"input", parse_input, 0},
	{"parameters", parse_parameters, 0},
	{"macs", parse_macs, 0},
	{"weight", parse_weight, 1},
};

#define N_FIELDS (sizeof(FIELDS) / sizeof(FIELDS[0]))

static int parse_field(struct parser *parser)
{
	for (size_t i = 0; i < N_FIELDS; i++) {
		if (!word_is(parser->words[0], FIELDS[i].name))
			continue;
		if ((parser->seen >> i & 1) && !FIELDS[i].repeats)
			return fail(parser, "a field comes twice");
		parser->seen |= 1U << i;
		return FIELDS[i].parse(parser);
	}
	return fail(parser, "unknown field");
}

static int parse_first(struct parser *parser)
{
	if (parser->n_words != 2 || !word_is(parser->words[0], "joulemap-model"))
		return fail(parser, "not a network of the catalogue");
	if (!word_is(parser->words[1], "1"))
		return jm_fail(parser->reterr, JM_EUNSUPPORTED,
			"'%s' is made for a newer joulemap: its format is not 1", parser->path);
	return 0;
}

/* Reads up to the empty line; *ret_used is where the ONNX model begins. */
static int parse_header(struct parser *parser, const char *data, size_t size, size_t *ret_used)
{
	size_t at = 0;

	for (parser->line = 1;; parser->line++) {
		const char *end = memchr(data + at, '\n', size - at);
		size_t length;
		int result;

		if (!end)
			return jm_fail(parser->reterr, JM_ETRUNCATED,
				"'%s', line %u: the header ends too early; install joulemap "
				"again",
				parser->path, parser->line);
		length = (size_t)(end - data) - at;
		if (length == 0 && parser->line > 1)
			break;
		result = split(parser, data + at, length);
		if (result == 0)
			result = parser->line == 1 ? parse_first(parser) : parse_field(parser);
		if (result < 0)
			return result;
		at += length + 1;
	}
	*ret_used = at + 1;
	for (size_t i = 0; i < N_FIELDS; i++)
		if (!(parser->seen >> i & 1))
			return jm_fail(parser->reterr, JM_EFORMAT,
				"'%s', line %u: the header has no '%s'; install joulemap again",
				parser->path, parser->line, FIELDS[i].name);
	return 0;
}

void jm_catalog_release(struct jm_catalog_network *network)
{
	if (!network)
		return;
	free(network->weights);
	free(network->onnx);
	free(network->values);
	memset(network, 0, sizeof(*network));
}

int jm_catalog_parse(struct jm_catalog_network *network, const char *path, const char *data,
	size_t size, struct jm_error *reterr)
{
	struct parser parser = {.network = network, .path = path, .reterr = reterr};
	size_t used = 0;
	int result;

	memset(network, 0, sizeof(*network));
	result = parse_header(&parser, data, size, &used);
	if (result < 0)
		goto out;
	network->n_onnx_bytes = size - used;
	if (network->n_onnx_bytes == 0) {
		result = jm_fail(reterr, JM_ETRUNCATED,
			"'%s' has no network behind its header; install joulemap again", path);
		goto out;
	}
	network->onnx = malloc(network->n_onnx_bytes);
	if (network->onnx)
		memcpy(network->onnx, data + used, network->n_onnx_bytes);
	else
		result = jm_fail_memory(reterr, path);
out:
	if (result < 0)
		jm_catalog_release(network);
	return result;
}

/* ---- gzip -------------------------------------------------------------------- */

/* Makes room in *data for more than `used` bytes. */
static int grow(char **data, size_t *capacity, const char *path, struct jm_error *reterr)
{
	size_t larger = *capacity ? *capacity * 2 : (size_t)1 << 18;
	char *moved;

	if (larger > CONTENT_MAX_BYTES)
		return jm_fail(reterr, JM_EFORMAT, "'%s' unpacks to more than %zu MiB", path,
			CONTENT_MAX_BYTES >> 20);
	moved = realloc(*data, larger);
	if (!moved)
		return jm_fail_memory(reterr, path);
	*data = moved;
	*capacity = larger;
	return 0;
}

/* Unpacks one gzip member; *ret_data is freed with free(), also on failure. */
static int unpack(z_stream *stream, const char *path, char **ret_data, size_t *ret_size,
	struct jm_error *reterr)
{
	size_t capacity = 0;
	int status, result;

	do {
		if (*ret_size == capacity) {
			result = grow(ret_data, &capacity, path, reterr);
			if (result < 0)
				return result;
		}
		stream->next_out = (Bytef *)*ret_data + *ret_size;
		stream->avail_out = (uInt)(capacity - *ret_size);
		status = inflate(stream, Z_NO_FLUSH);
		*ret_size = capacity - stream->avail_out;
	} while (status == Z_OK);
	if (status == Z_STREAM_END && stream->avail_in == 0)
		return 0;
	if (status == Z_MEM_ERROR)
		return jm_fail_memory(reterr, path);
	if (status == Z_BUF_ERROR)
		return jm_fail(
			reterr, JM_ETRUNCATED, "'%s' is cut off; install joulemap again", path);
	return jm_fail(reterr, JM_EFORMAT, "'%s' is damaged (%s); install joulemap again", path,
		stream->msg ? stream->msg : "more follows the end of the gzip data");
}

int jm_catalog_parse_gzip(struct jm_catalog_network *network, const char *path,
	const void *data, size_t size, struct jm_error *reterr)
{
	z_stream stream = {0};
	char *content = NULL;
	size_t content_size = 0;
	int result;

	memset(network, 0, sizeof(*network));
	if (size > CONTENT_MAX_BYTES)
		return jm_fail(reterr, JM_EFORMAT, "'%s' is too large", path);
	if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
		return jm_fail_memory(reterr, path);
	stream.next_in = (Bytef *)(uintptr_t)data; /* not written to */
	stream.avail_in = (uInt)size;
	result = unpack(&stream, path, &content, &content_size, reterr);
	if (result == 0)
		result = jm_catalog_parse(network, path, content, content_size, reterr);
	if (result == 0)
		network->entry.file_bytes = size;
	inflateEnd(&stream);
	free(content);
	return result;
}
