// SPDX-License-Identifier: GPL-2.0-only
/* Links libktstr and declares no test: `ktstr test` must say so. */
#include <ktstr.h>

const struct ktstr_scheduler *used(void);

const struct ktstr_scheduler *used(void)
{
	return ktstr_find_scheduler("eevdf");
}
