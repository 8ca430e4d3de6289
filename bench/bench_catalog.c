/* SPDX-License-Identifier: Apache-2.0 */
/* How fast weights are made: the largest network, and the default one. */
#include <stdio.h>

#include "base/clock.h"
#include "catalog/catalog.h"

static int measure(const char *name)
{
	struct jm_catalog_network network;
	struct jm_error error;
	char folder[JM_PATH_MAX];
	int64_t begin_ns, end_ns;
	int result = jm_catalog_folder(NULL, folder, &error);

	if (result == 0)
		result = jm_catalog_open(&network, folder, name, &error);
	if (result < 0) {
		fprintf(stderr, "bench_catalog: %s\n", error.message);
		return result;
	}
	/* The first time pays for fresh memory, the second does not. */
	for (int i = 0; result == 0 && i < 2; i++) {
		begin_ns = jm_clock_monotonic_ns(NULL);
		result = jm_catalog_make_weights(&network, 1, &error);
		end_ns = jm_clock_monotonic_ns(NULL);
		printf("weights of %s, %s memory: %.3f s, %.2f ns each\n", name,
			i ? "used" : "fresh", (double)(end_ns - begin_ns) / 1e9,
			(double)(end_ns - begin_ns) * 4 / (double)network.weights_bytes);
	}
	jm_catalog_release(&network);
	return result;
}

int main(void)
{
	return measure("mobilenet_v2") < 0 || measure("vgg16") < 0;
}
