/* SPDX-License-Identifier: Apache-2.0 */
/* Drivers whose reads wait for a conversion: what is made of the reads' ends. */
#include "unit.h"

#include "fit_checks.h"

enum { LAYERS = 8, CYCLES = 4000 };

/* How a read waits. */
enum wait {
	WAIT_TO_THE_END, /* it ends with the conversion */
	WAIT_BY_SLEEPING /* it asks for one, and sleeps for a round where there is none */
};

/* The sensor as a driver sees it. */
struct chip {
	struct board *board;
	struct board_sweep sweep;
	enum wait wait;
	double transfer_s;           /* a register over the bus */
	double next, average, value; /* the next conversion; what the last one showed */
	int ready;                   /* since the last read */
};

#define VOLTAGE_V 5.0

/* Conversions that are visible at a moment. */
static void chip_advance(struct chip *chip, double at)
{
	while (chip->next + chip->board->delay_s <= at) {
		chip->value =
			board_convert(chip->board, &chip->sweep, chip->next, &chip->average);
		chip->next += chip->board->round_s;
		chip->ready = 1;
	}
}

/* One read that begins at a moment; returns its end. */
static double chip_read(struct chip *chip, double at)
{
	struct board *board = chip->board;

	if (chip->wait == WAIT_TO_THE_END) {
		at = chip->next + board->delay_s + 2e-6 + 6e-6 * board_uniform(board);
		chip_advance(chip, at);
		return at;
	}
	for (at += chip->transfer_s;; at += chip->transfer_s) {
		chip_advance(chip, at);
		if (chip->ready)
			break;
		at += board->round_s * (0.95 + 0.06 * board_uniform(board));
	}
	chip->ready = 0;
	at += chip->transfer_s;
	chip_advance(chip, at);
	return at;
}

/* Voltage and current one after the other, as the INA3221's back end does. */
static void chip_log(
	struct board *board, enum wait wait, double transfer_s, struct jm_power_log *log)
{
	const struct jm_rail *polled = &board->log.rails[0];
	int64_t end_ns = polled->readings[polled->n_readings - 1].after_ns;
	struct chip chip = {.board = board,
		.sweep = {.at = -1, .load = board->load_w[0], .z = board->load_w[0]},
		.wait = wait,
		.transfer_s = transfer_s,
		.next = board->round_s * board_uniform(board),
		.average = board->load_w[0]};

	jm_power_log_init(log);
	jm_power_log_add_rail(log, "VDD_IN", JM_QUANTITY_MV_MA, NULL);
	for (double at = 0.01; board_ns(at) < end_ns;) {
		double begin = at, before = chip_read(&chip, at);
		struct jm_reading reading = {board_ns(before), 0, {VOLTAGE_V * 1e3, 0}};

		at = chip_read(&chip, before + 5e-6);
		reading.after_ns = board_ns(at);
		reading.value[1] = chip.value / VOLTAGE_V * 1e3;
		jm_power_log_append(log, 0, &reading, NULL);
		at += 0.05 * (at - begin) * board_uniform(board);
	}
}

/* The board above, or with the shortest conversions of three channels. */
static void make(struct board *board, uint64_t seed, int quick)
{
	board_init(board, seed, LAYERS, CYCLES);
	if (quick) {
		board->round_s = 0.84013e-3;
		board->window_s = 0.14e-3;
		board->delay_s = 0.5e-3;
	}
	board_make(board);
}

static void fit_log(const struct board *board, const struct jm_power_log *log, int blocking,
	struct jm_fit_result *result)
{
	struct jm_fit_input input;

	board_input(board, &input);
	input.rail = &log->rails[0];
	input.prior.round_ms = round(board->round_s * 1e5) / 1e2;
	input.prior.blocking = blocking;
	fit_input(&input, result);
}

/* One run; what is found must be the truth, unless `told` is NULL: then nothing is. */
static void check(
	uint64_t seed, int quick, enum wait wait, double transfer_s, struct tally *told)
{
	struct jm_fit_result result;
	struct jm_power_log log;
	struct board board;

	make(&board, seed, quick);
	chip_log(&board, wait, transfer_s, &log);
	fit_log(&board, &log, 1, &result);
	if (told) {
		expect_close(result.response.delay_ms, board.delay_s * 1e3, 0.04);
		expect_close(result.response.tau_ms, board.tau_s * 1e3, 0.02);
		expect_close(result.response.window_ms, board.window_s * 1e3, 0.02);
		assert_int_equal(result.n_resolved, LAYERS);
		assert_true(result.response.ticks);
		assert_true(result.diagnostics.conversions >=
			    (wait == WAIT_TO_THE_END ? 1.0 : 0.75) *
				    (double)log.rails[0].n_readings);
		tally_add(told, &board, &result);
	} else {
		assert_int_equal(result.n_resolved, 0);
		assert_int_equal(result.cause, JM_CAUSE_SLOW_POLL);
		assert_false(result.response.ticks);
	}
	jm_fit_result_release(&result);
	jm_power_log_release(&log);
	board_release(&board);
}

/* The end of each read is the moment of its conversion, and none is lost. */
static void test_to_the_end(void **state)
{
	struct tally slow = {0}, quick = {0};

	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++)
		check(seed, 0, WAIT_TO_THE_END, 0, &slow);
	check(1, 1, WAIT_TO_THE_END, 0, &quick);
	expect_tally(&slow, 0.01);
	expect_tally(&quick, 0.003);
}

/* Not told, half of the conversions are missed, and the delay is off by rounds. */
static void test_not_told(void **state)
{
	struct jm_fit_result result;
	struct jm_power_log log;
	struct board board;

	(void)state;
	make(&board, 1, 0);
	chip_log(&board, WAIT_TO_THE_END, 0, &log);
	fit_log(&board, &log, 0, &result);
	assert_true(result.diagnostics.conversions < 0.6 * (double)log.rails[0].n_readings);
	assert_true(fabs(result.response.delay_ms - 0.45) > 6);
	jm_fit_result_release(&result);
	jm_power_log_release(&log);
	board_release(&board);
}

/* Ends at any moment: the rhythm comes from reads that found their conversion ready. */
static void test_by_sleeping(void **state)
{
	struct tally slow = {0}, quick = {0};

	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++)
		check(seed, 0, WAIT_BY_SLEEPING, 0.2e-3, &slow);
	check(1, 1, WAIT_BY_SLEEPING, 0.06e-3, &quick);
	expect_tally(&slow, 0.03);
	expect_tally(&quick, 0.005);
}

/* A read takes most of a round without waiting: it is not known when values were made. */
static void test_unknown(void **state)
{
	(void)state;
	check(1, 1, WAIT_BY_SLEEPING, 0.2e-3, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_the_end),
		cmocka_unit_test(test_not_told),
		cmocka_unit_test(test_by_sleeping),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
