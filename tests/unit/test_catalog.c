/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "catalog/catalog.h"

#define CATALOG JM_SOURCE_DIR "/catalog"

/* https://pytorch.org/vision/stable/models.html; LeNet-5 by hand. */
static const struct {
	const char *name;
	uint64_t parameters;
	double gmacs;
} PUBLISHED[] = {
	{"alexnet", 61100840, 0.714},
	{"convnext_base", 88591464, 15.355},
	{"convnext_small", 50223688, 8.684},
	{"convnext_tiny", 28589128, 4.456},
	{"densenet121", 7978856, 2.834},
	{"efficientnet_b0", 5288548, 0.386},
	{"lenet", 61706, 0.00041652},
	{"mobilenet_v2", 3504872, 0.301},
	{"mobilenet_v3_large", 5483032, 0.217},
	{"mobilenet_v3_small", 2542856, 0.057},
	{"resnet101", 44549160, 7.801},
	{"resnet152", 60192808, 11.514},
	{"resnet18", 11689512, 1.814},
	{"resnet34", 21797672, 3.664},
	{"resnet50", 25557032, 4.089},
	{"resnext101_32x8d", 88791336, 16.414},
	{"resnext101_64x4d", 83455272, 15.46},
	{"resnext50_32x4d", 25028904, 4.23},
	{"squeezenet1_1", 1235496, 0.349},
	{"vgg11", 132863336, 7.609},
	{"vgg13", 133047848, 11.308},
	{"vgg16", 138357544, 15.47},
	{"vgg19", 143667240, 19.632},
	{"vit_b_16", 86567656, 17.564},
};

#define N_PUBLISHED (sizeof(PUBLISHED) / sizeof(PUBLISHED[0]))

static void test_published(void **state)
{
	struct jm_catalog_entry *entries = NULL;
	struct jm_error error = {0};
	uint64_t total = 0;

	(void)state;
	assert_int_equal(jm_catalog_list(CATALOG, &entries, &error), N_PUBLISHED);
	for (size_t i = 0; i < N_PUBLISHED; i++) {
		const struct jm_catalog_entry *entry = &entries[i];

		assert_string_equal(entry->name, PUBLISHED[i].name);
		assert_true(entry->parameters == PUBLISHED[i].parameters);
		assert_true(fabs((double)entry->macs / 1e9 - PUBLISHED[i].gmacs) <=
			    0.01 * PUBLISHED[i].gmacs);
		assert_string_equal(entry->input, "input");
		assert_int_equal(entry->n_dims, 4);
		assert_int_equal(entry->dims[0], 1);
		assert_string_equal(entry->symbols[0], "N");
		assert_string_equal(entry->symbols[1], "");
		total += entry->file_bytes;
	}
	assert_true(total <= UINT64_C(200000));
	free(entries);
}

/* A header that a test can bend: nothing is checked against the ONNX bytes. */
#define HEADER                                                                                 \
	"joulemap-model 1\nname tiny\ninput x float32 N=1 3 H=8 W=8\nparameters 99\nmacs 7\n"

static int parse(const char *text, struct jm_catalog_network *network, struct jm_error *error)
{
	memset(error, 0, sizeof(*error));
	return jm_catalog_parse(network, "tiny.model.gz", text, strlen(text), error);
}

static void test_parse(void **state)
{
	struct jm_catalog_network network;
	struct jm_error error;
	struct jm_model model;

	(void)state;
	assert_int_equal(
		parse(HEADER "weight normal 0 0.5 33 2\nweight uniform 0.5 1.5 32\n\nONNX",
			&network, &error),
		0);
	assert_string_equal(network.entry.name, "tiny");
	assert_string_equal(network.entry.input, "x");
	assert_string_equal(network.entry.symbols[3], "W");
	assert_int_equal(network.entry.dims[3], 8);
	assert_int_equal(network.n_weights, 2);
	assert_int_equal(network.weights_bytes, 192 + 192 + 128);
	jm_catalog_get_model(&network, &model);
	assert_null(model.weights);
	assert_int_equal(model.n_weights_bytes, 0);
	assert_int_equal(jm_catalog_make_weights(&network, 1, &error), 0);
	for (size_t i = 0; i < 128; i++) {
		int padding = (i >= 33 && i < 48) || (i >= 81 && i < 96);

		assert_true(padding ? network.values[i] == 0 : network.values[i] != 0);
	}
	for (size_t i = 96; i < 128; i++)
		assert_true(network.values[i] >= 0.5f && network.values[i] <= 1.5f);
	jm_catalog_get_model(&network, &model);
	assert_int_equal(model.n_bytes, 4);
	assert_memory_equal(model.bytes, "ONNX", 4);
	assert_ptr_equal(model.weights, network.values);
	assert_int_equal(model.n_weights_bytes, 512);
	jm_catalog_release(&network);
	jm_catalog_release(&network);
	jm_catalog_release(NULL);
}

#define WEIGHT "weight normal 0 1 32"

static const struct {
	const char *text;
	int code;
	const char *message; /* a part of it */
} BAD[] = {
	{"", JM_ETRUNCATED, "line 1"},
	{"\n\nONNX", JM_EFORMAT, "line 1"},
	{"joulemap-model 2\n\nONNX", JM_EUNSUPPORTED, "newer joulemap"},
	{"joulemap-model\n\nONNX", JM_EFORMAT, "not a network"},
	{"joulemap-model 1", JM_ETRUNCATED, "line 1"},
	{"joulemap-model 1\nname a\n\nONNX", JM_EFORMAT, "no 'input'"},
	{"joulemap-model 1\nname ../a\n", JM_EFORMAT, "line 2: bad network name"},
	{"joulemap-model 1\nname a\nname a\n", JM_EFORMAT, "line 3: a field comes twice"},
	{"joulemap-model 1\ninput x float16 1\n", JM_EFORMAT, "line 2: the input is not"},
	{"joulemap-model 1\ninput x float32\n", JM_EFORMAT, "line 2: bad input"},
	{"joulemap-model 1\ninput x float32 0\n", JM_EFORMAT, "line 2: bad dim"},
	{"joulemap-model 1\ninput x float32 N=\n", JM_EFORMAT, "line 2: bad dim"},
	{"joulemap-model 1\ninput x float32 =1\n", JM_EFORMAT, "line 2: bad symbol"},
	{"joulemap-model 1\ninput x float32 TOOLONGX=1\n", JM_EFORMAT, "line 2: bad symbol"},
	{"joulemap-model 1\ninput x float32 1 1 1 1 1 1 1 1 1\n", JM_EFORMAT, "too many"},
	{"joulemap-model 1\nmacs 18446744073709551616\n", JM_EFORMAT, "line 2"},
	{"joulemap-model 1\nmacs  1\n", JM_EFORMAT, "a word is missing"},
	{"joulemap-model 1\nparameters -1\n", JM_EFORMAT, "line 2"},
	{"joulemap-model 1\nflops 1\n", JM_EFORMAT, "line 2: unknown field"},
	{HEADER "\nONNX", JM_EFORMAT, "no 'weight'"},
	{HEADER WEIGHT "\n\n", JM_ETRUNCATED, "no network"},
	{HEADER WEIGHT "\nmacs 7", JM_ETRUNCATED, "line 7"},
	{HEADER "weight normal 0 1\n\nONNX", JM_EFORMAT, "line 6"},
	{HEADER "weight cauchy 0 1 32\n\nONNX", JM_EFORMAT, "unknown distribution"},
	{HEADER "weight normal 0 0 32\n\nONNX", JM_EFORMAT, "without spread"},
	{HEADER "weight normal 0 -1 32\n\nONNX", JM_EFORMAT, "without spread"},
	{HEADER "weight uniform 1 1 32\n\nONNX", JM_EFORMAT, "without spread"},
	{HEADER "weight normal nan 1 32\n\nONNX", JM_EFORMAT, "bad number"},
	{HEADER "weight normal 0 1e300 32\n\nONNX", JM_EFORMAT, "bad number"},
	{HEADER "weight normal 0 1e999 32\n\nONNX", JM_EFORMAT, "bad number"},
	{HEADER "weight normal 0 1 0\n\nONNX", JM_EFORMAT, "bad count"},
	{HEADER "weight normal 0 1 99999999999999999999\n\nONNX", JM_EFORMAT, "bad count"},
	{HEADER "weight normal 0 1 32 0\n\nONNX", JM_EFORMAT, "bad count of tensors"},
	{HEADER "weight normal 0 1 32 99999999\n\nONNX", JM_EFORMAT, "bad count of tensors"},
	{HEADER "weight normal 0 1 2147483648 65536\n\nONNX", JM_EFORMAT, "absurdly many"},
	{HEADER "weight normal 0 1 536870912\nweight normal 0 1 536870912\n" WEIGHT "\n\nONNX",
		JM_EFORMAT, "line 7: absurdly many"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		struct jm_catalog_network network;
		struct jm_error error;

		assert_int_equal(parse(BAD[i].text, &network, &error), BAD[i].code);
		assert_int_equal(error.code, BAD[i].code);
		assert_non_null(strstr(error.message, "'tiny.model.gz'"));
		if (!strstr(error.message, BAD[i].message))
			fail_msg("case %zu: %s", i, error.message);
		assert_null(network.weights);
		assert_null(network.onnx);
		assert_int_equal(parse(BAD[i].text, &network, &error), BAD[i].code);
	}
}

/* Packs a text as gzip does. */
static size_t pack(const void *text, size_t size, unsigned char *ret_data, size_t capacity)
{
	z_stream stream = {0};

	assert_int_equal(
		deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY),
		Z_OK);
	stream.next_in = (Bytef *)(uintptr_t)text;
	stream.avail_in = (uInt)size;
	stream.next_out = ret_data;
	stream.avail_out = (uInt)capacity;
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	deflateEnd(&stream);
	return capacity - stream.avail_out;
}

static void test_gzip(void **state)
{
	static const char text[] = HEADER WEIGHT "\n\nONNX";
	unsigned char packed[512];
	size_t size = pack(text, sizeof(text) - 1, packed, sizeof(packed) - 1);
	struct jm_catalog_network network;
	struct jm_error error;

	(void)state;
	assert_int_equal(jm_catalog_parse_gzip(&network, "a", packed, size, &error), 0);
	assert_int_equal(network.n_onnx_bytes, 4);
	assert_int_equal(network.entry.file_bytes, size);
	jm_catalog_release(&network);

	for (size_t cut = 0; cut < size; cut++) {
		int result = jm_catalog_parse_gzip(&network, "a", packed, cut, &error);

		assert_int_equal(result, JM_ETRUNCATED);
		assert_null(network.onnx);
	}
	packed[size] = 0;
	assert_int_equal(
		jm_catalog_parse_gzip(&network, "a", packed, size + 1, &error), JM_EFORMAT);
	packed[size - 6] ^= 1; /* the check sum */
	assert_int_equal(
		jm_catalog_parse_gzip(&network, "a", packed, size, &error), JM_EFORMAT);
	assert_non_null(strstr(error.message, "'a' is damaged"));
	assert_int_equal(jm_catalog_parse_gzip(&network, "a", "text", 4, &error), JM_EFORMAT);
}

/* 100 MiB of zeros in 100 kB. */
static void test_gzip_bomb(void **state)
{
	size_t size = (size_t)100 << 20, capacity = (size_t)1 << 20;
	char *zeros = calloc(1, size);
	unsigned char *packed = malloc(capacity);
	struct jm_catalog_network network;
	struct jm_error error;

	(void)state;
	assert_non_null(zeros);
	assert_non_null(packed);
	size = pack(zeros, size, packed, capacity);
	assert_int_equal(
		jm_catalog_parse_gzip(&network, "a", packed, size, &error), JM_EFORMAT);
	assert_non_null(strstr(error.message, "unpacks to more than 64 MiB"));
	free(packed);
	free(zeros);
}

static void expect_unknown(const char *name, const char *message)
{
	struct jm_catalog_network network;
	struct jm_error error;

	assert_int_equal(jm_catalog_open(&network, CATALOG, name, &error), JM_ENOTFOUND);
	assert_string_equal(error.message, message);
	assert_null(network.onnx);
}

static void test_unknown(void **state)
{
	(void)state;
	expect_unknown("resnet81",
		"the catalogue has no network 'resnet81'; did you mean "
		"'resnet18', 'resnet101', 'resnet34'; 'joulemap catalog' shows "
		"all");
	expect_unknown("mobilnet_v2",
		"the catalogue has no network 'mobilnet_v2'; did you mean "
		"'mobilenet_v2'; 'joulemap catalog' shows all");
	expect_unknown("vgg", "the catalogue has no network 'vgg'; did you mean "
			      "'vgg11', 'vgg13', 'vgg16'; 'joulemap catalog' shows all");
	expect_unknown(
		"yolo", "the catalogue has no network 'yolo'; 'joulemap catalog' shows all");
	expect_unknown("../catalog/lenet", "the catalogue has no network '../catalog/lenet'; "
					   "'joulemap catalog' shows all");
	expect_unknown("", "the catalogue has no network ''; 'joulemap catalog' shows all");
}

static void test_folder(void **state)
{
	struct jm_catalog_entry *entries = NULL;
	char path[JM_PATH_MAX];
	struct jm_error error;

	(void)state;
	unsetenv("JOULEMAP_CATALOG_DIR");
	assert_int_equal(jm_catalog_folder(NULL, path, &error), 0);
	assert_string_equal(path, CATALOG);
	setenv("JOULEMAP_CATALOG_DIR", "/nowhere", 1);
	assert_int_equal(jm_catalog_folder(NULL, path, &error), JM_ENOTFOUND);
	assert_non_null(strstr(error.message, "'/nowhere'"));
	assert_int_equal(jm_catalog_folder(JM_SOURCE_DIR, path, &error), 0);
	assert_string_equal(path, JM_SOURCE_DIR);
	unsetenv("JOULEMAP_CATALOG_DIR");
	assert_int_equal(jm_catalog_list(JM_SOURCE_DIR, &entries, &error), JM_ENOTFOUND);
	assert_non_null(strstr(error.message, "no network in"));
	assert_int_equal(jm_catalog_list("/nowhere", &entries, &error), JM_ENOTFOUND);
}

/* Moments of a million numbers; bounds are five standard errors wide. */
static void test_normal(void **state)
{
	struct jm_catalog_weight weight = {JM_WEIGHT_NORMAL, 3.0f, 0.25f, 1000000, 1};
	float *values = malloc(weight.count * sizeof(*values));
	double sums[5] = {0}, n = (double)weight.count, beyond = 0;

	(void)state;
	assert_non_null(values);
	jm_weights_fill(&weight, 42, 7, values);
	for (size_t i = 0; i < weight.count; i++) {
		double z = ((double)values[i] - 3.0) / 0.25, power = 1;

		assert_true(fabs(z) < 4.1);
		beyond += fabs(z) > 1.959964;
		for (int k = 1; k <= 4; k++)
			sums[k] += power *= z;
	}
	assert_true(fabs(sums[1] / n) < 0.005);
	assert_true(fabs(sums[2] / n - 1) < 0.0071);
	assert_true(fabs(sums[3] / n) < 0.0194);
	assert_true(fabs(sums[4] / n - 3) < 0.049);
	assert_true(fabs(beyond / n - 0.05) < 0.004);
	free(values);
}

/* Neighbours share random bits, but are not correlated. */
static void test_neighbours(void **state)
{
	struct jm_catalog_weight weight = {JM_WEIGHT_NORMAL, 0.0f, 1.0f, 1000000, 1};
	float *values = malloc(weight.count * sizeof(*values));

	(void)state;
	assert_non_null(values);
	jm_weights_fill(&weight, 42, 7, values);
	for (size_t lag = 1; lag <= 5; lag++) {
		double sum = 0;

		for (size_t i = 0; i + lag < weight.count; i++)
			sum += (double)values[i] * (double)values[i + lag];
		assert_true(fabs(sum / (double)weight.count) < 0.005);
	}
	free(values);
}

static void test_uniform(void **state)
{
	struct jm_catalog_weight weight = {JM_WEIGHT_UNIFORM, 0.5f, 1.5f, 1000000, 1};
	float *values = malloc(weight.count * sizeof(*values));
	double sum = 0, squares = 0, n = (double)weight.count;

	(void)state;
	assert_non_null(values);
	jm_weights_fill(&weight, 42, 7, values);
	for (size_t i = 0; i < weight.count; i++) {
		assert_true(values[i] >= 0.5f && values[i] <= 1.5f);
		sum += (double)values[i] - 1;
		squares += ((double)values[i] - 1) * ((double)values[i] - 1);
	}
	assert_true(fabs(sum / n) < 0.0015);
	assert_true(fabs(squares / n - 1 / 12.0) < 0.0004);
	free(values);
}

static uint64_t hash(const void *data, size_t size)
{
	const unsigned char *bytes = data;
	uint64_t value = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (size_t i = 0; i < size; i++)
		value = (value ^ bytes[i]) * UINT64_C(0x100000001b3);
	return value;
}

/* The bits that every machine makes; big-endian ones store them otherwise. */
static void test_same_everywhere(void **state)
{
	struct jm_catalog_network network;
	struct jm_error error;

	(void)state;
	assert_int_equal(jm_catalog_open(&network, CATALOG, "lenet", &error), 0);
	assert_int_equal(jm_catalog_make_weights(&network, 1, &error), 0);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	assert_true(
		hash(network.values, network.weights_bytes) == UINT64_C(0x9e5707090ce213e5));
#endif
	assert_int_equal(jm_catalog_make_weights(&network, 2, &error), 0);
	assert_true(
		hash(network.values, network.weights_bytes) != UINT64_C(0x9e5707090ce213e5));
	jm_catalog_release(&network);
}

/* Every number of a network is finite and none is zero or denormal. */
static void test_weights(void **state)
{
	struct jm_catalog_network network;
	struct jm_error error;
	size_t odd = 0;

	(void)state;
	assert_int_equal(jm_catalog_open(&network, CATALOG, "mobilenet_v2", &error), 0);
	assert_int_equal(jm_catalog_make_weights(&network, 1, &error), 0);
	for (size_t i = 0; i < network.weights_bytes / sizeof(float); i++)
		odd += !isnormal(network.values[i]);
	assert_true(odd < network.n_weights * 15); /* padding */
	jm_catalog_release(&network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_gzip),
		cmocka_unit_test(test_gzip_bomb),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_folder),
		cmocka_unit_test(test_normal),
		cmocka_unit_test(test_neighbours),
		cmocka_unit_test(test_uniform),
		cmocka_unit_test(test_same_everywhere),
		cmocka_unit_test(test_weights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
