/* SPDX-License-Identifier: Apache-2.0 */
/* Words for what a fit found. */
#include "joulemap/joulemap.h"

const char *jm_resolved_name(enum jm_resolved resolved)
{
	switch (resolved) {
	case JM_RESOLVED_NO:
		return "no";
	case JM_RESOLVED_YES:
		return "yes";
	case JM_RESOLVED_GROUP:
		return "group";
	}
	return "?";
}

const char *jm_fit_cause_text(enum jm_fit_cause cause)
{
	switch (cause) {
	case JM_CAUSE_NONE:
		return "";
	case JM_CAUSE_LONG_WINDOW:
		return "the sensor averages over many cycles";
	case JM_CAUSE_LOCKED_CYCLE:
		return "the cycle keeps step with the sensor";
	case JM_CAUSE_FEW_CYCLES:
		return "too few cycles";
	case JM_CAUSE_NO_TIMELINE:
		return "layers were never executed";
	case JM_CAUSE_CONSTANT:
		return "the readings do not change";
	case JM_CAUSE_MISFIT:
		return "the model does not describe the readings";
	case JM_CAUSE_SLOW_POLL:
		return "the sensor is read too rarely";
	case JM_CAUSE_STAMPS:
		return "time stamps are too coarse";
	}
	return "?";
}
