/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>
#include <math.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "sensors.h"
#include "sensors/registry.h"
#include "base/sysfs.h"

/* ---- Faults that plain files do not have ------------------------------------ */

static int fault_errno; /* of every pread, 0: none */

/* Takes the place of the C library's, for the sensor under test. */
ssize_t pread(int fd, void *buffer, size_t size, off_t offset)
{
	if (fault_errno) {
		errno = fault_errno;
		return -1;
	}
	return syscall(SYS_pread64, fd, buffer, size, offset);
}

/* ---- An opened sensor ---------------------------------------------------------- */

struct opened {
	struct fake_clock clock;
	struct jm_sensor_options options;
	struct jm_sensor_info info;
	struct jm_error error;
	struct latest latest;
	void *state;
};

/* Its info is the sensor's own then. */
static int open_it(struct opened *opened)
{
	int result = jm_sensor_ina3221.open(
		opened->state, &opened->info, &opened->options, &opened->error);

	if (result < 0)
		return result;
	jm_sensor_info_release(&opened->info);
	return jm_sensor_info_copy(
		jm_sensor_ina3221.info(opened->state), &opened->info, &opened->error);
}

static int try_open(struct opened *opened, const char *root, const char *wanted)
{
	const struct jm_sensor_ops *ops;
	int result;

	memset(opened, 0, sizeof(*opened));
	opened->clock.step_ns = 240000;
	opened->options = fake_options(&opened->clock, root, NULL);
	opened->state = calloc(1, jm_sensor_ina3221.state_size);
	assert_non_null(opened->state);
	result =
		jm_sensor_select(wanted, &opened->options, &ops, &opened->info, &opened->error);
	if (result < 0)
		return result;
	assert_ptr_equal(ops, &jm_sensor_ina3221);
	return open_it(opened);
}

static int read_once(struct opened *opened)
{
	return read_latest(&jm_sensor_ina3221, opened->state, &opened->latest, &opened->error);
}

static void done(struct opened *opened)
{
	jm_sensor_ina3221.close(opened->state);
	jm_sensor_info_release(&opened->info);
	free(opened->state);
	fault_errno = 0;
}

/* ---- Boards ---------------------------------------------------------------------- */

struct expected_rail {
	const char *name;
	int parent;
	double mv, ma, quantum_ma;
};

static void expect_board(const char *root, const char *wanted, const char *id,
	const char *board, double round_ms, const struct expected_rail *rails, size_t n)
{
	struct opened opened;

	assert_int_equal(try_open(&opened, root, wanted), 0);
	assert_string_equal(opened.info.id, id);
	assert_string_equal(opened.info.board, board);
	assert_float_equal(opened.info.round_ms, round_ms, 1e-9);
	assert_int_equal(opened.info.n_rails, n);
	assert_int_equal(read_once(&opened), 0);
	for (size_t i = 0; i < n; i++) {
		const struct jm_rail_info *rail = &opened.info.rails[i];

		assert_string_equal(rail->name, rails[i].name);
		assert_int_equal(rail->parent, rails[i].parent);
		assert_true(rail->quantum[0] == 8.0);
		assert_float_equal(rail->quantum[1], rails[i].quantum_ma, 1e-12);
		/* At full scale, 163.8 mV, it no longer measures. */
		assert_float_equal(rail->range,
			rails[i].quantum_ma > 0 ? 4095 * rails[i].quantum_ma - 0.5 : 0, 1e-9);
		assert_true(opened.latest.readings[i].value[0] == rails[i].mv);
		assert_true(opened.latest.readings[i].value[1] == rails[i].ma);
	}
	done(&opened);
}

static void test_orin_nano(void **state)
{
	static const struct expected_rail rails[] = {
		{"VDD_IN", -1, 5032, 840, 8},
		{"VDD_CPU_GPU_CV", 0, 5024, 128, 8},
		{"VDD_SOC", 0, 5024, 288, 8},
	};

	(void)state;
	expect_board(TREE("orin-nano-jp6"), NULL, "ina3221:1-0040",
		"NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Sup", 6.6, rails,
		3);
	expect_board(TREE("orin-nano-jp6"), "ina3221:1-0040,total", "ina3221:1-0040",
		"NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Sup", 6.6, rails,
		1);
}

/* The sum of three rails is the module; the memory's supply is inside one of them. */
static void test_agx_orin(void **state)
{
	static const struct expected_rail rails[] = {
		{"VDD_GPU_SOC", -1, 19864, 180, 20},
		{"VDD_CPU_CV", -1, 19864, 40, 20},
		{"VIN_SYS_5V0", -1, 5000, 540, 20},
	};
	static const struct expected_rail memory[] = {
		{"VDDQ_VDD2_1V8AO", -1, 5000, 120, 20},
	};

	(void)state;
	expect_board(TREE("agx-orin-jp6"), NULL, "ina3221:1-0040",
		"NVIDIA Jetson AGX Orin Developer Kit", 6.6, rails, 3);
	expect_board(TREE("agx-orin-jp6"), "ina3221:1-0041", "ina3221:1-0041",
		"NVIDIA Jetson AGX Orin Developer Kit", 2.2, memory, 1);
}

static void test_xavier_nx(void **state)
{
	static const struct expected_rail rails[] = {
		{"VDD_IN", -1, 4976, 696, 8},
		{"VDD_CPU_GPU_CV", 0, 4968, 144, 8},
		{"VDD_SOC", 0, 4968, 216, 8},
	};

	(void)state;
	expect_board(TREE("xavier-nx-jp5"), "ina3221", "ina3221:7-0040",
		"NVIDIA Jetson Xavier NX Developer Kit", 6.6, rails, 3);
}

/* Six rails of two chips add up to the module. */
static void test_agx_xavier(void **state)
{
	static const struct expected_rail rails[] = {
		{"GPU", -1, 19104, -8, 8},
		{"CPU", -1, 19104, 32, 8},
		{"SOC", -1, 19104, 96, 8},
		{"CV", -1, 19104, 0, 8},
		{"VDDRQ", -1, 19104, 40, 8},
		{"SYS5V", -1, 5040, 440, 8},
	};

	(void)state;
	expect_board(TREE("agx-xavier-jp5"), NULL, "ina3221:1-0040+1-0041", "Jetson-AGX", 6.6,
		rails, 6);
	expect_board(TREE("agx-xavier-jp5"), "ina3221:1-0041", "ina3221:1-0041", "Jetson-AGX",
		6.6, rails + 3, 3);
}

/* No labels, no shunt, no interval: what is not known is said to be unknown. */
static void test_unlabelled(void **state)
{
	static const struct expected_rail rails[] = {
		{"channel 1", -1, 12000, 16, 0},
		{"channel 2", -1, 3296, 104, 0},
	};

	(void)state;
	expect_board(TREE("unlabelled"), NULL, "ina3221:2-0043", "", 0.0, rails, 2);
}

/* ---- Round and window ---------------------------------------------------------- */

static void expect_timing(const char *interval, const char *samples, double read_ms,
	double round_ms, double window_ms, const char *provenance)
{
	struct opened opened;
	char root[64];

	copy_tree(TREE("orin-nano-jp6"), root);
	set_file(root, "hwmon1/update_interval", interval);
	set_file(root, "hwmon1/samples", samples);
	assert_int_equal(try_open(&opened, root, NULL), 0);
	done(&opened);
	memset(&opened, 0, sizeof(opened));
	opened.state = calloc(1, jm_sensor_ina3221.state_size);
	opened.clock.step_ns = (int64_t)(read_ms * 1e6);
	opened.options = fake_options(&opened.clock, root, NULL);
	assert_int_equal(
		probe_first(&jm_sensor_ina3221, &opened.options, &opened.info, NULL) > 0, 1);
	assert_int_equal(open_it(&opened), 0);
	assert_float_equal(opened.info.round_ms, round_ms, 1e-9);
	assert_float_equal(opened.info.window_ms, window_ms, 1e-9);
	if (!strstr(opened.info.provenance, provenance))
		fail_msg("'%s' does not say '%s'", opened.info.provenance, provenance);
	assert_int_equal((opened.info.flags & JM_SENSOR_BLOCKING) != 0,
		strstr(opened.info.provenance, "waits for a conversion") != NULL);
	assert_true(opened.info.poll_ms > 0.0);
	done(&opened);
	drop_folder(root);
}

static void test_timing(void **state)
{
	(void)state;
	expect_timing("7\n", "1\n", 0.48, 6.6, 1.1, "answers at once");
	expect_timing("7\n", "1\n", 3.3, 6.6, 1.1, "waits for a conversion");
	expect_timing("2\n", "1\n", 0.48, 1.992, 0.332, "conversions of 0.332 ms");
	expect_timing("1\n", "1\n", 0.48, 1.0, 0.0, "several conversion times fit");
	expect_timing("5\n", "1\n", 0.48, 0.0, 0.0, "fits no conversion time");
	/* Newer drivers do not count averages in the interval, older ones do. */
	expect_timing("7\n", "16\n", 0.48, 6.6, 0.0, "low-pass");
	expect_timing("422\n", "64\n", 106.0, 6.6, 0.0, "low-pass");
	expect_timing("garbage\n", "1\n", 0.48, 0.0, 0.0, "no update_interval");
}

/* ---- Choice ---------------------------------------------------------------------- */

static void expect_choice(const char *root, const char *wanted, int code, const char *message)
{
	struct opened opened;

	assert_int_equal(try_open(&opened, root, wanted), code);
	assert_int_equal(opened.error.code, code);
	if (!strstr(opened.error.message, message))
		fail_msg("'%s' does not say '%s'", opened.error.message, message);
	done(&opened);
}

static void test_choice(void **state)
{
	(void)state;
	expect_choice(TREE("empty"), NULL, JM_ENOSENSOR, "--sensor sim");
	expect_choice(TREE("empty"), NULL, JM_ENOSENSOR, "INA3221");
	expect_choice("/nonexistent", NULL, JM_ENOSENSOR, "SIMULATED");
	expect_choice(TREE("empty"), "ina3221", JM_ENOSENSOR, "no sensor 'ina3221' here");
	expect_choice(TREE("agx-orin-jp6"), "ina3221:1-0048", JM_ENOSENSOR,
		"there is ina3221:1-0040, ina3221:1-0041");
	expect_choice(TREE("orin-nano-jp6"), "ina3221:1-0040,speed", JM_EUSAGE, "'total'");
	expect_choice(TREE("orin-nano-jp6"), "ina3212", JM_EUSAGE, "did you mean 'ina3221'?");
	expect_choice(
		TREE("orin-nano-jp6"), "voltmeter", JM_EUSAGE, "ina3221, nvml, replay, sim");
	expect_choice(TREE("orin-nano-jp6"), "", JM_EUSAGE, "no sensor named ''");
}

/* ---- Things that go wrong ---------------------------------------------------------- */

static void expect_no_open(const char *name, const char *text, int code, const char *message)
{
	struct opened opened;
	char root[64];
	int before = count_descriptors();

	copy_tree(TREE("orin-nano-jp6"), root);
	set_file(root, name, text);
	assert_int_equal(try_open(&opened, root, NULL), code);
	if (!strstr(opened.error.message, message))
		fail_msg("'%s' does not say '%s'", opened.error.message, message);
	done(&opened);
	assert_int_equal(count_descriptors(), before);
	drop_folder(root);
}

static void test_cannot_open(void **state)
{
	(void)state;
	expect_no_open("hwmon1/curr3_input", NULL, JM_ESENSOR, "curr3_input");
	expect_no_open("hwmon1/curr2_input", "abc\n", JM_ESENSOR, "no number");
	expect_no_open("hwmon1/in2_input", "", JM_ESENSOR, "'VDD_CPU_GPU_CV'");
	expect_no_open("hwmon1/in2_input", "5024 mV\n", JM_ESENSOR, "no number");
	expect_no_open("hwmon1/in1_input", "99999999999999999999\n", JM_ESENSOR, "no number");
	expect_no_open("hwmon1/name", "ina226\n", JM_ENOSENSOR, "INA3221");
}

/* Root may read everything: an unprivileged child has to look. */
static void test_no_permission(void **state)
{
	struct opened opened;
	char root[64], path[512];
	int status;
	pid_t child;

	(void)state;
	copy_tree(TREE("orin-nano-jp6"), root);
	snprintf(path, sizeof(path), "%s/sys/class/hwmon/hwmon1/curr1_input", root);
	assert_int_equal(chmod(path, 0), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (geteuid() == 0 && setuid(65534) != 0)
			_exit(3);
		if (try_open(&opened, root, NULL) != JM_EPERM)
			_exit(1);
		_exit(strstr(opened.error.message, "run as root") ? 0 : 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	drop_folder(root);
}

/* A gated rail has no value for a while, and that is no failure. */
static void test_no_data(void **state)
{
	static const int errnos[] = {ENODATA, EAGAIN, ETIMEDOUT, EBUSY};
	struct opened opened;

	(void)state;
	assert_int_equal(try_open(&opened, TREE("orin-nano-jp6"), NULL), 0);
	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++) {
		fault_errno = errnos[i];
		for (int j = 0; j < 100; j++) {
			assert_int_equal(read_once(&opened), 0);
			assert_true(isnan(opened.latest.readings[0].value[0]));
			assert_true(isnan(opened.latest.readings[2].value[1]));
			assert_true(opened.latest.readings[0].before_ns <=
				    opened.latest.readings[0].after_ns);
		}
	}
	fault_errno = 0;
	assert_int_equal(read_once(&opened), 0);
	assert_true(opened.latest.readings[0].value[1] == 840.0);
	done(&opened);
}

/* One failure is a glitch of the bus, several in a row are the end. */
static void test_vanishes(void **state)
{
	static const int errnos[] = {ENODEV, ENOENT, EIO, ENXIO, EREMOTEIO};

	(void)state;
	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++) {
		struct opened opened;
		int passes = 0;

		assert_int_equal(try_open(&opened, TREE("orin-nano-jp6"), NULL), 0);
		fault_errno = errnos[i];
		assert_int_equal(read_once(&opened), 0);
		fault_errno = 0;
		assert_int_equal(read_once(&opened), 0);
		fault_errno = errnos[i];
		while (read_once(&opened) == 0 && passes < 100)
			passes++;
		assert_in_range(passes, 1, 20);
		assert_int_equal(opened.error.code, JM_ESENSOR);
		assert_non_null(
			strstr(opened.error.message, "sensor 'ina3221:1-0040' vanished"));
		assert_non_null(strstr(opened.error.message, "VDD_IN"));
		done(&opened);
	}
}

static void test_file_spoiled_while_reading(void **state)
{
	static const char *const contents[] = {"", "garbage\n", "12 34\n", "--5\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		struct opened opened;
		char root[64];
		int passes = 0;

		copy_tree(TREE("orin-nano-jp6"), root);
		assert_int_equal(try_open(&opened, root, NULL), 0);
		set_file(root, "hwmon1/curr2_input", contents[i]);
		assert_int_equal(read_once(&opened), 0);
		assert_true(isnan(opened.latest.readings[1].value[1]));
		assert_true(opened.latest.readings[0].value[1] == 840.0);
		while (read_once(&opened) == 0 && passes < 100)
			passes++;
		assert_in_range(passes, 1, 20);
		assert_non_null(strstr(opened.error.message, "'VDD_CPU_GPU_CV'"));
		done(&opened);
		drop_folder(root);
	}
}

/* hwmonN may change between probe and open; the id stays. */
static void test_renumbered(void **state)
{
	struct opened opened;
	char root[64], from[128], to[128];

	(void)state;
	copy_tree(TREE("orin-nano-jp6"), root);
	assert_int_equal(try_open(&opened, root, NULL), 0);
	jm_sensor_ina3221.close(opened.state);
	snprintf(from, sizeof(from), "%s/sys/class/hwmon/hwmon1", root);
	snprintf(to, sizeof(to), "%s/sys/class/hwmon/hwmon9", root);
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(open_it(&opened), 0);
	assert_non_null(strstr(opened.info.path, "hwmon9"));
	jm_sensor_ina3221.close(opened.state);
	assert_int_equal(unlink(to), 0);
	assert_int_equal(open_it(&opened), JM_ENOSENSOR);
	done(&opened);
	drop_folder(root);
}

static void expect_parse(const char *text, int valid, double expected)
{
	double value = 0.0;

	assert_int_equal(jm_sysfs_parse(text, strlen(text), &value), valid);
	if (valid)
		assert_true(value == expected);
}

static void test_parse(void **state)
{
	(void)state;
	expect_parse("0\n", 1, 0);
	expect_parse("-24\n", 1, -24);
	expect_parse("19864", 1, 19864);
	expect_parse("", 0, 0);
	expect_parse("\n", 0, 0);
	expect_parse("-", 0, 0);
	expect_parse("-\n", 0, 0);
	expect_parse("+1\n", 0, 0);
	expect_parse(" 1\n", 0, 0);
	expect_parse("1\n\n", 0, 0);
	expect_parse("1.5\n", 0, 0);
	expect_parse("999999999999999999", 1, 999999999999999999.0);
	expect_parse("9999999999999999999", 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orin_nano),
		cmocka_unit_test(test_agx_orin),
		cmocka_unit_test(test_xavier_nx),
		cmocka_unit_test(test_agx_xavier),
		cmocka_unit_test(test_unlabelled),
		cmocka_unit_test(test_timing),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_cannot_open),
		cmocka_unit_test(test_no_permission),
		cmocka_unit_test(test_no_data),
		cmocka_unit_test(test_vanishes),
		cmocka_unit_test(test_file_spoiled_while_reading),
		cmocka_unit_test(test_renumbered),
		cmocka_unit_test(test_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
