/* SPDX-License-Identifier: GPL-2.0-only */
/* Two partners that exchange a byte through two pipes. */
#ifndef KTSTR_WORK_PIPE_PAIR_H
#define KTSTR_WORK_PIPE_PAIR_H

#include "work/work_type.h"

/* What one partner reads from and writes to. */
struct work_pipe_end {
	int read_fd, write_fd;
};

/* For open_group of types in groups of two. */
struct ktstr_error *work_pipe_open_pair(struct work_group *group);
/* The worker's own ends; those of the partner are closed. */
struct work_pipe_end work_pipe_take_end(const struct worker *w);
/* Sends a byte and waits for the partner's: a wake sample. False when the stop came or the partner is gone. */
bool work_pipe_exchange(struct worker *w, const struct work_pipe_end *end);

#endif
