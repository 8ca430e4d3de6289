/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run on the virtual board, as a tracer would have seen it:
 *     bench_traced TABLE markers|callbacks|exact SEED CYCLES FOLDER
 * TABLE is what bench_layers has printed of one network: what its layers take
 * when nobody traces them, what the tracer says of them, and how far its spans
 * lie apart. The board is given what happens in a traced run: a layer for as
 * long as it takes untraced, then the tracer's own work, which draws power of its
 * own. The timeline has the tracer's spans: as much too long or too short as its
 * layers read, with its noise. Everything else is as `joulemap simulate` has it
 * for an Orin Nano, pauses as `measure` makes them. An exact tracer costs nothing
 * and tells the truth.
 *
 * Writes FOLDER/network and FOLDER/truth.json, the energies of whose layers are
 * those of the untraced network. Layers whose true time is not known to 10 %, and
 * the first, whose begin is not known, take what the markers say; they are named
 * on stdout. Power is made up, and so is when it is read: SIMULATED.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "formats/timeline_file.h"
#include "run/run.h"
#include "run/run_folder.h"
#include "simulate/internal.h"

#define LAYERS_MAX 1000
#define KNOWN_SHARE 0.1
#define PAUSE_MAX_MS 6.6
/* Of the tracer's own work: that of a light layer. */
#define OWN_W 6.5

/* One layer of the table, in us. */
struct row {
	char name[96];
	double true_us, error_us;
	double traced_us, before_us; /* by the tracer */
	int is_known;
};

struct table {
	struct row rows[LAYERS_MAX];
	size_t n;
	double spread_us; /* of one span of the tracer */
};

/* ---- The table ----------------------------------------------------------------------- */

enum way { MARKERS, CALLBACKS, EXACT, N_WAYS };

static const char *const ways[N_WAYS] = {"markers", "callbacks", "exact"};

static void read_head(struct table *table, const char *line, enum way way)
{
	const char *at = strstr(line, "its spread: markers ");
	double spreads[N_WAYS] = {0, 0, 0};

	if (at && sscanf(at, "its spread: markers %*f %lf, callbacks %*f %lf", &spreads[0],
			  &spreads[1]) == 2)
		table->spread_us = spreads[way];
}

static void read_row(struct table *table, const char *line, enum way way)
{
	struct row *row = &table->rows[table->n];
	double by[N_WAYS][3] = {{0}}; /* time, error, before */
	int at = 0;

	if (table->n == LAYERS_MAX ||
		sscanf(line, "%*u %lf %lf %lf %lf %lf %lf %lf %lf %n", &row->true_us,
			&row->error_us, &by[0][0], &by[0][1], &by[0][2], &by[1][0], &by[1][1],
			&by[1][2], &at) != 8)
		return;
	snprintf(
		row->name, sizeof(row->name), "%.*s", (int)strcspn(line + at, "\n"), line + at);
	row->is_known = table->n && row->error_us < KNOWN_SHARE * row->true_us;
	if (!row->is_known) {
		row->true_us = by[0][0];
		printf("%s\n", row->name);
	}
	row->traced_us = way == EXACT ? row->true_us : by[way][0];
	row->before_us = by[way][2];
	table->n++;
}

static int read_table(struct table *table, const char *path, enum way way)
{
	FILE *file = fopen(path, "r");
	char line[1024];

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (line[0] == '#')
			read_head(table, line, way);
		else
			read_row(table, line, way);
	fclose(file);
	return table->n ? 0 : -1;
}

/* ---- The run ------------------------------------------------------------------------- */

struct walk {
	const struct jm_simulate_config *config;
	const struct table *table;
	struct jm_simulated_network *network;
	struct jm_simulated_run *run;
	struct jm_random random;
	double at_s;
};

static int draw(struct walk *walk, double power_w, double s, struct jm_error *error)
{
	int result = jm_supply_load_append(&walk->run->load, walk->at_s, power_w, error);

	walk->at_s += s;
	return result;
}

/* What the tracer says of a layer that began at begin_s and has just ended. */
static int report(struct walk *walk, size_t layer, double begin_s, struct jm_error *error)
{
	const struct row *row = &walk->table->rows[layer];
	struct jm_simulated_unit *unit = &walk->network->units[layer];
	double end_s = walk->at_s + (row->traced_us - row->true_us) * 1e-6;
	double ms;

	end_s += walk->table->spread_us * 1e-6 * jm_random_normal(&walk->random);
	ms = fmax(end_s - begin_s, 0) * 1e3;
	unit->reported_ms += ms;
	unit->reported_ms2 += ms * ms;
	return jm_timeline_append(&walk->run->timeline, layer,
		(struct jm_execution){llround(begin_s * 1e9) + llround(ms * 1e6), ms}, error);
}

static int run_layer(struct walk *walk, size_t layer, struct jm_error *error)
{
	const struct row *row = &walk->table->rows[layer];
	struct jm_simulated_unit *unit = &walk->network->units[layer];
	double jitter = walk->config->layer_jitter * jm_random_normal(&walk->random);
	double begin_s = walk->at_s, s = unit->mean_s * fmax(1 + jitter, 0.3);
	int result = draw(walk, unit->power_w, s, error);

	unit->executions++;
	unit->busy_s += s;
	unit->energy_j += unit->power_w * s;
	walk->run->in_cycles_j += unit->power_w * s;
	if (result == 0)
		result = report(walk, layer, begin_s, error);
	if (result == 0 && layer + 1 < walk->table->n) {
		double own_us = row[1].before_us + row->traced_us - row->true_us;

		own_us = fmax(own_us, 0);
		walk->run->in_cycles_j += OWN_W * own_us * 1e-6;
		result = draw(walk, OWN_W, own_us * 1e-6, error);
	}
	return result;
}

static int run_cycles(struct walk *walk, struct jm_error *error)
{
	int result = 0;

	for (int64_t cycle = 0; cycle < walk->config->cycles && result == 0; cycle++) {
		double begin_s = walk->at_s;
		double pause_s = PAUSE_MAX_MS * 1e-3 * jm_random_uniform(&walk->random);

		for (size_t i = 0; i < walk->table->n && result == 0; i++)
			result = run_layer(walk, i, error);
		walk->run->in_cycles_s += walk->at_s - begin_s;
		walk->run->end_s = walk->at_s;
		if (result == 0 && cycle + 1 < walk->config->cycles)
			result = draw(walk, walk->network->gap_w, pause_s, error);
	}
	return result < 0 ? result : draw(walk, walk->config->idle_w, 0, error);
}

/* Powers as `simulate` draws them for so many layers; names and times are the table's. */
static int make_network(struct jm_simulated_network *network, const struct table *table,
	const struct jm_simulate_config *config, struct jm_error *error)
{
	int result = jm_simulated_network_init(network, config, error);

	for (size_t i = 0; result == 0 && i < table->n; i++) {
		struct jm_simulated_unit *unit = &network->units[i];

		memcpy(unit->name, table->rows[i].name, sizeof(unit->name));
		snprintf(unit->place, sizeof(unit->place), "%s", unit->name);
		unit->mean_s = table->rows[i].true_us * 1e-6;
	}
	return result;
}

static int run(struct walk *walk, struct jm_error *error)
{
	struct jm_simulated_run *run = walk->run;
	int result = 0;

	jm_timeline_init(&run->timeline);
	run->timeline.stamp = JM_STAMP_END;
	run->load.before_w = walk->config->idle_w;
	run->slow_from_cycle = (size_t)walk->config->cycles;
	jm_random_init(&walk->random, (uint64_t)walk->config->seed, JM_STREAM_SCHEDULE);
	for (size_t i = 0; i < walk->table->n && result >= 0; i++)
		result = jm_timeline_add_layer(&run->timeline, walk->network->units[i].name,
			walk->network->units[i].type, error);
	return result < 0 ? result : run_cycles(walk, error);
}

/* ---- Files --------------------------------------------------------------------------- */

/* The exact timeline, and what relates its clock to the power log's. */
static int write_timeline(
	const char *folder, const struct jm_simulated_result *result, struct jm_error *error)
{
	struct jm_run *run = malloc(sizeof(*run));
	char place[JM_PATH_MAX], path[JM_PATH_MAX];
	int status = run ? jm_path_join(place, folder, JM_SIMULATED_MODEL, error) : -1;

	if (status == 0)
		status = jm_path_join(path, place, JM_RUN_TIMELINE_NAME, error);
	if (status == 0)
		status = jm_timeline_file_write(path, &result->run->timeline, error);
	if (status == 0)
		status = jm_path_join(path, place, JM_RUN_JSON_NAME, error);
	if (status == 0) {
		jm_run_init(run);
		run->clock = (struct jm_run_clock){.monotonic_ns = 0,
			.realtime_ns = jm_simulated_civil_begin_ns(result->config)};
		run->cycles = result->config->cycles;
		status = jm_run_write(path, run, error);
		jm_run_release(run);
	}
	free(run);
	return status;
}

static int simulate(const struct jm_simulate_config *config, const struct table *table,
	const char *folder, struct jm_error *error)
{
	struct jm_simulated_network network = {0};
	struct jm_simulated_run traced = {0};
	struct jm_simulated_conversions conversions = {0};
	struct jm_power_log log = {0};
	struct jm_simulated_result result = {config, &network, &traced, &conversions, &log, 0};
	struct walk walk = {
		.config = config, .table = table, .network = &network, .run = &traced};
	int status = make_network(&network, table, config, error);

	if (status == 0)
		status = run(&walk, error);
	if (status == 0)
		status = jm_simulated_convert(&conversions, &traced, config, error);
	if (status == 0)
		status = jm_simulated_poll(&log, &conversions, config, traced.end_s, error);
	if (status == 0)
		status = jm_simulated_folder_write(folder, &result, &log, error);
	if (status == 0)
		status = write_timeline(folder, &result, error);
	jm_power_log_release(&log);
	jm_simulated_conversions_release(&conversions);
	jm_simulated_run_release(&traced);
	jm_simulated_network_release(&network);
	return status;
}

int main(int argc, char **argv)
{
	static struct table table; /* too large for the stack */
	struct jm_simulate_config config;
	struct jm_error error = {0};
	size_t way = 0;

	while (argc == 6 && way < N_WAYS && strcmp(argv[2], ways[way]) != 0)
		way++;
	if (argc != 6 || way == N_WAYS) {
		fprintf(stderr, "usage: bench_traced TABLE markers|callbacks|exact SEED CYCLES "
				"FOLDER\n");
		return 2;
	}
	if (read_table(&table, argv[1], (enum way)way) < 0) {
		fprintf(stderr, "'%s' is no table of bench_layers\n", argv[1]);
		return 1;
	}
	jm_simulate_config_init(&config);
	config.layers = (int64_t)table.n;
	config.seed = strtoll(argv[3], NULL, 10);
	config.cycles = strtoll(argv[4], NULL, 10);
	if (simulate(&config, &table, argv[5], &error) < 0) {
		fprintf(stderr, "%s: %s\n", jm_code_name(error.code), error.message);
		return 1;
	}
	return 0;
}
