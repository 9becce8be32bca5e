// SPDX-License-Identifier: GPL-2.0-only
/* The kinds of ops: one row each. Adding one: its entry in ktstr/op.h, a row here, a function, its fields in op_fields.c. */
#include "scenario/engine.h"

static const struct op_row {
	const char *name;
	op_fn *run; /* NULL: neighbours of this kind are run together, see run_ops() */
} rows[] = {
	[KTSTR_OP_ADD_CGROUP] = { "AddCgroup", op_add_cgroup },
	[KTSTR_OP_ADD_CGROUP_DEF] = { "AddCgroupDef", op_add_cgroup_def },
	[KTSTR_OP_REMOVE_CGROUP] = { "RemoveCgroup", op_remove_cgroup },
	[KTSTR_OP_SET_CPUSET] = { "SetCpuset", op_set_cpuset },
	[KTSTR_OP_CLEAR_CPUSET] = { "ClearCpuset", op_clear_cpuset },
	[KTSTR_OP_SWAP_CPUSETS] = { "SwapCpusets", op_swap_cpusets },
	[KTSTR_OP_SPAWN] = { "Spawn", op_spawn },
	[KTSTR_OP_STOP_CGROUP] = { "StopCgroup", op_stop_cgroup },
	[KTSTR_OP_SET_AFFINITY] = { "SetAffinity", op_set_affinity },
	[KTSTR_OP_MOVE_ALL_TASKS] = { "MoveAllTasks", op_move_all_tasks },
	[KTSTR_OP_RUN_PAYLOAD] = { "RunPayload", op_run_payload },
	[KTSTR_OP_WAIT_PAYLOAD] = { "WaitPayload", op_wait_payload },
	[KTSTR_OP_KILL_PAYLOAD] = { "KillPayload", op_kill_payload },
	[KTSTR_OP_FREEZE_CGROUP] = { "FreezeCgroup", op_freeze_cgroup },
	[KTSTR_OP_UNFREEZE_CGROUP] = { "UnfreezeCgroup", op_unfreeze_cgroup },
	[KTSTR_OP_CAPTURE_SNAPSHOT] = { "CaptureSnapshot", op_capture_snapshot },
	[KTSTR_OP_WATCH_SNAPSHOT] = { "WatchSnapshot", op_watch_snapshot },
	[KTSTR_OP_WRITE_KERNEL_HOT] = { "WriteKernelHot", op_write_kernel_hot },
	[KTSTR_OP_WRITE_KERNEL_COLD] = { "WriteKernelCold", NULL },
	[KTSTR_OP_READ_KERNEL_HOT] = { "ReadKernelHot", op_read_kernel_hot },
	[KTSTR_OP_READ_KERNEL_COLD] = { "ReadKernelCold", op_read_kernel_cold },
	[KTSTR_OP_ATTACH_SCHEDULER] = { "AttachScheduler", op_attach_scheduler },
	[KTSTR_OP_DETACH_SCHEDULER] = { "DetachScheduler", op_detach_scheduler },
	[KTSTR_OP_RESTART_SCHEDULER] = { "RestartScheduler", op_restart_scheduler },
	[KTSTR_OP_REPLACE_SCHEDULER] = { "ReplaceScheduler", op_replace_scheduler },
	[KTSTR_OP_PIN_BPF_MAP] = { "PinBpfMap", op_pin_bpf_map },
	[KTSTR_OP_CAPTURE_CGROUP_PROCS] = { "CaptureCgroupProcs", op_capture_cgroup_procs },
	[KTSTR_OP_STEER_IRQ] = { "SteerIrq", op_steer_irq },
};
_Static_assert(sizeof(rows) / sizeof(rows[0]) == KTSTR_OP_KINDS, "every kind of op has a row");
_Static_assert(KTSTR_OP_KINDS <= 32, "a kind has its bit in a mask of 32");

const char *ktstr_op_kind_name(enum ktstr_op_kind kind)
{
	return (unsigned int)kind < KTSTR_OP_KINDS ? rows[kind].name : NULL;
}

uint32_t op_kinds(const struct ktstr_op *ops, size_t count)
{
	uint32_t kinds = 0;

	for (size_t i = 0; i < count; i++)
		if ((unsigned int)ops[i].kind < KTSTR_OP_KINDS)
			kinds |= KTSTR_OP_BIT(ops[i].kind);
	return kinds;
}

/* How many cold writes stand here next to each other. */
static size_t cold_writes(const struct ktstr_op *ops, size_t count)
{
	size_t run = 0;

	while (run < count && ops[run].kind == KTSTR_OP_WRITE_KERNEL_COLD)
		run++;
	return run;
}

struct ktstr_error *run_ops(struct engine *engine, const struct ktstr_op *ops, size_t count)
{
	for (size_t i = 0, taken; i < count; i += taken) {
		const char *name = ktstr_op_kind_name(ops[i].kind);
		size_t colds = cold_writes(ops + i, count - i);
		struct ktstr_error *error;

		taken = colds ? colds : 1;
		if (colds)
			error = write_kernel_cold(engine, ops + i, colds);
		else if (name)
			error = rows[ops[i].kind].run(engine, &ops[i]);
		else
			error = ktstr_error_new(KTSTR_ERR_INVALID, "there is no kind of op %d: write ops with KTSTR_OP()",
						(int)ops[i].kind);
		if (error)
			error = ktstr_error_wrap(error, "op %zu (%s)", i, name ? name : "?");
		KTSTR_TRY(engine_pass(engine, error));
	}
	return NULL;
}
