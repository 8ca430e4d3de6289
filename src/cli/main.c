/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/commands.h"

const char *const jm_format_choices[] = {"table", "json", "csv", NULL};

static const struct jm_command *const commands[] = {
	&jm_command_measure,
	&jm_command_idle,
	&jm_command_map,
	&jm_command_recover,
	&jm_command_sensors,
	&jm_command_doctor,
	&jm_command_catalog,
	&jm_command_simulate,
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

int jm_report_error(const struct jm_error *error)
{
	fprintf(stderr, "joulemap: %s\n", error->message);
	return jm_code_exit_status(error->code);
}

void jm_note(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

int jm_finish_stdout(struct jm_error *reterr)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return jm_fail_errno(reterr, errno, "cannot write the output");
	return 0;
}

static void print_overview(void)
{
	printf("joulemap %s: which layer of a neural network burns the energy\n\n"
	       "usage: joulemap COMMAND [OPTIONS]\n\ncommands:\n",
		jm_version());
	for (size_t i = 0; i < N_COMMANDS; i++)
		printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
	printf("  %-10s %s\n", "version", "version of the tool");
	printf("  %-10s %s\n\n", "help", "this text, or 'joulemap help COMMAND'");
	printf("first steps:\n"
	       "  joulemap doctor                  what this machine can measure\n"
	       "  joulemap measure                 mobilenet_v2 on the best sensor here\n"
	       "  joulemap measure --sensor sim    the same on a virtual board (SIMULATED)\n\n"
	       "exit status: 0 ok, 1 failure, 2 usage, 3 no sensor or no permission,\n"
	       "4 measured but not resolved\n");
}

static const struct jm_command *find_command(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static int fail_unknown(const char *name)
{
	const char *closest = NULL;
	size_t least = 3;

	for (size_t i = 0; i < N_COMMANDS; i++) {
		size_t distance = jm_text_distance(commands[i]->name, name);

		if (distance < least) {
			least = distance;
			closest = commands[i]->name;
		}
	}
	if (closest)
		fprintf(stderr, "joulemap: unknown command '%s', did you mean '%s'?\n", name,
			closest);
	else
		fprintf(stderr, "joulemap: unknown command '%s', see 'joulemap help'\n", name);
	return 2;
}

static int help(const char *name)
{
	const struct jm_command *command;

	if (!name) {
		print_overview();
		return 0;
	}
	command = find_command(name);
	if (!command)
		return fail_unknown(name);
	jm_options_help(command);
	return 0;
}

int main(int argc, char **argv)
{
	const struct jm_command *command;
	const char *name = argc > 1 ? argv[1] : "help";

	if (!strcmp(name, "help") || !strcmp(name, "--help") || !strcmp(name, "-h"))
		return help(argc > 2 ? argv[2] : NULL);
	if (!strcmp(name, "version") || !strcmp(name, "--version")) {
		printf("joulemap %s\n", jm_version());
		return 0;
	}
	command = find_command(name);
	if (!command)
		return fail_unknown(name);
	return command->run(argc - 1, argv + 1);
}
