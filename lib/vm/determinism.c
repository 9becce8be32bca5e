// SPDX-License-Identifier: GPL-2.0-only
/* The host's part in repeatable runs; the rules are in determinism.h. */
#include "base/random.h"
#include "vm/determinism.h"
#include "vm/preload.h"

struct ktstr_error *ktstr_determinism_prepare_load(struct ktstr_qmp *qmp, uint64_t deadline_ns)
{
	return ktstr_qmp_execute(qmp, "migrate-set-parameters", json_pack("{si}", "announce-rounds", 0),
				 deadline_ns, NULL);
}

struct ktstr_error *ktstr_determinism_resume(struct ktstr_qmp *qmp, bool deterministic, uint64_t deadline_ns)
{
	if (deterministic)
		return ktstr_qmp_send(qmp, "cont", deadline_ns);
	return ktstr_qmp_execute(qmp, "cont", NULL, deadline_ns, NULL);
}

struct ktstr_error *ktstr_determinism_check(int qemu_pid, const char *lockstep_path)
{
	if (ktstr_preload_worked(qemu_pid, lockstep_path))
		return NULL;
	return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
			       "this QEMU does not load %s (LD_PRELOAD), without which its runs do not repeat: it has to be "
			       "a dynamically linked program without special rights, and the library's path without blank or colon",
			       lockstep_path);
}

void ktstr_determinism_entropy(uint64_t seed, uint8_t *bytes, size_t length)
{
	struct ktstr_random random = ktstr_random_seeded(seed);

	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)(ktstr_random_next(&random) >> 56);
}
