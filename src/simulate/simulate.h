/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run folders whose truth is known: a made-up network on a made-up board, in
 * the original's file formats, to test attribution against. Shares no code
 * with src/attribute/ nor with the tests' own board: the three must agree on the
 * physics, not on its implementation. Supply and monitor serve the virtual board
 * of src/sensors/sim/ too. docs/simulate.md.
 */
#ifndef JM_SIMULATE_SIMULATE_H
#define JM_SIMULATE_SIMULATE_H

#include <stddef.h>
#include <stdint.h>

#include "joulemap/joulemap.h"

/* Words of the choices, ended by NULL. */
extern const char *const jm_simulate_pauses[];
extern const char *const jm_simulate_stamps[];
extern const char *const jm_simulate_sensors[];
extern const char *const jm_simulate_layouts[];

#define JM_SIMULATE_RAILS_MAX 8

/*
 * Every parameter: COUNT is int64_t, REAL is double, CHOICE is const char *
 * (static storage). One table feeds the struct, the command's options, the
 * scenarios, the checks and truth.json.
 *
 * COUNT/REAL(field, option, default, min, max, help)
 * CHOICE(field, option, words, default, help)
 */
#define JM_SIMULATE_PARAMETERS(COUNT, REAL, CHOICE)                                            \
	COUNT(seed, "seed", 1, 0, 9e15, "of everything random")                                \
	/* Network. */                                                                         \
	COUNT(layers, "layers", 53, 1, 5000, "layers of the network")                          \
	REAL(layer_min_us, "layer-min-us", 12, 0.1, 1e6,                                       \
		"shortest layer; times are log-uniform")                                       \
	REAL(layer_max_us, "layer-max-us", 400, 0.1, 1e6, "longest layer")                     \
	REAL(layer_jitter, "layer-jitter", 0.025, 0, 0.3,                                      \
		"deviation of a layer's time from cycle to cycle")                             \
	REAL(layer_gap_us, "layer-gap-us", 0, 0, 1e5,                                          \
		"mean gap between two layers of a cycle")                                      \
	REAL(power_min_w, "power-min-w", 4.5, 0.01, 1000, "least power of a layer")            \
	REAL(power_max_w, "power-max-w", 14, 0.01, 1000, "most power of a layer")              \
	REAL(power_jitter, "power-jitter", 0, 0, 0.3,                                          \
		"deviation of a layer's power from cycle to cycle")                            \
	COUNT(repeated, "repeated", 0, 0, 2500, "layers that have the name of another one")    \
	COUNT(optional, "optional", 0, 0, 5000, "layers that not every cycle runs")            \
	REAL(idle_w, "idle-w", 4.2346, 0, 1000, "power before and after the run")              \
	REAL(gap_w, "gap-w", 0, 0, 1000, "power in gaps and pauses (0: somewhat above idle)")  \
	/* Schedule. */                                                                        \
	COUNT(cycles, "cycles", 30000, 1, 10000000, "inferences")                              \
	CHOICE(pause, "pause", jm_simulate_pauses, "jitter",                                   \
		"between cycles: jitter, uniform, none or locked")                             \
	REAL(pause_ms, "pause-ms", 1, 0, 10000,                                                \
		"mean pause (jitter) or longest pause (uniform)")                              \
	REAL(pause_jitter, "pause-jitter", 0.25, 0, 1, "deviation of the pause (jitter)")      \
	REAL(stretch_ms, "stretch-ms", 0, 0, 10000,                                            \
		"repeat one layer of each cycle this long (0: no)")                            \
	REAL(lead_s, "lead-s", 0.4, 0, 1000, "logged idle time before and after the run")      \
	REAL(slow_from, "slow-from", 1, 0, 1,                                                  \
		"share of the run after which clocks are lower (1: never)")                    \
	REAL(slow_time, "slow-time", 1.3, 0.1, 10, "factor on layer times then")               \
	REAL(slow_power, "slow-power", 0.75, 0, 10, "factor on power above idle then")         \
	REAL(skip_share, "skip-share", 0.4, 0, 1,                                              \
		"share of cycles that skip an optional layer")                                 \
	REAL(stop_s, "stop-s", 0, 0, 1e5, "the process stands still for so long, once")        \
	REAL(stop_at, "stop-at", 0.4, 0, 1, "after this share of the cycles")                  \
	/* What the timeline says of it. */                                                    \
	CHOICE(stamp, "stamp", jm_simulate_stamps, "end",                                      \
		"meaning of time stamps: end, begin or callback")                              \
	REAL(callback_us, "callback-us", 4, 0, 1e5, "mean time of one callback")               \
	REAL(callback_delay_us, "callback-delay-us", 60, 0, 1e6,                               \
		"mean delay of the first callback")                                            \
	REAL(stamp_jitter_us, "stamp-jitter-us", 0, 0, 1e5, "deviation of time stamps")        \
	REAL(span_factor, "span-factor", 1, 0.2, 5, "reported over true time of a layer")      \
	REAL(power_log_zone_h, "power-log-zone-h", 0, -14, 14,                                 \
		"hours that the power log's clock is ahead")                                   \
	REAL(step_s, "step-s", 0, -1e6, 1e6, "the clock of both logs is set by this, once")    \
	REAL(step_at, "step-at", 0.6, 0, 1, "after this share of the run")                     \
	/* Supply. */                                                                          \
	REAL(tau_ms, "tau-ms", 0.3, 0, 100, "time constant of the supply (0: none)")           \
	REAL(tau2_ms, "tau2-ms", 0, 0, 100, "second time constant (0: none)")                  \
	REAL(damping, "damping", 0, 0, 10,                                                     \
		"of a second-order supply, < 1 overshoots (0: not used)")                      \
	/* Sensor. */                                                                          \
	CHOICE(sensor, "sensor", jm_simulate_sensors, "window",                                \
		"kind of sensor: window, counter or averaging")                                \
	REAL(round_ms, "round-ms", 6.6, 0.01, 1e4,                                             \
		"time between conversions or counter updates")                                 \
	REAL(window_ms, "window-ms", 1.1, 0.001, 1e4,                                          \
		"averaging window of a conversion, at most the round")                         \
	REAL(delay_ms, "delay-ms", 0.45, 0, 1000,                                              \
		"from a conversion's end to its being visible")                                \
	REAL(clock_ppm, "clock-ppm", 25, -1e5, 1e5, "error of the sensor's clock")             \
	REAL(update_jitter_us, "update-jitter-us", 0, 0, 1e5,                                  \
		"deviation of the times of updates")                                           \
	COUNT(average, "average", 16, 1, 4096, "conversions in the low-pass (averaging)")      \
	REAL(quantum_ma, "quantum-ma", 8, 0, 1e4, "step of the current (0: none)")             \
	REAL(quantum_mv, "quantum-mv", 8, 0, 1e4, "step of the voltage (0: none)")             \
	REAL(quantum_uj, "quantum-uj", 61.03515625, 0, 1e6, "step of the counter (0: none)")   \
	REAL(range_uj, "range-uj", 0, 0, 1e15, "where the counter wraps to 0 (0: never)")      \
	REAL(noise_ma, "noise-ma", 3, 0, 1e4, "deviation of one conversion of the current")    \
	REAL(noise_mv, "noise-mv", 2, 0, 1e4, "deviation of one conversion of the voltage")    \
	REAL(supply_v, "supply-v", 5.03, 0.1, 1000, "voltage without load")                    \
	REAL(supply_mohm, "supply-mohm", 10, 0, 1e4, "inner resistance of the supply")         \
	COUNT(rails, "rails", 1, 1, JM_SIMULATE_RAILS_MAX,                                     \
		"rails; several are in readings.csv, their total in the power log")            \
	CHOICE(rail_layout, "rail-layout", jm_simulate_layouts, "roots",                       \
		"of several rails: roots (their sum is the total), still (so too, but the "    \
		"last draws the same all the time), inside (the first contains the others)")   \
	/* Reading it. */                                                                      \
	REAL(poll_ms, "poll-ms", 1.33, 0.001, 1e4, "time between readings")                    \
	REAL(poll_jitter_us, "poll-jitter-us", 80, 0, 1e5,                                     \
		"mean of the random time added to that")                                       \
	REAL(read_ms, "read-ms", 0.5, 0, 100, "voltage is read this long before the current")  \
	REAL(poll_pause_share, "poll-pause-share", 0.0005, 0, 1,                               \
		"share of readings with a pause before them")                                  \
	REAL(poll_pause_ms, "poll-pause-ms", 8, 0, 1e4, "longest such pause")                  \
	REAL(hole_s, "hole-s", 0, 0, 1e5, "no readings for so long, once")                     \
	REAL(hole_at, "hole-at", 0.5, 0, 1, "after this share of the run")                     \
	/* Disturbances. */                                                                    \
	REAL(drift_w, "drift-w", 0, -100, 100, "linear drift over the run, 0 in its middle")   \
	REAL(ripple_w, "ripple-w", 0, 0, 100, "amplitude of a slow oscillation")               \
	REAL(ripple_s, "ripple-s", 17, 0.01, 1e5, "its period")                                \
	REAL(background_w, "background-w", 0, 0, 100, "power of background jobs")              \
	REAL(background_share, "background-share", 0, 0, 0.9, "share of time that they run")   \
	REAL(background_s, "background-s", 0.2, 1e-4, 1000, "mean length of one")

struct jm_simulate_config {
	const char *scenario; /* name of it for truth.json, static storage */
#define COUNT(field, option, fallback, min, max, help) int64_t field;
#define REAL(field, option, fallback, min, max, help) double field;
#define CHOICE(field, option, choices, fallback, help) const char *field;
	JM_SIMULATE_PARAMETERS(COUNT, REAL, CHOICE)
#undef COUNT
#undef REAL
#undef CHOICE
};

/* The defaults: an Orin Nano's INA3221 as it comes. */
void jm_simulate_config_init(struct jm_simulate_config *config);

/* Sets a parameter by its name and a text. JM_EUSAGE, JM_EINVAL. */
int jm_simulate_set(struct jm_simulate_config *config, const char *name, const char *value,
	struct jm_error *reterr);

/* JM_EINVAL for values that are absurd or do not go together. */
int jm_simulate_check(const struct jm_simulate_config *config, struct jm_error *reterr);

/* A named set of parameters. */
struct jm_simulate_scenario {
	const char *name;
	const char *summary;
	const char *settings; /* "name=value name=value" on top of the defaults */
};

/* All of them, ended by one with name NULL. */
const struct jm_simulate_scenario *jm_simulate_scenarios(void);

/* Defaults, then the scenario. JM_ENOTFOUND suggests the closest name. */
int jm_simulate_config_scenario(
	struct jm_simulate_config *config, const char *name, struct jm_error *reterr);

/*
 * Makes folder/ with idling_power.json, truth.json, SIMULATED.txt and the run
 * folder folder/network/. Checks the configuration first.
 */
int jm_simulate_run(
	const struct jm_simulate_config *config, const char *folder, struct jm_error *reterr);

#endif
