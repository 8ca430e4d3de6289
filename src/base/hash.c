/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/error.h"
#include "base/file.h"
#include "base/wishes.h"

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
		/* A huge or endless file is no reason not to heed the user. */
		if (result > 0 && jm_wishes_count())
			return jm_fail(reterr, JM_EINTERRUPTED,
				"interrupted while '%s' was read, nothing was measured",
				reader->path);
	} while (result > 0);
	return result;
}

/* Begins with a hash of nothing; NULL when out of memory. */
static EVP_MD_CTX *begin(void)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();

	if (hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1)
		return hash;
	EVP_MD_CTX_free(hash);
	return NULL;
}

static int end(EVP_MD_CTX *hash, const char *path, char ret_hex[65], struct jm_error *reterr)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char sum[EVP_MAX_MD_SIZE];

	if (EVP_DigestFinal_ex(hash, sum, NULL) != 1)
		return jm_fail(reterr, JM_EIO, "cannot compute the hash of '%s'", path);
	for (size_t i = 0; i < 32; i++) {
		ret_hex[2 * i] = digits[sum[i] >> 4];
		ret_hex[2 * i + 1] = digits[sum[i] & 15];
	}
	ret_hex[64] = '\0';
	return 0;
}

int jm_hash_file(const char *path, char ret_hex[65], struct jm_error *reterr)
{
	struct jm_reader reader;
	EVP_MD_CTX *hash;
	int result = jm_reader_open(&reader, path, reterr);

	if (result < 0)
		return result;
	hash = begin();
	result = hash ? hash_reader(&reader, hash, reterr) : jm_fail_memory(reterr, "a hash");
	if (result == 0)
		result = end(hash, path, ret_hex, reterr);
	EVP_MD_CTX_free(hash);
	jm_reader_close(&reader);
	return result;
}

/* n bytes from where the file stands, or up to its end. */
static int hash_part(
	int fd, size_t n, EVP_MD_CTX *hash, const char *path, struct jm_error *reterr)
{
	char buffer[4096];

	while (n) {
		ssize_t got = read(fd, buffer, n < sizeof(buffer) ? n : sizeof(buffer));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return jm_fail_errno(reterr, errno, "cannot read '%s'", path);
		if (got == 0)
			break;
		if (EVP_DigestUpdate(hash, buffer, (size_t)got) != 1)
			return jm_fail(reterr, JM_EIO, "cannot compute the hash of '%s'", path);
		n -= (size_t)got;
	}
	return 0;
}

int jm_hash_file_ends(const char *path, size_t n, char ret_hex[65], struct jm_error *reterr)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), result;
	EVP_MD_CTX *hash;
	off_t size;

	if (fd < 0)
		return jm_fail_errno(reterr, errno, "cannot open '%s'", path);
	hash = begin();
	result = hash ? hash_part(fd, n, hash, path, reterr) : jm_fail_memory(reterr, "a hash");
	size = result == 0 ? lseek(fd, 0, SEEK_END) : 0;
	if (result == 0 && size > (off_t)n) {
		if (lseek(fd, size > 2 * (off_t)n ? size - (off_t)n : (off_t)n, SEEK_SET) < 0)
			result = jm_fail_errno(reterr, errno, "cannot read '%s'", path);
		else
			result = hash_part(fd, n, hash, path, reterr);
	}
	if (result == 0)
		result = end(hash, path, ret_hex, reterr);
	EVP_MD_CTX_free(hash);
	close(fd);
	return result;
}
