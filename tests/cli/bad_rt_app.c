// SPDX-License-Identifier: GPL-2.0-only
/* A test whose rt-app file cannot be translated. */
#include <ktstr.h>

KTSTR_TEST(unknown_event, .rt_app = "rt_app_unknown_event.json")
{
	ktstr_run_rt_app(ctx);
}
