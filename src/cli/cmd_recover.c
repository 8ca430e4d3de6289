/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/plugins.h"
#include "run/run_folder.h"
#include "run/session.h"

struct values {
	struct jm_text_list plugins;
};

static const struct jm_option options[] = {
	JM_CLI_PLUGIN_OPTION(struct values),
	{NULL, JM_OPTION_FLAG, 0, NULL, NULL, 0, 0, NULL},
};

static int run(int argc, char **argv);

const struct jm_command jm_command_recover = {
	.name = "recover",
	.summary = "complete a run that was cut off",
	.usage = "RUN_FOLDER|RESULT_DIR",
	.text = "Turns what a killed or crashed 'measure' left on disk into a complete run\n"
		"folder. Nothing that is older than a tenth of a second is lost.",
	.examples = "  joulemap recover results/mobilenet_v2\n"
		    "  joulemap map results/mobilenet_v2",
	.options = options,
	.max_positional = 1,
	.run = run,
};

static int is_no_dot_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The run folder itself, or the only folder in it whose run was cut off. */
static int find_run(const char *folder, char ret_run[JM_PATH_MAX], struct jm_error *reterr)
{
	struct dirent **entries;
	char path[JM_PATH_MAX];
	int n, found = 0;

	if (!jm_path_is_folder(folder))
		return jm_fail(reterr, JM_ENOTFOUND, "there is no run folder '%s'", folder);
	jm_text_copy(ret_run, JM_PATH_MAX, folder);
	if (jm_session_exists(folder))
		return 0;
	n = scandir(folder, &entries, is_no_dot_file, alphasort);
	for (int i = 0; i < n; i++) {
		if (jm_path_join(path, folder, entries[i]->d_name, NULL) == 0 &&
			jm_session_exists(path) && found++ == 0)
			jm_text_copy(ret_run, JM_PATH_MAX, path);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	if (found == 1)
		return 0;
	return jm_fail(reterr, JM_ENOTFOUND,
		found ? "'%s' holds several runs that were cut off, "
			"name one of them"
		      : "'%s' holds no run that was cut off, nothing "
			"to recover",
		folder);
}

static void tell(const char *run_folder, const struct jm_session_report *report)
{
	jm_cli_note("recovered %zu cycles and %zu readings in '%s'%s", report->cycles,
		report->readings, run_folder,
		report->damage.code     ? ""
		: report->bytes_dropped ? ", a torn end was dropped"
					: "");
	if (report->damage.code)
		jm_cli_note("%llu bytes that are no records were dropped: %s",
			(unsigned long long)report->bytes_dropped, report->damage.message);
	jm_cli_note("next: joulemap map %s", run_folder);
}

/* While we waited for the lock somebody did our work, and its spool is gone. */
static int leave_to_others(
	const struct jm_session_paths *paths, const char *run_folder, struct jm_error *reterr)
{
	char run_json[JM_PATH_MAX];
	int result = jm_path_join(run_json, run_folder, JM_RUN_JSON_NAME, reterr);
	int complete = result == 0 && jm_path_exists(run_json);

	jm_session_remove(paths, run_folder);
	if (result == 0 && !complete)
		return jm_fail(reterr, JM_ENOTFOUND,
			"the run in '%s' was taken away while it was to be recovered",
			run_folder);
	if (result == 0)
		jm_cli_note("another one was faster: the run in '%s' is complete already",
			run_folder);
	return result;
}

static int recover(const char *folder, struct jm_error *reterr)
{
	struct jm_session_report report;
	struct jm_session_paths paths;
	char run_folder[JM_PATH_MAX];
	int lock, result = find_run(folder, run_folder, reterr);

	if (result == 0)
		result = jm_session_paths(run_folder, &paths, reterr);
	if (result < 0)
		return result;
	lock = jm_session_lock(&paths, JM_SESSION_RECOVERY, reterr);
	if (lock < 0)
		return lock;
	if (!jm_session_exists(run_folder)) {
		result = leave_to_others(&paths, run_folder, reterr);
	} else {
		result = jm_session_finish(run_folder, &report, reterr);
		if (result == 0)
			tell(run_folder, &report);
	}
	close(lock);
	return result;
}

static int run(int argc, char **argv)
{
	struct values values = {.plugins = {.n = 0}};
	struct jm_arguments arguments;
	struct jm_error error;

	if (jm_options_parse(&jm_command_recover, argc, argv, &values, &arguments, &error) < 0)
		return jm_report_error(&error);
	if (arguments.help)
		return 0;
	if (jm_cli_load_plugins(&values.plugins, &error) < 0)
		return jm_report_error(&error);
	if (!arguments.n_positional) {
		jm_fail(&error, JM_EUSAGE,
			"recover needs a run folder: joulemap recover "
			"results/mobilenet_v2");
		return jm_report_error(&error);
	}
	return recover(arguments.positional[0], &error) < 0 ? jm_report_error(&error) : 0;
}
