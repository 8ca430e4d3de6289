/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/engine_help.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/options.h"
#include "cli/output.h"
#include "engines/registry.h"

static int fail_unknown(const char *name, struct jm_error *reterr)
{
	size_t n;
	const struct jm_engine_ops *const *all = jm_engines(&n);
	char list[256] = "";

	for (size_t i = 0; i < n; i++) {
		size_t used = strlen(list);

		snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", all[i]->name);
	}
	return jm_fail(reterr, JM_EUSAGE, "there is no engine '%s'; there are: %s", name, list);
}

int jm_cli_engine_help(const char *name, struct jm_error *reterr)
{
	const struct jm_engine_ops *ops = jm_engine_find(name);
	char left[2 * JM_NAME_MAX];

	if (!ops)
		return fail_unknown(name, reterr);
	printf("engine %s: %s\n", ops->name, ops->summary);
	if (ops->n_options)
		printf("\nown options, --engine-option NAME=VALUE:\n");
	else
		printf("\nIt has no options of its own.\n");
	for (size_t i = 0; i < ops->n_options; i++) {
		snprintf(left, sizeof(left), "  %s=%s", ops->options[i].name,
			ops->options[i].argument);
		jm_options_print(left, ops->options[i].help);
	}
	return jm_finish_stdout(reterr);
}
