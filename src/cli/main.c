/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "joulemap/joulemap.h"

int main(void)
{
	printf("joulemap %s\n", jm_version());
	return 0;
}
