/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What supply and sensor make of the load. The supply filters it with
 * h(t) = sum of weight_m exp(-t / tau_m) / tau_m (weights sum to 1); the
 * sensor takes the mean of that over [c - delay - window, c - delay].
 */
#ifndef JM_ATTRIBUTE_RESPONSE_H
#define JM_ATTRIBUTE_RESPONSE_H

#include <stddef.h>

#include "attribute/segments.h"

enum {
	JM_MODES_MAX = 8,
	JM_AGES_MAX = 16
};

struct jm_response {
	double delay_s;
	double window_s; /* of conversions without a width of their own */
	double age_s;    /* readings are up to this much older; 0: ticks are known */
	size_t n_modes;
	double tau_s[JM_MODES_MAX];    /* 0: passes unfiltered */
	double weight[JM_MODES_MAX];
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
	double factor;
	size_t row;
	int opens; /* first edge of its row */
};

enum { JM_CHUNK_ROWS = 192 };

/* Edges of rows [first, first + n), sorted; returns their number. */
size_t jm_response_edges(const struct jm_response *response, const struct jm_moments *moments,
	size_t first, size_t n, struct jm_edge *ret_edges);
size_t jm_response_edges_max(const struct jm_response *response);

/* What happened longer ago than this does not matter. */
double jm_response_memory_s(const struct jm_response *response);

/*
 * Design rows first .. first + n (n <= JM_CHUNK_ROWS): ret_rows[i * stride + k]
 * is what 1 W of column k adds to conversion first + i; K = layers + 3 columns.
 * `work` has room for jm_design_work_size() bytes.
 */
void jm_design_rows(const struct jm_response *response, const struct jm_segments *segments,
	const struct jm_moments *moments, size_t first, size_t n, double *ret_rows, size_t stride,
	void *work);
size_t jm_design_work_size(const struct jm_segments *segments);

/* What a prediction and its derivatives by one parameter are. */
struct jm_prediction {
	double *value;       /* [n] */
	double *by_delay;    /* [n], or NULL */
	double *by_window;   /* [n], or NULL */
	double *by_tau;      /* [n], or NULL: of mode 0 */
	double *by_weight[JM_MODES_MAX]; /* [n] or NULL: taken from mode 0 */
};

/*
 * Predicts conversions from the power of every column, power_w[K]; with
 * regime[] (or NULL) segments of cycle c draw power_w + regime[c] * K.
 */
void jm_predict(const struct jm_response *response, const struct jm_segments *segments,
	const struct jm_moments *moments, const double *power_w,
	const struct jm_prediction *ret_prediction);

#endif
