// SPDX-License-Identifier: GPL-2.0-only
/*
 * PipeIo: two partners exchange a byte through two pipes. Presses the synchronous wakeup:
 * pipe_write -> wake_up_interruptible_sync_poll (WF_SYNC) -> select_task_rq with the waker about to
 * sleep, so that the scheduler may pull the wakee to the waker's CPU.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "work/pipe_pair.h"

enum { ZERO_READ, ZERO_WRITE, ONE_READ, ONE_WRITE, FDS }; /* ZERO_READ: where partner 0 reads */

struct ktstr_error *work_pipe_open_pair(struct work_group *group)
{
	/* pipe2 gives read end, write end: what goes in at ONE_WRITE comes out at ZERO_READ. */
	int to_zero[2], to_one[2];

	if (pipe2(to_zero, O_CLOEXEC))
		return ktstr_error_sys(errno, "cannot make a pipe for a pair of workers");
	group->fds[ZERO_READ] = to_zero[0];
	group->fds[ONE_WRITE] = to_zero[1];
	if (pipe2(to_one, O_CLOEXEC)) {
		int failure = errno;

		close(to_zero[0]);
		close(to_zero[1]);
		return ktstr_error_sys(failure, "cannot make a pipe for a pair of workers");
	}
	group->fds[ONE_READ] = to_one[0];
	group->fds[ZERO_WRITE] = to_one[1];
	group->fds_count = FDS;
	return NULL;
}

struct work_pipe_end work_pipe_take_end(const struct worker *w)
{
	const int *fds = w->group->fds;
	bool zero = w->position == 0;

	/* As long as we held the partner's ends we would not see it die. Threads die together. */
	if (!w->group->fds_shared) {
		close(fds[zero ? ONE_READ : ZERO_READ]);
		close(fds[zero ? ONE_WRITE : ZERO_WRITE]);
	}
	return (struct work_pipe_end){ fds[zero ? ZERO_READ : ONE_READ], fds[zero ? ZERO_WRITE : ONE_WRITE] };
}

bool work_pipe_exchange(struct worker *w, const struct work_pipe_end *end)
{
	char token = 't';
	uint64_t since;

	if (write(end->write_fd, &token, 1) != 1)
		return false;
	since = ktstr_now_ns();
	if (!work_wait_fd(w, end->read_fd, POLLIN) || read(end->read_fd, &token, 1) != 1)
		return false;
	work_record_wake(w, ktstr_now_ns() - since);
	return true;
}

static void run_pipe_io(struct worker *w)
{
	struct work_pipe_end end = work_pipe_take_end(w);
	uint64_t burst_iters = w->type->PIPE_IO.burst_iters;

	while (!work_should_stop(w)) {
		work_spin(w, burst_iters);
		/* Without a burst the exchange itself is the work. */
		w->work_units += burst_iters == 0;
		work_checkpoint(w);
		if (!work_pipe_exchange(w, &end))
			break;
		work_iteration_done(w);
	}
	work_sleep_until(w, UINT64_MAX);
}

static const struct work_param params[] = { WORK_NUMBER(pipe_io, burst_iters, 1024, 0, 0) };

const struct work_type_ops work_pipe_io_ops = {
	.name = "PipeIo",
	.pressure = "synchronous wakeup across CPUs (pipe_write, WF_SYNC, select_task_rq)",
	.unit = "32 multiply-adds and a pause",
	WORK_PARAMS(params),
	.group_size = work_group_of_two,
	.open_group = work_pipe_open_pair,
	.run = run_pipe_io,
};
