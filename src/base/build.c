/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/error.h"

int jm_build_check(const char *what, const char *header, struct jm_build there,
	struct jm_build here, struct jm_error *reterr)
{
	if (there.abi != here.abi)
		return jm_fail(reterr, JM_EUNSUPPORTED,
			"%s was built with version %u of joulemap/%s, here it is %u: rebuild "
			"it "
			"against the headers of joulemap %s",
			what, there.abi, header, here.abi, jm_version());
	if (there.size != here.size)
		return jm_fail(reterr, JM_EUNSUPPORTED,
			"%s has a struct of %u bytes where joulemap/%s says %u: set its size "
			"by "
			"sizeof, and rebuild it against the headers of joulemap %s",
			what, there.size, header, here.size, jm_version());
	return 0;
}
