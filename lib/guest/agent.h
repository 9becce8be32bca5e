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

#include "guest/mailbox.h"
#include "ktstr/error.h"
#include "wire/frame.h"

/* The agent's link to the host: the virtio port, or the log area of the mailbox, which leads one way only. */
struct channel {
	struct ktstr_mailbox *mailbox;
	int port_fd; /* -1 when the transport is the log */
	bool deaf; /* the port is at its end: nothing more comes from the host */
};

struct ktstr_error *channel_open(struct channel *channel, struct ktstr_mailbox *mailbox)
	KTSTR_CHECKED;
void channel_send(struct channel *channel, uint32_t type, const void *payload, size_t length);
/* What the host has sent, when the port is readable: bytes read, 0 = none. */
size_t channel_receive(struct channel *channel, void *buffer, size_t size);
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
void bring_up_networks(void);

/*
 * disk.c: mounts the disk, if there is one with a file system; a failure is only logged. For the job that runs the test, not
 * one that is held: a clone has another disk than its template.
 */
void disk_mount(void);
/* Adds what the test program may know of it. */
void disk_environment(json_t *env);
/* Lets the machine live while the host looks at what the disk has done. */
void disk_await_counting(void);

/* Creates the files of a cpio newc archive below "/". Bounds-checked. */
struct ktstr_error *unpack_newc(const void *archive, size_t length) KTSTR_CHECKED;

/* A process of the job whose output is relayed. */
struct job_process {
	pid_t launcher_pid; /* what becomes the process; 0 = not prepared */
	pid_t pid; /* 0 = not started, or ended */
	int control_fd; /* the launcher's standard input; then KTSTR_HOLD_FD of a process that is held */
	int pidfd;
	int out_fd, err_fd; /* read ends; -1 = closed */
	int frames_fd; /* socket for frames of the program and replies to it, -1 = none */
	uint32_t out_type, err_type; /* frame types of its output */
	bool ended;
	int wait_status;
};

struct job_process job_process_idle(void);
/* Starts the launcher of a process. with_frames: the process gets a socket for frames as descriptor 3. */
struct ktstr_error *job_process_prepare(struct job_process *process, bool with_frames) KTSTR_CHECKED;
/*
 * Tells the launcher what to become. terminal: it talks to the virtio console of that size instead of being relayed;
 * NULL = no.
 */
struct ktstr_error *job_process_start(struct job_process *process, json_t *argv, json_t *env,
				      const struct winsize *terminal) KTSTR_CHECKED;
/* The same for one that is held; returns when it says that it is loaded. */
struct ktstr_error *job_process_load(struct job_process *process, json_t *argv, json_t *env) KTSTR_CHECKED;
bool job_process_is_held(const struct job_process *process);
void job_process_let_go(struct job_process *process);

/* What the agent's binary does with this option. */
#define LAUNCHER_OPTION "--launcher"
int launcher_main(void);

enum wait_end { WAIT_PROGRAM_ENDED, WAIT_CONDITION, WAIT_DEADLINE, WAIT_ASKED };

struct relay {
	struct channel *channel;
	struct job_process program, sched;
	struct ktstr_frame_decoder program_frames, host_frames;
	struct ktstr_str to_program; /* replies that its socket has not taken yet */
	bool asked; /* a request for the agent waits: its id and what follows the id */
	uint32_t asked_id;
	struct ktstr_str question;
	/* Schedulers, borrowed from jobs: see guest/job.h. What of them runs is in `sched`. */
	json_t *sched_first, *sched_staged;
	json_t *sched_current; /* NULL = none; stays when it goes by itself */
	json_t *job_env;
	bool sched_watched; /* its end would be a death, and has not been told yet */
	bool sched_attached; /* the kernel had it, so that its leaving is news */
	long long times_enabled; /* schedulers, by the kernel, before `sched` was started */
};

/*
 * Relays output of both processes and collects exits until condition says true or deadline_ns passes; without one
 * (NULL) until the program ends or asks for something. Returns what ended the wait.
 */
enum wait_end relay_until(struct relay *relay, bool (*condition)(const struct relay *relay), uint64_t deadline_ns);
/* When the kernel has unloaded the scheduler: relays until its process has ended, too, for 3 s at most. */
void relay_last_words(struct relay *relay);
/* Passes on what is still in the pipes, without waiting. */
void relay_drain(struct relay *relay);

/* The program's link (link.c): one read from it, one from the host's port, and the way back. */
void link_from_program(struct relay *relay);
void link_from_host(struct relay *relay);
void link_flush(struct relay *relay);
void link_reply(struct relay *relay, uint32_t type, const void *payload, size_t length);
/* Takes ownership of error. */
void link_refuse(struct relay *relay, uint32_t id, struct ktstr_error *error);

/* Trimmed content of a small sysfs file in a static buffer; "" when it is not there. */
const char *sysfs_text(const char *path);
bool sched_ext_attached(void); /* state is enabled and root/ops names a scheduler */
bool sched_ext_disabled(void); /* also when the kernel has no sched_ext */

/* Starts the scheduler of the job (schedulers.c); false when it does not attach: the host has been told. */
bool schedulers_start_first(struct relay *relay, json_t *sched);
/* Does what the program asked for, and answers. */
void schedulers_answer(struct relay *relay);
/* After the program. */
void schedulers_end(struct relay *relay);

#endif
