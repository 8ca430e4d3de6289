/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/choices.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engines/settings.h"

const struct jm_engine_option jm_ort_options[JM_ORT_N_OPTIONS] = {
	{"library", "FILE",
		"libonnxruntime.so, or a folder that holds it (default:\n"
		"searched for); the same as --ort-library"},
	{"tracing", "callbacks|profile",
		"how layers are timed (default: callbacks where the\nruntime has them)"},
	{"spinning", "0|1", "1: waiting threads spin and draw power (default 0)"},
};

static int read_tracing(
	const char *text, struct jm_ort_choices *choices, struct jm_error *reterr)
{
	if (strcmp(text, "callbacks") == 0)
		choices->tracing = JM_ORT_TRACING_CALLBACKS;
	else if (strcmp(text, "profile") == 0)
		choices->tracing = JM_ORT_TRACING_PROFILE;
	else
		return jm_fail(reterr, JM_EUSAGE,
			"tracing=%.32s does not exist; use callbacks or profile", text);
	return 0;
}

int jm_ort_choices_read(const struct jm_engine_options *options,
	struct jm_ort_choices *ret_choices, struct jm_error *reterr)
{
	const char *tracing = jm_engine_setting(options, "tracing");
	const char *spinning = jm_engine_setting(options, "spinning");
	const char *variable = getenv("JOULEMAP_ORT_TRACING");

	memset(ret_choices, 0, sizeof(*ret_choices));
	ret_choices->library = jm_engine_setting(options, "library");
	if (spinning && strcmp(spinning, "0") != 0 && strcmp(spinning, "1") != 0)
		return jm_fail(reterr, JM_EUSAGE, "spinning=%.32s does not exist; use 0 or 1",
			spinning);
	if (!spinning)
		spinning = getenv("JOULEMAP_ORT_SPINNING");
	ret_choices->spinning = spinning && strcmp(spinning, "1") == 0;
	if (tracing)
		return read_tracing(tracing, ret_choices, reterr);
	if (variable && strcmp(variable, "profile") == 0)
		ret_choices->tracing = JM_ORT_TRACING_PROFILE;
	return 0;
}
