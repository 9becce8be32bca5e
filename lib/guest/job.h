/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A job: what the host puts into the mailbox for the agent. A cpio archive with the files, and KTSTR_JOB_PATH in
 * it, a JSON object:
 *	argv	the program that is the test, and its arguments
 *	env	its complete environment, "K=V" strings
 *	scheduler	{argv, attach_timeout_ms}, absent for EEVDF
 *	hold	true: only attach the scheduler, then wait for a second job with the program
 *	terminal	{rows, columns}: the program talks to the virtio console
 *	test	what the test program reads of it: see lib/guest/runner.c
 */
#ifndef KTSTR_GUEST_JOB_H
#define KTSTR_GUEST_JOB_H

#define KTSTR_JOB_DIR		 "/run/ktstr"
#define KTSTR_JOB_PATH		 KTSTR_JOB_DIR "/job.json"
#define KTSTR_INITRAMFS_SENTINEL "/.ktstr_init_ok"
#define KTSTR_SCHED_PID_ENV	 "KTSTR_SCHED_PID"

#endif
