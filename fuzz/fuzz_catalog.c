/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the catalogue: the packed file as it is, or else its content. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "catalog/catalog.h"

#define WEIGHTS_MAX_BYTES (1U << 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jm_catalog_network network;
	struct jm_error error = {0};
	int packed = size > 0 && data[0] == 0x1f; /* first byte of gzip */
	int result =
		packed ? jm_catalog_parse_gzip(&network, "fuzz", data, size, &error)
		       : jm_catalog_parse(&network, "fuzz", (const char *)data, size, &error);

	if (result < 0 && (error.code != result || network.onnx || network.weights))
		abort();
	if (result == 0 && network.weights_bytes <= WEIGHTS_MAX_BYTES)
		jm_catalog_make_weights(&network, size, &error);
	jm_catalog_release(&network);
	return 0;
}
