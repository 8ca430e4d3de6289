/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/output.h"

#define HELP_COLUMN 30

static const struct jm_option *find_option(
	const struct jm_command *command, const char *name, size_t length)
{
	for (const struct jm_option *o = command->options; o->name; o++)
		if (strlen(o->name) == length && strncmp(o->name, name, length) == 0)
			return o;
	return NULL;
}

static int fail_unknown(
	const struct jm_command *command, const char *argument, struct jm_error *reterr)
{
	const char *closest = NULL;
	size_t least = 4;

	for (const struct jm_option *o = command->options; o->name; o++) {
		size_t distance = jm_text_distance(o->name, argument + 2);

		if (distance < least) {
			least = distance;
			closest = o->name;
		}
	}
	if (closest)
		return jm_fail(reterr, JM_EUSAGE, "unknown option '%s', did you mean '--%s'?",
			argument, closest);
	return jm_fail(reterr, JM_EUSAGE, "unknown option '%s', see 'joulemap %s --help'",
		argument, command->name);
}

static int parse_count(const struct jm_option *option, const char *text, int64_t *ret_value,
	struct jm_error *reterr)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (end == text || *end)
		return jm_fail(reterr, JM_EUSAGE, "--%s needs a whole number, got '%s'",
			option->name, text);
	if (errno || (double)value < option->min || (double)value > option->max)
		return jm_fail(reterr, JM_EUSAGE, "--%s must be %.0f to %.0f, got '%s'",
			option->name, option->min, option->max, text);
	*ret_value = value;
	return 0;
}

static int parse_real(const struct jm_option *option, const char *text, double *ret_value,
	struct jm_error *reterr)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !isfinite(value))
		return jm_fail(
			reterr, JM_EUSAGE, "--%s needs a number, got '%s'", option->name, text);
	if (value < option->min || value > option->max)
		return jm_fail(reterr, JM_EUSAGE, "--%s must be %g to %g, got '%s'",
			option->name, option->min, option->max, text);
	*ret_value = value;
	return 0;
}

static int parse_choice(const struct jm_option *option, const char *text,
	const char **ret_value, struct jm_error *reterr)
{
	char list[256] = "";

	for (size_t i = 0; option->choices[i]; i++) {
		size_t used = strlen(list);

		if (strcmp(option->choices[i], text) == 0) {
			*ret_value = option->choices[i];
			return 0;
		}
		snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "",
			option->choices[i]);
	}
	return jm_fail(reterr, JM_EUSAGE, "--%s must be one of %s, got '%s'", option->name,
		list, text);
}

/* Adds the dimensions of one word: "1", "1,3,224,224" or "1x3x224x224". */
static int parse_dims(const struct jm_option *option, const char *text, struct jm_shape *shape,
	struct jm_error *reterr)
{
	const char *at = text;

	for (;;) {
		char *end;
		long long value;

		errno = 0;
		value = strtoll(at, &end, 10);
		if (end == at || errno || value < 1 || value > 1000000000)
			return jm_fail(reterr, JM_EUSAGE,
				"--%s needs positive dimensions such as 1 3 224 224, got '%s'",
				option->name, text);
		if (shape->n_dims == JM_SHAPE_MAX)
			return jm_fail(reterr, JM_EUSAGE, "--%s takes at most %d dimensions",
				option->name, JM_SHAPE_MAX);
		shape->dims[shape->n_dims++] = value;
		if (!*end)
			return 0;
		if (*end != ',' && *end != 'x')
			return jm_fail(reterr, JM_EUSAGE,
				"--%s needs dimensions such as 1 3 224 224, got '%s'",
				option->name, text);
		at = end + 1;
	}
}

/* The original takes the shape as several words: all that begin with a digit. */
static int parse_shape(const struct jm_option *option, const char *first, int argc, char **argv,
	int *index, struct jm_shape *ret_shape, struct jm_error *reterr)
{
	int result;

	ret_shape->n_dims = 0;
	result = parse_dims(option, first, ret_shape, reterr);
	while (result == 0 && *index + 1 < argc && argv[*index + 1][0] >= '0' &&
		argv[*index + 1][0] <= '9')
		result = parse_dims(option, argv[++*index], ret_shape, reterr);
	return result;
}

static int add_text(const struct jm_option *option, const char *text, struct jm_text_list *list,
	struct jm_error *reterr)
{
	if (!*text)
		return jm_fail(reterr, JM_EUSAGE, "--%s needs a value that is not empty",
			option->name);
	if (list->n == JM_TEXT_LIST_MAX)
		return jm_fail(reterr, JM_EUSAGE, "--%s can be given at most %d times",
			option->name, JM_TEXT_LIST_MAX);
	list->texts[list->n++] = text;
	return 0;
}

static int store(const struct jm_option *option, const char *text, int argc, char **argv,
	int *index, void *values, struct jm_error *reterr)
{
	void *slot = (char *)values + option->offset;

	switch (option->type) {
	case JM_OPTION_TEXT:
		if (!*text)
			return jm_fail(reterr, JM_EUSAGE,
				"--%s needs a value that is not empty", option->name);
		*(const char **)slot = text;
		return 0;
	case JM_OPTION_CHOICE:
		return parse_choice(option, text, slot, reterr);
	case JM_OPTION_COUNT:
		return parse_count(option, text, slot, reterr);
	case JM_OPTION_REAL:
		return parse_real(option, text, slot, reterr);
	case JM_OPTION_SHAPE:
		return parse_shape(option, text, argc, argv, index, slot, reterr);
	case JM_OPTION_LIST:
		return add_text(option, text, slot, reterr);
	case JM_OPTION_FLAG:
		break;
	}
	return jm_fail(reterr, JM_EUSAGE, "--%s takes no value", option->name);
}

static int parse_option(const struct jm_command *command, int argc, char **argv, int *index,
	void *values, struct jm_error *reterr)
{
	const char *argument = argv[*index];
	const char *equals = strchr(argument, '=');
	size_t length = equals ? (size_t)(equals - argument) - 2 : strlen(argument) - 2;
	const struct jm_option *option = find_option(command, argument + 2, length);

	if (!option)
		return fail_unknown(command, argument, reterr);
	if (option->type == JM_OPTION_FLAG && !equals) {
		*(int *)(void *)((char *)values + option->offset) = 1;
		return 0;
	}
	if (equals)
		return store(option, equals + 1, argc, argv, index, values, reterr);
	if (*index + 1 >= argc)
		return jm_fail(reterr, JM_EUSAGE, "--%s needs a value: --%s %s", option->name,
			option->name, option->argument);
	return store(option, argv[++*index], argc, argv, index, values, reterr);
}

/* argv[argc] is NULL, as C has it: what is left is a vector of its own. */
static int take_command(const struct jm_command *command, int argc, char **argv, int first,
	struct jm_arguments *ret_arguments, struct jm_error *reterr)
{
	if (first >= argc || !*argv[first])
		return jm_fail(reterr, JM_EUSAGE,
			"'--' needs a command behind it, see 'joulemap %s --help'",
			command->name);
	ret_arguments->command = argv + first;
	return 0;
}

int jm_options_parse(const struct jm_command *command, int argc, char **argv, void *values,
	struct jm_arguments *ret_arguments, struct jm_error *reterr)
{
	int options_end = 0;

	memset(ret_arguments, 0, sizeof(*ret_arguments));
	for (int i = 1; i < argc; i++) {
		int result;

		if (!options_end && strcmp(argv[i], "--") == 0 && command->takes_command)
			return take_command(command, argc, argv, i + 1, ret_arguments, reterr);
		if (!options_end && strcmp(argv[i], "--") == 0) {
			options_end = 1;
			continue;
		}
		if (!options_end && (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))) {
			jm_options_help(command);
			ret_arguments->help = 1;
			return jm_finish_stdout(reterr);
		}
		if (!options_end && argv[i][0] == '-' && argv[i][1]) {
			if (argv[i][1] != '-')
				return jm_fail(reterr, JM_EUSAGE,
					"unknown option '%s', options begin with '--'",
					argv[i]);
			result = parse_option(command, argc, argv, &i, values, reterr);
			if (result < 0)
				return result;
			continue;
		}
		if (ret_arguments->n_positional == command->max_positional)
			return jm_fail(reterr, JM_EUSAGE,
				"unexpected argument '%s', see 'joulemap %s --help'", argv[i],
				command->name);
		ret_arguments->positional[ret_arguments->n_positional++] = argv[i];
	}
	return 0;
}

void jm_options_print(const char *left, const char *help)
{
	int used = printf("%s", left);

	if (used >= HELP_COLUMN) {
		putchar('\n');
		used = 0;
	}
	printf("%*s", HELP_COLUMN - used, "");
	for (const char *c = help; *c; c++) {
		putchar(*c);
		if (*c == '\n')
			printf("%*s", HELP_COLUMN, "");
	}
	putchar('\n');
}

static void print_option(const struct jm_option *option)
{
	char left[128];

	snprintf(left, sizeof(left), "  --%s%s%s", option->name, option->argument ? " " : "",
		option->argument ? option->argument : "");
	jm_options_print(left, option->help);
}

void jm_options_help(const struct jm_command *command)
{
	printf("joulemap %s: %s\n\nusage: joulemap %s %s\n\n%s\n", command->name,
		command->summary, command->name, command->usage, command->text);
	printf("\noptions:\n");
	for (const struct jm_option *o = command->options; o->name; o++)
		print_option(o);
	printf("  --help%*sthis text\n", HELP_COLUMN - 8, "");
	if (command->examples)
		printf("\nexamples:\n%s\n", command->examples);
}
