/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/engine_help.h"
#include "cli/output.h"
#include "cli/plugins.h"
#include "cli/print_map.h"
#include "cli/progress.h"
#include "measure/measure.h"
struct values {
	struct jm_text_list plugins;
	const char *model;
	char *const *command;
	const char *result_dir;
	const char *sensor;
	const char *engine;
	const char *engine_help;
	struct jm_text_list engine_options;
	const char *ort_library;
	const char *trace;
	const char *dtype;
	const char *format;
	struct jm_shape input_shape;
	int64_t runs;
	int64_t warmup;
	int64_t optimization_level;
	int64_t threads;
	int64_t min_block_size;
	int64_t seed;
	double idle_s;
	double rate_hz;
	double jitter_ms; /* NaN: not given */
	double ready_s;   /* likewise */
	int no_jitter;
	int idle_again;
};

static const char *const dtypes[] = {"float32", "float16", "bfloat16", NULL};

static const struct jm_option options[] = {
	{"model", JM_OPTION_TEXT, offsetof(struct values, model), "MODEL",
		"network of the catalogue, or an .onnx file\n(default mobilenet_v2); of a "
		"COMMAND the name of its\nrun (default: the program's)",
		0, 0, NULL},
	{"runs", JM_OPTION_COUNT, offsetof(struct values, runs), "N",
		"inference cycles to measure (default 30000)", 1, 100000000, NULL},
	{"warmup", JM_OPTION_COUNT, offsetof(struct values, warmup), "N",
		"cycles before that (default 50)", 0, 1000000, NULL},
	{"ready-timeout", JM_OPTION_REAL, offsetof(struct values, ready_s), "SECONDS",
		"how long a COMMAND may take until it is ready\n(default 600; 0: for ever)", 0,
		86400, NULL},
	{"result-dir", JM_OPTION_TEXT, offsetof(struct values, result_dir), "DIR",
		"results go to DIR/MODEL/ (default results)", 0, 0, NULL},
	{"sensor", JM_OPTION_TEXT, offsetof(struct values, sensor), "SENSOR",
		"power sensor: ina3221, ina3221:1-0040, nvml:0,\n"
		"replay:FILE, sim (SIMULATED); default: the best\nreal one, see 'joulemap "
		"sensors'",
		0, 0, NULL},
	{"rate", JM_OPTION_REAL, offsetof(struct values, rate_hz), "HZ",
		"readings per second (default: what suits the\nsensor)", 0.1, 100000, NULL},
	{"jitter", JM_OPTION_REAL, offsetof(struct values, jitter_ms), "MS",
		"longest random pause between cycles (default:\nwhat the sensor needs to see "
		"every "
		"part of the\ncycle, see docs/how-it-works.md)",
		0, 10000, NULL},
	{"no-jitter", JM_OPTION_FLAG, offsetof(struct values, no_jitter), NULL, "no pauses", 0,
		0, NULL},
	{"idle-duration", JM_OPTION_REAL, offsetof(struct values, idle_s), "SECONDS",
		"how long to measure idle power when DIR has none\nof this sensor (default 10; "
		"0: go "
		"without)",
		0, 86400, NULL},
	{"idle-again", JM_OPTION_FLAG, offsetof(struct values, idle_again), NULL,
		"measure idle power even if DIR has it", 0, 0, NULL},
	{"engine", JM_OPTION_TEXT, offsetof(struct values, engine), "ENGINE",
		"what runs the network (default onnxruntime)", 0, 0, NULL},
	{"engine-option", JM_OPTION_LIST, offsetof(struct values, engine_options), "NAME=VALUE",
		"an option of that engine alone, as often as needed", 0, 0, NULL},
	{"engine-help", JM_OPTION_TEXT, offsetof(struct values, engine_help), "ENGINE",
		"show the options of that engine alone", 0, 0, NULL},
	{"ort-library", JM_OPTION_TEXT, offsetof(struct values, ort_library), "FILE",
		"libonnxruntime.so to use: the option library of\nonnxruntime", 0, 0, NULL},
	{"trace", JM_OPTION_TEXT, offsetof(struct values, trace), "WAY",
		"how layers are timed: auto (default), markers,\n"
		"callbacks, profile, see docs/engines.md; the\noption tracing of onnxruntime",
		0, 0, NULL},
	{"dtype", JM_OPTION_CHOICE, offsetof(struct values, dtype), "TYPE",
		"type the network must have: float32, float16 or\nbfloat16 (default: its own)",
		0, 0, dtypes},
	{"input-shape", JM_OPTION_SHAPE, offsetof(struct values, input_shape), "B C H W",
		"shape of the input (default: the network's own)", 0, 0, NULL},
	{"optimization-level", JM_OPTION_COUNT, offsetof(struct values, optimization_level),
		"L", "0 none .. 5 all, see docs/engines.md", 0, 5, NULL},
	{"threads", JM_OPTION_COUNT, offsetof(struct values, threads), "N",
		"of the engine (default: one per core)", 1, 4096, NULL},
	{"min-block-size", JM_OPTION_COUNT, offsetof(struct values, min_block_size), "N",
		"taken for the original's sake: only its TensorRT\nknows it", 1, 1000000, NULL},
	{"seed", JM_OPTION_COUNT, offsetof(struct values, seed), "N",
		"of random weights, inputs and pauses (default 1)", 0, 9007199254740992.0,
		NULL},
	{"format", JM_OPTION_CHOICE, offsetof(struct values, format), "FORMAT",
		"of the table on stdout: table (default), json, csv", 0, 0, jm_format_choices},
	JM_CLI_PLUGIN_OPTION(struct values),
	{NULL, JM_OPTION_FLAG, 0, NULL, NULL, 0, 0, NULL},
};

static int run(int argc, char **argv);

const struct jm_command jm_command_measure = {
	.name = "measure",
	.summary = "run a network, log power beside it, and show power by layer",
	.usage = "[OPTIONS] [-- COMMAND [ARGUMENTS]]",
	.takes_command = 1,
	.text = "Runs a network for N cycles in one process while another logs power, and "
		"writes\n"
		"both logs to RESULT_DIR/MODEL/. Then maps power to layers and prints the "
		"table.\n"
		"Ctrl-C ends early and keeps everything measured so far. An earlier run in "
		"the\n"
		"folder is kept under previous/.\n\n"
		"A COMMAND takes the network's place: a program that reports its own layers "
		"(see\n"
		"docs/workers.md). It is started with the terminal as it is; the table "
		"follows its\n"
		"output.",
	.examples =
		"  joulemap measure\n"
		"  joulemap measure --model resnet18 --runs 5000\n"
		"  joulemap measure --model net.onnx --input-shape 1 3 320 320 --threads 4\n"
		"  joulemap measure --sensor sim --runs 500       # SIMULATED power\n"
		"  joulemap measure --runs 1000 -- ./my_program --fast",
	.options = options,
	.run = run,
};

/* What is not given is as the library has it. */
static void configure(const struct values *values, struct jm_measure_options *ret_options)
{
	jm_measure_options_init(ret_options, sizeof(*ret_options));
	if (values->model || values->command)
		ret_options->model = values->model;
	ret_options->command = values->command;
	if (!isnan(values->ready_s))
		ret_options->ready_seconds = values->ready_s;
	ret_options->result_dir = values->result_dir;
	ret_options->sensor = values->sensor;
	ret_options->engine = values->engine;
	ret_options->engine_options = values->engine_options.texts;
	ret_options->n_engine_options = values->engine_options.n;
	ret_options->dtype = values->dtype;
	memcpy(ret_options->input_shape, values->input_shape.dims,
		sizeof(ret_options->input_shape));
	ret_options->n_input_shape = values->input_shape.n_dims;
	ret_options->optimization_level = (int)values->optimization_level;
	ret_options->threads = (int)values->threads;
	ret_options->runs = (uint32_t)values->runs;
	if (values->warmup >= 0)
		ret_options->warmup = (uint32_t)values->warmup;
	ret_options->idle_seconds = values->idle_s;
	ret_options->idle_again = values->idle_again;
	ret_options->rate_hz = values->rate_hz;
	ret_options->jitter_ms = values->no_jitter ? 0 : values->jitter_ms;
	ret_options->seed = (uint64_t)values->seed;
}

/* What says how an engine runs a network says nothing to a command. */
static int check_command(const struct values *values, struct jm_error *reterr)
{
	const struct {
		const char *name;
		int given;
	} engines[] = {
		{"engine", values->engine != NULL},
		{"ort-library", values->ort_library != NULL},
		{"trace", values->trace != NULL},
		{"engine-option", values->engine_options.n != 0},
		{"dtype", values->dtype != NULL},
		{"input-shape", values->input_shape.n_dims != 0},
		{"optimization-level", values->optimization_level >= 0},
		{"threads", values->threads != 0},
		{"warmup", values->warmup >= 0},
		{"min-block-size", values->min_block_size != 0},
	};

	if (!values->command && !isnan(values->ready_s))
		return jm_fail(reterr, JM_EUSAGE,
			"--ready-timeout is for a command: joulemap measure -- COMMAND");
	for (size_t i = 0; values->command && i < sizeof(engines) / sizeof(engines[0]); i++)
		if (engines[i].given)
			return jm_fail(reterr, JM_EUSAGE,
				"--%s is for networks that joulemap runs itself, not for a "
				"command",
				engines[i].name);
	return 0;
}

static int measure_and_map(const struct values *values, struct jm_error *reterr)
{
	struct jm_cli_progress progress;
	struct jm_measure_options config;
	struct jm_measure_outcome measured = {.cycles = 0};
	struct jm_map_config map = {.rules = JM_WINDOW_LATER};
	struct jm_error first_error;
	int result, map_result;

	result = check_command(values, reterr);
	if (result < 0)
		return result;
	jm_cli_progress_init(&progress);
	configure(values, &config);
	config.progress = &progress.progress;
	if (values->no_jitter && values->jitter_ms > 0)
		return jm_fail(
			reterr, JM_EUSAGE, "--no-jitter and --jitter contradict each other");
	if (values->min_block_size)
		jm_cli_note("--min-block-size means nothing to this engine and is ignored");
	result = jm_measure_run(&config, &measured, &first_error);
	jm_cli_progress_end(&progress);
	if (result < 0 && !measured.cycles) {
		*reterr = first_error;
		return result;
	}
	map.paths.folder = measured.run_folder;
	map.progress = &progress.progress;
	map_result = jm_cli_map(&map, values->format, result < 0 ? NULL : reterr);
	if (result < 0) {
		*reterr = first_error;
		return result;
	}
	if ((map_result == 0 || map_result == JM_EUNRESOLVED) && measured.interrupted)
		return jm_fail(reterr, JM_EINTERRUPTED,
			"interrupted after %u of %u cycles, which are complete in '%s'",
			measured.cycles, config.runs, measured.run_folder);
	return map_result;
}

#define SETTING_MAX (JM_PATH_MAX + 16)

/* An option that is another word for one of the engine's own, NAME=VALUE. */
static int add_setting(struct values *values, const char *option, const char *name,
	const char *value, char ret_text[SETTING_MAX], struct jm_error *reterr)
{
	struct jm_text_list *list = &values->engine_options;

	if (!value)
		return 0;
	if (strlen(value) >= JM_PATH_MAX || list->n == JM_TEXT_LIST_MAX)
		return jm_fail(
			reterr, JM_EUSAGE, "--%s '%.60s' cannot be taken", option, value);
	snprintf(ret_text, SETTING_MAX, "%s=%s", name, value);
	list->texts[list->n++] = ret_text;
	return 0;
}

static int run(int argc, char **argv)
{
	struct values values = {.result_dir = "results",
		.format = "table",
		.runs = 30000,
		.warmup = -1,
		.ready_s = (double)NAN,
		.optimization_level = -1,
		.seed = 1,
		.jitter_ms = (double)NAN,
		.idle_s = 10};
	char library[SETTING_MAX], tracing[SETTING_MAX];
	struct jm_arguments arguments;
	struct jm_error error;

	if (jm_options_parse(&jm_command_measure, argc, argv, &values, &arguments, &error) < 0)
		return jm_report_error(&error);
	if (arguments.help)
		return 0;
	if (jm_cli_load_plugins(&values.plugins, &error) < 0)
		return jm_report_error(&error);
	values.command = arguments.command;
	if (values.engine_help)
		return jm_cli_engine_help(values.engine_help, &error) < 0
			       ? jm_report_error(&error)
			       : 0;
	if (add_setting(&values, "ort-library", "library", values.ort_library, library,
		    &error) < 0 ||
		add_setting(&values, "trace", "tracing", values.trace, tracing, &error) < 0)
		return jm_report_error(&error);
	return measure_and_map(&values, &error) < 0 ? jm_report_error(&error) : 0;
}
