/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of a simulation, in the order in which they run. Times are seconds
 * since the first cycle begins, as a perfect clock would tell them.
 *
 * network.c: layers. schedule.c: what ran when. sensor.c: what the sensor made
 * of it. poll.c: what was read. truth.c, folder.c: the files.
 */
#ifndef JM_SIMULATE_INTERNAL_H
#define JM_SIMULATE_INTERNAL_H

#include "base/random.h"
#include "joulemap/joulemap.h"
#include "simulate/simulate.h"
#include "simulate/supply.h"

/* Streams of randomness: one part's options leave the others' numbers alone. */
enum {
	JM_STREAM_NETWORK = 1,
	JM_STREAM_POWER = 2,
	JM_STREAM_SCHEDULE = 3,
	JM_STREAM_STAMP = 4,
	JM_STREAM_BACKGROUND = 5,
	JM_STREAM_SENSOR = 6,
	JM_STREAM_POLL = 7,
	JM_STREAM_RAILS = 8,
	JM_STREAM_SKIP = 9,
	JM_STREAM_OF_RAIL = 100 /* and its number: the sensor's, of each rail but the first */
};

/* ---- Network -------------------------------------------------------------------- */

struct jm_simulated_unit {
	char name[96];   /* in the files */
	char place[104]; /* the same, with the number of the place where a name repeats */
	size_t layer;    /* of the timeline */
	int optional;
	const char *type;
	double mean_s;  /* of one execution */
	double power_w; /* at full clocks */
	/* Of what is above idle, by rail. */
	double share[JM_SIMULATE_RAILS_MAX];
	/* Sums over the run. */
	double busy_s;
	double energy_j;
	double reported_ms;
	double reported_ms2;
	size_t executions;
};

struct jm_simulated_network {
	struct jm_simulated_unit *units; /* [n_units], owned */
	size_t n_units;
	double gap_w;
	double gap_share[JM_SIMULATE_RAILS_MAX];
	double cycle_s; /* layers and gaps of a mean cycle, without the pause */
};

int jm_simulated_network_init(struct jm_simulated_network *network,
	const struct jm_simulate_config *config, struct jm_error *reterr);
void jm_simulated_network_release(struct jm_simulated_network *network);

/* ---- Rails ------------------------------------------------------------------------ */

/* Divides the layers' power among the rails. */
void jm_simulated_rails_init(
	struct jm_simulated_network *network, const struct jm_simulate_config *config);

const char *jm_simulated_rail_name(const struct jm_simulate_config *config, size_t rail);
/* 1 when the rail is inside the first one; the rails are the total's parts otherwise. */
int jm_simulated_rail_is_inside(const struct jm_simulate_config *config, size_t rail);
/* Of all the power above idle a layer has this share on the rail: what that draws. */
double jm_simulated_rail_w(
	const struct jm_simulate_config *config, size_t rail, double power_w, double share);

/* ---- Schedule -------------------------------------------------------------------- */

struct jm_simulated_run {
	struct jm_timeline timeline; /* as reported; stamps in ns */
	struct jm_supply_load load;  /* layers, gaps, pauses */
	/* The same by rail; none where there is one rail. */
	struct jm_supply_load rail_load[JM_SIMULATE_RAILS_MAX];
	struct jm_supply_load background; /* jobs of others, on top */
	double end_s;                     /* of the last cycle, its callbacks included */
	double in_cycles_s;               /* inside cycles, callbacks left out */
	double in_cycles_j;
	double locked_s;        /* cycle time of a locked schedule, else 0 */
	size_t slow_from_cycle; /* first one with lower clocks, or cycles */
	size_t background_jobs;
};

/* Lets the cycles run; fills the sums of the network's units. */
int jm_simulated_schedule(struct jm_simulated_run *run, struct jm_simulated_network *network,
	const struct jm_simulate_config *config, struct jm_error *reterr);
void jm_simulated_run_release(struct jm_simulated_run *run);

/* ---- Sensor ----------------------------------------------------------------------- */

/* One conversion or update, in the sensor's scale. */
struct jm_simulated_conversion {
	double visible_s;         /* to reads, of the current or the counter */
	double voltage_visible_s; /* of the voltage */
	double ma;
	double mv;
	double uj;
};

struct jm_simulated_conversions {
	struct jm_simulated_conversion *items; /* [n], in order of time, owned */
	size_t n;
	double period_s; /* true time between them */
	double phase_s;  /* end of a window, in [0, period_s) */
	double energy_j; /* that passed the supply from begin to end of the run */
};

/* conversions: [rails], each to be released, also after a failure. */
int jm_simulated_convert(struct jm_simulated_conversions *conversions,
	const struct jm_simulated_run *run, const struct jm_simulate_config *config,
	struct jm_error *reterr);

void jm_simulated_conversions_release(struct jm_simulated_conversions *conversions);

/* Drift and ripple behind the supply, integrated from 0 to t (J). */
double jm_simulated_slow_energy_j(const struct jm_simulate_config *config,
	const struct jm_supply *supply, double run_s, double t);

/* ---- Reading ----------------------------------------------------------------------- */

/* The log as read by polling, rail by rail; times in ns. */
int jm_simulated_poll(struct jm_power_log *log,
	const struct jm_simulated_conversions *conversions,
	const struct jm_simulate_config *config, double end_s, struct jm_error *reterr);

/* ---- Clocks that are set, holes -------------------------------------------------------- */

/* Changes what the logs say, not what was: stamps after a step, readings in a hole. */
void jm_simulated_disturb(struct jm_power_log *log, struct jm_simulated_run *run,
	const struct jm_simulate_config *config);

/* ---- Files -------------------------------------------------------------------------- */

struct jm_simulated_result {
	const struct jm_simulate_config *config;
	const struct jm_simulated_network *network;
	const struct jm_simulated_run *run;
	const struct jm_simulated_conversions *conversions; /* [rails] */
	const struct jm_power_log *log;                     /* the rails, and their sum */
	size_t total; /* the rail of the log that is written as power log */
};

#define JM_SIMULATED_MODEL "network"

/* Civil time of the first cycle's begin. */
int64_t jm_simulated_civil_begin_ns(const struct jm_simulate_config *config);

int jm_simulated_truth_write(
	const char *path, const struct jm_simulated_result *result, struct jm_error *reterr);
/* Adds the sum of the rails to the log, where the total is one. */
int jm_simulated_folder_write(const char *folder, struct jm_simulated_result *result,
	struct jm_power_log *log, struct jm_error *reterr);

#endif
