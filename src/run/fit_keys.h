/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of fit.json, for its reader and its writer. */
#ifndef JM_RUN_FIT_KEYS_H
#define JM_RUN_FIT_KEYS_H

#include "base/json_keys.h"

/* Of struct jm_fit_file without its layers; of one jm_fit_of_rail. */
extern const struct jm_keys jm_fit_file_keys, jm_fit_of_rail_keys;

#endif
