/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "sensors/sim/sim.h"

/* The supply at no load, and its resistance. */
#define SUPPLY_V 5.04
#define SUPPLY_OHM 0.012

/* Standard deviation of one voltage conversion. */
#define VOLTAGE_NOISE_MV 4.0

/* splitmix64's finaliser (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t hash(uint64_t seed, uint64_t stream, uint64_t index)
{
	uint64_t z = mix(seed + UINT64_C(0x9e3779b97f4a7c15));

	z = mix(z ^ (stream * UINT64_C(0xd1b54a32d192ed03)));
	return mix(z ^ mix(index + UINT64_C(0x9e3779b97f4a7c15)));
}

static double unit(uint64_t bits)
{
	return (double)(bits >> 11) * 0x1p-53;
}

double jm_sim_uniform(const struct jm_sim_board *board, uint64_t stream, uint64_t index)
{
	return unit(hash(board->seed, stream, index));
}

double jm_sim_normal(const struct jm_sim_board *board, uint64_t stream, uint64_t index)
{
	const double two_pi = 6.283185307179586;
	uint64_t bits = hash(board->seed, stream, index);
	double radius = sqrt(-2.0 * log(1.0 - unit(bits))); /* Box-Muller */

	return radius * cos(two_pi * unit(mix(bits)));
}

/* ---- Parameters -------------------------------------------------------------- */

struct parameter {
	const char *key;
	size_t offset;
	double low;
	double high;
};

#define PARAMETER(key, low, high)                                                              \
	{                                                                                      \
#key, offsetof(struct jm_sim_board, key), low, high                            \
	}

static const struct parameter parameters[] = {
	PARAMETER(tau_ms, 0.0, 100.0),
	PARAMETER(round_ms, 0.1, 10000.0),
	PARAMETER(window_ms, 0.01, 5000.0),
	PARAMETER(delay_ms, 0.0, 100.0),
	PARAMETER(noise_ma, 0.0, 1000.0),
};

static int set_seed(
	struct jm_sim_board *board, const char *value, size_t length, struct jm_error *reterr)
{
	uint64_t seed = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned digit = (unsigned)(value[i] - '0');

		if (digit > 9 || seed > (UINT64_MAX - digit) / 10)
			length = 0;
		else
			seed = seed * 10 + digit;
	}
	if (!length)
		return jm_fail(reterr, JM_EINVAL, "sensor 'sim': seed is no number of 64 bits");
	board->seed = seed;
	return 0;
}

static int set_parameter(
	struct jm_sim_board *board, const char *text, size_t length, struct jm_error *reterr)
{
	const char *equals = memchr(text, '=', length);
	size_t key = equals ? (size_t)(equals - text) : length;
	const char *value = text + key + (equals ? 1 : 0);
	size_t value_length = length - (size_t)(value - text);
	double number;

	if (key == 4 && memcmp(text, "seed", 4) == 0)
		return set_seed(board, value, value_length, reterr);
	for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
		const struct parameter *parameter = &parameters[i];

		if (strlen(parameter->key) != key || memcmp(text, parameter->key, key) != 0)
			continue;
		if (!value_length ||
			jm_text_scan_double(value, value_length, &number) != value_length ||
			!(number >= parameter->low && number <= parameter->high))
			return jm_fail(reterr, JM_EINVAL,
				"sensor 'sim': %s must be a number from %g to %g",
				parameter->key, parameter->low, parameter->high);
		memcpy((char *)board + parameter->offset, &number, sizeof(number));
		return 0;
	}
	return jm_fail(reterr, JM_EUSAGE,
		"sensor 'sim' has no option '%.*s': there are seed, tau_ms, round_ms, "
		"window_ms, "
		"delay_ms and noise_ma, as in 'sim:seed=3,tau_ms=0.8'",
		(int)key, text);
}

static int parse(struct jm_sim_board *board, const char *argument, struct jm_error *reterr)
{
	while (argument && *argument) {
		size_t length = strcspn(argument, ",");
		int result = set_parameter(board, argument, length, reterr);

		if (result < 0)
			return result;
		argument += length;
		if (*argument == ',')
			argument++;
	}
	return 0;
}

/* Draws from the seed what the argument did not set, and the schedule. */
static void derive(struct jm_sim_board *board)
{
	double u[5];

	for (size_t i = 0; i < 5; i++)
		u[i] = jm_sim_uniform(board, JM_SIM_STREAM_BOARD, i);
	if (board->delay_ms < 0.0)
		board->delay_ms = 0.2 + 0.4 * u[0];
	board->clock_ppm = 160.0 * u[1] - 80.0;
	board->idle_w = 4.0 + 0.4 * u[3];
	board->gap_w = board->idle_w + 0.2 + 0.4 * u[4];
	board->period_ns = board->round_ms * 1e6 * (1.0 + board->clock_ppm * 1e-6);
	board->phase_ns = u[2] * board->period_ns;
	board->window_ns = board->window_ms * 1e6;
	board->delay_ns = board->delay_ms * 1e6;
}

int jm_sim_board_init(struct jm_sim_board *board, const char *argument, uint64_t seed,
	struct jm_error *reterr)
{
	int result;

	memset(board, 0, sizeof(*board));
	board->seed = seed;
	board->tau_ms = 0.3;
	board->round_ms = 6.6;
	board->window_ms = -1.0; /* a sixth of the round, as with 3 channels */
	board->delay_ms = -1.0;  /* from the seed */
	board->noise_ma = 6.0;
	result = parse(board, argument, reterr);
	if (result < 0)
		return result;
	if (board->window_ms < 0.0)
		board->window_ms = board->round_ms / 6.0;
	if (2.0 * board->window_ms > board->round_ms * (1.0 + 1e-9))
		return jm_fail(reterr, JM_EINVAL,
			"sensor 'sim': window_ms %g does not fit twice (current, voltage) into "
			"round_ms %g",
			board->window_ms, board->round_ms);
	derive(board);
	return 0;
}

/* ---- Conversions ------------------------------------------------------------- */

int64_t jm_sim_visible_current(const struct jm_sim_board *board, int64_t moment_ns)
{
	double since = (double)moment_ns - board->delay_ns - board->phase_ns;

	return (int64_t)floor(since / board->period_ns);
}

/* The voltage is converted right after the current, over a window of its own. */
int64_t jm_sim_visible_voltage(const struct jm_sim_board *board, int64_t moment_ns)
{
	double since = (double)moment_ns - board->delay_ns - board->phase_ns - board->window_ns;

	return (int64_t)floor(since / board->period_ns);
}

/* V of V = SUPPLY_V - SUPPLY_OHM * power / V. */
static double supply_voltage(double power_w)
{
	double root = SUPPLY_V * SUPPLY_V - 4.0 * SUPPLY_OHM * power_w;

	return (SUPPLY_V + sqrt(root > 0.0 ? root : 0.0)) / 2.0;
}

double jm_sim_current_ma(const struct jm_sim_board *board, int64_t index, double power_w)
{
	double ma = 1e3 * power_w / supply_voltage(power_w);

	ma += board->noise_ma * jm_sim_normal(board, JM_SIM_STREAM_CURRENT, (uint64_t)index);
	return JM_SIM_CURRENT_STEP_MA * round(ma / JM_SIM_CURRENT_STEP_MA);
}

double jm_sim_voltage_mv(const struct jm_sim_board *board, int64_t index, double power_w)
{
	double mv = 1e3 * supply_voltage(power_w);

	mv += VOLTAGE_NOISE_MV * jm_sim_normal(board, JM_SIM_STREAM_VOLTAGE, (uint64_t)index);
	return JM_SIM_VOLTAGE_STEP_MV * round(mv / JM_SIM_VOLTAGE_STEP_MV);
}
