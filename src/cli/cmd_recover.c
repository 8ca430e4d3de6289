/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/error.h"
#include "cli/commands.h"
#include "measure/session.h"

struct values {
	int unused;
};

static const struct jm_option options[] = {
	{NULL, JM_OPTION_FLAG, 0, NULL, NULL, 0, 0, NULL},
};

static int run(int argc, char **argv);

const struct jm_command jm_command_recover = {
	.name = "recover",
	.summary = "complete a run that was cut off",
	.usage = "RUN_FOLDER",
	.text = "Turns what a killed or crashed 'measure' left on disk into a complete run\n"
		"folder. Nothing that is older than a tenth of a second is lost.",
	.examples = "  joulemap recover results/mobilenet_v2\n"
		    "  joulemap map results/mobilenet_v2",
	.options = options,
	.max_positional = 1,
	.run = run,
};

static int recover(const char *folder, struct jm_error *reterr)
{
	struct jm_session_report report;
	int result;

	if (!jm_session_exists(folder)) {
		if (!jm_path_is_folder(folder))
			return jm_fail(reterr, JM_ENOTFOUND, "there is no run folder '%s'", folder);
		return jm_fail(reterr, JM_ENOTFOUND,
			"'%s' holds no run that was cut off, nothing to recover", folder);
	}
	result = jm_session_finish(folder, &report, reterr);
	if (result < 0)
		return result;
	jm_note("recovered %zu cycles and %zu readings in '%s'%s", report.cycles, report.readings,
		folder, report.bytes_dropped ? ", a torn end was dropped" : "");
	jm_note("next: joulemap map %s", folder);
	return 0;
}

static int run(int argc, char **argv)
{
	struct values values = {0};
	struct jm_arguments arguments;
	struct jm_error error;

	if (jm_options_parse(&jm_command_recover, argc, argv, &values, &arguments, &error) < 0)
		return jm_report_error(&error);
	if (arguments.help)
		return 0;
	if (!arguments.n_positional) {
		jm_fail(&error, JM_EUSAGE, "recover needs a run folder: joulemap recover "
					   "results/mobilenet_v2");
		return jm_report_error(&error);
	}
	return recover(arguments.positional[0], &error) < 0 ? jm_report_error(&error) : 0;
}
