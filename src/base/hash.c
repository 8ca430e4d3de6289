/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <openssl/evp.h>

#include "base/error.h"
#include "base/file.h"

static int hash_reader(struct jm_reader *reader, EVP_MD_CTX *hash, struct jm_error *reterr)
{
	int result;

	do {
		result = jm_reader_fill(reader, reterr);
		if (EVP_DigestUpdate(hash, reader->data + reader->position,
			    reader->end - reader->position) != 1)
			return jm_fail(reterr, JM_EIO, "cannot compute the hash of '%s'",
				reader->path);
		reader->position = reader->end;
	} while (result > 0);
	return result;
}

int jm_hash_file(const char *path, char ret_hex[65], struct jm_error *reterr)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char sum[EVP_MAX_MD_SIZE];
	struct jm_reader reader;
	EVP_MD_CTX *hash;
	int result = jm_reader_open(&reader, path, reterr);

	if (result < 0)
		return result;
	hash = EVP_MD_CTX_new();
	if (!hash || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1)
		result = jm_fail_memory(reterr, "a hash");
	if (result == 0)
		result = hash_reader(&reader, hash, reterr);
	if (result == 0 && EVP_DigestFinal_ex(hash, sum, NULL) != 1)
		result = jm_fail(reterr, JM_EIO, "cannot compute the hash of '%s'", path);
	for (size_t i = 0; result == 0 && i < 32; i++) {
		ret_hex[2 * i] = digits[sum[i] >> 4];
		ret_hex[2 * i + 1] = digits[sum[i] & 15];
	}
	ret_hex[64] = '\0';
	EVP_MD_CTX_free(hash);
	jm_reader_close(&reader);
	return result;
}
