/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "catalog/catalog.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "formats/csv.h"
#include "report/text.h"

#define SHAPE_MAX 192

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
	.text = "Lists the networks that 'measure --model NAME' knows. They are "
		"architectures:\n"
		"their weights are random numbers of the right size, made when one is loaded.",
	.examples = "  joulemap catalog\n"
		    "  joulemap catalog --format csv",
	.options = options,
	.run = run,
};

/* "1x3x224x224" */
static void format_shape(const struct jm_catalog_entry *entry, char *ret_text, size_t size)
{
	size_t used = 0;

	ret_text[0] = '\0';
	for (size_t i = 0; i < entry->n_dims && used < size; i++)
		used += (size_t)snprintf(ret_text + used, size - used, "%s%lld", i ? "x" : "",
			(long long)entry->dims[i]);
}

/* "Nx3xHxW": free dimensions by their symbol; "": all are fixed. */
static void format_symbols(const struct jm_catalog_entry *entry, char *ret_text, size_t size)
{
	size_t used = 0;
	int any = 0;

	for (size_t i = 0; i < entry->n_dims && used < size; i++) {
		char dim[24];

		snprintf(dim, sizeof(dim), "%lld", (long long)entry->dims[i]);
		any |= entry->symbols[i][0] != '\0';
		used += (size_t)snprintf(ret_text + used, size - used, "%s%s", i ? "x" : "",
			entry->symbols[i][0] ? entry->symbols[i] : dim);
	}
	if (!any)
		ret_text[0] = '\0';
}

static void print_table(const struct jm_catalog_entry *entries, int n)
{
	printf("%-20s %12s %12s  %s\n", "network", "parameters M", "MACs M", "input");
	for (int i = 0; i < n; i++) {
		char shape[SHAPE_MAX], symbols[SHAPE_MAX];

		format_shape(&entries[i], shape, sizeof(shape));
		format_symbols(&entries[i], symbols, sizeof(symbols));
		jm_text_print_padded(stdout, entries[i].name, 20);
		printf(" %12.3f %12.3f  ", (double)entries[i].parameters * 1e-6,
			(double)entries[i].macs * 1e-6);
		jm_text_print(stdout, symbols);
		printf(symbols[0] ? " (%s)\n" : "%s\n", shape);
	}
}

static void print_csv(const struct jm_catalog_entry *entries, int n)
{
	puts("network,parameters,macs,input");
	for (int i = 0; i < n; i++) {
		char shape[SHAPE_MAX];

		format_shape(&entries[i], shape, sizeof(shape));
		jm_csv_print(stdout, entries[i].name);
		printf(",%llu,%llu,%s\n", (unsigned long long)entries[i].parameters,
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
		json_array_append_new(
			list, json_pack("{s:o, s:I, s:I, s:o}", "network",
				      jm_json_text(entries[i].name), "parameters",
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
