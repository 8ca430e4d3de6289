/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in for libcuda.so.1, for trying the GPU's load where there is none:
 * memory is the host's, kernels are threads, and the GPU's clock is the host's,
 * shifted and 200 ppm fast. $FAKE_CUDA names a function that fails.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OUT __attribute__((visibility("default")))
#define BLOCKS_SM 3
#define CHECK(name)                                                                            \
	do {                                                                                   \
		const char *bad = getenv("FAKE_CUDA");                                         \
		if (bad && strcmp(bad, name) == 0)                                             \
			return 999;                                                            \
	} while (0)

static pthread_t thread; /* of the kernel that runs */
static int running;

static uint64_t host_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t device_ns(void)
{
	uint64_t now = host_ns();

	return UINT64_C(1700000000000000000) + now + now / 5000;
}

struct kernel {
	int clock;
	uint64_t pointer;
	uint64_t argument;
};

static void burn(const struct kernel *kernel)
{
	uint64_t *stamps = (uint64_t *)(uintptr_t)kernel->pointer, begin = device_ns(), now;

	do
		now = device_ns();
	while (now - begin < kernel->argument);
	if (begin < stamps[0])
		stamps[0] = begin;
	if (now > stamps[1])
		stamps[1] = now;
}

static void answer(const struct kernel *kernel)
{
	char *box = (char *)(uintptr_t)kernel->pointer;
	uint64_t begin = host_ns();

	for (uint32_t i = 1; i <= (uint32_t)kernel->argument; i++) {
		while (__atomic_load_n((uint32_t *)(void *)box, __ATOMIC_SEQ_CST) < i)
			if (host_ns() - begin > 200000000)
				return;
		*(uint64_t *)(void *)(box + 16) = device_ns();
		__atomic_store_n((uint32_t *)(void *)(box + 8), i, __ATOMIC_SEQ_CST);
	}
}

static void *run(void *context)
{
	struct kernel *kernel = context;

	if (kernel->clock)
		answer(kernel);
	else
		burn(kernel);
	free(kernel);
	return NULL;
}

OUT int cuInit(unsigned flags)
{
	CHECK("cuInit");
	return (int)flags;
}

OUT int cuDeviceGetCount(int *n)
{
	*n = 2;
	return 0;
}

OUT int cuDeviceGet(int *device, int index)
{
	*device = index;
	return index < 2 ? 0 : 101;
}

OUT int cuDeviceGetByPCIBusId(int *device, const char *address)
{
	*device = 1;
	return strcmp(address, "0000:01:00.0") == 0 ? 0 : 101;
}

OUT int cuDeviceGetUuid(unsigned char *uuid, int device)
{
	memset(uuid, device ? 0xab : 0x12, 16);
	return 0;
}

OUT int cuDeviceGetName(char *name, int size, int device)
{
	strncpy(name, device ? "Fake GPU 1" : "Fake GPU 0", (size_t)size);
	return 0;
}

OUT int cuDeviceGetAttribute(int *value, int attribute, int device)
{
	(void)device;
	*value = attribute == 16 ? BLOCKS_SM : 2048;
	return 0;
}

OUT int cuDevicePrimaryCtxRetain(void **context, int device)
{
	CHECK("cuDevicePrimaryCtxRetain");
	*context = (void *)(uintptr_t)(device + 1);
	return 0;
}

OUT int cuDevicePrimaryCtxRelease_v2(int device)
{
	(void)device;
	return 0;
}

OUT int cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags)
{
	(void)device;
	return flags == 12 ? 0 : 1;
}

OUT int cuCtxSetCurrent(void *context)
{
	return context ? 0 : 1;
}

OUT int cuModuleLoadDataEx(
	void **module, const void *image, unsigned n, int *options, void **values)
{
	const char *bad = getenv("FAKE_CUDA");

	if (bad && strcmp(bad, "cuModuleLoadDataEx") == 0) {
		if (n == 2 && options[0] == 5)
			strcpy(values[0], "ptxas: fake trouble\nmore");
		return 218;
	}
	*module = (void *)(uintptr_t)image;
	return 0;
}

OUT int cuModuleGetFunction(void **function, void *module, const char *name)
{
	*function = strstr(module, name) ? (void *)(uintptr_t)(strcmp(name, "jm_clock") ? 1 : 2)
					 : NULL;
	return *function ? 0 : 500;
}

OUT int cuMemAlloc_v2(uint64_t *pointer, size_t size)
{
	*pointer = (uint64_t)(uintptr_t)calloc(1, size);
	return 0;
}

OUT int cuMemHostAlloc(void **pointer, size_t size, unsigned flags)
{
	*pointer = calloc(1, size);
	return flags == 2 ? 0 : 1;
}

OUT int cuMemHostGetDevicePointer_v2(uint64_t *pointer, void *host, unsigned flags)
{
	*pointer = (uint64_t)(uintptr_t)host;
	return (int)flags;
}

OUT int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t size)
{
	memcpy(to, (void *)(uintptr_t)from, size);
	return 0;
}

OUT int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t size)
{
	memcpy((void *)(uintptr_t)to, from, size);
	return 0;
}

OUT int cuCtxSynchronize(void)
{
	if (running)
		pthread_join(thread, NULL);
	running = 0;
	return 0;
}

OUT int cuLaunchKernel(void *function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
	unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared, void *stream,
	void **parameters, void **extra)
{
	struct kernel *kernel = calloc(1, sizeof(*kernel));

	CHECK("cuLaunchKernel");
	kernel->clock = function == (void *)2;
	kernel->pointer = *(uint64_t *)parameters[0];
	kernel->argument =
		kernel->clock ? *(uint32_t *)parameters[1] : *(uint64_t *)parameters[1];
	if (grid_y * grid_z * block_y * block_z != 1 || shared || stream || extra || running ||
		grid_x * block_x != (kernel->clock ? 1 : BLOCKS_SM * 2048))
		return 1;
	running = pthread_create(&thread, NULL, run, kernel) == 0;
	return !running;
}

OUT int cuGetErrorName(int code, const char **name)
{
	*name = code == 999 ? "CUDA_ERROR_UNKNOWN" : "CUDA_ERROR_FAKE";
	return 0;
}
