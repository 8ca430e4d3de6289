/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test includes first: cmocka and what it needs before it. */
#ifndef JM_TESTS_UNIT_H
#define JM_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
