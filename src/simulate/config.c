/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "simulate/parameters.h"
#include "simulate/simulate.h"

const char *const jm_simulate_pauses[] = {"jitter", "uniform", "none", "locked", NULL};
const char *const jm_simulate_stamps[] = {"end", "begin", "callback", NULL};
const char *const jm_simulate_sensors[] = {"window", "counter", "averaging", NULL};
const char *const jm_simulate_layouts[] = {"roots", "still", "inside", NULL};

#define PLACE(field) offsetof(struct jm_simulate_config, field)
#define COUNT(field, option, fallback, min, max, help)                                         \
	{#field, JM_SIMULATE_COUNT, PLACE(field), min, max, NULL},
#define REAL(field, option, fallback, min, max, help)                                          \
	{#field, JM_SIMULATE_REAL, PLACE(field), min, max, NULL},
#define CHOICE(field, option, choices, fallback, help)                                         \
	{#field, JM_SIMULATE_CHOICE, PLACE(field), 0, 0, choices},
static const struct jm_simulate_parameter parameters[] = {
	JM_SIMULATE_PARAMETERS(COUNT, REAL, CHOICE){NULL, JM_SIMULATE_COUNT, 0, 0, 0, NULL}};
#undef COUNT
#undef REAL
#undef CHOICE

const struct jm_simulate_parameter *jm_simulate_parameters(void)
{
	return parameters;
}

void jm_simulate_config_init(struct jm_simulate_config *config)
{
	memset(config, 0, sizeof(*config));
	config->scenario = "ina3221-default";
#define COUNT(field, option, fallback, min, max, help) config->field = fallback;
#define REAL(field, option, fallback, min, max, help) config->field = fallback;
#define CHOICE(field, option, choices, fallback, help) config->field = fallback;
	JM_SIMULATE_PARAMETERS(COUNT, REAL, CHOICE)
#undef COUNT
#undef REAL
#undef CHOICE
}

/* ---- Setting one -------------------------------------------------------------------- */

static int set_choice(const struct jm_simulate_parameter *parameter, const char *value,
	const char **ret_choice, struct jm_error *reterr)
{
	const char *const *words = parameter->choices;

	for (size_t i = 0; words[i]; i++) {
		if (!strcmp(words[i], value)) {
			*ret_choice = words[i];
			return 0;
		}
	}
	return jm_fail(reterr, JM_EUSAGE, "%s '%s' is none of %s, %s, %s%s%s", parameter->name,
		value, words[0], words[1], words[2], words[3] ? ", " : "",
		words[3] ? words[3] : "");
}

int jm_simulate_set(struct jm_simulate_config *config, const char *name, const char *value,
	struct jm_error *reterr)
{
	const struct jm_simulate_parameter *parameter = parameters;
	void *place;
	double number;
	char *end;

	while (parameter->name && strcmp(parameter->name, name) != 0)
		parameter++;
	if (!parameter->name)
		return jm_fail(reterr, JM_EUSAGE, "no parameter '%s' of a simulation", name);
	place = (char *)config + parameter->offset;
	if (parameter->type == JM_SIMULATE_CHOICE)
		return set_choice(parameter, value, place, reterr);
	number = strtod(value, &end);
	if (end == value || *end)
		return jm_fail(reterr, JM_EUSAGE, "%s '%s' is no number", name, value);
	if (!(number >= parameter->min && number <= parameter->max))
		return jm_fail(reterr, JM_EINVAL, "%s %s is not within %g and %g", name, value,
			parameter->min, parameter->max);
	if (parameter->type == JM_SIMULATE_COUNT)
		*(int64_t *)place = (int64_t)number;
	else
		*(double *)place = number;
	return 0;
}

/* ---- Checks ---------------------------------------------------------------------------- */

static int check_ranges(const struct jm_simulate_config *config, struct jm_error *reterr)
{
	for (const struct jm_simulate_parameter *p = parameters; p->name; p++) {
		const void *place = (const char *)config + p->offset;
		double value;

		if (p->type == JM_SIMULATE_CHOICE) {
			const char *choice;
			int result =
				set_choice(p, *(const char *const *)place, &choice, reterr);

			if (result < 0)
				return result;
			continue;
		}
		value = p->type == JM_SIMULATE_COUNT ? (double)*(const int64_t *)place
						     : *(const double *)place;
		if (!(value >= p->min && value <= p->max))
			return jm_fail(reterr, JM_EINVAL, "%s %g is not within %g and %g",
				p->name, value, p->min, p->max);
	}
	return 0;
}

/* What single values do not show. Each text says what to change. */
static const char *find_conflict(const struct jm_simulate_config *config)
{
	int counter = !strcmp(config->sensor, "counter");

	if (config->layer_min_us > config->layer_max_us)
		return "layer_min_us is above layer_max_us: swap them";
	if (config->power_min_w > config->power_max_w)
		return "power_min_w is above power_max_w: swap them";
	if (!counter && config->window_ms > config->round_ms)
		return "window_ms is longer than round_ms: a conversion cannot outlast its "
		       "round";
	if (!counter && config->update_jitter_us > 0 &&
		config->window_ms + 3e-3 * config->update_jitter_us > config->round_ms)
		return "update_jitter_us lets windows overlap: shorten window_ms";
	if (config->rails > 1 && !counter &&
		(double)config->rails * config->read_ms > config->poll_ms)
		return "reading all rails takes longer than poll_ms: shorten read_ms";
	if (config->rails > 1 && config->power_log_zone_h != 0)
		return "several rails are told apart by readings.csv, which has no time zone: "
		       "leave power_log_zone_h away";
	if (config->damping > 0 && config->tau_ms <= 0)
		return "damping needs a tau_ms above 0";
	if (config->damping > 0 && config->tau2_ms > 0)
		return "damping and tau2_ms describe the same supply twice: give one";
	if (2 * config->repeated > config->layers)
		return "repeated is more than half of the layers";
	if (2 * config->optional > config->layers)
		return "optional is more than half of the layers";
	if (config->stretch_ms > 0 && (config->repeated || config->optional))
		return "stretch_ms does not go with repeated or optional layers";
	if ((counter || config->rails > 1) && (config->step_s != 0 || config->hole_s > 0))
		return "step_s and hole_s are of the one log in civil time: no counter, one "
		       "rail";
	if (config->stretch_ms > 0 && !strcmp(config->stamp, "callback"))
		return "stretch_ms needs stamps that are begin or end, not callback";
	if (!strcmp(config->pause, "locked") && config->stretch_ms > 0)
		return "a locked pause does not go with stretch_ms";
	return NULL;
}

/* Spans and time that such a run would have; a layer's mean is at most the longest. */
static int check_size(const struct jm_simulate_config *config, struct jm_error *reterr)
{
	double per_cycle =
		(double)config->layers + config->stretch_ms * 1e3 / config->layer_min_us;
	double spans = per_cycle * (double)config->cycles;
	double cycle_s = (double)config->layers * config->layer_max_us * 1e-6 +
			 (config->pause_ms + config->stretch_ms) * 1e-3;
	double run_s =
		cycle_s * (double)config->cycles * 1.3 + 2 * config->lead_s + config->stop_s;

	if (spans > 1e9)
		return jm_fail(reterr, JM_EINVAL,
			"%g spans are too many to simulate (10^9): fewer cycles or layers",
			spans);
	if (run_s / (config->poll_ms * 1e-3) > 1e9 || run_s / (config->round_ms * 1e-3) > 1e9)
		return jm_fail(reterr, JM_EINVAL,
			"a run of up to %g s gives too many readings (10^9): raise poll_ms and "
			"round_ms",
			run_s);
	return 0;
}

int jm_simulate_check(const struct jm_simulate_config *config, struct jm_error *reterr)
{
	int result = check_ranges(config, reterr);
	const char *conflict;

	if (result < 0)
		return result;
	conflict = find_conflict(config);
	if (conflict)
		return jm_fail(reterr, JM_EINVAL, "%s", conflict);
	return check_size(config, reterr);
}
