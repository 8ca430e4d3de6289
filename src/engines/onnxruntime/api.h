/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ONNX Runtime's C interface by table index. The table only ever grows at its
 * end, so no header of the runtime is needed and one build drives every
 * version from 1.17 on. Every index was proven by a call whose answer is known.
 *
 * Use: jm_ort_create_env_fn(ort)(level, id, &env). Functions that return a
 * struct OrtStatus * give NULL when all is well; see status.h.
 */
#ifndef JM_ENGINES_ONNXRUNTIME_API_H
#define JM_ENGINES_ONNXRUNTIME_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Newest table asked for, the oldest that will do, and what came when. */
#define JM_ORT_API_WANTED 26
#define JM_ORT_API_OLDEST 17
#define JM_ORT_API_TEXT_APART 23 /* saves models that hold text with weights apart */
#define JM_ORT_API_GRAPH 23      /* an execution provider sees the graph */
#define JM_ORT_API_CALLBACKS 25  /* and is called before and after nodes */

struct OrtStatus;
struct OrtEnv;
struct OrtSession;
struct OrtSessionOptions;
struct OrtRunOptions;
struct OrtValue;
struct OrtAllocator;
struct OrtMemoryInfo;
struct OrtTypeInfo;
struct OrtTensorTypeAndShapeInfo;
struct OrtValueInfo;
struct OrtGraph;
struct OrtNode;
struct OrtOpAttr;
struct OrtHardwareDevice;
struct OrtEpDevice;
struct OrtCustomOpDomain;
struct OrtKernelContext;
struct OrtKeyValuePairs;
struct OrtProfilingEvent;
struct OrtProfilingEventsContainer;

typedef void jm_ort_slot(void);

/* What the library's only symbol, OrtGetApiBase, returns. */
struct jm_ort_base {
	jm_ort_slot *const *(*get_api)(uint32_t version);
	const char *(*get_version)(void);
};

/* A loaded runtime. */
struct jm_ort {
	void *handle; /* of dlopen */
	const struct jm_ort_base *base;
	jm_ort_slot *const *api;
	jm_ort_slot *const *ep_api; /* NULL before 1.22 */
	uint32_t api_version;
	char version[32];
	char path[256];
};

typedef void jm_ort_log_fn(void *context, int severity, const char *category, const char *id,
	const char *location, const char *message);

#define JM_ORT_SLOT(table, index, result, name, ...)                                           \
	typedef result jm_ort_##name##_type(__VA_ARGS__);                                      \
	static inline jm_ort_##name##_type *jm_ort_##name##_fn(const struct jm_ort *ort)       \
	{                                                                                      \
		return (jm_ort_##name##_type *)ort->table[index];                              \
	}

#define JM_ORT_STATUS(index, name, ...)                                                        \
	JM_ORT_SLOT(api, index, struct OrtStatus *, name, __VA_ARGS__)
#define JM_ORT_VOID(index, name, ...) JM_ORT_SLOT(api, index, void, name, __VA_ARGS__)

JM_ORT_SLOT(api, 1, int, error_code, const struct OrtStatus *)
JM_ORT_SLOT(api, 2, const char *, error_message, const struct OrtStatus *)
JM_ORT_STATUS(4, create_env, jm_ort_log_fn *, void *, int, const char *, struct OrtEnv **)
JM_ORT_STATUS(7, create_session, struct OrtEnv *, const char *,
	const struct OrtSessionOptions *, struct OrtSession **)
JM_ORT_STATUS(8, create_session_from_array, struct OrtEnv *, const void *, size_t,
	const struct OrtSessionOptions *, struct OrtSession **)
JM_ORT_STATUS(9, run, struct OrtSession *, const struct OrtRunOptions *, const char *const *,
	const struct OrtValue *const *, size_t, const char *const *, size_t, struct OrtValue **)
JM_ORT_STATUS(10, create_session_options, struct OrtSessionOptions **)
JM_ORT_STATUS(11, save_optimized_model, struct OrtSessionOptions *, const char *)
JM_ORT_STATUS(13, set_execution_mode, struct OrtSessionOptions *, int)
JM_ORT_STATUS(14, enable_profiling, struct OrtSessionOptions *, const char *)
JM_ORT_STATUS(22, set_log_severity, struct OrtSessionOptions *, int)
JM_ORT_STATUS(23, set_optimization_level, struct OrtSessionOptions *, int)
JM_ORT_STATUS(24, set_intra_op_threads, struct OrtSessionOptions *, int)
JM_ORT_STATUS(25, set_inter_op_threads, struct OrtSessionOptions *, int)
JM_ORT_STATUS(26, create_op_domain, const char *, struct OrtCustomOpDomain **)
JM_ORT_STATUS(27, op_domain_add, struct OrtCustomOpDomain *, const void *)
JM_ORT_STATUS(28, add_op_domain, struct OrtSessionOptions *, struct OrtCustomOpDomain *)
JM_ORT_STATUS(30, session_input_count, const struct OrtSession *, size_t *)
JM_ORT_STATUS(31, session_output_count, const struct OrtSession *, size_t *)
JM_ORT_STATUS(33, session_input_type, const struct OrtSession *, size_t, struct OrtTypeInfo **)
JM_ORT_STATUS(34, session_output_type, const struct OrtSession *, size_t, struct OrtTypeInfo **)
JM_ORT_STATUS(36, session_input_name, const struct OrtSession *, size_t, struct OrtAllocator *,
	char **)
JM_ORT_STATUS(37, session_output_name, const struct OrtSession *, size_t, struct OrtAllocator *,
	char **)
JM_ORT_STATUS(39, create_run_options, struct OrtRunOptions **)
JM_ORT_STATUS(41, set_run_log_severity, struct OrtRunOptions *, int)
JM_ORT_STATUS(49, create_tensor, const struct OrtMemoryInfo *, void *, size_t, const int64_t *,
	size_t, int, struct OrtValue **)
JM_ORT_STATUS(51, tensor_data, struct OrtValue *, void **)
JM_ORT_STATUS(53, strings_size, const struct OrtValue *, size_t *)
JM_ORT_STATUS(54, strings, const struct OrtValue *, void *, size_t, size_t *offsets, size_t)
JM_ORT_STATUS(55, tensor_info_of_type, const struct OrtTypeInfo *,
	const struct OrtTensorTypeAndShapeInfo **)
JM_ORT_STATUS(60, element_type, const struct OrtTensorTypeAndShapeInfo *, int *)
JM_ORT_STATUS(61, dimensions_count, const struct OrtTensorTypeAndShapeInfo *, size_t *)
JM_ORT_STATUS(62, dimensions, const struct OrtTensorTypeAndShapeInfo *, int64_t *, size_t)
JM_ORT_STATUS(65, tensor_info, const struct OrtValue *, struct OrtTensorTypeAndShapeInfo **)
JM_ORT_STATUS(67, kind_of_value, const struct OrtValue *, int *)
JM_ORT_STATUS(69, create_cpu_memory_info, int, int, struct OrtMemoryInfo **)
JM_ORT_STATUS(76, allocator_free, struct OrtAllocator *, void *)
JM_ORT_STATUS(78, default_allocator, struct OrtAllocator **)
JM_ORT_STATUS(
	80, value_at, const struct OrtValue *, int, struct OrtAllocator *, struct OrtValue **)
JM_ORT_STATUS(81, value_count, const struct OrtValue *, size_t *)
JM_ORT_STATUS(86, kernel_integer, const void *info, const char *, int64_t *)
JM_ORT_STATUS(
	90, kernel_input, const struct OrtKernelContext *, size_t, const struct OrtValue **)
JM_ORT_STATUS(91, kernel_output, struct OrtKernelContext *, size_t, const int64_t *, size_t,
	struct OrtValue **)
JM_ORT_VOID(92, release_env, struct OrtEnv *)
JM_ORT_VOID(93, release_status, struct OrtStatus *)
JM_ORT_VOID(94, release_memory_info, struct OrtMemoryInfo *)
JM_ORT_VOID(95, release_session, struct OrtSession *)
JM_ORT_VOID(96, release_value, struct OrtValue *)
JM_ORT_VOID(97, release_run_options, struct OrtRunOptions *)
JM_ORT_VOID(98, release_type_info, struct OrtTypeInfo *)
JM_ORT_VOID(99, release_tensor_info, struct OrtTensorTypeAndShapeInfo *)
JM_ORT_VOID(100, release_session_options, struct OrtSessionOptions *)
JM_ORT_VOID(101, release_op_domain, struct OrtCustomOpDomain *)
JM_ORT_STATUS(110, end_profiling, struct OrtSession *, struct OrtAllocator *, char **)
JM_ORT_STATUS(124, override_free_dimension, struct OrtSessionOptions *, const char *, int64_t)
JM_ORT_STATUS(130, add_session_config, struct OrtSessionOptions *, const char *, const char *)
JM_ORT_STATUS(146, profiling_start_ns, const struct OrtSession *, uint64_t *)
JM_ORT_STATUS(192, has_value, const struct OrtValue *, int *)
JM_ORT_STATUS(272, read_attribute, const struct OrtOpAttr *, int, void *, size_t, size_t *)
/* Since 1.18; names are those of external data files, buffers are read only. */
JM_ORT_STATUS(279, add_external_files, struct OrtSessionOptions *, const char *const *,
	char *const *, const size_t *, size_t)
/* Since 1.22. */
JM_ORT_STATUS(289, value_name, const struct OrtValueInfo *, const char **)
JM_ORT_STATUS(290, value_type, const struct OrtValueInfo *, const struct OrtTypeInfo **)
JM_ORT_STATUS(301, register_ep_library, struct OrtEnv *, const char *, const char *)
JM_ORT_STATUS(302, unregister_ep_library, struct OrtEnv *, const char *)
JM_ORT_STATUS(
	303, ep_devices, const struct OrtEnv *, const struct OrtEpDevice *const **, size_t *)
JM_ORT_STATUS(304, append_ep, struct OrtSessionOptions *, struct OrtEnv *,
	const struct OrtEpDevice *const *, size_t, const char *const *, const char *const *,
	size_t)
JM_ORT_SLOT(api, 307, int, hardware_type, const struct OrtHardwareDevice *)
JM_ORT_SLOT(api, 312, const char *, ep_name, const struct OrtEpDevice *)
JM_ORT_SLOT(api, 317, jm_ort_slot *const *, get_ep_api, void)
/* Since 1.23. */
JM_ORT_STATUS(331, value_is_constant, const struct OrtValueInfo *, bool *)
JM_ORT_STATUS(344, graph_node_count, const struct OrtGraph *, size_t *)
JM_ORT_STATUS(345, graph_nodes, const struct OrtGraph *, const struct OrtNode **, size_t)
JM_ORT_STATUS(346, graph_parent, const struct OrtGraph *, const struct OrtNode **)
JM_ORT_STATUS(349, node_name, const struct OrtNode *, const char **)
JM_ORT_STATUS(350, node_operator, const struct OrtNode *, const char **)
JM_ORT_STATUS(353, node_input_count, const struct OrtNode *, size_t *)
JM_ORT_STATUS(354, node_inputs, const struct OrtNode *, const struct OrtValueInfo **, size_t)
JM_ORT_STATUS(355, node_output_count, const struct OrtNode *, size_t *)
JM_ORT_STATUS(356, node_outputs, const struct OrtNode *, const struct OrtValueInfo **, size_t)
JM_ORT_STATUS(
	361, node_attribute, const struct OrtNode *, const char *, const struct OrtOpAttr **)
/* Since 1.25. */
JM_ORT_STATUS(415, enable_run_profiling, struct OrtRunOptions *, const char *)

#define JM_ORT_EP(index, name, ...)                                                            \
	JM_ORT_SLOT(ep_api, index, struct OrtStatus *, name, __VA_ARGS__)

struct jm_ort_ep_factory; /* plugin.h */
JM_ORT_EP(0, create_ep_device, struct jm_ort_ep_factory *, const struct OrtHardwareDevice *,
	const struct OrtKeyValuePairs *, const struct OrtKeyValuePairs *, struct OrtEpDevice **)
JM_ORT_EP(67, event_category, const struct OrtProfilingEvent *, int *)
JM_ORT_EP(68, event_name, const struct OrtProfilingEvent *, const char **)
JM_ORT_EP(71, event_argument, const struct OrtProfilingEvent *, const char *, const char **)

/* Graph optimisation levels, attribute types, categories of events. */
enum { JM_ORT_DISABLE_ALL = 0, JM_ORT_BASIC = 1, JM_ORT_EXTENDED = 2, JM_ORT_ALL = 99 };
enum { JM_ORT_ATTRIBUTE_INT = 1, JM_ORT_ATTRIBUTE_INTS = 2, JM_ORT_ATTRIBUTE_STRING = 5 };
enum { JM_ORT_EVENT_SESSION = 0, JM_ORT_EVENT_NODE = 1 };
/* Kinds of values, and the element type that has no fixed size. */
enum { JM_ORT_TENSOR = 1, JM_ORT_SEQUENCE = 2, JM_ORT_MAP = 3 };
enum { JM_ORT_STRING = 8 };

#endif
