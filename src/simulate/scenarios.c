/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "simulate/simulate.h"

#define ONE_CHANNEL                                                                            \
	"round_ms=0.66 window_ms=0.33 delay_ms=0.25 poll_ms=0.5 poll_jitter_us=30 read_ms=0.2"
#define COUNTER                                                                                \
	"sensor=counter round_ms=1 delay_ms=0.02 poll_ms=0.5 poll_jitter_us=20 "               \
	"clock_ppm=0 idle_w=3.1 tau_ms=0"
#define NVML                                                                                   \
	"round_ms=20 window_ms=20 delay_ms=4 clock_ppm=0 poll_ms=20 poll_jitter_us=200 "       \
	"read_ms=0 supply_v=1 supply_mohm=0 quantum_mv=1 noise_mv=0 quantum_ma=1 noise_ma=50 " \
	"tau_ms=0 cycles=5000 poll_pause_share=0"

#define RAILS "rails=3 poll_ms=2 read_ms=0.5 power_min_w=14 power_max_w=40 idle_w=9"

static const struct jm_simulate_scenario scenarios[] = {
	{"ina3221-default", "an Orin Nano as it comes: 3 channels, supply filter 0.3 ms", ""},
	{"no-filter", "the same without a supply filter, delay 0.2 ms",
		"tau_ms=0 delay_ms=0.2"},
	{"tau08", "slow supply: 0.8 ms", "tau_ms=0.8"},
	{"second-order", "supply with two time constants, 0.5 and 0.2 ms",
		"tau_ms=0.5 tau2_ms=0.2"},
	{"overshoot", "supply that overshoots: 0.25 ms, damping 0.4",
		"tau_ms=0.25 damping=0.4"},
	{"callback", "time stamps made by callbacks after the inference", "stamp=callback"},
	{"callback-late", "callbacks that come 1.5 ms late, 30 us apart",
		"stamp=callback callback_delay_us=1500 callback_us=30"},
	{"begin", "time stamps that mean begins", "stamp=begin"},
	{"drift", "drift of 0.8 W, ripple of 0.15 W with a period of 17 s",
		"drift_w=0.8 ripple_w=0.15 ripple_s=17"},
	{"background", "jobs of others: 1.5 W, 4 % of the time, 0.2 s each",
		"background_w=1.5 background_share=0.04"},
	{"slowdown",
		"lower clocks from the middle on: layers 1.3 times as long, 3/4 of the power",
		"slow_from=0.5"},
	{"spans-long", "layer times reported 5 % too long", "span_factor=1.05"},
	{"pauses", "polling stops for up to 8 ms before every twentieth reading",
		"poll_pause_share=0.05"},
	{"slow-poll", "polled every 7.5 ms, slower than the sensor's round",
		"poll_ms=7.5 poll_jitter_us=400"},
	{"late-delay", "conversions visible 6 ms late", "delay_ms=6"},
	{"zone", "the power log's clock is two hours ahead", "power_log_zone_h=2"},
	{"gaps", "gaps of 20 us between layers", "layer_gap_us=20"},
	{"jitter-schedule", "random pause up to one round between cycles",
		"pause=uniform pause_ms=6.6"},
	{"back-to-back", "no pause between cycles", "pause=none"},
	{"locked", "cycles of exactly a whole number of half rounds: not resolvable",
		"pause=locked layer_jitter=0"},
	{"locked-jitter", "the same network with a random pause up to one round",
		"pause=uniform pause_ms=6.6 layer_jitter=0"},
	{"few-cycles", "300 cycles only: mostly not resolvable", "cycles=300"},
	{"uneven", "a layer's power differs by 3 % from cycle to cycle", "power_jitter=0.03"},
	{"alike", "all layers draw nearly the same", "power_min_w=6 power_max_w=6.2"},
	{"one-channel", "one channel, 0.33 ms conversions, polled every 0.5 ms", ONE_CHANNEL},
	{"avg-lowpass", "AVG 16: the chip's low-pass of conversions",
		"sensor=averaging average=16"},
	{"avg-105ms", "block means over 105 ms: mostly not resolvable",
		"round_ms=105.6 window_ms=105 poll_ms=5"},
	{"rapl", "energy counter, 1 ms updates, 61 uJ", COUNTER " update_jitter_us=8"},
	{"rapl-fine", "energy counter, 1 ms updates, 15.3 uJ, more jitter",
		COUNTER " update_jitter_us=40 quantum_uj=15.2587890625"},
	{"nvml", "20 ms means, plain cycles", NVML},
	{"nvml-stretch", "20 ms means, one layer per cycle stretched to 25 ms",
		NVML " stretch_ms=25"},
	{"repeated-names", "three layers have the names of three others, which run before them",
		"repeated=3"},
	{"branches", "every fifth layer or so is skipped by 40 % of the cycles",
		"optional=3 skip_share=0.4"},
	{"branches-callback", "the same, stamps made by callbacks, names that repeat",
		"optional=2 skip_share=0.3 repeated=2 stamp=callback callback_delay_us=20"},
	{"clock-forward", "the clock is put forward by a day during the run", "step_s=86400"},
	{"clock-back", "the clock is set back by 5 s during the run", "step_s=-5"},
	{"hole", "no readings for 4 s of the run", "hole_s=4"},
	{"stopped", "the process stands still for 20 s", "stop_s=20"},
	{"hard", "drift, jobs of others, slow second-order supply and pauses at once",
		"drift_w=0.8 ripple_w=0.15 background_w=1.5 background_share=0.04 tau_ms=0.6 "
		"tau2_ms=0.2 poll_pause_share=0.02 layer_gap_us=3 power_jitter=0.02"},
	{"rails", "three rails, whose sum is the total, each with a supply of its own", RAILS},
	{"rails-still", "the same, but the third draws the same all the time",
		RAILS " rail_layout=still"},
	{"rails-inside", "a total and two rails inside it", RAILS " rail_layout=inside"},
	{"rapl-rails", "two energy counters that wrap, whose sum is the total",
		COUNTER " update_jitter_us=8 rails=2 range_uj=3e7"},
	{NULL, NULL, NULL},
};

const struct jm_simulate_scenario *jm_simulate_scenarios(void)
{
	return scenarios;
}

static int fail_unknown(const char *name, struct jm_error *reterr)
{
	const char *closest = NULL;
	size_t least = 4;

	for (size_t i = 0; scenarios[i].name; i++) {
		size_t distance = jm_text_distance(scenarios[i].name, name);

		if (distance < least) {
			least = distance;
			closest = scenarios[i].name;
		}
	}
	if (closest)
		return jm_fail(reterr, JM_EUSAGE, "no scenario '%s', did you mean '%s'?", name,
			closest);
	return jm_fail(reterr, JM_EUSAGE,
		"no scenario '%s': 'joulemap simulate --list' shows all of them", name);
}

/* "name=value name=value" */
static int apply(
	struct jm_simulate_config *config, const char *settings, struct jm_error *reterr)
{
	char name[64], value[64];
	int used, result = 0;

	while (result == 0 &&
		sscanf(settings, " %63[^= ]=%63[^ ]%n", name, value, &used) == 2) {
		result = jm_simulate_set(config, name, value, reterr);
		settings += used;
	}
	return result;
}

int jm_simulate_config_scenario(
	struct jm_simulate_config *config, const char *name, struct jm_error *reterr)
{
	const struct jm_simulate_scenario *scenario = scenarios;

	while (scenario->name && strcmp(scenario->name, name) != 0)
		scenario++;
	if (!scenario->name)
		return fail_unknown(name, reterr);
	jm_simulate_config_init(config);
	config->scenario = scenario->name;
	return apply(config, scenario->settings, reterr);
}
