/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/chat.h"
#include "cli/commands.h"
#include "cli/output.h"

static const struct jm_command *const commands[] = {
	&jm_command_measure,
	&jm_command_idle,
	&jm_command_calibrate,
	&jm_command_map,
	&jm_command_recover,
	&jm_command_sensors,
	&jm_command_doctor,
	&jm_command_catalog,
	&jm_command_simulate,
};

#define VERSION_SUMMARY "version of the tool"
#define HELP_SUMMARY "this text, or 'joulemap help COMMAND'"

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_overview(void)
{
	printf("joulemap %s: which layer of a neural network burns the energy\n\n"
	       "usage: joulemap COMMAND [OPTIONS]\n\ncommands:\n",
		jm_version());
	for (size_t i = 0; i < N_COMMANDS; i++)
		printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
	printf("  %-10s %s\n", "version", VERSION_SUMMARY);
	printf("  %-10s %s\n\n", "help", HELP_SUMMARY);
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

static int fail_unknown(const char *name, struct jm_error *reterr)
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
		return jm_fail(reterr, JM_EUSAGE, "unknown command '%s', did you mean '%s'?",
			name, closest);
	return jm_fail(reterr, JM_EUSAGE, "unknown command '%s', see 'joulemap help'", name);
}

static int no_more_arguments(int argc, char **argv, int used, struct jm_error *reterr)
{
	if (argc <= used)
		return 0;
	return jm_fail(
		reterr, JM_EUSAGE, "unexpected argument '%s', see 'joulemap help'", argv[used]);
}

static int help(int argc, char **argv, struct jm_error *reterr)
{
	const char *name = argc > 2 ? argv[2] : NULL;
	const struct jm_command *command = name ? find_command(name) : NULL;
	int result = no_more_arguments(argc, argv, 3, reterr);

	if (result < 0)
		return result;
	if (command)
		jm_options_help(command);
	else if (!name)
		print_overview();
	else if (strcmp(name, "version") == 0)
		printf("joulemap version: %s\n\nusage: joulemap version\n", VERSION_SUMMARY);
	else if (strcmp(name, "help") == 0)
		printf("joulemap help: %s\n\nusage: joulemap help [COMMAND]\n", HELP_SUMMARY);
	else
		return fail_unknown(name, reterr);
	return jm_finish_stdout(reterr);
}

static int version(int argc, char **argv, struct jm_error *reterr)
{
	int result = no_more_arguments(argc, argv, 2, reterr);

	if (result < 0)
		return result;
	printf("joulemap %s\n", jm_version());
	return jm_finish_stdout(reterr);
}

static int dispatch(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "help";
	const struct jm_command *command = find_command(name);
	struct jm_error error = {0};
	int result;

	if (command)
		return command->run(argc - 1, argv + 1);
	if (!strcmp(name, "help") || !strcmp(name, "--help") || !strcmp(name, "-h"))
		result = help(argc, argv, &error);
	else if (!strcmp(name, "version") || !strcmp(name, "--version"))
		result = version(argc, argv, &error);
	else
		result = fail_unknown(name, &error);
	return result < 0 ? jm_report_error(&error) : 0;
}

/* A file of ours in the place of a closed one would get what is said there. */
static void fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd < STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

int main(int argc, char **argv)
{
	int status;

	fill_standard_descriptors();
	/* Whoever started us may have ignored it, which would take our children's ends away. */
	signal(SIGCHLD, SIG_DFL);
	status = dispatch(argc, argv);
	jm_chat_end();
	return status;
}
