/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One declarative table per command feeds the parser and --help. Values go
 * into the command's own struct, which holds the defaults beforehand.
 */
#ifndef JM_CLI_OPTIONS_H
#define JM_CLI_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "joulemap/engine.h"
#include "joulemap/joulemap.h"

enum jm_option_type {
	JM_OPTION_FLAG,   /* int, set to 1 */
	JM_OPTION_TEXT,   /* const char *, borrowed from argv */
	JM_OPTION_CHOICE, /* const char *, one of `choices` */
	JM_OPTION_COUNT,  /* int64_t within min..max */
	JM_OPTION_REAL,   /* double within min..max */
	JM_OPTION_SHAPE,  /* struct jm_shape: "1 3 224 224", "1,3,224,224", "1x3x224x224" */
	JM_OPTION_LIST    /* struct jm_text_list, one more each time it is given */
};

#define JM_TEXT_LIST_MAX 32

struct jm_text_list {
	const char *texts[JM_TEXT_LIST_MAX]; /* borrowed from argv */
	size_t n;
};

struct jm_shape {
	int64_t dims[JM_SHAPE_MAX];
	size_t n_dims;
};

struct jm_option {
	const char *name; /* without "--" */
	enum jm_option_type type;
	size_t offset;              /* of the value in the command's struct */
	const char *argument;       /* shown in help, NULL for flags */
	const char *help;           /* with the default; lines are broken at '\n' */
	double min, max;            /* of counts and reals */
	const char *const *choices; /* NULL-terminated */
};

#define JM_OPTIONS_POSITIONAL_MAX 1

struct jm_command {
	const char *name;
	const char *summary;             /* one line */
	const char *usage;               /* after "joulemap NAME " */
	const char *text;                /* what it does, a paragraph */
	const char *examples;            /* lines to copy */
	const struct jm_option *options; /* ends with name NULL */
	size_t max_positional;
	int takes_command;                 /* "-- COMMAND [ARGUMENTS]" may follow */
	int (*run)(int argc, char **argv); /* argv[0]: the command's name */
};

/* What is left after the options. */
struct jm_arguments {
	const char *positional[JM_OPTIONS_POSITIONAL_MAX];
	size_t n_positional;
	char **command; /* what follows "--", ends with NULL, borrowed; NULL: none */
	int help;       /* --help was given and printed */
};

/*
 * Parses argv[1..argc) into `values`. JM_EUSAGE with a message that names the
 * argument; with --help prints the help and sets ret_arguments->help.
 */
int jm_options_parse(const struct jm_command *command, int argc, char **argv, void *values,
	struct jm_arguments *ret_arguments, struct jm_error *reterr);

/* Prints one option in two columns; the help's lines end with '\n'. */
void jm_options_print(const char *left, const char *help);

/* Prints the help of one command on stdout. */
void jm_options_help(const struct jm_command *command);

#endif
