/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/discover.h"

#include <string.h>

#include "base/error.h"
#include "engines/onnxruntime/trace.h"

/* ---- By callbacks ------------------------------------------------------------------ */

static int discover_by_callbacks(struct jm_ort_session *session,
	const struct jm_ort_session_setup *setup, struct jm_ort_clock clock,
	struct jm_ort_steps *ret_steps, struct jm_error *reterr)
{
	struct jm_ort_trace trace = {.ort = setup->ort, .clock = clock, .steps = ret_steps};
	int result = jm_ort_session_open(session, setup, reterr);

	if (result == 0)
		result = jm_ort_session_run(session, 0, reterr);
	if (result < 0)
		return result;
	jm_ort_trace_begin(&trace);
	result = jm_ort_session_run(session, 1, reterr);
	jm_ort_trace_end(&trace);
	if (result == 0 && trace.out_of_memory)
		result = jm_fail_memory(reterr, "the graph of layers");
	jm_ort_steps_keep_outermost(ret_steps);
	return result;
}

/* ---- By profile -------------------------------------------------------------------- */

int jm_ort_discover_nodes(struct jm_ort_steps *steps, const struct jm_ort *ort,
	const struct jm_ort_profile_node *nodes, size_t n, struct jm_error *reterr)
{
	int result = 0;

	for (size_t i = 0; i < n && result == 0; i++)
		result = jm_ort_profile_describe(&nodes[i], steps);
	if (result == JM_ENOMEM)
		return jm_fail_memory(reterr, "the graph of layers");
	if (result < 0)
		return jm_fail(reterr, JM_EENGINE,
			"the profile of ONNX Runtime %s cannot be read", ort->version);
	return 0;
}

struct description {
	const struct jm_ort *ort;
	struct jm_ort_steps *steps;
};

static int describe_run(void *context, size_t run, const struct jm_ort_profile_node *nodes,
	const int64_t (*spans_ns)[2], size_t n, struct jm_error *reterr)
{
	const struct description *description = context;

	(void)spans_ns;
	if (run != JM_ORT_WARM_UPS)
		return 0;
	return jm_ort_discover_nodes(description->steps, description->ort, nodes, n, reterr);
}

static int discover_by_profile(struct jm_ort_profiled *session,
	const struct jm_ort_session_setup *setup, struct jm_ort_clock clock,
	struct jm_ort_steps *ret_steps, size_t *ret_n_events, struct jm_error *reterr)
{
	struct description description = {setup->ort, ret_steps};
	struct jm_ort_profiled_reader reader = {
		JM_ORT_WARM_UPS + 1, describe_run, &description};
	size_t n_events = 0;
	int result = jm_ort_profiled_open(session, setup, clock, reterr);

	for (int i = 0; i <= JM_ORT_WARM_UPS && result == 0; i++)
		result = jm_ort_session_run(&session->session, 0, reterr);
	if (result == 0)
		result = jm_ort_profiled_finish(session, &reader, &n_events, reterr);
	*ret_n_events = n_events / (JM_ORT_WARM_UPS + 1) + 1;
	return result;
}

/* ---- Both -------------------------------------------------------------------------- */

int jm_ort_discover(struct jm_ort_profiled *ret_session,
	const struct jm_ort_session_setup *setup, int by_callbacks, struct jm_ort_clock clock,
	struct jm_ort_steps *ret_steps, size_t *ret_n_events, struct jm_error *reterr)
{
	int result;

	memset(ret_session, 0, sizeof(*ret_session));
	memset(ret_steps, 0, sizeof(*ret_steps));
	*ret_n_events = 0;
	result = by_callbacks ? discover_by_callbacks(
					&ret_session->session, setup, clock, ret_steps, reterr)
			      : discover_by_profile(ret_session, setup, clock, ret_steps,
					ret_n_events, reterr);
	if (result < 0) {
		jm_ort_profiled_close(ret_session);
		jm_ort_steps_release(ret_steps);
	}
	return result;
}
