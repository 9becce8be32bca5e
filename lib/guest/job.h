/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A job: what the host puts into the mailbox for the agent. A cpio archive with the files, and KTSTR_JOB_PATH in
 * it, a JSON object:
 *	argv	the program that is the test, and its arguments
 *	env	its complete environment, "K=V" strings
 *	scheduler	the one that the test begins with, absent for EEVDF: {name, argv, attach_timeout_ms, enable, disable,
 *		cgroups}: shell commands before and after, cgroups to make; argv absent for one of the kernel's own
 *	staged	{name: the same, ...}: those that the program may ask for
 *	hold	true: attach the scheduler if there is one, load the program if there is one, and wait for another job with the rest
 *	terminal	{rows, columns}: the program talks to the virtio console
 *	test	what the test program reads of it: see lib/guest/runner.c
 */
#ifndef KTSTR_GUEST_JOB_H
#define KTSTR_GUEST_JOB_H

/*
 * What the program asks the agent for: {op, name}, name for attach and replace. The answer: {pid}, 0 for none. A
 * refusal with KTSTR_ERR_GUEST or KTSTR_ERR_TIMEOUT means that no scheduler is attached now, others that nothing changed.
 */
#define KTSTR_SCHED_REQUEST_OP	 "op"
#define KTSTR_SCHED_REQUEST_NAME "name"
#define KTSTR_SCHED_REPLY_PID	 "pid"
#define KTSTR_SCHED_OP_ATTACH	 "attach"
#define KTSTR_SCHED_OP_DETACH	 "detach"
#define KTSTR_SCHED_OP_RESTART	 "restart"
#define KTSTR_SCHED_OP_REPLACE	 "replace"

#define KTSTR_JOB_DIR		 "/run/ktstr"
#define KTSTR_JOB_PATH		 KTSTR_JOB_DIR "/job.json"
#define KTSTR_STAGING_DIR	 "/staging/schedulers" /* /<name>/<binary> */
#define KTSTR_SHELL_PATH	 "/bin/busybox"
#define KTSTR_INITRAMFS_SENTINEL "/.ktstr_init_ok"
#define KTSTR_SCHED_PID_ENV	 "KTSTR_SCHED_PID"

/*
 * What the program does: run the test of the job at the path that follows; or first wait, loaded, for that job: it writes
 * a byte to KTSTR_HOLD_FD when it has come so far, and goes on when it reads one.
 */
#define KTSTR_GUEST_OPTION	"--ktstr-guest"
#define KTSTR_GUEST_HELD_OPTION "--ktstr-guest-held"
enum { KTSTR_HOLD_FD = 4 };

#endif
