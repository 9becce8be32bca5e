/* SPDX-License-Identifier: GPL-2.0-only */
/* Pieces of ktstr-init, the guest's PID 1. */
#ifndef KTSTR_GUEST_AGENT_H
#define KTSTR_GUEST_AGENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/types.h>

#include "ktstr/error.h"
#include "wire/frame.h"
#include "wire/mailbox.h"

/* Where the agent's frames go: the virtio port, or the log area of the mailbox. */
struct channel {
	struct ktstr_mailbox *mailbox;
	int port_fd; /* -1 when the transport is the log */
};

/* The mapping lives as long as the agent. */
struct ktstr_error *mailbox_map(struct ktstr_mailbox **mailbox) KTSTR_CHECKED;
struct ktstr_error *channel_open(struct channel *channel, struct ktstr_mailbox *mailbox)
	KTSTR_CHECKED;
void channel_send(struct channel *channel, uint32_t type, const void *payload, size_t length);
void channel_lifecycle(struct channel *channel, enum ktstr_lifecycle stage, const char *fmt, ...)
	KTSTR_PRINTF(3, 4);

/* /proc, /sys, /dev, cgroup2, tmpfs and what else tests expect of a running system. */
struct ktstr_error *mount_all(void) KTSTR_CHECKED;
/* The cgroup that holds those of tests, with the controllers they use. */
void prepare_cgroups(void);
/* guard.c: the agent outlives whatever workloads do. guard_job() is for the process that becomes the job. */
void guard_agent(void);
void guard_job(void);
/* Loads /modules/ *.ko in the order of their names; a module that fails is reported on the console only. */
void load_modules(void);

/* Creates the files of a cpio newc archive below "/". Bounds-checked. */
struct ktstr_error *unpack_newc(const void *archive, size_t length) KTSTR_CHECKED;

/* A process of the job whose output is relayed. */
struct job_process {
	pid_t launcher_pid; /* what becomes the process; 0 = not prepared */
	pid_t pid; /* 0 = not started, or ended */
	int control_fd; /* the launcher's standard input */
	int pidfd;
	int out_fd, err_fd; /* read ends; -1 = closed */
	int frames_fd; /* frames of the program, -1 = none */
	uint32_t out_type, err_type; /* frame types of its output */
	bool ended;
	int wait_status;
};

/* Starts the launcher of a process. with_frames: the process gets a pipe for frames as descriptor 3. */
struct ktstr_error *job_process_prepare(struct job_process *process, bool with_frames) KTSTR_CHECKED;
/*
 * Tells the launcher what to become. terminal: it talks to the virtio console of that size instead of being relayed;
 * NULL = no.
 */
struct ktstr_error *job_process_start(struct job_process *process, json_t *argv, json_t *env,
				      const struct winsize *terminal) KTSTR_CHECKED;

/* What the agent's binary does with this option. */
#define LAUNCHER_OPTION "--launcher"
int launcher_main(void);

/*
 * Relays output of both processes and collects exits until `until` ends, or, when attach is given, until
 * it says true or deadline_ns passes. Returns what ended the wait.
 */
enum wait_end { WAIT_PROGRAM_ENDED, WAIT_SCHED_ENDED, WAIT_CONDITION, WAIT_DEADLINE };

struct relay {
	struct channel *channel;
	struct job_process program, sched;
	struct ktstr_frame_decoder program_frames;
	bool sched_reported; /* its death has been told to the host */
	bool sched_attached;
};

enum wait_end relay_until(struct relay *relay, bool (*condition)(void), uint64_t deadline_ns);
/* When the kernel has unloaded the scheduler: relays until its process has ended, too. */
void relay_last_words(struct relay *relay, uint64_t limit_ns);
/* Passes on what is still in the pipes, without waiting. */
void relay_drain(struct relay *relay);

/* Trimmed content of a small sysfs file in a static buffer; "" when it is not there. */
const char *sysfs_text(const char *path);
bool sched_ext_attached(void); /* state is enabled and root/ops names a scheduler */

#endif
