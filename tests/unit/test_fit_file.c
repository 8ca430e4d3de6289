/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <math.h>

#include "base/json_keys.h"
#include "run/fit_file.h"
#include "run/fit_keys.h"
#include "scratch.h"

static uint64_t seed = 1;

/* Any double at all, and often one that is easily lost. */
static double any_double(void)
{
	static const double odd[] = {0.0, -0.0, 5e-324, 1.7976931348623157e308, 0.1, 1e22,
		-2.2250738585072014e-308, 123456789.125};
	uint64_t bits = scratch_random(&seed);
	double value;

	switch (bits % 5) {
	case 0:
		return (double)NAN;
	case 1:
		return bits & 8 ? (double)INFINITY : -(double)INFINITY;
	case 2:
		return odd[bits / 8 % (sizeof(odd) / sizeof(odd[0]))];
	default:
		memcpy(&value, &bits, sizeof(value));
		return value;
	}
}

/* Gives every field that the tables know a random value. */
static void fill(const struct jm_keys *keys, char *object)
{
	for (size_t i = 0; i < keys->n; i++) {
		const struct jm_key *key = &keys->key[i];
		char *at = object + key->offset;
		int64_t integer = (int64_t)(scratch_random(&seed) % 1000);

		if (key->kind == JM_KIND_NUMBER)
			*(double *)(void *)at = any_double();
		else if (key->kind == JM_KIND_INTEGER && key->size == 8)
			memcpy(at, &integer, sizeof(integer));
		else if (key->kind == JM_KIND_INTEGER)
			*(int *)(void *)at = (int)integer - (integer % 7 == 0) * (int)integer;
		else if (key->kind == JM_KIND_BOOL)
			*(int *)(void *)at = integer % 2;
		else if (key->kind == JM_KIND_NAME)
			*(int *)(void *)at = (int)(integer % (int64_t)key->n_names);
		else if (key->kind == JM_KIND_TEXT)
			snprintf(at, key->size, integer % 5 ? "%d \"\xc3\xa9\"\n" : "",
				(int)integer);
		else if (key->kind == JM_KIND_OBJECT)
			fill(key->keys, at);
	}
}

static void fill_fit(struct jm_fit_of_rail *fit, size_t n_layers)
{
	const struct jm_key *result = &jm_fit_of_rail_keys.key[jm_fit_of_rail_keys.n - 1];
	const struct jm_key *layers = &result->keys->key[result->keys->n - 1];

	assert_true(result->kind == JM_KIND_OBJECT && layers->kind == JM_KIND_LIST);
	fill(&jm_fit_of_rail_keys, (char *)fit);
	fit->result.layers = calloc(n_layers, sizeof(*fit->result.layers));
	fit->result.n_layers = n_layers;
	for (size_t i = 0; i < n_layers; i++) {
		fill(layers->keys, (char *)&fit->result.layers[i]);
		if (i % 3 == 0)
			fit->result.layers[i].group = -1;
	}
}

/* Equal in every bit, but that one NaN is like another. */
static void expect_same(const struct jm_keys *keys, const char *a, const char *b)
{
	for (size_t i = 0; i < keys->n; i++) {
		const struct jm_key *key = &keys->key[i];
		const double *x = (const double *)(const void *)(a + key->offset);
		const double *y = (const double *)(const void *)(b + key->offset);
		size_t size = key->size ? key->size : sizeof(int);
		int same = 1;

		if (key->kind == JM_KIND_NUMBER)
			same = memcmp(x, y, sizeof(*x)) == 0 || (isnan(*x) && isnan(*y));
		else if (key->kind == JM_KIND_TEXT)
			same = strcmp(a + key->offset, b + key->offset) == 0;
		else if (key->kind == JM_KIND_OBJECT)
			expect_same(key->keys, a + key->offset, b + key->offset);
		else if (key->kind != JM_KIND_LIST)
			same = memcmp(a + key->offset, b + key->offset, size) == 0;
		if (!same)
			fail_msg("'%s' did not come back", key->name);
	}
}

static void expect_same_fit(const struct jm_fit_of_rail *a, const struct jm_fit_of_rail *b)
{
	const struct jm_key *result = &jm_fit_of_rail_keys.key[jm_fit_of_rail_keys.n - 1];
	const struct jm_key *layers = &result->keys->key[result->keys->n - 1];

	expect_same(&jm_fit_of_rail_keys, (const char *)a, (const char *)b);
	assert_int_equal(a->result.n_layers, b->result.n_layers);
	for (size_t i = 0; i < a->result.n_layers; i++)
		expect_same(layers->keys, (const char *)&a->result.layers[i],
			(const char *)&b->result.layers[i]);
}

static void make(struct jm_fit_file *file, size_t n_fits, size_t n_layers)
{
	char name[32];

	jm_fit_file_init(file);
	fill(&jm_fit_file_keys, (char *)file);
	for (size_t i = 0; i < n_layers; i++) {
		snprintf(name, sizeof(name), "layer \"%zu\"", i);
		jm_timeline_add_layer(&file->timeline, name, i % 2 ? "Conv" : NULL, NULL);
		file->timeline.layers[i].macs = i % 2 ? 1.0 / 3 : (double)NAN;
	}
	for (size_t i = 0; i < n_fits; i++)
		fill_fit(jm_fit_file_add(file), n_layers);
}

static void test_round_trip(void **state)
{
	static struct jm_fit_file file, again;

	(void)state;
	for (int turn = 0; turn < 200; turn++) {
		struct jm_error error = {0};
		char *first, *second;

		make(&file, (size_t)turn % 3, (size_t)turn % 7);
		first = jm_fit_file_format(&file);
		if (jm_fit_file_parse("test", first, strlen(first), &again, &error) < 0)
			fail_msg("%s", error.message);
		expect_same(&jm_fit_file_keys, (const char *)&file, (const char *)&again);
		assert_int_equal(again.n_fits, file.n_fits);
		for (size_t i = 0; i < file.n_fits; i++)
			expect_same_fit(&file.fits[i], &again.fits[i]);
		for (size_t i = 0; i < file.timeline.n_layers; i++) {
			const struct jm_layer *a = &file.timeline.layers[i];
			const struct jm_layer *b = &again.timeline.layers[i];

			assert_string_equal(a->name, b->name);
			assert_string_equal(a->type, b->type);
			assert_true(a->macs == b->macs || (isnan(a->macs) && isnan(b->macs)));
		}
		second = jm_fit_file_format(&again);
		assert_true(strcmp(first, second) == 0);
		free(first);
		free(second);
		jm_fit_file_release(&again);
		jm_fit_file_release(&file);
	}
}

/* All of the public structs' fields are in the tables: none is forgotten. */
static void test_complete(void **state)
{
	const struct jm_key *result = &jm_fit_of_rail_keys.key[jm_fit_of_rail_keys.n - 1];
	const struct jm_keys *keys = result->keys;

	(void)state;
	assert_int_equal(keys->size, sizeof(struct jm_fit_result));
	/* response, diagnostics, closure: every byte but the padding of ints. */
	for (size_t i = 0; i < 3; i++) {
		const struct jm_keys *part = keys->key[i].keys;
		size_t bytes = 0;

		assert_int_equal(keys->key[i].kind, JM_KIND_OBJECT);
		for (size_t k = 0; k < part->n; k++)
			bytes += part->key[k].kind == JM_KIND_NUMBER    ? sizeof(double)
				 : part->key[k].kind == JM_KIND_INTEGER ? part->key[k].size
									: sizeof(int);
		assert_true(bytes <= part->size && bytes + sizeof(double) > part->size);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *part;
	} cases[] = {
		{"{}", JM_EFORMAT, "'schema'"},
		{"{\"schema\": 2}", JM_EUNSUPPORTED, "later version"},
		{"{\"schema\": 1", JM_EFORMAT, "'test' line 1"},
		{"{\"schema\": 1, \"layers\": [{}]}", JM_EFORMAT, "'layers[0]' has no name"},
		{"{\"schema\": 1, \"fits\": [{\"result\": {\"layers\": [{}]}}]}", JM_EFORMAT,
			"'fits[0].result.layers' has 1 layers, 'layers' has 0"},
		{"{\"schema\": 1, \"fits\": [{\"result\": {\"cause\": \"no\"}}]}", JM_EFORMAT,
			"'fits[0].result.cause' is not one of none, long_window"},
		{"{\"schema\": 1, \"fits\": [{\"result\": {\"gap\": {\"power_w\": \"x\"}}}]}",
			JM_EFORMAT, "'fits[0].result.gap.power_w' is not a number"},
		{"{\"schema\": 1, \"sources\": [{\"size_bytes\": -7}]}", JM_EFORMAT,
			"'sources[0].size_bytes'"},
	};
	static struct jm_fit_file file;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct jm_error error = {0};

		assert_int_equal(jm_fit_file_parse("test", cases[i].text, strlen(cases[i].text),
					 &file, &error),
			cases[i].code);
		if (!strstr(error.message, cases[i].part))
			fail_msg("'%s' is not in '%s'", cases[i].part, error.message);
		jm_fit_file_release(&file);
	}
}

static void write_long(const char *name, size_t n, char middle)
{
	char *text = malloc(n + 1);

	memset(text, 'a', n);
	text[n] = '\0';
	text[n / 2] = middle;
	text[n - 1] = middle;
	scratch_write(name, text);
	free(text);
}

static int is_stale(const struct jm_fit_file *file)
{
	const struct jm_fit_source *source;
	char folder[JM_PATH_MAX];
	int stale;

	snprintf(folder, sizeof(folder), "%s", scratch_path("x"));
	*strrchr(folder, '/') = '\0';
	stale = jm_fit_file_is_stale(file, folder, &source);
	assert_int_equal(stale, source != NULL);
	return stale;
}

static void test_stale(void **state)
{
	static struct jm_fit_file file;
	char folder[512], path[1024];
	struct jm_error error = {0};

	(void)state;
	snprintf(folder, sizeof(folder), "%s", scratch_path("x"));
	*strrchr(folder, '/') = '\0';
	for (size_t n = 10; n <= 300000; n *= 30) {
		jm_fit_file_init(&file);
		write_long("source.log", n, 'b');
		snprintf(path, sizeof(path), "%s/source.log", folder);
		assert_int_equal(
			jm_fit_file_add_source(&file, "power_log", path, folder, &error), 0);
		assert_string_equal(file.sources[0].path, "source.log");
		assert_int_equal(is_stale(&file), 0);
		write_long("source.log", n, 'b'); /* copied: the same at another time */
		assert_int_equal(is_stale(&file), 0);
		write_long("source.log", n, 'c');
		assert_int_equal(is_stale(&file), 1);
		write_long("source.log", n + 1, 'b');
		assert_int_equal(is_stale(&file), 1);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(is_stale(&file), 1);
		jm_fit_file_release(&file);
	}
	jm_fit_file_init(&file);
	assert_true(jm_fit_file_add_source(&file, "power_log", path, folder, &error) < 0);
	jm_fit_file_release(&file);
	/* Elsewhere: its whole path. */
	assert_int_equal(jm_fit_file_add_source(&file, "run",
				 JM_TEST_DATA "/runs/schema1/lenet/run.json", folder, &error),
		0);
	assert_true(file.sources[0].path[0] == '/');
	assert_int_equal(is_stale(&file), 0);
	jm_fit_file_release(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_stale),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
