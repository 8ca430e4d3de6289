/* SPDX-License-Identifier: Apache-2.0 */
#include "workload/seat.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

/* How long a stop may go unnoticed in a pause. */
#define STOP_NS (20 * JM_NS_PER_MS)

/* Falling asleep and waking up takes longer than pauses below this: they are spent awake. */
#define AWAKE_NS (50 * JM_NS_PER_US)

static int64_t now(void)
{
	return jm_clock_monotonic_ns(NULL);
}

void jm_seat_init(
	struct jm_seat *seat, struct jm_link *link, const char *parent, const char *first)
{
	memset(seat, 0, sizeof(*seat));
	seat->link = link;
	seat->parent = parent;
	seat->first = first;
	seat->spool.fd = -1;
}

void jm_seat_choose_pauses(struct jm_seat *seat, double cycle_ms)
{
	struct jm_link_shared *shared = seat->link->shared;
	double max_ms = shared->jitter_ms;

	if (isnan(max_ms))
		max_ms = jm_pauses_max_ms(shared->round_ms, cycle_ms);
	jm_pauses_init(&seat->pauses, max_ms, shared->seed);
	shared->cycle_ms = cycle_ms;
	shared->pause_max_ms = (double)seat->pauses.max_ns / (double)JM_NS_PER_MS;
	/* Else the kernel adds up to 50 us to each. Workers keep their slack. */
	prctl(PR_SET_TIMERSLACK, 1UL);
}

void jm_seat_schedule(const struct jm_seat *seat, struct jm_run_schedule *ret_schedule)
{
	*ret_schedule = (struct jm_run_schedule){.kind = "none", .pause_max_ms = (double)NAN};
	if (!seat->pauses.max_ns)
		return;
	jm_text_copy(ret_schedule->kind, sizeof(ret_schedule->kind), "jitter");
	ret_schedule->pause_max_ms = seat->link->shared->pause_max_ms;
	ret_schedule->seed = seat->link->shared->seed;
}

/* ---- The spool --------------------------------------------------------------- */

static int put_text(struct jm_seat *seat, enum jm_spool_type type, const char *text,
	struct jm_error *reterr)
{
	return jm_spool_put(&seat->spool, type, text, strlen(text), now(), reterr);
}

/* Writes a JSON text as one record and drops the reference. */
static int put_json(
	struct jm_seat *seat, enum jm_spool_type type, json_t *json, struct jm_error *reterr)
{
	char *text = json ? jm_json_dump(json, JSON_COMPACT) : NULL;
	int result;

	json_decref(json);
	if (!text)
		return jm_fail_memory(reterr, "the run's description");
	result = put_text(seat, type, text, reterr);
	free(text);
	return result;
}

int jm_seat_open(struct jm_seat *seat, json_t *meta, const char *graph, struct jm_error *reterr)
{
	int result = jm_spool_create(&seat->spool, seat->link->spool_path, reterr);

	if (result < 0) {
		json_decref(meta);
		return result;
	}
	result = put_json(seat, JM_SPOOL_META, meta, reterr);
	if (result == 0)
		result = put_text(seat, JM_SPOOL_GRAPH, graph, reterr);
	if (result == 0)
		result = jm_spool_flush(&seat->spool, now(), reterr);
	return result;
}

void jm_seat_span(struct jm_seat *seat, const struct jm_spool_span *span)
{
	if (seat->spool_result == 0)
		seat->spool_result = jm_spool_put(&seat->spool, JM_SPOOL_SPAN, span,
			sizeof(*span), span->end_ns, &seat->spool_error);
}

int jm_seat_check(const struct jm_seat *seat, struct jm_error *reterr)
{
	if (seat->spool_result < 0 && reterr)
		*reterr = seat->spool_error;
	return seat->spool_result;
}

int jm_seat_close(struct jm_seat *seat, json_t *end, struct jm_error *reterr)
{
	int result;

	if (seat->spool.fd < 0) {
		json_decref(end);
		return 0;
	}
	result = put_json(seat, JM_SPOOL_END, end, reterr);
	if (result == 0)
		result = jm_spool_close(&seat->spool, reterr);
	jm_spool_close(&seat->spool, NULL);
	return result;
}

void jm_seat_release(struct jm_seat *seat)
{
	jm_spool_close(&seat->spool, NULL);
}

/* ---- Words and pauses --------------------------------------------------------- */

static int say(struct jm_seat *seat, char word, struct jm_error *reterr)
{
	ssize_t n;

	do
		n = write(seat->link->pipes.status_fd, &word, 1);
	while (n < 0 && errno == EINTR);
	return n == 1 ? 0
		      : jm_fail(reterr, JM_EINTERRUPTED, "the %s process is gone",
				seat->parent);
}

int jm_seat_wait(struct jm_seat *seat, struct jm_error *reterr)
{
	char word = 0;
	ssize_t n;
	int result = say(seat, JM_LINK_READY, reterr);

	if (result < 0)
		return result;
	do
		n = read(seat->link->pipes.control_fd, &word, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1 || word != JM_LINK_GO)
		return jm_fail(reterr, JM_EINTERRUPTED, "stopped before %s", seat->first);
	return 0;
}

int jm_seat_done(struct jm_seat *seat, struct jm_error *reterr)
{
	return say(seat, JM_LINK_DONE, reterr);
}

void jm_seat_progress(struct jm_seat *seat, uint32_t cycles)
{
	atomic_store(&seat->link->shared->cycles, cycles);
}

int jm_seat_pause(struct jm_seat *seat, struct jm_error *reterr)
{
	int64_t pause_ns = jm_pauses_next_ns(&seat->pauses);
	int64_t now_ns = now(), deadline_ns = now_ns + pause_ns;

	if (!pause_ns)
		return 0;
	if (deadline_ns - seat->spool.last_flush_ns > JM_SPOOL_FLUSH_NS) {
		int result = jm_spool_flush(&seat->spool, now_ns, reterr);

		if (result < 0)
			return result;
	}
	while (!jm_link_is_stopped(seat->link) && (now_ns = now()) < deadline_ns)
		if (seat->pauses.max_ns > AWAKE_NS)
			jm_clock_sleep_until(deadline_ns - now_ns > STOP_NS ? now_ns + STOP_NS
									    : deadline_ns);
	return 0;
}
