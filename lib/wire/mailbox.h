/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mailbox: memory that host and guest share, at a physical address that the kernel command line tells. The host puts a job in and
 * sets `go`; the agent polls `go`, so that nothing has to be sent to a running guest (what a run receives is in
 * memory before it resumes: the base of deterministic replay). In that mode frames come back through the log
 * area here, too, which costs no device exit and outlives the guest.
 *
 * Layout: this header in the first page, what a frozen guest asks and the host answers, the frame log, then the job
 * (a cpio newc archive). All little-endian as both sides are x86-64. The host treats everything that the guest may
 * write as hostile.
 */
#ifndef KTSTR_WIRE_MAILBOX_H
#define KTSTR_WIRE_MAILBOX_H

#include <stdint.h>

#define KTSTR_MAILBOX_MAGIC	 0x31584f424d54534bull /* "KSTMBOX1" */
#define KTSTR_MAILBOX_BYTES	 (256ull << 20) /* sparse: only what is used takes memory */
#define KTSTR_MAILBOX_REQUEST_OFFSET 4096ull
#define KTSTR_MAILBOX_REQUEST_BYTES  (28ull << 10)
#define KTSTR_MAILBOX_REPLY_OFFSET   (KTSTR_MAILBOX_REQUEST_OFFSET + KTSTR_MAILBOX_REQUEST_BYTES)
#define KTSTR_MAILBOX_REPLY_BYTES    (32ull << 10)
#define KTSTR_MAILBOX_LOG_OFFSET (64ull << 10)
#define KTSTR_MAILBOX_LOG_BYTES	 (64ull << 20)
#define KTSTR_MAILBOX_JOB_OFFSET (KTSTR_MAILBOX_LOG_OFFSET + KTSTR_MAILBOX_LOG_BYTES)
#define KTSTR_MAILBOX_JOB_BYTES	 (KTSTR_MAILBOX_BYTES - KTSTR_MAILBOX_JOB_OFFSET)

enum ktstr_mailbox_transport {
	KTSTR_TRANSPORT_PORT, /* frames through the virtio port */
	KTSTR_TRANSPORT_LOG, /* frames through the log area */
};

/* How far the agent is; it waits for `go` to reach the same number before it goes on. */
enum ktstr_agent_stage {
	KTSTR_AGENT_READY = 1, /* booted and settled: waits for a job */
	KTSTR_AGENT_ATTACHED = 2, /* a job that only attaches a scheduler is done: waits for the rest */
	KTSTR_AGENT_LOADED = 3, /* the test program runs and waits before its test: waits for what that test needs */
};

/* Why a guest has frozen itself (guest/freeze.h, vm/freezer.h). */
enum ktstr_freeze_reason {
	KTSTR_FREEZE_STAGE = 1, /* the agent announces agent_stage: the moment to save a template */
	KTSTR_FREEZE_SAMPLE = 2, /* a periodic look at the kernel */
	KTSTR_FREEZE_SNAPSHOT = 3, /* the test asks for what lies in memory now */
	KTSTR_FREEZE_REQUEST = 4, /* a frame with a request of the test program for the host; the reply is one, too */
	KTSTR_FREEZE_JOB = 5, /* the agent has taken a job, and nothing of it runs yet */
	KTSTR_FREEZE_SCHED_EXIT = 6, /* the kernel is about to disable a scheduler; its byte does not say so, its ports do */
};

/*
 * Where a guest freezes itself by writing a byte: its programs to the first two ports in turn, its kernel to the next two
 * (observe/exit_trap.h).
 */
enum {
	KTSTR_FREEZE_PORT = 0xe9,
	KTSTR_FREEZE_PORTS = 2,
	KTSTR_FREEZE_KERNEL_PORT = KTSTR_FREEZE_PORT + KTSTR_FREEZE_PORTS,
};

struct ktstr_mailbox_freeze {
	uint32_t available; /* host, at creation: the ports are there */
	uint32_t lock; /* guest: 1 = somebody uses what follows */
	uint32_t count; /* guest: freezes so far; says which port is next */
	uint32_t reason; /* guest: enum ktstr_freeze_reason */
	uint32_t request_length; /* guest: at KTSTR_MAILBOX_REQUEST_OFFSET */
	uint32_t reply_length; /* host: at KTSTR_MAILBOX_REPLY_OFFSET */
};

struct ktstr_mailbox {
	uint64_t magic; /* host, at creation */
	uint32_t agent_stage; /* guest: enum ktstr_agent_stage */
	uint32_t go; /* host: the stage whose job is in place */
	uint32_t looked_stage; /* guest: the stage at which it has looked at `go` */
	uint32_t transport; /* host: enum ktstr_mailbox_transport */
	uint64_t job_length; /* at KTSTR_MAILBOX_JOB_OFFSET */
	uint64_t realtime_ns; /* wall clock to set; 0 = leave it */
	uint64_t seed;
	uint8_t entropy[64]; /* fed to the guest's CRNG before anything of the job runs */
	uint64_t log_length; /* guest: bytes valid in the log area */
	uint32_t log_full; /* guest: 1 = a frame did not fit and was dropped */
	uint64_t vmcoreinfo; /* guest: physical address of its vmcoreinfo page, when it takes a job; 0 = unknown */
	struct ktstr_mailbox_freeze freeze;
};

#define KTSTR_MAILBOX_ENV "KTSTR_MAILBOX" /* its guest-physical address */

#define KTSTR_PORT_FRAMES "org.ktstr.frames"

#endif
