/* SPDX-License-Identifier: Apache-2.0 */
#include "joulemap/joulemap.h"

const char *jm_version(void)
{
	return JM_VERSION;
}
