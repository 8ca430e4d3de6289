/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "base/text.h"
#include "joulemap/joulemap.h"

void jm_power_log_init(struct jm_power_log *log)
{
	memset(log, 0, sizeof(*log));
}

void jm_power_log_release(struct jm_power_log *log)
{
	for (size_t i = 0; i < log->n_rails; i++)
		free(log->rails[i].readings);
	free(log->rails);
	jm_power_log_init(log);
}

int jm_power_log_add_rail(struct jm_power_log *log, const char *name, enum jm_quantity quantity,
	struct jm_error *reterr)
{
	size_t capacity = log->n_rails;
	struct jm_rail *rail;

	if (log->n_rails >= INT_MAX)
		return jm_fail(
			reterr, JM_EINVAL, "a power log holds at most %d rails", INT_MAX);
	rail = jm_array_grow(log->rails, &capacity, log->n_rails + 1, sizeof(*rail));
	if (!rail)
		return jm_fail_memory(reterr, "a rail of the power log");
	log->rails = rail;
	rail += log->n_rails;
	memset(rail, 0, sizeof(*rail));
	jm_text_copy(rail->name, sizeof(rail->name), name);
	rail->quantity = quantity;
	return (int)log->n_rails++;
}

int jm_power_log_append(struct jm_power_log *log, size_t rail_index,
	const struct jm_reading *reading, struct jm_error *reterr)
{
	struct jm_reading *readings;
	struct jm_rail *rail;

	if (rail_index >= log->n_rails)
		return jm_fail(reterr, JM_EINVAL, "rail %zu of a power log with %zu rails",
			rail_index, log->n_rails);
	rail = &log->rails[rail_index];
	if (rail->n_readings == rail->capacity) {
		readings = jm_array_grow(rail->readings, &rail->capacity, rail->n_readings + 1,
			sizeof(*readings));
		if (!readings)
			return jm_fail_memory(reterr, "the readings of a rail");
		rail->readings = readings;
	}
	rail->readings[rail->n_readings++] = *reading;
	return 0;
}

double jm_reading_power_uw(const struct jm_reading *reading, enum jm_quantity quantity)
{
	switch (quantity) {
	case JM_QUANTITY_MV_MA:
		return reading->value[0] * reading->value[1];
	case JM_QUANTITY_UW:
		return reading->value[0];
	case JM_QUANTITY_UJ:
		break;
	}
	return (double)NAN;
}
