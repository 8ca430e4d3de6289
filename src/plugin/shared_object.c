/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/shared_object.h"

#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"

/* The begin of an ELF header, which is the same for every class. */
struct head {
	unsigned char ident[EI_NIDENT];
	uint16_t type;
	uint16_t machine;
};

_Static_assert(offsetof(Elf64_Ehdr, e_machine) == offsetof(struct head, machine) &&
		       offsetof(Elf32_Ehdr, e_machine) == offsetof(struct head, machine),
	"the begin of an ELF header");

/* 1 when the file begins with the head of an ELF file, 0 when not. */
static int read_head(const char *path, struct head *ret_head)
{
	FILE *file = fopen(path, "rbe");
	size_t n = file ? fread(ret_head, 1, sizeof(*ret_head), file) : 0;

	if (file)
		fclose(file);
	return n == sizeof(*ret_head) && memcmp(ret_head->ident, ELFMAG, SELFMAG) == 0;
}

static const char *machine_name(const struct head *head)
{
	switch (head->machine) {
	case EM_X86_64:
		return "x86-64";
	case EM_AARCH64:
		return "64-bit ARM";
	case EM_ARM:
		return "32-bit ARM";
	case EM_386:
		return "32-bit x86";
	case EM_RISCV:
		return "RISC-V";
	default:
		return "another kind of processor";
	}
}

static int check_machine(const char *path, const struct head *head, struct jm_error *reterr)
{
	struct head own;

	if (!read_head("/proc/self/exe", &own))
		return 0; /* dlopen will tell */
	if (head->machine == own.machine && head->ident[EI_CLASS] == own.ident[EI_CLASS] &&
		head->ident[EI_DATA] == own.ident[EI_DATA])
		return 0;
	return jm_fail(reterr, JM_EUNSUPPORTED,
		"'%s' was built for %s, and this machine is %s: build it here", path,
		machine_name(head), machine_name(&own));
}

static int fail_format(const char *path, struct jm_error *reterr)
{
	return jm_fail(reterr, JM_EFORMAT,
		"'%s' is no shared object, such as 'cc -shared -fPIC' makes", path);
}

int jm_shared_object_check(const char *path, struct jm_error *reterr)
{
	struct stat status;
	struct head head;
	int result;

	if (stat(path, &status) != 0)
		return jm_fail_errno(reterr, errno, "cannot open '%s'", path);
	if (!S_ISREG(status.st_mode) || !read_head(path, &head))
		return fail_format(path, reterr);
	result = check_machine(path, &head, reterr);
	if (result < 0)
		return result;
	return head.type == ET_DYN ? 0 : fail_format(path, reterr);
}
