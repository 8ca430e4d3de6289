/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/describe.h"

#include "base/clock.h"
#include "base/json.h"

json_t *jm_describe_clock(void)
{
	struct jm_clock_pair pair;

	jm_clock_pair_read(&pair);
	return json_pack("{s:I, s:I, s:I, s:i}", "monotonic_ns", (json_int_t)pair.monotonic_ns,
		"realtime_ns", (json_int_t)pair.realtime_ns, "uncertainty_ns",
		(json_int_t)pair.uncertainty_ns, "utc_offset_s",
		(int)jm_clock_utc_offset_s(pair.realtime_ns));
}

static json_t *describe_rails(const struct jm_sensor_info *info)
{
	json_t *rails = json_array();

	for (size_t i = 0; rails && i < info->n_rails; i++) {
		const struct jm_rail_info *rail = &info->rails[i];

		json_array_append_new(rails,
			json_pack("{s:s, s:i, s:i, s:f, s:f}", "name", rail->name, "quantity",
				(int)rail->quantity, "parent", rail->parent, "quantum_0",
				rail->quantum[0], "quantum_1", rail->quantum[1]));
	}
	return rails;
}

json_t *jm_describe_sensor(const struct jm_sensor_ops *ops, const struct jm_sensor_info *info,
	const struct jm_sensor_options *options, const char *wanted)
{
	static const char *const kinds[] = {"unknown", "instant", "window", "counter"};

	return json_pack(
		"{s:s, s:o, s:o, s:o, s:s, s:b, s:I, s:f, s:f, s:i, s:f, s:b, s:s, s:o}",
		"name", ops->name, "wanted", jm_json_text(wanted ? wanted : info->id), "id",
		jm_json_text(info->id), "path", jm_json_text(info->path), "kind",
		kinds[info->kind], "simulated", info->simulated, "seed",
		(json_int_t)options->seed, "round_ms", info->round_ms, "window_ms",
		info->window_ms, "samples", (int)info->samples, "poll_ms", info->poll_ms,
		"stamped", info->stamped, "provenance", info->provenance, "rails",
		describe_rails(info));
}

char *jm_describe_power_spool(const struct jm_sensor_info *info)
{
	json_t *meta = json_pack("{s:o}", "rails", describe_rails(info));
	char *text = meta ? jm_json_dump(meta, JSON_COMPACT) : NULL;

	json_decref(meta);
	return text;
}
