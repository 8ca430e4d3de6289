/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtual Orin Nano, inside. Its power is made up, and marked so; the
 * timeline is the one that really happened. Formulas: docs/sensors.md.
 *
 * board.c: its parameters, drawn from a seed or given. load.c: what its layers
 * draw, and the load of a timeline. complete.c: the truth behind a log.
 * Supply, conversions and noise are those of src/simulate/.
 */
#ifndef JM_SENSORS_SIM_SIM_H
#define JM_SENSORS_SIM_SIM_H

#include <stddef.h>
#include <stdint.h>

#include "joulemap/sensor.h"
#include "simulate/chip.h"
#include "simulate/supply.h"

/* ---- Board ----------------------------------------------------------------- */

struct jm_sim_board {
	uint64_t seed;
	double tau_ms;    /* first-order time constant of the supply */
	double round_ms;  /* nominal; the chip's clock is off by clock_ppm */
	double window_ms; /* of one conversion */
	double delay_ms;  /* from the end of a conversion to its being visible */
	double noise_ma;  /* standard deviation of one current conversion */
	double idle_w;
	double gap_w; /* between layers of a cycle */
	double clock_ppm;
	struct jm_chip chip; /* the sensor, and the voltage that it sees */
	struct jm_supply supply;
};

/*
 * Parameters from "key=value,..." (NULL: none); what it does not name comes
 * from `seed`. JM_EUSAGE for unknown keys, JM_EINVAL for absurd values.
 */
int jm_sim_board_init(struct jm_sim_board *board, const char *argument, uint64_t seed,
	struct jm_error *reterr);

#define JM_SIM_VOLTAGE_STEP_MV 8.0
#define JM_SIM_CURRENT_STEP_MA 8.0 /* 40 uV over 5 mohm */

/* Uniform in [0, 1), and normal with mean 0 and deviation 1; stateless. */
double jm_sim_uniform(const struct jm_sim_board *board, uint64_t stream, uint64_t index);
double jm_sim_normal(const struct jm_sim_board *board, uint64_t stream, uint64_t index);

/* Streams of randomness; the noise of conversions is the chip's. */
enum { JM_SIM_STREAM_BOARD = 1, JM_SIM_STREAM_LAYER = 2 };

/* ---- Load --------------------------------------------------------------------- */

/* Sums of what one layer really did; a layer that never ran has no executions. */
struct jm_sim_layer {
	double power_w;
	double runtime_s;
	size_t executions;
};

/*
 * The load of a timeline whose layers draw layers[k].power_w. One layer at a
 * time: a span that begins before its predecessor has ended is cut. Adds what
 * is left of the spans to layers[]. Seconds from origin_ns. *ret_load is
 * released with jm_supply_load_release(), after a failure too.
 */
int jm_sim_load_init(struct jm_supply_load *ret_load, const struct jm_sim_board *board,
	const struct jm_timeline *timeline, struct jm_sim_layer *layers, int64_t origin_ns,
	struct jm_error *reterr);

/* Power of every layer, from its MACs and bytes per second: docs/sensors.md. */
int jm_sim_layer_powers(const struct jm_sim_board *board, const struct jm_timeline *timeline,
	struct jm_sim_layer *ret_layers, struct jm_error *reterr);

/* ---- The sensor's `complete` --------------------------------------------------- */

int jm_sim_complete(const struct jm_sensor_info *info, uint64_t seed, struct jm_power_log *log,
	const struct jm_timeline *timeline, const char *truth_path, struct jm_error *reterr);

#endif
