/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The skeletons of examples/ obey what joulemap's own back ends obey. So can
 * any other plug-in: JM_TEST_PLUGIN=FILE.so is loaded too.
 */
#ifndef JM_TESTS_PLUGIN_UNIT_H
#define JM_TESTS_PLUGIN_UNIT_H

#include <stdlib.h>

#include "joulemap/joulemap.h"

static inline void plugin_unit_load(const char *path)
{
	struct jm_error error;

	if (jm_plugin_load(path, &error) < 0)
		fail_msg("%s", error.message);
}

/* cmocka group setup. */
static inline int plugin_unit_load_all(void **state)
{
	const char *other = getenv("JM_TEST_PLUGIN");

	(void)state;
	plugin_unit_load(JM_TEST_SENSOR_PLUGIN);
	plugin_unit_load(JM_TEST_ENGINE_PLUGIN);
	if (other && *other)
		plugin_unit_load(other);
	return 0;
}

#endif
