/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/idle_run.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "measure/idle.h"
#include "trace/idle_file.h"
#include "trace/run_folder.h"

/* Set by the signal handler only. */
static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

static int show(void *context, double seconds, double mean_uw)
{
	const struct jm_idle_config *config = context;

	(void)mean_uw;
	if (config->progress)
		config->progress->update(config->progress->context, "measuring idle power",
			seconds, config->seconds, "s");
	return interrupted;
}

static void note(const struct jm_idle_config *config, const struct jm_idle_power *power,
	const char *what)
{
	char text[256], error[40] = "";

	if (!config->progress)
		return;
	if (!isnan(power->error_uw))
		snprintf(error, sizeof(error), " +- %.4f", power->error_uw * 1e-6);
	snprintf(text, sizeof(text), "%sidle power %.4f%s W (%s)",
		config->info->simulated ? "SIMULATED " : "", power->mean_uw * 1e-6, error, what);
	config->progress->note(config->progress->context, text);
}

static int write_files(const struct jm_idle_config *config, const struct jm_idle_result *measured,
	struct jm_error *reterr)
{
	int64_t realtime = jm_clock_realtime_ns();
	struct jm_idle_record record = {.average_uw = measured->mean_uw,
		.error_uw = measured->error_uw,
		.seconds = measured->seconds,
		.civil_ns = realtime + jm_clock_utc_offset_s(realtime) * JM_NS_PER_S,
		.simulated = config->info->simulated};
	int result = jm_folder_make(config->result_dir, reterr);

	jm_text_copy(record.sensor, sizeof(record.sensor), config->info->id);
	return result < 0 ? result : jm_idle_write(config->result_dir, &record, reterr);
}

int jm_idle_run(const struct jm_idle_config *config, struct jm_idle_power *ret_power,
	struct jm_error *reterr)
{
	void (*old_interrupt)(int) = signal(SIGINT, interrupt);
	void (*old_terminate)(int) = signal(SIGTERM, interrupt);
	struct jm_idle_result measured;
	int result;

	interrupted = 0;
	result = jm_idle_measure(config->sensor, config->info, config->options, config->seconds,
		show, (void *)(uintptr_t)config, &measured, reterr);
	signal(SIGINT, old_interrupt);
	signal(SIGTERM, old_terminate);
	if (result < 0)
		return result;
	ret_power->mean_uw = measured.mean_uw;
	ret_power->error_uw = measured.error_uw;
	ret_power->readings = measured.readings;
	ret_power->conversions = measured.conversions;
	ret_power->measured_now = 1;
	return write_files(config, &measured, reterr);
}

/* 1 when the folder has an idle power of this sensor (or of no named one). */
static int find_stored(const struct jm_idle_config *config, struct jm_idle_power *ret_power)
{
	char path[JM_PATH_MAX];
	struct jm_idle_record record;

	if (jm_path_join(path, config->result_dir, JM_IDLE_JSON_NAME, NULL) < 0
		|| !jm_path_exists(path) || jm_idle_read(path, &record, NULL) < 0)
		return 0;
	if (record.simulated != config->info->simulated
		|| (record.sensor[0] && strcmp(record.sensor, config->info->id) != 0))
		return 0;
	ret_power->mean_uw = record.average_uw;
	ret_power->error_uw = record.error_uw;
	note(config, ret_power, path);
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
		note(config, ret_power, "measured now");
	return result;
}
