// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's half of vm/freezing.c: runs its test deterministically, keeps the guest frozen for as long as it is told
 * (a random part of it each time), and looks whether anything of the guest moves meanwhile.
 *
 *	freezing_host BUILD PROGRAM SEED MAX_MS
 *
 * Prints "freezes N moved N digest HEX".
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "ktstr/units.h"
#include "observe/vm_view.h"
#include "runner/runner.h"
#include "runner/start.h"
#include "runner/trace.h"

struct watch {
	struct ktstr_kernel_view *view;
	struct ktstr_vmlinux *vmlinux;
	unsigned int max_ms;
	unsigned int freezes, moved;
	uint64_t last_jiffies;
	struct ktstr_error *error;
};

static uint64_t jiffies(const struct ktstr_kernel_view *view)
{
	uint64_t value = 0;

	if (!ktstr_read_uint(&view->space, ktstr_view_symbol(view, "jiffies_64"), sizeof(value), &value))
		abort();
	return value;
}

static void on_freeze(void *context, struct ktstr_vm *vm, struct ktstr_vm_freeze *freeze)
{
	struct watch *watch = context;
	uint64_t number = 0, before;

	if (!watch->view && !watch->error)
		watch->error = ktstr_view_of_vm(vm, watch->vmlinux, &watch->view);
	if (watch->error || freeze->reason != KTSTR_FREEZE_SAMPLE || freeze->request_length != sizeof(number))
		return;
	watch->freezes++;
	before = jiffies(watch->view);
	if (watch->max_ms)
		ktstr_sleep_ns(KTSTR_MS((unsigned int)rand() % watch->max_ms));
	watch->moved += jiffies(watch->view) != before || before < watch->last_jiffies;
	watch->last_jiffies = before;
	memcpy(&number, freeze->request, sizeof(number));
	number++;
	memcpy(freeze->reply, &number, sizeof(number));
	freeze->reply_length = sizeof(number);
}

static void ignore_stage(void *context, const char *shown)
{
	(void)context, (void)shown;
}

static void ignore_stage_done(void *context, const char *name, uint64_t ended_ns)
{
	(void)context, (void)name, (void)ended_ns;
}

static struct ktstr_error *set_up(char **argv, struct ktstr_run_setup *setup, struct ktstr_program *program,
				  struct ktstr_run *run)
{
	_cleanup_free_ char *scenarios = ktstr_xasprintf("%s/ktstr-scenarios", argv[1]);

	setup->lockstep_path = ktstr_xasprintf("%s/ktstr-lockstep.so", argv[1]);
	KTSTR_TRY(ktstr_guest_base_init(&setup->base, ktstr_xasprintf("%s/ktstr-init", argv[1]), scenarios));
	KTSTR_TRY(ktstr_qemu_find(&setup->qemu));
	KTSTR_TRY(ktstr_kernel_resolve(ktstr_env("KTSTR_KERNEL"), false, NULL, &setup->kernel));
	KTSTR_TRY(ktstr_accel_choose(&setup->qemu, setup->kernel.image_path, &setup->accel));
	KTSTR_TRY(ktstr_program_load(argv[2], program));
	run->program = program;
	run->test = &program->tests[0];
	run->full_name = ktstr_xasprintf("ktstr/%s", run->test->name);
	run->topology = run->test->topology;
	run->duration_ns = run->test->duration_ns;
	run->deterministic = run->test->deterministic;
	run->seed = strtoull(argv[3], NULL, 10);
	return ktstr_sched_resolve(NULL, NULL, NULL, &run->scheduler);
}

static struct ktstr_error *follow(struct ktstr_vm *vm, struct ktstr_str *trace)
{
	uint64_t deadline = ktstr_now_ns() + KTSTR_SEC(120);
	struct ktstr_frame frame;

	while (ktstr_vm_next_frame(vm, deadline, &frame) == KTSTR_VM_FRAME) {
		ktstr_trace_add(trace, &frame);
		if (frame.type == KTSTR_FRAME_RESULT && !memmem(frame.payload, frame.length, "\"outcomes\":[]", 13))
			return ktstr_error_new(KTSTR_ERR_GUEST, "%.*s", (int)frame.length, (const char *)frame.payload);
		if (frame.type == KTSTR_FRAME_EXIT)
			return NULL;
	}
	return ktstr_error_new(KTSTR_ERR_TIMEOUT, "the test did not end");
}

int main(int argc, char **argv)
{
	struct ktstr_run_setup setup = { 0 };
	struct ktstr_program program;
	struct ktstr_run run = { 0 };
	struct ktstr_start_events events = { ignore_stage, ignore_stage_done, NULL };
	struct watch watch = { 0 };
	struct ktstr_str trace = { 0 };
	char digest[KTSTR_DIGEST_BYTES] = "";
	struct ktstr_started started = { 0 };
	struct ktstr_error *error;

	if (argc != 5)
		return 2;
	error = set_up(argv, &setup, &program, &run);
	if (!error)
		error = ktstr_run_start(&setup, &run, &events, &started);
	if (!error)
		error = ktstr_vmlinux_load(setup.kernel.vmlinux_path, &watch.vmlinux);
	watch.max_ms = (unsigned int)atoi(argv[4]);
	srand((unsigned int)ktstr_now_ns());
	if (!error) {
		ktstr_vm_on_freeze(started.vm, on_freeze, &watch);
		error = follow(started.vm, &trace);
	}
	if (!error)
		error = ktstr_take(watch.error);
	if (!error)
		error = ktstr_trace_digest(&trace, digest);
	ktstr_kernel_view_close(watch.view);
	ktstr_vmlinux_destroy(watch.vmlinux);
	ktstr_started_deinit(&started);
	if (error) {
		fprintf(stderr, "freezing_host: %s\n", ktstr_error_message(error));
		return 1;
	}
	printf("freezes %u moved %u digest %s\n", watch.freezes, watch.moved, digest);
	return 0;
}
