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
	{"tracing", "auto|markers|callbacks|profile",
		"how layers are timed (default auto: markers where\n"
		"they can be used, else callbacks, else the profile);\n"
		"the same as --trace"},
	{"spinning", "0|1", "1: waiting threads spin and draw power (default 0)"},
};

static const char *const ways[] = {[JM_ORT_TRACING_AUTO] = "auto",
	[JM_ORT_TRACING_MARKERS] = "markers",
	[JM_ORT_TRACING_CALLBACKS] = "callbacks",
	[JM_ORT_TRACING_PROFILE] = "profile"};

static int read_tracing(
	const char *text, struct jm_ort_choices *choices, struct jm_error *reterr)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(text, ways[i]) == 0) {
			choices->tracing = (enum jm_ort_tracing)i;
			return 0;
		}
	return jm_fail(reterr, JM_EUSAGE,
		"tracing=%.32s does not exist; use auto, markers, callbacks or profile", text);
}

int jm_ort_choices_read(const struct jm_engine_options *options,
	struct jm_ort_choices *ret_choices, struct jm_error *reterr)
{
	const char *tracing = jm_engine_setting(options, "tracing");
	const char *spinning = jm_engine_setting(options, "spinning");

	memset(ret_choices, 0, sizeof(*ret_choices));
	ret_choices->library = jm_engine_setting(options, "library");
	if (spinning && strcmp(spinning, "0") != 0 && strcmp(spinning, "1") != 0)
		return jm_fail(reterr, JM_EUSAGE, "spinning=%.32s does not exist; use 0 or 1",
			spinning);
	if (!spinning)
		spinning = getenv("JOULEMAP_ORT_SPINNING");
	ret_choices->spinning = spinning && strcmp(spinning, "1") == 0;
	if (!tracing)
		tracing = getenv("JOULEMAP_ORT_TRACING");
	return tracing && *tracing ? read_tracing(tracing, ret_choices, reterr) : 0;
}
