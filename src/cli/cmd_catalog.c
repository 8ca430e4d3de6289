/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/commands.h"
#include "engines/catalog/catalog.h"

struct values {
	const char *format;
	const char *folder;
};

static const struct jm_option options[] = {
	{"format", JM_OPTION_CHOICE, offsetof(struct values, format), "FORMAT",
		"table (default), json or csv", 0, 0, jm_format_choices},
	{"catalog-dir", JM_OPTION_TEXT, offsetof(struct values, folder), "DIR",
		"folder of the networks (default: the one installed)", 0, 0, NULL},
	{NULL, JM_OPTION_FLAG, 0, NULL, NULL, 0, 0, NULL},
};

static int run(int argc, char **argv);

const struct jm_command jm_command_catalog = {
	.name = "catalog",
	.summary = "networks that come with joulemap",
	.usage = "[OPTIONS]",
	.text = "Lists the networks that 'measure --model NAME' knows. They are architectures:\n"
		"their weights are random numbers of the right size, made when one is loaded.",
	.examples = "  joulemap catalog\n"
		    "  joulemap catalog --format csv",
	.options = options,
	.run = run,
};

/* "1x3x224x224"; a dimension that may be another is shown by its symbol too. */
static void format_shape(const struct jm_catalog_entry *entry, char *ret_text, size_t size)
{
	size_t used = 0;

	ret_text[0] = '\0';
	for (size_t i = 0; i < entry->n_dims && used < size; i++)
		used += (size_t)snprintf(ret_text + used, size - used, "%s%lld", i ? "x" : "",
			(long long)entry->dims[i]);
}

static void print_table(const struct jm_catalog_entry *entries, int n)
{
	printf("%-20s %12s %12s  %-14s\n", "network", "parameters M", "MACs M", "input");
	for (int i = 0; i < n; i++) {
		char shape[64];

		format_shape(&entries[i], shape, sizeof(shape));
		printf("%-20s %12.3f %12.3f  %-14s\n", entries[i].name,
			(double)entries[i].parameters * 1e-6, (double)entries[i].macs * 1e-6, shape);
	}
}

static void print_csv(const struct jm_catalog_entry *entries, int n)
{
	puts("network,parameters,macs,input");
	for (int i = 0; i < n; i++) {
		char shape[64];

		format_shape(&entries[i], shape, sizeof(shape));
		printf("%s,%llu,%llu,%s\n", entries[i].name,
			(unsigned long long)entries[i].parameters,
			(unsigned long long)entries[i].macs, shape);
	}
}

static int print_json(const struct jm_catalog_entry *entries, int n, struct jm_error *reterr)
{
	json_t *list = json_array();

	for (int i = 0; list && i < n; i++) {
		json_t *shape = json_array();

		for (size_t j = 0; j < entries[i].n_dims; j++)
			json_array_append_new(shape, json_integer(entries[i].dims[j]));
		json_array_append_new(list,
			json_pack("{s:s, s:I, s:I, s:o}", "network", entries[i].name, "parameters",
				(json_int_t)entries[i].parameters, "macs",
				(json_int_t)entries[i].macs, "input", shape));
	}
	if (!list)
		return jm_fail_memory(reterr, "the list of networks");
	json_dumpf(list, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(list);
	return 0;
}

static int list(const struct values *values, struct jm_error *reterr)
{
	char folder[JM_PATH_MAX];
	struct jm_catalog_entry *entries = NULL;
	int n = jm_catalog_folder(values->folder, folder, reterr);

	if (n < 0)
		return n;
	n = jm_catalog_list(folder, &entries, reterr);
	if (n < 0)
		return n;
	if (strcmp(values->format, "json") == 0)
		n = print_json(entries, n, reterr);
	else if (strcmp(values->format, "csv") == 0)
		print_csv(entries, n);
	else
		print_table(entries, n);
	free(entries);
	return n < 0 ? n : jm_finish_stdout(reterr);
}

static int run(int argc, char **argv)
{
	struct values values = {.format = "table"};
	struct jm_arguments arguments;
	struct jm_error error;

	if (jm_options_parse(&jm_command_catalog, argc, argv, &values, &arguments, &error) < 0)
		return jm_report_error(&error);
	if (arguments.help)
		return 0;
	return list(&values, &error) < 0 ? jm_report_error(&error) : 0;
}
