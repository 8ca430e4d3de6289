/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "machine/board.h"
#include "scratch.h"

static void put(const char *name, const char *text)
{
	char folder[256];

	snprintf(folder, sizeof(folder), "%s", scratch_path(name));
	*strrchr(folder, '/') = '\0';
	assert_int_equal(jm_folder_make(folder, NULL), 0);
	scratch_write(name, text);
}

/* No counter, no number: a machine that counts none has not counted 0. */
static void test_throttle_events(void **state)
{
	json_t *board;

	(void)state;
	put("a/proc/loadavg", "0.50 0 0\n");
	board = jm_board_state(scratch_path("a"));
	assert_non_null(board);
	assert_null(json_object_get(board, "throttle_events"));
	assert_null(json_object_get(board, "cpu_khz"));
	assert_true(json_real_value(json_object_get(board, "load_average")) == 0.5);
	json_decref(board);
	put("a/sys/class/hwmon/hwmon0/oc1_event_cnt", "0\n");
	board = jm_board_state(scratch_path("a"));
	assert_true(json_is_integer(json_object_get(board, "throttle_events")));
	json_decref(board);
	put("a/sys/class/hwmon/hwmon0/oc2_event_cnt", "3\n");
	put("a/sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "4\n");
	board = jm_board_state(scratch_path("a"));
	assert_int_equal(json_integer_value(json_object_get(board, "throttle_events")), 7);
	json_decref(board);
}

/* Names come from firmware: any bytes. */
static void test_name_of_any_bytes(void **state)
{
	json_t *board;

	(void)state;
	put("b/proc/device-tree/model", "Carri\xe9re\n");
	board = jm_board_describe(scratch_path("b"));
	assert_non_null(board);
	assert_string_equal(json_string_value(json_object_get(board, "name")), "Carri\\xe9re");
	json_decref(board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_throttle_events),
		cmocka_unit_test(test_name_of_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
