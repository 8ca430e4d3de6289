/* SPDX-License-Identifier: Apache-2.0 */
#include "workload/load_cuda.h"

#include <dlfcn.h>
#include <string.h>

#include "base/error.h"

int jm_cuda_open(struct jm_cuda *cuda, struct jm_error *reterr)
{
	static const char soname[] = "libcuda.so.1";

	memset(cuda, 0, sizeof(*cuda));
	cuda->library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
	if (!cuda->library)
		return jm_fail(reterr, JM_EUNSUPPORTED,
			"the GPU load needs NVIDIA's driver: %s; --load cpu loads the "
			"processor",
			dlerror());
#define X(member, symbol, parameters)                                                          \
	*(void **)(void *)&cuda->member = dlsym(cuda->library, symbol);                        \
	if (!cuda->member)                                                                     \
		return jm_fail(reterr, JM_EUNSUPPORTED,                                        \
			"%s lacks " symbol ": the driver is too old for the GPU load",         \
			soname);
	JM_CUDA_FUNCTIONS(X)
#undef X
	return 0;
}

void jm_cuda_close(struct jm_cuda *cuda)
{
	if (cuda->library)
		dlclose(cuda->library);
	cuda->library = NULL;
}

int jm_cuda_check(const struct jm_cuda *cuda, jm_cu_result code, const char *what,
	struct jm_error *reterr)
{
	const char *name = NULL;

	if (code == 0)
		return 0;
	if (cuda->error_name(code, &name) != 0 || !name)
		name = "unknown";
	return jm_fail(
		reterr, JM_EUNSUPPORTED, "GPU load: cannot %s: error %d, %s", what, code, name);
}
