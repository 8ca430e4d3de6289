/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/bias/closure.h"

#include <math.h>

#include "base/clock.h"
#include "base/statistics.h"

#define PAIRS_MAX 40
#define PAIRS_MIN 8
#define BUDGET_NS (400 * JM_NS_PER_MS)

struct total {
	const struct jm_ort_layer_bias *bias;
	int64_t ns;
};

static void add_span(void *context, const struct jm_span *span)
{
	int64_t begin_ns = span->begin_ns, end_ns = span->end_ns;
	struct total *total = context;

	jm_ort_bias_remove(total->bias[span->layer], &begin_ns, &end_ns);
	total->ns += end_ns - begin_ns;
}

/* Excess of the spans over the untraced run just before, in one pair of runs. */
static int run_pair(struct jm_ort_network *network, const struct jm_ort_layer_bias *bias,
	double *ret_excess_ns, struct jm_error *reterr)
{
	const struct jm_ort_trace *trace = &network->trace;
	struct total total = {bias, 0};
	struct jm_span_sink sink = {add_span, &total};
	int64_t begin_ns = jm_ort_now(&trace->clock), end_ns;
	int result = jm_ort_network_run(network, NULL, reterr);

	end_ns = jm_ort_now(&trace->clock);
	if (result == 0)
		result = jm_ort_network_run(network, &sink, reterr);
	*ret_excess_ns = (double)(total.ns - (end_ns - begin_ns));
	return result;
}

static double mean_bias_ns(const struct jm_ort_layer_bias *bias, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)(bias[i].head_ns + bias[i].tail_ns);
	return sum / (double)n;
}

int jm_ort_closure_find(struct jm_ort_network *network, const struct jm_ort_layer_bias *bias,
	double *ret_ns, struct jm_error *reterr)
{
	double excess[PAIRS_MAX], deviation[PAIRS_MAX], middle, error;
	int64_t start_ns = jm_clock_monotonic_ns(NULL);
	size_t pairs = 0, n = network->steps.n;
	int result = 0;

	*ret_ns = 0;
	if (network->way != JM_ORT_BY_CALLBACKS)
		return 0;
	while (pairs < PAIRS_MAX && jm_clock_monotonic_ns(NULL) - start_ns < BUDGET_NS) {
		result = run_pair(network, bias, &excess[pairs], reterr);
		if (result < 0)
			return result;
		pairs++;
	}
	if (pairs < PAIRS_MIN)
		return 0;
	middle = jm_median(excess, pairs);
	for (size_t i = 0; i < pairs; i++)
		deviation[i] = fabs(excess[i] - middle);
	/* Standard error of a median, from the median deviation. */
	error = 1.2533 * jm_median(deviation, pairs) / 0.6745 / sqrt((double)pairs);
	if (middle > 3 * error)
		*ret_ns = fmin(middle / (double)n, mean_bias_ns(bias, n));
	return 0;
}
