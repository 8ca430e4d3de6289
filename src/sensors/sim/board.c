/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "sensors/sim/sim.h"

/* The supply at no load, and its resistance. */
#define SUPPLY_V 5.04
#define SUPPLY_MOHM 12.0

/* Standard deviation of one voltage conversion. */
#define VOLTAGE_NOISE_MV 4.0

static struct jm_random random_of(
	const struct jm_sim_board *board, uint64_t stream, uint64_t index)
{
	struct jm_random random;

	/* So that seeds in a row do not meet in the streams of one another. */
	jm_random_init(&random, jm_splitmix64_mix(board->seed + stream), index);
	return random;
}

double jm_sim_uniform(const struct jm_sim_board *board, uint64_t stream, uint64_t index)
{
	struct jm_random random = random_of(board, stream, index);

	return jm_random_uniform(&random);
}

double jm_sim_normal(const struct jm_sim_board *board, uint64_t stream, uint64_t index)
{
	struct jm_random random = random_of(board, stream, index);

	return jm_random_normal(&random);
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
	struct jm_chip *chip = &board->chip;
	double u[5];

	for (size_t i = 0; i < 5; i++)
		u[i] = jm_sim_uniform(board, JM_SIM_STREAM_BOARD, i);
	if (board->delay_ms < 0.0)
		board->delay_ms = 0.2 + 0.4 * u[0];
	board->clock_ppm = 160.0 * u[1] - 80.0;
	board->idle_w = 4.0 + 0.4 * u[3];
	board->gap_w = board->idle_w + 0.2 + 0.4 * u[4];
	chip->monitor = (struct jm_monitor){SUPPLY_V, SUPPLY_MOHM, board->noise_ma,
		VOLTAGE_NOISE_MV, JM_SIM_CURRENT_STEP_MA, JM_SIM_VOLTAGE_STEP_MV};
	chip->period_s = board->round_ms * 1e-3 * (1.0 + board->clock_ppm * 1e-6);
	chip->phase_s = u[2] * chip->period_s;
	chip->window_s = board->window_ms * 1e-3;
	chip->delay_s = board->delay_ms * 1e-3;
	chip->seed = board->seed;
	jm_supply_init(&board->supply, board->tau_ms * 1e-3, 0, 0);
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
