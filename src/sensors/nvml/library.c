/* SPDX-License-Identifier: Apache-2.0 */
/* libnvidia-ml.so.1, which comes with NVIDIA's driver: loaded, never linked. */
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "sensors/nvml/nvml.h"

#define LIBRARY "libnvidia-ml.so.1"

static const struct {
	const char *name;
	size_t offset; /* of the pointer in struct jm_nvml */
	int required;
} symbols[] = {
	{"nvmlInit_v2", offsetof(struct jm_nvml, init), 1},
	{"nvmlShutdown", offsetof(struct jm_nvml, shutdown), 1},
	{"nvmlDeviceGetCount_v2", offsetof(struct jm_nvml, get_count), 1},
	{"nvmlDeviceGetHandleByIndex_v2", offsetof(struct jm_nvml, get_device), 1},
	{"nvmlDeviceGetName", offsetof(struct jm_nvml, get_name), 1},
	{"nvmlDeviceGetUUID", offsetof(struct jm_nvml, get_uuid), 0},
	{"nvmlDeviceGetPciInfo_v3", offsetof(struct jm_nvml, get_pci), 0},
	{"nvmlDeviceGetMigMode", offsetof(struct jm_nvml, get_mig), 0},
	{"nvmlDeviceGetSamples", offsetof(struct jm_nvml, get_samples), 0},
	{"nvmlDeviceGetFieldValues", offsetof(struct jm_nvml, get_fields), 0},
	{"nvmlDeviceGetPowerUsage", offsetof(struct jm_nvml, get_power), 0},
	{"nvmlDeviceGetPowerManagementLimitConstraints", offsetof(struct jm_nvml, get_limits),
		0},
	{"nvmlSystemGetDriverVersion", offsetof(struct jm_nvml, get_driver), 0},
	{"nvmlErrorString", offsetof(struct jm_nvml, get_text), 0},
};

/* What to do about an nvmlReturn_t. */
struct remedy {
	int result;
	enum jm_code code;
	const char *text;
};

static const struct remedy remedies[] = {
	{JM_NVML_NOT_SUPPORTED, JM_ENOSENSOR, "choose another sensor"},
	{JM_NVML_NO_PERMISSION, JM_EPERM,
		"run as root, or as a user who may open /dev/nvidia*"},
	{JM_NVML_DRIVER_NOT_LOADED, JM_ENOSENSOR,
		"load the driver with 'sudo modprobe nvidia', or give the container its GPU; "
		"without an NVIDIA GPU use '--sensor sim' (its results are marked SIMULATED)"},
	{JM_NVML_GPU_NOT_FOUND, JM_ENOSENSOR,
		"give the container its GPU; without one use '--sensor sim' (its results are "
		"marked SIMULATED)"},
	{JM_NVML_GPU_IS_LOST, JM_ESENSOR,
		"it fell off its bus: see 'sudo dmesg | grep NVRM', then 'sudo nvidia-smi "
		"--gpu-reset' or reboot"},
	{JM_NVML_RESET_REQUIRED, JM_ESENSOR, "'sudo nvidia-smi --gpu-reset' or reboot"},
	{JM_NVML_OPERATING_SYSTEM, JM_EPERM,
		"the system keeps its device from this process: give the container or the "
		"cgroup access to /dev/nvidia*"},
	{JM_NVML_VERSION_MISMATCH, JM_ENOSENSOR,
		"the driver was updated and the old one still runs: reboot, or unload and load "
		"its kernel modules"},
};

static const struct remedy *find_remedy(int result)
{
	static const struct remedy other = {0, JM_ESENSOR, "see 'nvidia-smi'"};

	for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++)
		if (remedies[i].result == result)
			return &remedies[i];
	return &other;
}

int jm_nvml_fail(
	const struct jm_nvml *nvml, int result, const char *subject, struct jm_error *reterr)
{
	const struct remedy *remedy = find_remedy(result);

	return jm_fail(reterr, remedy->code, "%s: %s (NVML error %d): %s", subject,
		nvml->get_text ? nvml->get_text(result) : "failed", result, remedy->text);
}

static int take_symbols(struct jm_nvml *nvml, const char *name, struct jm_error *reterr)
{
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *symbol = dlsym(nvml->handle, symbols[i].name);

		if (!symbol && symbols[i].required)
			return jm_fail(reterr, JM_ENOSENSOR,
				"'%s' has no function %s: update NVIDIA's driver", name,
				symbols[i].name);
		memcpy((char *)nvml + symbols[i].offset, &symbol, sizeof(symbol));
	}
	return 0;
}

static int initialise(struct jm_nvml *nvml, const char *name, struct jm_error *reterr)
{
	int result = nvml->init();

	if (result != JM_NVML_OK)
		return jm_nvml_fail(nvml, result, name, reterr);
	nvml->initialised = 1;
	if (!nvml->get_driver ||
		nvml->get_driver(nvml->driver, sizeof(nvml->driver)) != JM_NVML_OK)
		jm_text_copy(nvml->driver, sizeof(nvml->driver), "unknown");
	return 0;
}

int jm_nvml_open(
	struct jm_nvml *nvml, const struct jm_sensor_options *options, struct jm_error *reterr)
{
	const char *named = getenv("JOULEMAP_NVML_LIBRARY");
	const char *name = named && named[0] ? named : LIBRARY;
	int result;

	/* A captured tree is another machine: this one's GPUs are not in it. */
	if (name != named && options->sysfs_root[0])
		return 0;
	nvml->handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (!nvml->handle && name != named)
		return 0;
	if (!nvml->handle)
		return jm_fail(reterr, JM_ENOSENSOR,
			"cannot load '%s', which JOULEMAP_NVML_LIBRARY names: %s", name,
			dlerror());
	result = take_symbols(nvml, name, reterr);
	if (result == 0)
		result = initialise(nvml, name, reterr);
	if (result < 0)
		jm_nvml_close(nvml);
	return result < 0 ? result : 1;
}

void jm_nvml_close(struct jm_nvml *nvml)
{
	if (nvml->initialised)
		nvml->shutdown();
	if (nvml->handle)
		dlclose(nvml->handle);
	memset(nvml, 0, sizeof(*nvml));
}
