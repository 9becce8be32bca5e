// SPDX-License-Identifier: GPL-2.0-only
/* Finds and checks the rt-app file of a run before there is a VM. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "ktstr/payload.h"
#include "ktstr/test.h"
#include "payload/payload.h"
#include "rtapp/guest_file.h"
#include "rtapp/program.h"
#include "runner/rt_app.h"

KTSTR_DEFINE_CLEANUP(struct rtapp_program *, cleanup_program, ktstr_rtapp_destroy)

static struct ktstr_error *find(struct ktstr_run *run, const char *beside_dir)
{
	_cleanup_(cleanup_program) struct rtapp_program *program = NULL;
	char *path = NULL;

	KTSTR_TRY(ktstr_data_file_find(run->rt_app ? run->rt_app : run->test->rt_app, beside_dir, &path));
	free(run->rt_app);
	run->rt_app = path;
	KTSTR_TRY(ktstr_rtapp_load(path, &program));
	KTSTR_TRY(ktstr_rtapp_check_cpus(program, ktstr_topology_total_cpus(&run->topology)));
	if (!run->duration_ns && program->duration_ns.set)
		run->duration_ns = program->duration_ns.value;
	return ktstr_includes_add_file(&run->includes, KTSTR_RTAPP_GUEST_FILE, path, "rt-app");
}

struct ktstr_error *ktstr_run_find_rt_app(struct ktstr_run *run, const char *beside_dir)
{
	if (run->rt_app)
		KTSTR_TRY_WRAP(find(run, beside_dir), "rt-app file");
	else if (run->test->rt_app)
		KTSTR_TRY_WRAP(find(run, beside_dir), "test %s: .rt_app", run->test->name);
	if (!run->duration_ns)
		run->duration_ns = KTSTR_DEFAULT_DURATION;
	return NULL;
}
