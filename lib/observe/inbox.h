/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames on their way to the watching thread: copied in by the thread that listens to the guest, taken out in order. */
#ifndef KTSTR_OBSERVE_INBOX_H
#define KTSTR_OBSERVE_INBOX_H

#include <pthread.h>

#include "wire/frame.h"

struct ktstr_letter {
	struct ktstr_letter *next;
	uint64_t arrived_ns;
	uint32_t type, length;
	uint8_t payload[];
};

struct ktstr_inbox {
	int fd; /* an eventfd: readable when there may be letters */
	pthread_mutex_t lock;
	struct ktstr_letter *first, **last;
};

struct ktstr_error *ktstr_inbox_init(struct ktstr_inbox *inbox) KTSTR_CHECKED;
void ktstr_inbox_deinit(struct ktstr_inbox *inbox);
/* A copy of a frame, which has arrived now; the caller's to free(). */
struct ktstr_letter *ktstr_letter_of(const struct ktstr_frame *frame);
void ktstr_inbox_put(struct ktstr_inbox *inbox, const struct ktstr_frame *frame);
/* Makes fd readable without a letter. */
void ktstr_inbox_poke(struct ktstr_inbox *inbox);
/* The oldest letter, the caller's to free(); NULL when there is none. */
struct ktstr_letter *ktstr_inbox_take(struct ktstr_inbox *inbox);

#endif
