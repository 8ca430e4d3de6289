/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much of the CUDA driver API as the GPU's load needs, by dlopen of
 * libcuda.so.1: names, types and values as NVIDIA documents them ("CUDA
 * Driver API"); no CUDA is needed to build.
 */
#ifndef JM_WORKLOAD_LOAD_CUDA_H
#define JM_WORKLOAD_LOAD_CUDA_H

#include <stddef.h>
#include <stdint.h>

#include "joulemap/joulemap.h"

typedef int jm_cu_result; /* 0: CUDA_SUCCESS */
typedef int jm_cu_device;
typedef uint64_t jm_cu_pointer;

struct jm_cu_uuid {
	unsigned char bytes[16];
};

enum {
	JM_CU_MULTIPROCESSORS = 16,
	JM_CU_THREADS_PER_MULTIPROCESSOR = 39,
	JM_CU_SCHEDULE_BLOCKING = 4, /* CU_CTX_SCHED_BLOCKING_SYNC */
	JM_CU_MAP_HOST = 8,          /* CU_CTX_MAP_HOST */
	JM_CU_HOST_MAPPED = 2,       /* CU_MEMHOSTALLOC_DEVICEMAP */
	JM_CU_JIT_LOG = 5,           /* CU_JIT_ERROR_LOG_BUFFER */
	JM_CU_JIT_LOG_BYTES = 6
};

/* X(member, symbol, parameters) */
#define JM_CUDA_FUNCTIONS(X)                                                                   \
	X(init, "cuInit", (unsigned flags))                                                    \
	X(device_count, "cuDeviceGetCount", (int *ret_count))                                  \
	X(device_get, "cuDeviceGet", (jm_cu_device * ret_device, int index))                   \
	X(device_by_address, "cuDeviceGetByPCIBusId",                                          \
		(jm_cu_device * ret_device, const char *address))                              \
	X(device_uuid, "cuDeviceGetUuid", (struct jm_cu_uuid * ret_uuid, jm_cu_device device)) \
	X(device_name, "cuDeviceGetName", (char *ret_name, int size, jm_cu_device device))     \
	X(device_attribute, "cuDeviceGetAttribute",                                            \
		(int *ret_value, int attribute, jm_cu_device device))                          \
	X(context_retain, "cuDevicePrimaryCtxRetain",                                          \
		(void **ret_context, jm_cu_device device))                                     \
	X(context_release, "cuDevicePrimaryCtxRelease_v2", (jm_cu_device device))              \
	X(context_flags, "cuDevicePrimaryCtxSetFlags_v2",                                      \
		(jm_cu_device device, unsigned flags))                                         \
	X(context_set, "cuCtxSetCurrent", (void *context))                                     \
	X(synchronize, "cuCtxSynchronize", (void))                                             \
	X(module_load, "cuModuleLoadDataEx",                                                   \
		(void **ret_module, const void *image, unsigned n_options, int *options,       \
			void **values))                                                        \
	X(function_get, "cuModuleGetFunction",                                                 \
		(void **ret_function, void *module, const char *name))                         \
	X(memory_new, "cuMemAlloc_v2", (jm_cu_pointer * ret_pointer, size_t size))             \
	X(host_new, "cuMemHostAlloc", (void **ret_pointer, size_t size, unsigned flags))       \
	X(host_device, "cuMemHostGetDevicePointer_v2",                                         \
		(jm_cu_pointer * ret_pointer, void *host, unsigned flags))                     \
	X(copy_to_host, "cuMemcpyDtoH_v2", (void *to, jm_cu_pointer from, size_t size))        \
	X(copy_to_device, "cuMemcpyHtoD_v2",                                                   \
		(jm_cu_pointer to, const void *from, size_t size))                             \
	X(launch, "cuLaunchKernel",                                                            \
		(void *function, unsigned grid_x, unsigned grid_y, unsigned grid_z,            \
			unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared, \
			void *stream, void **parameters, void **extra))                        \
	X(error_name, "cuGetErrorName", (jm_cu_result code, const char **ret_name))

struct jm_cuda {
	void *library;
#define X(member, symbol, parameters) jm_cu_result(*member) parameters;
	JM_CUDA_FUNCTIONS(X)
#undef X
};

/* JM_EUNSUPPORTED where there is no driver, or one that lacks a function. */
int jm_cuda_open(struct jm_cuda *cuda, struct jm_error *reterr);

/* Accepts a zeroed one. */
void jm_cuda_close(struct jm_cuda *cuda);

/* 0 for CUDA_SUCCESS; else JM_EUNSUPPORTED, "cannot WHAT: CUDA_ERROR_...". */
int jm_cuda_check(const struct jm_cuda *cuda, jm_cu_result code, const char *what,
	struct jm_error *reterr);

/*
 * The kernels, as PTX that every driver translates for its own GPU:
 *
 * jm_burn(u64 *stamps, u64 duration_ns): every thread computes for the duration
 * from its own begin on. stamps[0] becomes the earliest begin of a block,
 * stamps[1] the latest end, on the GPU's own clock; stamps[2] is scratch.
 *
 * jm_clock(box, u32 rounds): one thread that answers the host, for reading both
 * clocks: waits until the host has counted the u32 at box up to its own count,
 * puts its clock at box + 16 and the count at box + 8. Gives up after 0.2 s.
 */
extern const char jm_load_ptx[];

#endif
