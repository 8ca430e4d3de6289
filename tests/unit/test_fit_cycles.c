/* SPDX-License-Identifier: Apache-2.0 */
/* The whole way of layers that do not run once a cycle: fit, summary, table, rows. */
#include "unit.h"

#include "attribute/summary.h"
#include "fit_checks.h"
#include "formats/layer_energy_file.h"
#include "map/map_fit.h"
#include "scratch.h"

/* "b" runs twice in a cycle, "c" only in every third; the others once. */
enum { LAYERS = 4, CYCLES = 3000, TWICE = 1, THIRD = 2 };

static size_t runs_of(size_t layer, size_t cycle)
{
	return layer == TWICE ? 2 : layer == THIRD ? cycle % 3 == 0 : 1;
}

static size_t executions_of(size_t layer)
{
	return layer == TWICE ? 2 * CYCLES : layer == THIRD ? CYCLES / 3 : CYCLES;
}

/* One execution, its span told; returns its end. */
static double execute(struct board *board, size_t cycle, size_t k, double at)
{
	double d = board->duration_s[k] * (1 + board->layer_jitter * board_normal(board));

	board_change(board, at, board->power_w[k]);
	board->time_s[k] += d;
	board->energy_j[k] += d * board->power_w[k];
	assert_int_equal(jm_timeline_append_span(&board->timeline, k, cycle, 0, board_ns(at),
				 board_ns(at + d), NULL),
		0);
	return at + d;
}

/* "b" runs before and after the others; 40 us pass between layers. */
static double run(struct board *board)
{
	static const size_t order[] = {0, TWICE, THIRD, 3, TWICE};
	double at = 0.5;

	board_change(board, -1, board->idle_w);
	for (size_t cycle = 0; cycle < CYCLES; cycle++) {
		for (size_t i = 0; i < 5; i++) {
			if (!runs_of(order[i], cycle))
				continue;
			at = execute(board, cycle, order[i], at);
			board_change(board, at, board->gap_w);
			at += i < 4 ? 40e-6 : 0;
		}
		at += board->gap_s * (0.05 + 2 * board_uniform(board));
	}
	board->load_w[board->n_changes - 1] = board->idle_w;
	return at;
}

static void make(struct board *board)
{
	size_t room = CYCLES * 12 + 2;

	board_init(board, 3, LAYERS, CYCLES);
	jm_timeline_init(&board->timeline);
	jm_power_log_init(&board->log);
	board->timeline.stamp = JM_STAMP_BEGIN;
	board->change_s = malloc(room * sizeof(double));
	board->load_w = malloc(room * sizeof(double));
	jm_power_log_add_rail(&board->log, "VDD_IN", JM_QUANTITY_UW, NULL);
	for (size_t k = 0; k < LAYERS; k++)
		jm_timeline_add_layer(
			&board->timeline, (const char *[]){"a", "b", "c", "d"}[k], "x", NULL);
	board_poll(board, run(board) + 0.4);
}

/* Of the board itself: mJ of a mean cycle, gaps included, while the run lasts. */
static double cycle_energy_mj(const struct board *board)
{
	double sum = 0;

	for (size_t i = 1; i + 1 < board->n_changes; i++)
		sum += board->load_w[i] * (board->change_s[i + 1] - board->change_s[i]);
	return sum / CYCLES * 1e3;
}

static void check_fit(const struct board *board, const struct jm_fit_result *result)
{
	double cycle_mj = cycle_energy_mj(board), shares = 0;

	assert_int_equal(result->n_resolved, LAYERS);
	for (size_t k = 0; k < LAYERS; k++) {
		const struct jm_fit_layer *layer = &result->layers[k];
		double energy_mj = board->energy_j[k] * 1e3, truth = board->power_w[k];

		assert_int_equal(layer->executions, executions_of(k));
		assert_true(truth >= layer->power_lo_w && truth <= layer->power_hi_w);
		expect_close(layer->power_w, truth, 0.02 * truth);
		expect_close(layer->runtime_ms,
			board->time_s[k] * 1e3 / (double)executions_of(k), 1e-3);
		expect_close(layer->energy_mj, energy_mj / (double)executions_of(k),
			0.02 * layer->energy_mj);
		/* Of a mean cycle: what all its executions took, over the cycles. */
		expect_close(layer->energy_share, energy_mj / CYCLES / cycle_mj, 0.01);
		shares += layer->energy_share;
	}
	expect_close(shares + result->gap.energy_share + result->between.energy_share, 1, 1e-9);
	expect_close(result->closure.fitted_mj, cycle_mj, 0.01 * cycle_mj);
	expect_close(result->closure.measured_mj, cycle_mj, 0.02 * cycle_mj);
}

struct totals {
	struct jm_summary *summary;
	size_t n[LAYERS], rows;
	size_t last_cycle, last_layer;
	double time_ms[LAYERS];
	const struct jm_fit_result *result;
};

/* One row per execution, in order of cycle and layer, with the layer's power. */
static int take_row(void *context, const struct jm_cycle_power *row)
{
	struct totals *totals = context;

	assert_true(row->layer < LAYERS && row->cycle < CYCLES);
	assert_true(runs_of(row->layer, row->cycle) > 0);
	assert_true(!totals->rows || row->cycle > totals->last_cycle ||
		    (row->cycle == totals->last_cycle && row->layer >= totals->last_layer));
	expect_close(row->power_uw, totals->result->layers[row->layer].power_w * 1e6, 1);
	totals->n[row->layer]++;
	totals->time_ms[row->layer] += row->duration_ms;
	totals->rows++;
	totals->last_cycle = row->cycle;
	totals->last_layer = row->layer;
	jm_summary_add(totals->summary, row);
	return 0;
}

static void check_rows(const struct board *board, const struct jm_fit_result *result)
{
	double layers_mj = 0, layers_ms = 0;
	struct jm_summary summary;
	struct totals totals = {.summary = &summary, .result = result};

	assert_int_equal(jm_summary_init(&summary, &board->timeline, NULL), 0);
	assert_int_equal(
		jm_map_fit_rows(&board->timeline, result, 4.2e6, take_row, &totals), 0);
	jm_summary_close(&summary, &board->timeline, &board->log.rails[0], 4.2e6);
	assert_int_equal(totals.rows, 4 * CYCLES + CYCLES / 3);
	assert_int_equal(summary.cycles, CYCLES);
	for (size_t k = 0; k < LAYERS; k++) {
		double time_ms = board->time_s[k] * 1e3;

		assert_int_equal(totals.n[k], executions_of(k));
		assert_int_equal(summary.layers[k].executions, executions_of(k));
		expect_close(totals.time_ms[k], time_ms, 1e-3 * time_ms + 3);
		expect_close(
			summary.layers[k].per_cycle, (double)executions_of(k) / CYCLES, 1e-12);
		expect_close(summary.layers[k].power_w, result->layers[k].power_w, 1e-3);
		layers_mj += board->energy_j[k] * 1e3 / CYCLES;
		layers_ms += time_ms / CYCLES;
	}
	expect_close(summary.layers_energy_mj, layers_mj, 0.02 * layers_mj);
	expect_close(summary.layers_ms, layers_ms, 0.01 * layers_ms);
	expect_close(summary.sensor_energy_mj, cycle_energy_mj(board),
		0.03 * cycle_energy_mj(board));
	jm_summary_release(&summary);
}

struct table {
	double executions[LAYERS];
	double layers_mj, gap_mj, total_mj, shares;
};

static int take_line(void *context, const struct jm_layer_energy_row *row)
{
	struct table *table = context;

	if (row->index >= 0) {
		table->layers_mj +=
			row->layer.energy_mj * (double)row->layer.executions / CYCLES;
		table->executions[row->index] = (double)row->layer.executions;
	} else if (row->index == -1) {
		table->gap_mj = row->layer.energy_mj;
	} else {
		table->total_mj = row->layer.energy_mj;
		return 0;
	}
	table->shares += row->layer.energy_share;
	return 0;
}

/* The table's rows, each as often as it runs, are the table's total. */
static void check_table(const struct board *board, const struct jm_fit_result *result)
{
	struct table table = {0};
	const char *path = scratch_path("layer_energy.csv");

	assert_int_equal(jm_layer_energy_write(path, &board->timeline, result, NULL), 0);
	assert_int_equal(jm_layer_energy_read(path, take_line, &table, NULL), LAYERS + 2);
	for (size_t k = 0; k < LAYERS; k++)
		assert_int_equal((size_t)table.executions[k], executions_of(k));
	expect_close(table.layers_mj + table.gap_mj, table.total_mj, 0.02 * table.total_mj);
	expect_close(table.shares, 1, 1e-6);
}

static void test_cycles(void **state)
{
	struct jm_fit_result result;
	struct board board;

	(void)state;
	make(&board);
	fit(&board, &result);
	check_fit(&board, &result);
	check_rows(&board, &result);
	check_table(&board, &result);
	jm_fit_result_release(&result);
	board_release(&board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_cycles)};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
