/* SPDX-License-Identifier: Apache-2.0 */
/* --engine-help ENGINE. */
#ifndef JM_CLI_ENGINE_HELP_H
#define JM_CLI_ENGINE_HELP_H

#include "joulemap/joulemap.h"

/* Prints the own options of one engine; JM_EUSAGE lists the engines there are. */
int jm_cli_engine_help(const char *name, struct jm_error *reterr);

#endif
