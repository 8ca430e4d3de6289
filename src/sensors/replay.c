/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays a power log in the original's format, "YYYYmmdd-HH:MM:SS.ffffff,mV,mA"
 * a line, in real time from the moment it is opened. Argument: "FILE[,loop]".
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "formats/power_log_file.h"
#include "sensors/registry.h"

struct replay {
	struct jm_power_log log;
	size_t next;       /* the first reading that is still to come */
	int64_t opened_ns; /* moment of the first reading, on the caller's clock */
	int64_t length_ns; /* of one turn */
	int loop;
	char path[JM_PATH_MAX];
	struct jm_sensor_info info;
	struct jm_rail_info rail;
	int64_t (*now_ns)(void *clock);
	void *clock;
};

/* Splits "FILE[,loop]"; 0 or JM_EINVAL. */
static int split(const char *argument, char ret_path[JM_PATH_MAX], int *ret_loop,
	struct jm_error *reterr)
{
	size_t length = strlen(argument);

	*ret_loop = jm_text_ends_with(argument, ",loop");
	if (*ret_loop)
		length -= strlen(",loop");
	if (length >= JM_PATH_MAX)
		return jm_fail(reterr, JM_EINVAL, "path '%.60s...' is too long", argument);
	memcpy(ret_path, argument, length);
	ret_path[length] = '\0';
	return 0;
}

/* When reading i comes, after the first one. */
static int64_t time_of(const struct replay *replay, size_t i)
{
	const struct jm_reading *readings = replay->log.rails[0].readings;

	return readings[i].after_ns - readings[0].after_ns;
}

static int load(struct replay *replay, const char *argument, struct jm_error *reterr)
{
	int result = split(argument, replay->path, &replay->loop, reterr);
	size_t n;

	if (result == 0)
		result = jm_power_log_read(replay->path, &replay->log, NULL, reterr);
	if (result < 0)
		return result;
	n = replay->log.rails[0].n_readings;
	for (size_t i = 1; i < n; i++)
		if (time_of(replay, i) < time_of(replay, i - 1))
			return jm_fail(reterr, JM_EFORMAT,
				"'%s': reading %zu goes back in time", replay->path, i + 1);
	if (n < 2 || time_of(replay, n - 1) <= 0)
		return jm_fail(reterr, JM_EFORMAT,
			"'%s' has no two readings of different time to replay", replay->path);
	/* The last reading lasts as long as the others do on average. */
	replay->length_ns = time_of(replay, n - 1);
	replay->length_ns += replay->length_ns / (int64_t)(n - 1);
	return 0;
}

static void describe(struct replay *replay)
{
	struct jm_sensor_info *info = &replay->info;
	struct jm_rail_info *rail = &replay->rail;

	snprintf(info->id, sizeof(info->id), "replay:%.50s", jm_path_name(replay->path));
	jm_text_copy(info->path, sizeof(info->path), replay->path);
	jm_text_copy(info->board, sizeof(info->board), "replayed log");
	info->kind = JM_SENSOR_WINDOW;
	info->flags = JM_SENSOR_ON_REQUEST;
	info->poll_ms =
		(double)replay->length_ns * 1e-6 / (double)replay->log.rails[0].n_readings;
	info->rails = rail;
	info->n_rails = 1;
	jm_text_copy(rail->name, sizeof(rail->name), "replay");
	rail->quantity = JM_QUANTITY_MV_MA;
	rail->parent = -1;
	snprintf(info->provenance, sizeof(info->provenance),
		"a log says nothing of its sensor: round and window unknown");
}

static void replay_close(void *state)
{
	struct replay *replay = state;

	jm_power_log_release(&replay->log);
}

static int fail_argument(struct jm_error *reterr)
{
	return jm_fail(
		reterr, JM_EUSAGE, "sensor 'replay' needs a power log, as in 'replay:FILE'");
}

static int replay_probe(const struct jm_sensor_options *options,
	const struct jm_sensor_found *found, struct jm_error *reterr)
{
	struct replay replay = {0};
	int result;

	if (!options->argument)
		return fail_argument(reterr);
	result = load(&replay, options->argument, reterr);
	if (result == 0) {
		describe(&replay);
		result = found->found(found->context, &replay.info);
	}
	replay_close(&replay);
	return result < 0 ? result : 1;
}

static int replay_open(void *state, const struct jm_sensor_info *info,
	const struct jm_sensor_options *options, struct jm_error *reterr)
{
	struct replay *replay = state;
	int result;

	(void)info;
	if (!options->argument)
		return fail_argument(reterr);
	result = load(replay, options->argument, reterr);
	if (result < 0)
		return result;
	describe(replay);
	replay->now_ns = options->now_ns;
	replay->clock = options->clock;
	replay->opened_ns = options->now_ns(options->clock);
	return 0;
}

static const struct jm_sensor_info *replay_info(const void *state)
{
	const struct replay *replay = state;

	return &replay->info;
}

static int replay_read(void *state, const struct jm_reading_sink *sink, struct jm_error *reterr)
{
	struct replay *replay = state;
	const struct jm_rail *rail = &replay->log.rails[0];
	int64_t now = replay->now_ns(replay->clock);
	const struct jm_reading *latest;
	struct jm_reading reading;

	while (replay->loop && now - replay->opened_ns >= replay->length_ns) {
		replay->opened_ns += replay->length_ns;
		replay->next = 0;
	}
	if (now - replay->opened_ns >= replay->length_ns)
		return jm_fail(reterr, JM_ESENSOR,
			"log '%s' ended after %.3f s: 'replay:%s,loop' starts over",
			replay->path, (double)replay->length_ns * 1e-9, replay->path);
	while (replay->next < rail->n_readings &&
		time_of(replay, replay->next) <= now - replay->opened_ns)
		replay->next++;
	latest = &rail->readings[replay->next ? replay->next - 1 : 0];
	reading.before_ns = now;
	reading.value[0] = latest->value[0];
	reading.value[1] = latest->value[1];
	reading.after_ns = replay->now_ns(replay->clock);
	return sink->reading(sink->context, 0, &reading);
}

const struct jm_sensor_ops jm_sensor_replay = {
	.abi = JM_SENSOR_ABI,
	.size = sizeof(struct jm_sensor_ops),
	.name = "replay",
	.summary = "power log of an earlier run (replay:FILE)",
	.state_size = sizeof(struct replay),
	.probe = replay_probe,
	.open = replay_open,
	.info = replay_info,
	.read = replay_read,
	.close = replay_close,
};
