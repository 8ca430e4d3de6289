/* SPDX-License-Identifier: Apache-2.0 */
/* Loading plug-ins: what they bring, and every way in which they are refused. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engines/registry.h"
#include "plugin/loader.h"
#include "scratch.h"
#include "sensors/registry.h"

static size_t count_all(void)
{
	size_t n_sensors, n_engines, n_plugins;

	jm_sensors(&n_sensors);
	jm_engines(&n_engines);
	jm_plugins(&n_plugins);
	return n_sensors + n_engines + n_plugins;
}

static void expect_refused(const char *path, int code, const char *text)
{
	struct jm_error error = {0};
	size_t before = count_all();
	int result = jm_plugin_load(path, &error);

	if (result != code || error.code != code || !strstr(error.message, text))
		fail_msg("%s: expected %s with \"%s\", got %s: %s", path, jm_code_name(code),
			text, jm_code_name(result), error.message);
	assert_null(strchr(error.message, '\n'));
	assert_int_equal(count_all(), before);
	assert_int_equal(jm_plugin_load(path, NULL), code);
}

static void test_broken(void **state)
{
	static const struct {
		const char *name;
		int code;
		const char *text;
	} cases[] = {
		{"no_function", JM_EFORMAT, "no function joulemap_plugin()"},
		{"nothing", JM_EINVAL, "returns NULL"},
		{"empty", JM_EINVAL, "neither sensor nor engine"},
		{"nameless", JM_EINVAL, "no name"},
		{"without_list", JM_EINVAL, "counts sensors but has none"},
		{"null_sensor", JM_EINVAL, "sensor that is NULL"},
		{"other_plugin_abi", JM_EUNSUPPORTED, "rebuild it against the headers of"},
		{"other_plugin_size", JM_EUNSUPPORTED, "joulemap/plugin.h"},
		{"other_engine_abi", JM_EUNSUPPORTED, "version 4 of joulemap/engine.h"},
		{"other_engine_size", JM_EUNSUPPORTED, "joulemap/engine.h says"},
		{"other_sensor_abi", JM_EUNSUPPORTED, "version 1 of joulemap/sensor.h"},
		{"engine_without_run", JM_EINVAL, "'run'"},
		{"sensor_without_read", JM_EINVAL, "'read'"},
		{"engine_name_taken", JM_EINVAL, "'onnxruntime'"},
		{"sensor_name_taken", JM_EINVAL, "'sim'"},
		{"same_sensor_twice", JM_EINVAL, "'broken'"},
		{"undefined_symbol", JM_EFORMAT, "jm_nobody_has_this"},
	};
	char path[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s.so", JM_TEST_PLUGINS, cases[i].name);
		expect_refused(path, cases[i].code, cases[i].text);
	}
	assert_null(jm_sensor_find("broken"));
	assert_null(jm_engine_find("broken"));
}

/* ---- Files that are none -------------------------------------------------------- */

/* The first bytes of a shared object, with some changed. */
static void write_head(const char *path, size_t offset, unsigned char byte)
{
	unsigned char head[64];
	char own[512];
	FILE *file;

	snprintf(own, sizeof(own), "%s/nothing.so", JM_TEST_PLUGINS);
	file = fopen(own, "rb");
	assert_non_null(file);
	assert_int_equal(fread(head, 1, sizeof(head), file), sizeof(head));
	fclose(file);
	head[offset] = byte;
	assert_int_equal(jm_file_write(path, head, sizeof(head), NULL), 0);
}

static void test_files(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s", scratch_path("x.so"));
	expect_refused(path, JM_ENOTFOUND, "cannot open '");
	expect_refused("/", JM_EFORMAT, "is no shared object");
	scratch_write("x.so", "");
	expect_refused(path, JM_EFORMAT, "is no shared object");
	scratch_write("x.so", "#include <joulemap/plugin.h>\n");
	expect_refused(path, JM_EFORMAT, "is no shared object");
	write_head(path, 16, 1); /* an object file */
	expect_refused(path, JM_EFORMAT, "is no shared object");
	write_head(path, 18, 8); /* MIPS */
	expect_refused(path, JM_EUNSUPPORTED, "was built for another kind of processor");
	write_head(path, 0, 0x7f); /* cut off */
	expect_refused(path, JM_EFORMAT, "cannot be loaded");
}

/* ---- The skeletons ----------------------------------------------------------------- */

/* By a relative path too, and once more without harm. */
static void test_load(void **state)
{
	const struct jm_loaded_plugin *plugins;
	struct jm_error error = {0};
	size_t n, before = count_all();

	(void)state;
	if (jm_plugin_load(JM_TEST_SENSOR_PLUGIN, &error) < 0)
		fail_msg("%s", error.message);
	if (jm_plugin_load(JM_TEST_ENGINE_PLUGIN, &error) < 0)
		fail_msg("%s", error.message);
	assert_int_equal(count_all(), before + 4);
	assert_int_equal(jm_plugin_load(JM_TEST_SENSOR_PLUGIN, &error), 0);
	assert_int_equal(count_all(), before + 4);
	assert_non_null(jm_sensor_find("textfile"));
	assert_non_null(jm_engine_find("threelayers"));
	plugins = jm_plugins(&n);
	assert_int_equal(n, 2);
	assert_string_equal(plugins[0].plugin->name, "sensor_plugin");
	assert_string_equal(plugins[1].plugin->version, "1.0");
	assert_true(plugins[0].path[0] == '/');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_load),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
