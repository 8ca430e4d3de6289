/* SPDX-License-Identifier: Apache-2.0 */
/* truth.json: what the layers of a simulated run really drew. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/file.h"
#include "simulate/internal.h"
#include "simulate/parameters.h"

static json_t *describe_layers(const struct jm_simulated_network *network)
{
	json_t *layers = json_object();

	for (size_t i = 0; i < network->n_units; i++) {
		const struct jm_simulated_unit *unit = &network->units[i];
		double n = (double)unit->executions;

		json_object_set_new(layers, unit->place,
			json_pack("{s:f, s:f, s:f, s:f, s:I, s:s}", "power_w",
				unit->energy_j / unit->busy_s, "runtime_ms",
				1e3 * unit->busy_s / n, "energy_mj", 1e3 * unit->energy_j / n,
				"reported_ms", unit->reported_ms / n, "executions",
				(json_int_t)unit->executions, "type", unit->type));
	}
	return layers;
}

/* What each rail gave a layer; constant shares of what is above idle. */
static json_t *describe_rail(const struct jm_simulated_result *result, size_t rail)
{
	const struct jm_simulate_config *config = result->config;
	json_t *layers = json_object();

	for (size_t i = 0; i < result->network->n_units; i++) {
		const struct jm_simulated_unit *unit = &result->network->units[i];
		double power_w = jm_simulated_rail_w(
			config, rail, unit->energy_j / unit->busy_s, unit->share[rail]);

		json_object_set_new(layers, unit->place,
			json_pack("{s:f, s:f}", "power_w", power_w, "energy_mj",
				1e3 * power_w * unit->busy_s / (double)unit->executions));
	}
	return json_pack("{s:b, s:f, s:f, s:f, s:o}", "inside",
		jm_simulated_rail_is_inside(config, rail), "phase_s",
		result->conversions[rail].phase_s, "idle_w",
		jm_simulated_rail_w(config, rail, config->idle_w, 0), "gap_w",
		jm_simulated_rail_w(
			config, rail, result->network->gap_w, result->network->gap_share[rail]),
		"layers", layers);
}

static json_t *describe_rails(const struct jm_simulated_result *result)
{
	json_t *rails = json_object();

	for (size_t r = 0; r < (size_t)result->config->rails; r++)
		json_object_set_new(rails, jm_simulated_rail_name(result->config, r),
			describe_rail(result, r));
	return rails;
}

/* Of the total, in the run. */
static double energy_j(const struct jm_simulated_result *result)
{
	double sum = 0;

	for (size_t r = 0; r < (size_t)result->config->rails; r++)
		if (!jm_simulated_rail_is_inside(result->config, r))
			sum += result->conversions[r].energy_j;
	return sum;
}

static json_t *describe_parameters(const struct jm_simulate_config *config)
{
	json_t *parameters = json_object();

	for (const struct jm_simulate_parameter *p = jm_simulate_parameters(); p->name; p++) {
		const void *place = (const char *)config + p->offset;
		json_t *value = p->type == JM_SIMULATE_COUNT
					? json_integer((json_int_t) * (const int64_t *)place)
				: p->type == JM_SIMULATE_REAL
					? json_real(*(const double *)place)
					: json_string(*(const char *const *)place);

		json_object_set_new(parameters, p->name, value);
	}
	return parameters;
}

/* The keys that other simulators of this format use; seconds and W. */
static json_t *describe_short(const struct jm_simulated_result *result)
{
	const struct jm_simulate_config *c = result->config;

	return json_pack(
		"{s:b, s:s, s:s, s:I, s:o, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, "
		"s:f, s:f, s:s}",
		"simulated", 1, "scenario", c->scenario, "net", JM_SIMULATED_MODEL, "seed",
		(json_int_t)c->seed, "layers", describe_layers(result->network), "gap_w",
		result->network->gap_w, "idle_w", c->idle_w, "T", c->round_ms * 1e-3, "w",
		c->window_ms * 1e-3, "tau", c->tau_ms * 1e-3, "delay", c->delay_ms * 1e-3,
		"poll", c->poll_ms * 1e-3, "pj", c->poll_jitter_us * 1e-6, "gap",
		c->pause_ms * 1e-3, "gj", c->pause_jitter, "drift", c->drift_w, "stamp",
		c->stamp);
}

static void add_totals(json_t *truth, const struct jm_simulated_result *result)
{
	const struct jm_simulated_run *run = result->run;
	double cycles = (double)result->config->cycles, stop_s = result->config->stop_s;

	json_object_set_new(truth, "cycle",
		json_pack("{s:f, s:f, s:f, s:f}", "runtime_ms", 1e3 * run->in_cycles_s / cycles,
			"energy_mj", 1e3 * run->in_cycles_j / cycles, "with_pause_ms",
			1e3 * (run->end_s - stop_s) / cycles, "with_pause_mj",
			1e3 * (energy_j(result) - stop_s * result->config->idle_w) / cycles));
	json_object_set_new(truth, "sensor",
		json_pack("{s:f, s:f, s:I, s:I}", "period_s", result->conversions->period_s,
			"phase_s", result->conversions->phase_s, "conversions",
			(json_int_t)result->conversions->n, "readings",
			(json_int_t)result->log->rails[0].n_readings));
	json_object_set_new(truth, "duration_s", json_real(run->end_s));
	json_object_set_new(
		truth, "background_jobs", json_integer((json_int_t)run->background_jobs));
	json_object_set_new(
		truth, "slow_from_cycle", json_integer((json_int_t)run->slow_from_cycle));
	if (result->config->rails > 1)
		json_object_set_new(truth, "rails", describe_rails(result));
	json_object_set_new(truth, "parameters", describe_parameters(result->config));
}

int jm_simulated_truth_write(
	const char *path, const struct jm_simulated_result *result, struct jm_error *reterr)
{
	json_t *truth = describe_short(result);
	char *text;
	int status;

	if (!truth)
		return jm_fail_memory(reterr, "the truth of the simulated run");
	add_totals(truth, result);
	text = json_dumps(truth, JSON_INDENT(1));
	json_decref(truth);
	if (!text)
		return jm_fail_memory(reterr, "the truth of the simulated run");
	status = jm_file_write(path, text, strlen(text), reterr);
	free(text);
	return status;
}
