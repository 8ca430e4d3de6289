/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/idle_run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/wishes.h"
#include "formats/idle_file.h"
#include "measure/idle.h"
#include "run/run_folder.h"

static int show(void *context, double seconds, double mean_uw)
{
	const struct jm_idle_config *config = context;

	(void)mean_uw;
	jm_tell(config->progress, "measuring idle power", seconds, config->seconds, "s");
	return jm_wishes_count();
}

static int is_simulated(const struct jm_idle_config *config)
{
	return jm_sensor_set_has(config->set, JM_SENSOR_SIMULATED);
}

static void note_power(const struct jm_idle_config *config, const struct jm_idle_power *power,
	const char *what)
{
	char error[40] = "";

	if (!isnan(power->error_uw))
		snprintf(error, sizeof(error), " +- %.4f", power->error_uw * 1e-6);
	jm_note(config->progress, "%sidle power %.4f%s W (%s)",
		is_simulated(config) ? "SIMULATED " : "", power->mean_uw * 1e-6, error, what);
}

static int write_files(const struct jm_idle_config *config,
	const struct jm_idle_result *measured, struct jm_error *reterr)
{
	int64_t realtime = jm_clock_realtime_ns();
	struct jm_idle_record record = {.average_uw = measured->mean_uw,
		.error_uw = measured->error_uw,
		.seconds = measured->seconds,
		.civil_ns = realtime + jm_clock_utc_offset_s(realtime) * JM_NS_PER_S,
		.simulated = is_simulated(config)};

	jm_sensor_set_id(config->set, record.sensor, sizeof(record.sensor));
	return jm_idle_write(config->result_dir, &record, reterr);
}

int jm_idle_run(const struct jm_idle_config *config, struct jm_idle_power *ret_power,
	struct jm_error *reterr)
{
	struct jm_wishes_saved saved;
	struct jm_idle_result measured;
	int result;

	result = config->result_dir ? jm_folder_make(config->result_dir, reterr) : 0;
	if (result < 0)
		return result;
	jm_wishes_catch(&saved);
	result = jm_idle_measure(config->set, config->seconds, show, (void *)(uintptr_t)config,
		&measured, reterr);
	jm_wishes_restore(&saved);
	if (result < 0)
		return result;
	if (measured.impossible)
		jm_note(config->progress,
			"%llu readings are beyond what their rails can carry: left out",
			(unsigned long long)measured.impossible);
	ret_power->mean_uw = measured.mean_uw;
	ret_power->error_uw = measured.error_uw;
	ret_power->readings = measured.readings;
	ret_power->conversions = measured.conversions;
	ret_power->measured_now = 1;
	return config->result_dir ? write_files(config, &measured, reterr) : 0;
}

/* 1 when the folder has an idle power of this sensor (or of no named one). */
static int find_stored(const struct jm_idle_config *config, struct jm_idle_power *ret_power)
{
	char path[JM_PATH_MAX];
	struct jm_idle_record record;
	struct jm_error error;
	char id[sizeof(record.sensor)];

	jm_sensor_set_id(config->set, id, sizeof(id));
	if (jm_path_join(path, config->result_dir, JM_IDLE_JSON_NAME, NULL) < 0 ||
		!jm_path_exists(path))
		return 0;
	if (jm_idle_read(path, &record, &error) < 0) {
		jm_note(config->progress, "%s: not used", error.message);
		return 0;
	}
	if (record.simulated != is_simulated(config) ||
		(record.sensor[0] && strcmp(record.sensor, id) != 0))
		return 0;
	ret_power->mean_uw = record.average_uw;
	ret_power->error_uw = record.error_uw;
	note_power(config, ret_power, path);
	return 1;
}

int jm_idle_provide(const struct jm_idle_config *config, struct jm_idle_power *ret_power,
	struct jm_error *reterr)
{
	int result;

	memset(ret_power, 0, sizeof(*ret_power));
	ret_power->mean_uw = (double)NAN;
	ret_power->error_uw = (double)NAN;
	if (!config->again && find_stored(config, ret_power))
		return 0;
	if (config->seconds <= 0)
		return 0;
	result = jm_idle_run(config, ret_power, reterr);
	if (result == 0)
		note_power(config, ret_power, "measured now");
	return result;
}
