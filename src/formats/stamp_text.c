/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/stamp_text.h"

const char *jm_stamp_text(struct jm_stamp_text *stamps, int64_t civil_ns)
{
	int64_t second = civil_ns / JM_NS_PER_S;
	int64_t fraction_ns = civil_ns % JM_NS_PER_S;
	char *digit = stamps->text + JM_STAMP_TEXT_LENGTH;
	int us;

	if (fraction_ns < 0) {
		fraction_ns += JM_NS_PER_S;
		second--;
	}
	if (!stamps->text[0] || second != stamps->second) {
		jm_civil_format(second * JM_NS_PER_S, stamps->text);
		stamps->second = second;
	}
	us = (int)(fraction_ns / JM_NS_PER_US);
	for (int i = 0; i < 6; i++) {
		*--digit = (char)('0' + us % 10);
		us /= 10;
	}
	return stamps->text;
}
