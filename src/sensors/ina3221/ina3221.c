/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INA3221 by hwmon: the power monitor of every Jetson since TX1, and of many
 * other boards. Argument: "[ADDRESS][,total]", as in "1-0040" or
 * "1-0040,total" (only the rails that no other one contains: fewer reads).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/statistics.h"
#include "base/sysfs.h"
#include "base/text.h"
#include "sensors/ina3221/ina3221.h"
#include "sensors/registry.h"

/* Failures of one rail in a row after which the sensor is taken for gone. */
#define FAILURES_MAX 5

/* Reads timed at open; odd, the median is taken. */
#define TIMED_READS 9

struct rail {
	char name[JM_NAME_MAX];
	int fd_mv; /* inN_input */
	int fd_ma; /* currN_input */
	int failures;
};

struct ina3221 {
	char id[JM_NAME_MAX];
	struct jm_ina_source source;
	struct rail rails[JM_INA_RAILS_MAX];
	size_t n_rails;
	int fds[2 * JM_INA_RAILS_MAX]; /* [n_fds]: what close has to close */
	size_t n_fds;
	int64_t (*now_ns)(void *clock);
	void *clock;
};

struct wanted {
	char id[JM_NAME_MAX]; /* "": any */
	int total_only;
};

static int parse_argument(
	const char *argument, struct wanted *ret_wanted, struct jm_error *reterr)
{
	const char *comma = argument ? strchr(argument, ',') : NULL;
	size_t length = comma ? (size_t)(comma - argument) : argument ? strlen(argument) : 0;

	memset(ret_wanted, 0, sizeof(*ret_wanted));
	if (comma && strcmp(comma, ",total") != 0)
		return jm_fail(reterr, JM_EUSAGE,
			"sensor option '%s' is unknown: there is 'total', as in "
			"'ina3221:1-0040,total'",
			comma + 1);
	ret_wanted->total_only = comma != NULL;
	if (length)
		snprintf(ret_wanted->id, sizeof(ret_wanted->id), "ina3221:%.*s", (int)length,
			argument);
	return 0;
}

/* What is there and wanted, the best first; returns the number. */
static int find_sources(const struct jm_sensor_options *options, const struct wanted *wanted,
	struct jm_ina_chip chips[JM_INA_CHIPS_MAX],
	struct jm_ina_source sources[JM_INA_SOURCES_MAX], struct jm_error *reterr)
{
	int n_chips = jm_ina_scan(options, chips, JM_INA_CHIPS_MAX, reterr);
	size_t n, kept = 0;

	if (n_chips < 0)
		return n_chips;
	n = jm_ina_describe(options, chips, (size_t)n_chips, sources);
	for (size_t i = 0; i < n; i++) {
		if (wanted->id[0] && strcmp(wanted->id, sources[i].info.id) != 0)
			continue;
		if (kept != i)
			sources[kept] = sources[i];
		if (wanted->total_only)
			jm_ina_keep_roots(&sources[kept]);
		kept++;
	}
	return (int)kept;
}

static int open_input(struct ina3221 *ina, const char *folder, const char *kind, int number,
	int *ret_fd, struct jm_error *reterr)
{
	char name[32], path[JM_PATH_MAX];
	int result;

	snprintf(name, sizeof(name), "%s%d_input", kind, number);
	result = jm_path_join(path, folder, name, reterr);
	if (result < 0)
		return result;
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*ret_fd < 0 && (errno == EACCES || errno == EPERM))
		return jm_fail(reterr, JM_EPERM,
			"no permission to read '%s': run as root, or 'sudo chmod a+r "
			"%s/*_input'",
			path, folder);
	if (*ret_fd < 0)
		return jm_fail(reterr, JM_ESENSOR, "sensor '%s': cannot open '%s': %s", ina->id,
			path, strerror(errno));
	ina->fds[ina->n_fds++] = *ret_fd;
	return 0;
}

static int fail_rail(const struct ina3221 *ina, const struct rail *rail,
	enum jm_sysfs_result what, int sys_errno, struct jm_error *reterr)
{
	if (what == JM_SYSFS_GARBAGE)
		return jm_fail(reterr, JM_ESENSOR,
			"sensor '%s' vanished: rail '%s' reads as no number any more", ina->id,
			rail->name);
	return jm_fail(reterr, JM_ESENSOR, "sensor '%s' vanished: rail '%s': %s", ina->id,
		rail->name, strerror(sys_errno));
}

/*
 * Voltage first, it hardly moves; the bracket before_ns..after_ns is that of
 * the current alone. With a driver that waits for a conversion, that one was
 * ready by after_ns, perhaps just then: the fit finds out.
 */
static int read_rail(struct ina3221 *ina, struct rail *rail, struct jm_reading *ret_reading,
	struct jm_error *reterr)
{
	int errno_mv, errno_ma;
	enum jm_sysfs_result mv, ma;

	mv = jm_sysfs_poll(rail->fd_mv, &ret_reading->value[0], &errno_mv);
	ret_reading->before_ns = ina->now_ns(ina->clock);
	ma = jm_sysfs_poll(rail->fd_ma, &ret_reading->value[1], &errno_ma);
	ret_reading->after_ns = ina->now_ns(ina->clock);
	if (mv <= JM_SYSFS_NO_DATA && ma <= JM_SYSFS_NO_DATA) {
		rail->failures = 0;
		return 0;
	}
	if (++rail->failures < FAILURES_MAX)
		return 0;
	return ma > JM_SYSFS_NO_DATA ? fail_rail(ina, rail, ma, errno_ma, reterr)
				     : fail_rail(ina, rail, mv, errno_mv, reterr);
}

static int ina3221_read(
	void *state, const struct jm_reading_sink *sink, struct jm_error *reterr)
{
	struct ina3221 *ina = state;
	struct jm_reading reading;

	for (size_t i = 0; i < ina->n_rails; i++) {
		int result = read_rail(ina, &ina->rails[i], &reading, reterr);

		if (result == 0)
			result = sink->reading(sink->context, i, &reading);
		if (result < 0)
			return result;
	}
	return 0;
}

/* Reads every rail once, strictly, then times reads of the first one. */
static int try_out(struct ina3221 *ina, double *ret_read_ms, struct jm_error *reterr)
{
	double durations_ms[TIMED_READS], value;
	int sys_errno;

	for (size_t i = 0; i < 2 * ina->n_rails; i++) {
		const struct rail *rail = &ina->rails[i / 2];
		enum jm_sysfs_result what =
			jm_sysfs_poll(i % 2 ? rail->fd_ma : rail->fd_mv, &value, &sys_errno);

		if (what > JM_SYSFS_NO_DATA)
			return jm_fail(reterr, JM_ESENSOR,
				"sensor '%s': rail '%s' cannot be read: %s", ina->id,
				rail->name,
				what == JM_SYSFS_GARBAGE ? "no number there"
							 : strerror(sys_errno));
	}
	for (size_t i = 0; i < TIMED_READS; i++) {
		int64_t before = ina->now_ns(ina->clock);

		jm_sysfs_poll(ina->rails[0].fd_ma, &value, &sys_errno);
		durations_ms[i] = (double)(ina->now_ns(ina->clock) - before) * 1e-6;
	}
	*ret_read_ms = jm_median_upper(durations_ms, TIMED_READS);
	return 0;
}

static int open_rails(struct ina3221 *ina, const struct jm_ina_source *source,
	const struct jm_ina_chip *chips, struct jm_error *reterr)
{
	for (size_t i = 0; i < source->info.n_rails; i++) {
		const struct jm_ina_chip *chip = &chips[source->of_rail[i].chip];
		int number = chip->channels[source->of_rail[i].channel].number;
		struct rail *rail = &ina->rails[i];
		int result;

		jm_text_copy(rail->name, sizeof(rail->name), source->rails[i].name);
		result = open_input(ina, chip->path, "in", number, &rail->fd_mv, reterr);
		if (result == 0)
			result = open_input(
				ina, chip->path, "curr", number, &rail->fd_ma, reterr);
		if (result < 0)
			return result;
		ina->n_rails = i + 1;
	}
	return 0;
}

static int ina3221_open(void *state, const struct jm_sensor_info *info,
	const struct jm_sensor_options *options, struct jm_error *reterr)
{
	struct jm_ina_chip chips[JM_INA_CHIPS_MAX];
	struct jm_ina_source sources[JM_INA_SOURCES_MAX];
	struct ina3221 *ina = state;
	struct wanted wanted;
	double read_ms = 0.0;
	int result = parse_argument(options->argument, &wanted, reterr);

	if (result < 0)
		return result;
	/* What probe found may have been renumbered since: look again, by id. */
	jm_text_copy(wanted.id, sizeof(wanted.id), info->id);
	result = find_sources(options, &wanted, chips, sources, reterr);
	if (result < 0)
		return result;
	if (result == 0)
		return jm_fail(
			reterr, JM_ENOSENSOR, "sensor '%s' is not there any more", info->id);
	jm_text_copy(ina->id, sizeof(ina->id), info->id);
	ina->now_ns = options->now_ns;
	ina->clock = options->clock;
	ina->source = sources[0];
	result = open_rails(ina, &ina->source, chips, reterr);
	if (result == 0)
		result = try_out(ina, &read_ms, reterr);
	if (result < 0)
		return result;
	jm_ina_timing_measured(&chips[ina->source.chip], read_ms, &ina->source.info);
	jm_ina_info(&ina->source);
	return 0;
}

static const struct jm_sensor_info *ina3221_info(const void *state)
{
	const struct ina3221 *ina = state;

	return &ina->source.info;
}

static void ina3221_close(void *state)
{
	struct ina3221 *ina = state;

	while (ina->n_fds)
		close(ina->fds[--ina->n_fds]);
	ina->n_rails = 0;
}

static int ina3221_probe(const struct jm_sensor_options *options,
	const struct jm_sensor_found *found, struct jm_error *reterr)
{
	struct jm_ina_chip chips[JM_INA_CHIPS_MAX];
	struct jm_ina_source sources[JM_INA_SOURCES_MAX];
	struct wanted wanted;
	int n = parse_argument(options->argument, &wanted, reterr);

	if (n == 0)
		n = find_sources(options, &wanted, chips, sources, reterr);
	for (int i = 0; i < n; i++) {
		int result = found->found(found->context, jm_ina_info(&sources[i]));

		if (result < 0)
			return result;
	}
	return n;
}

const struct jm_sensor_ops jm_sensor_ina3221 = {
	.abi = JM_SENSOR_ABI,
	.size = sizeof(struct jm_sensor_ops),
	.name = "ina3221",
	.summary = "INA3221 power monitor (/sys/class/hwmon)",
	.state_size = sizeof(struct ina3221),
	.probe = ina3221_probe,
	.open = ina3221_open,
	.info = ina3221_info,
	.read = ina3221_read,
	.close = ina3221_close,
};
