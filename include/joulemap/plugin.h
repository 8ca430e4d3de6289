/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For authors of plug-ins: sensors and engines in a shared object of their own,
 * which 'joulemap COMMAND --plugin FILE.so' or jm_plugin_load() brings in.
 *
 * A plug-in is built with these headers and links nothing of joulemap: readings,
 * spans and the clock reach it as functions in what it is given. It exports one
 * function, joulemap_plugin(); every other name may stay its own (static, or
 * -fvisibility=hidden). It stays loaded until the process ends, and the
 * processes of a measurement are forks of the one that loaded it: it keeps no
 * threads and no descriptors between probe and open.
 *
 * Examples: examples/sensor_plugin.c, examples/engine_plugin.c.
 */
#ifndef JOULEMAP_PLUGIN_H
#define JOULEMAP_PLUGIN_H

#include "joulemap/engine.h"
#include "joulemap/joulemap.h"
#include "joulemap/sensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define JM_PLUGIN_EXPORT __attribute__((visibility("default")))
#else
#define JM_PLUGIN_EXPORT
#endif

#define JM_PLUGIN_ABI 1

/* What a plug-in brings. All of it lives as long as the plug-in is loaded. */
struct jm_plugin {
	uint32_t abi;        /* JM_PLUGIN_ABI */
	uint32_t size;       /* sizeof(struct jm_plugin) */
	const char *name;    /* "acme" */
	const char *version; /* its own, "1.2.0"; goes into run.json */
	/* Their names must be new: neither joulemap's own nor another plug-in's. */
	const struct jm_sensor_ops *const *sensors; /* [n_sensors] */
	size_t n_sensors;
	const struct jm_engine_ops *const *engines; /* [n_engines] */
	size_t n_engines;
};

/* The one function that a plug-in defines. Called once; never NULL. */
JM_PLUGIN_EXPORT const struct jm_plugin *joulemap_plugin(void);

#ifdef __cplusplus
}
#endif

#endif
