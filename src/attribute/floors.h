/* SPDX-License-Identifier: Apache-2.0 */
/* What no fit of a layer's power is better than. */
#ifndef JM_ATTRIBUTE_FLOORS_H
#define JM_ATTRIBUTE_FLOORS_H

#define JM_Z95 1.959963984540054
/* No quantised sensor is more linear than this share of the power, and no
 * timeline places the ends of a layer better than this. */
#define JM_LINEAR_SD 5e-4
#define JM_STAMP_SD_MS 1e-4

#endif
