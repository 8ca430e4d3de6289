/* SPDX-License-Identifier: Apache-2.0 */
#include "workload/pauses.h"

#include <math.h>

#include "base/clock.h"

/* Of the seed's independent streams: apart from those of a simulated board. */
#define STREAM_PAUSES 0x7061757365

/* Between the rounds of fast chips and those of slow drivers (docs/sensors.md). */
#define ROUND_UNKNOWN_MS 10.0

/*
 * What m, the longest pause, must be. Let the cycle last D, the round T, and
 * the pauses be uniform in [0, m].
 *
 * D >= T: conversions fill the cycle when the begins of cycles, modulo T, fill
 * the round. Each pause moves the next begin on by a deviation of m / sqrt(12).
 * With m = T one pause forgets the phase altogether.
 *
 * D < T: n = T / D cycles pass between two conversions, and their pauses add
 * up: sqrt(n) m / sqrt(12), modulo D. So m = D / sqrt(n) does as much from one
 * conversion to the next as m = T does above. For a round of 100 ms and a
 * cycle of 2 ms that is 0.28 ms, where a pause of up to a round would make the
 * run 25 times longer.
 *
 * Both: m = L / sqrt(n), L the shorter of D and T, n = max(1, T / D). But a
 * phase need not be forgotten at once: it is enough that it fills everything
 * many times during a run. With SHARE of that m the correlation of the phase
 * (its first harmonic) falls by sin(pi SHARE) / (pi SHARE) = 0.974 per step:
 * to 1/e in 39 steps, while a run has thousands. The run then becomes longer
 * by SHARE / 2 at most, and by less the further apart D and T are. On simulated
 * boards with locked cycles longer pauses make no layer better known
 * (docs/how-it-works.md).
 */
#define SHARE 0.125

double jm_pauses_max_ms(double round_ms, double cycle_ms)
{
	double round = round_ms > 0 && isfinite(round_ms) ? round_ms : ROUND_UNKNOWN_MS;
	double cycle = cycle_ms > 0 && isfinite(cycle_ms) ? cycle_ms : round;

	return SHARE * (cycle < round ? cycle * sqrt(cycle / round) : round);
}

void jm_pauses_init(struct jm_pauses *pauses, double max_ms, uint64_t seed)
{
	jm_random_init(&pauses->random, seed, STREAM_PAUSES);
	pauses->max_ns = max_ms > 0 ? (int64_t)llround(max_ms * (double)JM_NS_PER_MS) : 0;
}

int64_t jm_pauses_next_ns(struct jm_pauses *pauses)
{
	if (!pauses->max_ns)
		return 0;
	return (int64_t)jm_random_below(&pauses->random, (uint64_t)pauses->max_ns + 1);
}
