/* SPDX-License-Identifier: Apache-2.0 */
#include "run/fit_keys.h"

#include <math.h>

#include "run/fit_file.h"

#define JM_KEYS(list, type)                                                                    \
	{                                                                                      \
		list, sizeof(list) / sizeof((list)[0]), sizeof(struct type)                    \
	}
#define COUNT_MAX 9e15
#define LIST_MAX 1000000

/* Any number that a fit can find. */
#define ANY(type, field) JM_KEY_NUMBER(struct type, field, #field, -HUGE_VAL, HUGE_VAL)
#define COUNT(type, field) JM_KEY_INTEGER(struct type, field, #field, 0, COUNT_MAX, 0)
#define BOOL(type, field) JM_KEY_BOOL(struct type, field, #field, 0)
#define TEXT(type, field) JM_KEY_TEXT(struct type, field, #field)

static const char *const resolved_names[] = {
	[JM_RESOLVED_NO] = "no", [JM_RESOLVED_YES] = "yes", [JM_RESOLVED_GROUP] = "group"};

static const char *const causes[] = {
	[JM_CAUSE_NONE] = "none",
	[JM_CAUSE_LONG_WINDOW] = "long_window",
	[JM_CAUSE_LOCKED_CYCLE] = "locked_cycle",
	[JM_CAUSE_FEW_CYCLES] = "few_cycles",
	[JM_CAUSE_NO_TIMELINE] = "no_timeline",
	[JM_CAUSE_CONSTANT] = "constant",
	[JM_CAUSE_MISFIT] = "misfit",
	[JM_CAUSE_SLOW_POLL] = "slow_poll",
	[JM_CAUSE_STAMPS] = "stamps",
};

static const struct jm_key layer_keys[] = {
	ANY(jm_fit_layer, power_w),
	ANY(jm_fit_layer, power_sd_w),
	ANY(jm_fit_layer, power_lo_w),
	ANY(jm_fit_layer, power_hi_w),
	ANY(jm_fit_layer, dynamic_power_w),
	ANY(jm_fit_layer, runtime_ms),
	ANY(jm_fit_layer, runtime_sd_ms),
	ANY(jm_fit_layer, energy_mj),
	ANY(jm_fit_layer, energy_sd_mj),
	ANY(jm_fit_layer, energy_share),
	ANY(jm_fit_layer, readings),
	COUNT(jm_fit_layer, executions),
	JM_KEY_NAME(struct jm_fit_layer, resolved, "resolved", resolved_names),
	JM_KEY_INTEGER(struct jm_fit_layer, group, "group", 0, 1e9, -1),
	ANY(jm_fit_layer, group_energy_mj),
	ANY(jm_fit_layer, group_energy_sd_mj),
	ANY(jm_fit_layer, prior_sd_w),
};
static const struct jm_keys layer_table = JM_KEYS(layer_keys, jm_fit_layer);

static const struct jm_key response_keys[] = {
	ANY(jm_fit_response, delay_ms),
	ANY(jm_fit_response, delay_sd_ms),
	ANY(jm_fit_response, tau_ms),
	ANY(jm_fit_response, tau_sd_ms),
	ANY(jm_fit_response, window_ms),
	ANY(jm_fit_response, window_sd_ms),
	ANY(jm_fit_response, round_ms),
	ANY(jm_fit_response, shape),
	JM_KEY_INTEGER(struct jm_fit_response, taps, "taps", -1e9, 1e9, 0),
	BOOL(jm_fit_response, ticks),
	BOOL(jm_fit_response, ambiguous),
};
static const struct jm_keys response_table = JM_KEYS(response_keys, jm_fit_response);

static const struct jm_key diagnostics_keys[] = {
	COUNT(jm_fit_diagnostics, readings),
	COUNT(jm_fit_diagnostics, conversions),
	COUNT(jm_fit_diagnostics, unknowns),
	ANY(jm_fit_diagnostics, noise_w),
	ANY(jm_fit_diagnostics, quantum_w),
	ANY(jm_fit_diagnostics, tick_hits),
	ANY(jm_fit_diagnostics, autocorrelation),
	ANY(jm_fit_diagnostics, robust_share),
	ANY(jm_fit_diagnostics, inflation),
	ANY(jm_fit_diagnostics, prior_mean_w),
	ANY(jm_fit_diagnostics, prior_sd_w),
	ANY(jm_fit_diagnostics, base_w),
	ANY(jm_fit_diagnostics, drift_w),
	ANY(jm_fit_diagnostics, phase_fill),
	ANY(jm_fit_diagnostics, jitter_ms),
	ANY(jm_fit_diagnostics, span_scale),
	ANY(jm_fit_diagnostics, waiting_ms),
	COUNT(jm_fit_diagnostics, regimes),
	JM_KEY_INTEGER(struct jm_fit_diagnostics, clock_shift_s, "clock_shift_s", -2e9, 2e9, 0),
	ANY(jm_fit_diagnostics, log_likelihood),
};
static const struct jm_keys diagnostics_table = JM_KEYS(diagnostics_keys, jm_fit_diagnostics);

static const struct jm_key closure_keys[] = {
	ANY(jm_fit_closure, measured_mj),
	ANY(jm_fit_closure, fitted_mj),
	ANY(jm_fit_closure, difference_mj),
	ANY(jm_fit_closure, sd_mj),
	ANY(jm_fit_closure, cycle_ms),
	ANY(jm_fit_closure, beyond_share),
};
static const struct jm_keys closure_table = JM_KEYS(closure_keys, jm_fit_closure);

static const struct jm_key result_keys[] = {
	JM_KEY_OBJECT(struct jm_fit_result, response, "response", &response_table),
	JM_KEY_OBJECT(struct jm_fit_result, diagnostics, "diagnostics", &diagnostics_table),
	JM_KEY_OBJECT(struct jm_fit_result, closure, "closure", &closure_table),
	COUNT(jm_fit_result, n_resolved),
	JM_KEY_NAME(struct jm_fit_result, cause, "cause", causes),
	ANY(jm_fit_result, cycles_needed),
	TEXT(jm_fit_result, advice),
	JM_KEY_OBJECT(struct jm_fit_result, gap, "gap", &layer_table),
	JM_KEY_OBJECT(struct jm_fit_result, between, "between", &layer_table),
	JM_KEY_OBJECT(struct jm_fit_result, idle, "idle", &layer_table),
	JM_KEY_LIST(struct jm_fit_result, layers, n_layers, "layers", &layer_table, LIST_MAX),
};
static const struct jm_keys result_table = JM_KEYS(result_keys, jm_fit_result);

static const struct jm_key of_rail_keys[] = {
	TEXT(jm_fit_of_rail, sensor),
	TEXT(jm_fit_of_rail, rail),
	TEXT(jm_fit_of_rail, aligned_as),
	BOOL(jm_fit_of_rail, from_readings),
	BOOL(jm_fit_of_rail, is_sum),
	BOOL(jm_fit_of_rail, is_part),
	BOOL(jm_fit_of_rail, is_inside),
	BOOL(jm_fit_of_rail, is_other),
	BOOL(jm_fit_of_rail, calibrated),
	BOOL(jm_fit_of_rail, calibration_dropped),
	BOOL(jm_fit_of_rail, given_response),
	JM_KEY_OBJECT(struct jm_fit_of_rail, result, "result", &result_table),
};
const struct jm_keys jm_fit_of_rail_keys = JM_KEYS(of_rail_keys, jm_fit_of_rail);

static const struct jm_key source_keys[] = {
	TEXT(jm_fit_source, what),
	TEXT(jm_fit_source, path),
	JM_KEY_INTEGER(struct jm_fit_source, size_bytes, "size_bytes", 0, COUNT_MAX, -1),
	JM_KEY_INTEGER(struct jm_fit_source, mtime_ns, "mtime_ns", 0, 9.2e18, -1),
	TEXT(jm_fit_source, ends_hash),
};
static const struct jm_keys source_table = JM_KEYS(source_keys, jm_fit_source);

static const struct jm_key file_keys[] = {
	TEXT(jm_fit_file, joulemap),
	TEXT(jm_fit_file, method),
	TEXT(jm_fit_file, model),
	TEXT(jm_fit_file, engine),
	TEXT(jm_fit_file, sensor),
	BOOL(jm_fit_file, simulated),
	ANY(jm_fit_file, pause_max_ms),
	ANY(jm_fit_file, idle_power_w),
	JM_KEY_LIST(struct jm_fit_file, sources, n_sources, "sources", &source_table, 64),
	JM_KEY_LIST(struct jm_fit_file, fits, n_fits, "fits", &jm_fit_of_rail_keys, 4096),
};
const struct jm_keys jm_fit_file_keys = JM_KEYS(file_keys, jm_fit_file);
