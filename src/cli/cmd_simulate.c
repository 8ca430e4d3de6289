/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "simulate/simulate.h"

struct values {
	const char *scenario;
	int list;
	struct jm_simulate_config config;
};

#define PLACE(field)                                                                           \
	(offsetof(struct values, config) + offsetof(struct jm_simulate_config, field))
#define COUNT(field, option, fallback, min, max, help)                                         \
	{option, JM_OPTION_COUNT, PLACE(field), "N", help " (" #fallback ")", min, max, NULL},
#define REAL(field, option, fallback, min, max, help)                                          \
	{option, JM_OPTION_REAL, PLACE(field), "X", help " (" #fallback ")", min, max, NULL},
#define CHOICE(field, option, choices, fallback, help)                                         \
	{option, JM_OPTION_CHOICE, PLACE(field), "WORD", help " (" fallback ")", 0, 0, choices},
static const struct jm_option options[] = {
	{"scenario", JM_OPTION_TEXT, offsetof(struct values, scenario), "NAME",
		"begin with these parameters, see --list", 0, 0, NULL},
	{"list", JM_OPTION_FLAG, offsetof(struct values, list), NULL, "show the scenarios", 0,
		0, NULL},
	JM_SIMULATE_PARAMETERS(COUNT, REAL, CHOICE){
		NULL, JM_OPTION_FLAG, 0, NULL, NULL, 0, 0, NULL},
};
#undef COUNT
#undef REAL
#undef CHOICE

static int run(int argc, char **argv);

const struct jm_command jm_command_simulate = {
	.name = "simulate",
	.summary = "make a run folder whose truth is known",
	.usage = "[OPTIONS] FOLDER",
	.text = "Makes up a network and a board and writes what a measurement of them would "
		"have\n"
		"left in FOLDER/network: power log, layer times, engine info. "
		"FOLDER/truth.json\n"
		"says what each layer really drew. It is there to test 'map' with, on cases "
		"that\n"
		"no real board lets one check. Everything made is marked SIMULATED. Defaults "
		"in\n"
		"brackets; options given win over those of the scenario.",
	.examples =
		"  joulemap simulate --list\n"
		"  joulemap simulate /tmp/easy && joulemap map /tmp/easy/network\n"
		"  joulemap simulate --scenario drift --layers 110 --seed 7 /tmp/drift\n"
		"  joulemap simulate --scenario rapl --round-ms 2 --cycles 5000 /tmp/counter",
	.options = options,
	.max_positional = 1,
	.run = run,
};

static int print_list(struct jm_error *reterr)
{
	for (const struct jm_simulate_scenario *s = jm_simulate_scenarios(); s->name; s++)
		printf("%-16s %s\n", s->name, s->summary);
	return jm_finish_stdout(reterr);
}

static int simulate(const struct values *values, const char *folder, struct jm_error *reterr)
{
	int result;

	if (values->list)
		return print_list(reterr);
	if (!folder)
		return jm_fail(reterr, JM_EUSAGE,
			"simulate needs a folder to write to: joulemap simulate [OPTIONS] "
			"FOLDER");
	result = jm_simulate_run(&values->config, folder, reterr);
	if (result < 0)
		return result;
	printf("%s/network\n", folder);
	jm_cli_note("SIMULATED: %lld cycles of %lld layers, scenario %s; what they drew is in "
		    "%s/truth.json",
		(long long)values->config.cycles, (long long)values->config.layers,
		values->config.scenario, folder);
	return jm_finish_stdout(reterr);
}

/* Twice over the options: the scenario first, wherever it stands. */
static int run(int argc, char **argv)
{
	struct values values = {.scenario = "ina3221-default"};
	const struct jm_command *command = &jm_command_simulate;
	struct jm_arguments arguments;
	struct jm_error error;

	if (jm_options_parse(command, argc, argv, &values, &arguments, &error) < 0)
		return jm_report_error(&error);
	if (arguments.help)
		return 0;
	if (jm_simulate_config_scenario(&values.config, values.scenario, &error) < 0 ||
		jm_options_parse(command, argc, argv, &values, &arguments, &error) < 0)
		return jm_report_error(&error);
	return simulate(&values, arguments.positional[0], &error) < 0 ? jm_report_error(&error)
								      : 0;
}
