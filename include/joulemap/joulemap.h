/* SPDX-License-Identifier: Apache-2.0 */
/*
 * joulemap: which layer of a neural network burns the energy.
 *
 * The public C API: errors, the power log, the timeline and attribution.
 * Authors of back ends include joulemap/sensor.h or joulemap/engine.h too.
 *
 * Conventions: functions that can fail return 0 or a count, and a negative
 * enum jm_code on failure, with the detail in a caller-owned struct jm_error
 * (may be NULL). The library never prints and never exits. No function keeps
 * state between calls; objects may be used from any one thread at a time.
 */
#ifndef JOULEMAP_JOULEMAP_H
#define JOULEMAP_JOULEMAP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define JM_API __attribute__((visibility("default")))
#define JM_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#else
#define JM_API
#define JM_PRINTF(fmt, first)
#endif

/* ---- Errors ------------------------------------------------------------ */

/*
 * X(name, value, exit status of the command line tool, short text).
 * Exit: 1 failure, 2 usage, 3 no sensor or no permission, 4 not resolved.
 */
#define JM_CODES(X)                                                                            \
	X(JM_ENOMEM, -1, 1, "out of memory")                                                   \
	X(JM_EINVAL, -2, 2, "value out of range")                                              \
	X(JM_EUSAGE, -3, 2, "wrong usage")                                                     \
	X(JM_EIO, -4, 1, "input/output failure")                                               \
	X(JM_ENOTFOUND, -5, 1, "not found")                                                    \
	X(JM_EPERM, -6, 3, "permission denied")                                                \
	X(JM_ENOSPC, -7, 1, "no space left")                                                   \
	X(JM_EFORMAT, -8, 1, "malformed data")                                                 \
	X(JM_ETRUNCATED, -9, 1, "data ends too early")                                         \
	X(JM_EUNSUPPORTED, -10, 1, "not supported")                                            \
	X(JM_ENOSENSOR, -11, 3, "no power sensor")                                             \
	X(JM_ESENSOR, -12, 1, "power sensor failed")                                           \
	X(JM_EENGINE, -13, 1, "inference engine failed")                                       \
	X(JM_EINTERRUPTED, -14, 1, "interrupted")                                              \
	X(JM_EUNRESOLVED, -15, 4, "measured but not resolved")                                 \
	X(JM_ENUMERIC, -16, 1, "no numerical solution")

enum jm_code {
#define X(name, value, exit_status, text) name = value,
	JM_CODES(X)
#undef X
};

#define JM_ERROR_MESSAGE_MAX 512

/* Written only on failure; holds no heap memory. */
struct jm_error {
	int code;                           /* enum jm_code */
	int sys_errno;                      /* errno of the system call that failed, or 0 */
	char message[JM_ERROR_MESSAGE_MAX]; /* subject, what is wrong, what to do */
};

/* Name of a code ("JM_EIO") and its short text; "?" for an unknown one. */
JM_API const char *jm_code_name(int code);
JM_API const char *jm_code_text(int code);

/* "major.minor.patch" */
JM_API const char *jm_version(void);

/* ---- Progress ---------------------------------------------------------- */

/*
 * How a long job tells its caller where it is. Called from the job's thread.
 * A function that is NULL is not called.
 */
struct jm_progress {
	/*
	 * `phase` ("loading", "measuring", ...) changes when a new part
	 * begins; done and total count in `unit`; total 0: not known.
	 */
	void (*update)(
		void *context, const char *phase, double done, double total, const char *unit);
	/* Something worth telling that is no error. */
	void (*note)(void *context, const char *text);
	void *context;
};

/* Of what a sensor sees the power, and where an engine's layers run. */
enum jm_scope {
	JM_SCOPE_BOARD = 1, /* the whole machine or module */
	JM_SCOPE_CPU = 2,
	JM_SCOPE_GPU = 3,
	JM_SCOPE_BATTERY = 4,
	JM_SCOPE_OTHER = 5
};

/* ---- Power log --------------------------------------------------------- */

/* What value[] of a reading holds. */
enum jm_quantity {
	JM_QUANTITY_MV_MA = 1, /* value[0] mV, value[1] mA; power = product, uW */
	JM_QUANTITY_UW = 2,    /* value[0] uW */
	JM_QUANTITY_UJ = 3     /* value[0] uJ, a counter that grows, and wraps */
};

#define JM_NAME_MAX 64

/*
 * One value as read, with the clock before and after the read. All times of
 * a log and of its timeline are ns on one and the same clock.
 */
struct jm_reading {
	int64_t before_ns;
	int64_t after_ns;
	double value[2]; /* in the sensor's scale, see enum jm_quantity */
};

/* One measured supply and its readings, in order of time. */
struct jm_rail {
	char name[JM_NAME_MAX];
	enum jm_quantity quantity;
	struct jm_reading *readings; /* [n_readings], owned by the log */
	size_t n_readings;
	size_t capacity;
	double range_uj; /* of a counter: where it wraps to 0; 0: not known */
};

/* Rail 0 is the one that feeds the whole machine, as far as is known. */
struct jm_power_log {
	struct jm_rail *rails; /* [n_rails], owned */
	size_t n_rails;
};

JM_API void jm_power_log_init(struct jm_power_log *log);
JM_API void jm_power_log_release(struct jm_power_log *log);

/*
 * Adds a rail without readings. Returns its index, or JM_ENOMEM.
 * The name is copied, cut at JM_NAME_MAX - 1 bytes.
 */
JM_API int jm_power_log_add_rail(struct jm_power_log *log, const char *name,
	enum jm_quantity quantity, struct jm_error *reterr);

/* Appends a copy of *reading to rail `rail`. JM_EINVAL, JM_ENOMEM. */
JM_API int jm_power_log_append(struct jm_power_log *log, size_t rail,
	const struct jm_reading *reading, struct jm_error *reterr);

/* Power in uW of one reading; NaN for an energy counter. */
JM_API double jm_reading_power_uw(const struct jm_reading *reading, enum jm_quantity quantity);

/* ---- Timeline ---------------------------------------------------------- */

/* What the time stamp of an execution means. */
enum jm_stamp {
	JM_STAMP_BEGIN = 1,   /* the layer begins */
	JM_STAMP_END = 2,     /* the layer ends */
	JM_STAMP_CALLBACK = 3 /* a callback after the whole inference */
};

/* One execution of a layer. */
struct jm_execution {
	int64_t stamp_ns;
	double duration_ms;
};

/*
 * One step of the network as the engine executes it. `macs` (multiply-
 * accumulates), `parameters` and `bytes` (moved: inputs, weights, outputs)
 * are per execution; NaN when not known.
 */
struct jm_layer {
	char *name; /* owned by the timeline */
	char *type; /* owned by the timeline; "Unknown" when not known */
	double macs;
	double parameters;
	double bytes;
	struct jm_execution *executions; /* [n_executions], in order of cycle */
	size_t n_executions;
	size_t capacity;
	uint32_t *cycles; /* [n_executions], owned; NULL: the n-th is of cycle n */
	uint16_t *lanes;  /* [n_executions], owned; NULL: all of lane 0 */
};

/* All spans of a run; layers in the order in which the engine runs them. */
struct jm_timeline {
	struct jm_layer *layers; /* [n_layers], owned */
	size_t n_layers;
	size_t capacity;
	enum jm_stamp stamp; /* of every execution */
};

JM_API void jm_timeline_init(struct jm_timeline *timeline);
JM_API void jm_timeline_release(struct jm_timeline *timeline);

/*
 * Adds a layer with no executions, unknown macs, parameters and bytes.
 * Copies name and type (NULL: "Unknown"). Returns its index, or JM_ENOMEM.
 */
JM_API int jm_timeline_add_layer(struct jm_timeline *timeline, const char *name,
	const char *type, struct jm_error *reterr);

/* Appends an execution to layer `layer`, of the cycle behind its last. JM_EINVAL, JM_ENOMEM. */
JM_API int jm_timeline_append(struct jm_timeline *timeline, size_t layer,
	struct jm_execution execution, struct jm_error *reterr);

#define JM_LANES_MAX 65536u

/*
 * Adds a span of layer `layer`: of which cycle, from 0, and on which lane, a
 * stream or thread. A layer may run several times in a cycle, or never; it is
 * put behind its executions of the same and of earlier cycles. Spans of
 * different lanes may overlap. JM_EINVAL for what is out of range, and where
 * stamps are those of callbacks; JM_ENOMEM.
 */
JM_API int jm_timeline_append_span(struct jm_timeline *timeline, size_t layer, size_t cycle,
	unsigned lane, int64_t begin_ns, int64_t end_ns, struct jm_error *reterr);

/* Cycle and lane of execution i < n_executions. */
JM_API size_t jm_execution_cycle(const struct jm_layer *layer, size_t i);
JM_API unsigned jm_execution_lane(const struct jm_layer *layer, size_t i);

/*
 * First execution of a layer that is of `cycle` or a later one; n_executions:
 * none. Those of `cycle` end where those of cycle + 1 begin.
 */
JM_API size_t jm_layer_first_execution(const struct jm_layer *layer, size_t cycle);

/* The largest cycle of any execution + 1. */
JM_API size_t jm_timeline_cycles(const struct jm_timeline *timeline);

/* The first cycle from `cycle` on in which any layer runs; SIZE_MAX: none. */
JM_API size_t jm_timeline_next_cycle(const struct jm_timeline *timeline, size_t cycle);

/*
 * Finds out what the stamps of a timeline mean, from the data alone.
 * Returns an enum jm_stamp; *ret_certain is 0 when the data cannot tell
 * (one layer, one execution), and then JM_STAMP_END is assumed. Where layers
 * have cycles of their own, spans were told: it is timeline->stamp.
 */
JM_API enum jm_stamp jm_timeline_detect_stamp(
	const struct jm_timeline *timeline, int *ret_certain);

/*
 * Rewrites every stamp from what `timeline->stamp` says it means to `wanted`
 * (JM_STAMP_BEGIN or JM_STAMP_END) and sets timeline->stamp to that, so that
 * stamp and duration give the real span [begin, begin + duration). Callbacks
 * tell only when the inference was over: the layers of a cycle are then laid
 * back to back, in order, to end at its first callback. Nothing to do when
 * the stamps mean `wanted` already. The window method wants the stamps as
 * they are in the file: walk first, resolve then. JM_EINVAL.
 */
JM_API int jm_timeline_resolve(
	struct jm_timeline *timeline, enum jm_stamp wanted, struct jm_error *reterr);

/* Name of a stamp's meaning: "begin", "end", "callback"; "?" otherwise. */
JM_API const char *jm_stamp_name(enum jm_stamp stamp);

/* ---- Attribution: the window method -------------------------------------- */

/* Which version of the original scripts is followed, to the last digit. */
enum jm_window_rules {
	/*
	 * Later version: a sample belongs to the layer when begin <= t <= end,
	 * end being the file's stamp; every sample is used once; a layer
	 * without samples has no power; rows end where the power log ends.
	 */
	JM_WINDOW_LATER = 1,
	/*
	 * First version: the file's stamp is the begin, moved to the end of
	 * the previous layer of the cycle where it lies before that; rows in
	 * order of begin; a layer takes all samples up to its end since the
	 * last one used, which is used again; without samples its power is 0.
	 */
	JM_WINDOW_FIRST = 2
};

/* Power of one layer in one cycle. */
struct jm_cycle_power {
	size_t cycle; /* from 0 */
	size_t layer;
	double power_uw;         /* NaN: no sample */
	double dynamic_power_uw; /* above idle; NaN: no sample */
	double duration_ms;
	size_t n_samples;
};

/* Called for every row in order; a negative return ends the walk with it. */
typedef int jm_cycle_power_fn(void *context, const struct jm_cycle_power *row);

/*
 * The original's two-pointer walk over samples of `rail` (times: after_ns)
 * and executions of `timeline` (stamps as in the file, whatever they mean).
 * Returns 0, or the negative value that `row` returned, or JM_EINVAL,
 * JM_ENOMEM.
 */
JM_API int jm_attribute_window(const struct jm_rail *rail, const struct jm_timeline *timeline,
	enum jm_window_rules rules, double idle_power_uw, jm_cycle_power_fn *row, void *context,
	struct jm_error *reterr);

/* ---- Attribution: the fit ------------------------------------------------ */

/*
 * What is known of the sensor before the data is looked at. 0: not known; times
 * and deviations are at least 1 ns otherwise.
 * Times that are known narrow the search, and are checked against the data.
 */
struct jm_fit_prior {
	int kind;            /* enum jm_sensor_kind of sensor.h; 0: from the readings */
	double round_ms;     /* time between conversions */
	double window_ms;    /* what one conversion averages over */
	double delay_min_ms; /* from the end of a window to the value being visible; */
	double delay_max_ms; /* both 0: two rounds either way, and a whole cycle */
	unsigned samples;    /* conversions in the sensor's own low-pass; 0, 1: none */
	/* From a calibration of the board: standard deviations of 0 mean none. */
	double delay_ms, delay_sd_ms;
	double tau_ms, tau_sd_ms;
	double window_sd_ms;
	int blocking; /* a read waits for a conversion */
	int stamped;  /* a reading is a conversion, at exactly its moment */
};

/* The true response, for comparison with what the data tell. NaN: find it. */
struct jm_fit_given {
	double delay_ms;
	double tau_ms;
	double window_ms;
	double round_ms;
};

/* Everything borrowed, for the call. jm_fit_input_init() fills in defaults. */
struct jm_fit_input {
	const struct jm_rail *rail;
	const struct jm_timeline *timeline; /* stamp says what its stamps mean */
	struct jm_fit_prior prior;
	struct jm_fit_given given;
	double idle_power_w; /* measured with nothing running; NaN: from this log */
	int keep_clock;      /* do not look for time zones mixed up */
	unsigned threads;    /* 0: one per processor; no figure depends on it */
	/* NULL: none. A fit that takes long says so, and where its search is. */
	const struct jm_progress *progress;
};

enum jm_resolved {
	JM_RESOLVED_NO = 0,
	JM_RESOLVED_YES = 1,
	JM_RESOLVED_GROUP = 2 /* only the sum over its group is known */
};

/* Why layers are not resolved. */
enum jm_fit_cause {
	JM_CAUSE_NONE = 0,
	JM_CAUSE_LONG_WINDOW,  /* the sensor averages over many cycles */
	JM_CAUSE_LOCKED_CYCLE, /* the cycle is locked to the sensor's round */
	JM_CAUSE_FEW_CYCLES,   /* too few conversions */
	JM_CAUSE_NO_TIMELINE,  /* layers were never executed, or have no duration */
	JM_CAUSE_CONSTANT,     /* the readings do not change */
	JM_CAUSE_MISFIT,       /* the model does not describe the readings */
	JM_CAUSE_SLOW_POLL,    /* the sensor is read too rarely to know a value's age */
	JM_CAUSE_STAMPS        /* times were written too coarsely */
};

/*
 * One layer, or one kind of gap. NaN where the data say nothing, and for all of
 * them when the model does not describe the readings (JM_CAUSE_MISFIT), or
 * nothing is resolved because readings cannot be placed (JM_CAUSE_CONSTANT,
 * JM_CAUSE_LOCKED_CYCLE, JM_CAUSE_SLOW_POLL, JM_CAUSE_STAMPS).
 */
struct jm_fit_layer {
	double power_w; /* while it runs, idle power included */
	double power_sd_w;
	double power_lo_w; /* 95 % interval */
	double power_hi_w;
	double dynamic_power_w; /* above idle */
	double runtime_ms;      /* mean of one execution */
	double runtime_sd_ms;
	double energy_mj; /* of one execution */
	double energy_sd_mj;
	double energy_share; /* of the energy of a cycle, gaps included */
	double readings;     /* effective number of conversions behind it */
	size_t executions;
	enum jm_resolved resolved;
	int group;              /* -1: none */
	double group_energy_mj; /* of all layers of the group, each once; NaN: no group */
	double group_energy_sd_mj;
	double prior_sd_w; /* how far layers of its type scatter; NaN: no layer */
};

/* Response of supply and sensor, as found. */
struct jm_fit_response {
	double delay_ms, delay_sd_ms;
	double tau_ms, tau_sd_ms;
	double window_ms, window_sd_ms;
	double round_ms;
	double shape;  /* 0: first order; up to 1/4 two time constants, overshoot beyond */
	int taps;      /* of the supply's response; 1: tau_ms and shape say it all */
	int ticks;     /* 1: conversions were told apart; 0: readings of unknown age */
	int ambiguous; /* the delay could be off by whole cycles: they are all alike */
};

struct jm_fit_diagnostics {
	size_t readings;    /* used */
	size_t conversions; /* told apart */
	size_t unknowns;
	double noise_w; /* standard deviation of one conversion's residual */
	double quantum_w;
	double tick_hits;                /* share of brackets that hold a tick */
	double autocorrelation;          /* of neighbouring residuals */
	double robust_share;             /* of conversions that were mostly disregarded */
	double inflation;                /* intervals were widened by this, >= 1 */
	double prior_mean_w, prior_sd_w; /* of layer power, from the data */
	/* 0; of a rail that reads below 0 its lowest readings, which are compared with. */
	double base_w;
	double drift_w;    /* peak to peak of the slow baseline */
	double phase_fill; /* share of the cycle in which conversions fall, 0..1 */
	double jitter_ms;  /* of the time stamps, as the residuals show it */
	double span_scale; /* below 1: durations were too long by that */
	double waiting_ms; /* of a cycle: waiting inside spans, counted as gap */
	size_t regimes;    /* 1: the machine ran alike all the time */
	int clock_shift_s; /* added to the power log's clock: a time zone */
	double log_likelihood;
};

/* Energy of a mean cycle: by the sensor, and by the sum of the rows. */
struct jm_fit_closure {
	double measured_mj;
	double fitted_mj;
	double difference_mj; /* fitted - measured */
	double sd_mj;
	double cycle_ms;
	/*
	 * The difference beyond its own error (three deviations, 1 % at least), over the
	 * measured energy: the model misses that much, and all intervals are widened by it.
	 */
	double beyond_share;
};

struct jm_fit_result {
	struct jm_fit_layer *layers; /* [n_layers], owned */
	size_t n_layers;
	struct jm_fit_layer gap;     /* inside a cycle, no layer runs */
	struct jm_fit_layer between; /* between two cycles */
	struct jm_fit_layer idle;    /* before the first and after the last cycle */
	struct jm_fit_response response;
	struct jm_fit_diagnostics diagnostics;
	struct jm_fit_closure closure;
	size_t n_resolved;
	enum jm_fit_cause cause; /* of the layers that are not resolved */
	double cycles_needed;    /* estimate; NaN: more cycles do not help */
	char advice[256];        /* what would resolve them; "" when all are */
};

/* No prior knowledge, nothing given, idle power from the log. */
JM_API void jm_fit_input_init(struct jm_fit_input *input);

/*
 * Power of every layer from readings of a sensor much slower than the layers:
 * fits a model of supply and sensor to the whole log (docs/attribution.md).
 * *ret_result is released with jm_fit_result_release(), after a failure too.
 * Layers that the data cannot resolve are no failure, even if none is.
 * JM_EINVAL: no executions, no readings, logs that do not overlap (with the
 * gap), a prior or given response that cannot be. JM_ENUMERIC: the equations
 * have no solution. JM_ENOMEM.
 */
JM_API int jm_attribute_fit(const struct jm_fit_input *input, struct jm_fit_result *ret_result,
	struct jm_error *reterr);

JM_API void jm_fit_result_release(struct jm_fit_result *result);

/* "yes", "no", "group"; a cause in words; "?" otherwise. */
JM_API const char *jm_resolved_name(enum jm_resolved resolved);
JM_API const char *jm_fit_cause_text(enum jm_fit_cause cause);

/* ---- Recordings: runs on disk ---------------------------------------------- */

/*
 * A run opened from its folder: one of `joulemap measure`, or of the original
 * scripts, which is not changed by it. From any one thread at a time; several
 * recordings may be used at once.
 */
struct jm_recording;

/*
 * Opens the run folder `path`, or the only one in it: power log, timeline, what
 * the run says of itself, idle power. Logs whose clocks were changed on the way
 * are put on one axis. `progress` (NULL: none) hears what is worth noting.
 * *ret_recording is freed with jm_recording_close(); NULL after a failure.
 * JM_ENOTFOUND: no run there. JM_ETRUNCATED: it was cut off, 'joulemap recover'
 * completes it. JM_EUNSUPPORTED: of a later version. JM_EFORMAT, JM_EIO,
 * JM_EPERM, JM_EINVAL (a file instead of a folder), JM_ENOMEM.
 */
JM_API int jm_recording_open(const char *path, const struct jm_progress *progress,
	struct jm_recording **ret_recording, struct jm_error *reterr);

/* Accepts NULL. What was borrowed from it is gone then. */
JM_API void jm_recording_close(struct jm_recording *recording);

/*
 * The power log in the original's format: rail 0, mV and mA. And the timeline,
 * whose stamp says what its stamps mean. Both in ns of civil time since 1970,
 * as written in the files, without a zone. Borrowed until close.
 */
JM_API const struct jm_power_log *jm_recording_power_log(const struct jm_recording *recording);
JM_API const struct jm_timeline *jm_recording_timeline(const struct jm_recording *recording);

/*
 * Name of the model; engine ("onnxruntime 1.30.0"); sensor and rail ("sim
 * VDD_IN"). "": not known, as in folders of the original scripts. Borrowed
 * until close.
 */
JM_API const char *jm_recording_model(const struct jm_recording *recording);
JM_API const char *jm_recording_engine(const struct jm_recording *recording);
JM_API const char *jm_recording_sensor(const struct jm_recording *recording);

/* Power of the machine with nothing running, W; NaN: not known. */
JM_API double jm_recording_idle_power_w(const struct jm_recording *recording);

/* 1: its power comes from a simulation, and so do all results. */
JM_API int jm_recording_is_simulated(const struct jm_recording *recording);

/* Number of inferences. */
JM_API size_t jm_recording_cycles(const struct jm_recording *recording);

/*
 * What `joulemap map` does for the total: jm_attribute_fit() on the readings as
 * they were made, of each rail by itself where the total is a sum of several, with what the run
 * tells of its sensor and with the calibration of its board, unless the run contradicts it,
 * which is noted. *ret_result is released with jm_fit_result_release(), after a failure too.
 * Takes as long as `map`. Errors of jm_attribute_fit().
 */
JM_API int jm_recording_fit(const struct jm_recording *recording,
	const struct jm_progress *progress, struct jm_fit_result *ret_result,
	struct jm_error *reterr);

/*
 * What `joulemap map` stored of its fit of this run (fit.json in its folder), the
 * same to the last bit, without fitting again. *ret_result is released with
 * jm_fit_result_release(), after a failure too. JM_ENOTFOUND: there is none, or
 * a file that it was made from has changed since. JM_EFORMAT, JM_EUNSUPPORTED.
 */
JM_API int jm_recording_stored_fit(const struct jm_recording *recording,
	struct jm_fit_result *ret_result, struct jm_error *reterr);

/*
 * Hands every execution with the power of its layer (a fit of this recording;
 * NaN where the layer is not resolved) to `row`, cycle by cycle and layer by
 * layer. Returns 0, the negative value that `row` returned, or JM_EINVAL: the fit
 * is of another run.
 */
JM_API int jm_recording_rows(const struct jm_recording *recording,
	const struct jm_fit_result *result, jm_cycle_power_fn *row, void *context,
	struct jm_error *reterr);

/* ---- Plug-ins ------------------------------------------------------------ */

/*
 * Loads a plug-in (joulemap/plugin.h) and with it runs code of that file; its
 * sensors and engines can then be named like joulemap's own, until the process
 * ends. The same file once more is no failure. Not from several threads at a
 * time, nor while anything is measured.
 * JM_ENOTFOUND, JM_EPERM: no such file. JM_EFORMAT: no shared object, or no
 * plug-in. JM_EUNSUPPORTED: built for another machine, or with headers of
 * another joulemap. JM_EINVAL: a name is taken, or something required is
 * missing; nothing of it stays then.
 */
JM_API int jm_plugin_load(const char *path, struct jm_error *reterr);

/* ---- Measuring ----------------------------------------------------------- */

/*
 * Both functions work on this machine and return when all is done and on disk.
 *
 * Signals: until they return, SIGINT (Ctrl-C), SIGTERM and SIGHUP are the
 * user's wish to end early, SIGPIPE and SIGXFSZ are ignored; every handler is then
 * put back as it was. SIGCHLD is left alone: a program may ignore or collect its
 * children, ours too; but then an error cannot say by which signal one of them
 * was killed, and run.json has no load_of_others.
 *
 * Processes: jm_measure() forks children that run the network and log power
 * (jm_idle() reads the sensor itself); none is left on return, and the death of
 * the calling process ends them. They begin as copies of the calling thread
 * alone: call it before the program starts threads that hold locks, and before
 * it touches a GPU. Not from several threads at a time.
 *
 * The structs of options may grow at their ends: `size` is that of the program's
 * own headers, so that later libraries know what it can have set.
 */

struct jm_idle_options {
	size_t size;
	const char *sensor;     /* as --sensor; NULL: the best real one */
	const char *result_dir; /* gets the two files of 'joulemap idle'; NULL: none */
	double seconds;         /* 10 */
	uint64_t seed;          /* of a simulated sensor: 1 */
	const struct jm_progress *progress; /* NULL: none */
};

struct jm_idle_outcome {
	double power_w; /* mean with nothing running */
	double error_w; /* standard error; NaN: not known */
	uint64_t readings;
	uint64_t conversions; /* distinct ones among them */
	int simulated;
};

/* Sets defaults; `size` is sizeof(*options). */
JM_API void jm_idle_options_init(struct jm_idle_options *options, size_t size);

/*
 * Measures power with nothing running. JM_ENOSENSOR, JM_EPERM: no sensor that
 * can be used. JM_EINTERRUPTED: ended by the user, nothing is kept.
 */
JM_API int jm_idle(const struct jm_idle_options *options, struct jm_idle_outcome *ret_outcome,
	struct jm_error *reterr);

#define JM_MEASURE_DIMS_MAX 8

struct jm_measure_options {
	size_t size;
	const char *model;      /* of the catalogue, or an .onnx file: mobilenet_v2 */
	const char *result_dir; /* the run goes to RESULT_DIR/MODEL: "results" */
	const char *sensor;     /* as --sensor; NULL: the best real one */
	const char *engine;     /* NULL: the best */
	const char *const *engine_options; /* [n_engine_options], "NAME=VALUE" */
	size_t n_engine_options;
	const char *dtype; /* that the network must have; NULL: any */
	int64_t input_shape[JM_MEASURE_DIMS_MAX];
	size_t n_input_shape;               /* 0: the network's own */
	int optimization_level;             /* 0..5; -1: the engine's default */
	int threads;                        /* 0: the engine's default */
	uint32_t runs;                      /* 30000 */
	uint32_t warmup;                    /* 50 */
	double idle_seconds;                /* 10; 0: only idle power that RESULT_DIR has */
	int idle_again;                     /* measure it though RESULT_DIR has it: 0 */
	double rate_hz;                     /* readings a second; 0: what suits the sensor */
	double jitter_ms;                   /* longest pause of cycles; 0: none; NaN: chosen */
	uint64_t seed;                      /* of weights, inputs and pauses: 1 */
	const struct jm_progress *progress; /* NULL: none */
	/*
	 * A program that reports its own layers (worker.h) instead of a network:
	 * argv, ends with NULL. `model` is then the run's name, NULL: the
	 * program's, and what is of an engine is not looked at. NULL: a network.
	 */
	char *const *command;
	double ready_seconds; /* until the command must be ready: 600; 0: for ever */
};

struct jm_measure_outcome {
	char run_folder[4096]; /* "": there is none */
	uint32_t cycles;       /* that are complete in it */
	int interrupted;       /* the user ended it early */
	int simulated;
};

/* Sets defaults; `size` is sizeof(*options). */
JM_API void jm_measure_options_init(struct jm_measure_options *options, size_t size);

/*
 * Runs a network and logs power beside it, as 'joulemap measure' does, into a
 * run folder that can then be opened and attributed. That it was ended early by
 * the user is no failure when any cycle is complete. After a failure with
 * cycles > 0 the run folder holds what had been measured until then.
 */
JM_API int jm_measure(const struct jm_measure_options *options,
	struct jm_measure_outcome *ret_outcome, struct jm_error *reterr);

#ifdef __cplusplus
}
#endif

#endif
