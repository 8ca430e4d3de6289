/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An execution provider that executes nothing: it gets to see the graph (from
 * 1.23 on), and a call before and after every node, whoever executes it (1.25).
 */
#ifndef JM_ENGINES_ONNXRUNTIME_PLUGIN_H
#define JM_ENGINES_ONNXRUNTIME_PLUGIN_H

#include "engines/onnxruntime/api.h"
#include "engines/onnxruntime/capture.h"
#include "engines/onnxruntime/hook/module.h"

struct jm_ort_plugin;

/*
 * Laid out as the runtime reads them: its version in the first slot, then
 * functions. Slots that we do not fill stay NULL; `later` leaves room for all
 * that the version named may look at.
 */
struct jm_ort_ep_profiler {
	uint32_t version;
	void (*release)(struct jm_ort_ep_profiler *);
	struct OrtStatus *(*start_profiling)(struct jm_ort_ep_profiler *, int64_t offset_ns);
	struct OrtStatus *(*start_event)(struct jm_ort_ep_profiler *, uint64_t id);
	struct OrtStatus *(*stop_event)(
		struct jm_ort_ep_profiler *, uint64_t id, const struct OrtProfilingEvent *);
	struct OrtStatus *(*end_profiling)(
		struct jm_ort_ep_profiler *, struct OrtProfilingEventsContainer *);
	jm_ort_slot *later[8];
};

struct jm_ort_ep {
	uint32_t version;
	const char *(*get_name)(const struct jm_ort_ep *);
	struct OrtStatus *(*get_capability)(
		struct jm_ort_ep *, const struct OrtGraph *, void *);
	jm_ort_slot *slots_3_to_15[13];
	struct OrtStatus *(*create_profiler)(struct jm_ort_ep *, struct jm_ort_ep_profiler **);
	jm_ort_slot *later[24];
	struct jm_ort_plugin *plugin; /* ours */
};

struct jm_ort_ep_factory {
	uint32_t version;
	const char *(*get_name)(const struct jm_ort_ep_factory *);
	const char *(*get_vendor)(const struct jm_ort_ep_factory *);
	struct OrtStatus *(*get_devices)(struct jm_ort_ep_factory *,
		const struct OrtHardwareDevice *const *, size_t, struct OrtEpDevice **,
		size_t max, size_t *ret_n);
	struct OrtStatus *(*create_ep)(struct jm_ort_ep_factory *,
		const struct OrtHardwareDevice *const *, const struct OrtKeyValuePairs *const *,
		size_t, const struct OrtSessionOptions *, const void *logger,
		struct jm_ort_ep **);
	void (*release_ep)(struct jm_ort_ep_factory *, struct jm_ort_ep *);
	uint32_t (*get_vendor_id)(const struct jm_ort_ep_factory *);
	const char *(*get_version)(const struct jm_ort_ep_factory *);
	jm_ort_slot *slots_8_to_10[3];
	struct OrtStatus *(*create_data_transfer)(struct jm_ort_ep_factory *, void **);
	bool (*is_stream_aware)(const struct jm_ort_ep_factory *);
	jm_ort_slot *later[20];
	struct jm_ort_plugin *plugin; /* ours */
};

struct jm_ort_plugin {
	const struct jm_ort *ort;
	struct OrtEnv *env;
	void *module;  /* of dlopen */
	char name[48]; /* of the provider, unique in the process */
	int registered;
	int callbacks; /* nodes are to be reported */
	const struct OrtEpDevice *device;
	struct jm_ort_capture *capture; /* while a session is opened: where its graph goes */
	struct jm_ort_ep_factory factory;
	struct jm_ort_ep ep;
	struct jm_ort_ep_profiler profiler;
};

/*
 * Registers the provider with the environment; both are borrowed until close,
 * and the plug-in must stay where it is. Needs JM_ORT_API_GRAPH, callbacks need
 * JM_ORT_API_CALLBACKS.
 */
int jm_ort_plugin_open(struct jm_ort_plugin *plugin, const struct jm_ort *ort,
	struct OrtEnv *env, int callbacks, struct jm_error *reterr);

/* After all sessions are gone, before the environment. Accepts a zeroed one. */
void jm_ort_plugin_close(struct jm_ort_plugin *plugin);

/* Makes sessions with these options call us. */
int jm_ort_plugin_append(const struct jm_ort_plugin *plugin, struct OrtSessionOptions *options,
	struct jm_error *reterr);

#endif
