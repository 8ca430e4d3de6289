/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/library.h"

#include <dlfcn.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/error.h"
#include "base/self.h"
#include "base/text.h"

#define MODULE_NAME "joulemap_ort.so"
#define HOW_TO_GET                                                                             \
	"run 'make deps' or 'pip install onnxruntime', or name the file with --ort-library "   \
	"PATH"

/* ---- The runtime ----------------------------------------------------------- */

static int take_tables(struct jm_ort *ort, struct jm_error *reterr)
{
	const struct jm_ort_base *(*get_base)(void);
	void *symbol = dlsym(ort->handle, "OrtGetApiBase");
	unsigned major = 0, minor = 0;
	Dl_info place;

	if (!symbol)
		return jm_fail(reterr, JM_EUNSUPPORTED,
			"'%s' is not ONNX Runtime: it has no OrtGetApiBase; " HOW_TO_GET,
			ort->path);
	if (dladdr(symbol, &place) && place.dli_fname)
		jm_text_copy(ort->path, sizeof(ort->path), place.dli_fname);
	memcpy(&get_base, &symbol, sizeof(get_base));
	ort->base = get_base();
	jm_text_copy(ort->version, sizeof(ort->version), ort->base->get_version());
	/* A version that the library lacks makes it print: ask for what it has. */
	if (sscanf(ort->version, "%u.%u", &major, &minor) == 2 && major == 1)
		ort->api_version = minor;
	if (major > 1 || ort->api_version > JM_ORT_API_WANTED)
		ort->api_version = JM_ORT_API_WANTED;
	if (ort->api_version >= JM_ORT_API_OLDEST)
		ort->api = ort->base->get_api(ort->api_version);
	if (!ort->api)
		return jm_fail(reterr, JM_EUNSUPPORTED,
			"ONNX Runtime %s in '%s' cannot be used, 1.%d or later is "
			"needed; " HOW_TO_GET,
			ort->version, ort->path, JM_ORT_API_OLDEST);
	if (ort->api_version >= JM_ORT_API_GRAPH)
		ort->ep_api = jm_ort_get_ep_api_fn(ort)();
	return 0;
}

static int load(struct jm_ort *ort, const char *path, struct jm_error *reterr)
{
	int result;

	/* Never unmapped: the runtime leaves thread-local destructors behind. */
	ort->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!ort->handle)
		return jm_fail(reterr, JM_ENOTFOUND, "cannot load '%s': %s; " HOW_TO_GET, path,
			dlerror());
	jm_text_copy(ort->path, sizeof(ort->path), path);
	result = take_tables(ort, reterr);
	if (result < 0)
		jm_ort_library_close(ort);
	return result;
}

/* The newest libonnxruntime.so* of a folder; 0 when there is none. */
static int find_in_folder(const char *folder, char ret_path[JM_PATH_MAX])
{
	char pattern[JM_PATH_MAX];
	glob_t found;
	int ok = 0;

	if (jm_path_join(pattern, folder, "libonnxruntime.so*", NULL) < 0)
		return 0;
	if (glob(pattern, 0, NULL, &found) == 0) {
		jm_text_copy(ret_path, JM_PATH_MAX, found.gl_pathv[found.gl_pathc - 1]);
		ok = 1;
	}
	globfree(&found);
	return ok;
}

/* A folder, or that of a wheel, which holds it in capi/. */
static int find_in_package(const char *folder, char ret_path[JM_PATH_MAX])
{
	char inner[JM_PATH_MAX];

	return find_in_folder(folder, ret_path) ||
	       (jm_path_join(inner, folder, "capi", NULL) == 0 &&
		       find_in_folder(inner, ret_path));
}

int jm_ort_library_find_in_python(char ret_path[JM_PATH_MAX])
{
	/* Not in the current folder, where anybody may have put one. */
	static const char ask[] =
		"exec python3 -c 'import sys; sys.path[:] = [p for p in sys.path if p]\n"
		"from importlib.util import find_spec as find\n"
		"found = find(\"onnxruntime\")\n"
		"print(found.submodule_search_locations[0] if found else \"\")' 2>/dev/null "
		"</dev/null";
	char folder[JM_PATH_MAX] = "";
	/* The words are fixed. NOLINTNEXTLINE(cert-env33-c) */
	FILE *answer = getauxval(AT_SECURE) ? NULL : popen(ask, "re");

	if (!answer)
		return 0;
	if (!fgets(folder, sizeof(folder), answer))
		folder[0] = '\0';
	folder[strcspn(folder, "\n")] = '\0';
	return pclose(answer) == 0 && folder[0] == '/' && find_in_package(folder, ret_path);
}

/* A place that was named: a failure here ends the search. */
static int load_named(struct jm_ort *ort, const char *named, struct jm_error *reterr)
{
	char path[JM_PATH_MAX];

	if (!jm_path_exists(named))
		return jm_fail(
			reterr, JM_ENOTFOUND, "no ONNX Runtime at '%s'; " HOW_TO_GET, named);
	if (!jm_path_is_folder(named))
		return load(ort, named, reterr);
	if (find_in_package(named, path))
		return load(ort, path, reterr);
	return jm_fail(
		reterr, JM_ENOTFOUND, "no libonnxruntime.so in '%s'; " HOW_TO_GET, named);
}

int jm_ort_library_open(struct jm_ort *ort, const char *wanted, struct jm_error *reterr)
{
	char path[JM_PATH_MAX], beside[JM_PATH_MAX];
	const char *variable = getenv("JOULEMAP_ORT_LIBRARY");
	const char *folders[] = {
		JM_INSTALL_LIBDIR "/joulemap", JM_SOURCE_DIR "/.deps/onnxruntime", beside};

	memset(ort, 0, sizeof(*ort));
	if (wanted && *wanted)
		return load_named(ort, wanted, reterr);
	if (variable && *variable)
		return load_named(ort, variable, reterr);
	if (load(ort, "libonnxruntime.so.1", NULL) == 0)
		return 0;
	jm_self_program_folder(path);
	if (jm_path_join(beside, path, "../lib/joulemap", reterr) < 0)
		return JM_EINVAL;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (find_in_folder(folders[i], path) && load(ort, path, NULL) == 0)
			return 0;
	if (jm_ort_library_find_in_python(path))
		return load(ort, path, reterr);
	return jm_fail(reterr, JM_ENOTFOUND, "no ONNX Runtime found; " HOW_TO_GET);
}

void jm_ort_library_close(struct jm_ort *ort)
{
	if (ort->handle)
		dlclose(ort->handle);
	memset(ort, 0, sizeof(*ort));
}

/* ---- Our module -------------------------------------------------------------- */

/* In a folder that was named: a failure here ends the search. */
static int find_module_in(
	const char *folder, char ret_path[JM_PATH_MAX], struct jm_error *reterr)
{
	if (jm_path_join(ret_path, folder, MODULE_NAME, reterr) < 0)
		return JM_EINVAL;
	if (jm_path_exists(ret_path))
		return 0;
	return jm_fail(reterr, JM_ENOTFOUND,
		"no " MODULE_NAME
		" in JOULEMAP_LIB_DIR '%s'; unset it, or name the folder that has it",
		folder);
}

int jm_ort_module_find(char ret_path[JM_PATH_MAX], struct jm_error *reterr)
{
	const char *named = getenv("JOULEMAP_LIB_DIR");
	char program[JM_PATH_MAX], library[JM_PATH_MAX];
	const struct {
		const char *folder, *below;
	} places[] = {{program, ""}, {program, "/.."}, {program, "/../lib/joulemap"},
		{library, "/joulemap"}, {JM_BINARY_DIR, ""}, {JM_INSTALL_LIBDIR, "/joulemap"}};

	if (named && *named)
		return find_module_in(named, ret_path, reterr);
	jm_self_program_folder(program);
	jm_self_library_folder(library);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int length = snprintf(ret_path, JM_PATH_MAX, "%s%s/" MODULE_NAME,
			places[i].folder, places[i].below);

		if (places[i].folder[0] && length < JM_PATH_MAX && jm_path_exists(ret_path))
			return 0;
	}
	return jm_fail(reterr, JM_ENOTFOUND,
		"no " MODULE_NAME
		" beside the program; build it with 'make', or name its folder "
		"with JOULEMAP_LIB_DIR");
}
