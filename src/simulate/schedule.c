/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "simulate/internal.h"

/* Where the schedule stands. */
struct walk {
	const struct jm_simulate_config *config;
	struct jm_simulated_network *network;
	struct jm_simulated_run *run;
	struct jm_random random; /* of what happens */
	struct jm_random stamps; /* of what is written about it */
	struct jm_random skips;  /* of layers that a cycle does not run */
	double at_s;
	double drawn_w; /* since the last step of the load */
	const double *drawn_share;
	int slow;       /* clocks are lower */
	uint32_t *deck; /* [n_units], layers in the order of being stretched */
	size_t next_in_deck;
	double *callback_ms; /* [n_units], times of a cycle whose stamps are callbacks */
};

static int64_t to_ns(double s)
{
	return (int64_t)llround(s * 1e9);
}

/* From now on, `share` of what is above idle on each rail. */
static int draw(struct walk *walk, double power_w, const double *share, struct jm_error *reterr)
{
	const struct jm_simulate_config *config = walk->config;
	int changed = power_w != walk->drawn_w || share != walk->drawn_share, result = 0;

	if (power_w != walk->drawn_w)
		result = jm_supply_load_append(&walk->run->load, walk->at_s, power_w, reterr);
	for (size_t r = 0; config->rails > 1 && changed && r < (size_t)config->rails; r++)
		if (result == 0)
			result = jm_supply_load_append(&walk->run->rail_load[r], walk->at_s,
				jm_simulated_rail_w(config, r, power_w, share[r]), reterr);
	walk->drawn_w = power_w;
	walk->drawn_share = share;
	return result;
}

/* ---- One layer --------------------------------------------------------------------- */

/* Rounded to what a profiler reports: ms in single precision. */
static double choose_ms(struct walk *walk, const struct jm_simulated_unit *unit)
{
	double factor = 1 + walk->config->layer_jitter * jm_random_normal(&walk->random);

	factor = factor < 0.3 ? 0.3 : factor;
	if (walk->slow)
		factor *= walk->config->slow_time;
	return (double)(float)(unit->mean_s * 1e3 * factor);
}

static double choose_w(struct walk *walk, const struct jm_simulated_unit *unit)
{
	const struct jm_simulate_config *config = walk->config;
	double power_w = unit->power_w;

	if (config->power_jitter > 0)
		power_w *= 1 + config->power_jitter * jm_random_normal(&walk->random);
	if (walk->slow)
		power_w = config->idle_w + (power_w - config->idle_w) * config->slow_power;
	return power_w < 0 ? 0 : power_w;
}

static double stamp_noise_s(struct walk *walk)
{
	if (walk->config->stamp_jitter_us <= 0)
		return 0;
	return walk->config->stamp_jitter_us * 1e-6 * jm_random_normal(&walk->stamps);
}

static int report(
	struct walk *walk, size_t layer, double begin_s, double ms, struct jm_error *reterr)
{
	struct jm_simulated_unit *unit = &walk->network->units[layer];
	double reported_ms = (double)(float)(ms * walk->config->span_factor);
	double stamp_s = begin_s + stamp_noise_s(walk);

	unit->reported_ms += reported_ms;
	unit->reported_ms2 += reported_ms * reported_ms;
	if (walk->run->timeline.stamp == JM_STAMP_CALLBACK) {
		walk->callback_ms[layer] = reported_ms; /* < 0: it did not run */
		return 0;
	}
	if (walk->run->timeline.stamp == JM_STAMP_END)
		stamp_s += ms * 1e-3;
	return jm_timeline_append(&walk->run->timeline, unit->layer,
		(struct jm_execution){to_ns(stamp_s), reported_ms}, reterr);
}

static int run_layer(struct walk *walk, size_t layer, struct jm_error *reterr)
{
	struct jm_simulated_unit *unit = &walk->network->units[layer];
	double ms = choose_ms(walk, unit), power_w = choose_w(walk, unit);
	int result = draw(walk, power_w, unit->share, reterr);

	if (result == 0)
		result = report(walk, layer, walk->at_s, ms, reterr);
	walk->at_s += ms * 1e-3;
	unit->executions++;
	unit->busy_s += ms * 1e-3;
	unit->energy_j += power_w * ms * 1e-3;
	walk->run->in_cycles_j += power_w * ms * 1e-3;
	return result;
}

static int wait(struct walk *walk, double s, struct jm_error *reterr)
{
	int result =
		s > 0 ? draw(walk, walk->network->gap_w, walk->network->gap_share, reterr) : 0;

	if (s > 0)
		walk->at_s += s;
	return result;
}

/* ---- One cycle ---------------------------------------------------------------------- */

/* How often a layer runs in this cycle: once, or until it fills stretch_ms. */
static size_t repeats(const struct walk *walk, size_t layer, size_t stretched)
{
	if (layer != stretched)
		return 1;
	return (size_t)ceil(
		walk->config->stretch_ms * 1e-3 / walk->network->units[layer].mean_s);
}

/* The layer whose turn it is, from a deck that is shuffled each time it is out. */
static size_t choose_stretched(struct walk *walk)
{
	size_t n = walk->network->n_units;

	if (walk->config->stretch_ms <= 0)
		return SIZE_MAX;
	if (walk->next_in_deck == 0) {
		for (size_t i = n; i > 1; i--) {
			size_t j = (size_t)jm_random_below(&walk->random, i);
			uint32_t other = walk->deck[j];

			walk->deck[j] = walk->deck[i - 1];
			walk->deck[i - 1] = other;
		}
	}
	walk->next_in_deck = (walk->next_in_deck + 1) % n;
	return walk->deck[walk->next_in_deck];
}

/* Whether this cycle runs a layer. */
static int is_skipped(struct walk *walk, size_t layer)
{
	return walk->network->units[layer].optional &&
	       jm_random_uniform(&walk->skips) < walk->config->skip_share;
}

static int run_layers(struct walk *walk, struct jm_error *reterr)
{
	size_t n = walk->network->n_units, stretched = choose_stretched(walk);
	int result = 0;

	for (size_t i = 0; i < n && result == 0; i++) {
		if (is_skipped(walk, i)) {
			walk->callback_ms[i] = -1;
			continue;
		}
		for (size_t r = repeats(walk, i, stretched); r > 0 && result == 0; r--)
			result = run_layer(walk, i, reterr);
		if (result == 0 && i + 1 < n && walk->config->layer_gap_us > 0) {
			double gap_s = walk->config->layer_gap_us * 1e-6 *
				       (0.5 + jm_random_uniform(&walk->random));

			result = wait(walk, gap_s, reterr);
			walk->run->in_cycles_j += gap_s * walk->network->gap_w;
		}
	}
	return result;
}

/* Stamps of a cycle's layers one after the other, once it is over. */
static int call_back(struct walk *walk, struct jm_error *reterr)
{
	const struct jm_simulate_config *config = walk->config;
	double at_s = walk->at_s + config->callback_delay_us * 1e-6 *
					   (0.5 + jm_random_uniform(&walk->stamps));
	int result = 0;

	for (size_t i = 0; i < walk->network->n_units && result == 0; i++) {
		if (walk->callback_ms[i] < 0)
			continue;
		at_s += config->callback_us * 1e-6 * (0.5 + jm_random_uniform(&walk->stamps));
		result = jm_timeline_append(&walk->run->timeline, walk->network->units[i].layer,
			(struct jm_execution){
				to_ns(at_s + stamp_noise_s(walk)), walk->callback_ms[i]},
			reterr);
	}
	return result < 0 ? result : wait(walk, at_s - walk->at_s, reterr);
}

static double choose_pause_s(struct walk *walk, double cycle_begin_s)
{
	const struct jm_simulate_config *config = walk->config;
	double factor = 1;

	if (!strcmp(config->pause, "none"))
		return 0;
	if (!strcmp(config->pause, "locked"))
		return cycle_begin_s + walk->run->locked_s - walk->at_s;
	if (!strcmp(config->pause, "uniform"))
		return config->pause_ms * 1e-3 * jm_random_uniform(&walk->random);
	factor += config->pause_jitter * jm_random_normal(&walk->random);
	return config->pause_ms * 1e-3 * (factor < 0.05 ? 0.05 : factor);
}

/* Somebody stops the process: the machine is as idle as before the run. */
static int stand_still(struct walk *walk, struct jm_error *reterr)
{
	int result = walk->config->stop_s > 0 ? draw(walk, walk->config->idle_w,
							walk->network->gap_share, reterr)
					      : 0;

	walk->at_s += walk->config->stop_s;
	return result;
}

static int run_cycles(struct walk *walk, struct jm_error *reterr)
{
	size_t cycles = (size_t)walk->config->cycles;
	size_t stop_behind = (size_t)(walk->config->stop_at * (double)cycles);
	struct jm_simulated_run *run = walk->run;
	int result = 0;

	for (size_t cycle = 0; cycle < cycles && result == 0; cycle++) {
		double begin_s = walk->at_s;

		walk->slow = cycle >= run->slow_from_cycle;
		result = run_layers(walk, reterr);
		run->in_cycles_s += walk->at_s - begin_s;
		if (result == 0 && run->timeline.stamp == JM_STAMP_CALLBACK)
			result = call_back(walk, reterr);
		run->end_s = walk->at_s;
		if (result == 0 && cycle == stop_behind)
			result = stand_still(walk, reterr);
		if (result == 0 && cycle + 1 < cycles)
			result = wait(walk, choose_pause_s(walk, begin_s), reterr);
	}
	return result < 0 ? result
			  : draw(walk, walk->config->idle_w, walk->network->gap_share, reterr);
}

/* ---- The run ---------------------------------------------------------------------------- */

static enum jm_stamp stamp_of(const char *word)
{
	return !strcmp(word, "begin") ? JM_STAMP_BEGIN
	       : !strcmp(word, "end") ? JM_STAMP_END
				      : JM_STAMP_CALLBACK;
}

static int begin_run(struct walk *walk, struct jm_error *reterr)
{
	const struct jm_simulate_config *config = walk->config;
	struct jm_simulated_network *network = walk->network;
	struct jm_simulated_run *run = walk->run;
	double half_round_s = 0.5e-3 * config->round_ms * (1 + config->clock_ppm * 1e-6);
	int result = 0;

	run->timeline.stamp = stamp_of(config->stamp);
	run->load.before_w = walk->drawn_w = config->idle_w;
	for (size_t r = 0; r < (size_t)config->rails; r++)
		run->rail_load[r].before_w = jm_simulated_rail_w(config, r, config->idle_w, 0);
	run->slow_from_cycle = (size_t)ceil(config->slow_from * (double)config->cycles);
	if (!strcmp(config->pause, "locked"))
		run->locked_s = ceil(1.02 * network->cycle_s / half_round_s) * half_round_s;
	for (size_t i = 0; i < network->n_units && result >= 0; i++)
		if (network->units[i].layer == run->timeline.n_layers)
			result = jm_timeline_add_layer(&run->timeline, network->units[i].name,
				network->units[i].type, reterr);
	if (result < 0)
		return result;
	walk->deck = calloc(network->n_units + 1, sizeof(*walk->deck));
	walk->callback_ms = calloc(network->n_units + 1, sizeof(*walk->callback_ms));
	if (!walk->deck || !walk->callback_ms)
		return jm_fail_memory(reterr, "the schedule of the simulated run");
	for (size_t i = 0; i < network->n_units; i++)
		walk->deck[i] = (uint32_t)i;
	return 0;
}

/* Jobs of exponential length with exponential pauses, from lead-in to lead-out. */
static int add_background(struct jm_simulated_run *run, const struct jm_simulate_config *config,
	struct jm_error *reterr)
{
	double share = config->background_share, at_s = -config->lead_s;
	struct jm_random random;
	int result = 0;

	if (config->background_w <= 0 || share <= 0)
		return 0;
	jm_random_init(&random, (uint64_t)config->seed, JM_STREAM_BACKGROUND);
	while (result == 0) {
		at_s += config->background_s * (1 - share) / share *
			jm_random_exponential(&random);
		if (at_s > run->end_s + config->lead_s)
			break;
		result = jm_supply_load_append(
			&run->background, at_s, config->background_w, reterr);
		at_s += config->background_s * (0.5 + jm_random_uniform(&random));
		if (result == 0)
			result = jm_supply_load_append(&run->background, at_s, 0, reterr);
		run->background_jobs++;
	}
	return result;
}

int jm_simulated_schedule(struct jm_simulated_run *run, struct jm_simulated_network *network,
	const struct jm_simulate_config *config, struct jm_error *reterr)
{
	struct walk walk = {.config = config, .network = network, .run = run};
	int result;

	memset(run, 0, sizeof(*run));
	jm_timeline_init(&run->timeline);
	jm_random_init(&walk.random, (uint64_t)config->seed, JM_STREAM_SCHEDULE);
	jm_random_init(&walk.stamps, (uint64_t)config->seed, JM_STREAM_STAMP);
	jm_random_init(&walk.skips, (uint64_t)config->seed, JM_STREAM_SKIP);
	result = begin_run(&walk, reterr);
	if (result == 0)
		result = run_cycles(&walk, reterr);
	if (result == 0)
		result = add_background(run, config, reterr);
	free(walk.deck);
	free(walk.callback_ms);
	return result;
}

void jm_simulated_run_release(struct jm_simulated_run *run)
{
	jm_timeline_release(&run->timeline);
	jm_supply_load_release(&run->load);
	for (size_t r = 0; r < JM_SIMULATE_RAILS_MAX; r++)
		jm_supply_load_release(&run->rail_load[r]);
	jm_supply_load_release(&run->background);
}
