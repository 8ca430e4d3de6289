/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/complete.h"

#include <stdio.h>

#include "base/error.h"
#include "sensors/registry.h"

/* The sensor's own rails are a log of their own. */
static int complete_one(struct jm_session_data *data, const struct jm_run_sensor *sensor,
	size_t first_rail, const char *truth_path, struct jm_error *reterr)
{
	const struct jm_sensor_ops *ops = jm_sensor_find(sensor->name);
	struct jm_power_log log = {
		.rails = data->log.rails + first_rail, .n_rails = sensor->n_rails};
	struct jm_sensor_info info;

	if (!ops || !ops->complete)
		return jm_fail(reterr, JM_EUNSUPPORTED,
			"simulated sensor '%.60s' of this run is not known here: if it is a "
			"plug-in, load it again (--plugin)",
			sensor->name);
	jm_run_sensor_info(sensor, &info);
	return ops->complete(&info, sensor->seed, &log, &data->timeline, truth_path, reterr);
}

static int truth_path(
	const char *folder, size_t number, char ret_path[JM_PATH_MAX], struct jm_error *reterr)
{
	char name[40] = "truth.json";

	if (number > 1)
		snprintf(name, sizeof(name), "truth_%zu.json", number);
	return jm_path_join(ret_path, folder, name, reterr);
}

int jm_complete_simulated(
	struct jm_session_data *data, const char *folder, struct jm_error *reterr)
{
	size_t first_rail = 0, number = 0;
	char path[JM_PATH_MAX];
	int result = 0;

	for (size_t i = 0; i < data->run.n_sensors && result == 0; i++) {
		const struct jm_run_sensor *sensor = &data->run.sensors[i];

		if (sensor->simulated && data->log.n_rails) {
			if (folder)
				result = truth_path(folder, ++number, path, reterr);
			if (result == 0)
				result = complete_one(
					data, sensor, first_rail, folder ? path : NULL, reterr);
		}
		first_rail += sensor->n_rails;
	}
	return result;
}
