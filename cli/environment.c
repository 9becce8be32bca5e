// SPDX-License-Identifier: GPL-2.0-only
/* Variables of the environment that hold numbers: a slip in one is told, not taken for a default. */
#include "base/env.h"
#include "cli/commands.h"

struct ktstr_error *ktstr_cli_check_environment(void)
{
	uint64_t unused;

	KTSTR_TRY(ktstr_env_mib("KTSTR_TEMPLATE_CAP_MIB", &unused));
	KTSTR_TRY(ktstr_env_mib("KTSTR_MEMORY_BUDGET_MIB", &unused));
	KTSTR_TRY(ktstr_env_number("KTSTR_JOBS", KTSTR_JOBS_FORM, 1, KTSTR_MAX_JOBS, &unused));
	KTSTR_TRY(ktstr_env_number("KTSTR_CPU_CAP", KTSTR_CPU_CAP_FORM, 1, KTSTR_MAX_CPUS, &unused));
	KTSTR_TRY(ktstr_env_ms("KTSTR_STALL_POLL_MS", 1, &unused));
	KTSTR_TRY(ktstr_env_ms("KTSTR_STUCK_POLL_MS", 1, &unused));
	KTSTR_TRY(ktstr_env_ms("KTSTR_FREEZE_RENDEZVOUS_TIMEOUT_MS", 0, &unused));
	return ktstr_env_number("KTSTR_RUN_EPOCH", "digits, ns since 1970", 1, UINT64_MAX, &unused);
}
