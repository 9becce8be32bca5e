// SPDX-License-Identifier: GPL-2.0-only
/* Device state to a file and back. QEMU gets the open file as a descriptor, so no path of ours reaches its parser. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "vm/determinism.h"
#include "vm/migrate.h"

enum { STATUS_POLL_NS = 1000 * 1000 };

static struct ktstr_error *ignore_shared_ram(struct ktstr_qmp *qmp, uint64_t deadline_ns)
{
	return ktstr_qmp_execute(qmp, "migrate-set-capabilities",
				 json_pack("{s[{ss sb}]}", "capabilities", "capability", "x-ignore-shared",
					   "state", 1),
				 deadline_ns, NULL);
}

/* Hands the file to QEMU under the name "state". */
static struct ktstr_error *pass_file(struct ktstr_qmp *qmp, const char *path, int flags, uint64_t deadline_ns)
{
	_cleanup_close_ int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return ktstr_error_sys(errno, "cannot open %s", path);
	return ktstr_qmp_execute_with_fd(qmp, "getfd", json_pack("{ss}", "fdname", "state"), fd, deadline_ns);
}

static struct ktstr_error *wait_completed(struct ktstr_qmp *qmp, uint64_t deadline_ns)
{
	for (;;) {
		json_t *reply = NULL;
		const char *status;
		bool completed, failed;

		KTSTR_TRY(ktstr_qmp_execute(qmp, "query-migrate", NULL, deadline_ns, &reply));
		status = json_string_value(json_object_get(reply, "status"));
		completed = status && !strcmp(status, "completed");
		failed = status && !strcmp(status, "failed");
		json_decref(reply);
		if (completed)
			return NULL;
		if (failed)
			return ktstr_error_new(KTSTR_ERR_CORRUPT, "QEMU refused the device state");
		if (ktstr_now_ns() > deadline_ns)
			return ktstr_error_new(KTSTR_ERR_TIMEOUT, "the transfer of device state did not end");
		ktstr_sleep_ns(STATUS_POLL_NS);
	}
}

struct ktstr_error *ktstr_migrate_save(struct ktstr_qmp *qmp, const char *path, uint64_t deadline_ns)
{
	KTSTR_TRY(ktstr_qmp_execute(qmp, "stop", NULL, deadline_ns, NULL));
	KTSTR_TRY(ignore_shared_ram(qmp, deadline_ns));
	KTSTR_TRY(pass_file(qmp, path, O_WRONLY | O_CREAT | O_TRUNC, deadline_ns));
	KTSTR_TRY(ktstr_qmp_execute(qmp, "migrate", json_pack("{ss}", "uri", "fd:state"), deadline_ns, NULL));
	KTSTR_TRY_WRAP(wait_completed(qmp, deadline_ns), "cannot save device state to %s", path);
	return NULL;
}

struct ktstr_error *ktstr_migrate_load(struct ktstr_qmp *qmp, const char *path, uint64_t deadline_ns)
{
	KTSTR_TRY(ignore_shared_ram(qmp, deadline_ns));
	KTSTR_TRY(ktstr_determinism_prepare_load(qmp, deadline_ns));
	KTSTR_TRY(pass_file(qmp, path, O_RDONLY, deadline_ns));
	KTSTR_TRY(ktstr_qmp_execute(qmp, "migrate-incoming", json_pack("{ss}", "uri", "fd:state"), deadline_ns,
				    NULL));
	KTSTR_TRY_WRAP(wait_completed(qmp, deadline_ns), "cannot load device state from %s", path);
	return NULL;
}
