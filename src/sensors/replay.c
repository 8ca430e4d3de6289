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

static void describe(const struct replay *replay, struct jm_sensor_info *info)
{
	struct jm_rail_info *rail = &info->rails[0];

	memset(info, 0, sizeof(*info));
	snprintf(info->id, sizeof(info->id), "replay:%.50s", jm_path_name(replay->path));
	jm_text_copy(info->path, sizeof(info->path), replay->path);
	jm_text_copy(info->board, sizeof(info->board), "replayed log");
	info->kind = JM_SENSOR_WINDOW;
	info->poll_ms =
		(double)replay->length_ns * 1e-6 / (double)replay->log.rails[0].n_readings;
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

static int replay_probe(const struct jm_sensor_options *options,
	struct jm_sensor_info *ret_infos, size_t max, struct jm_error *reterr)
{
	struct replay replay = {0};
	int result;

	if (!options->argument || !max)
		return 0;
	result = load(&replay, options->argument, reterr);
	if (result == 0)
		describe(&replay, &ret_infos[0]);
	replay_close(&replay);
	return result < 0 ? result : 1;
}

static int replay_open(void *state, struct jm_sensor_info *info,
	const struct jm_sensor_options *options, struct jm_error *reterr)
{
	struct replay *replay = state;
	int result;

	if (!options->argument)
		return jm_fail(reterr, JM_EUSAGE,
			"sensor 'replay' needs a power log, as in 'replay:FILE'");
	result = load(replay, options->argument, reterr);
	if (result < 0)
		return result;
	describe(replay, info);
	replay->now_ns = options->now_ns;
	replay->clock = options->clock;
	replay->opened_ns = options->now_ns(options->clock);
	return 0;
}

static int replay_read(void *state, struct jm_reading *ret_readings, struct jm_error *reterr)
{
	struct replay *replay = state;
	const struct jm_rail *rail = &replay->log.rails[0];
	int64_t now = replay->now_ns(replay->clock);
	const struct jm_reading *latest;

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
	ret_readings[0].before_ns = now;
	ret_readings[0].value[0] = latest->value[0];
	ret_readings[0].value[1] = latest->value[1];
	ret_readings[0].after_ns = replay->now_ns(replay->clock);
	return 0;
}

const struct jm_sensor_ops jm_sensor_replay = {
	.abi = JM_SENSOR_ABI,
	.size = sizeof(struct jm_sensor_ops),
	.name = "replay",
	.summary = "power log of an earlier run (replay:FILE)",
	.state_size = sizeof(struct replay),
	.probe = replay_probe,
	.open = replay_open,
	.read = replay_read,
	.close = replay_close,
};
