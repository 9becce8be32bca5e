// SPDX-License-Identifier: GPL-2.0-only
/* The host's part in repeatable runs; the rules are in determinism.h. */
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/random.h"
#include "vm/determinism.h"
#include "vm/lockstep.h"

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

void ktstr_determinism_environment(const char *lockstep_path, bool debugged, struct ktstr_strv *environment)
{
	static const char variable[] = "LD_PRELOAD=";
	const char *others = "";

	for (char **entry = environ; *entry; entry++) {
		if (ktstr_str_starts_with(*entry, variable))
			others = *entry + strlen(variable);
		else
			ktstr_strv_add(environment, *entry);
	}
	ktstr_strv_addf(environment, "%s%s%s%s", variable, lockstep_path, *others ? ":" : "", others);
	if (debugged)
		ktstr_strv_add(environment, KTSTR_LOCKSTEP_IMPATIENT "=1");
}

struct ktstr_error *ktstr_determinism_check(int qemu_pid, const char *lockstep_path)
{
	_cleanup_free_ char *maps_path = ktstr_xasprintf("/proc/%d/maps", qemu_pid);
	_cleanup_free_ char *maps = NULL;

	KTSTR_TRY(ktstr_read_file(maps_path, &maps, NULL));
	if (strstr(maps, lockstep_path))
		return NULL;
	return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
			       "this QEMU does not load %s (LD_PRELOAD), without which its runs do not repeat: it has to be "
			       "a dynamically linked program without special rights",
			       lockstep_path);
}

void ktstr_determinism_entropy(uint64_t seed, uint8_t *bytes, size_t length)
{
	struct ktstr_random random = ktstr_random_seeded(seed);

	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)(ktstr_random_next(&random) >> 56);
}
