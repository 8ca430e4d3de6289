/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JM_CLI_PRINT_MAP_H
#define JM_CLI_PRINT_MAP_H

#include "map/map.h"

/* Maps and prints the result on stdout as `format` ("table", "json", "csv"). */
int jm_cli_map(const struct jm_map_config *config, const char *format, struct jm_error *reterr);

#endif
