/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What supply and sensor make of the load. The supply filters it with
 * h(t) = sum of tap_m e(t - offset_m), where e has the transfer function
 * 1 / (1 + tau s + shape tau^2 s^2): first order with shape 0, two time
 * constants up to 1/4, overshooting beyond. One tap at offset 0 is that alone,
 * many describe any supply. The sensor takes the mean over
 * [c - delay - window, c - delay].
 */
#ifndef JM_ATTRIBUTE_RESPONSE_H
#define JM_ATTRIBUTE_RESPONSE_H

#include <complex.h>
#include <stddef.h>

#include "attribute/segments.h"

enum {
	JM_TAPS_MAX = 21,
	JM_AGES_MAX = 16,
	JM_EDGES_MAX = 2 * (JM_TAPS_MAX > JM_AGES_MAX ? JM_TAPS_MAX : JM_AGES_MAX)
};

struct jm_response {
	double delay_s;
	double window_s; /* of conversions without a width of their own */
	double tau_s;    /* first moment of e(t): the sum of its time constants */
	double shape;
	double age_s;          /* readings are up to this much older; 0: ticks are known */
	double low_pass;       /* share of a conversion in the sensor's output; 0: all of it */
	double round_s;        /* between conversions; for the low-pass */
	double middle_s, skew; /* delay grows by skew per second after middle_s */
	size_t n_taps;         /* 1: first order; with ages: 1 */
	double offset_s[JM_TAPS_MAX];
	double tap[JM_TAPS_MAX]; /* sum to 1 */
};

/* Conversions as the model sees them; borrowed. */
struct jm_moments {
	const double *time_s;
	const double *width_s; /* NULL: the response's window */
	size_t n;
};

/* Where a row needs the integral of the filtered load: += factor * integral. */
struct jm_edge {
	double time_s;
	double factor; /* without the tap's own */
	unsigned row, tap;
};

enum { JM_CHUNK_ROWS = 192 };

/*
 * Starts and steps are made for rounds of a few ms; those of a slower sensor are
 * this many times as long. 1 for faster ones.
 */
double jm_response_pace(const struct jm_response *response);

/* First order with a delay. */
struct jm_response jm_response_simple(double delay_s, double window_s, double tau_s);

/* Edges of rows [first, first + n), sorted; returns their number. */
size_t jm_response_edges(const struct jm_response *response, const struct jm_moments *moments,
	size_t first, size_t n, struct jm_edge *ret_edges);
size_t jm_response_edges_per_row(const struct jm_response *response);

/*
 * The sensor's own low-pass, from conversion to conversion: what is kept of
 * the output before at conversion i. 0 without one.
 */
double jm_response_kept(
	const struct jm_response *response, const struct jm_moments *moments, size_t i);

/*
 * e(t) in parts: the sum over modes of the real part of
 * weight exp(-t / tau) / tau. 0 modes: no filter.
 */
struct jm_mode {
	double complex tau_s, weight;
	double complex rate; /* 1 / tau */
	int real;            /* all of it */
};

enum { JM_MODES_MAX = 2 };

/* Without a promotion from float. */
#define JM_I ((double complex)I)

size_t jm_response_modes(
	const struct jm_response *response, struct jm_mode ret_modes[JM_MODES_MAX]);

/* What happened longer ago than this does not matter. */
double jm_response_memory_s(const struct jm_response *response);

/*
 * Design rows first .. first + n (n <= JM_CHUNK_ROWS): ret_rows[i * stride + k]
 * is what 1 W of column k adds to conversion first + i; K = loads + 3 columns.
 * `work` has room for jm_design_work_size() bytes.
 */
void jm_design_rows(const struct jm_response *response, const struct jm_segments *segments,
	const struct jm_moments *moments, size_t first, size_t n, double *ret_rows,
	size_t stride, void *work);
size_t jm_design_work_size(const struct jm_segments *segments);

/* A prediction and its derivatives; columns that are NULL are not wanted. */
struct jm_prediction {
	double *value; /* [n] */
	double *by_delay;
	double *by_window;
	double *by_skew;
	double *by_tap[JM_TAPS_MAX]; /* at the cost of tap `main_tap` */
	size_t main_tap;
};

/* Predicts conversions from the power of every column, power_w[K]. 0, JM_ENOMEM. */
int jm_predict(const struct jm_response *response, const struct jm_segments *segments,
	const struct jm_moments *moments, const double *power_w,
	const struct jm_prediction *ret_prediction);

#endif
