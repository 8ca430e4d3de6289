/* SPDX-License-Identifier: Apache-2.0 */
/* A small board for tests of the fit: exact, seeded, independent of src/attribute. */
#ifndef JM_TESTS_FIT_BOARD_H
#define JM_TESTS_FIT_BOARD_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "joulemap/joulemap.h"

#define BOARD_LAYERS_MAX 40
#define BOARD_ORIGIN_NS INT64_C(1700000000000000000)

struct board {
	uint64_t seed;
	size_t n_layers, n_cycles;
	double power_w[BOARD_LAYERS_MAX], duration_s[BOARD_LAYERS_MAX];
	size_t later_from; /* from this cycle on, these factors apply; 0: never */
	double later_power[BOARD_LAYERS_MAX], later_time[BOARD_LAYERS_MAX];
	double gap_w, idle_w, gap_s, gap_jitter, layer_jitter;
	double pause_s;  /* at most, at random, between cycles */
	double wait_s;   /* mean time that a span holds before its layer runs, at gap_w */
	double launch_s; /* between the spans of a cycle, at gap_w */
	double stretch;  /* one layer of each cycle runs this many times as long; 0: none */
	double tau_s, window_s, round_s, delay_s, poll_s, noise_w, quantum_w, extra_w;
	double shape;           /* supply: 1 / (1 + tau s + shape tau^2 s^2) */
	double samples;         /* the sensor moves by 1 / samples of what it converts */
	double counter_j;       /* step of an energy counter; 0: a sensor of power */
	double update_jitter_s; /* conversions are late by up to this */
	enum jm_stamp stamp;
	/* Made by board_make(). */
	double time_s[BOARD_LAYERS_MAX], energy_j[BOARD_LAYERS_MAX]; /* all executions */
	struct jm_timeline timeline;
	struct jm_power_log log;
	double *change_s, *load_w; /* load from change_s[i] on */
	size_t n_changes;
};

static inline double board_uniform(struct board *board)
{
	uint64_t z = board->seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static inline double board_normal(struct board *board)
{
	double radius = sqrt(-2 * log(1 - board_uniform(board)));

	return radius * cos(6.283185307179586 * board_uniform(board));
}

static inline void board_init(
	struct board *board, uint64_t seed, size_t n_layers, size_t n_cycles)
{
	memset(board, 0, sizeof(*board));
	*board = (struct board){.seed = seed,
		.n_layers = n_layers,
		.n_cycles = n_cycles,
		.gap_w = 4.5,
		.idle_w = 4.2,
		.gap_s = 1e-3,
		.gap_jitter = 0.25,
		.layer_jitter = 0.02,
		.tau_s = 0.3e-3,
		.window_s = 1.1e-3,
		.round_s = 6.6002e-3,
		.delay_s = 0.45e-3,
		.poll_s = 1.33e-3,
		.noise_w = 0.015,
		.quantum_w = 0.04,
		.stamp = JM_STAMP_END};
	for (size_t k = 0; k < n_layers; k++) {
		board->power_w[k] = 5 + 7 * board_uniform(board);
		board->duration_s[k] = 60e-6 + 300e-6 * board_uniform(board);
		board->later_power[k] = board->later_time[k] = 1;
	}
}

static inline void board_change(struct board *board, double at_s, double load_w)
{
	board->change_s[board->n_changes] = at_s;
	board->load_w[board->n_changes++] = load_w + board->extra_w;
}

static inline int64_t board_ns(double s)
{
	return BOARD_ORIGIN_NS + (int64_t)(s * 1e6) * 1000;
}

/* One execution; returns its end. */
static inline double board_execute(struct board *board, size_t cycle, size_t k, double at)
{
	int later = board->later_from && cycle >= board->later_from;
	double d = board->duration_s[k] * (1 + board->layer_jitter * board_normal(board));
	double power_w = board->power_w[k] * (later ? board->later_power[k] : 1), wait = 0;

	d *= later ? board->later_time[k] : 1;
	if (board->launch_s > 0 && k) {
		board_change(board, at, board->gap_w);
		at += board->launch_s;
	}
	if (board->stretch > 0 && cycle % board->n_layers == k)
		d *= board->stretch;
	else if (board->wait_s > 0) /* what is repeated does not wait */
		wait = -board->wait_s * log(1 - board_uniform(board));
	if (wait > 0)
		board_change(board, at, board->gap_w);
	board_change(board, at + wait, power_w);
	board->time_s[k] += d;
	board->energy_j[k] += d * (power_w + board->extra_w);
	jm_timeline_append(&board->timeline, k,
		(struct jm_execution){
			board_ns(board->stamp == JM_STAMP_END ? at + wait + d : at),
			(wait + d) * 1e3},
		NULL);
	return at + wait + d;
}

static inline double board_run(struct board *board)
{
	double at = 0.5;

	board_change(board, -1, board->idle_w);
	for (size_t cycle = 0; cycle < board->n_cycles; cycle++) {
		for (size_t k = 0; k < board->n_layers; k++)
			at = board_execute(board, cycle, k, at);
		board_change(board, at, board->gap_w);
		at += board->gap_s * fmax(0.05, 1 + board->gap_jitter * board_normal(board));
		if (board->pause_s > 0)
			at += board->pause_s * board_uniform(board);
	}
	board->load_w[board->n_changes - 1] = board->idle_w + board->extra_w;
	return at;
}

/* Power while layer k runs, over all its executions. */
static inline double board_mean_power(const struct board *board, size_t k)
{
	return board->energy_j[k] / board->time_s[k];
}

/* Integral of the filtered load up to growing moments. */
struct board_sweep {
	size_t next;
	double at, load;
	double z, slope; /* filtered, and tau times its slope */
	double sum;
};

/*
 * z and slope after d seconds of the same load, by the Taylor series of the
 * differential equation in steps well below its time constants.
 */
static inline void board_filter(const struct board *board, struct board_sweep *sweep, double d)
{
	double z = sweep->z - sweep->load, slope = sweep->slope;
	double n = ceil(2 * d / board->tau_s * fmax(1, 2 / board->shape));
	double h = d / board->tau_s / n;

	if (z == 0 && slope == 0)
		return;
	for (; n > 0; n--) {
		double term = z, term_slope = slope;

		for (int i = 1; i <= 10; i++) {
			double next = term_slope * h / i;

			term_slope = -(term + term_slope) / board->shape * h / i;
			term = next;
			z += term;
			slope += term_slope;
		}
	}
	sweep->z = sweep->load + z;
	sweep->slope = slope;
}

static inline void board_pass(const struct board *board, struct board_sweep *sweep, double d)
{
	double z = sweep->z, slope = sweep->slope;

	if (board->shape > 0 && d > 0)
		board_filter(board, sweep, d);
	else if (d > 0)
		sweep->z = sweep->load +
			   (z - sweep->load) * (board->tau_s > 0 ? exp(-d / board->tau_s) : 0);
	sweep->sum += sweep->load * d - board->tau_s * (sweep->z - z) -
		      board->shape * board->tau_s * (sweep->slope - slope);
	sweep->at += d;
}

static inline double board_sweep(
	const struct board *board, struct board_sweep *sweep, double to)
{
	while (sweep->at < to) {
		double until = to;

		if (sweep->next < board->n_changes && board->change_s[sweep->next] < to)
			until = fmax(board->change_s[sweep->next], sweep->at);
		board_pass(board, sweep, until - sweep->at);
		sweep->at = until;
		if (until < to)
			sweep->load = board->load_w[sweep->next++];
	}
	return sweep->sum;
}

/* What the sensor shows from a conversion at `end` on, in W or J. */
static inline double board_convert(
	struct board *board, struct board_sweep *sweep, double end, double *average)
{
	double begin, value;

	if (board->counter_j > 0)
		return board->counter_j *
		       floor(board_sweep(board, sweep, end) / board->counter_j);
	begin = board_sweep(board, sweep, end - board->window_s);
	value = (board_sweep(board, sweep, end) - begin) / board->window_s;
	value += board->noise_w * board_normal(board);
	if (board->samples > 1)
		value = *average += (value - *average) / board->samples;
	if (board->quantum_w > 0)
		value = board->quantum_w * round(value / board->quantum_w);
	return value;
}

/* Polls the sensor over [0, end_s). */
static inline void board_poll(struct board *board, double end_s)
{
	struct board_sweep sweep = {.at = -1, .load = board->load_w[0], .z = board->load_w[0]};
	double tick = board->round_s * (1 + board_uniform(board)), late = 0, value = 0;
	double average = board->load_w[0];

	for (double at = 0.01; at < end_s;
		at += board->poll_s * (1 + 0.06 * board_uniform(board))) {
		struct jm_reading reading = {board_ns(at), board_ns(at), {0, 0}};

		for (; tick + late + board->delay_s <= at; tick += board->round_s) {
			value = board_convert(board, &sweep, tick + late, &average);
			if (board->update_jitter_s > 0)
				late = board->update_jitter_s * board_uniform(board);
		}
		reading.value[0] = value * 1e6;
		jm_power_log_append(&board->log, 0, &reading, NULL);
	}
}

static inline void board_make(struct board *board)
{
	size_t room = board->n_cycles * (3 * board->n_layers + 1) + 2;

	jm_timeline_init(&board->timeline);
	jm_power_log_init(&board->log);
	board->timeline.stamp = board->stamp;
	board->change_s = malloc(room * sizeof(double));
	board->load_w = malloc(room * sizeof(double));
	jm_power_log_add_rail(&board->log, "VDD_IN",
		board->counter_j > 0 ? JM_QUANTITY_UJ : JM_QUANTITY_UW, NULL);
	for (size_t k = 0; k < board->n_layers; k++) {
		char name[32];

		snprintf(name, sizeof(name), "layer %zu", k);
		jm_timeline_add_layer(&board->timeline, name, k % 2 ? "conv" : "pool", NULL);
	}
	board_poll(board, board_run(board) + 0.4);
}

static inline void board_release(struct board *board)
{
	jm_timeline_release(&board->timeline);
	jm_power_log_release(&board->log);
	free(board->change_s);
	free(board->load_w);
}

/* What a driver would tell of the board's sensor. */
static inline void board_input(const struct board *board, struct jm_fit_input *input)
{
	jm_fit_input_init(input);
	input->rail = &board->log.rails[0];
	input->timeline = &board->timeline;
	input->prior.round_ms = round(board->round_s * 1e4) / 10;
	input->prior.window_ms = board->counter_j > 0 ? 0 : board->window_s * 1e3;
}

static inline int board_fit(
	const struct board *board, struct jm_fit_result *result, struct jm_error *error)
{
	struct jm_fit_input input;

	board_input(board, &input);
	return jm_attribute_fit(&input, result, error);
}

#endif
