/* SPDX-License-Identifier: Apache-2.0 */
#include "workload/load_pattern.h"

#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "base/random.h"

#define ROUND_UNKNOWN_MS 20.0
#define SHORTEST_MS 0.5
#define LONGEST_MIN_MS 4.0
#define SECONDS_MAX 86400.0

/* One width in SETTLING is longer, up to this many times the longest. */
#define SETTLING 16
#define SETTLING_FACTOR 4.0

static int64_t width_ns(double short_ms, double long_ms, uint64_t *state)
{
	double which = jm_random_unit(jm_splitmix64(state));
	double place = jm_random_unit(jm_splitmix64(state)), ms;

	if (which * SETTLING < 1.0)
		ms = long_ms * (1.0 + (SETTLING_FACTOR - 1.0) * place);
	else
		ms = short_ms * pow(long_ms / short_ms, place);
	return (int64_t)(ms * 1e6);
}

int jm_load_pattern(double round_ms, double seconds, uint64_t seed,
	struct jm_load_span **ret_spans, size_t *ret_n, struct jm_error *reterr)
{
	double round = round_ms > 0.0 ? round_ms : ROUND_UNKNOWN_MS;
	double short_ms = fmax(round / 8.0, SHORTEST_MS);
	double long_ms = fmax(round * 3.0, LONGEST_MIN_MS);
	int64_t now_ns = 0, end_ns;
	struct jm_load_span *spans = NULL;
	size_t n = 0, capacity = 0;

	if (!(seconds > 0.0 && seconds <= SECONDS_MAX && round <= 1e5))
		return jm_fail(reterr, JM_EINVAL,
			"no load pattern of %g s for a round of %g ms", seconds, round);
	end_ns = (int64_t)(seconds * 1e9);
	for (;;) {
		struct jm_load_span span;
		void *grown;

		span.begin_ns = now_ns + width_ns(short_ms, long_ms, &seed);
		span.end_ns = span.begin_ns + width_ns(short_ms, long_ms, &seed);
		if (span.end_ns > end_ns)
			break;
		now_ns = span.end_ns;
		grown = jm_array_grow(spans, &capacity, n + 1, sizeof(*spans));
		if (!grown) {
			free(spans);
			return jm_fail_memory(reterr, "the load pattern");
		}
		spans = grown;
		spans[n++] = span;
	}
	*ret_spans = spans;
	*ret_n = n;
	return 0;
}
