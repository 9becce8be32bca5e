// SPDX-License-Identifier: GPL-2.0-only
/* The keys of a sidecar that may be null; see explain.h. */
#include "result/explain.h"

const struct ktstr_nullable_key ktstr_nullable_keys[] = {
	{ "accel_reason", false, "the accelerator was asked for, or there was no choice", NULL },
	{ "bpf_map_writes_delivered", false, "the test declares no .bpf_map_write, or its body never asked for it", NULL },
	{ "captures", true, "nobody watched the guest: the run has none, or failed before it began", "see cause" },
	{ "cause", false, "the test passed", NULL },
	{ "cleanup_duration_ms", false, "there was no VM to end", NULL },
	{ "crash_message", false, "the guest's kernel did not crash", NULL },
	{ "digest", false, "the run was not deterministic", "--seed N makes it so" },
	{ "guest_exit_code", true, "the guest ended before it reported its program's end", "see cause and the console log" },
	{ "host", true, "written by an older ktstr, or before a machine was prepared", "run the test again" },
	{ "host_dilation", false, "no workload ran, or on virtual time, where the host's scheduler does not show", NULL },
	{ "kernel_commit", false, "the kernel was not built in a git repository of its own", "--kernel TREE of a git checkout" },
	{ "kernel_version", true, "the kernel's image could not be read", "see cause" },
	{ "kvm_stats", false, "the guest was emulated (tcg): there is no KVM to ask", "a host with usable KVM" },
	{ "monitor", true, "nothing was sampled: the kernel has no vmlinux, the run failed before it began, or is older",
	  "see cause; `ktstr kernel get` fetches kernels with their vmlinux" },
	{ "payload", false, "the test declares no payload", NULL },
	{ "project_commit", true, "the command ran outside a git repository, or git is missing",
	  "run within the repository, or set KTSTR_PROJECT_COMMIT" },
	{ "qemu_version", true, "QEMU was not found", "see cause; `ktstr doctor`" },
	{ "recipe", false, "the run was not deterministic", "--seed N makes it so" },
	{ "resolve_source", false, "the test runs under the kernel's own scheduler", NULL },
	{ "scheduler_binary", false, "the test runs under the kernel's own scheduler", NULL },
	{ "scheduler_commit", false, "a scheduler's binary does not say which commit it was built from", NULL },
	{ "seed", false, "the run was not deterministic", "--seed N makes it so" },
	{ "start_mode", true, "no VM was started", "see cause" },
	{ "start_reason", false, "the VM started from a template", NULL },
	{ "work_type", false, "no work type was forced on the test", NULL },
};
const size_t ktstr_nullable_keys_count = sizeof(ktstr_nullable_keys) / sizeof(ktstr_nullable_keys[0]);
